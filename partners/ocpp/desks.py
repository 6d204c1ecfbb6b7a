"""The desks of all stations: in memory while anything goes on, read from the store when they are needed again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hub.core.failpoints import failpoint
from hub.core.ports import Hub
from hub.core.units import Put, Unit
from partners.ocpp import archive, journal, used_again
from partners.ocpp.consequences import Consequences
from partners.ocpp.desk import Desk
from partners.ocpp.events import Event, Flag, TransactionId, start_key
from partners.ocpp.journal import Record
from partners.ocpp.quirks import Quirks


class Desks:
    """One a station, and whose turn it is at each. What is asked of them needs no turn."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.quirks = Quirks(hub)
        """What is odd about what they report."""
        self._consequences = Consequences(hub, self.quirks.count)
        self._desks: dict[str, Desk] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def open_at(self, station: str) -> dict[int, Record]:
        """What goes on at a station, by connector. A car that waits for its driver's token (2.x) is nothing yet."""
        desk = self._desks.get(station)
        going = desk.going_on() if desk is not None else {}
        return {connector: record for connector, record in going.items() if record.allowed}

    def of_session(self, station: str, session_id: str) -> Record | None:
        """The open transaction of a session."""
        return next((r for r in self.open_at(station).values() if r.session == session_id), None)

    def is_charging(self, id_tag: str, *, but: str = "") -> bool:
        """Does this token charge at one of our stations? What was refused does not count, nor the record `but`."""
        wanted = id_tag.casefold()
        records = (record for desk in self._desks.values() for record in desk.open_records if record.key != but)
        return any(record.state == journal.OPEN and record.id_tag.casefold() == wanted for record in records)

    def has_gap(self, station: str, transaction: str) -> bool:
        """Are parts of this transaction missing, as its charger counts them?"""
        desk = self._desks.get(station)
        charge = desk.book.find(transaction) if desk is not None else None
        return charge is not None and Flag.PARTS_MISSING in charge.flags

    def correlation_of(self, station: str, number: TransactionId | None, connector: int | None) -> str:
        """The correlation id of the journey that a message belongs to; "" when it belongs to none."""
        desk = self._desks.get(station)
        return desk.correlation_of(number, connector) if desk is not None else ""

    def correlation_of_part(self, event: Event) -> str:
        """The same for a part of a transaction of 2.x; "" also when it begins a charge."""
        desk = self._desks.get(event.station)
        name = used_again.at_hand(desk.book, event) if desk is not None else None
        if desk is None or name is None:
            return ""
        record = desk.records.get(start_key(replace(event, assigned=name)))
        return record.correlation_id if record is not None else ""

    @contextmanager
    def _or_start_over(self, desk: Desk) -> Iterator[None]:
        """Sessions are changed in memory before the commit: if that fails, what is in memory is worth nothing."""
        try:
            yield
        except BaseException:
            self._desks.pop(desk.station, None)
            raise

    async def _commit(self, unit: Unit) -> None:
        has_cdr = any(isinstance(write, Put) and write.kind.name == "cdrs" for write in unit.writes)
        failpoint("ocpp.in.before_commit")
        if has_cdr:
            failpoint("cdr.create.before_commit")
        await self._hub.store.commit(unit)
        failpoint("ocpp.in.after_commit")
        if has_cdr:
            failpoint("cdr.create.after_commit")

    async def _desk(self, station: str) -> Desk:
        desk = self._desks.get(station)
        if desk is None:
            desk = await archive.read(self._hub.store, station)
            for charge in desk.book.transactions.values():
                if charge.ending != "stop" or charge.may_be_told_more:
                    await self._consequences.record(desk, charge.key)
            self._desks[station] = desk
        desk.touched = self._hub.clock.monotonic()
        return desk

    def _turn(self, station: str) -> asyncio.Lock:
        return self._turns.setdefault(station, asyncio.Lock())
