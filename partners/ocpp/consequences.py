"""What an effect of the ledger writes: the record of the transaction, its session, its CDR.

`Consequences.of` is asked once for each effect of a report, `of_status` once for each status. Both change the desk in
memory; whoever commits throws the desk away when the commit fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from hub.core import trace
from hub.core.errors import Conflict, NotReady
from hub.core.ports import Hub
from hub.core.units import ABSENT, Audit, Unit
from modules.sessions.charge import Charge, State, load, load_latest
from partners.ocpp import billing, journal, lacking, weighing
from partners.ocpp.billing import Opening
from partners.ocpp.desk import Desk
from partners.ocpp.events import Event, Flag, StartKey, Transaction
from partners.ocpp.journal import Lack, Record
from partners.ocpp.ledger import Effect
from partners.ocpp.matching import stop_key
from partners.ocpp.quirks import LONE_STOP
from partners.ocpp.status import PERIOD_STATE
from partners.ocpp.surroundings import dated

log = structlog.get_logger()


class Consequences:
    """For all stations."""

    def __init__(self, hub: Hub, odd: Callable[[str, str], None]) -> None:
        """`odd` is told of a station, and what is odd about a charge that is over."""
        self._hub, self._odd = hub, odd

    async def of(self, desk: Desk, effect: Effect, opening: Opening | None, *, final: bool = False) -> Unit:
        """What an effect writes: the record, the session, the CDR. `final`: an estimated end is waited for no more."""
        if effect.kind == "orphaned" and effect.event is not None:
            log.warning("stop without a start", station=desk.station)
            self._odd(desk.station, LONE_STOP)
            return await self._lone(effect.event)
        if effect.transaction is None:
            return Unit()
        charge = effect.transaction
        if effect.kind == "opened":
            return await self._open(desk, charge, opening)
        record = await self.record(desk, charge.key)
        if record is None:
            return Unit()
        trace.begin(request_id=trace.request_id(), correlation_id=record.correlation_id)
        awaited = not final and self._may_still_stop(charge)
        unit = Unit()
        if opening is not None and not record.session:
            unit = await self._decided(desk, record, charge, opening)
        unit = billing.joined(unit, await self._guarded(record, self._bill(desk, record, effect, awaited=awaited)))
        session = await self.session(desk, record)
        journal.note(record, charge if session is None else weighing.billed(session, charge))
        if awaited and record.state == journal.ENDED:
            record.state = journal.OPEN
        if not awaited and charge.ending != "open":
            lacking.hold(record, charge, now=self._hub.clock.now())
        if not awaited:
            self._warn(record, effect)
        unit.put(journal.record_put(record))
        return unit

    async def of_status(self, desk: Desk, event: Event, going: tuple[Transaction, ...]) -> Unit:
        """A status begins a state of the session that goes on at its connector."""
        state = PERIOD_STATE.get(event.status or "")
        charge = next((charge for charge in going if charge.connector == event.connector), None)
        record = desk.records.get(charge.key) if charge is not None else None
        if event.kind != "status" or state is None or record is None or charge is None:
            return Unit()
        session = await self.session(desk, record)
        if session is None or not session.is_open:
            return Unit()
        trace.begin(request_id=trace.request_id(), correlation_id=record.correlation_id)
        return billing.grow(self._hub, session, charge, [State(dated(event)[0], state)])

    async def _lone(self, stop: Event) -> Unit:
        """The record of a stop without a start: an operator looks at it, and decides of it once."""
        record = journal.orphan(stop, stop_key(stop))
        known = await journal.find_record(self._hub.store, record.key)
        if known is not None and known.state == journal.DROPPED:
            return Unit()
        if not await journal.is_repeated(self._hub.store, stop):
            lacking.hold_stop(record, now=self._hub.clock.now())
        return Unit().put(journal.record_put(record))

    async def record(self, desk: Desk, key: StartKey) -> Record | None:
        """What is on record of a start, at hand or in the store."""
        record = desk.records.get(key)
        if record is None:
            record = await journal.find_record(self._hub.store, journal.key_of_start(key))
            if record is not None and key in desk.book.transactions:
                desk.records[key] = record
        return record

    async def _open(self, desk: Desk, charge: Transaction, opening: Opening | None) -> Unit:
        record = Record(journal.key_of_start(charge.key), desk.station, journal.OPEN, heard_at=self._hub.clock.now())
        desk.records[charge.key] = record
        unit = await self._decided(desk, record, charge, opening) if opening is not None else Unit()
        journal.note(record, charge)
        log.info("transaction began", station=desk.station, number=record.number, session=record.session)
        unit.put(journal.record_put(record, expect=ABSENT))
        return unit

    async def _decided(self, desk: Desk, record: Record, charge: Transaction, opening: Opening) -> Unit:
        """A token was shown for this charge, and decided on; in 2.x that may be long after it began."""
        record.correlation_id = opening.correlation_id
        trace.begin(request_id=trace.request_id(), correlation_id=record.correlation_id)
        record.allowed, record.trouble, record.lacks = opening.decision.allowed, "", None
        record.held_since = None
        record.state = journal.OPEN if opening.decision.accepted else journal.REFUSED
        unit = Unit()
        if opening.is_billable:
            unit = await self._guarded(record, self._begin(desk, record, charge, opening))
        elif opening.place is None and (charge.connector or not charge.key.named):
            record.lacks = Lack.LOCATION
            record.trouble = lacking.nowhere(charge)
        return billing.joined(unit, opening.spent)

    async def _begin(self, desk: Desk, record: Record, charge: Transaction, opening: Opening) -> Unit:
        session, unit = await billing.begin(self._hub, charge, opening)
        desk.sessions[session.session_id] = session
        record.session = session.session_id
        return unit

    def _may_still_stop(self, charge: Transaction) -> bool:
        """Is it too early to bill what is known of its end, or to ask an operator about it?

        A charger that comes back first says how its connectors are, Available, and then replays what happened: what
        was billed on a guess would have to be credited a second later.
        """
        return charge.may_be_told_more and self._hub.settings.ocpp_late_stop_s > 0

    async def _bill(self, desk: Desk, record: Record, effect: Effect, *, awaited: bool) -> Unit:
        session = await self.session(desk, record)
        charge = effect.transaction
        if session is None or charge is None or billing.is_settled(session, charge):
            return Unit()
        if awaited or charge.ending == "open":
            return billing.grow(self._hub, session, charge)
        if session.is_open:
            return billing.end(self._hub, session, charge)
        return await self._correct(desk, record, charge)

    async def _correct(self, desk: Desk, record: Record, charge: Transaction) -> Unit:
        """What was over is read again: an operator may have decided of it meanwhile."""
        found = await load_latest(self._hub.store, record.session)
        if found is None:
            return Unit()
        session, version = found
        desk.sessions[record.session] = session
        return await billing.correct(self._hub, session, charge, version=version)

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
        if effect.kind == "ended":
            for flag in record.flags:
                self._odd(record.station, f"of a charge: {Flag[flag]}")
        if record.is_refused and effect.kind == "ended":
            log.warning("charged although refused", station=record.station, number=record.number)
        elif effect.kind in ("ended", "revised"):
            log.info("transaction ended", station=record.station, number=record.number, session=record.session)

    async def session(self, desk: Desk, record: Record) -> Charge | None:
        """The session of a transaction, at hand or in the store; without its readings, if it was not at hand."""
        if not record.session:
            return None
        session = desk.sessions.get(record.session)
        if session is None:
            session = await load(self._hub.store, record.session)
            if session is not None:
                desk.sessions[record.session] = session
        return session
