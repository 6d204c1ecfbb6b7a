"""From one start, its stop if any, and what happened around it, to one transaction: times, energy, flags.

Times are the charger's where its clock was set, else those of arrival, such that the distance of two times of one wrong
clock stays (`wrong_clock.py`); one of each kind never makes a negative duration. For the energy see `amount.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from partners.ocpp import after_stop, amount, scales, wrong_clock
from partners.ocpp.as_it_happened import longest
from partners.ocpp.beginnings import as_told
from partners.ocpp.events import Event, Flag, Transaction, TransactionId
from partners.ocpp.matching import Start
from partners.ocpp.meter import counts_kwh_as_wh, rising
from partners.ocpp.readings import Reading, SignedValue
from partners.ocpp.scales import Meter
from partners.ocpp.surroundings import (
    DAWN,
    Sample,
    Sampled,
    Surroundings,
    dated,
    moment,
    sample_of,
    trusts_clock,
)

SILENCE: Final = timedelta(minutes=30)
"""After a boot: twice the usual sample interval of 15 minutes."""


class Span(NamedTuple):
    """From when to when, and how that is known."""

    start: datetime
    end: datetime | None
    ending: Literal["open", "stop", "estimated"]
    flags: frozenset[Flag]


class Tally(NamedTuple):
    """How far the samples of a charge that goes on were reckoned, so that later ones are only added.

    `order` and `at` are the last sample's; `register` is the last one that was read, in kWh, `risen` the sum of its
    rising parts, `steps` that of the intervals. `measured`: a sample had a register.
    """

    order: tuple[datetime, tuple[Decimal, ...]]
    at: datetime
    register: Decimal | None
    risen: Decimal
    steps: Decimal
    measured: bool

    @property
    def energy_kwh(self) -> Decimal:
        return self.risen if self.measured else self.steps


def tally(start: Event, samples: list[Sample]) -> Tally | None:
    """The tally of a charge without a stop; None as long as it has no samples."""
    if not samples:
        return None
    first = _kwh(start.meter_wh)
    readings = [sample.reading for sample in samples]
    registers = [reading.energy_kwh for reading in readings if reading.energy_kwh is not None]
    risen, _ = rising([*([first] if first is not None else []), *registers])
    steps = sum((reading.step_kwh for reading in readings if reading.step_kwh is not None), Decimal(0))
    last = registers[-1] if registers else first
    latest = max(sample.at for sample in samples)
    return Tally(samples[-1].order, latest, last, risen, steps, bool(registers))


def grown(charge: Transaction, so_far: Tally, told: Sampled) -> tuple[Transaction, Tally] | None:
    """`charge`, which goes on, with more samples in the order of their arrival.

    None, when they are not all later than those it has: then it must be reckoned as a whole.
    """
    order, at, register, risen, steps, measured = so_far
    flags, readings = told.flags, list(charge.readings)
    for sample in told.found.values():
        if sample.order <= order or sample.at < at or sample.at < charge.start:
            return None
        order, at = sample.order, sample.at
        value, step = sample.reading.energy_kwh, sample.reading.step_kwh
        if value is not None:
            if register is not None and value < register:
                flags.add(Flag.METER_FELL)
            elif register is not None:
                risen += value - register
            register, measured = value, True
        if step is not None:
            steps += step
        readings.append(_dated(sample))
    after = Tally(order, at, register, risen, steps, measured)
    signed = _in_order({*charge.signed, *told.signed}) if told.signed else charge.signed
    flags |= charge.flags
    longer = replace(
        charge, energy_kwh=after.energy_kwh, readings=tuple(readings), signed=signed, flags=frozenset(flags)
    )
    return longer, after


def reckon(start: Start, stop: Event | None, flags: frozenset[Flag], around: Surroundings) -> Transaction:
    """The transaction that begins with `start`."""
    sampled = around.sampled(start.key)
    stop = _marked(start, stop)
    said = (start.event,) if stop is None else (start.event, stop)
    samples = _of_charge(sampled.in_order(), start.event, stop)
    offset = None if stop is None else wrong_clock.offset_of(start.event, stop, samples, around)
    span = _span(start, stop, samples, around, offset)
    if span.ending == "estimated":
        offset = wrong_clock.offset_without_stop(start.event, samples)
    if offset is not None:
        samples = wrong_clock.dated(samples, offset, start.event, stop)
    start = wrong_clock.with_states(start, offset)
    flags = flags.union(sampled.flags, span.flags, *(event.flags for event in said))
    signed = _in_order(sampled.signed.union(*(event.signed for event in said)))
    meter = Meter(start.event, stop, samples)
    apart = scales.apart(meter, span.start, span.end)
    if apart is None:
        return _charge(start, meter, span, flags, signed)
    flags |= {Flag.UNITS_DIFFER}
    smaller = _charge(start, apart.smaller, span, flags, signed)
    larger = _charge(start, apart.larger, span, flags, signed)
    return replace(larger, otherwise=smaller, by_samples=apart.by_samples)


def _charge(
    start: Start, meter: Meter, span: Span, flags: frozenset[Flag], signed: tuple[SignedValue, ...]
) -> Transaction:
    first, stop, samples = meter
    readings = _between(samples, span)
    energy, energy_flags = amount.of(meter)
    flags |= energy_flags
    if span.end is not None and not amount.is_known(start, meter, began=span.start, ended=span.end):
        flags |= {Flag.NOT_MEASURED}
    if span.end is not None and counts_kwh_as_wh(readings):  # judged once, it costs more than all the rest
        flags |= {Flag.KWH_LABELLED_WH}
    number, gathered = lowest(start.ids), start.gathered
    return Transaction(
        key=start.key,
        id=None if number is None else as_told(number),
        ids=start.ids,
        id_tag=start.event.id_tag or "",
        start=span.start,
        end=span.end,
        ending=span.ending,
        energy_kwh=energy,
        meter_start_wh=first.meter_wh,
        meter_stop_wh=None if stop is None else stop.meter_wh,
        stopped_by=None if stop is None else stop.id_tag,
        reason=None if stop is None else stop.reason,
        readings=readings,
        signed=signed,
        flags=flags,
        place=start.connector,
        states=gathered.reported(span.end) if gathered is not None else (),
        begun=tuple(sorted(gathered.begun)) if gathered is not None else (),
        longest=None if stop is None else longest(first, stop, is_guess=Flag.STOP_ID_UNKNOWN in flags),
    )


def _marked(start: Start, stop: Event | None) -> Event | None:
    """The stop, with the register that the charger called that of the end, whichever part of a charge named it."""
    last = start.gathered.last if start.gathered is not None else None
    if stop is None or last is None:
        return stop
    return replace(stop, meter_wh=last[1], flags=stop.flags - {Flag.METER_UNMARKED})


def _merged(samples: list[Sample], stop: Event) -> list[Sample]:
    """The samples together with the stop's own (transactionData, or the meterValue of an Ended), each once."""
    known = {sample.reading for sample in samples}
    more = [sample_of(stop, reading, named=True) for reading in stop.readings if reading not in known]
    return sorted([*samples, *more], key=lambda sample: sample.order)


