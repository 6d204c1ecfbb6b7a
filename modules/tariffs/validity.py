"""When a tariff holds: from `start_date_time` on, until `end_date_time`. OCPI mod_tariffs_tariff_object.

OCPI 2.1.1 has no word for either, so a tariff would seem to hold there for ever. Its partners get a tariff when it
begins to hold, and lose it when it ends (`turning.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS
from hub.core.types import parse_datetime

UNDATED: Final = VERSIONS[0]
"""The version that cannot say when a tariff holds."""
_DATED: Final = VERSIONS[1]
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def _bounds(tariff: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start, end = tariff.get("start_date_time"), tariff.get("end_date_time")
    return parse_datetime(start) if start else _FIRST, parse_datetime(end) if end else _LAST


def holds(tariff: Mapping[str, Any], now: datetime) -> bool:
    """Is it in force?"""
    start, end = _bounds(tariff)
    return start <= now < end


def next_turn(tariff: Mapping[str, Any], now: datetime) -> str:
    """The timestamp at which it begins to hold, or ends; "": it stays as it is now."""
    start, end = _bounds(tariff)
    turns = [moment for moment in (start, end) if now < moment < _LAST and start < end]
    return timestamp(min(turns)) if turns else ""


def lowest_now(lowest: str, tariff: Mapping[str, Any], now: datetime) -> str:
    """The oldest version that can say the tariff at this moment; `lowest` leaves out of account when it holds."""
    return _DATED if lowest == UNDATED and not holds(tariff, now) else lowest
