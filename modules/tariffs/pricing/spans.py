"""Where a session stands later in a period: what a period that spans a price change would have had to tell.

A period is a straight way through time and energy, as whoever divides a session takes it to be between two
readings of the meter. Between two instants at which a condition of the tariff may turn, nothing turns, so
that one look in the middle is enough. A range of power or current is looked at from both its ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product
from typing import NamedTuple

from modules.tariffs.pricing.compile import Compiled, Component
from modules.tariffs.pricing.cuts import components_at, cut_instants
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.periods import Period
from modules.tariffs.pricing.policy import BY_THE_TEXT, Policy
from modules.tariffs.pricing.restrictions import ENERGY, MEASURED, Standing
from modules.tariffs.pricing.standing import measured, standing_at

Measures = Sequence[Exact | None]


class Way(NamedTuple):
    """A period as a way. began: when durations began to count. energy_before, energy: at its start, and charged."""

    period: Period
    began: int
    energy_before: Exact
    energy: Exact


def later_standings(tariff: Compiled, zone: str | None, way: Way, policy: Policy) -> list[Standing]:
    """Where else the session stands on the way; empty, if it is as at the start throughout. Raises: UnfitSession."""
    start, end = way.period.start, way.period.end
    if start == end:
        return []
    cuts: set[Exact] = {*cut_instants(tariff, zone, start, end, since=way.began), *_crossings(tariff, way)}
    ranges = _ends(tariff, way.period.measures)
    if not cuts and len(ranges) == 1 and way.energy >= 0:
        return []
    held = [measured(measures, policy) for measures in ranges]
    return [
        standing_at(tariff, zone, int(middle), energy=energy, elapsed=middle - way.began, measures=measures)
        for middle, energy in _stretches(tariff, way, cuts)
        for measures in held
    ]


def changes_within(
    tariff: Compiled, zone: str | None, way: Way, *, parked: bool, active: tuple[Component | None, ...]
) -> bool:
    """Is anything else than `active` (as of `active_components`) active later on the way? Raises: UnfitSession."""
    later = later_standings(tariff, zone, way, BY_THE_TEXT)
    return any(components_at(tariff, standing, parked=parked) != active for standing in later)


def _stretches(tariff: Compiled, way: Way, cuts: set[Exact]) -> Iterator[tuple[Exact, Exact]]:
    """The middle of each stretch between two cuts, and the register there. Fractions only where they matter."""
    start, end, asks = way.period.start, way.period.end, ENERGY in tariff.axes
    for one, other in pairwise((start, *sorted(cuts), end)):
        if asks:
            middle = Fraction(one + other) / 2
            yield middle, way.energy_before + way.energy * (middle - start) / (end - start)
        else:
            yield (one + other) // 2, 0


def _crossings(tariff: Compiled, way: Way) -> Iterator[Exact]:
    """When the register passes a threshold."""
    if not tariff.edges[ENERGY]:
        return
    low, high = sorted((way.energy_before, way.energy_before + way.energy))
    for threshold in tariff.edges[ENERGY]:
        if low < threshold < high:
            passed = Fraction(threshold - way.energy_before) / Fraction(way.energy)
            yield way.period.start + passed * (way.period.end - way.period.start)


def _ends(tariff: Compiled, measures: Measures) -> list[Measures]:
    """What was measured, and if it is a range that the tariff asks about, each of its ends."""
    if tariff.axes.isdisjoint(MEASURED):
        return [measures]
    low_a, high_a, low_kw, high_kw = measured(measures, None)
    if (low_a, low_kw) == (high_a, high_kw):
        return [measures]
    ends = product({low_a, high_a}, {low_kw, high_kw})
    return [measures, *((ampere, ampere, kilowatt, kilowatt) for ampere, kilowatt in ends)]
