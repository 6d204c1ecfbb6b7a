"""What the ledger owes whatever it is told, as assertions over any list of events."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from partners.ocpp.events import Event, Transaction
from partners.ocpp.ledger import apply, blank, expire, settle, settled
from partners.ocpp.surroundings import AHEAD
from tests.partners.ocpp.said import NOON, at

STATIONS = ("CP1", "CP2")


def assert_order_and_repetition_change_nothing(events: list[Event], rng: random.Random, *, late: bool) -> None:
    """`late`: judged long after it was told."""
    now = at(300) if late else None
    repeats = [replace(event, arrival=event.arrival + timedelta(hours=1)) for event in events if event.kind != "boot"]
    told = [*events, *rng.sample(repeats, rng.randint(0, len(repeats)))]
    rng.shuffle(told)
    assert settle(told, now=now) == settle(events, now=now)


def assert_one_by_one_is_all_at_once(events: list[Event]) -> None:
    """Of the stations in `STATIONS`."""
    books, stored, next_id = {name: blank(name) for name in STATIONS}, [], 100
    for event in events:
        applied = apply(books[event.station], event, next_id=next_id)
        books[event.station], next_id = applied.book, applied.next_id
        stored.append(applied.event)
    for name, book in books.items():
        assert expire(book, now=at(300))[0].transactions == settled(name, stored, now=at(300)).transactions


def assert_nothing_is_negative(events: list[Event]) -> Sequence[Transaction]:
    """Neither time nor energy. Returns: the charges."""
    charges = settle(events, now=at(300))
    for charge in charges:
        assert charge.energy_kwh >= 0
        assert charge.end is None or charge.end >= charge.start
    return charges


def assert_nothing_is_dated_after_it_was_heard(events: list[Event]) -> None:
    """By more than a clock may be ahead unseen."""
    latest = max((event.arrival for event in events), default=NOON) + AHEAD
    for charge in settle(events, now=at(300)):
        assert charge.start <= latest
        assert charge.end is None or charge.end <= latest
        assert all(reading.at is None or reading.at <= latest for reading in charge.readings)
