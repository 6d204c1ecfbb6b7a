"""Moments: UTC in OCPI, the time of the place with its offset in OICP."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.core.types import moment_text, parse_datetime


def to_ocpi(text: str) -> str:
    """The same moment as OCPI writes it. One without an offset is read as UTC. Raises: ValueError."""
    return moment_text(parse_datetime(text))


def to_oicp(text: str, time_zone: str = "") -> str:
    """The same moment in the time of its place, to the millisecond."""
    return parse_datetime(text).astimezone(_zone(time_zone)).isoformat(timespec="milliseconds")


def instant(text: str) -> datetime:
    """The moment itself. Raises: ValueError."""
    return parse_datetime(text)


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
