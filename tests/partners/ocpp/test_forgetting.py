"""What chargers reported goes after its days, but nothing that a restart would still read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hub.core.clock import SystemClock
from hub.core.store import Store
from hub.core.units import Kind, Put, Unit
from modules.cdrs.store import RECEIPTS
from modules.sessions.charge import CHARGES
from partners.ocpp import archive, forgetting, samples, unplaced
from partners.ocpp.events import Event
from partners.ocpp.journal import DONE, LIVE, OCPP_EVENTS, TRANSACTIONS, event_put
from partners.ocpp.samples import OCPP_SAMPLE_LISTS, OCPP_SAMPLES, Sample, SampleList
from partners.ocpp.unplaced import Verdict
from tests.partners.ocpp.points2 import begin, end, point2
from tests.partners.ocpp.site import Point, Site, a_site_on, recently

MINUTE = timedelta(minutes=1)
EVIDENCE = (OCPP_EVENTS, OCPP_SAMPLES, OCPP_SAMPLE_LISTS)
NOW = datetime.now(UTC)


class Later(SystemClock):
    """The same time, some days later."""

    def __init__(self, days: float) -> None:
        self._days = timedelta(days=days)

    def now(self) -> datetime:
        return super().now() + self._days


async def forget(site: Site, *, days: float) -> None:
    """What is forgotten in so many days."""
    await forgetting.forget(replace(site.hub, clock=Later(days)))


@pytest.fixture
async def site_on_both(database_url: str) -> AsyncIterator[Site]:
    async with a_site_on(database_url) as made:
        yield made


async def keys(store: Store, kind: Kind, station: str = "") -> list[str]:
    return [each.key for each in await store.select(kind, limit=10_000) if station in each.key]


async def charging(site: Site, cp: Point) -> int:
    """A charge of twenty samples, a minute and 100 Wh apart; the last ones wait. Returns: its number."""
    began = recently()
    number: int = (await cp.start(began))["transactionId"]
    for minute in range(1, 21):
        await cp.meter(began + minute * MINUTE, 1000 + minute * 100, number)
        if minute in (8, 16):
            await site.gateway.transactions.pass_time(site.hub.clock.now())
    return number


async def charged(site: Site, station: str) -> None:
    """A charge that is over, and whose desk was put away."""
    async with await site.point(station) as cp:
        await cp.stop(recently(60), await charging(site, cp), 5000)
    await put_away(site, station)


async def put_away(site: Site, station: str) -> None:
    desk = await archive.read(site.hub.store, station)
    await archive.put_away(site.hub.store, desk, site.hub.clock.now() + timedelta(days=9))
    site.gateway.transactions._desks.pop(station)


async def readings(site: Site) -> list[Decimal | None]:
    """Of the charge that goes on at CP1, once all that waited is taken in."""
    await site.gateway.transactions.pass_time(site.hub.clock.now())
    (charge,) = site.gateway.transactions._desks["CP1"].book.open
    return [reading.energy_kwh for reading in charge.readings]


async def test_a_restart_finds_all_of_a_charge_that_goes_on_for_longer_than_the_days(site_on_both: Site) -> None:
    site = site_on_both
    await charged(site, "CP2")
    async with await site.point() as cp:
        number = await charging(site, cp)
    assert site.gateway.transactions._waiting["CP1"]
    assert len(await samples.live_lists(site.hub.store, "CP1")) > 1
    await site.gateway.stop()
    before = {kind: await keys(site.hub.store, kind, "CP1") for kind in EVIDENCE}
    await forget(site, days=400)
    for kind in EVIDENCE:
        assert await keys(site.hub.store, kind, "CP2") == []
        assert await keys(site.hub.store, kind, "CP1") == before[kind]
    await site.restart()
    assert await readings(site) == [Decimal(1000 + 100 * minute) / 1000 for minute in range(1, 21)]
    await forget(site, days=400)
    await site.restart()
    assert len(await readings(site)) == 20
    async with await site.point() as cp:
        await cp.stop(recently(60), number, 9000)
    assert [cdr["total_energy"] for cdr in await site.cdrs()] == [4, 8]


async def test_after_its_days_a_charge_that_is_over_leaves_what_was_billed(site_on_both: Site) -> None:
    site = site_on_both
    await charged(site, "CP1")
    billed = {kind: await keys(site.hub.store, kind) for kind in (TRANSACTIONS, CHARGES, RECEIPTS)}
    assert all(billed.values())
    evidence = {kind: await keys(site.hub.store, kind) for kind in EVIDENCE}
    assert all(evidence.values())
    await forget(site, days=89)
    assert {kind: await keys(site.hub.store, kind) for kind in EVIDENCE} == evidence
    await forget(site, days=91)
    assert {kind: await keys(site.hub.store, kind) for kind in EVIDENCE} == {kind: [] for kind in EVIDENCE}
    assert {kind: await keys(site.hub.store, kind) for kind in billed} == billed
    assert (len(await site.sessions()), len(await site.cdrs())) == (1, 1)


async def test_what_waits_for_an_operator_is_billed_however_long_it_waits(site: Site) -> None:
    began = recently(3600)
    async with await point2(site) as cp:
        await cp.boot()
        await cp.call("TransactionEvent", begin(began, evse=None))
        await cp.call("TransactionEvent", end(began + 30 * MINUTE))
    (record,) = await unplaced.waiting(site.hub.store)
    await put_away(site, "CP1")
    await forget(site, days=4000)
    await site.restart()
    verdict = Verdict("E1", "", drops=False)
    await site.gateway.stations.settle_unplaced(unplaced.name_of(record), verdict, actor="anna")
    assert [cdr["total_energy"] for cdr in await site.cdrs()] == [5]


@pytest.mark.parametrize(("days", "word"), [(10, ""), (100, "it may be a repeat")])
async def test_a_repeat_of_what_is_kept_no_longer_is_shown_as_what_it_may_be(site: Site, days: int, word: str) -> None:
    began = recently(3600)
    last = end(began + 30 * MINUTE)
    async with await point2(site) as cp:
        await cp.boot()
        for part in (begin(began), last):
            await cp.call("TransactionEvent", part)
        await put_away(site, "CP1")
        await forget(site, days=days)
        site.hub.clock = Later(days)
        await cp.call("TransactionEvent", last)
    (record,) = await site.records()
    assert word in record.trouble
    assert bool(record.trouble) == bool(word)


def at(days_ago: float) -> datetime:
    return NOW - timedelta(days=days_ago)


def event(station: str, days_ago: float, state: str) -> Put:
    return event_put(Event(station, "boot", at(days_ago)), state)


def sample(station: str, days_ago: float) -> Put:
    return samples.put_of(station, Sample(at(days_ago), "[]"))


def listed(station: str, days_ago: float, state: str) -> Put:
    put = samples.list_put(station, [Sample(at(days_ago), "[]")])
    return samples.done_put(put.key, SampleList(station, at(days_ago))) if state == DONE else put


async def test_samples_before_the_first_live_event_of_their_station_go(site_on_both: Site) -> None:
    store = site_on_both.hub.store
    events = [event("OLD", 300, LIVE), event("OLD", 250, DONE), event("OLD", 200, LIVE), event("NEW", 50, LIVE)]
    told = [sample("OLD", 301), sample("OLD", 299), sample("OLD", 150), sample("NEW", 150), sample("NEW", 51)]
    await store.commit(Unit([*events, *told]))
    await forget(site_on_both, days=0)
    assert await keys(store, OCPP_EVENTS) == [put.key for put in (events[0], events[2], events[3])]
    assert await keys(store, OCPP_SAMPLES) == [put.key for put in (told[1], told[2], told[4])]


async def test_what_is_old_goes_however_much_stands_before_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "_A_STEP", 10)
    monkeypatch.setattr(forgetting, "_PAUSE_S", 0.0)
    store = site.hub.store
    marks = [samples.mark_put(f"S{number}", NOW) for number in range(35)]
    stay = [event("LIVE", 300 - number / 100, LIVE) for number in range(35)]
    kept = [sample("LIVE", 250 - number / 100) for number in range(35)]
    gone = [
        write
        for number in range(35)
        for write in (
            event("OVER", 200 - number / 100, DONE),
            sample("OVER", 200 - number / 100),
            listed("OVER", 200 - number / 100, DONE),
        )
    ]
    live = listed("LIVE", 199, LIVE)
    await store.commit(Unit([*marks, *stay, *kept, *gone, live]))
    await forget(site, days=0)
    assert await keys(store, OCPP_EVENTS) == [put.key for put in stay]
    assert await keys(store, OCPP_SAMPLES) == [put.key for put in kept]
    assert await keys(store, OCPP_SAMPLE_LISTS) == [put.key for put in (*marks, live)]
