"""What the meter says after the end of a charge neither makes its bill nor releases one that is held (R14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from modules.sessions import service as sessions
from partners.ocpp.events import Event, Flag, Transaction
from partners.ocpp.ledger import settle
from partners.ocpp.readings import Reading
from tests.partners.ocpp.points2 import VERSIONS, begin, end, event, point2
from tests.partners.ocpp.said import at, sample, start, stop
from tests.partners.ocpp.site import Payload, Site, recently

HALF = timedelta(minutes=30)
LATER = HALF + timedelta(seconds=55)


async def told(site: Site, *parts: Payload, version: str = "2.0.1") -> None:
    async with await point2(site, version=version) as cp:
        await cp.boot()
        for part in parts:
            await cp.call("TransactionEvent", part)


def charge(*events: Event) -> Transaction:
    """The only one that they make."""
    (found,) = settle(events)
    return found


def without_meter(part: Payload) -> Payload:
    return {key: value for key, value in part.items() if key != "meterValue"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("wh", [8000, 4000, 99_000])
@pytest.mark.parametrize("kind", ["Updated", "Ended"])
async def test_a_later_reading_does_not_release_a_bill_that_is_held(
    site: Site, version: str, wh: int, kind: str
) -> None:
    began = recently()
    stray = event("Updated", began + LATER, wh=wh) if kind == "Updated" else end(began + LATER, wh=wh)
    await told(site, without_meter(begin(began)), end(began + HALF, wh=5000), stray, version=version)
    (session,), (doubt,) = await site.sessions(), await site.doubts("CP1")
    assert (await site.cdrs(), session["status"], doubt["held"]) == ([], "ACTIVE", True)
    (record,) = await site.records()
    assert record.energy_kwh == 0


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_reading_of_the_moment_of_the_end_is_no_start_either(site: Site, version: str) -> None:
    began = recently()
    stray = event("Updated", began + HALF, wh=4000)
    await told(site, without_meter(begin(began)), end(began + HALF, wh=5000), stray, version=version)
    assert await site.cdrs() == []


async def test_a_later_reading_changes_no_bill_that_was_measured(site: Site) -> None:
    began = recently()
    sampled = event("Updated", began + HALF / 2, wh=4000, evse=1)
    stray = event("Updated", began + LATER, wh=9000)
    await told(site, begin(began), sampled, without_meter(end(began + HALF)), stray)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 3


async def test_what_is_held_is_released_by_its_operator_after_all(site: Site) -> None:
    began = recently()
    stray = event("Updated", began + LATER, wh=8000)
    await told(site, without_meter(begin(began)), end(began + HALF, wh=5000), stray)
    (session,) = await site.sessions()
    await sessions.release(site.hub, session["id"], actor="jo", kwh=Decimal("1.5"))
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == Decimal("1.5")


def test_what_a_stop_brings_counts_though_it_is_dated_a_moment_later() -> None:
    own = Reading(at(60.1), energy_kwh=Decimal(7))
    assert charge(start(), stop(meter=None, readings=(own,))).energy_kwh == 6


def test_a_sample_without_a_time_counts_when_it_came_before_the_stop() -> None:
    def untimed(minutes: float) -> Event:
        return replace(sample(minutes, "3", transaction=7), readings=(Reading(None, energy_kwh=Decimal(3)),))

    began = start(assigned=7)
    assert charge(began, untimed(30), stop(transaction=7, meter=None)).energy_kwh == 2
    late = charge(began, stop(transaction=7, meter=None), untimed(61))
    assert (late.energy_kwh, Flag.NOT_MEASURED in late.flags) == (Decimal(0), True)


def test_a_clock_that_went_back_before_its_own_start_makes_no_sample_late() -> None:
    told_of = (start(assigned=7), sample(30, "4", transaction=7), stop(-60, transaction=7, meter=500, arrival=at(60)))
    assert charge(*told_of).energy_kwh == 3


def test_intervals_are_the_bill_where_only_the_end_has_a_register() -> None:
    steps = [sample(minutes, None, step="1.5", transaction=7) for minutes in (20, 40)]
    assert charge(start(assigned=7, meter=None), *steps, stop(transaction=7)).energy_kwh == 3
