"""Charges of which both ends come from a clock that was wrong: how long they took is right, and is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hub.core.clock import timestamp
from partners.ocpp.events import Event, Flag, Transaction
from partners.ocpp.ledger import settle
from tests.partners.ocpp.points2 import begin, end, point2
from tests.partners.ocpp.said import AHEAD, DEAD, NOON, at, available, boot, part, sample, start, stop
from tests.partners.ocpp.site import CARD, Site, recently

TOGETHER = at(200)
"""When a charger that was offline tells all of it."""

clocks = pytest.mark.parametrize("clock", [DEAD, AHEAD])


def replayed(clock: datetime, *others: Event, kwh: int = 7) -> Transaction:
    """A charge of an hour by this clock, told at once."""
    ends = (
        start(clock=clock, arrival=TOGETHER, assigned=1),
        stop(meter=1000 + kwh * 1000, clock=clock, arrival=TOGETHER),
    )
    return next(charge for charge in settle([*others, *ends]) if charge.id == 1)


@clocks
def test_a_charge_that_was_heard_while_it_went_on_begins_when_it_was_heard(clock: datetime) -> None:
    (charge,) = settle([start(clock=clock), stop(60, clock=clock)])
    assert (charge.start, charge.end) == (NOON, at(60))


@clocks
def test_a_stop_that_came_late_does_not_make_the_charge_longer(clock: datetime) -> None:
    (charge,) = settle([start(clock=clock), stop(30, clock=clock, arrival=at(95))])
    assert (charge.start, charge.end) == (NOON, at(30))


@clocks
def test_a_charge_that_was_replayed_ended_when_it_was_told_and_is_as_long_as_it_was(clock: datetime) -> None:
    charge = replayed(clock)
    assert (charge.start, charge.end, charge.energy_kwh) == (at(140), TOGETHER, Decimal(7))


@clocks
def test_it_did_not_begin_before_what_the_station_said_by_a_clock_that_was_right(clock: datetime) -> None:
    before = [start(100, tag="T0", assigned=9), stop(170, tag="T0", transaction=9)]
    charge = replayed(clock, *before)
    assert (charge.start, charge.end) == (at(170), TOGETHER)


@clocks
def test_the_order_in_which_its_ends_are_heard_changes_little(clock: datetime) -> None:
    overtaken = [stop(60, clock=clock, arrival=TOGETHER), start(clock=clock, arrival=TOGETHER + timedelta(seconds=1))]
    (charge,) = settle(overtaken)
    assert (charge.start, charge.end) == (at(140), TOGETHER)


@clocks
def test_its_samples_lie_where_the_same_clock_puts_them(clock: datetime) -> None:
    half = sample(30, "4", transaction=1, clock=clock, arrival=TOGETHER)
    assert [reading.at for reading in replayed(clock, half).readings] == [at(170)]


def test_a_clock_that_began_anew_or_stands_still_gives_no_distance() -> None:
    (rebooted,) = settle([start(0, clock=DEAD), boot(50), stop(20, clock=DEAD, arrival=at(90))])
    assert (rebooted.start, rebooted.end) == (NOON, at(90))
    (frozen,) = settle([start(0, clock=DEAD), stop(0, clock=DEAD, arrival=at(90))])
    assert (frozen.start, frozen.end) == (NOON, at(90))


def test_a_clock_that_was_set_in_between_gives_no_charge_of_a_year() -> None:
    (charge,) = settle([start(clock=AHEAD, arrival=TOGETHER), stop(365 * 24 * 60, clock=AHEAD, arrival=TOGETHER)])
    assert (charge.start, charge.end) == (TOGETHER, TOGETHER)


def test_a_charge_whose_clock_was_set_in_its_middle_began_before_its_first_sample_by_the_right_clock() -> None:
    told = [
        start(0, clock=DEAD, arrival=TOGETHER, assigned=1),
        sample(185, "3", transaction=1, arrival=TOGETHER),
        stop(195, transaction=1, meter=6000, arrival=TOGETHER),
    ]
    (charge,) = settle(told)
    assert (charge.start, charge.end, charge.energy_kwh) == (at(185), at(195), Decimal(5))


def test_a_sample_by_a_clock_of_years_ago_dates_no_beginning() -> None:
    told = [
        start(0, clock=DEAD, arrival=at(190), assigned=1),
        sample(0, "3", transaction=1, clock=datetime(2016, 1, 1, tzinfo=UTC), arrival=at(191)),
        stop(195, transaction=1, meter=6000),
    ]
    (charge,) = settle(told)
    assert (charge.start, charge.end) == (at(190), at(195))


def test_a_start_by_a_clock_that_ran_ahead_is_not_later_than_it_was_heard() -> None:
    told = [start(60, arrival=NOON, assigned=1), stop(30, transaction=1)]
    (charge,) = settle(told)
    assert (charge.start, charge.end) == (NOON, at(30))
    assert {Flag.CLOCK_AHEAD, Flag.STOP_BEFORE_START} <= charge.flags


@clocks
async def test_the_cdr_has_the_hours_that_passed_and_lies_in_the_past(site: Site, clock: datetime) -> None:
    before = datetime.now(UTC)
    async with await site.point() as cp:
        number = (await cp.start(clock))["transactionId"]
        await cp.meter(clock + timedelta(minutes=15), 3500, number)
        await cp.stop(clock + timedelta(minutes=30), number, 6000)
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], cdr["total_time"]) == (Decimal(5), Decimal("0.5"))
    assert timestamp(before) <= cdr["end_date_time"] <= timestamp(datetime.now(UTC))
    (session,) = await site.sessions()
    assert (session["start_date_time"], session["status"]) == (cdr["start_date_time"], "COMPLETED")


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_a_replay_by_local_time_that_is_called_utc_has_its_minutes(site: Site, version: str) -> None:
    before = datetime.now(UTC)
    clock = before + timedelta(hours=1)
    async with await (site.point() if version == "1.6" else point2(site, version=version)) as cp:
        if version == "1.6":
            number = (await cp.start(clock))["transactionId"]
            await cp.stop(clock + timedelta(minutes=30), number, 6000)
        else:
            await cp.call("TransactionEvent", begin(clock))
            await cp.call("TransactionEvent", end(clock + timedelta(minutes=30)))
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], cdr["total_time"]) == (Decimal(5), Decimal("0.5"))
    assert timestamp(before) <= cdr["end_date_time"] <= timestamp(datetime.now(UTC))
    assert "ran ahead" in cdr["remark"]


async def test_a_session_that_goes_on_by_it_lies_in_the_past_with_all_that_is_told_of_it(site: Site) -> None:
    ahead = timedelta(hours=2)
    async with await site.point() as cp:
        number = (await cp.start(datetime.now(UTC) + ahead))["transactionId"]
        await cp.status(1, "SuspendedEV", datetime.now(UTC) + ahead)
        await cp.meter(datetime.now(UTC) + ahead, 3500, number)
        (session,) = await site.sessions()
    dates = [session["start_date_time"], *(each["start_date_time"] for each in session["charging_periods"])]
    assert dates == sorted(dates)
    assert max(dates) <= timestamp(datetime.now(UTC))


async def test_two_charges_replayed_by_a_dead_clock_after_one_that_was_right(site: Site) -> None:
    began = recently(3600)
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.stop(began + timedelta(minutes=50), number, 3000)
        for minutes in (0, 60):
            dead = DEAD + timedelta(minutes=minutes)
            await cp.start(dead, meter=3000 + minutes)
            await cp.stop(dead + timedelta(minutes=30), 0, 5000 + minutes, idTag=CARD)
    right, *replayed_ones = await site.cdrs()
    assert [cdr["start_date_time"] for cdr in replayed_ones] == [right["end_date_time"]] * 2


HOURS = pytest.mark.parametrize("ahead", [timedelta(minutes=10), timedelta(hours=2), timedelta(hours=23)], ids=str)


@HOURS
def test_a_clock_hours_ahead_dates_a_charge_that_was_heard_by_our_own(ahead: timedelta) -> None:
    clock = NOON + ahead
    (going,) = settle([start(clock=clock), sample(30, "4", transaction=0, clock=clock)])
    assert (going.start, [reading.at for reading in going.readings]) == (NOON, [at(30)])
    (charge,) = settle([start(clock=clock), sample(30, "4", clock=clock), stop(60, clock=clock)])
    assert (charge.start, charge.end, Flag.CLOCK_AHEAD in charge.flags) == (NOON, at(60), True)
    assert [reading.at for reading in charge.readings] == [at(30)]


@HOURS
def test_a_replay_by_it_is_as_long_as_its_clock_says_and_over_when_it_was_told(ahead: timedelta) -> None:
    half = sample(30, "4", transaction=1, clock=TOGETHER + ahead - timedelta(hours=1), arrival=TOGETHER)
    charge = replayed(TOGETHER + ahead - timedelta(hours=1), half)
    assert (charge.start, charge.end) == (at(140), TOGETHER)
    assert [reading.at for reading in charge.readings] == [at(170)]


@pytest.mark.parametrize("minutes", [-90, -60, -30], ids=str)
def test_its_start_may_lie_in_the_past_or_bear_the_right_time_by_chance(minutes: int) -> None:
    """The clock is two hours ahead; start, sample and stop were told together, the start long after it happened."""
    clock, began = at(minutes, TOGETHER), TOGETHER + timedelta(minutes=minutes) - timedelta(hours=2)
    told = [
        start(clock=clock, arrival=TOGETHER, assigned=1),
        sample(50, "3", transaction=1, clock=clock, arrival=TOGETHER),
        sample(100, "5", transaction=1, clock=clock, arrival=TOGETHER),
        stop(minutes=-minutes + 10, transaction=1, clock=clock, arrival=TOGETHER),
    ]
    (charge,) = settle(told)
    assert charge.end is not None
    assert (charge.end, charge.end - charge.start) == (TOGETHER, timedelta(minutes=10 - minutes))
    assert charge.start >= began
    assert all(charge.start < (reading.at or NOON) <= charge.end for reading in charge.readings)


def test_a_stop_that_came_late_by_it_is_where_the_heard_start_puts_it() -> None:
    clock = at(120)
    told = [start(clock=clock), sample(20, "3", clock=clock), stop(30, clock=clock, arrival=at(300))]
    (charge,) = settle(told)
    assert (charge.start, charge.end) == (NOON, at(30))
    assert [reading.at for reading in charge.readings] == [at(20)]


def test_a_replay_by_it_whose_stop_is_missing_is_as_long_as_its_samples_say() -> None:
    clock = TOGETHER + timedelta(hours=1)
    told = [start(clock=clock, arrival=TOGETHER, assigned=1)]
    told += [sample(minutes, "5", transaction=1, clock=clock, arrival=TOGETHER) for minutes in (10, 50)]
    (charge,) = settle([*told, available(201)])
    assert (charge.start, charge.end) == (at(150), at(201))
    assert [reading.at for reading in charge.readings] == [at(160), at(200)]


def test_a_boot_does_not_set_a_clock_that_goes_on_ahead() -> None:
    clock = at(120)
    (charge,) = settle([start(clock=clock), boot(190), stop(30, clock=clock, arrival=at(191))])
    assert (charge.start, charge.end) == (NOON, at(30))


def test_a_clock_that_is_set_right_in_the_middle_dates_each_end_by_itself() -> None:
    told = [
        start(clock=at(120), assigned=1),
        sample(30, "2", transaction=1, clock=at(120)),
        sample(150, "5", transaction=1),
        stop(180, transaction=1),
    ]
    (charge,) = settle(told)
    assert (charge.start, charge.end) == (NOON, at(180))
    assert [reading.at for reading in charge.readings] == [at(30), at(150)]


def test_a_clock_that_is_moved_ahead_in_the_middle_makes_the_charge_no_longer() -> None:
    (charge,) = settle([start(assigned=1), stop(60, transaction=1, clock=at(60))])
    assert (charge.start, charge.end) == (NOON, at(60))


def test_a_clock_a_little_ahead_is_believed() -> None:
    (charge,) = settle([start(clock=at(4)), stop(60, clock=at(4))])
    assert (charge.start, charge.end) == (at(4), at(64))


def test_what_a_charger_of_2_x_says_of_its_charge_is_dated_with_it() -> None:
    clock = at(120)
    told = [
        part(clock=clock, tag="T", state="Charging", connector=1),
        part(30, "Updated", clock=clock, state="SuspendedEV"),
    ]
    (going,) = settle(told)
    assert going.states == ((NOON, "CHARGING"), (at(30), "SUSPENDED_EV"))
    late = part(60, "Ended", clock=clock, kwh=["1", "5"], arrival=at(65))
    (charge,) = settle([*told, late])
    assert (charge.start, charge.end) == (NOON, at(60))
    assert charge.states == going.states
