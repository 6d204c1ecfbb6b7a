"""What is at hand of one station: the ledger's book, the records and sessions of its charges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from modules.sessions.charge import Charge
from partners.ocpp import journal, ledger
from partners.ocpp.events import Event, StartKey, Transaction, TransactionId
from partners.ocpp.journal import Record
from partners.ocpp.ledger import Book

MOST_FACTS: Final = 20_000
"""Facts of one station that are kept at hand; beyond, samples and lone stops are passed over."""

_MICROSECOND: Final = timedelta(microseconds=1)


class Desk:
    """One station's. `touched` is when it was last used, by the clock's monotonic seconds."""

    __slots__ = ("book", "last_arrival", "records", "sessions", "station", "touched")

    def __init__(self, station: str, events: Sequence[Event]) -> None:
        """From the live events of the station."""
        self.station = station
        self.book: Book = ledger.settled(station, [replace(event, raw="") for event in events])
        self.records: dict[StartKey, Record] = {}
        self.sessions: dict[str, Charge] = {}
        self.touched = 0.0
        self.last_arrival: datetime | None = max((event.arrival for event in events), default=None)

    @property
    def is_open(self) -> bool:
        return any(charge.ending == "open" for charge in self.book.transactions.values())

    @property
    def open_records(self) -> list[Record]:
        """The records of charges that go on."""
        return [self.records[charge.key] for charge in self.book.open if charge.key in self.records]

    @property
    def awaited(self) -> list[Transaction]:
        """Charges that seem over and are not billed yet: their stop may still come."""
        seem_over = (charge for charge in self.book.transactions.values() if charge.ending == "estimated")
        return [c for c in seem_over if (at := self.records.get(c.key)) is not None and at.state == journal.OPEN]

    def going_on(self) -> dict[int, Record]:
        """The charge that goes on at each connector; of several the newest."""
        return {record.connector: record for record in self.open_records}

    def stamped(self, event: Event) -> Event:
        """`event` with an arrival later than any before it, so that the arrival names it."""
        if self.last_arrival is not None and event.arrival <= self.last_arrival:
            event = replace(event, arrival=self.last_arrival + _MICROSECOND)
        self.last_arrival = event.arrival
        return event

    def cares_for(self, event: Event) -> bool:
        """Can `event` change anything? What is measured and reported outside of a charge cannot."""
        facts = self.book.facts
        if len(facts.stops) + len(facts.samples) > MOST_FACTS:
            return event.kind == "stop" and event.transaction is not None and bool(self.book.find(event.transaction))
        match event.kind:
            case "meter":
                return event.transaction is not None or event.connector in self._busy()
            case "status":
                return event.connector in self._busy()
            case "boot":
                return self.is_open
        return True

    def correlation_of(self, number: TransactionId | None, connector: int | None) -> str:
        """The correlation id of the charge with this number, or of the one at this connector."""
        charge = self.book.find(number) if number is not None else None
        record = self.records.get(charge.key) if charge is not None else None
        if record is None and connector is not None:
            record = self.going_on().get(connector)
        return record.correlation_id if record is not None else ""

    def event_keys(self, book: Book) -> set[str]:
        """The keys of the events that a book of this station rests on."""
        facts = book.facts
        events = [start.event for start in facts.starts.values()] + [stop.event for stop in facts.stops.values()]
        events += [*facts.samples.values(), *facts.available.values(), *facts.boots.values()]
        return {journal.event_key(event) for event in events}

    def _busy(self) -> set[int]:
        return {charge.connector for charge in self.book.open}
