"""Instants as exact seconds since 1970 (UTC), and what the clock on the wall shows then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from math import floor
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


def instant(value: datetime | str) -> Fraction:
    """A point in time; without a designator it is UTC (types_datetime_type)."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return Fraction((moment - _EPOCH) // timedelta(microseconds=1), 1_000_000)


@dataclass(frozen=True)
class Wall:
    """What clock and calendar show: `date` as YYYY-MM-DD, `seconds` since midnight as shown."""

    date: str
    weekday: str
    seconds: Fraction


_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


def _local(at: Fraction, zone: str | None) -> datetime:
    return _local_second(floor(at), zone)


@lru_cache(maxsize=1024)
def _local_second(at: int, zone: str | None) -> datetime:
    moment = _EPOCH + at * _SECOND
    return moment.astimezone(ZoneInfo(zone)) if zone else moment


def wall(at: Fraction, zone: str | None) -> Wall:
    """Wall time at an instant; UTC where no zone is known."""
    local = _local(at, zone)
    seconds = local.hour * 3600 + local.minute * 60 + local.second + (at - floor(at))
    return Wall(local.date().isoformat(), _DAYS[local.weekday()], Fraction(seconds))


def offset(at: Fraction, zone: str | None) -> timedelta:
    return _local(at, zone).utcoffset() or timedelta()


def utc_text(at: Fraction) -> str:
    return _with_fraction(_local(at, None), at) + "Z"


def local_text(at: Fraction, zone: str | None) -> str:
    local = _local(at, zone)
    return _with_fraction(local, at) + local.isoformat()[19:]


def _with_fraction(moment: datetime, at: Fraction) -> str:
    micros = (at - floor(at)) * 1_000_000
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{int(micros):06d}".rstrip("0") if micros else text
