"""Payments for our own charges, and terminals and confirmations on their way to CPOs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.control.settlement import gross
from hub.core.parties import PartyRole
from hub.core.ports import Place
from modules.payments import service
from modules.payments.publication import PaymentPublication
from modules.payments.store import CONFIRMATIONS, TERMINALS
from modules.payments.whose import address_anew
from modules.sessions import service as sessions
from modules.tokens.authorize import By, Decision
from tests.contract.test_payments import ADVICE_HERE, TERMINALS_HERE, TO_C1, advice, terminal
from tests.world import OURS, World, stored_token, their_location


@pytest.fixture
def version() -> str:
    """The only one that has the module."""
    return "2.3.0"


@pytest.fixture
async def ptp(world: World) -> World:
    """With the provider t1."""
    await world.join("t1", "NL*PTA", PartyRole.PTP)
    return world


async def charged(world: World, reference: str = "PP-100") -> str:
    """A charge of the provider's customer under a reference. Returns: the id of session and CDR."""
    decision = Decision("ALLOWED", By.COMMAND, stored_token("NL*PTA"), "NL*PTA", reference)
    now = world.clock.now()
    begun = sessions.Begun(Place("CP1", 1, f"{OURS}/LOC1", "E1", "1"), decision, now, Decimal(0))
    charge, unit = await sessions.begin(world.hub, begun)
    await world.store.commit(unit)
    await world.store.commit(sessions.end(world.hub, charge, at=now, meter_kwh=Decimal(10)))
    return charge.session_id


async def test_a_confirmation_finds_our_cdr_by_its_reference_in_any_case(ptp: World) -> None:
    cdr_id = await charged(ptp)
    await ptp.ask("POST", ptp.at(ADVICE_HERE), by="t1", body=advice())
    (kept,) = await ptp.documents(CONFIRMATIONS)
    (cdr,) = await service.matching(ptp.hub, kept.owner, "pp-100")
    assert (kept.audience, cdr.columns["id"]) == ("DE*BSB", cdr_id)
    assert await service.matching(ptp.hub, "NL*EEE", "pp-100") == []


async def deliver(world: World, key: str, to: str) -> list[tuple[str, str, str]]:
    world.peers.sent.clear()
    await PaymentPublication().deliver(world.hub, world.partner(to), key, frozenset({""}))
    return world.peers.to(to)


async def test_what_concerns_a_cpo_is_posted_to_it_and_to_nobody_else(ptp: World) -> None:
    await ptp.ask("POST", ptp.at(TERMINALS_HERE), by="t1", body=terminal(), headers=TO_C1)
    await ptp.ask("POST", ptp.at(ADVICE_HERE), by="t1", body=advice(), headers=TO_C1)
    for key, path, expected in (
        ("terminals/NL*PTA/T1", "terminals", terminal()),
        ("financial-advice-confirmations/NL*PTA/F1", "financial-advice-confirmations", advice()),
    ):
        assert await deliver(ptp, key, "c1") == [("POST", "payments", path)]
        assert ptp.peers.sent[0].body.keys() == expected.keys()
        for other in ("c2", "t1", "e1"):
            assert await deliver(ptp, key, other) == []
    changes = [row.change for row in await ptp.store.changes(after=0, limit=100) if row.change.module == "payments"]
    assert [(change.key, change.audience) for change in changes] == [
        ("terminals/NL*PTA/T1", "BE*AAA"),
        ("financial-advice-confirmations/NL*PTA/F1", "BE*AAA"),
    ]


async def put_place(world: World, by: str, party: str, location_id: str, evse_uid: str = "E7") -> None:
    """A location of a CPO, with one EVSE."""
    country, name = party.split("*")
    tree = their_location("2.3.0", party, location_id, evses=(evse_uid,))
    path = world.at(f"receiver/locations/{country}/{name}/{location_id}")
    assert (await world.ask("PUT", path, by=by, body=tree)).code == 1000


async def whose(world: World, **places: Any) -> tuple[str, str]:
    """The CPO that gets a new terminal with these places, and what decided it."""
    await world.ask("POST", world.at(TERMINALS_HERE), by="t1", body=terminal(**places))
    (kept,) = await world.documents(TERMINALS)
    return kept.audience, kept.columns["decided_by"]


@pytest.mark.parametrize(
    "places",
    [
        {"location_ids": ["lu"]},
        {"evse_uids": ["e-lu"]},
        {"location_ids": ["LU", "NOT-HERE"]},
        {"location_ids": ["BOTH", "LU"]},
        {"location_ids": ["BOTH"], "evse_uids": ["E-LU"]},
    ],
)
async def test_a_terminal_is_of_the_cpo_whose_its_locations_and_evses_are(
    ptp: World, places: dict[str, list[str]]
) -> None:
    await put_place(ptp, "c1", "BE*AAA", "LU", "E-LU")
    for by, party in (("c1", "BE*AAA"), ("c2", "BE*BBB")):
        await put_place(ptp, by, party, "BOTH")
    assert await whose(ptp, **places) == ("BE*AAA", "its locations and EVSEs")


@pytest.mark.parametrize(
    "places", [{}, {"location_ids": ["NOT-HERE"]}, {"location_ids": ["BOTH"]}, {"location_ids": ["LU", "OTHER"]}]
)
async def test_a_terminal_whose_places_tell_no_cpo_is_nobodys(ptp: World, places: dict[str, list[str]]) -> None:
    await put_place(ptp, "c1", "BE*AAA", "LU", "E-LU")
    await put_place(ptp, "c2", "BE*BBB", "OTHER", "E-OTHER")
    for by, party in (("c1", "BE*AAA"), ("c2", "BE*BBB")):
        await put_place(ptp, by, party, "BOTH")
    assert await whose(ptp, **places) == ("", "")


async def test_a_terminal_that_came_before_its_location_goes_to_the_cpo_that_brings_it(ptp: World) -> None:
    assert await whose(ptp, location_ids=["LU"]) == ("", "")
    await address_anew(ptp.hub)
    assert (await ptp.documents(TERMINALS))[0].audience == ""
    await put_place(ptp, "c1", "BE*AAA", "LU")
    await address_anew(ptp.hub)
    (kept,) = await ptp.documents(TERMINALS)
    assert (kept.audience, kept.columns["decided_by"]) == ("BE*AAA", "its locations and EVSEs")
    assert await deliver(ptp, "terminals/NL*PTA/T1", "c1") == [("POST", "payments", "terminals")]
    async with ptp.unchanged():
        await address_anew(ptp.hub)


@pytest.mark.parametrize(
    ("price", "total"),
    [
        ({"before_taxes": Decimal(5)}, "5"),
        ({"before_taxes": 5, "taxes": [{"name": "VAT", "amount": Decimal("0.95")}]}, "5.95"),
    ],
)
def test_a_price_with_its_taxes_is_exact(price: Any, total: str) -> None:
    assert gross(price) == Decimal(total)
