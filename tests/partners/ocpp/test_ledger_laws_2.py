"""What holds for every order, every repetition and every way to tell a transaction of 2.x."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from partners.ocpp.events import Event, Flag, Part, Transaction
from partners.ocpp.ledger import apply, blank, settle, settled
from tests.partners.ocpp.ledger_laws import (
    STATIONS,
    assert_nothing_is_dated_after_it_was_heard,
    assert_nothing_is_negative,
    assert_one_by_one_is_all_at_once,
    assert_order_and_repetition_change_nothing,
)
from tests.partners.ocpp.said import NOON, at, part
from tests.partners.ocpp.test_ledger_laws import (
    anything,
    arrivals,
    clocks,
    minutes,
    sometimes,
    stations,
    tags,
)

IDS = ("T1", "T2", "0")

seldom = settings(max_examples=150, deadline=None, database=None, derandomize=True)
registers = st.lists(st.sampled_from(["1", "2.5", "4", "10"]), max_size=3)
wh = st.one_of(st.none(), st.integers(0, 12).map(lambda kwh: Decimal(kwh * 1000)))
parts = st.builds(
    part,
    minutes,
    st.sampled_from(["Started", "Updated", "Updated", "Ended"]),
    station=stations,
    transaction=st.sampled_from(IDS),
    connector=st.sampled_from([None, None, 1, 2, 1001]),
    tag=st.one_of(st.none(), tags),
    kwh=registers,
    arrival=arrivals,
    clock=clocks,
    seq=st.sampled_from([None, 0, 0, 1, 2, 5]),
    state=st.sampled_from([None, "EVConnected", "Charging", "SuspendedEV", "Idle", "Nonsense"]),
    pays=st.booleans(),
    refused=st.booleans(),
    first_wh=wh,
    last_wh=wh,
    marked=st.frozensets(st.sampled_from(["first", "last"])),
    socketed=st.booleans(),
)
reports = st.one_of(parts, parts, parts, anything)


@sometimes
@given(st.lists(reports, max_size=10), st.randoms(use_true_random=False), st.booleans())
def test_any_order_and_any_repetition_of_parts_settle_alike(
    events: list[Event], rng: random.Random, late: bool
) -> None:
    assert_order_and_repetition_change_nothing(events, rng, late=late)


@sometimes
@given(st.lists(reports, max_size=12))
def test_parts_one_by_one_are_the_same_as_all_at_once(events: list[Event]) -> None:
    assert_one_by_one_is_all_at_once(events)


@sometimes
@given(st.lists(reports, max_size=10))
def test_no_part_makes_time_or_energy_negative_or_ends_what_it_does_not_name(events: list[Event]) -> None:
    ended = {
        (event.station, event.transaction) for event in events if event.part is not None and event.part.type == "Ended"
    }
    for charge in assert_nothing_is_negative(events):
        if charge.key.named:
            assert (charge.ending == "stop") == ((charge.station, charge.key.named) in ended)


@sometimes
@given(st.lists(reports, max_size=10))
def test_no_part_is_dated_after_it_was_heard(events: list[Event]) -> None:
    assert_nothing_is_dated_after_it_was_heard(events)


@dataclass(frozen=True)
class Charge:
    """What really happened: energy in whole kWh by the meter, a register a minute; when a card was shown."""

    station: str
    transaction: str
    connector: int
    begins: int
    shown_after: int
    kwh: list[int]

    @property
    def tag(self) -> str:
        return f"TAG{self.transaction}"

    def told(self, draw: st.DrawFn) -> list[Event]:
        """One way to tell it: when the token and the EVSE are named, how samples are grouped, how messages count."""
        cuts = sorted(draw(st.sets(st.integers(1, max(1, len(self.kwh) - 1)), max_size=3)) | {len(self.kwh)})
        shown = min(self.shown_after, len(cuts))
        told, first = [self._part(0, "Started", kwh=[], first_wh=Decimal(self.kwh[0] * 1000))], 0
        for cut in cuts:
            told.append(self._part(cut, "Updated", kwh=[str(value) for value in self.kwh[first:cut]], state="Charging"))
            first = cut
        told.append(self._part(len(self.kwh) + 1, "Ended", kwh=[], last_wh=Decimal(self.kwh[-1] * 1000)))
        told[shown] = replace(told[shown], id_tag=self.tag)
        place = draw(st.integers(0, len(told) - 2))
        told[place] = replace(told[place], connector=self.connector)
        stopper = replace(told[-1], id_tag=draw(st.sampled_from([None, self.tag, "SOMEBODY"])))
        told[-1] = replace(stopper, part=replace(_part_of(stopper), pays=False))
        counts = draw(st.sampled_from(["zero", "right", "backwards", "none"]))
        return [_counted(event, counts, number) for number, event in enumerate(told)]

    def _part(
        self,
        minute: int,
        kind: Literal["Started", "Updated", "Ended"],
        *,
        kwh: list[str],
        state: str | None = None,
        first_wh: Decimal | None = None,
        last_wh: Decimal | None = None,
    ) -> Event:
        marked: frozenset[Literal["first", "last"]] = frozenset({"first", "last"})
        return part(
            self.begins + minute, kind, station=self.station, transaction=self.transaction, kwh=kwh, state=state,
            first_wh=first_wh, last_wh=last_wh, marked=marked,
        )  # fmt: skip

    def is_billed(self, charge: Transaction) -> bool:
        energy = Decimal(self.kwh[-1] - self.kwh[0])
        end = at(self.begins + len(self.kwh) + 1)
        told = (charge.energy_kwh, charge.start, charge.end, charge.id_tag, charge.connector, charge.ending)
        return told == (energy, at(self.begins), end, self.tag, self.connector, "stop")


def _part_of(event: Event) -> Part:
    assert event.part is not None
    return event.part


def _counted(event: Event, counts: str, number: int) -> Event:
    seq = {"zero": 0, "right": number, "backwards": 99 - number, "none": None}[counts]
    return replace(event, part=replace(_part_of(event), seq=seq))


@st.composite
def days(draw: st.DrawFn) -> list[tuple[Charge, list[Event]]]:
    """Charges one after the other on two connectors of two stations, which name their transactions alike."""
    charges: list[tuple[Charge, list[Event]]] = []
    for station in STATIONS:
        for connector in (1, 2):
            clock = draw(st.integers(0, 20))
            for number in range(draw(st.integers(0, 2))):
                steps = draw(st.lists(st.integers(0, 3), min_size=2, max_size=6))
                kwh = [sum(steps[: place + 1]) + 5 for place in range(len(steps))]
                charge = Charge(station, f"{connector}-{number}", connector, clock, draw(st.integers(0, 3)), kwh)
                charges.append((charge, charge.told(draw)))
                clock += len(kwh) + 1 + draw(st.integers(1, 20))
    return charges


@seldom
@given(days(), st.randoms(use_true_random=False))
def test_however_a_transaction_is_told_its_bill_is_right(
    told: list[tuple[Charge, list[Event]]], rng: random.Random
) -> None:
    heard = [event for _, events in told for event in events]
    heard += rng.sample(heard, rng.randint(0, len(heard)))
    rng.shuffle(heard)
    books = {name: blank(name) for name in STATIONS}
    stored: list[Event] = []
    for number, event in enumerate(heard):
        if rng.random() < 0.1:
            books = {name: settled(name, stored) for name in STATIONS}
        event = replace(event, arrival=at(2000 + number))
        applied = apply(books[event.station], event, next_id=1)
        books[event.station] = applied.book
        assert applied.next_id == 1, "an id of ours was given"
        stored.append(applied.event)
    charges = {(c.station, c.key.named): c for book in books.values() for c in book.transactions.values()}
    assert len(charges) == len(told)
    assert all(charge.is_billed(charges[charge.station, charge.transaction]) for charge, _ in told)
    assert not any(Flag.PARTS_MISSING in charge.flags for charge in charges.values())
    assert not any(book.orphans for book in books.values())


def test_a_gap_in_the_count_is_said_and_filled_again() -> None:
    book = blank("CP1")
    for seq, type_ in ((0, "Started"), (2, "Updated"), (3, "Ended")):
        book = apply(book, part(seq, type_, tag="A", seq=seq), next_id=1).book  # type: ignore[arg-type]
    (charge,) = book.transactions.values()
    assert Flag.PARTS_MISSING in charge.flags

    book = apply(book, part(1, "Updated", seq=1), next_id=1).book

    (charge,) = book.transactions.values()
    assert Flag.PARTS_MISSING not in charge.flags


def test_what_is_heard_of_a_transaction_alone_is_enough_for_a_bill() -> None:
    (charge,) = settle([part(60, "Ended", kwh=["3", "9"], tag="A", pays=False)])
    assert (charge.energy_kwh, charge.start, charge.end) == (Decimal(6), at(60), at(60))
    assert {Flag.BEGIN_MISSING, Flag.METER_START_MISSING} <= charge.flags
    assert (charge.id_tag, charge.stopped_by) == ("", "A")


def test_a_refused_token_does_not_pay_once_another_is_taken() -> None:
    told = [part(0, tag="BAD", refused=True), part(5, "Updated", tag="GOOD"), part(9, "Updated", tag="LATER")]
    (charge,) = settle(told)
    assert (charge.id_tag, charge.start) == ("GOOD", NOON)
