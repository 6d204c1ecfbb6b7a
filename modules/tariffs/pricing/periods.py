"""Charging periods as the engine counts them. OCPI mod_cdrs_chargingperiod_class,
mod_cdrs_cdrdimension_class.

A period lasts until the next one starts, the last until the session ends. What it states is read into
units; what it does not state is zero. Hours carry four decimals on the wire, which is 0.36 s: where the
only time of a period agrees with its timestamps that closely, the timestamps are the truth and the volume
is their rounded copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from modules.tariffs.pricing.compile import Compiled
from modules.tariffs.pricing.faults import UnfitSession
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.numbers import HOUR, KWH, Exact, in_units
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.times import instant

ENERGY, TIME, PARKING, RESERVED = range(4)
"""The places of the quantities."""
_AGREEMENT: Final = HOUR // 10_000
_QUANTITIES: Final = {
    "ENERGY": (ENERGY, 1 << ENERGY, KWH),
    "TIME": (TIME, 1 << TIME, HOUR),
    "PARKING_TIME": (PARKING, 1 << PARKING, HOUR),
    "RESERVATION_TIME": (RESERVED, 1 << RESERVED, HOUR),
    "RESERVATION_EXPIRES": (RESERVED, 1 << RESERVED, HOUR),
}
"""Type of a dimension -> the place of its quantity, the bit that says that it is stated, units in one."""
_MEASURES: Final = {"MIN_CURRENT": 0, "MAX_CURRENT": 1, "MIN_POWER": 2, "MAX_POWER": 3}
_SCALE: Final = 10**9
"""Units of power or current in one kW or A."""
_UNPRICEABLE: Final = "RESERVATION_OVERTIME"
"""A quantity of the bookings edition that no component has a price for."""
_EXPIRES: Final = "RESERVATION_EXPIRES"
_RESERVING: Final = frozenset({"RESERVATION_TIME", _EXPIRES})
_CONSUMING: Final = frozenset({"ENERGY", "TIME", "PARKING_TIME"})
_NOT_MEASURED: Final[tuple[Exact | None, ...]] = (None, None, None, None)
ONLY_RESERVED: Final = 1 << RESERVED
"""What a period states that belongs to the reservation before the session."""
_SOME_TIME: Final = 1 << TIME | 1 << PARKING | 1 << RESERVED


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be priced.

    version: the OCPI version under whose rules the tariffs were written; it says what a missing `vat` means.
    time_zone: the IANA name of the location's zone; it may be missing while no tariff asks for local time.
    tariffs: trees in our form, or already compiled. periods: ChargingPeriod trees.
    reservation_expired: nobody came; None where it is not said, so that the periods tell (`has_expired`).
    tariff_type: narrows the choice where no period names its tariff.
    """

    version: str
    time_zone: str | None
    tariffs: Sequence[Mapping[str, Any] | Compiled]
    start: datetime | str
    end: datetime | str
    periods: Sequence[Mapping[str, Any]]
    reservation_expired: bool | None = None
    tariff_type: str | None = None


class Period(Struct):
    """One period, in units and instants. `index` is its place in the list as it was given.

    measures: lowest and highest current, lowest and highest power, as stated. stated: a bit for each quantity.
    """

    index: int
    start: int
    end: int
    tariff_key: str | None
    quantities: list[Exact]
    measures: Sequence[Exact | None]
    stated: int

    @property
    def in_session(self) -> bool:
        """Does the period belong to the session, rather than only to the reservation before it?"""
        return self.stated != ONLY_RESERVED


def has_expired(periods: Sequence[Mapping[str, Any]]) -> bool:
    """Do ChargingPeriods tell of a reservation that nobody came for? OCPI mod_tariffs_reservation_restriction_type.

    So they do where there is reserved time and nothing of a session. The bookings edition has a dimension that says so.
    """
    kinds = [{dimension["type"] for dimension in period.get("dimensions") or ()} for period in periods]
    if any(_EXPIRES in each for each in kinds):
        return True
    return bool(kinds) and all(each & _RESERVING and each.isdisjoint(_CONSUMING) for each in kinds)


