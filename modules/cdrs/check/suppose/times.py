"""Mistakes with time: the zone of the clock, what is parking, and how hours are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hub.core.types import parse_datetime
from modules.cdrs.check.amounts import Figures
from modules.cdrs.check.bill import Bill, part_of
from modules.cdrs.check.claim import kinds_of, volume_of
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions
from modules.tariffs.pricing import HOUR, Exact

if TYPE_CHECKING:
    from modules.tariffs.pricing.steps import Segment

TIMES = Suppositions()

_MINUTE = HOUR // 60


@TIMES(Cause.HOURS_ROUNDING)
def rounded_hours(bill: Bill) -> Iterator[Figures]:
    """Hours were priced as they are written, with their rounding, instead of by the timestamps."""
    policy = bill.claim.fine_policy
    yield bill.again(policy=replace(policy, timestamps_over_volumes=not policy.timestamps_over_volumes))


@TIMES(Cause.TIME_ZONE)
def utc(bill: Bill) -> Iterator[Figures]:
    """Times of day were read in UTC, not in the time zone of the location."""
    if bill.case.time_zone is not None:
        yield bill.again(time_zone="UTC")


@TIMES(Cause.TIME_ZONE)
def fixed_offset(bill: Bill) -> Iterator[Figures]:
    """Times of day were read with a fixed offset, as if clocks were never changed."""
    zone = bill.case.time_zone
    if zone is None:
        return
    year = _moment(bill.case.start).year
    for month in (1, 7):
        offset = datetime(year, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() or timedelta()
        hours, rest = divmod(offset, timedelta(hours=1))
        if not rest and -12 <= -hours <= 12:
            yield bill.again(time_zone=f"Etc/GMT{-hours:+d}")


def _moment(moment: datetime | str) -> datetime:
    return moment if isinstance(moment, datetime) else parse_datetime(moment)


def _renamed(names: dict[str, str]) -> Callable[[dict[str, Any]], None]:
    """A change of a period: dimensions of one type become another's."""

    def rename(period: dict[str, Any]) -> None:
        period["dimensions"] = [{**d, "type": names.get(d["type"], d["type"])} for d in period["dimensions"]]

    return rename


@TIMES(Cause.PARKING_AS_TIME)
def parking_as_time(bill: Bill) -> Iterator[Figures]:
    """Parking time was billed at the price of charging time."""
    yield bill.with_periods(_renamed({"PARKING_TIME": "TIME"}))


@TIMES(Cause.TIME_AS_PARKING)
def time_as_parking(bill: Bill) -> Iterator[Figures]:
    """Charging time was billed at the price of parking time."""
    yield bill.with_periods(_renamed({"TIME": "PARKING_TIME"}))
    yield bill.with_periods(_renamed({"TIME": "PARKING_TIME", "PARKING_TIME": "TIME"}))


@TIMES(Cause.PARKING_AS_TIME)
def parked_and_timed(bill: Bill) -> Iterator[Figures]:
    """Parking time was billed as charging time too."""

    def both(period: dict[str, Any]) -> None:
        parked = volume_of(period, "PARKING_TIME")
        if parked:
            period["dimensions"] = [*period["dimensions"], {"type": "TIME", "volume": parked}]

    if any("PARKING_TIME" in kinds_of(period) for period in bill.case.periods):
        yield bill.with_periods(both)


@TIMES(Cause.TOTAL_TIME)
def wall_clock(bill: Bill) -> Iterator[Figures]:
    """The whole time from start to end was billed as charging time."""
    yield bill.with_periods(_lasting(bill, "TIME"))


@TIMES(Cause.PARKING_TIME)
def wall_clock_parked(bill: Bill) -> Iterator[Figures]:
    """The whole time from start to end was billed as parking time."""
    yield bill.with_periods(_lasting(bill, "PARKING_TIME"))


def _lasting(bill: Bill, kind: str) -> Callable[[dict[str, Any]], None]:
    """A change of a period: all that it lasts is time of a kind."""
    starts = sorted(_moment(period["start_date_time"]) for period in bill.case.periods)
    ends = dict(pairwise([*starts, _moment(bill.case.end)]))

    def whole(period: dict[str, Any]) -> None:
        start = _moment(period["start_date_time"])
        seconds = (ends[start] - start) // timedelta(seconds=1)
        kept = [d for d in period["dimensions"] if d["type"] != kind]
        period["dimensions"] = [*kept, {"type": kind, "volume": Decimal(seconds) / 3600}]

    return whole


@TIMES(Cause.HOURS_ROUNDING)
def coarse_hours(bill: Bill) -> Iterator[Figures]:
    """Time was rounded before it was priced, to minutes or to hundredths of an hour."""
    for unit in (_MINUTE, HOUR // 100, HOUR // 10, HOUR):
        yield bill.billed_as(_to(unit, half=False))
        yield bill.billed_as(_to(unit, half=True))


def _to(unit: int, *, half: bool) -> Callable[[Segment], Exact]:
    """Times in whole units, rounded up or to the nearest."""

    def billed(segment: Segment) -> Exact:
        if part_of(segment) == "energy" or segment.dimension.name == "FLAT":
            return segment.billed
        return (2 * segment.quantity + unit) // (2 * unit) * unit if half else -(-segment.quantity // unit) * unit

    return billed


@TIMES(Cause.UNIT)
def minutes_for_hours(bill: Bill) -> Iterator[Figures]:
    """The price of an hour was taken for that of a minute, or the other way round."""
    for part in ("time", "parking"):
        yield from _in_another_unit(bill, (part,), 60)
    yield from _in_another_unit(bill, ("time", "parking"), 60)


@TIMES(Cause.UNIT)
def watt_hours_for_kilowatt_hours(bill: Bill) -> Iterator[Figures]:
    """The price of a kWh was taken for that of a Wh, or the other way round."""
    yield from _in_another_unit(bill, ("energy",), 1000)


def _in_another_unit(bill: Bill, parts: tuple[str, ...], factor: int) -> Iterator[Figures]:
    yield bill.billed_as(lambda s: s.billed * factor if part_of(s) in parts else s.billed)
    yield bill.billed_as(lambda s: Fraction(s.billed) / factor if part_of(s) in parts else s.billed)
