"""Where restrictions hold, as boxes; and what is left of a box when others are taken away. Exact.

A moment of a session has a time of day, a date, a weekday, the energy so far, the time so far, and the least and
the greatest current and power. A box is a half-open interval on each of these axes and a set of weekdays. The axes
are independent but for two facts, which `exists` knows: a date has one weekday, and the least of what was measured
is not above the greatest. Where nothing was measured stands a value below all others.

Taking a box from a box leaves at most two boxes for each axis, so restrictions on many axes can leave very many:
the work is bounded, and who reaches the bound is told so by `TooComplex`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from modules.tariffs.pricing import Exact
from modules.tariffs.pricing.numbers import DAY
from modules.tariffs.pricing.restrictions import (
    DATE,
    ELAPSED,
    ENERGY,
    MAX_CURRENT,
    MAX_POWER,
    MIN_CURRENT,
    MIN_POWER,
    OF_DAY,
    WEEKDAY,
    Range,
)

Span: TypeAlias = tuple[Exact, Exact]

FAR: Final = 10**60
UNMEASURED: Final = -(10**70)
ALL_DAYS: Final = 0b1111111
LAST_DATE: Final = 3_652_059
"""The ordinal of 9999-12-31."""
_AXES: Final = range(9)
_MEASURES: Final = ((MIN_CURRENT, MAX_CURRENT), (MIN_POWER, MAX_POWER))


class Box(NamedTuple):
    """`days`: the weekdays as bits, Monday the lowest. `spans`: low <= value < high, by axis."""

    days: int
    spans: tuple[Span, ...]

    def at(self, axis: int, low: Exact, high: Exact) -> Box:
        """The part of this box within a span."""
        own_low, own_high = self.spans[axis]
        span = (max(own_low, low), min(own_high, high))
        return Box(self.days, (*self.spans[:axis], span, *self.spans[axis + 1 :]))


def _everywhere() -> Box:
    spans: dict[int, Span] = {
        OF_DAY: (0, DAY),
        DATE: (1, LAST_DATE + 1),
        WEEKDAY: (0, 7),
        ENERGY: (0, FAR),
        ELAPSED: (0, FAR),
    }
    return Box(ALL_DAYS, tuple(spans.get(axis, (UNMEASURED, FAR)) for axis in _AXES))


EVERYWHERE: Final = _everywhere()
"""Every moment that a session can have."""


class TooComplex(Exception):
    """There is more to compare than is worth while."""


class Budget:
    """How many more boxes may be compared."""

    def __init__(self, boxes: int) -> None:
        self._left = boxes

    def spend(self) -> None:
        """Raises: TooComplex."""
        self._left -= 1
        if self._left < 0:
            raise TooComplex


def boxes_of(ranges: Iterable[Range]) -> list[Box]:
    """Where all `ranges` hold. Empty: nowhere."""
    boxes = [EVERYWHERE]
    for axis, low, high, inside in ranges:
        if axis == WEEKDAY:
            bits = sum(1 << day for day in range(int(low), int(high)))
            days = bits if inside else ALL_DAYS & ~bits
            boxes = [Box(box.days & days, box.spans) for box in boxes]
        elif inside:
            boxes = [box.at(axis, low, high) for box in boxes]
        else:
            boxes = [part for box in boxes for part in (box.at(axis, -FAR, low), box.at(axis, high, FAR))]
    return [box for box in boxes if exists(box)]


def exists(box: Box) -> bool:
    """Is there a moment in the box?"""
    if not box.days or any(low >= high for low, high in box.spans):
        return False
    first, after = box.spans[DATE]
    if after - first < 7 and not any(box.days >> weekday_of(day) & 1 for day in range(int(first), int(after))):
        return False
    return all(_measurable(box.spans[least], box.spans[greatest]) for least, greatest in _MEASURES)


def weekday_of(ordinal: int) -> int:
    """0 is Monday."""
    return (ordinal + 6) % 7


def _measurable(least: Span, greatest: Span) -> bool:
    """Is there a measurement, or none at all, whose least and greatest value lie in these spans?"""
    if least[0] == greatest[0] == UNMEASURED:
        return True
    lowest, above = max(least[0], -FAR), greatest[1]
    return lowest < least[1] and max(greatest[0], -FAR) < above and lowest < above


def overlap(one: Box, other: Box) -> Box | None:
    """What two boxes share."""
    spans = tuple((max(a[0], b[0]), min(a[1], b[1])) for a, b in zip(one.spans, other.spans, strict=True))
    both = Box(one.days & other.days, spans)
    return both if exists(both) else None


def without(boxes: Iterable[Box], taken: Iterable[Box], budget: Budget) -> list[Box]:
    """What is left of `boxes` when all of `taken` is gone. Raises: TooComplex."""
    left = list(boxes)
    for other in taken:
        left = [part for box in left for part in _minus(box, other, budget)]
    return left


def _minus(box: Box, other: Box, budget: Budget) -> list[Box]:
    budget.spend()
    if overlap(box, other) is None:
        return [box]
    parts = [Box(box.days & ~other.days, box.spans)]
    rest = Box(box.days & other.days, box.spans)
    for axis in _AXES:
        low, high = other.spans[axis]
        if rest.spans[axis][0] < low:
            parts.append(rest.at(axis, UNMEASURED, low))
        if high < rest.spans[axis][1]:
            parts.append(rest.at(axis, high, FAR))
        rest = rest.at(axis, low, high)
    return [part for part in parts if exists(part)]
