"""Transactions of all stations: the ledger's books in memory, their events on disk, their sessions and CDRs with them.

One `Desk` a station. A report is entered in one go, while no other report of that station is:

    event -> ledger (pure) -> effects -> sessions, CDRs -> one unit with the event and the records -> commit -> answer

The answer leaves when the unit is on disk; when the commit fails the desk is thrown away, read again from the store at
the next report, and the charger (which got a CALLERROR) sends its message again. So what was acknowledged is billed,
and what was not is repeated. Desks without an open charge are put away after a while, and are read again when needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from hub.core.failpoints import failpoint
from hub.core.ports import Hub
from hub.core.units import Delete, Put, Unit
from partners.ocpp import billing, journal, ledger
from partners.ocpp.billing import Opening
from partners.ocpp.consequences import Consequences
from partners.ocpp.desk import Desk
from partners.ocpp.events import Event, TransactionId, start_key
from partners.ocpp.journal import Record
from partners.ocpp.ledger import Effect
from partners.ocpp.matching import stop_key
from partners.ocpp.sequence import Numbers

log = structlog.get_logger()

FORGOTTEN_AFTER: Final = timedelta(hours=24)
IDLE_S: Final = 900.0

Decide = Callable[[], Awaitable[Opening]]


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to a start: its number, and what the token was answered (AllowedType)."""

    number: TransactionId
    allowed: str
    opening: Opening | None
    """None: the start was a repeat."""


