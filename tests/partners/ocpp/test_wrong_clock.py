"""Charges of which both ends come from a clock that was wrong: how long they took is right, and is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hub.core.clock import timestamp
from partners.ocpp.events import Event, Flag, Transaction
from partners.ocpp.ledger import settle
from tests.partners.ocpp.said import AHEAD, DEAD, NOON, at, boot, sample, start, stop
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
