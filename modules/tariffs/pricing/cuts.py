"""Where a session must be cut so that no period spans a price change. OCPI mod_cdrs_chargingperiod_class.

Whoever makes charging periods asks a tariff for everything at which its prices may change, and afterwards
which components are active, so that neighbours with the same ones can be joined again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from modules.tariffs.pricing.compile import Compiled, Component, Dimension, Phase
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.restrictions import (
    DATE,
    ELAPSED,
    ENERGY,
    LOCAL,
    MAX_CURRENT,
    MAX_POWER,
    MIN_CURRENT,
    MIN_POWER,
    OF_DAY,
    WEEKDAY,
    bounds_on,
)
from modules.tariffs.pricing.standing import component_for, measured, standing_at
from modules.tariffs.pricing.times import clock_changes, when_the_clock_shows

_MIDNIGHT: Final = 0


@dataclass(frozen=True, slots=True)
class Cuts:
    """The values at which a tariff may change its prices: kWh times 1e9, kW and A times 1e9, each sorted."""

    energies: tuple[Exact, ...]
    powers: tuple[Exact, ...]
    currents: tuple[Exact, ...]


def cuts_of(tariff: Compiled) -> Cuts:
    """The thresholds of a tariff that depend on what is measured."""
    return Cuts(
        energies=_bounds(tariff, ENERGY),
        powers=_bounds(tariff, MIN_POWER, MAX_POWER),
        currents=_bounds(tariff, MIN_CURRENT, MAX_CURRENT),
    )


def cut_instants(tariff: Compiled, zone: str | None, start: int, end: int) -> set[int]:
    """The instants between the start of a session and `end` at which a clock or calendar may change a price.

    Times of day on every local day, both times where the hour is repeated; every change of the clocks;
    midnights where weekdays or dates are asked for; durations since the start.
    """
    found = {at for elapsed in _bounds(tariff, ELAPSED) if start < (at := int(start + elapsed)) < end}
    if zone is None or tariff.axes.isdisjoint(LOCAL):
        return found
    times_of_day = {int(bound) for bound in _bounds(tariff, OF_DAY)}
    if not tariff.axes.isdisjoint({DATE, WEEKDAY}):
        times_of_day.add(_MIDNIGHT)
    found.update(when_the_clock_shows(times_of_day, start, end, zone), clock_changes(start, end, zone))
    return found


def active_components(
    tariff: Compiled,
    zone: str | None,
    at: int,
    *,
    parked: bool,
    energy: Exact,
    elapsed: int,
    measures: Sequence[Exact | None],
) -> tuple[Component | None, ...]:
    """What is active at a moment: for energy, for charging time or else parking, and for the FLAT.

    Raises: UnfitSession, if the tariff needs local time and there is no zone.
    """
    standing = standing_at(tariff, zone, at, energy=energy, elapsed=elapsed, measures=measured(measures, None))
    time = Dimension.PARKING_TIME if parked else Dimension.TIME
    return tuple(
        component_for(tariff.phases[Phase.SESSION], dimension, standing)
        for dimension in (Dimension.ENERGY, time, Dimension.FLAT)
    )


def _bounds(tariff: Compiled, *axes: int) -> tuple[Exact, ...]:
    ranges = tuple(tariff.ranges())
    return tuple(sorted(bound for bound in {b for axis in axes for b in bounds_on(ranges, axis)} if bound >= 0))
