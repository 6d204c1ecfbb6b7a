"""Does the price change inside a period? Whoever made the period should have begun a new one there; it is priced
by its start all the same, and that is said.

A period is a straight way through time and energy. It is cut wherever a condition of the tariff may turn, and
between two cuts every condition is what it is in the middle. Where power or current is a range, the prices at both
of its ends are compared too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise, product
from math import floor
from typing import Any, Final

from tests.verifier import active
from tests.verifier.case import Period, Tariff
from tests.verifier.clock import offset
from tests.verifier.walk import Stop, lookups

_DAY: Final = 24 * 3600
_LOOK_EVERY_S: Final = 900
"""No zone changes its offset twice within a quarter of an hour."""


def changed(stop: Stop, case: Mapping[str, Any], policy: Mapping[str, Any]) -> Iterator[str]:
    """The dimensions with a quantity, and FLATs yet to fall due, that something else would price later on."""
    if stop.tariff is None or not any(element.restrictions for element in stop.tariff.elements):
        return
    later = {now: list(_later(stop, now, case)) for now in ("session", "reservation")}
    for dimension, kind, phase in lookups(stop, case):
        if dimension not in stop.due and not _is_priced(stop.consumed.get(dimension), policy):
            continue
        first = active.active(stop.tariff, kind, phase, stop.standing(dimension), policy)
        moments = later["session" if phase == active.SESSION else "reservation"]
        if any(active.active(stop.tariff, kind, phase, each, policy) != first for each in moments):
            yield dimension


def _is_priced(quantity: Fraction | None, policy: Mapping[str, Any]) -> bool:
    return quantity is not None and quantity != 0 and not (quantity < 0 and policy["negative_energy"] == "free")


def _later(stop: Stop, clock: str, case: Mapping[str, Any]) -> Iterator[active.Moment]:
    """The middle of each stretch in which no condition turns, by the clock of the session or the reservation."""
    now = stop.session if clock == "session" else stop.reservation
    if not (stop.period.in_session if clock == "session" else stop.period.reserves):
        return
    start, end, zone = stop.period.start, stop.period.end, case.get("time_zone")
    energy = stop.consumed.get("ENERGY", Fraction(0)) if now is stop.session else Fraction(0)
    inside = {cut for cut in _cuts(stop, now, zone, energy) if start < cut < end}
    for one, other in pairwise([start, *sorted(inside), end]):
        if one < other:
            middle = (one + other) / 2
            kwh = now.kwh + energy * (middle - start) / (end - start)
            for period in _ends(stop.period):
                yield active.moment(period, zone, kwh, now.clock, middle)


def _ends(period: Period) -> Iterator[Period]:
    """The period as it is, and as it would be with its power and current at either end of what is stated."""
    yield period
    stated = {what: [value for value in period.range(what) if value is not None] for what in active.MEASURES.values()}
    if any(len(set(values)) > 1 for values in stated.values()):
        for end in product((0, -1), repeat=2):
            at = {what: values[each] for each, (what, values) in zip(end, stated.items(), strict=True) if values}
            yield replace(period, measured={f"{bound}_{what}": at[what] for what in at for bound in ("MIN", "MAX")})


def _cuts(stop: Stop, now: active.Moment, zone: str | None, energy: Fraction) -> Iterator[Fraction]:
    start, end = stop.period.start, stop.period.end
    tariff = stop.tariff
    if tariff is None:
        return
    for element in tariff.elements:
        for name, value in element.restrictions.items():
            if name in ("min_kwh", "max_kwh") and energy:
                yield start + (value - now.kwh) / energy * (end - start)
            elif name in ("min_duration", "max_duration") and now.clock is not None:
                yield now.clock + value
    if active.asks_for_local_time(tariff):
        yield from _turns_of_the_clock(start, end, zone, _clocks(tariff))


def _clocks(tariff: Tariff) -> set[int]:
    """Midnight, and every time of day that is named, in seconds."""
    times = [element.restrictions.get(name) for element in tariff.elements for name in ("start_time", "end_time")]
    return {0, *(int(time[:2]) * 3600 + int(time[3:]) * 60 for time in times if time)}


def _turns_of_the_clock(start: Fraction, end: Fraction, zone: str | None, clocks: set[int]) -> Iterator[Fraction]:
    """When the wall clock shows one of `clocks`, and when it jumps."""
    jumps = list(_jumps(start, end, zone))
    yield from jumps
    for one, other in pairwise([start, *jumps, end]):
        ahead = offset(one, zone) // timedelta(seconds=1)
        for day in range(floor((one + ahead) / _DAY), floor((other + ahead) / _DAY) + 1):
            for clock in clocks:
                shown = Fraction(day * _DAY + clock - ahead)
                if one <= shown < other:
                    yield shown


def _jumps(start: Fraction, end: Fraction, zone: str | None) -> Iterator[Fraction]:
    """Changes of the offset from UTC, found by halving."""
    at = Fraction(floor(start))
    while at < end:
        following = at + _LOOK_EVERY_S
        low, high = at, following
        while offset(low, zone) != offset(high, zone) and high - low > 1:
            middle = Fraction(floor((low + high) / 2))
            low, high = (middle, high) if offset(middle, zone) == offset(low, zone) else (low, middle)
        if offset(low, zone) != offset(high, zone):
            yield high
        at = following
