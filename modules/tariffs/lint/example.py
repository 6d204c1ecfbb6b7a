"""A moment out of a region, in words that an operator can try: its earliest, on the axes that the tariff asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from modules.tariffs.lint.regions import FAR, LAST_DATE, Box, Span, exists, weekday_of
from modules.tariffs.pricing import HOUR, KWH, Exact
from modules.tariffs.pricing.numbers import SECOND
from modules.tariffs.pricing.restrictions import (
    DATE,
    DAYS,
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

_MEASURES: Final = {
    "current_a": ("current", MIN_CURRENT, MAX_CURRENT),
    "power_kw": ("power", MIN_POWER, MAX_POWER),
}
_PER_ONE: Final = 10**9


class Example(NamedTuple):
    """A moment, by axis; `unmeasured`: it is one only where nothing is measured."""

    moment: dict[str, Any]
    unmeasured: bool


def example_in(boxes: Iterable[Box], ranges: Sequence[Range]) -> Example | None:
    """The earliest moment in `boxes`, rather one at which power and current are known; None if there is none."""
    real = [box for box in boxes if exists(box)]
    if not real:
        return None
    measured = [box for box in real if not _is_unmeasured(box)]
    box = min(measured or real, key=lambda box: (box.spans[ELAPSED], box.spans[ENERGY], box.spans[OF_DAY]))
    return Example(_moment(box, {each.axis for each in ranges}), not measured)


def _is_unmeasured(box: Box) -> bool:
    """Can the box be reached only where nothing is measured?"""
    return any(not _is_real(box.spans[least], box.spans[greatest]) for _, least, greatest in _MEASURES.values())


def _is_real(least: Span, greatest: Span) -> bool:
    lowest = max(least[0], -FAR)
    return lowest < min(least[1], greatest[1]) and max(greatest[0], -FAR) < greatest[1]


def _moment(box: Box, axes: set[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if DATE in axes:
        day = _day(box)
        found |= {"date": date.fromordinal(day).isoformat(), "weekday": DAYS[weekday_of(day)]}
    elif WEEKDAY in axes:
        found["weekday"] = next(name for at, name in enumerate(DAYS) if box.days >> at & 1)
    if OF_DAY in axes:
        minutes = int(box.spans[OF_DAY][0]) // (60 * SECOND)
        found["time"] = f"{minutes // 60:02}:{minutes % 60:02}"
    if ENERGY in axes:
        found["kwh"] = _number(box.spans[ENERGY][0], KWH)
    if ELAPSED in axes:
        found["duration_s"] = _number(box.spans[ELAPSED][0], HOUR // 3600)
    for name, (_, least, greatest) in _MEASURES.items():
        if not axes.isdisjoint({least, greatest}):
            found[name] = _measured(box.spans[least], box.spans[greatest])
    return found


def _day(box: Box) -> int:
    """The first date of the box, or its last where it has no beginning."""
    first, after = (int(edge) for edge in box.spans[DATE])
    days = range(after - 1, first - 1, -1) if first == 1 and after <= LAST_DATE else range(max(first, 719_163), after)
    return next((day for day in days if box.days >> weekday_of(day) & 1), first)


def _measured(least: Span, greatest: Span) -> list[str] | None:
    """The least and the greatest value, None where nothing is measured."""
    if not _is_real(least, greatest):
        return None
    low = _within(max(least[0], -FAR), min(least[1], greatest[1]))
    high = max(low, _within(max(greatest[0], -FAR), greatest[1]))
    return [_number(low, _PER_ONE), _number(high, _PER_ONE)]


def _within(low: Exact, high: Exact) -> Exact:
    """The lowest value of a span; 0, or the last whole one, where there is no lowest."""
    if low > -FAR:
        return low
    return 0 if high > 0 else high - _PER_ONE


def _number(value: Exact, per_one: int) -> str:
    exact = Fraction(value) / per_one
    text = format(Decimal(exact.numerator) / Decimal(exact.denominator), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def measures_asked(axes: set[int]) -> str:
    """What must be measured: current, power, or both."""
    names = [name for name, *pair in _MEASURES.values() if not axes.isdisjoint(pair)]
    return " or ".join(names)


def where(moment: Mapping[str, Any]) -> str:
    """The moment as the end of a sentence."""
    words = {
        "weekday": "on a {}",
        "date": "on {}",
        "time": "at {}",
        "kwh": "after {} kWh",
        "duration_s": "after {} s",
        "current_a": "at {0[0]} to {0[1]} A",
        "power_kw": "at {0[0]} to {0[1]} kW",
    }
    shown = {name: value for name, value in moment.items() if not (name == "weekday" and "date" in moment)}
    told = [words[name].format(value) for name, value in shown.items() if value is not None]
    return " " + ", ".join(told) if told else ""
