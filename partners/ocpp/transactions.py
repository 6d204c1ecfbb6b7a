"""Transactions of all stations: the ledger's books in memory, their events on disk, their sessions and CDRs with them.

One `Desk` a station. A report is entered in one go, while no other report of that station is:

    event -> ledger (pure) -> effects -> sessions, CDRs -> one unit with the event and the records -> commit -> answer

The answer leaves when the unit is on disk; when the commit fails the desk is thrown away, read again from the store at
the next report, and the charger (which got a CALLERROR) sends its message again. So what was acknowledged is billed,
and what was not is repeated. Desks without an open charge are put away after a while, and are read again when needed.

Samples of a charge that goes on take the short way (`samples.py`): they are kept at once and wait, and are taken into
the ledger together, before anything else is entered, or when the partner is to be told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from hub.core import trace
from hub.core.failpoints import failpoint
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Audit, Delete, Unit
from partners.ocpp import archive, billing, journal, ledger, parts, samples, used_again
from partners.ocpp.billing import Opening
from partners.ocpp.desk import Desk, Meter
from partners.ocpp.events import Event, Flag, Transaction, TransactionId, start_key
from partners.ocpp.journal import Record
from partners.ocpp.ledger import Book, Effect
from partners.ocpp.matching import Start, stop_key
from partners.ocpp.readings import EARLIEST
from partners.ocpp.rulings import Rulings
from partners.ocpp.samples import Sample
from partners.ocpp.sequence import Numbers
from partners.ocpp.surroundings import AHEAD
from partners.ocpp.thinning import thinned
from partners.ocpp.together import Done, Together
from partners.ocpp.told import Told, glimpse_of, plain_time
from partners.ocpp.turns_to_tell import TurnsToTell

log = structlog.get_logger()

IDLE_S: Final = 900.0

MOST_WAITING: Final = 512
"""Samples of one station that may wait for the ledger."""
MARKED_EVERY: Final = timedelta(hours=1)
"""How far back a restart may have to look for samples that waited."""

_LATE: Final = "more came of it when it had long been over; its bill does not know of that"
_LATE_PERHAPS: Final = (
    "something came of it when what it had said was not kept any longer; it may be a repeat, or its bill does not know"
)

Decide = Callable[[], Awaitable[Opening]]
DecideOnPart = Callable[[Start, str], Awaitable[Opening]]
"""Asked with the start as all parts tell it, and the key of its record."""


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to a start: its number, and what the token was answered (AllowedType)."""

    number: TransactionId
    allowed: str
    opening: Opening | None
    """None: the start was a repeat."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a part of a transaction of 2.x came to.

    `payer` is the token that pays, `allowed` what it was answered and `group` its group, "" as long as nobody does;
    `session` is the session's id, if there is one. `opening`: it was decided on just now. `has_gap`: parts are missing.
    `was_over`: its charger had ended it before this part was heard.
    """

    payer: str = ""
    allowed: str = ""
    group: str = ""
    session: str = ""
    connector: int = 0
    opening: Opening | None = None
    has_gap: bool = False
    was_over: bool = False


