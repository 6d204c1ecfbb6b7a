"""TariffRestrictions as ranges on a few axes. OCPI mod_tariffs_tariff_restrictions_class.

Where a session stands is a tuple with one value per axis; a restriction is a list of half-open ranges, all
of which must hold. What a tariff does not restrict leaves no range behind, so it costs nothing to test. A
window over midnight is the opposite of a range, and a list of weekdays is what is left when the other days
are excluded.

A period states a highest and a lowest power and current. `min_power` is tested against the highest and
`max_power` against the lowest, so that a period which straddles a bound fulfils both. Nothing measured
fulfils neither.

A bound in kWh, kW or A is read with the four decimals that a number of OCPI has, rounded as volumes are (OCPI
types_number_type). Where a session stands is known by such volumes alone: one that has reached 0.30000000000000004 kWh
says 0.3, and would by all its digits never be found to have reached it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple, TypeAlias

from modules.tariffs.pricing.faults import UnfitTariff
from modules.tariffs.pricing.numbers import DAY, HOUR, KWH, SECOND, Exact, in_units, whole_of

OF_DAY, DATE, WEEKDAY, ENERGY, ELAPSED, MIN_CURRENT, MAX_CURRENT, MIN_POWER, MAX_POWER = range(9)
"""The axes: microseconds of the local day, ordinal of the local date, weekday, energy before, time since the
start, then amperes and kilowatts times 1e9."""

AXES: Final = 9
LOCAL: Final = frozenset({OF_DAY, DATE, WEEKDAY})
MEASURED: Final = frozenset({MIN_CURRENT, MAX_CURRENT, MIN_POWER, MAX_POWER})

Standing: TypeAlias = tuple[Exact | None, ...]
"""Where a session stands, one value for each axis; None where nothing was measured."""

FAR: Final = 10**60
"""Beyond every value on every axis."""
_TIME_OF_DAY: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
"""By the number of the weekday."""
_BOUNDS: Final = {
    "min_kwh": (ENERGY, True, KWH),
    "max_kwh": (ENERGY, False, KWH),
    "min_duration": (ELAPSED, True, SECOND),
    "max_duration": (ELAPSED, False, SECOND),
    "min_current": (MAX_CURRENT, True, 10**9),
    "max_current": (MIN_CURRENT, False, 10**9),
    "min_power": (MAX_POWER, True, 10**9),
    "max_power": (MIN_POWER, False, 10**9),
}
"""Field -> axis, is it the lower bound?, units in one."""
DECIMALS: Final = 4
"""Of a bound that is measured, and of what is measured."""
MEASURED_BOUNDS: Final = tuple(field for field, (axis, *_) in _BOUNDS.items() if axis != ELAPSED)
"""The fields of bounds that are read with `DECIMALS`."""
_KNOWN: Final = frozenset({"start_time", "end_time", "start_date", "end_date", "day_of_week", "reservation", *_BOUNDS})


class Range(NamedTuple):
    """`low` <= value < `high` on an axis, or with `inside=False` everything but that."""

    axis: int
    low: Exact
    high: Exact
    inside: bool = True


def holds(ranges: tuple[Range, ...], standing: Standing) -> bool:
    """Do all ranges hold where the session stands?"""
    for axis, low, high, inside in ranges:
        value = standing[axis]
        if value is None or (low <= value < high) is not inside:
            return False
    return True


def ranges_of(restrictions: Mapping[str, Any]) -> tuple[Range, ...]:
    """The ranges of one TariffRestrictions tree, without `reservation`. Raises: UnfitTariff."""
    found = [*_window(restrictions), *_dates(restrictions), *_weekdays(restrictions)]
    for field, (axis, is_low, per_one) in _BOUNDS.items():
        value = restrictions.get(field)
        if value is not None:
            bound = in_units(value, per_one, field, fault=UnfitTariff)
            if axis != ELAPSED:
                bound = _in_four_decimals(bound, per_one)
            found.append(Range(axis, bound, FAR) if is_low else Range(axis, -FAR, bound))
    return tuple(found)


def _in_four_decimals(bound: Exact, per_one: int) -> int:
    return whole_of(bound, per_one, DECIMALS) * (per_one // 10**DECIMALS)


def not_understood(restrictions: Mapping[str, Any]) -> list[str]:
    """The restrictions of a tree that this engine does not know.

    An element must not apply as if they were not there: it would apply more often than its owner meant.
    """
    return [field for field, value in restrictions.items() if field not in _KNOWN and value not in (None, [], {})]


def _of_day(restrictions: Mapping[str, Any], field: str) -> int | None:
    value = restrictions.get(field)
    if value is None:
        return None
    match = _TIME_OF_DAY.fullmatch(str(value))
    if match is None:
        raise UnfitTariff(f"{field} is not HH:MM")
    return int(match[1]) * HOUR + int(match[2]) * 60 * SECOND


def _window(restrictions: Mapping[str, Any]) -> list[Range]:
    """start_time and end_time. 00:00 as an end is the end of the day; equal times are the whole day."""
    start, end = _of_day(restrictions, "start_time"), _of_day(restrictions, "end_time")
    low, high = start or 0, end or DAY
    if low == high or (low, high) == (0, DAY):
        return []
    return [Range(OF_DAY, low, high) if low < high else Range(OF_DAY, high, low, inside=False)]


def _dates(restrictions: Mapping[str, Any]) -> list[Range]:
    bounds: list[int] = []
    for field, open_end in (("start_date", -FAR), ("end_date", FAR)):
        value = restrictions.get(field)
        try:
            bounds.append(open_end if value is None else date.fromisoformat(str(value)).toordinal())
        except ValueError:
            raise UnfitTariff(f"{field} is not YYYY-MM-DD") from None
    return [] if bounds == [-FAR, FAR] else [Range(DATE, bounds[0], bounds[1])]


def _weekdays(restrictions: Mapping[str, Any]) -> list[Range]:
    days = restrictions.get("day_of_week")
    if not days:
        return []
    if isinstance(days, str) or not set(days) <= set(DAYS):
        raise UnfitTariff("day_of_week is not a list of weekdays")
    return [Range(WEEKDAY, n, n + 1, inside=False) for n, day in enumerate(DAYS) if day not in days]
