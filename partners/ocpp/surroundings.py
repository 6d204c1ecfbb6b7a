"""What happened around the charges of one station, sorted once: samples, other starts, Available, boots."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

from partners.ocpp.events import Event, Flag, StartKey
from partners.ocpp.facts import Facts
from partners.ocpp.matching import owners
from partners.ocpp.readings import Reading, SignedValue, is_credible

T = TypeVar("T")

AHEAD: Final = timedelta(minutes=5)
FAR_AHEAD: Final = timedelta(days=1)
"""A clock this far ahead is as wrong as one in 1970. By one that is less so, a station's events keep their order."""

DAWN: Final = datetime.min.replace(tzinfo=UTC)
_NOTHING: Final = Decimal("-Infinity")


class Sample(NamedTuple):
    """A reading with the time it counts for, and the order it has by the charger's own clock."""

    order: tuple[datetime, tuple[Decimal, ...]]
    at: datetime
    named: bool
    reading: Reading


@dataclass(slots=True)
class Sampled:
    """All that the meter said about one charge. A moment told twice under two ids is one moment."""

    found: dict[object, Sample] = field(default_factory=dict)
    signed: set[SignedValue] = field(default_factory=set)
    flags: set[Flag] = field(default_factory=set)

    def in_order(self) -> list[Sample]:
        """The samples in the order of the meter's life."""
        return sorted(self.found.values(), key=lambda sample: sample.order)


class Surroundings:
    """`now` is the moment up to which silence is judged; None judges none."""

    def __init__(self, facts: Facts, now: datetime | None) -> None:
        self.now = now
        self.boots = sorted(event.arrival for event in facts.boots.values())
        self._facts = facts
        self._owner = owners(facts.starts)
        # What may be at any connector is not the one before or after another.
        placed = {key: start for key, start in facts.starts.items() if start.connector or not key.named}
        self._lanes = _sorted_lanes((start.connector, (moment(start.event)[0], key)) for key, start in placed.items())
        self._began = _sorted_lanes((start.connector, happened(start.event)) for start in placed.values())
        self._free = _sorted_lanes((event.connector or 0, dated(event)[0]) for event in facts.available.values())
        self._sampled: dict[StartKey, Sampled] | None = None

    def touched(self, event: Event) -> set[StartKey]:
        """The charges that a sample, a status or a boot can change."""
        if event.kind == "boot":
            return set(self._facts.starts)
        if event.kind == "meter":
            moments = [event.arrival, *(_clock_time(event, reading) for reading in event.readings)]
            return {key for at in moments if (key := self._owner_of(event, at)) is not None}
        return {key for _, key in self._lanes.get(event.connector or 0, ())}

    def sampled(self, key: StartKey) -> Sampled:
        """What the meter said about `key`."""
        if self._sampled is None:
            self._sampled = self.shared_out(self._facts.samples.values())
        return self._sampled.get(key) or Sampled()

    def next_start(self, key: StartKey) -> datetime | None:
        """When the next charge began on the connector of `key`; the clock may have been set right in between."""
        start = self._facts.starts[key]
        lane = self._began.get(start.connector, [])
        following = bisect_right(lane, happened(start.event))
        return lane[following] if following < len(lane) else None

    def known_until(self, arrival: datetime) -> datetime | None:
        """The newest time of a start or stop that had arrived by then, of a clock that was right."""
        events = [start.event for start in self._facts.starts.values()]
        events += [stop.event for stop in self._facts.stops.values()]
        right = (event for event in events if trusts_clock(event) and not runs_ahead(event))
        times = (event.said for event in right if event.arrival <= arrival)
        return max((min(said, arrival) for said in times if said is not None), default=None)

    def unplugged(self, key: StartKey, since: datetime) -> datetime | None:
        """When the connector of `key` was first Available after `since`."""
        times = self._free.get(self._facts.starts[key].connector, [])
        following = bisect_right(times, since)
        return times[following] if following < len(times) else None

    def _owner_of(self, event: Event, at: datetime) -> StartKey | None:
        """Whose sample this is: the charge it names, else the one that last began on its connector."""
        named = None if event.transaction is None else self._owner.get(event.transaction)
        if named is not None:
            return named
        lane = self._lanes.get(event.connector or 0, [])
        begun = bisect_right(lane, at, key=lambda entry: entry[0])
        return lane[begun - 1][1] if begun else None

    def shared_out(self, events: Iterable[Event]) -> dict[StartKey, Sampled]:
        """What `events` say about each charge."""
        sampled: dict[StartKey, Sampled] = defaultdict(Sampled)
        for event in events:
            self._share_out(event, sampled)
        return sampled

    def _share_out(self, event: Event, sampled: dict[StartKey, Sampled]) -> None:
        named = event.transaction is not None and event.transaction in self._owner
        concerned: set[StartKey | None] = set()
        for reading in event.readings:
            sample = sample_of(event, reading, named=named)
            key = self._owner_of(event, _clock_time(event, reading))
            concerned.add(key)
            if key is not None:
                known_as = reading if reading.at is not None else (event.arrival, reading)
                known = sampled[key].found.get(known_as)
                sampled[key].found[known_as] = sample if known is None else max(sample, known, key=_firmest)
        for key in concerned or {self._owner_of(event, event.arrival)}:
            if key is not None:
                sampled[key].signed.update(event.signed)
                sampled[key].flags.update(event.flags)


