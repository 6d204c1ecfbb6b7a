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
from partners.ocpp.matching import Start
from partners.ocpp.meter import counts_kwh_as_wh, rising
from partners.ocpp.readings import Reading, SignedValue, is_credible

AHEAD: Final = timedelta(minutes=5)
FAR_AHEAD: Final = timedelta(days=1)
"""A clock this far ahead is as wrong as one in 1970."""

SILENCE: Final = timedelta(minutes=30)
"""After a boot: twice the usual sample interval of 15 minutes."""

_DAWN: Final = datetime.min.replace(tzinfo=UTC)


class Sample(NamedTuple):
    """A reading with the time it counts for, and the order it has by the charger's own clock."""

    order: tuple[datetime, Decimal]
    at: datetime
    named: bool
    reading: Reading


class Surroundings:
    """What happened around the charges of one station, sorted once."""

    def __init__(self, facts: Facts, now: datetime | None) -> None:
        """`now` is the moment up to which silence is judged; None judges none."""
        self.now = now
        self.boots = sorted(event.arrival for event in facts.boots.values())
        self._owner = {name: key for key, start in facts.starts.items() for name in start.ids}
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
        if event.transaction in self._owner and event.transaction is not None:
            return self._owner[event.transaction]
        before = [key for began, key in self._lanes.get(event.connector or 0, ()) if began <= at]
        return before[-1] if before else None

    def samples_of(self, key: StartKey) -> tuple[list[Sample], tuple[SignedValue, ...], frozenset[Flag]]:
        """The samples of a charge in the order of its meter's life, its signed values, and their flags."""
        found: list[Sample] = []
        signed: set[SignedValue] = set()
        flags: frozenset[Flag] = frozenset()
        for event in self._samples:
            named = event.transaction is not None and event.transaction in self._owner
            own = [r for r in event.readings if self.owner(event, sample_time(event, r)) == key]
            found += [_sample(event, reading, named) for reading in own]
            if self.owner(event, event.arrival) == key if not own else True:
                signed.update(event.signed)
                flags |= event.flags
        found.sort(key=lambda sample: sample.order)
        return found, _in_order(signed), flags

    def next_start(self, key: StartKey, began: datetime) -> datetime | None:
        """When the next charge began on the connector of `key`."""
        return min(
            (at for at, other in self._lanes[key.connector] if other != key and at > began), default=None
        )

    def unplugged(self, key: StartKey, since: datetime) -> datetime | None:
        """When the connector of `key` was first Available after `since`."""
        times = (moment(event)[0] for event in self._available if event.connector == key.connector)
        return min((at for at in times if at > since), default=None)


def reckon(start: Start, stop: Event | None, flags: frozenset[Flag], around: Surroundings) -> Transaction:
    """The transaction that begins with `start`."""
    began, clock_flags = moment(start.event)
    samples, signed, sample_flags = around.samples_of(start.key)
    flags |= clock_flags | start.event.flags | sample_flags
    if stop is not None:
        ended, stop_flags = moment(stop)
        flags |= stop_flags | stop.flags
        samples = _merged(samples, stop)
        began, end, order_flags = _in_sequence(start.event, stop, began, ended)
        flags |= order_flags
        ending: Literal["open", "stop", "estimated"] = "stop"
    else:
        end_or_none = _estimated_end(start.key, began, samples, around)
        ending = "open" if end_or_none is None else "estimated"
        flags |= frozenset({Flag.ESTIMATED_END} if end_or_none is not None else ())
    final = end if stop is not None else end_or_none
    energy, energy_flags = _energy_kwh(start.event, stop, [sample.reading for sample in samples])
    readings = _between(samples, began, final)
    if counts_kwh_as_wh(readings):
        flags |= {Flag.KWH_LABELLED_WH}
    return Transaction(
        key=start.key,
        id=lowest(start.ids),
        ids=start.ids,
        id_tag=start.event.id_tag or "",
        start=began,
        end=final,
        ending=ending,
        energy_kwh=energy,
        meter_start_wh=start.event.meter_wh,
        meter_stop_wh=None if stop is None else stop.meter_wh,
        stopped_by=None if stop is None else stop.id_tag,
        reason=None if stop is None else stop.reason,
        readings=readings,
        signed=_in_order({*signed, *start.event.signed, *(stop.signed if stop is not None else ())}),
        flags=flags | energy_flags,
    )


def moment(event: Event) -> tuple[datetime, frozenset[Flag]]:
    """When `event` happened, as far as anyone knows, and what is odd about its clock."""
    said = event.said
    if said is None:
        odd = event.timestamp is not None
        return event.arrival, frozenset({Flag.TIME_UNREADABLE} if odd else ())
    if not is_credible(said):
        return event.arrival, frozenset({Flag.CLOCK_BEFORE_2010})
    if said > event.arrival + FAR_AHEAD:
        return event.arrival, frozenset({Flag.CLOCK_AHEAD})
    return said, frozenset({Flag.CLOCK_AHEAD} if said > event.arrival + AHEAD else ())


def sample_time(event: Event, reading: Reading) -> datetime:
    """When `reading` was taken: its own time if that can be, else when its message arrived."""
    at = reading.at
    return at if at is not None and is_credible(at) and at <= event.arrival + FAR_AHEAD else event.arrival


def _sample(event: Event, reading: Reading, named: bool) -> Sample:
    order = (reading.at or _DAWN, reading.energy_kwh or Decimal(0))
    return Sample(order, sample_time(event, reading), named, reading)


def _merged(samples: list[Sample], stop: Event) -> list[Sample]:
    """The samples together with the stop's own (transactionData), each once."""
    known = {sample.reading for sample in samples}
    more = [_sample(stop, reading, True) for reading in stop.readings if reading not in known]
    return sorted([*samples, *more], key=lambda sample: sample.order)


def _in_sequence(
    start: Event, stop: Event, began: datetime, ended: datetime
) -> tuple[datetime, datetime, frozenset[Flag]]:
    """Start and end without a negative duration: a time of arrival gives way to one that the charger said."""
    if ended >= began:
        return began, ended, frozenset()
    if began == start.arrival and ended != stop.arrival:
        return ended, ended, frozenset()
    guessed = ended == stop.arrival
    return began, began, frozenset() if guessed else frozenset({Flag.STOP_BEFORE_START})


def _estimated_end(
    key: StartKey, began: datetime, samples: list[Sample], around: Surroundings
) -> datetime | None:
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


def _between(samples: list[Sample], began: datetime, end: datetime | None) -> tuple[Reading, ...]:
    inside = [sample for sample in samples if began <= sample.at and (end is None or sample.at <= end)]
    return tuple(
        replace(sample.reading, at=sample.at) for sample in sorted(inside, key=lambda s: (s.at, s.order))
    )


def _in_order(signed: Iterable[SignedValue]) -> tuple[SignedValue, ...]:
    return tuple(sorted(signed, key=lambda value: (value.at or _DAWN, value.context, value.data)))


def _kwh(meter_wh: Decimal | None) -> Decimal | None:
    return None if meter_wh is None else meter_wh / 1000


def lowest(ids: frozenset[TransactionId]) -> TransactionId | None:
    return min(ids, key=lambda name: (str(type(name)), name), default=None)
