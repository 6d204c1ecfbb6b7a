"""A charge that began under our eyes took no more than its connector can give in the time that we saw pass (R13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners.ocpp.as_it_happened import seen_for
from partners.ocpp.events import Event, Flag
from partners.ocpp.ledger import settle
from tests.partners.ocpp.points2 import VERSIONS, begin, end, point2
from tests.partners.ocpp.said import AHEAD, DEAD, at, part, start, stop
from tests.partners.ocpp.site import Site

TOO_MUCH = "more energy than the connector can give"
HOUR = timedelta(hours=1)


async def charged(site: Site, version: str, began: datetime, ended: datetime, stop_wh: int) -> None:
    """Both messages arrive now."""
    if version == "1.6":
        async with await site.point() as cp:
            number = (await cp.start(began))["transactionId"]
            await cp.stop(ended, number, stop_wh)
        return
    async with await point2(site, version=version) as cp2:
        await cp2.boot()
        await cp2.call("TransactionEvent", begin(began))
        await cp2.call("TransactionEvent", end(ended, wh=stop_wh))


@pytest.mark.parametrize("version", ["1.6", *VERSIONS])
async def test_a_charge_of_a_moment_with_the_energy_of_a_day_is_held(site: Site, version: str) -> None:
    now = datetime.now(UTC)
    await charged(site, version, now, now + timedelta(seconds=100), 401_000)
    (session,), (doubt,) = await site.sessions(), await site.doubts("CP1")
    assert (await site.cdrs(), session["status"]) == ([], "ACTIVE")
    assert (doubt["held"], TOO_MUCH in doubt["reasons"][0]) == (True, True)


@pytest.mark.parametrize("version", ["1.6", *VERSIONS])
async def test_a_charge_of_a_moment_with_what_that_gives_is_billed(site: Site, version: str) -> None:
    now = datetime.now(UTC)
    await charged(site, version, now, now + timedelta(seconds=100), 3000)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 2


@pytest.mark.parametrize("version", ["1.6", *VERSIONS])
async def test_what_was_replayed_is_billed_whatever_our_clock_says(site: Site, version: str) -> None:
    now = datetime.now(UTC)
    await charged(site, version, now - 2 * HOUR, now - HOUR, 24_000)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 23


@pytest.mark.parametrize("version", ["1.6", *VERSIONS])
async def test_a_replay_by_a_clock_that_is_ahead_is_not_taken_for_live(site: Site, version: str) -> None:
    now = datetime.now(UTC)
    await charged(site, version, now, now + HOUR, 24_000)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 23


@pytest.mark.parametrize(
    ("began", "ended", "seen"),
    [
        (start(), stop(), HOUR),
        (start(arrival=at(1.5)), stop(arrival=at(60.5)), timedelta(minutes=59)),
        (start(arrival=at(-1.5)), stop(), timedelta(minutes=61.5)),
        (start(), stop(arrival=at(600)), 10 * HOUR),
        (start(), stop(clock=DEAD, arrival=at(60)), HOUR),
        (start(arrival=at(3)), stop(), None),
        (start(arrival=at(-3)), stop(), None),
        (start(clock=DEAD), stop(), None),
        (start(clock=AHEAD), stop(), None),
        (start(), stop(arrival=at(57)), None),
        (start(arrival=at(1)), stop(1, arrival=at(0.5)), None),
    ],
)
def test_it_is_seen_for_as_long_as_lies_between_the_arrivals(
    began: Event, ended: Event, seen: timedelta | None
) -> None:
    assert seen_for(began, ended) == seen


def test_one_whose_beginning_was_never_reported_was_not_seen_to_begin() -> None:
    (charge,) = settle([part(10, "Updated", connector=1, tag="TAG1"), part(20, "Ended", kwh=["8"])])
    assert (Flag.BEGIN_MISSING in charge.flags, charge.seen_for) == (True, None)
    (whole,) = settle([part(0, connector=1, tag="TAG1"), part(20, "Ended", kwh=["8"])])
    assert whole.seen_for == timedelta(minutes=20)
