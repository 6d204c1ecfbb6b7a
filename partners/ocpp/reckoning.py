"""From one start, its stop if any, and what happened around it, to one transaction: times, energy, flags.

Times are the charger's where its clock was set, else those of arrival; one of each kind never makes a
negative duration. Energy is meterStop - meterStart; see `ledger.py` for when it is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from partners.ocpp.events import Event, Flag, StartKey, Transaction, TransactionId
from partners.ocpp.facts import Facts
from partners.ocpp.matching import Start, owners
from partners.ocpp.meter import counts_kwh_as_wh, rising
from partners.ocpp.readings import Reading, SignedValue, is_credible

AHEAD: Final = timedelta(minutes=5)
FAR_AHEAD: Final = timedelta(days=1)
"""A clock this far ahead is as wrong as one in 1970."""

SILENCE: Final = timedelta(minutes=30)
"""After a boot: twice the usual sample interval of 15 minutes."""

_NOTHING: Final = Decimal("-Infinity")
_DAWN: Final = datetime.min.replace(tzinfo=UTC)


class Sample(NamedTuple):
    """A reading with the time it counts for, and the order it has by the charger's own clock."""

    order: tuple[datetime, tuple[Decimal, ...]]
    at: datetime
    named: bool
    reading: Reading


class Surroundings:
    """What happened around the charges of one station, sorted once."""

    def __init__(self, facts: Facts, now: datetime | None) -> None:
        """`now` is the moment up to which silence is judged; None judges none."""
        self.now = now
        self.boots = sorted(event.arrival for event in facts.boots.values())
        self._owner = owners(facts.starts)
        self._lanes: dict[int, list[tuple[datetime, StartKey]]] = defaultdict(list)
        for key, start in facts.starts.items():
            self._lanes[key.connector].append((moment(start.event)[0], key))
        for lane in self._lanes.values():
            lane.sort()
        self._samples = facts.samples.values()
        self._available = facts.available.values()

    def touched(self, event: Event) -> set[StartKey]:
        """The charges that a sample, a status or a boot can change."""
        if event.kind == "boot":
            return {key for lane in self._lanes.values() for _, key in lane}
        if event.kind == "meter":
            keys = {self.owner(event, sample_time(event, reading)) for reading in event.readings}
            keys.add(self.owner(event, event.arrival))
            return {key for key in keys if key is not None}
        return {key for _, key in self._lanes.get(event.connector or 0, ())}

    def owner(self, event: Event, at: datetime) -> StartKey | None:
        """Whose sample this is: the charge it names, else the one that last began on its connector."""
        named = None if event.transaction is None else self._owner.get(event.transaction)
        if named is not None:
            return named
        before = [key for began, key in self._lanes.get(event.connector or 0, ()) if began <= at]
        return before[-1] if before else None

    def samples_of(self, key: StartKey) -> tuple[list[Sample], frozenset[SignedValue], frozenset[Flag]]:
        """The samples of a charge in the order of its meter's life, its signed values, and their flags."""
        found: dict[object, Sample] = {}
        signed: set[SignedValue] = set()
        flags: frozenset[Flag] = frozenset()
        for event in self._samples:
            named = event.transaction is not None and self._owner.get(event.transaction) == key
            own = [r for r in event.readings if named or self.owner(event, sample_time(event, r)) == key]
            if not own and self.owner(event, event.arrival) != key:
                continue
            for reading in own:  # a moment told twice under two ids is one moment
                known_as = reading if reading.at is not None else (event.arrival, reading)
                found[known_as] = _sample(event, reading, named)
            signed |= set(event.signed)
            flags |= event.flags
        return sorted(found.values(), key=lambda sample: sample.order), frozenset(signed), flags

    def next_start(self, key: StartKey, began: datetime) -> datetime | None:
        """When the next charge began on the connector of `key`."""
        return min((at for at, other in self._lanes[key.connector] if other != key and at > began), default=None)

    def unplugged(self, key: StartKey, since: datetime) -> datetime | None:
        """When the connector of `key` was first Available after `since`."""
        times = (moment(event)[0] for event in self._available if event.connector == key.connector)
        return min((at for at in times if at > since), default=None)


class Span(NamedTuple):
    """From when to when, and how that is known."""

    start: datetime
    end: datetime | None
    ending: Literal["open", "stop", "estimated"]
    flags: frozenset[Flag]


def reckon(start: Start, stop: Event | None, flags: frozenset[Flag], around: Surroundings) -> Transaction:
    """The transaction that begins with `start`."""
    samples, signed, sample_flags = around.samples_of(start.key)
    said = (start.event,) if stop is None else (start.event, stop)
    samples = samples if stop is None else _merged(samples, stop)
    span = _span(start, stop, samples, around)
    readings = _between(samples, span)
    energy, energy_flags = _energy_kwh(start.event, stop, [sample.reading for sample in samples])
    flags = flags.union(sample_flags, span.flags, energy_flags, *(event.flags for event in said))
    if span.end is not None and counts_kwh_as_wh(readings):  # judged once, it costs more than all the rest
        flags |= {Flag.KWH_LABELLED_WH}
    return Transaction(
        key=start.key,
        id=lowest(start.ids),
        ids=start.ids,
        id_tag=start.event.id_tag or "",
        start=span.start,
        end=span.end,
        ending=span.ending,
        energy_kwh=energy,
        meter_start_wh=start.event.meter_wh,
        meter_stop_wh=None if stop is None else stop.meter_wh,
        stopped_by=None if stop is None else stop.id_tag,
        reason=None if stop is None else stop.reason,
        readings=readings,
        signed=_in_order(signed.union(*(event.signed for event in said))),
        flags=flags,
    )


