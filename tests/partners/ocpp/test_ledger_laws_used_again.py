"""What holds for every order in which a charger of 2.x tells of charges that it calls alike."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from partners.ocpp import used_again
from partners.ocpp.events import Event, Flag, Transaction
from partners.ocpp.ledger import Book, apply, blank, settled
from partners.ocpp.shared_anew import named_anew
from tests.partners.ocpp.said import at, part, stamp
from tests.partners.ocpp.test_ledger_laws import sometimes

ID = "1"


@dataclass(frozen=True)
class Charge:
    """What really happened at an EVSE; registers in kWh, one a minute."""

    evse: int
    tag: str
    begins: int
    kwh: tuple[int, ...]

    @property
    def ends(self) -> int:
        return self.begins + len(self.kwh)

    def told(self, counts: str, *, shows: bool = False) -> list[Event]:
        """Started, what was sampled, Ended; each names its EVSE, as charges of one id may go on at several.

        `shows`: its token ends it.
        """
        first, last = Decimal(self.kwh[0] * 1000), Decimal(self.kwh[-1] * 1000)
        told = [part(self.begins, transaction=ID, connector=self.evse, tag=self.tag, first_wh=first)]
        for minute, kwh in enumerate(self.kwh[1:], 1):
            told.append(part(self.begins + minute, "Updated", transaction=ID, connector=self.evse, kwh=[str(kwh)]))
        ender = self.tag if shows else None
        told.append(part(self.ends, "Ended", transaction=ID, connector=self.evse, tag=ender, last_wh=last, pays=False))
        return [_counted(event, counts, number) for number, event in enumerate(told)]

    @property
    def bill(self) -> tuple[object, ...]:
        """All but its times."""
        return (Decimal(self.kwh[-1] - self.kwh[0]), self.tag, self.evse, "stop")

    def is_billed(self, charges: list[Transaction]) -> bool:
        """Exactly once?"""
        times = (at(self.begins), at(self.ends))
        return [bill_of(charge) for charge in charges if (charge.start, charge.end) == times].count(self.bill) == 1


def bill_of(charge: Transaction) -> tuple[object, ...]:
    return (charge.energy_kwh, charge.id_tag, charge.connector, charge.ending)


class Heard:
    """A hub that keeps what it hears, and may be killed at any time."""

    def __init__(self) -> None:
        self.stored: list[Event] = []
        self.book: Book = blank("CP1")

    def hear(self, event: Event, arrival: datetime | None = None) -> None:
        event = replace(event, arrival=arrival or at(2000 + len(self.stored)))
        name = used_again.at_hand(self.book, event)
        if name is None and any(each.transaction == event.transaction for each in self.stored):
            event = used_again.another(event)
        elif name is not None and name != event.transaction:
            event = replace(event, assigned=name)
        if used_again.is_beginning(self.book, event):
            named = named_anew(self.book.facts, event, self.stored)
            others = {each.arrival: replace(each, assigned=name) for each, name in named if name != each.named}
            self.stored = [others.get(each.arrival, each) for each in self.stored]
            self.restart()
        applied = apply(self.book, event, next_id=1)
        self.book = applied.book
        self.stored.append(applied.event)

    def restart(self) -> None:
        self.book = settled("CP1", self.stored)


def _counted(event: Event, counts: str, number: int) -> Event:
    assert event.part is not None
    return replace(event, part=replace(event.part, seq={"zero": 0, "right": number, "none": None}[counts]))


@st.composite
def days(draw: st.DrawFn) -> list[tuple[Charge, list[Event]]]:
    """Charges one after the other at each of two EVSEs, all of them called alike."""
    found: list[tuple[Charge, list[Event]]] = []
    for evse in (1, 2):
        clock, kwh = draw(st.integers(0, 20)), draw(st.integers(0, 50))
        for number in range(draw(st.integers(0, 3))):
            steps = draw(st.lists(st.integers(0, 3), min_size=1, max_size=4))
            registers = [kwh]
            for step in steps:
                registers.append(registers[-1] + step)
            tag = draw(st.sampled_from(["AA", "BB"]))
            charge = Charge(evse, tag, clock, tuple(registers))
            counts, shows = draw(st.sampled_from(["zero", "right", "none"])), draw(st.booleans())
            found.append((charge, charge.told(counts, shows=shows)))
            clock = charge.ends + draw(st.integers(1, 20))
            kwh = draw(st.sampled_from([registers[-1], 0])) + (number % 2)
    return found


@sometimes
@given(days(), st.randoms(use_true_random=False))
def test_charges_that_are_called_alike_are_each_billed_once_in_any_order_with_twins_and_restarts(
    told: list[tuple[Charge, list[Event]]], rng: random.Random
) -> None:
    heard = [event for _, events in told for event in events]
    heard += rng.sample(heard, rng.randint(0, len(heard)))
    rng.shuffle(heard)
    hub = Heard()
    for event in heard:
        if rng.random() < 0.1:
            hub.restart()
        hub.hear(event)
    charges = list(hub.book.transactions.values())
    assert len(charges) == len(told)
    assert all(charge.is_billed(charges) for charge, _ in told)
    assert {charge.id for charge in charges} <= {ID}
    assert sum(Flag.ID_USED_AGAIN in charge.flags for charge in charges) == max(0, len(told) - 1)
    assert settled("CP1", hub.stored).transactions == hub.book.transactions


@sometimes
@given(days())
def test_what_is_told_in_its_order_moves_nothing(told: list[tuple[Charge, list[Event]]]) -> None:
    hub = Heard()
    for event in sorted((event for _, events in told for event in events), key=lambda event: str(event.timestamp)):
        before = list(hub.stored)
        hub.hear(event)
        assert hub.stored[:-1] == before
    assert all(charge.is_billed(list(hub.book.transactions.values())) for charge, _ in told)


@sometimes
@given(days(), st.randoms(use_true_random=False))
def test_a_queue_that_is_replayed_late_makes_no_charge_more(
    told: list[tuple[Charge, list[Event]]], rng: random.Random
) -> None:
    hub = Heard()
    in_order = sorted((event for _, events in told for event in events), key=lambda event: str(event.timestamp))
    for event in in_order:
        hub.hear(event)
    before = hub.book.transactions
    rng.shuffle(in_order)
    for event in in_order:
        hub.hear(event)
    assert hub.book.transactions == before


def ahead(event: Event, minutes: int) -> Event:
    """`event`, as a clock that runs ahead dates it and its readings."""
    by = timedelta(minutes=minutes)
    told = event.said
    assert told is not None
    readings = tuple(replace(each, at=each.at + by) for each in event.readings if each.at is not None)
    return replace(event, timestamp=stamp(told + by), readings=readings)


def as_it_happens(told: list[tuple[Charge, list[Event]]], rng: random.Random) -> Iterator[tuple[datetime, Event]]:
    """Each part with when it is heard: at once, but for what an end overtakes."""
    for _, (started, *between, ended) in told:
        yield started.arrival, started
        overtakes = rng.random() < 0.3
        for event in (ended, *between) if overtakes else (*between, ended):
            yield (ended if overtakes else event).arrival, event


@sometimes
@given(
    days(),
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from([0, 0, 1, 15, 300])), max_size=4),
    st.randoms(use_true_random=False),
)
def test_charges_that_are_told_as_they_happen_are_each_billed_once_however_the_clock_is_moved(
    told: list[tuple[Charge, list[Event]]], moved: list[tuple[int, int]], rng: random.Random
) -> None:
    """`moved`: from these minutes on the clock runs so many ahead. An end may overtake what came before it."""
    hub, said = Heard(), list[Event]()
    for arrival, event in sorted(as_it_happens(told, rng), key=lambda each: each[0]):
        runs_ahead = [by for since, by in sorted(moved) if at(since) <= event.arrival]
        said.append(ahead(event, runs_ahead[-1] if runs_ahead else 0))
        for each in (said[-1], *rng.sample(said, rng.randint(0, 1))):
            if rng.random() < 0.1:
                hub.restart()
            hub.hear(each, arrival + timedelta(milliseconds=len(hub.stored)))
    charges = list(hub.book.transactions.values())
    assert sorted(map(str, map(bill_of, charges))) == sorted(str(charge.bill) for charge, _ in told)
    assert settled("CP1", hub.stored).transactions == hub.book.transactions


NEVER_SET = datetime(2000, 1, 1, tzinfo=UTC)


def by_a_clock_that_stands_still(event: Event) -> Event:
    readings = tuple(replace(each, at=NEVER_SET) for each in event.readings)
    return replace(event, timestamp=stamp(NEVER_SET), readings=readings)


@sometimes
@given(st.lists(st.tuples(st.sampled_from(["AA", "BB"]), st.integers(1, 3), st.booleans()), min_size=1, max_size=4),
       st.randoms(use_true_random=False))  # fmt: skip
def test_charges_by_a_clock_that_stands_still_are_told_apart_by_their_meter_and_a_twin_is_never_another(
    day: list[tuple[str, int, bool]], rng: random.Random
) -> None:
    hub, said, charges, register = Heard(), list[Event](), list[Charge](), 1
    for number, (tag, took, shows) in enumerate(day):
        charges.append(Charge(1, tag, number * 10, (register, register + took, register + took)))
        for event in charges[-1].told("zero", shows=shows):
            said.append(by_a_clock_that_stands_still(event))
            for each in (said[-1], *rng.sample(said, rng.randint(0, min(2, len(said))))):
                hub.hear(each, event.arrival + timedelta(milliseconds=len(hub.stored)))
        register += took
    found = map(bill_of, hub.book.transactions.values())
    assert sorted(map(str, found)) == sorted(str(charge.bill) for charge in charges)
