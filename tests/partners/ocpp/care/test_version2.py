"""The same care of chargers of 2.0.1 and 2.1: logs, a campaign, and the local list, over real sockets and real HTTP."""

from __future__ import annotations

import pytest

from modules.tokens import service as tokens
from modules.tokens.model import Token
from tests.partners.ocpp.care.conftest import Yard
from tests.partners.ocpp.site import until
from tests.world import stored_token


@pytest.mark.parametrize("ocpp", ["2.0.1", "2.1"])
async def test_a_charger_of_2_x_is_looked_after_like_one_of_1_6(yard: Yard, ocpp: str) -> None:
    hub = yard.house.program.hub
    card = Token.model_validate(stored_token("DE*BSB", "04AA00010203FF"))
    await tokens.put(hub.store, hub.settings.own_party, card.uid, card, now=hub.clock.now())
    await yard.add_firmware()
    async with yard.charger(ocpp=ocpp, local_list=True) as charger:
        for kind in ("diagnostics", "security"):
            asked = await yard.ask("POST", "/stations/CP1/logs", {"kind": kind})
            assert (await yard.log(asked["number"], "received"))["size"] > 0
        await yard.ask("POST", "/campaigns", {"firmware": "fw2", "verify_s": 0, "make_unavailable": True})
        await yard.campaign(state="done", verified=1)
        assert charger.firmware == "2.0.0"

        async def in_step() -> bool:
            await yard.house.program.local_lists.step()
            shown = await yard.ask("GET", "/stations/CP1/local_list")
            return bool((shown["state"], shown["entries"]) == ("in step", 1))

        await until(in_step)
        assert len(charger._answers.cards) == 1
        assert charger.complaints.texts() == []