def moment(event: Event) -> tuple[datetime, frozenset[Flag]]:
    """When `event` happened by the clock of its charger, if that can be, and what is odd about it."""
    said = event.said
    if said is None:
        return event.arrival, frozenset({Flag.TIME_UNREADABLE} if event.timestamp is not None else ())
    if not is_credible(said):
        return event.arrival, frozenset({Flag.CLOCK_BEFORE_2010})
    odd = frozenset({Flag.CLOCK_AHEAD} if runs_ahead(event) else ())
    return (said if trusts_clock(event) else event.arrival), odd


def dated(event: Event) -> tuple[datetime, frozenset[Flag]]:
    """The same, as it is told to others: what a clock that runs ahead says is dated by its arrival."""
    at, odd = moment(event)
    return (event.arrival if runs_ahead(event) else at), odd


def runs_ahead(event: Event) -> bool:
    """Is it dated so long after its arrival that the clock is wrong?"""
    said = event.said
    return said is not None and is_credible(said) and said > event.arrival + AHEAD


def happened(event: Event) -> datetime:
    """When `event` happened at the latest: what a clock that runs ahead dates later had been heard before."""
    return min(moment(event)[0], event.arrival)


def trusts_clock(event: Event) -> bool:
    """Is the charger's own time of `event` the one that counts?"""
    said = event.said
    return said is not None and is_credible(said) and said <= event.arrival + FAR_AHEAD


def sample_time(event: Event, reading: Reading, *, ahead: timedelta = AHEAD) -> datetime:
    """When `reading` was taken: its own time if that can be, else when its message arrived.

    `ahead`: by how much the clock may be.
    """
    at = reading.at
    return at if at is not None and is_credible(at) and at <= event.arrival + ahead else event.arrival


def _clock_time(event: Event, reading: Reading) -> datetime:
    """The same, in the order of what else the charger's clock dates."""
    return sample_time(event, reading, ahead=FAR_AHEAD)


def sample_of(event: Event, reading: Reading, *, named: bool) -> Sample:
    fields = (reading.energy_kwh, reading.step_kwh, reading.power_kw, reading.current_a, reading.voltage, reading.soc)
    order = (reading.at or DAWN, tuple(_NOTHING if value is None else value for value in fields))
    return Sample(order, sample_time(event, reading), named, reading)


def _firmest(sample: Sample) -> tuple[bool, datetime]:
    return sample.named, sample.at


def _sorted_lanes(entries: Iterable[tuple[int, T]]) -> dict[int, list[T]]:
    """By connector, each in order."""
    lanes: dict[int, list[Any]] = defaultdict(list)
    for connector, entry in entries:
        lanes[connector].append(entry)
    for lane in lanes.values():
        lane.sort()
    return dict(lanes)
