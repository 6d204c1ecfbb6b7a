"""The short way of MeterValues: kept at once, taken into the ledger later, and never lost or billed twice."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core import failpoints
from hub.core.clock import timestamp
from modules.sessions.charge import CHARGES
from modules.sessions.store import SESSIONS
from partners.ocpp import facts, ledger, samples, thinning, transactions, turns_to_tell
from partners.ocpp.events import Event
from partners.ocpp.facts import Facts
from partners.ocpp.journal import OCPP_EVENTS, TRANSACTIONS
from partners.ocpp.samples import OCPP_SAMPLE_LISTS, OCPP_SAMPLES, Sample
from tests.partners.ocpp.said import NOON, at, available, sample, start
from tests.partners.ocpp.site import CARD, TALKATIVE, Payload, Point, Site, a_site, recently, until

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

laws = settings(max_examples=300, deadline=None, database=None, derandomize=True)


def meter_values(moment: datetime, wh: int, number: int | None, connector: int = 1) -> Payload:
    named = {"transactionId": number} if number is not None else {}
    values = [{"timestamp": timestamp(moment), "sampledValue": [{"value": str(wh)}]}]
    return {"connectorId": connector, **named, "meterValue": values}


async def charging(cp: Point, began: datetime) -> int:
    """A charge whose partner was told at the start. Returns: its number."""
    number: int = (await cp.start(began))["transactionId"]
    return number


async def kept(site: Site) -> int:
    return len(await site.hub.store.select(OCPP_SAMPLES, limit=10_000))


async def energy_of_the_cdr(site: Site) -> list[Decimal]:
    return [cdr["total_energy"] for cdr in await site.cdrs()]


async def test_an_ordinary_sample_is_one_document_and_nothing_else(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        others = (CHARGES, SESSIONS, TRANSACTIONS, OCPP_EVENTS, OCPP_SAMPLE_LISTS)
        before = [site.hub.store.revision(kind) for kind in others]
        changes = await site.hub.store.last_change()
        for second in range(10, 60, 10):
            await cp.meter(began + timedelta(seconds=second), 1000 + second, number)
        assert [site.hub.store.revision(kind) for kind in others] == before
        assert await site.hub.store.last_change() == changes
    assert await kept(site) == 5


async def test_the_partner_is_told_at_most_once_a_minute(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_to_tell, "TOLD_EVERY_S", 0.0)
    monkeypatch.setattr(turns_to_tell, "TELLING", 1)
    began = recently()
    shown: list[Decimal] = []
    async with await site.point() as cp:
        number = await charging(cp, began)
        for second in (30, 59, 60, 90, 119, 121):
            await cp.meter(began + timedelta(seconds=second), 1000 + second * 1000, number)
            (session,) = await site.sessions()
            shown.append(session["kwh"])
    assert shown == [0, 0, 60, 60, 60, 121]


async def test_an_hour_replayed_at_once_is_priced_once_and_caught_up_with_later(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        before = site.hub.store.revision(SESSIONS)
        for minute in range(1, 61):
            await cp.meter(began + minute * MINUTE, 1000 + minute * 1000, number)
        assert site.hub.store.revision(SESSIONS) == before + 1
        await site.gateway.transactions.pass_time(site.hub.clock.now())
        (session,) = await site.sessions()
    assert session["kwh"] == 60


async def test_samples_that_waited_count_after_a_restart(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        for minute in range(1, 31):
            await cp.meter(began + minute * MINUTE, 1000 + minute * 100, number)
    await site.restart()
    async with await site.point() as cp:
        await cp.meter(began + 31 * MINUTE, 5000, number)
        await site.restart()
    async with await site.point() as cp:
        await cp.status(1, "Available", began + HOUR)
        await until(lambda: _is_billed(site, "4"))


async def _is_billed(site: Site, kwh: str) -> bool:
    return await energy_of_the_cdr(site) == [Decimal(kwh)]


async def test_a_restart_reads_samples_that_were_taken_in_and_those_that_waited(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_to_tell, "TOLD_EVERY_S", 0.0)
    monkeypatch.setattr(turns_to_tell, "TELLING", 1)
    began = recently()
    async with await site.point() as cp, await site.point("CP2") as other:
        number, foreign = await charging(cp, began), await charging(other, began)
        for second in range(20, 200, 20):
            await cp.meter(began + timedelta(seconds=second), 1000 + second, number)
            await other.meter(began + timedelta(seconds=second), 9000 + second, foreign)
    before = _readings(site)
    assert before
    await site.restart()
    await site.gateway.transactions.pass_time(site.hub.clock.now())
    assert len(_readings(site)) == 9
    assert _readings(site)[: len(before)] == before


def _readings(site: Site) -> list[Decimal | None]:
    (charge,) = site.gateway.transactions._desks["CP1"].book.open
    return [reading.energy_kwh for reading in charge.readings]


async def test_a_long_charge_is_read_back_only_from_its_last_mark(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        await charging(cp, began)
    later = site.hub.clock.now() + 3 * HOUR
    await site.gateway.transactions.pass_time(later)
    await site.gateway.transactions.pass_time(later + MINUTE)
    (document,) = await site.hub.store.select(OCPP_SAMPLE_LISTS)
    assert (document.key, document.last_updated) == ("CP1/mark", timestamp(later))


async def test_late_samples_shape_the_charge_and_leave_the_bill(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        for minute in (1, 5, 3, 2, 4):
            await cp.meter(began + minute * MINUTE, 1000 + minute * 1000, number)
        await cp.stop(began + HOUR, number, 11000)
    assert await energy_of_the_cdr(site) == [Decimal(10)]


async def test_samples_after_the_stop_are_answered_and_change_nothing(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        await cp.stop(began + HOUR, number, 11000)
        cdrs = await site.cdrs()
        await cp.meter(began + HOUR / 2, 6000, number)
        await cp.meter(began + 2 * HOUR, 99000, number)
    assert await site.cdrs() == cdrs


async def test_the_same_sample_again_is_answered_again(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        for _ in range(3):
            await cp.meter(began + timedelta(seconds=30), 1500, number)
        await cp.status(1, "Available", began + HOUR)
    assert await energy_of_the_cdr(site) == [Decimal("0.5")]


async def test_a_second_start_finds_the_samples_of_the_first(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        await cp.meter(began + timedelta(seconds=30), 3000, number)
        await cp.start(began + HOUR, meter=9000)
    assert await energy_of_the_cdr(site) == [Decimal(2)]


async def test_a_boot_finds_the_samples_that_wait(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        await cp.meter(began + timedelta(seconds=30), 3000, number)
        await cp.boot()
        await site.gateway.transactions.pass_time(site.hub.clock.now() + HOUR)
    assert await energy_of_the_cdr(site) == [Decimal(2)]


async def test_meters_of_two_connectors_are_not_mixed_up(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        one, two = await charging(cp, began), (await cp.start(began, connector=2, meter=500_000))["transactionId"]
        for second in range(1, 41):
            await cp.meter(began + timedelta(seconds=second), 1000 + second * 10, one)
            await cp.meter(began + timedelta(seconds=second), 500_000 + second * 100, two, connector=2)
        await cp.status(1, "Available", began + HOUR)
        await cp.status(2, "Available", began + HOUR)
    energy = {cdr["cdr_location"]["evse_uid"]: cdr["total_energy"] for cdr in await site.cdrs()}
    assert energy == {"E1": Decimal("0.4"), "E2": Decimal(4)}


async def test_a_thousand_samples_are_soon_told_and_few_are_kept_at_hand(tmp_path: Path) -> None:
    began = recently(3 * 3600)
    async with a_site(tmp_path, **TALKATIVE) as site, await site.point() as cp:
        number = await charging(cp, began)
        before = time.process_time()
        for first in range(0, 1000, 50):
            values = [meter_values(began + timedelta(seconds=n), 1000 + n, number) for n in range(first, first + 50)]
            await asyncio.gather(*(cp.call("MeterValues", value) for value in values))
        assert time.process_time() - before < 5
        await site.gateway.transactions.pass_time(site.hub.clock.now())
        assert len(_readings(site)) < 300
        await cp.status(1, "Available", began + HOUR)
        assert await kept(site) == 1000
        assert await energy_of_the_cdr(site) == [Decimal("0.999")]


async def test_a_sample_that_is_not_on_disk_is_not_acknowledged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUSBAR_TEST", "1")
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        value = meter_values(began + timedelta(seconds=30), 4000, number)
        failpoints.arm("store.before_commit=2*raise")
        try:
            assert (await cp.exchange([2, "a", "MeterValues", value]))[0] == 4
        finally:
            failpoints.arm("")
        assert await kept(site) == 0
        assert (await cp.exchange([2, "b", "MeterValues", value]))[0] == 3
        await cp.status(1, "Available", began + HOUR)
    assert await energy_of_the_cdr(site) == [Decimal(3)]


async def test_answers_keep_the_order_of_the_calls(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        order: list[str] = []
        calls: list[tuple[str, Payload]] = []
        for n in range(1, 30):
            calls.append(("MeterValues", meter_values(began + timedelta(seconds=n), 1000 + n, number)))
            calls += [("Heartbeat", {}), ("Authorize", {"idTag": CARD})]

        async def said(name: str, action: str, payload: Payload) -> None:
            await cp.call(action, payload, message_id=name)
            order.append(name)

        await asyncio.gather(*(said(str(n), *call) for n, call in enumerate(calls)))
    assert order == [str(n) for n in range(len(calls))]


registers = st.lists(st.integers(0, 40), min_size=2, max_size=60)


def frames_of(values: list[int], seconds: list[int]) -> list[Sample]:
    waiting: list[Sample] = []
    moment = NOON
    for n, (wh, gap) in enumerate(zip(values, seconds, strict=True)):
        moment += timedelta(seconds=gap)
        raw = json.dumps([2, str(n), "MeterValues", meter_values(moment, wh * 100, 1)])
        glimpse = samples.Glimpse(1, moment, Decimal(wh * 100))
        waiting.append(Sample(NOON + timedelta(seconds=n + 1), raw, glimpse))
    return waiting


@laws
@given(registers, st.data())
def test_thinning_what_waits_never_changes_what_is_owed(values: list[int], data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.integers(0, 12), min_size=len(values), max_size=len(values)))
    waiting = frames_of(values, gaps)
    began = start(meter=100, assigned=1)

    def energy(told: list[Sample]) -> Decimal:
        return ledger.settle([began, *(samples.event_of("CP1", each) for each in told)])[0].energy_kwh

    assert energy(thinning.thinned(waiting, NOON - HOUR)) == energy(waiting)


def test_samples_that_come_fast_are_taken_in_one_each_ten_seconds() -> None:
    waiting = frames_of(list(range(100)), [1] * 100)
    taken = thinning.thinned(waiting, NOON - HOUR)
    assert (taken[0], taken[-1]) == (waiting[0], waiting[-1])
    assert 10 <= len(taken) <= 12
    assert thinning.thinned(waiting[: thinning.FEW], NOON - HOUR) == waiting[: thinning.FEW]


@laws
@given(st.lists(st.tuples(st.integers(-5, 90), st.integers(0, 30), st.booleans()), max_size=14), st.data())
def test_many_samples_at_once_are_the_same_as_one_by_one(
    told: list[tuple[int, int, bool]], data: st.DataObject
) -> None:
    begun = ledger.apply(ledger.blank("CP1"), start(), next_id=1).book
    if data.draw(st.booleans()):
        begun = ledger.apply(begun, available(40), next_id=2).book
    events = [
        sample(minute, str(kwh), transaction=1 if named else None, arrival=at(100 + n))
        for n, (minute, kwh, named) in enumerate(told)
    ]
    one_by_one = begun
    for event in events:
        one_by_one = ledger.apply(one_by_one, event, next_id=2).book
    assert in_parts(begun, events, data).transactions == one_by_one.transactions


def in_parts(book: ledger.Book, events: list[Event], data: st.DataObject) -> ledger.Book:
    cuts = sorted({0, len(events), *data.draw(st.lists(st.integers(0, len(events)), max_size=3))})
    for first, last in pairwise(cuts):
        book = ledger.with_samples(book, events[first:last])
    return book


@laws
@given(registers)
def test_forgetting_every_second_sample_never_changes_what_is_owed(values: list[int]) -> None:
    events = [sample(n + 1, str(kwh), transaction=1) for n, kwh in enumerate(values)]
    began = start(meter=0, assigned=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "MOST_SAMPLES", 1)
        patch.setattr(facts, "_NEWEST", 1)
        left = list(Facts.gathered("CP1", events).thinned().samples.values())
    assert ledger.settle([began, *left])[0].energy_kwh == ledger.settle([began, *events])[0].energy_kwh


async def test_a_flood_of_samples_is_taken_in_without_being_priced(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "MOST_WAITING", 8)
    began = recently()
    async with await site.point() as cp:
        number = await charging(cp, began)
        await cp.meter(began + 2 * MINUTE, 2000, number)
        before = site.hub.store.revision(SESSIONS)
        for minute in range(3, 40):
            await cp.meter(began + minute * MINUTE, minute * 1000, number)
        assert site.hub.store.revision(SESSIONS) <= before + 1
        assert len(await site.hub.store.select(OCPP_SAMPLE_LISTS)) >= 4
        await cp.stop(began + HOUR, number, 41_000)
    assert await energy_of_the_cdr(site) == [Decimal(40)]
    (session,) = await site.sessions()
    assert session["kwh"] == 40
