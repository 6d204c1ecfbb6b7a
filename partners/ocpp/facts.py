"""What one station said, each thing once: the set from which the ledger derives everything.

A fact is known by its content, so a repeat is the same fact. Of repeats the first arrival is kept and ids are
collected; merging is commutative, associative and idempotent, which is why neither order nor repetition can
matter further on.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from partners.ocpp.events import Event, Flag, Part, StartKey, TransactionId, start_key, time_key
from partners.ocpp.gathering import gathered, joined, start_of
from partners.ocpp.matching import Start, Stop, StopKey, stop_key

MOST_SAMPLES: Final = 600
"""One a minute for ten hours; beyond, every second one is left out."""
_NEWEST: Final = 100

Fact = Start | Stop | Event


@dataclass(frozen=True, slots=True)
class Facts:
    """Starts, stops, messages with samples, Available statuses of connectors, and boots of one station."""

    station: str
    starts: Mapping[StartKey, Start] = field(default_factory=dict)
    stops: Mapping[StopKey, Stop] = field(default_factory=dict)
    samples: Mapping[Hashable, Event] = field(default_factory=dict)
    available: Mapping[Hashable, Event] = field(default_factory=dict)
    boots: Mapping[Hashable, Event] = field(default_factory=dict)

    @property
    def mentioned(self) -> set[TransactionId]:
        """Every id under which the station reported a stop or a sample, ours or not."""
        named = {event.transaction for event in self.samples.values() if event.transaction is not None}
        return named.union(*(stop.names for stop in self.stops.values()))

    @classmethod
    def gathered(cls, station: str, events: Iterable[Event]) -> Facts:
        """The facts in `events`; those of other stations are passed over."""
        return cls(station).joined_by(events)

    def joined_by(self, events: Iterable[Event]) -> Facts:
        """These facts and those in `events`; what other stations say is passed over."""
        found: dict[str, Any] = {}
        for event in events:
            for slot, key, fact in _facts(event) if event.station == self.station else ():
                facts = found.setdefault(slot, dict(getattr(self, slot)))
                facts[key] = _merged(facts.get(key), fact)
        return replace(self, **found)

    def with_event(self, event: Event) -> Facts:
        """These facts and that of `event`; the same object when it tells nothing new."""
        changed: dict[str, Any] = {}
        for slot, key, fact in _facts(event):
            facts: Mapping[Hashable, Fact] = getattr(self, slot)
            known = facts.get(key)
            merged = _merged(known, fact)
            if merged != known:
                changed[slot] = {**facts, key: merged}
        return replace(self, **changed) if changed else self

    def with_samples(self, events: Iterable[Event]) -> Facts:
        """These facts and many messages with samples at once."""
        samples = dict(self.samples)
        for event in events:
            key = _sample_key(event)
            known = samples.get(key)
            samples[key] = event if known is None else _first(known, event)
        return replace(self, samples=samples)

    def knows_sample(self, event: Event) -> bool:
        """Was a message with these samples heard before?"""
        return _sample_key(event) in self.samples

    def first_heard(self, event: Event) -> datetime:
        """When the end or the samples that `event` tells were heard first; of what tells neither, its own arrival."""
        known = [getattr(self, slot).get(key) for slot, key, _ in _facts(event) if slot in ("stops", "samples")]
        told = (fact.event if isinstance(fact, Stop) else fact for fact in known if fact is not None)
        return min([event.arrival, *(each.arrival for each in told)])

    def thinned(self) -> Facts:
        """These facts with every second of too many samples left out.

        What a bill without a stop rests on stays: the newest, all steps, and the registers around a fall. Between
        those a register only rises, and the sum of its rising parts does not depend on how many are looked at.
        """
        if len(self.samples) <= MOST_SAMPLES:
            return self
        in_order = sorted(self.samples.items(), key=lambda entry: entry[1].arrival)
        needed = _around_falls([event for _, event in in_order])
        kept = {
            key: event
            for number, (key, event) in enumerate(in_order)
            if number % 2
            or number >= len(in_order) - _NEWEST
            or number in needed
            or any(reading.step_kwh for reading in event.readings)
        }
        return replace(self, samples=kept)

    def without(self, starts: Collection[StartKey], stops: Collection[StopKey], before: datetime) -> Facts:
        """These facts without some starts and stops, their samples, and what else arrived before `before`."""
        ids = frozenset(name for key in starts for name in self.starts[key].ids)
        return replace(
            self,
            starts={key: start for key, start in self.starts.items() if key not in starts},
            stops={key: stop for key, stop in self.stops.items() if key not in stops},
            samples={
                key: event
                for key, event in self.samples.items()
                if event.transaction not in ids and (event.transaction is not None or event.arrival >= before)
            },
            available={key: event for key, event in self.available.items() if event.arrival >= before},
            boots={key: event for key, event in self.boots.items() if event.arrival >= before},
        )


def _facts(event: Event) -> list[tuple[str, Hashable, Fact]]:
    """Where `event` belongs, what it is known by there, and what is kept. Nothing for what tells nothing.

    Of statuses only Available matters: the cable is out. Without a time of its own it is dated by arrival.
    """
    match event.kind:
        case "start":
            key = start_key(event)
            return [("starts", key, Start(key, event, _named(event.assigned)))]
        case "stop":
            stop = stop_key(event)
            return [("stops", stop, Stop(stop, event, _named(event.transaction)))]
        case "meter":
            return [("samples", _sample_key(event), event)]
        case "boot":
            return [("boots", event.arrival, event)]
        case "status" if event.status == "Available" and event.connector:
            return [("available", (event.connector, time_key(event) or event.arrival), event)]
        case "part" if event.part is not None:
            return _facts_of_part(event, event.part)
    return []


def _facts_of_part(event: Event, part: Part) -> list[tuple[str, Hashable, Fact]]:
    """A part of a transaction of 2.x tells of its start whatever it is, of samples if it has any, and of an end."""
    key, known = start_key(event), gathered(event, part)
    ids = frozenset({key.named})
    found: list[tuple[str, Hashable, Fact]] = [("starts", key, Start(key, start_of(key, known), ids, known))]
    if event.readings or event.signed:
        bare = replace(event, kind="meter", id_tag=None, timestamp=None, meter_wh=None, reason=None, part=None)
        sample = replace(bare, transaction=key.named, assigned=None)
        found.append(("samples", _sample_key(sample), sample))
    if part.type == "Ended":
        is_unmarked = part.last_wh is not None and "last" not in part.marked
        flags = event.flags | {Flag.METER_UNMARKED} if is_unmarked else event.flags
        bare = replace(event, kind="stop", meter_wh=part.last_wh, signed=(), flags=flags, part=None)
        stop = replace(bare, transaction=key.named, assigned=None)
        found.append(("stops", stop_key(event), Stop(stop_key(event), stop, ids)))
    return found


def _sample_key(event: Event) -> Hashable:
    return event.connector, event.transaction, event.readings, event.signed


def _around_falls(events: Sequence[Event]) -> set[int]:
    """The places of those before and after which, on the same connector, the register falls."""
    found: set[int] = set()
    last: dict[int | None, tuple[int, Decimal]] = {}
    for place, event in enumerate(events):
        for register in (reading.energy_kwh for reading in event.readings):
            if register is None:
                continue
            before = last.get(event.connector)
            if before is not None and register < before[1]:
                found |= {before[0], place}
            last[event.connector] = (place, register)
    return found


def _merged(known: Fact | None, new: Fact) -> Fact:
    """One fact of two reports of it: the first arrival, all ids; of 2.x, the best that any part said."""
    if isinstance(known, Start) and isinstance(new, Start):
        if known.gathered is not None and new.gathered is not None:
            both = joined(known.gathered, new.gathered)
            return known if both == known.gathered else Start(new.key, start_of(new.key, both), known.ids, both)
        return Start(new.key, _first(known.event, new.event), known.ids | new.ids)
    if isinstance(known, Stop) and isinstance(new, Stop):
        return Stop(new.key, _first(known.event, new.event), known.names | new.names)
    if isinstance(known, Event) and isinstance(new, Event):
        return _first(known, new)
    return new


def _first(known: Event, event: Event) -> Event:
    """Of two reports of one fact the one heard first; the rest decides so that order does not."""
    return min(known, event, key=_by_arrival)


def _by_arrival(event: Event) -> tuple[datetime, str, str, str, str, str]:
    named = (str(event.transaction), str(event.assigned))
    return (event.arrival, event.raw, event.id_tag or "", event.reason or "", *named)


def _named(name: TransactionId | None) -> frozenset[TransactionId]:
    return frozenset() if name is None else frozenset({name})