class Transactions:
    """What the chargers report, and what comes of it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._numbers = Numbers(hub.store)
        self._consequences = Consequences(hub)
        self._desks: dict[str, Desk] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def load(self) -> None:
        """Take up what was going on when we stopped."""
        for record in await journal.open_records(self._hub.store):
            if record.station not in self._desks:
                await self._desk(record.station)

    async def start(self, event: Event, decide: Decide) -> Started:
        """A charge began. `decide` is asked only if it is news. Raises: NotReady, Conflict."""
        async with self._turn(event.station):
            desk = await self._desk(event.station)
            known = await self._consequences.record(desk, start_key(event))
            if known is not None and known.number is not None:
                await self._file(desk, replace(event, assigned=known.number))
                return Started(known.number, known.allowed, None)
            opening = await decide()
            applied = await self._enter(desk, event, opening)
            return Started(applied.assigned or 0, opening.decision.allowed, opening)

    async def report(self, event: Event) -> None:
        """A stop, meter values, a status or a boot. Raises: NotReady, Conflict."""
        async with self._turn(event.station):
            desk = await self._desk(event.station)
            if desk.cares_for(event):
                await self._enter(desk, event, None)

    async def pass_time(self, now: datetime) -> None:
        """End what stations forgot, and put away the desks of stations where nothing goes on."""
        for station, desk in list(self._desks.items()):
            async with self._turn(station):
                if desk.is_open or desk.awaited:
                    await self._expire(desk, now)
                    await self._wait_no_longer(desk, now)
                elif self._hub.clock.monotonic() - desk.touched > IDLE_S:
                    await self._put_away(desk, now)

    def open_at(self, station: str) -> dict[int, Record]:
        """What goes on at a station, by connector."""
        desk = self._desks.get(station)
        return desk.going_on() if desk is not None else {}

    def of_session(self, station: str, session_id: str) -> Record | None:
        """The open transaction of a session."""
        return next((r for r in self.open_at(station).values() if r.session == session_id), None)

    def is_charging(self, id_tag: str) -> bool:
        """Does this token charge at one of our stations?"""
        wanted = id_tag.casefold()
        return any(record.id_tag.casefold() == wanted for desk in self._desks.values() for record in desk.open_records)

    def correlation_of(self, station: str, number: TransactionId | None, connector: int | None) -> str:
        """The correlation id of the journey that a message belongs to; "" when it belongs to none."""
        desk = self._desks.get(station)
        return desk.correlation_of(number, connector) if desk is not None else ""

    async def _enter(self, desk: Desk, event: Event, opening: Opening | None) -> Event:
        event = desk.stamped(event)
        await self._numbers.cover(event.transaction)
        applied = ledger.apply(desk.book, replace(event, raw=""), next_id=self._numbers.next)
        self._numbers.next = applied.next_id
        entered = replace(applied.event, raw=event.raw)
        is_news = any(effect.kind != "repeated" for effect in applied.effects)
        with self._or_start_over(desk):
            unit = Unit().put(journal.event_put(entered, journal.LIVE if is_news else journal.DONE))
            for effect in applied.effects:
                unit = billing.joined(unit, await self._consequences.of(desk, effect, opening))
            unit = billing.joined(unit, await self._consequences.of_status(desk, event, applied.book.open))
            for placed in set(desk.book.pairing.orphans) - set(applied.book.pairing.orphans):
                unit.delete(Delete(journal.TRANSACTIONS, journal.key_of_stop(desk.station, stop_key(placed))))
            await self._commit(unit)
        desk.book = applied.book
        return entered

    async def _commit(self, unit: Unit) -> None:
        has_cdr = any(isinstance(write, Put) and write.kind.name == "cdrs" for write in unit.writes)
        failpoint("ocpp.in.before_commit")
        if has_cdr:
            failpoint("cdr.create.before_commit")
        await self._hub.store.commit(unit)
        failpoint("ocpp.in.after_commit")
        if has_cdr:
            failpoint("cdr.create.after_commit")

    async def _expire(self, desk: Desk, now: datetime) -> None:
        book, effects = ledger.expire(desk.book, now=now)
        if not effects:
            return
        with self._or_start_over(desk):
            unit = billing.joined(*[await self._consequences.of(desk, effect, None) for effect in effects])
            await self._commit(unit)
        desk.book = book

    async def _wait_no_longer(self, desk: Desk, now: datetime) -> None:
        """Bill by our estimate what seems over, once the station has said nothing about charges for a while."""
        quiet_since = desk.last_arrival or now
        if not desk.awaited or now - quiet_since < timedelta(seconds=self._hub.settings.ocpp_late_stop_s):
            return
        with self._or_start_over(desk):
            ends = [Effect("ended", charge) for charge in desk.awaited]
            units = [await self._consequences.of(desk, end, None, final=True) for end in ends]
            await self._commit(billing.joined(*units))

    async def _file(self, desk: Desk, event: Event) -> None:
        """Keep a repeat as evidence. Its number is added to the facts only if it was given under another name."""
        await self._hub.store.commit(Unit().put(journal.event_put(desk.stamped(event), journal.DONE)))

    async def _put_away(self, desk: Desk, now: datetime) -> None:
        after = ledger.forget(desk.book, before=now - FORGOTTEN_AFTER)
        gone = sorted(desk.event_keys(desk.book) - desk.event_keys(after))
        unit = Unit()
        for document in await journal.event_documents(self._hub.store, desk.station, gone):
            unit.put(journal.event_put(journal.event_in(document), journal.DONE))
        if unit.writes:
            await self._hub.store.commit(unit)
        self._desks.pop(desk.station, None)

    @contextmanager
    def _or_start_over(self, desk: Desk) -> Iterator[None]:
        """Sessions are changed in memory before the commit: if that fails, what is in memory is worth nothing."""
        try:
            yield
        except BaseException:
            self._desks.pop(desk.station, None)
            raise

    async def _desk(self, station: str) -> Desk:
        desk = self._desks.get(station)
        if desk is None:
            desk = Desk(station, await journal.live_events(self._hub.store, station))
            for charge in desk.book.transactions.values():
                if charge.ending != "stop":
                    await self._consequences.record(desk, charge.key)
            self._desks[station] = desk
        desk.touched = self._hub.clock.monotonic()
        return desk

    def _turn(self, station: str) -> asyncio.Lock:
        return self._turns.setdefault(station, asyncio.Lock())
