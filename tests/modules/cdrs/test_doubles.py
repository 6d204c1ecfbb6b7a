"""A charge is billed once: a second bill is wrong, however it is written; what OCPI bills in parts or anew is not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.units import Document, Unit
from modules.cdrs import received, vetting
from modules.cdrs.bills import bill_of, is_same_charge
from modules.cdrs.store import RECEIVED, Passing, Standing, standing_put
from tests.modules.cdrs.check.records import PLACE, but, cdr, component, element, moment, period, read, tariff
from tests.modules.cdrs.check.test_mistakes import HOURS
from tests.modules.cdrs.test_received import bring, credit, found, kept, later, switch
from tests.world import World

pytestmark = pytest.mark.parametrize("version", ["2.2.1"])

D = Decimal
TOKEN = HOURS["cdr_token"]


def stands(document: Document) -> tuple[str, str]:
    return document.columns["verdict"], document.columns["state"]


def replacement(**changes: Any) -> dict[str, Any]:
    return but(HOURS, id="CDR2", **changes)


def without_session(tree: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return but({name: value for name, value in tree.items() if name != "session_id"}, **changes)


def elsewhere(evse_uid: str) -> dict[str, Any]:
    return {**PLACE, "evse_uid": evse_uid}


def carded(**changes: str) -> dict[str, Any]:
    return {**TOKEN, **changes}


async def test_a_second_bill_of_a_charge_is_wrong_and_held(world: World) -> None:
    await switch(world, cdr_policy="hold")
    await bring(world, HOURS)
    second = await bring(world, replacement())
    assert stands(second) == ("wrong", Passing.HELD)
    check = await found(world, second)
    assert [(each["figure"], each["class"], each["computed"], each["tolerable"]) for each in check["deviations"]] == [
        ("id", "duplicate", HOURS["id"], False)
    ]
    assert HOURS["id"] in check["why"]
    assert stands(await kept(world, "CDR1")) == ("right", Passing.FREE)


SAME_SESSION: dict[str, dict[str, Any]] = {
    "a tenth of a Wh more": {"total_energy": D("8.0001")},
    "another energy": {"total_energy": D("9"), "charging_periods": [
        period("09:00", "HOURS", energy="9", time="1"), period("10:00", "HOURS", energy="0", parking_time="0.5")]},
    "another EVSE": {"cdr_location": elsewhere("9999")},
    "another card": {"cdr_token": carded(uid="CARD9", contract_id="C9")},
    "another place": {"cdr_location": {**PLACE, "id": "PLACE9", "evse_uid": "9999"}},
    "the session in small letters": {"session_id": "s1"},
    "a minute and a half later": {"start_date_time": moment("09:01:30"), "charging_periods": [
        period("09:01:30", "HOURS", energy="8", time="1"), period("10:01:30", "HOURS", energy="0", parking_time="0.5")],
        "end_date_time": moment("10:31:30")},
}  # fmt: skip
NO_SESSION: dict[str, dict[str, Any]] = {
    "just the same": {},
    "the card in small letters": {"cdr_token": carded(uid="card1")},
    "a contract with hyphens": {"cdr_token": carded(uid="#NA", contract_id="N-L")},
    "half a minute later": {"start_date_time": moment("09:00:30")},
    "a few Wh more": {"total_energy": D("8.009")},
    "another EVSE": {"cdr_location": elsewhere("9999")},
}


@pytest.mark.parametrize("name", SAME_SESSION)
async def test_of_one_session_a_second_bill_is_one_too_many_whatever_else_differs(world: World, name: str) -> None:
    await bring(world, HOURS)
    await bring(world, replacement(**SAME_SESSION[name]))
    await vetting.vet_waiting(world.hub)
    check = await found(world, await kept(world, "CDR2"))
    assert ("id", "duplicate") in [(each["figure"], each["class"]) for each in check["deviations"]]
    assert check["verdict"] == "wrong"


@pytest.mark.parametrize("name", NO_SESSION)
async def test_without_a_session_card_start_and_energy_tell_that_it_is_the_same_charge(world: World, name: str) -> None:
    await bring(world, without_session(HOURS, cdr_token=carded(contract_id="NL")))
    second = await bring(world, without_session(replacement(cdr_token=carded(contract_id="NL")), **NO_SESSION[name]))
    assert [each["class"] for each in (await found(world, second))["deviations"]] == ["duplicate"]


async def test_a_bill_that_names_no_session_is_held_against_one_that_does(world: World) -> None:
    await bring(world, HOURS)
    assert (await bring(world, without_session(replacement()))).columns["verdict"] == "wrong"


APART: dict[str, dict[str, Any]] = {
    "another card": {"cdr_token": carded(uid="CARD9", contract_id="C9")},
    "two minutes later": {"start_date_time": moment("09:02")},
    "20 Wh more": {"total_energy": D("8.02")},
    "two sessions of one card side by side": {"session_id": "S2", "cdr_location": elsewhere("9999")},
}


@pytest.mark.parametrize("name", APART)
async def test_what_another_charge_may_be_is_right(world: World, name: str) -> None:
    await bring(
        world, without_session(HOURS, session_id="S1") if "session_id" in APART[name] else without_session(HOURS)
    )
    second = await bring(world, without_session(replacement(), **APART[name]))
    assert "duplicate" not in [each["class"] for each in (await found(world, second))["deviations"]]


# A night, billed in parts at midnight UTC: 2.00 of 4 kWh in the 20 s before it, and 3.00 of 6 kWh afterwards.
NIGHTLY = tariff(element(component("ENERGY", "0.50", 1, None)))
PARTS = [
    cdr([NIGHTLY], [period("2026-05-04T23:59:40Z", energy="4")], "2026-05-05T00:00:00Z", total=("2.00",)),
    cdr([NIGHTLY], [period("2026-05-05T00:00:00Z", energy="6")], "2026-05-05T06:00:00Z", total=("3.00",), id="CDR2"),
]


async def test_a_session_that_is_billed_in_parts_is_right(world: World) -> None:
    for part in PARTS:
        assert (await bring(world, part)).columns["verdict"] == "right"
    assert (await bring(world, but(PARTS[1], id="CDR3"))).columns["verdict"] == "wrong"


async def test_what_was_taken_back_may_be_billed_again(world: World) -> None:
    await bring(world, HOURS)
    await bring(world, credit())
    assert (await bring(world, replacement())).columns["verdict"] == "right"
    assert (await bring(world, but(HOURS, id="CDR3"))).columns["verdict"] == "wrong"


async def test_a_bill_that_comes_before_the_credit_of_the_first_is_held_until_then(world: World) -> None:
    await switch(world, cdr_policy="hold")
    await bring(world, HOURS)
    assert stands(await bring(world, replacement())) == ("wrong", Passing.HELD)
    await bring(world, credit())
    await vetting.vet_waiting(world.hub)
    assert stands(await kept(world, "CDR2")) == ("right", Passing.FREE)


async def test_a_credit_makes_room_when_its_own_check_is_done(world: World) -> None:
    await bring(world, HOURS)
    unchecked = await bring(world, credit())
    await world.store.commit(Unit().put(standing_put(unchecked, Standing())))
    assert (await bring(world, replacement())).columns["verdict"] == "wrong"
    for _ in range(2):
        await vetting.vet_waiting(world.hub)
    assert (await kept(world, "CDR2")).columns["verdict"] == "right"


async def test_a_double_that_an_operator_has_released_stays_released(world: World) -> None:
    await switch(world, cdr_policy="hold")
    await bring(world, HOURS)
    second = await bring(world, replacement())
    await received.release(world.hub, second.key, actor="jo")
    await bring(world, credit())
    await vetting.vet_waiting(world.hub)
    assert stands(await kept(world, "CDR2")) == ("wrong", Passing.RELEASED)


async def test_a_credit_that_is_wrong_makes_no_room_for_another_bill(world: World) -> None:
    await bring(world, HOURS)
    assert (await bring(world, but(credit(), total=("-0.01", "-0.01")))).columns["verdict"] == "wrong"
    assert (await bring(world, replacement())).columns["verdict"] == "wrong"
    await vetting.vet_waiting(world.hub)
    assert (await kept(world, "CDR2")).columns["verdict"] == "wrong"
    assert (await bring(world, but(credit(), id="CDR1-D"))).columns["verdict"] == "right"
    await vetting.vet_waiting(world.hub)
    assert (await kept(world, "CDR2")).columns["verdict"] == "right"


async def test_a_double_stands_among_the_wrong_ones_of_its_partner(world: World) -> None:
    for tree in (HOURS, replacement(), later(but(HOURS, id="CDR3"))):
        await bring(world, tree)
    wrong = await world.store.select(RECEIVED, equal={"verdict": "wrong"})
    assert [document.columns["id"] for document in wrong] == ["CDR2"]


async def test_no_card_and_no_contract_stands_in_the_index(world: World) -> None:
    document = await bring(world, but(HOURS, cdr_token=carded(uid="04A1B2C3D4", contract_id="NL-EEE-C00000001")))
    marks = document.columns["card"] + document.columns["contract"]
    assert marks
    assert not [name for name in ("04A1B2C3D4", "NLEEEC00000001") if name in marks]


def test_bills_of_two_cpos_are_never_of_one_charge(version: str) -> None:
    ours, theirs = bill_of(read(HOURS, version)), bill_of(read(but(HOURS, party_id="BBB"), version))
    assert ours
    assert theirs
    assert not is_same_charge(ours, theirs)
    assert bill_of(read(credit(), version)) is None


@pytest.mark.parametrize("year", ["0001", "9999"])
async def test_a_time_at_the_end_of_the_calendar_is_taken_like_any_other(world: World, year: str) -> None:
    at = f"{year}-01-01T00:00:00Z"
    odd = but(HOURS, start_date_time=at, end_date_time=at, charging_periods=[period(at, energy="8", time="1")])
    document = await bring(world, odd)
    assert document.columns["id"] == "CDR1"
