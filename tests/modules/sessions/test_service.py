"""Sessions of our own chargers: what is told, when, to whom, and that nothing ever goes backwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from hub.core.clock import timestamp
from hub.core.errors import Conflict, UnknownLocation
from hub.core.ports import Place
from modules.cdrs.store import CDRS
from modules.locations import service as locations
from modules.sessions import service
from modules.sessions.charge import CHARGES, raw
from modules.sessions.store import SESSIONS
from modules.tariffs import service as tariffs
from modules.tokens.authorize import By
from tests.modules.sessions.charging import E1, E2, Charging, allowed, minute
from tests.world import NOW, OURS, World, a_world, location, tariff

pytestmark = pytest.mark.parametrize("version", ["2.2.1"])


@pytest.fixture
def charging(world: World) -> Charging:
    return Charging(world)


@pytest.fixture
async def charging_on_both(database_url: str, version: str) -> AsyncIterator[Charging]:
    async with a_world(database_url, version) as world:
        yield Charging(world)


async def test_a_charge_from_plug_to_unplug(charging_on_both: Charging) -> None:
    charging = charging_on_both
    await charging.begin()
    begun = await charging.session()
    assert (begun["status"], begun["kwh"], begun["start_date_time"]) == ("ACTIVE", 0, timestamp(minute(0)))
    assert (begun["auth_method"], begun["authorization_reference"]) == ("AUTH_REQUEST", "REF-1")
    assert (begun["location_id"], begun["evse_uid"], begun["connector_id"]) == ("LOC1", "E1", "1")
    assert "end_date_time" not in begun
    await charging.meter((10, "102.5"))
    running = await charging.session()
    assert (running["kwh"], running["total_cost"]["before_taxes"]) == (Decimal("2.5"), Decimal("1.25"))
    await charging.end(30, "110")
    ended = await charging.session()
    assert (ended["status"], ended["kwh"], ended["end_date_time"]) == ("COMPLETED", 10, timestamp(minute(30)))
    (cdr,) = await charging.cdrs()
    assert cdr["session_id"] == ended["id"]
    assert await charging.told() == ["sessions", "sessions", "sessions", "cdrs"]


async def test_what_was_shown_at_the_end_is_what_is_billed(charging: Charging) -> None:
    await charging.begin()
    await charging.meter((7, "103.333"), (21, "107.1"), states=[(21, "SUSPENDED_EV")])
    await charging.end(30, "107.125")
    session, (cdr,) = await charging.session(), await charging.cdrs()
    assert session["total_cost"] == cdr["total_cost"]
    assert (session["kwh"], session["charging_periods"]) == (cdr["total_energy"], cdr["charging_periods"])
    assert (session["auth_method"], session["cdr_token"]) == (cdr["auth_method"], cdr["cdr_token"])
    assert session["authorization_reference"] == cdr["authorization_reference"]


async def test_after_a_restart_the_charge_goes_on_as_it_was(charging_on_both: Charging) -> None:
    charging = charging_on_both
    await charging.begin()
    await charging.meter((5, "101"), (10, "102"))
    before = charging.facts
    await charging.restart()
    assert charging.facts == before
    await charging.end(30, "103")
    assert (await charging.cdrs())[0]["total_energy"] == 3


# Who is told, and when


async def test_a_partner_hears_of_the_meter_once_a_minute_and_of_a_state_at_once(charging: Charging) -> None:
    await charging.begin()
    for second in range(10, 130, 10):
        await charging.meter((second / 60, f"{100 + second / 1000:.3f}"))
    assert await charging.told() == ["sessions"] * 3, "the begin, after 60 s, after 120 s"
    assert (await charging.session())["kwh"] == Decimal("0.12")
    await charging.meter(states=[(2.1, "SUSPENDED_EV")])
    await charging.meter(states=[(2.2, "SUSPENDED_EV")])
    await charging.meter(states=[(2.3, "CHARGING")])
    assert len(await charging.told()) == 5, "a state that lasts is no news"


async def test_a_charge_without_a_known_token_is_kept_and_told_to_nobody(charging: Charging) -> None:
    await charging.begin(decision=allowed(owner=""))
    await charging.meter((10, "102"), states=[(10, "SUSPENDED_EV")])
    await charging.end(30, "110")
    assert await charging.told() == []
    assert await charging.world.documents(SESSIONS) == []
    assert await charging.world.documents(CDRS) == []
    (kept,) = await charging.world.documents(CHARGES)
    assert (kept.columns["state"], kept.audience) == ("closed", "")


async def test_a_session_and_its_bill_are_for_the_owner_of_the_token_alone(charging: Charging) -> None:
    await charging.begin()
    await charging.end(30, "110")
    rows = await charging.world.store.changes(after=0, limit=1000)
    about = [row.change for row in rows if row.change.module in ("sessions", "cdrs")]
    assert {change.audience for change in about} == {"NL*EEE"}
    since = "?date_from=2020-01-01T00:00:00Z"
    for module in ("sessions", "cdrs"):
        path = charging.world.at(f"sender/{module}{since}")
        assert len((await charging.world.ask("GET", path, by="e1")).data) == 1
        assert (await charging.world.ask("GET", path, by="e2")).data == []


# Nothing goes backwards


@pytest.mark.parametrize("offset", [-120.0, 0.0, 120.0])
async def test_last_updated_moves_on_by_our_clock_whatever_the_chargers_says(world: World, offset: float) -> None:
    charging = Charging(world, tick_s=0)
    seen = []
    await charging.begin(offset)
    seen.append((await charging.session())["last_updated"])
    await charging.meter((offset + 10, "101"))
    seen.append((await charging.session())["last_updated"])
    await charging.restart()
    world.clock.passed_s = -5
    await charging.meter(states=[(offset + 12, "SUSPENDED_EV")])
    seen.append((await charging.session())["last_updated"])
    world.clock.passed_s = 3600
    await charging.end(offset + 30, "110")
    seen.append((await charging.session())["last_updated"])
    assert seen[:3] == ["2026-05-04T10:00:00.000Z", "2026-05-04T10:00:00.001Z", "2026-05-04T10:00:00.002Z"]
    assert seen[3] == "2026-05-04T11:00:00.000Z"


async def test_energy_never_falls(charging: Charging) -> None:
    await charging.begin()
    shown: list[Decimal] = []
    for steps in ([(10.0, "105")], [(12.0, "104")], [(14.0, "106")], [(13.0, "101")], [(16.0, "0")]):
        await charging.meter(
            *steps, states=[(steps[0][0], f"{'SUSPENDED_EV' if len(shown) % 2 else 'SUSPENDED_EVSE'}")]
        )
        shown.append((await charging.session())["kwh"])
    await charging.meter(states=[(11, "CHARGING")])
    shown.append((await charging.session())["kwh"])
    assert shown == sorted(shown)
    assert shown[-1] == 6


async def test_what_comes_after_the_end_changes_no_session(charging: Charging) -> None:
    await charging.begin()
    await charging.end(30, "110")
    before = await charging.session()
    await charging.meter((31, "110"), (40, "120"), states=[(31, "CHARGING")])
    assert await charging.session() == before
    assert await charging.told() == ["sessions", "sessions", "cdrs"]


async def test_a_charge_does_not_end_twice(charging_on_both: Charging) -> None:
    charging = charging_on_both
    await charging.begin()
    await charging.end(30, "110")
    async with charging.world.unchanged():
        with pytest.raises(Conflict):
            await charging.end(45, "120")


async def test_an_end_before_the_start_is_an_end_at_the_start(charging: Charging) -> None:
    await charging.begin(10)
    await charging.end(5, "100")
    session, (cdr,) = await charging.session(), await charging.cdrs()
    assert session["end_date_time"] == session["start_date_time"] == timestamp(minute(10))
    assert (cdr["total_energy"], cdr["total_time"]) == (0, 0)


# What is frozen at the start


async def test_a_bill_is_of_the_place_and_the_tariff_as_they_were_at_the_start(charging: Charging) -> None:
    world = charging.world
    await charging.begin()
    await tariffs.put(world.store, OURS, "T1", tariff(price="9.99"), now=world.clock.now())
    await locations.put(world.store, OURS, "LOC1", location(name="New", evses=("E2",)), now=world.clock.now())
    await charging.end(30, "110")
    (cdr,) = await charging.cdrs()
    assert (cdr["total_cost"]["before_taxes"], cdr["cdr_location"]["name"]) == (5, "Rail")


@pytest.mark.parametrize(
    "place", [Place("CP1", 1, f"{OURS}/LOC9", "E1", "1"), Place("CP1", 1, f"{OURS}/LOC1", "E9", "1")]
)
async def test_a_charge_at_a_place_that_is_on_no_record_does_not_begin(charging: Charging, place: Place) -> None:
    with pytest.raises(UnknownLocation):
        await charging.begin(place=place)


async def test_a_long_story_is_cut_to_what_a_cdr_takes(charging: Charging) -> None:
    await charging.begin()
    await charging.end(30, "110", remark="x" * 300)
    assert (await charging.cdrs())[0]["remark"] == "x" * 255


# Reservations


def with_reservation_prices() -> dict[str, Any]:
    """0.50 a kWh, 6 an hour reserved, 12 an hour when the reservation expires unused."""
    tree = tariff()
    for name, price in (("RESERVATION", 6), ("RESERVATION_EXPIRES", 12)):
        component = {"type": "TIME", "price": Decimal(price), "step_size": 1}
        tree["elements"].append({"price_components": [component], "restrictions": {"reservation": name}})
    return tree


async def test_a_reservation_is_a_session_that_becomes_active(charging: Charging) -> None:
    world = charging.world
    await tariffs.put(world.store, OURS, "T1", with_reservation_prices(), now=NOW)
    await charging.reserve()
    reserved = await charging.session()
    assert (reserved["status"], reserved["kwh"], reserved["auth_method"]) == ("RESERVATION", 0, "COMMAND")
    await charging.begin(20)
    active = await charging.session()
    assert (active["id"], active["status"]) == (reserved["id"], "ACTIVE")
    assert active["start_date_time"] == timestamp(minute(20)), "the moment it went to ACTIVE"
    await charging.end(50, "110")
    (cdr,) = await charging.cdrs()
    assert (cdr["start_date_time"], cdr["session_id"]) == (timestamp(NOW), reserved["id"])
    assert (cdr["total_reservation_cost"]["before_taxes"], cdr["total_cost"]["before_taxes"]) == (2, 7)
    assert (await charging.session())["total_cost"] == cdr["total_cost"]


@pytest.mark.parametrize(("expired", "cost"), [(True, 12), (False, 6)])
async def test_an_unused_reservation_is_completed_and_billed_where_it_costs(
    charging: Charging, expired: bool, cost: int
) -> None:
    world = charging.world
    await tariffs.put(world.store, OURS, "T1", with_reservation_prices(), now=NOW)
    await charging.reserve()
    world.clock.passed_s = 3600
    await charging.end_reservation(expired=expired)
    session, (cdr,) = await charging.session(), await charging.cdrs()
    assert (session["status"], session["kwh"]) == ("COMPLETED", 0)
    assert session["total_cost"] == cdr["total_cost"] == cdr["total_reservation_cost"]
    assert cdr["total_cost"]["before_taxes"] == cost
    assert "session_id" not in cdr, "it never became one (mod_cdrs_cdr_object)"
    assert cdr["start_date_time"] == timestamp(NOW)


async def test_an_unused_reservation_that_costs_nothing_has_no_bill(charging: Charging) -> None:
    await charging.reserve()
    charging.world.clock.passed_s = 3600
    await charging.end_reservation(expired=True)
    assert (await charging.session())["status"] == "COMPLETED"
    assert await charging.cdrs() == []
    assert await charging.audited("cdr.") == []


async def test_a_charger_whose_clock_is_slow_begins_before_it_was_reserved(charging: Charging) -> None:
    await charging.reserve()
    await charging.begin(-90)
    await charging.end(-60, "110")
    (cdr,) = await charging.cdrs()
    assert (cdr["total_energy"], cdr["total_cost"]["before_taxes"]) == (10, 5)


async def test_a_driver_who_plugs_in_at_the_neighbour_of_what_was_reserved_is_billed_there(charging: Charging) -> None:
    await charging.reserve(place=E1)
    first = (await charging.session())["id"]
    await charging.begin(10, place=E2, decision=allowed(by=By.COMMAND))
    await charging.end(50, "110")
    session, (cdr,) = await charging.session(), await charging.cdrs()
    assert (session["id"], session["evse_uid"], session["status"]) == (first, "E2", "COMPLETED")
    assert (cdr["cdr_location"]["evse_uid"], cdr["start_date_time"]) == ("E2", timestamp(NOW))


# Corrections


async def test_a_late_stop_credits_the_estimate_and_bills_anew(charging_on_both: Charging) -> None:
    charging = charging_on_both
    await charging.begin()
    await charging.end(20, "104")
    await charging.restart()
    await charging.correct(30, "110")
    estimate, credit, bill = await charging.cdrs()
    assert (credit["credit"], credit["credit_reference_id"]) == (True, estimate["id"])
    assert (credit["total_cost"]["before_taxes"], estimate["total_cost"]["before_taxes"]) == (-2, 2)
    assert (bill["total_energy"], bill["session_id"]) == (10, estimate["session_id"])
    assert len({estimate["id"], credit["id"], bill["id"]}) == 3
    assert not {"credit", "credit_reference_id"} & set(bill)


async def test_a_session_that_was_told_as_completed_is_never_changed_again(charging_on_both: Charging) -> None:
    charging = charging_on_both
    await charging.begin()
    await charging.end(20, "104")
    told = await charging.session()
    await charging.restart()
    await charging.correct(30, "110")
    await charging.correct(40, "2147583")
    await service.release(charging.world.hub, charging.facts.session_id, actor="jo", kwh=Decimal(12))
    assert await charging.session() == told
    path = charging.world.at("sender/sessions?date_from=2020-01-01T00:00:00Z")
    (pulled,) = (await charging.world.ask("GET", path, by="e1")).data
    assert pulled["kwh"] == 4
    assert (await charging.told()).count("sessions") == 2, "its begin and its end"
    assert (await charging.cdrs())[-1]["total_energy"] == 12


async def test_a_second_correction_credits_what_stands_and_only_that(charging: Charging) -> None:
    await charging.begin()
    await charging.end(20, "104")
    await charging.correct(30, "110")
    await charging.correct(40, "112")
    trees = await charging.cdrs()
    assert [tree.get("credit_reference_id") for tree in trees] == [None, trees[0]["id"], None, trees[2]["id"], None]
    assert sum(tree["total_cost"]["before_taxes"] for tree in trees) == 6


# What cannot be priced


async def without_its_tariff(charging: Charging) -> None:
    await tariffs.delete(charging.world.store, OURS, "T1")


async def test_a_charge_that_cannot_be_priced_is_held_and_its_session_stays_active(charging_on_both: Charging) -> None:
    charging = charging_on_both
    await without_its_tariff(charging)
    await charging.begin()
    await charging.meter((10, "105"))
    assert ((await charging.session())["kwh"], "total_cost" in await charging.session()) == (5, False)
    await charging.end(30, "110")
    session = await charging.session()
    assert (session["status"], session["kwh"], "end_date_time" in session) == ("ACTIVE", 10, False)
    assert "total_cost" not in session, "left out is not free"
    assert await charging.cdrs() == []
    assert await charging.audited("cdr.") == ["cdr.held"]
    assert await charging.audited("session.") == ["session.unpriced"]
    (kept,) = await charging.world.documents(CHARGES)
    assert kept.columns["state"] == "held"


async def test_what_is_held_is_billed_once_the_tariff_is_there(charging_on_both: Charging) -> None:
    charging = charging_on_both
    world = charging.world
    await without_its_tariff(charging)
    await charging.begin()
    await charging.end(30, "110")
    async with world.unchanged():
        assert await service.bill_all_held(world.hub) == 0
    await tariffs.put(world.store, OURS, "T1", tariff(price="0.30"), now=world.clock.now())
    assert await service.bill_all_held(world.hub) == 1
    async with world.unchanged():
        assert await service.bill_all_held(world.hub) == 0
        assert not await service.bill_held(world.hub, charging.facts.session_id)
    (cdr,), session = await charging.cdrs(), await charging.session()
    assert (cdr["total_cost"]["before_taxes"], cdr["tariffs"][0]["id"]) == (3, "T1")
    assert (session["status"], session["total_cost"]) == ("COMPLETED", cdr["total_cost"])
    assert session["end_date_time"] == cdr["end_date_time"]
    assert await charging.audited("cdr.") == ["cdr.held", "cdr.issued"]
    assert (await charging.told())[-2:] == ["sessions", "cdrs"]


async def test_one_that_is_held_does_not_keep_others_from_their_bills(charging: Charging) -> None:
    world = charging.world
    tree = location(evses=("E1", "E2"))
    tree["evses"][0]["connectors"][0]["tariff_ids"] = ["NEVER"]
    await locations.put(world.store, OURS, "LOC1", tree, now=NOW)
    await without_its_tariff(charging)
    for place in (E1, E2):
        one = Charging(world)
        await one.begin(place=place)
        await one.end(30, "110")
    await tariffs.put(world.store, OURS, "T1", tariff(), now=NOW)
    assert await service.bill_all_held(world.hub) == 1
    assert [tree["cdr_location"]["evse_uid"] for tree in await charging.cdrs()] == ["E2"]


async def test_a_held_reservation_that_turns_out_free_is_settled_without_a_bill(charging: Charging) -> None:
    world = charging.world
    await without_its_tariff(charging)
    await charging.reserve()
    world.clock.passed_s = 3600
    await charging.end_reservation(expired=True)
    session = await charging.session()
    assert (session["status"], "end_date_time" in session) == ("RESERVATION", False)
    await tariffs.put(world.store, OURS, "T1", tariff(), now=NOW)
    assert await service.bill_all_held(world.hub) == 1
    assert await charging.cdrs() == []
    session = await charging.session()
    assert (session["status"], session["total_cost"]["before_taxes"]) == ("COMPLETED", 0)
    (kept,) = await world.documents(CHARGES)
    assert kept.columns["state"] == "closed"


async def test_a_correction_that_cannot_be_priced_is_held_with_the_first_credited(charging: Charging) -> None:
    world = charging.world
    await charging.begin()
    await charging.end(20, "104")
    charging.facts.tariffs = raw([])
    await charging.correct(30, "110")
    assert len(await charging.cdrs()) == 2
    await service.bill_all_held(world.hub)
    *_, bill = await charging.cdrs()
    assert sum(tree["total_cost"]["before_taxes"] for tree in await charging.cdrs()) == 5
    assert bill["total_energy"] == 10


# What cannot be


async def test_a_day_at_full_power_is_billed_however_short_the_clock_says_it_was(charging: Charging) -> None:
    await charging.begin()
    await charging.end(0, "629")
    assert [cdr["total_energy"] for cdr in await charging.cdrs()] == [529]


async def test_an_absurd_correction_leaves_the_first_bill_until_it_is_released(charging: Charging) -> None:
    await charging.begin()
    await charging.end(20, "104")
    await charging.correct(30, "2147583")
    assert len(await charging.cdrs()) == 1
    await service.release(charging.world.hub, charging.facts.session_id, actor="jo", kwh=Decimal(6))
    assert [cdr["total_energy"] for cdr in await charging.cdrs()] == [4, 4, 6]
