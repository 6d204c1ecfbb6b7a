"""Who a request is for: an address that nobody has is told on every module, whatever else is asked (REQ-102).

What is kept here first is answered by us, whoever it is for; a session or CDR is for nobody but its driver's eMSP.
"""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim
from modules.cdrs.store import CDRS
from modules.sessions.store import SESSIONS
from tests.modules.cdrs.check.records import but, wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.modules.sessions.records import a_session
from tests.world import Said, World, a_world

PATHS = (
    "sender/locations",
    "sender/locations/LOC1",
    "sender/tariffs",
    "sender/sessions",
    "sender/cdrs",
    "receiver/tokens/NL/EEE/CARD1",
)


LATER = "2026-05-04T11:00:00Z"


def to(party: str) -> list[tuple[str, str]]:
    country_code, party_id = party.split("*")
    return [("OCPI-to-country-code", country_code), ("OCPI-to-party-id", party_id)]


def speaker(said: Said) -> str:
    """Who answers, as the answer says (OCPI-from)."""
    return f"{said.headers['ocpi-from-country-code']}*{said.headers['ocpi-from-party-id']}"


async def brings(world: World, method: str, module: str, party: str) -> Said:
    """C1 brings what a driver of NL*EEE charged, addressed to `party`."""
    card = {"country_code": "NL", "party_id": "EEE", "uid": "CARD1", "type": "RFID", "contract_id": "NL-EEE-C1"}
    bodies: dict[str, Any] = {
        "POST": wired(but(EVENING, cdr_token=card), world.version),
        "PUT": a_session(world.version),
        "PATCH": {"kwh": 2, "last_updated": LATER},
    }
    path = "receiver/cdrs" if module == "cdrs" else "receiver/sessions/BE/AAA/S1"
    return await world.ask(method, world.at(path), by="c1", body=bodies[method], headers=to(party) if party else [])


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_what_a_driver_charged_is_for_no_other_emsp_and_we_answer_for_ourselves(
    sqlite_url: str, version: str
) -> None:
    async with a_world(sqlite_url, version, hub_party="DE*HUB") as world:
        await brings(world, "PUT", "sessions", "")
        for method, module in (("PUT", "sessions"), ("PATCH", "sessions"), ("POST", "cdrs")):
            for other in ("NL*FFF", "DE*BSB"):
                async with world.unchanged():
                    said = await brings(world, method, module, other)
                    assert (said.http, said.code) == (200, 2001), (method, other)
                    assert "NL*EEE" in said.message
                    assert "CARD1" not in said.message
            for party in ("NL*EEE", "DE*HUB", ""):
                said = await brings(world, method, module, party)
                assert (said.code, speaker(said)) == (1000, "DE*HUB"), (method, party)
        for kind in (SESSIONS, CDRS):
            assert [document.audience for document in await world.documents(kind)] == ["NL*EEE"]
        said = await world.ask("GET", world.at("receiver/sessions/BE/AAA/S1"), by="c1", headers=to("NL*EEE"))
        assert (said.code, speaker(said)) == (1000, "DE*HUB")


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_a_party_of_the_same_platform_may_be_named(sqlite_url: str, version: str) -> None:
    async with a_world(sqlite_url, version) as world:
        platform = world.partner("e1")
        other = Claim(role=PartyRole.EMSP, party=Party.parse("NL*EE2"))
        await world.registry.save(platform.model_copy(update={"claims": (*platform.claims, other)}))
        assert (await brings(world, "PUT", "sessions", "NL*EE2")).code == 1000
        assert (await brings(world, "POST", "cdrs", "NL*EE2")).code == 1000
        assert [document.audience for document in await world.documents(CDRS)] == ["NL*EEE"]


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize("path", PATHS)
async def test_a_get_for_a_party_that_nobody_knows_is_4001(sqlite_url: str, version: str, path: str) -> None:
    async with a_world(sqlite_url, version) as world:
        for address in (("XX", "XXX"), ("DE", "XXX"), ("XX", "BSB")):
            headers = list(zip(("OCPI-to-country-code", "OCPI-to-party-id"), address, strict=True))
            said = await world.ask("GET", world.at(path), by="e1", headers=headers)
            assert (said.http, said.code, said.data) == (200, 4001, None)
