"""What holds for every order and every repetition of what chargers say."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partners.ocpp.events import Bill, Event, TransactionId, start_key
from partners.ocpp.ledger import Book, apply, blank, settled
from tests.partners.ocpp.ledger_laws import (
    STATIONS,
    assert_nothing_is_dated_after_it_was_heard,
    assert_nothing_is_negative,
    assert_one_by_one_is_all_at_once,
    assert_order_and_repetition_change_nothing,
)
from tests.partners.ocpp.said import AHEAD, DEAD, NOON, at, available, boot, sample, start, stop

UNKNOWN_IDS: tuple[TransactionId | None, ...] = (0, -1, None)

sometimes = settings(max_examples=400, deadline=None, database=None, derandomize=True)
often = settings(
    max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None, derandomize=True
)
minutes = st.integers(-30, 120)
stations = st.sampled_from(STATIONS)
connectors = st.integers(0, 2)
tags = st.sampled_from(["A", "a ", "B"])
ids = st.sampled_from([None, 0, -1, 1, 2, 3, 99])
meters = st.one_of(st.none(), st.integers(0, 9).map(lambda kwh: kwh * 1000), st.integers(0, 30), st.just(4_000_000))
registers = st.sampled_from(["1", "2.5", "4", "10", "12", "0.002", None])
clocks = st.sampled_from([NOON, NOON, NOON, DEAD, AHEAD, at(20), at(120)])
arrivals = st.integers(0, 200).map(at)

anything: st.SearchStrategy[Event] = st.one_of(
    st.builds(start, minutes, station=stations, connector=connectors, tag=tags, meter=meters, assigned=ids,
              clock=clocks, arrival=arrivals),
    st.builds(stop, minutes, station=stations, transaction=ids, tag=st.one_of(st.none(), tags), meter=meters,
              clock=clocks, arrival=arrivals),
    st.builds(sample, minutes, registers, station=stations, connector=connectors,
              transaction=ids, power=st.sampled_from([None, "11"]), step=st.sampled_from([None, "1"]), clock=clocks,
              arrival=arrivals),
    st.builds(available, minutes, station=stations, connector=connectors),
    st.builds(boot, minutes, station=stations),
)  # fmt: skip


@often
@given(st.lists(anything, max_size=10), st.randoms(use_true_random=False), st.booleans())
def test_any_order_and_any_repetition_of_anything_settle_alike(
    events: list[Event], rng: random.Random, late: bool
) -> None:
    assert_order_and_repetition_change_nothing(events, rng, late=late)


@sometimes
@given(st.lists(anything, max_size=10))
def test_one_by_one_is_the_same_as_all_at_once(events: list[Event]) -> None:
    assert_one_by_one_is_all_at_once(events)


@sometimes
@given(st.lists(anything, max_size=10))
def test_nothing_said_makes_time_or_energy_negative(events: list[Event]) -> None:
    assert_nothing_is_negative(events)


@sometimes
@given(st.lists(anything, max_size=10))
def test_nothing_said_is_dated_after_it_was_heard(events: list[Event]) -> None:
    assert_nothing_is_dated_after_it_was_heard(events)


@dataclass(frozen=True)
class Charge:
    """What really happened at a connector, and how its charger tells it."""

    station: str
    connector: int
    start_min: int
    end_min: int
    meter_start: int
    meter_stop: int
    offline: bool
    unknown_id: TransactionId | None
    clock_set: bool

    @property
    def tag(self) -> str:
        return f"TAG{self.station}{self.connector}"

    def told(self) -> list[Event]:
        """Start, one sample, stop; their ids and arrivals are filled in when they are heard."""
        clock = NOON if self.clock_set else DEAD
        half = str(Decimal(self.meter_start + self.meter_stop) / 2000)
        return [
            start(self.start_min, station=self.station, connector=self.connector, tag=self.tag,
                  meter=self.meter_start, clock=clock),
            sample((self.start_min + self.end_min) / 2, half, station=self.station, connector=self.connector,
                   transaction=self.unknown_id, clock=clock),
            stop(self.end_min, station=self.station, tag=self.tag, meter=self.meter_stop,
                 transaction=self.unknown_id, clock=clock),
        ]  # fmt: skip

    def is_billed(self, bill: Bill) -> bool:
        energy = Decimal(self.meter_stop - self.meter_start) / 1000
        times = not self.clock_set or (bill.start, bill.end) == (at(self.start_min), at(self.end_min))
        return bill.energy_kwh == energy and times


@st.composite
def days(draw: st.DrawFn) -> list[Charge]:
    """Up to two charges on each of four connectors, one after the other, meters counting on."""
    charges: list[Charge] = []
    for station in STATIONS:
        clock_set = draw(st.integers(0, 3)) > 0
        for connector in (1, 2):
            clock, meter = draw(st.integers(0, 50)), draw(st.integers(0, 10**6))
            for _ in range(draw(st.integers(0, 2))):
                length, energy = draw(st.integers(2, 300)), draw(st.integers(0, 60_000))
                unknown_id = draw(st.sampled_from(UNKNOWN_IDS))
                charges.append(Charge(station, connector, clock, clock + length, meter, meter + energy,
                                      draw(st.booleans()), unknown_id, clock_set))  # fmt: skip
                clock, meter = clock + length + draw(st.integers(1, 100)), meter + energy + 1
    return charges


@often
@given(days(), st.randoms(use_true_random=False))
def test_every_charge_is_billed_right_in_any_order_with_twins_and_restarts(
    charges: list[Charge], rng: random.Random
) -> None:
    heard = [(charge, event) for charge in charges for event in charge.told()]
    heard += rng.sample(heard, rng.randint(0, len(heard)))
    rng.shuffle(heard)
    stored: list[Event] = []
    books, next_id = {name: blank(name) for name in STATIONS}, 1
    for number, (charge, event) in enumerate(heard):
        if rng.random() < 0.1:
            books = {name: settled(name, stored) for name in STATIONS}
        event = replace(event, arrival=at(2000 + number))
        if event.kind != "start" and not charge.offline:
            event = replace(event, transaction=_answered(books[charge.station], charge, charge.unknown_id))
        applied = apply(books[charge.station], event, next_id=next_id)
        books[charge.station], next_id = applied.book, applied.next_id
        stored.append(applied.event)
    bills = {key: charge.bill for book in books.values() for key, charge in book.transactions.items()}
    assert len(bills) == len(charges)
    assert all(charge.is_billed(bills[start_key(charge.told()[0])]) for charge in charges)
    assert not any(book.orphans for book in books.values())
    given_ids = [charge.id for book in books.values() for charge in book.transactions.values()]
    assert len(set(given_ids)) == len(charges)


def _answered(book: Book, charge: Charge, otherwise: TransactionId | None) -> TransactionId | None:
    """The id that the charger got for its start, if it had told it by now."""
    known = book.transactions.get(start_key(charge.told()[0]))
    return otherwise if known is None else known.id
