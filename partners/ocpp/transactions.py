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

from hub.core import trace
from hub.core.errors import Conflict, NotReady
from hub.core.failpoints import failpoint
from hub.core.ports import Hub
from hub.core.units import ABSENT, Audit, Delete, Put, Unit
from modules.sessions.charge import Charge, State, load
from partners.ocpp import billing, journal, ledger
from partners.ocpp.billing import Opening
from partners.ocpp.desk import Desk
from partners.ocpp.events import Event, StartKey, Transaction, TransactionId, start_key
from partners.ocpp.journal import Record
from partners.ocpp.ledger import Effect
from partners.ocpp.matching import stop_key
from partners.ocpp.surroundings import moment
from partners.ocpp.sequence import Numbers
from partners.ocpp.status import PERIOD_STATE

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
            known = await self._record(desk, start_key(event))
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
        """End what stations forgot in a boot, and put away the desks of stations where nothing goes on."""
        for station, desk in list(self._desks.items()):
            async with self._turn(station):
                if desk.is_open:
                    await self._expire(desk, now)
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
                unit = billing.joined(unit, await self._follow(desk, effect, opening))
            unit = billing.joined(unit, await self._begin_state(desk, event, applied.book.open))
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

    async def _follow(self, desk: Desk, effect: Effect, opening: Opening | None) -> Unit:
        """What an effect writes: the record, the session, the CDR."""
        if effect.kind == "orphaned" and effect.event is not None:
            log.warning("stop without a start", station=desk.station)
            return Unit().put(journal.record_put(journal.orphan(effect.event, stop_key(effect.event))))
        if effect.transaction is None:
            return Unit()
        charge = effect.transaction
        if effect.kind == "opened":
            return await self._open(desk, charge, opening)
        record = await self._record(desk, charge.key)
        if record is None:
            return Unit()
        trace.begin(request_id=trace.request_id(), correlation_id=record.correlation_id)
        unit = await self._guarded(record, self._bill(desk, record, effect))
        journal.note(record, charge)
        self._warn(record, effect)
        unit.put(journal.record_put(record))
        return unit

    async def _open(self, desk: Desk, charge: Transaction, opening: Opening | None) -> Unit:
        record = Record(journal.key_of_start(charge.key), desk.station, journal.OPEN)
        desk.records[charge.key] = record
        unit = Unit()
        if opening is not None:
            record.correlation_id = opening.correlation_id
            trace.begin(request_id=trace.request_id(), correlation_id=record.correlation_id)
            record.allowed = opening.decision.allowed
            record.state = journal.OPEN if opening.decision.accepted else journal.REFUSED
            if opening.is_billable:
                unit = await self._guarded(record, self._begin(desk, record, charge, opening))
            elif opening.place is None:
                record.trouble = "the connector is on no location"
        journal.note(record, charge)
        log.info("transaction began", station=desk.station, number=record.number, session=record.session)
        unit.put(journal.record_put(record, expect=ABSENT))
        return unit

    async def _begin(self, desk: Desk, record: Record, charge: Transaction, opening: Opening) -> Unit:
        session, unit = await billing.begin(self._hub, charge, opening)
        desk.sessions[session.session_id] = session
        record.session = session.session_id
        return unit

    async def _bill(self, desk: Desk, record: Record, effect: Effect) -> Unit:
        session = await self._session(desk, record)
        charge = effect.transaction
        if session is None or charge is None:
            return Unit()
        if charge.ending == "open":
            return billing.grow(self._hub, session, charge)
        if session.is_open:
            return billing.end(self._hub, session, charge)
        return await billing.correct(self._hub, session, charge)

    async def _begin_state(self, desk: Desk, event: Event, going: tuple[Transaction, ...]) -> Unit:
        """A status begins a state of the session that goes on at its connector."""
        state = PERIOD_STATE.get(event.status or "")
        charge = next((charge for charge in going if charge.connector == event.connector), None)
        record = desk.records.get(charge.key) if charge is not None else None
        if event.kind != "status" or state is None or record is None or charge is None:
            return Unit()
        session = await self._session(desk, record)
        if session is None or not session.is_open:
            return Unit()
        trace.begin(request_id=trace.request_id(), correlation_id=record.correlation_id)
        return billing.grow(self._hub, session, charge, [State(moment(event)[0], state)])

    async def _guarded(self, record: Record, work: Awaitable[Unit]) -> Unit:
        """The session's part. When it breaks the event is kept and answered all the same, and an operator must look."""
        try:
            return await work
        except (NotReady, Conflict):
            raise
        except Exception as error:  # a charger must not repeat a message for ever because a tariff is odd
            record.trouble = f"{type(error).__name__}: {error}"[:200]
            log.exception("session not kept", station=record.station, number=record.number)
            return Unit().audited(Audit("busbar", "transaction.unbilled", record.key, record.trouble))

    def _warn(self, record: Record, effect: Effect) -> None:
        if record.state == journal.REFUSED and effect.kind == "ended":
            log.warning("charged although refused", station=record.station, number=record.number)
        elif effect.kind in ("ended", "revised"):
            log.info("transaction ended", station=record.station, number=record.number, session=record.session)

    async def _expire(self, desk: Desk, now: datetime) -> None:
        book, effects = ledger.expire(desk.book, now=now)
        if not effects:
            return
        with self._or_start_over(desk):
            unit = billing.joined(*[await self._follow(desk, effect, None) for effect in effects])
            await self._commit(unit)
        desk.book = book

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
            for charge in desk.book.open:
                await self._record(desk, charge.key)
            self._desks[station] = desk
        desk.touched = self._hub.clock.monotonic()
        return desk

    async def _record(self, desk: Desk, key: StartKey) -> Record | None:
        record = desk.records.get(key)
        if record is None:
            record = await journal.find_record(self._hub.store, journal.key_of_start(key))
            if record is not None and key in desk.book.transactions:
                desk.records[key] = record
        return record

    async def _session(self, desk: Desk, record: Record) -> Charge | None:
        if not record.session:
            return None
        session = desk.sessions.get(record.session)
        if session is None:
            session = await load(self._hub.store, record.session)
            if session is not None:
                desk.sessions[record.session] = session
        return session

    def _turn(self, station: str) -> asyncio.Lock:
        return self._turns.setdefault(station, asyncio.Lock())
