"""A charge took no more than its connector can give in the time that it can have lasted (R7, R13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from modules.sessions import service as sessions
from partners.ocpp.as_it_happened import longest, seen_for
from partners.ocpp.events import Event, Flag
from partners.ocpp.ledger import settle
from tests.partners.ocpp.points2 import VERSIONS, begin, end, point2
from tests.partners.ocpp.said import AHEAD, DEAD, at, part, start, stop
from tests.partners.ocpp.site import CARD, Site

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
    assert (Flag.BEGIN_MISSING in charge.flags, charge.longest) == (True, None)
    (whole,) = settle([part(0, connector=1, tag="TAG1"), part(20, "Ended", kwh=["8"])])
    assert whole.longest == timedelta(minutes=20)


@pytest.mark.parametrize(
    ("began", "ended", "known", "guessed"),
    [
        (start(), stop(), HOUR, HOUR),
        (start(arrival=at(600)), stop(arrival=at(600)), 2 * HOUR, 2 * HOUR),
        (start(arrival=at(5)), stop(arrival=at(95)), 2.5 * HOUR, 2.5 * HOUR),
        (start(arrival=at(1)), stop(1, arrival=at(0.5)), timedelta(minutes=61), timedelta(minutes=61)),
        (start(clock=DEAD), stop(clock=DEAD), None, 2 * HOUR),
        (start(clock=AHEAD), stop(clock=AHEAD, arrival=at(0)), None, 2 * HOUR),
        (start(clock=DEAD), stop(), None, 2 * HOUR),
        (start(clock=DEAD, arrival=at(61)), stop(), None, HOUR),
        (start(30, arrival=at(200)), stop(arrival=at(200), clock=DEAD), None, HOUR),
        (start(90, arrival=at(200)), stop(60, arrival=at(200)), None, HOUR),
    ],
)
def test_it_lasted_no_longer_than_its_clock_and_ours_say_and_an_hour(
    began: Event, ended: Event, known: timedelta | None, guessed: timedelta
) -> None:
    assert (longest(began, ended, is_guess=False), longest(began, ended, is_guess=True)) == (known, guessed)


@pytest.mark.parametrize("began", [datetime.now(UTC) - timedelta(seconds=60), DEAD])
async def test_a_stop_that_was_matched_by_a_guess_is_not_billed_with_what_cannot_be(
    site: Site, began: datetime
) -> None:
    async with await site.point() as cp:
        await cp.stop(datetime.now(UTC) - timedelta(seconds=10), -1, 503_000, idTag=CARD)
        await cp.start(began)
        (session,), (doubt,) = await site.sessions(), await site.doubts("CP1")
        assert (await site.cdrs(), session["status"], doubt["held"]) == ([], "ACTIVE", True)
        assert TOO_MUCH in doubt["reasons"][0]
        assert Flag.STOP_ID_UNKNOWN in doubt["reasons"]
    await sessions.release(site.hub, session["id"], actor="jo", kwh=sessions.AS_METERED)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 502


@pytest.mark.parametrize("began", [datetime.now(UTC) - timedelta(seconds=60), DEAD])
async def test_a_stop_that_was_matched_by_a_guess_and_fits_is_billed(site: Site, began: datetime) -> None:
    async with await site.point() as cp:
        await cp.stop(datetime.now(UTC) - timedelta(seconds=10), -1, 12_000, idTag=CARD)
        await cp.start(began)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 11


@pytest.mark.parametrize("version", ["1.6", *VERSIONS])
async def test_what_was_replayed_by_a_clock_that_was_right_is_held_where_it_cannot_be(site: Site, version: str) -> None:
    now = datetime.now(UTC)
    await charged(site, version, now - 2 * HOUR, now - 2 * HOUR + timedelta(seconds=50), 501_000)
    assert await site.cdrs() == []
    (doubt,) = await site.doubts("CP1")
    assert (doubt["held"], TOO_MUCH in doubt["reasons"][0]) == (True, True)


async def test_what_was_replayed_by_a_clock_that_was_never_set_may_have_taken_a_day(site: Site) -> None:
    await charged(site, "1.6", DEAD, DEAD + timedelta(seconds=50), 501_000)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 500
