"""What is for a party behind another hub that came after it was made."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from hub.control import partners
from hub.control.asks import Invite
from hub.core.inbound import encode
from hub.core.parties import Party, PartyRole
from modules.cdrs.store import RECEIVED
from modules.credentials.service import forget, hubs_give_way
from modules.invoicereconciliation import waiting as invoices
from modules.invoicereconciliation.store import RECORDS
from partners.ocpi import telling
from partners.ocpi.rotation import rotate
from partners.sandbox.emsp import Emsp
from tests.modules.cdrs.check.records import wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.partners.ocpi.test_telling import encoded, join, two_hubs
from tests.world import until

BILL = wired(EVENING, "2.3.0")
RECORD = {
    "country_code": "BE",
    "party_id": "AAA",
    "id": "R1",
    "invoice_id": "I1",
    "cdrs": [BILL["id"]],
    "last_updated": "2026-05-01T00:00:00Z",
}


async def test_a_bill_and_the_record_of_its_invoice_get_there(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LOOK_EVERY_S", 0.02), ("LEAST_S", 0.0), ("SETTLE_S", 0.05)):
        monkeypatch.setattr(telling, name, value)
    async with two_hubs(sqlite_url, tmp_path) as (a, b):
        await b.hub.registry.change("e", lambda known: known.model_copy(update={"claims": ()}))
        token = await join(a, "c", "BE*AAA", PartyRole.CPO)
        await until(lambda: a.hub.registry.get("hubB").parties == {"FR*HUB"})
        await until(lambda: "BE*AAA" in b.hub.registry.get("hubA").parties)
        async with httpx.AsyncClient(headers={"Authorization": f"Token {encoded(token)}"}) as client:
            for module, tree in (("cdrs", BILL), ("invoicereconciliation", RECORD)):
                url = f"{a.settings.base_url}/ocpi/2.3.0/receiver/{module}"
                assert (await client.post(url, content=encode(tree))).status_code == 201
        await invoices.look_again(a.hub)
        assert [document.audience for document in await a.store.select(RECORDS)] == [""]
        await b.hub.registry.change("e", lambda known: known.model_copy(update={"claims": known.invited}))
        await until(lambda: "NL*EEE" in a.hub.registry.get("hubB").parties)
        await invoices.look_again(a.hub)
        await until(lambda: b.store.select(RECORDS))
        await until(lambda: b.store.select(RECEIVED))


async def test_a_hub_is_shown_all_interfaces_as_anybody_may_come_behind_it(sqlite_url: str, tmp_path: Path) -> None:
    async with two_hubs(sqlite_url, tmp_path) as (a, b):
        for program, name in ((a, "hubB"), (b, "hubA")):
            assert program.hub.registry.get(name).endpoint("payments", "RECEIVER") is not None


async def test_a_party_that_registers_by_itself_is_no_longer_behind_the_hub_that_has_it(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "LOOK_EVERY_S", 3_600.0)
    async with two_hubs(sqlite_url, tmp_path) as (a, _):
        assert a.hub.registry.get("hubB").parties == {"FR*HUB", "NL*EEE"}
        ask = Invite.model_validate(
            {"name": "eee", "roles": [{"role": "EMSP", "country_code": "NL", "party_id": "EEE"}]}
        )
        token_a = (await partners.invite(a, ask, actor="op"))["token_a"]
        assert a.hub.registry.get("hubB").parties == {"FR*HUB", "NL*EEE"}
        async with Emsp("2.2.1", "NL*EEE") as emsp:
            await emsp.register(f"{a.settings.base_url}/ocpi/versions", token_a)
            assert a.hub.registry.get("hubB").parties == {"FR*HUB"}
            holders = a.hub.registry.holders(Party("NL", "EEE"), {PartyRole.EMSP})
            assert [partner.name for partner in holders] == ["eee"]
            await partners.block(a, "eee", actor="op")
            await rotate(a.hub, a.handshake, a.seal, "hubB")
            assert a.hub.registry.get("hubB").parties == {"FR*HUB"}


async def test_a_hub_that_is_let_in_again_does_not_bring_who_is_here_by_itself(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "LOOK_EVERY_S", 3_600.0)
    async with two_hubs(sqlite_url, tmp_path) as (a, _):
        await partners.block(a, "hubB", actor="op")
        await join(a, "eee", "NL*EEE", PartyRole.EMSP)
        assert (await partners.unblock(a, "hubB", actor="op")).parties == {"FR*HUB"}


async def test_a_hub_of_2_2_1_which_names_nobody_has_a_party_again_whose_own_platform_has_left(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "LOOK_EVERY_S", 3_600.0)
    async with two_hubs(sqlite_url, tmp_path) as (a, _):
        await a.hub.registry.change("hubB", lambda known: known.model_copy(update={"version": "2.2.1"}))
        await join(a, "eee", "NL*EEE", PartyRole.EMSP)
        await hubs_give_way(a.hub)
        assert a.hub.registry.get("hubB").parties == {"FR*HUB"}
        since = a.hub.registry.get("hubB").since
        await forget(a.hub, a.hub.registry.get("eee"), actor="op")
        await hubs_give_way(a.hub)
        assert a.hub.registry.get("hubB").parties == {"FR*HUB", "NL*EEE"}
        assert a.hub.registry.get("hubB").since > since
