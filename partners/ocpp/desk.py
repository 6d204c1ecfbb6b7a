"""What is at hand of one station: the ledger's book, the records and sessions of its charges."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from modules.sessions.charge import Charge
from modules.sessions.service import TOLD_EVERY
from partners.ocpp import journal, ledger
from partners.ocpp.events import Event, StartKey, Transaction, TransactionId
from partners.ocpp.facts import Facts
from partners.ocpp.journal import Record
from partners.ocpp.ledger import Book
from partners.ocpp.matching import owners
from partners.ocpp.surroundings import DAWN

MOST_FACTS: Final = 20_000
"""Facts of one station that are kept at hand; beyond, samples and lone stops are passed over."""

MOST_OPEN: Final = 64
"""Charges that go on at one station, before those that nobody pays are only filed."""

_MICROSECOND: Final = timedelta(microseconds=1)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Meter(NamedTuple):
    """Of a charge that goes on: samples from `start` on are its own. `due`: when the partner is to be told again.

    None: its session is not at hand.
    """

    start: datetime
    due: datetime | None


class Desk:
    """One station's. `touched` is when it was used, `told_at` when samples were taken in; by the monotonic clock.

    `is_next`: with its next sample the partner is told.
    """

    __slots__ = (
        "_metered",
        "_meters",
        "behind",
        "book",
        "is_next",
        "last_arrival",
        "records",
        "sessions",
        "station",
        "told_at",
        "touched",
    )

    def __init__(self, facts: Facts, last_arrival: datetime | None) -> None:
        """From what is on disk of the station."""
        self.station = facts.station
        self.book: Book = ledger.over(facts)
        self.records: dict[StartKey, Record] = {}
        self.sessions: dict[str, Charge] = {}
        self.touched = 0.0
        self.told_at = -math.inf
        self.is_next = False
        self.behind: set[StartKey] = set()
        """Charges of 2.x that grew since their partners were told."""
        self.last_arrival = last_arrival
        self._metered: Book | None = None
        self._meters: dict[tuple[str, TransactionId], Meter] = {}

    @property
    def is_open(self) -> bool:
        return any(charge.ending == "open" for charge in self.book.transactions.values())

    @property
    def is_crowded(self) -> bool:
        """Does more go on than a station can have connectors?"""
        return len(self.book.open) >= MOST_OPEN

    @property
    def open_records(self) -> list[Record]:
        """The records of charges that go on."""
        return [self.records[charge.key] for charge in self.book.open if charge.key in self.records]

    @property
    def awaited(self) -> list[Transaction]:
        """Charges that seem over and are not billed yet: their stop, or what came before it, may still come."""
        seem_over = (charge for charge in self.book.transactions.values() if charge.may_be_told_more)
        return [charge for charge in seem_over if self._is_awaited(charge)]

    def _is_awaited(self, charge: Transaction) -> bool:
        """Is nothing decided of it? What was refused and gave energy is to be held, once it is over."""
        record = self.records.get(charge.key)
        state = record.state if record is not None else ""
        return state == journal.OPEN or (state == journal.REFUSED and charge.energy_kwh > 0)

    @property
    def sampled_until(self) -> datetime:
        """The time of the last sample that the book has of what goes on."""
        return max((so_far.at for so_far in self.book.tallies.values()), default=DAWN)

    def going_on(self) -> dict[int, Record]:
        """The charge that goes on at each connector; of several the newest."""
        return {record.connector: record for record in self.open_records}

    def meter(self, number: TransactionId | None, connector: int) -> Meter | None:
        """The meter of the charge that goes on under this number, or at this connector; None where that is unclear."""
        if self._metered is not self.book:
            self._metered, self._meters = self.book, self._all_meters()
        return self._meters.get(("connector", connector) if number is None else ("number", number))

    def _all_meters(self) -> dict[tuple[str, TransactionId], Meter]:
        found: dict[tuple[str, TransactionId], Meter] = {}
        owner = owners(self.book.facts.starts)
        for charge in self.book.open:
            record = self.records.get(charge.key)
            if record is None or record.state != journal.OPEN:
                continue
            session = self.sessions.get(record.session)
            told = session.told_until if session is not None else None
            due = told + TOLD_EVERY if told is not None else None
            meter = Meter(charge.start, due if record.session else _NEVER)
            found |= {("number", name): meter for name in charge.ids if owner.get(name) == charge.key}
            found["connector", charge.connector] = meter
        return found

    def arrival(self, now: datetime) -> datetime:
        """`now`, or later, so that it names what arrives: no two of a station do at the same microsecond."""
        if self.last_arrival is not None and now <= self.last_arrival:
            now = self.last_arrival + _MICROSECOND
        self.last_arrival = now
        return now

    def stamped(self, event: Event) -> Event:
        """`event` with an arrival later than any before it, so that the arrival names it."""
        arrival = self.arrival(event.arrival)
        return event if arrival == event.arrival else replace(event, arrival=arrival)

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

    def arrivals(self, book: Book) -> set[datetime]:
        """When the events arrived that a book of this station rests on."""
        facts = book.facts
        events = [start.event for start in facts.starts.values()] + [stop.event for stop in facts.stops.values()]
        events += [*facts.samples.values(), *facts.available.values(), *facts.boots.values()]
        return {event.arrival for event in events}

    def _busy(self) -> set[int]:
        return {charge.connector for charge in self.book.open}
