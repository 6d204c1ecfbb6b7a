"""Which components are never asked, and where nobody answers, per phase and dimension.

The components of a dimension are asked in the order of their elements (OCPI mod_tariffs_tariff_object), so one
walk tells both: what the first ones leave uncovered is all that a later one can get, and what is left at the end
is free. Dates before the tariff is in force are no gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from modules.tariffs.lint.components import RESERVABLE
from modules.tariffs.lint.conditions import ranges_or_fault, restrictions_of
from modules.tariffs.lint.example import example_in, measures_asked, where
from modules.tariffs.lint.findings import Finding, LintCode, finding
from modules.tariffs.lint.regions import (
    EVERYWHERE,
    LAST_DATE,
    Box,
    Budget,
    TooComplex,
    boxes_of,
    overlap,
    without,
)
from modules.tariffs.pricing import UnfitTariff
from modules.tariffs.pricing.restrictions import DATE, ENERGY, MEASURED, Range, not_understood

_BUDGET: Final = 100_000
_DIMENSIONS: Final = ("ENERGY", "TIME", "PARKING_TIME", "FLAT")


class _Phase(NamedTuple):
    """Part of a session: which elements belong to it, and which of them are asked first."""

    words: str
    ranks: Mapping[str | None, int]
    reserved: bool


_PHASES: Final = (
    _Phase("in a session", {None: 0}, reserved=False),
    _Phase("in a reservation", {"RESERVATION": 0}, reserved=True),
    _Phase("in an expired reservation", {"RESERVATION_EXPIRES": 0, "RESERVATION": 1}, reserved=True),
)


class _Asked(NamedTuple):
    """A component that is asked for a price: where it stands, when it applies."""

    element: int
    place: int
    dimension: str
    reservation: str | None
    ranges: tuple[Range, ...]
    boxes: list[Box]


class _Walked(NamedTuple):
    """What a walk along the components of one dimension found. `left` is None if it was given up."""

    reached: set[tuple[int, int]]
    left: list[Box] | None


def of_coverage(tariff: Mapping[str, Any]) -> Iterator[Finding]:
    """Components that are never asked, and quantities that nobody prices. Silent where an element is unusable."""
    asked = list(_asked(tariff))
    budget, reached, checked = Budget(_BUDGET), set[tuple[int, int]](), True
    gaps: list[Finding] = []
    for phase in _PHASES:
        for dimension in _DIMENSIONS:
            of_one = _in_order(asked, phase, dimension)
            if not of_one or _seen_before(asked, phase, dimension):
                continue
            walked = _walk(of_one, phase, budget)
            reached |= walked.reached
            if walked.left is None:
                checked = False
                gaps.append(finding(LintCode.NOT_CHECKED, "/elements", dimension=dimension))
            elif dimension != "FLAT":
                gaps += _gap(tariff, of_one, phase, dimension, walked.left)
    if checked:
        yield from _unreached(tariff, asked, reached)
    yield from gaps


def _asked(tariff: Mapping[str, Any]) -> Iterator[_Asked]:
    """The components that may be asked: the first of each dimension, where pricing knows the restrictions."""
    for at, element in enumerate(tariff["elements"]):
        restrictions = restrictions_of(element)
        ranges = ranges_or_fault(restrictions)
        if isinstance(ranges, UnfitTariff) or not_understood(restrictions):
            continue
        reservation, boxes, seen = restrictions.get("reservation"), boxes_of(ranges), set()
        for place, component in enumerate(element["price_components"]):
            dimension = component["type"]
            if dimension not in seen and (reservation is None or dimension in RESERVABLE):
                yield _Asked(at, place, dimension, reservation, ranges, boxes)
            seen.add(dimension)


def _in_order(asked: Sequence[_Asked], phase: _Phase, dimension: str) -> list[_Asked]:
    of_one = [each for each in asked if each.dimension == dimension and each.reservation in phase.ranks]
    return sorted(of_one, key=lambda each: phase.ranks[each.reservation])


def _seen_before(asked: Sequence[_Asked], phase: _Phase, dimension: str) -> bool:
    """Where nothing is said of an expiry, an expired reservation is like any other."""
    return phase is _PHASES[2] and _in_order(asked, phase, dimension) == _in_order(asked, _PHASES[1], dimension)


def _walk(asked: Sequence[_Asked], phase: _Phase, budget: Budget) -> _Walked:
    reached: set[tuple[int, int]] = set()
    left = [EVERYWHERE.at(ENERGY, 0, 1) if phase.reserved else EVERYWHERE]
    try:
        for each in asked:
            if _any_overlap(left, each.boxes, budget):
                reached.add((each.element, each.place))
                left = without(left, each.boxes, budget)
    except TooComplex:
        return _Walked(reached, None)
    return _Walked(reached, left)


def _any_overlap(left: Sequence[Box], boxes: Sequence[Box], budget: Budget) -> bool:
    for mine in left:
        for theirs in boxes:
            budget.spend()
            if overlap(mine, theirs):
                return True
    return False


def _unreached(tariff: Mapping[str, Any], asked: Sequence[_Asked], reached: set[tuple[int, int]]) -> Iterator[Finding]:
    """Elements of which no component is ever asked, and single components. An impossible element is told elsewhere."""
    for at, element in enumerate(tariff["elements"]):
        own = [each for each in asked if each.element == at and each.boxes]
        never = [each for each in own if (at, each.place) not in reached]
        if never and len(never) == len({component["type"] for component in element["price_components"]}):
            yield finding(LintCode.UNREACHABLE_ELEMENT, f"/elements/{at}", why=_why(asked, never))
            continue
        for each in never:
            pointer = f"/elements/{at}/price_components/{each.place}"
            why = _why(asked, [each])
            yield finding(LintCode.UNREACHABLE_COMPONENT, pointer, dimension=each.dimension, why=why)


def _why(asked: Sequence[_Asked], never: Sequence[_Asked]) -> str:
    """Which element always answers first, where it is a single one for all."""
    always = [
        {
            other.element
            for other in asked
            if other.dimension == each.dimension
            and not other.ranges
            and other.reservation == each.reservation
            and other.element < each.element
        }
        for each in never
    ]
    single = set.intersection(*always)
    if single:
        return f"element {min(single)} stands in front of it and always applies"
    return "the elements in front of it cover all that it does"


def _gap(
    tariff: Mapping[str, Any], asked: Sequence[_Asked], phase: _Phase, dimension: str, left: Sequence[Box]
) -> Iterator[Finding]:
    in_force = [box.at(DATE, _first_date(tariff), LAST_DATE + 1) for box in left]
    ranges = [each for one in asked for each in one.ranges]
    found = example_in(in_force, ranges)
    if found is None:
        return
    code = LintCode.PARKING_GAP if dimension == "PARKING_TIME" else LintCode.GAP
    axes = {each.axis for each in ranges}
    if found.unmeasured and axes & MEASURED:
        words = {"measure": measures_asked(axes), "dimension": dimension, "phase": phase.words}
        yield finding(LintCode.NO_FALLBACK, "/elements", found.moment, **words)
        return
    words = {"dimension": dimension, "phase": phase.words, "where": where(found.moment)}
    yield finding(code, "/elements", found.moment, **words)


def _first_date(tariff: Mapping[str, Any]) -> int:
    start = tariff.get("start_date_time")
    return date.fromisoformat(start[:10]).toordinal() if start else 1
