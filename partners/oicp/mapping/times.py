"""Moments: UTC in OCPI, local time with its offset in OICP."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.core.clock import timestamp
from hub.core.types import parse_datetime


def to_ocpi(text: str) -> str:
    """The same moment as OCPI writes it. One without an offset is read as UTC. Raises: ValueError."""
    moment = datetime.fromisoformat(text)
    return timestamp(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))


def to_oicp(text: str, time_zone: str = "") -> str:
    """The same moment in the time of its place, to the millisecond."""
    try:
        zone = ZoneInfo(time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return parse_datetime(text).astimezone(zone).isoformat(timespec="milliseconds")
