"""Instants, and the wall clock of a place.

An instant is the number of microseconds since 1970-01-01T00:00:00Z. Windows of a tariff follow the wall
clock of the location, durations follow instants: in a night with a clock change the two differ by an hour,
and both are right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from modules.tariffs.pricing.faults import PricingFault, UnfitSession
from modules.tariffs.pricing.numbers import DAY, SECOND

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_QUARTER: Final = 900 * SECOND
"""Clocks are changed on the quarter hours of UTC (since 1972), so one offset holds for a whole quarter."""


class Wall(NamedTuple):
    """What the clock on the wall shows: microseconds of the day, ordinal of the date, weekday (0: Monday)."""

    of_day: int
    date: int
    weekday: int


def instant(moment: object, what: str, *, fault: type[PricingFault] = UnfitSession) -> int:
    """`moment`, a datetime or an OCPI DateTime (UTC if it does not say), as an instant. Raises: `fault`."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise fault(f"{what} is not a time") from None
    elif not isinstance(moment, datetime):
        raise fault(f"{what} is missing")
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return since.days * DAY + since.seconds * SECOND + since.microseconds


def moment_of(at: int) -> datetime:
    """The instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=at)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UnfitSession(f"{name[:40]!r} is not an IANA time zone") from None


@lru_cache(maxsize=8192)
def _offset_in_quarter(name: str, quarter: int) -> int:
    try:
        offset = moment_of(quarter * _QUARTER).astimezone(_zone(name)).utcoffset() or timedelta()
    except OverflowError:
        raise UnfitSession("it is at an end of the calendar, beyond which the clock there would be") from None
    return offset // timedelta(microseconds=1)


def offset_at(at: int, zone: str) -> int:
    """Microseconds by which `zone` is ahead of UTC.

    Raises: UnfitSession, for an unknown zone, or at an end of the calendar (years 1 and 9999).
    """
    return _offset_in_quarter(zone, at // _QUARTER)


def wall_at(at: int, zone: str) -> Wall:
    """What the clock on the wall in `zone` shows at an instant. Raises: UnfitSession, for an unknown zone."""
    days, of_day = divmod(at + offset_at(at, zone), DAY)
    return Wall(of_day, days + _EPOCH_ORDINAL, (days + 3) % 7)


def clock_changes(start: int, end: int, zone: str) -> list[int]:
    """The instants between `start` and `end` at which the clocks in `zone` are changed."""
    found = []
    for day in range(start, end, DAY):
        low, high = day // _QUARTER, min(day + DAY, end) // _QUARTER
        before, after = _offset_in_quarter(zone, low), _offset_in_quarter(zone, high)
        if before == after:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset_in_quarter(zone, middle) == before else (low, middle)
        found.append(high * _QUARTER)
    return [at for at in found if start < at < end]


def when_the_clock_shows(times_of_day: Iterable[int], start: int, end: int, zone: str) -> list[int]:
    """The instants between `start` and `end` at which the wall clock reaches one of `times_of_day`.

    A time in a repeated hour is reached twice, one in a skipped hour never.
    """
    offsets = {offset_at(at, zone) for at in (start, end, *clock_changes(start, end, zone))}
    first, last = (start + min(offsets)) // DAY, (end + max(offsets)) // DAY
    instants = (
        (day * DAY + of_day - offset, offset)
        for day in range(first, last + 1)
        for of_day in times_of_day
        for offset in offsets
    )
    return sorted({at for at, offset in instants if start < at < end and offset_at(at, zone) == offset})
