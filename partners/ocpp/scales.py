"""Charges whose start and stop count in another unit than their samples: 15 and 25 where the samples say 15 and 25 kWh.

Start and stop are Wh and name no unit; samples may name theirs; chargers mix up either. That the two are a factor of
1000 apart shows in where the samples lie: between start and stop if those are multiplied by it, and far away if not.
Then there are two figures for one charge, the larger and the smaller. Which one is right is not to be seen here: it
depends on what the connector can give (`weighing.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from partners.ocpp.events import Event
from partners.ocpp.surroundings import Sample

UP: Final = Decimal(1000)
DOWN: Final = Decimal("0.001")
NEAR: Final = 32
"""Closer to a factor of 1 than to one of 1000, and the other way round: its square is about 1000."""
_GREW: Final = Decimal("1.25")
"""How far above the start a first sample may lie, where there is no stop to tell more."""
_LEAST: Final = 10
"""Of a start that says 3 nobody knows whether that is 3 kWh, or almost nothing."""


class Meter(NamedTuple):
    """What a meter said of a charge: at its start, at its stop if that is known, and in between."""

    start: Event
    stop: Event | None
    samples: list[Sample]


class Apart(NamedTuple):
    """The same charge by both of its units. `by_samples`: the larger figure is that of the samples."""

    larger: Meter
    smaller: Meter
    by_samples: bool


class _Course(NamedTuple):
    """In kWh: the registers of start and stop, and of the samples; `is_late`: the last one is from the second half."""

    first: Decimal
    last: Decimal | None
    samples: Sequence[Decimal]
    is_late: bool


def apart(meter: Meter, began: datetime, ended: datetime | None) -> Apart | None:
    """Both figures, if start and stop are a factor of 1000 away from the samples; None, where they are not."""
    course = _course(meter, began, ended)
    if course is None:
        return None
    if _lie(course, UP):
        return Apart(_registers(meter, course, UP), _samples(meter, DOWN), by_samples=True)
    if ended is not None and _lie(course, DOWN):
        return Apart(_samples(meter, UP), _registers(meter, course, DOWN), by_samples=False)
    return None


def _course(meter: Meter, began: datetime, ended: datetime | None) -> _Course | None:
    read = [sample for sample in meter.samples if sample.reading.energy_kwh is not None]
    first, last = meter.start.meter_wh, meter.stop.meter_wh if meter.stop is not None else None
    if not read or first is None or (last is not None and last < first):
        return None
    is_late = ended is not None and began < ended and read[-1].at - began >= (ended - began) / 2
    values = [sample.reading.energy_kwh for sample in read if sample.reading.energy_kwh is not None]
    return _Course(first / 1000, None if last is None else last / 1000, values, is_late)


def _lie(course: _Course, factor: Decimal) -> bool:
    """Do the samples lie between start and stop if those are multiplied by `factor`, and only then?"""
    first, rounding = course.first * factor, _rounding(factor)
    if course.last is None:
        is_clear = first >= _LEAST * rounding
        return is_clear and first - rounding <= course.samples[0] <= first * _GREW + rounding
    last, top = course.last * factor, max(course.samples)
    if not last or min(course.samples) < first - rounding or not last / NEAR < top <= last + rounding:
        return False
    if factor < 1 and top * NEAR >= course.last:
        return False
    return last <= 2 * first or _grew(course, factor)


def _grew(course: _Course, factor: Decimal) -> bool:
    """Where start and stop leave much room between them: do the samples also rise as they should, or end where?"""
    if factor < 1:
        return course.is_late
    rose = max(course.samples) - min(course.samples)
    return not rose or course.last is None or rose > NEAR * (course.last - course.first)


def _rounding(factor: Decimal) -> Decimal:
    """A meter that counts kWh counts whole ones."""
    return Decimal(1) if factor > 1 else DOWN


def _registers(meter: Meter, course: _Course, factor: Decimal) -> Meter:
    """Start and stop in the unit of the samples; where a sample says the same more finely, it counts."""
    first = _finer(course.first * factor, min(course.samples), factor)
    start = replace(meter.start, meter_wh=first * 1000)
    if meter.stop is None or course.last is None:
        return meter._replace(start=start)
    last = _finer(course.last * factor, max(course.samples), factor)
    return meter._replace(start=start, stop=replace(meter.stop, meter_wh=max(first, last) * 1000))


def _finer(register: Decimal, sample: Decimal, factor: Decimal) -> Decimal:
    return sample if abs(sample - register) < _rounding(factor) else register


def _samples(meter: Meter, factor: Decimal) -> Meter:
    """The samples in the unit of start and stop."""
    scaled = [
        sample
        if sample.reading.energy_kwh is None
        else sample._replace(reading=replace(sample.reading, energy_kwh=sample.reading.energy_kwh * factor))
        for sample in meter.samples
    ]
    return meter._replace(samples=scaled)