class Session(Struct, frozen=True, gc=False):
    """A case as it was read: when it began, and its periods in order of time.

    stated: all that some period states. names_tariffs: does some period name its tariff?
    """

    begin: int
    periods: list[Period]
    stated: int
    names_tariffs: bool


def read_session(case: Case, policy: Policy, warned: list[Warned]) -> Session:
    """The times and the periods of a case. Raises: UnfitSession."""
    begin, end = instant(case.start, "the start"), instant(case.end, "the end")
    periods = [_period(index, tree, warned) for index, tree in enumerate(case.periods)]
    _set_ends(periods, end, warned)
    before: int | None = None
    stated, named = 0, False
    for period in periods:
        start = period.start
        if not begin <= start <= end:
            warned.append(Warned(Code.PERIOD_OUTSIDE_THE_SESSION, period.index))
        if start == before:
            warned.append(Warned(Code.PERIODS_START_TOGETHER, period.index))
        before = start
        _settle_hours(period, policy, warned)
        stated |= period.stated
        if period.tariff_key is not None:
            named = True
    return Session(begin, periods, stated, named)


def _set_ends(periods: list[Period], end: int, warned: list[Warned]) -> None:
    """Each lasts until the next one starts, the last one until `end`, once they are in order of time."""
    before: Period | None = None
    for period in periods:
        if before:
            if before.start > period.start:
                warned.append(Warned(Code.PERIODS_OUT_OF_ORDER))
                periods.sort(key=lambda period: period.start)
                return _set_ends(periods, end, warned)
            before.end = period.start
        before = period
    if before and before.start < end:
        before.end = end
    return None


def _period(index: int, tree: Mapping[str, Any], warned: list[Warned]) -> Period:
    start = instant(tree.get("start_date_time"), "start_date_time")
    quantities: list[Exact] = [0, 0, 0, 0]
    measures: list[Exact | None] | None = None
    stated = 0
    for dimension in tree.get("dimensions") or ():
        kind = dimension.get("type")
        quantity = _QUANTITIES.get(kind)
        if quantity:
            place, bit, per_one = quantity
            quantities[place] += in_units(dimension.get("volume"), per_one, kind)
            stated |= bit
        elif kind in _MEASURES:
            measures = measures or [*_NOT_MEASURED]
            measures[_MEASURES[kind]] = in_units(dimension.get("volume"), _SCALE, kind)
        elif kind == _UNPRICEABLE and in_units(dimension.get("volume"), HOUR, kind):
            warned.append(Warned(Code.UNPRICED_QUANTITY, index, kind))
    _, time, parking, reserved = quantities
    if time < 0 or parking < 0 or reserved < 0:
        raise UnfitSession("a period states a negative time")
    key = tree.get("tariff_id")
    return Period(index, start, start, str(key).lower() if key else None, quantities, measures or _NOT_MEASURED, stated)


def _settle_hours(period: Period, policy: Policy, warned: list[Warned]) -> None:
    """Take the only time of a period from its timestamps, if both agree."""
    quantities, span = period.quantities, period.end - period.start
    _, time, parking, reserved = quantities
    lasted = time + parking + reserved
    if not lasted:
        if policy.unstated_time == "period" and not period.stated & _SOME_TIME:
            quantities[TIME] = span
            period.stated |= 1 << TIME
        return
    if time == lasted:
        place = TIME
    elif parking == lasted:
        place = PARKING
    elif reserved == lasted:
        place = RESERVED
    else:
        return
    if not -_AGREEMENT <= lasted - span <= _AGREEMENT:
        warned.append(Warned(Code.VOLUME_DISAGREES_WITH_TIMESTAMPS, period.index))
    elif policy.timestamps_over_volumes:
        quantities[place] = span