class Transactions(Rulings):
    """What the chargers report, and what comes of it."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._numbers = Numbers(hub.store)
        self._waiting: dict[str, list[Sample]] = {}
        """Samples that are on disk and not in the ledger yet, by station. They outlive the desk."""
        self._together = Together(hub.store)
        self._turns_to_tell = TurnsToTell(hub.clock)

    async def load(self) -> None:
        """Take up what was going on when we stopped, and the samples that waited."""
        for record in await journal.open_records(self._hub.store):
            if record.station not in self._desks:
                await self._desk(record.station)
        looked_at = {name: desk.last_arrival for name, desk in self._desks.items() if desk.last_arrival is not None}
        if not looked_at:
            return
        async for station, sample in samples.tail(self._hub.store, min(looked_at.values())):
            if station in looked_at and sample.arrival > looked_at[station]:
                self._waiting.setdefault(station, []).append(sample)
                self._desks[station].last_arrival = sample.arrival

    async def start(self, event: Event, decide: Decide) -> Started:
        """A charge began. `decide` is asked only if it is news. Raises: NotReady, Conflict."""
        async with self._turn(event.station):
            desk = await self._desk(event.station)
            known = await self._consequences.record(desk, start_key(event))
            if known is not None and known.number is not None:
                await self._file(desk, replace(event, assigned=known.number))
                return Started(known.number, known.allowed, None)
            opening = await decide()
            if opening.place is None and desk.is_crowded:
                return await self._start_beside(desk, event, opening)
            applied = await self._enter(desk, event, opening)
            return Started(applied.assigned or 0, opening.decision.allowed, opening)

    async def part(self, event: Event, decide: DecideOnPart, *, audit: Audit | None = None) -> Taken:
        """A TransactionEvent. `decide` is asked once there is a token to pay with; `audit` is written along.

        Raises: NotReady, Conflict.
        """
        async with self._turn(event.station):
            desk = await self._desk(event.station)
            event, put_away = await used_again.named(self._hub.store, desk.book, event)
            key = start_key(event)
            record, before = await self._consequences.record(desk, key), desk.book.transactions.get(key)
            late = put_away if put_away is not None or before is not None else record
            if late is not None:
                return await self._take_late(desk, event, late)
            event = parts.judged(event, record)
            book, moves = await used_again.shared_out(self._hub.store, desk.book, event)
            start, opening = book.facts.with_event(event).starts[key], None
            if parts.is_to_be_decided(start, record):
                opening = await decide(start, journal.key_of_start(key))
                event = parts.judged(event, None, refused=not opening.decision.accepted)
            if record is None and desk.is_crowded and (opening is None or opening.place is None):
                log.warning("transaction not followed: too many go on", station=desk.station)
                await self._file(desk, event)
                return Taken(event.id_tag or "", opening.decision.allowed if opening is not None else "")
            await self._enter(desk, event, opening, audit, over=book, moves=moves)
            record, has_gap = desk.records[key], Flag.PARTS_MISSING in desk.book.transactions[key].flags
            session = await self._consequences.session(desk, record)
            token = session.tree_of_token() if session is not None else None
            group = _group(token if token is not None or opening is None else opening.decision.token)
            of_record = (record.id_tag, record.allowed, group, record.session, record.connector)
            return Taken(*of_record, opening, has_gap, before is not None and before.ending == "stop")

    async def _take_late(self, desk: Desk, event: Event, record: Record) -> Taken:
        """More of a charge that was put away: it is kept, and an operator must look."""
        unit = Unit().put(journal.event_put(desk.stamped(event), journal.DONE))
        if not record.trouble and await journal.is_news(self._hub.store, event):
            log.warning("more of a charge that was put away", station=desk.station, session=record.session)
            record.trouble = _LATE if self._has_all_messages(record) else _LATE_PERHAPS
            unit.put(journal.record_put(record))
        await self._hub.store.commit(unit)
        return Taken(record.id_tag, record.allowed, "", record.session, record.connector, was_over=True)

    def _has_all_messages(self, record: Record) -> bool:
        """Or are some of the messages about a charge so old that they are not kept any longer?"""
        kept = timedelta(days=self._hub.settings.ocpp_events_days)
        return record.heard_at is not None and self._hub.clock.now() - record.heard_at < kept

    async def sample(self, station: str, told: Told, raw: str, now: datetime) -> bool:
        """Keep a MeterValues that can wait for the ledger. Raises: NotReady.

        It can when it names a charge that goes on, or is of a connector where one does, and its times are plain.
        Returns: False, when it cannot; then nothing was done.
        """
        async with self._turn(station):
            desk = await self._desk(station)
            meter, at = self._metered(desk, told, now)
            if meter is None or at is None:
                return False
            sample = Sample(desk.arrival(now), raw, glimpse_of(told, at))
            waiting = self._waiting.setdefault(station, [])
            put = samples.put_of(station, sample)
            must_tell, desk.is_next = desk.is_next or self._turns_to_tell.is_due(desk, meter, at), False
            if len(waiting) < MOST_WAITING and not must_tell:
                await self._commit(Unit([put]))
                waiting.append(sample)
            else:
                await self._take_in(desk, [*waiting, sample], Unit([put]), tell=must_tell)
            return True

    def sample_at_once(self, station: str, told: Told, raw: str, now: datetime, done: Done) -> bool:
        """The same as `sample`, for a station that nobody is busy with, when nothing else is due.

        `done` is told when the sample is on disk. Returns: False, when it is not so simple; then nothing was done.
        """
        desk, turn = self._desks.get(station), self._turns.get(station)
        if desk is None or turn is None or turn.locked():
            return False
        waiting = self._waiting.setdefault(station, [])
        meter, at = self._metered(desk, told, now)
        if meter is None or at is None or len(waiting) >= MOST_WAITING or desk.is_next:
            return False
        if self._turns_to_tell.is_due(desk, meter, at):
            desk.is_next = True
            self._turns_to_tell.on_its_way()
            return False
        failpoint("ocpp.in.before_commit")
        sample = Sample(desk.arrival(now), raw, glimpse_of(told, at))
        waiting.append(sample)
        self._together.keep(samples.put_of(station, sample), partial(_kept, waiting, sample, done))
        return True

    async def keep(self, event: Event) -> None:
        """What belongs to nothing is kept all the same, as evidence. Raises: NotReady."""
        async with self._turn(event.station):
            await self._file(await self._desk(event.station), event)

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
                if self._desks.get(station) is not desk:
                    continue
                await self._catch_up(desk, now)
                if desk.is_open or desk.awaited:
                    await self._expire(desk, now)
                    await self._wait_no_longer(desk, now)
                elif self._hub.clock.monotonic() - desk.touched > IDLE_S:
                    await archive.put_away(self._hub.store, desk, now)
                    self._desks.pop(station, None)

    async def _enter(
        self,
        desk: Desk,
        event: Event,
        opening: Opening | None,
        audit: Audit | None = None,
        *,
        over: Book | None = None,
        moves: Unit | None = None,
    ) -> Event:
        """`over`: the book to which it is added, where that is another than the desk's; `moves` made it so."""
        event, key = desk.stamped(event), start_key(event)
        if event.kind == "start":
            await self._numbers.cover(desk.book)
        waiting = thinned(self._waiting.get(desk.station, []), desk.sampled_until)
        applied = ledger.apply(_with(over or desk.book, waiting), replace(event, raw=""), next_id=self._numbers.next)
        self._numbers.next = applied.next_id
        entered = replace(applied.event, raw=event.raw)
        is_news = any(effect.kind != "repeated" for effect in applied.effects)
        is_news = is_news or (event.part is not None and applied.book.facts is not desk.book.facts)
        with self._or_start_over(desk):
            unit = Unit().put(journal.event_put(entered, journal.LIVE if is_news else journal.DONE)).audited(audit)
            if waiting:
                unit.put(samples.list_put(desk.station, waiting))
            unit = billing.joined(unit, moves)
            for effect in self._to_be_told(desk, event, ledger.changed(desk.book, applied.book, applied.event)):
                own = opening if effect.transaction is not None and effect.transaction.key == key else None
                unit = billing.joined(unit, await self._consequences.of(desk, effect, own))
            unit = billing.joined(unit, await self._consequences.of_status(desk, event, applied.book.open))
            for placed in set(desk.book.pairing.orphans) - set(applied.book.pairing.orphans):
                unit.delete(Delete(journal.TRANSACTIONS, journal.key_of_stop(desk.station, stop_key(placed))))
            await self._commit(unit)
        desk.book = applied.book
        self._waiting.pop(desk.station, None)
        return entered

    def _to_be_told(self, desk: Desk, event: Event, effects: Sequence[Effect]) -> list[Effect]:
        """Those of which partners hear now: a part of 2.x that only measures waits for its turn, as any sample does."""
        found: list[Effect] = []
        for effect in effects:
            charge = effect.transaction
            if charge is not None and event.part is not None and _only_grew(effect):
                if not self._turns_to_tell.has_come(desk):
                    desk.behind.add(charge.key)
                    continue
                desk.told_at = self._hub.clock.monotonic()
            if charge is not None:
                desk.behind.discard(charge.key)
            found.append(effect)
        return found

    async def _take_in(self, desk: Desk, waiting: list[Sample], unit: Unit, *, tell: bool = True) -> None:
        """Let the ledger see these samples; `unit` is written along. Without `tell` nobody hears that a charge grew."""
        began = self._hub.clock.monotonic()
        trace.begin()
        waiting = thinned(waiting, desk.sampled_until)
        book = _with(desk.book, waiting)
        with self._or_start_over(desk):
            unit.put(samples.list_put(desk.station, waiting))
            effects = [effect for effect in ledger.changed(desk.book, book, None) if tell or effect.kind != "grew"]
            units = [await self._consequences.of(desk, effect, None) for effect in effects]
            if tell:
                self._turns_to_tell.told(desk, began=began)
            await self._commit(billing.joined(unit, *units))
        desk.book = book
        self._waiting.pop(desk.station, None)

    async def _catch_up(self, desk: Desk, now: datetime) -> None:
        """No sample waits for long, and a restart never looks far back for those that do."""
        waiting = self._waiting.get(desk.station)
        if waiting:
            await self._take_in(desk, waiting, Unit())
        elif desk.behind:
            await self._tell_what_grew(desk)
        elif desk.is_open and (desk.last_arrival is None or now - desk.last_arrival > MARKED_EVERY):
            await self._hub.store.commit(Unit().put(samples.mark_put(desk.station, desk.arrival(now))))

    async def _tell_what_grew(self, desk: Desk) -> None:
        """Partners hear now of what waited for its turn."""
        grown = [charge for key in desk.behind if (charge := desk.book.transactions.get(key)) is not None]
        with self._or_start_over(desk):
            units = [await self._consequences.of(desk, Effect("grew", charge), None) for charge in grown]
            await self._commit(billing.joined(*units))
        desk.behind.clear()

    def _metered(self, desk: Desk, told: Told, now: datetime) -> tuple[Meter | None, datetime | None]:
        """Whose sample MeterValues are, and of when; None, where that is not plain."""
        meter = desk.meter(told.number, told.connector)
        if meter is None:
            return None, None
        return meter, plain_time(told.times, meter.start if told.number is None else EARLIEST, now + AHEAD)

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

    async def _start_beside(self, desk: Desk, event: Event, opening: Opening) -> Started:
        """Answer and keep a start that nobody pays, at a station that reports more of them than it can have."""
        await self._numbers.cover(desk.book)
        number = self._numbers.take(desk.book)
        log.warning("start not followed: too many go on", station=desk.station, number=number)
        await self._file(desk, replace(event, assigned=number))
        return Started(number, opening.decision.allowed, opening)

    async def _file(self, desk: Desk, event: Event) -> None:
        """Keep a repeat as evidence. Its number is added to the facts only if it was given under another name."""
        await self._hub.store.commit(Unit().put(journal.event_put(desk.stamped(event), journal.DONE)))


def _only_grew(effect: Effect) -> bool:
    """Was energy measured, and nothing else told?"""
    charge, before = effect.transaction, effect.before
    return effect.kind == "grew" and None not in (charge, before) and _said(charge) == _said(before)


def _said(charge: Transaction | None) -> object:
    """What is known of a charge beside its meter."""
    return (charge.states, charge.flags, charge.id_tag, charge.start, charge.connector) if charge is not None else None


def _kept(waiting: list[Sample], sample: Sample, done: Done, error: BaseException | None) -> None:
    """What is not on disk does not wait either: the charger will say it again."""
    if error is None:
        failpoint("ocpp.in.after_commit")
        failpoint("ocpp.in.before_reply")
    elif sample in waiting:
        waiting.remove(sample)
    done(error)


def _group(token: Tree | None) -> str:
    return str((token or {}).get("group_id") or "")


def _with(book: Book, waiting: list[Sample]) -> Book:
    if not waiting:
        return book
    return ledger.with_samples(book, [samples.event_of(book.station, sample) for sample in waiting])
