"""Where a session stands at a moment, and which component is active there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from modules.tariffs.pricing.compile import Candidates, Compiled, Component, Dimension
from modules.tariffs.pricing.faults import UnfitSession
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.restrictions import AXES, FAR, LOCAL, Standing, holds
from modules.tariffs.pricing.times import wall_at

NOWHERE: Final[Standing] = (None,) * AXES
"""Where a session stands for a tariff without restrictions."""


def component_for(candidates: Candidates, dimension: Dimension, standing: Standing) -> Component | None:
    """The component that is active for a dimension, None if that quantity is free."""
    for ranges, component in candidates[dimension]:
        if not ranges or holds(ranges, standing):
            return component
    return None


def standing_at(
    tariff: Compiled,
    zone: str | None,
    at: int,
    *,
    energy: Exact,
    elapsed: Exact,
    measures: Sequence[Exact | None],
) -> Standing:
    """Where a session stands. Raises: UnfitSession, if the tariff needs local time and there is no zone."""
    if not tariff.axes:
        return NOWHERE
    if tariff.axes.isdisjoint(LOCAL):
        return (None, None, None, energy, elapsed, *measures)
    if zone is None:
        raise UnfitSession("the tariff is bound to local time, and the location's time zone is not known")
    return (*wall_at(at, zone), energy, elapsed, *measures)


def measured(measures: Sequence[Exact | None], policy: Policy | None) -> Sequence[Exact | None]:
    """What bounds are held against: lowest and highest current, lowest and highest power.

    Where only the lowest or only the highest value is stated, it stands for both. `max_power` is held against the
    first of a pair and `min_power` against the second, so that a range which touches a bound meets it; where all of
    it has to fit, they change places.
    """
    low_a, high_a, low_kw, high_kw = measures
    pairs = [
        high_a if low_a is None else low_a,
        low_a if high_a is None else high_a,
        high_kw if low_kw is None else low_kw,
        low_kw if high_kw is None else high_kw,
    ]
    if policy and policy.measured_range == "fits":
        pairs = [pairs[1], pairs[0], pairs[3], pairs[2]]
    if policy and policy.missing_measurement == "fulfilled":
        return [(FAR - 1 if n % 2 else -FAR) if value is None else value for n, value in enumerate(pairs)]
    return pairs
