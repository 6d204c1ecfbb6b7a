"""Where a session must be cut so that no period spans a price change. OCPI mod_cdrs_chargingperiod_class.

Whoever makes charging periods asks a tariff for everything at which its prices may change, and afterwards
which components are active, so that neighbours with the same ones can be joined again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
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
    Standing,
)
from modules.tariffs.pricing.standing import component_for, measured, standing_at
from modules.tariffs.pricing.times import clock_changes, wall_at, when_the_clock_shows

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
        energies=tariff.edges[ENERGY],
        powers=_either(tariff, MIN_POWER, MAX_POWER),
        currents=_either(tariff, MIN_CURRENT, MAX_CURRENT),
    )


def cut_instants(tariff: Compiled, zone: str | None, start: int, end: int, *, since: int | None = None) -> set[int]:
    """The instants between `start` and `end` at which a clock or calendar may change a price.

    Times of day on every local day, both times where the hour is repeated; every change of the clocks;
    midnights where weekdays or dates are asked for; durations since the session began, at `start` if it is
    not said.
    """
    began = start if since is None else since
    found = {at for elapsed in tariff.edges[ELAPSED] if start < (at := int(began + elapsed)) < end}
    if zone is not None and start < end and not tariff.axes.isdisjoint(LOCAL):
        found.update(_on_the_clock(tariff, zone, start, end))
    return found


def _on_the_clock(tariff: Compiled, zone: str, start: int, end: int) -> Iterable[int]:
    """On an ordinary stretch of one day the clock runs as time does."""
    times_of_day = tariff.edges[OF_DAY]
    first, last = wall_at(start, zone), wall_at(end, zone)
    if first.date == last.date and last.of_day - first.of_day == end - start:
        shown = times_of_day[bisect_right(times_of_day, first.of_day) : bisect_left(times_of_day, last.of_day)]
        return [int(start + of_day - first.of_day) for of_day in shown]
    wanted = {int(of_day) for of_day in times_of_day}
    if not tariff.axes.isdisjoint({DATE, WEEKDAY}):
        wanted.add(_MIDNIGHT)
    return [*when_the_clock_shows(wanted, start, end, zone), *clock_changes(start, end, zone)]


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
    return components_at(tariff, standing, parked=parked)


def components_at(tariff: Compiled, standing: Standing, *, parked: bool) -> tuple[Component | None, ...]:
    """As `active_components`, for where a session stands."""
    time = Dimension.PARKING_TIME if parked else Dimension.TIME
    return tuple(
        component_for(tariff.phases[Phase.SESSION], dimension, standing)
        for dimension in (Dimension.ENERGY, time, Dimension.FLAT)
    )


def _either(tariff: Compiled, *axes: int) -> tuple[Exact, ...]:
    return tuple(sorted({bound for axis in axes for bound in tariff.edges[axis]}))