def _of_charge(samples: list[Sample], start: Event, stop: Event | None) -> list[Sample]:
    return samples if stop is None else after_stop.without_later(_merged(samples, stop), start, stop)


def _span(
    start: Start, stop: Event | None, samples: list[Sample], around: Surroundings, offset: timedelta | None
) -> Span:
    """Start and end. Never a negative duration: a time of arrival gives way to one that the charger said."""
    began, flags = dated(start.event)
    if stop is None:
        end = _estimated_end(start, began, samples, around)
        if end is None:
            return Span(began, None, "open", flags)
        replayed = wrong_clock.offset_without_stop(start.event, samples)
        began = began if replayed is None or start.event.said is None else start.event.said + replayed
        return Span(began, end, "estimated", flags | {Flag.ESTIMATED_END})
    ended, more = dated(stop)
    flags |= more
    if offset is not None:
        flags |= {Flag.CLOCK_AHEAD} if offset < timedelta(0) else set()
        return Span(*wrong_clock.ends_by(offset, start.event, stop, around), "stop", flags)
    if _is_reversed(start.event, stop):
        flags |= {Flag.STOP_BEFORE_START}
    if wrong_clock.is_wrong(start.event) and not wrong_clock.is_wrong(stop):
        return Span(_begun_by(samples, began, ended), ended, "stop", flags)
    if ended >= began:
        return Span(began, ended, "stop", flags)
    if wrong_clock.is_wrong(stop):  # it cannot have ended after it was heard
        return Span(ended, ended, "stop", flags)
    return Span(began, began, "stop", flags)


def _is_reversed(start: Event, stop: Event) -> bool:
    """Does one clock, as it seems, say that it ended before it began?"""
    return trusts_clock(start) and trusts_clock(stop) and moment(stop)[0] < moment(start)[0]


def _begun_by(samples: list[Sample], began: datetime, ended: datetime) -> datetime:
    """When a charge whose clock was set in its middle had begun at the latest: when it was heard, or was sampled."""
    sampled = (sample.at for sample in samples if sample.named and sample.reading.at == sample.at)
    return min([began, ended, *(at for at in sampled if ended - at <= wrong_clock.LONGEST)])


def _estimated_end(start: Start, began: datetime, samples: list[Sample], around: Surroundings) -> datetime | None:
    """When a charge without a stop was over at the latest, or None while it may go on."""
    key, latest = start.key, start.gathered.latest if start.gathered is not None else None
    alive = max([began, *(sample.at for sample in samples if sample.named)])
    if latest is not None and not wrong_clock.is_wrong(start.event):
        alive = max(alive, latest)
    ends = [at for at in (around.unplugged(key, alive),) if at is not None]
    following = around.next_start(key)
    if following is not None:
        ends.append(max(began, min(alive, following)))
    interrupted = any(boot > alive for boot in around.boots)
    if interrupted and around.now is not None and around.now - max(around.boots) >= SILENCE:
        ends.append(alive)
    return min(ends, default=None)


def _between(samples: list[Sample], span: Span) -> tuple[Reading, ...]:
    inside = [s for s in samples if span.start <= s.at and (span.end is None or s.at <= span.end)]
    inside.sort(key=lambda sample: (sample.at, sample.order))
    return tuple(map(_dated, inside))


def _dated(sample: Sample) -> Reading:
    """The reading with the time it counts for."""
    return sample.reading if sample.reading.at == sample.at else replace(sample.reading, at=sample.at)


def _in_order(signed: Iterable[SignedValue]) -> tuple[SignedValue, ...]:
    return tuple(sorted(signed, key=lambda value: (value.at or DAWN, value.context, value.data)))


def _kwh(meter_wh: Decimal | None) -> Decimal | None:
    return None if meter_wh is None else meter_wh / 1000


def lowest(ids: frozenset[TransactionId]) -> TransactionId | None:
    """The one of several ids that a charge goes by."""
    return min(ids, key=lambda name: (str(type(name)), name), default=None)