def moment(event: Event) -> tuple[datetime, frozenset[Flag]]:
    """When `event` happened, as far as anyone knows, and what is odd about its clock."""
    said = event.said
    if said is None:
        return event.arrival, frozenset({Flag.TIME_UNREADABLE} if event.timestamp is not None else ())
    if not is_credible(said):
        return event.arrival, frozenset({Flag.CLOCK_BEFORE_2010})
    odd = frozenset({Flag.CLOCK_AHEAD} if said > event.arrival + AHEAD else ())
    return (said if trusts_clock(event) else event.arrival), odd


def trusts_clock(event: Event) -> bool:
    """Is the charger's own time of `event` the one that counts?"""
    said = event.said
    return said is not None and is_credible(said) and said <= event.arrival + FAR_AHEAD


def sample_time(event: Event, reading: Reading) -> datetime:
    """When `reading` was taken: its own time if that can be, else when its message arrived."""
    at = reading.at
    return at if at is not None and is_credible(at) and at <= event.arrival + FAR_AHEAD else event.arrival


def _sample(event: Event, reading: Reading, named: bool) -> Sample:
    fields = (reading.energy_kwh, reading.step_kwh, reading.power_kw, reading.current_a, reading.voltage, reading.soc)
    order = (reading.at or _DAWN, tuple(_NOTHING if value is None else value for value in fields))
    return Sample(order, sample_time(event, reading), named, reading)


def _merged(samples: list[Sample], stop: Event) -> list[Sample]:
    """The samples together with the stop's own (transactionData), each once."""
    known = {sample.reading for sample in samples}
    more = [_sample(stop, reading, True) for reading in stop.readings if reading not in known]
    return sorted([*samples, *more], key=lambda sample: sample.order)


def _span(start: Start, stop: Event | None, samples: list[Sample], around: Surroundings) -> Span:
    """Start and end. Never a negative duration: a time of arrival gives way to one that the charger said."""
    began, flags = moment(start.event)
    if stop is None:
        end = _estimated_end(start.key, began, samples, around)
        if end is None:
            return Span(began, None, "open", flags)
        return Span(began, end, "estimated", flags | {Flag.ESTIMATED_END})
    ended, more = moment(stop)
    flags |= more
    if ended >= began:
        return Span(began, ended, "stop", flags)
    if not trusts_clock(start.event) and trusts_clock(stop):
        return Span(ended, ended, "stop", flags)
    odd = {Flag.STOP_BEFORE_START} if trusts_clock(start.event) and trusts_clock(stop) else set()
    return Span(began, began, "stop", flags | odd)


def _estimated_end(key: StartKey, began: datetime, samples: list[Sample], around: Surroundings) -> datetime | None:
    """When a charge without a stop was over at the latest, or None while it may go on."""
    alive = max([began, *(sample.at for sample in samples if sample.named)])
    ends = [at for at in (around.unplugged(key, alive),) if at is not None]
    following = around.next_start(key, began)
    if following is not None:
        ends.append(min(alive, following))
    interrupted = any(boot > alive for boot in around.boots)
    if interrupted and around.now is not None and around.now - max(around.boots) >= SILENCE:
        ends.append(alive)
    return min(ends, default=None)


def _energy_kwh(start: Event, stop: Event | None, readings: list[Reading]) -> tuple[Decimal, frozenset[Flag]]:
    registers = [reading.energy_kwh for reading in readings if reading.energy_kwh is not None]
    first, last = _kwh(start.meter_wh), _kwh(stop.meter_wh) if stop is not None else None
    flags = {Flag.METER_START_MISSING} if first is None else set()
    if stop is not None and last is None:
        flags.add(Flag.METER_STOP_MISSING)
    if first is not None and last is not None and last >= first:
        return last - first, frozenset(flags)
    ends = [value for value in (last,) if value is not None]
    energy, fell = rising([*([first] if first is not None else []), *registers, *ends])
    if fell:
        flags.add(Flag.METER_FELL)
    steps = sum((reading.step_kwh for reading in readings if reading.step_kwh is not None), Decimal(0))
    return (steps if not registers and last is None else energy), frozenset(flags)


def _between(samples: list[Sample], span: Span) -> tuple[Reading, ...]:
    inside = [s for s in samples if span.start <= s.at and (span.end is None or s.at <= span.end)]
    inside.sort(key=lambda sample: (sample.at, sample.order))
    return tuple(
        sample.reading if sample.reading.at == sample.at else replace(sample.reading, at=sample.at) for sample in inside
    )


def _in_order(signed: Iterable[SignedValue]) -> tuple[SignedValue, ...]:
    return tuple(sorted(signed, key=lambda value: (value.at or _DAWN, value.context, value.data)))


def _kwh(meter_wh: Decimal | None) -> Decimal | None:
    return None if meter_wh is None else meter_wh / 1000


def lowest(ids: frozenset[TransactionId]) -> TransactionId | None:
    return min(ids, key=lambda name: (str(type(name)), name), default=None)
