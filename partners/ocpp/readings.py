"""The smallest things a charger says, read leniently: numbers, times, and one moment of a meter.

Nothing here raises. What cannot be read is None, and the caller flags it: a charger that writes `yesterday`
or `NaN` still gets its answer, and neither word reaches a price.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Final

from hub.core.jsontypes import Json, Tree

EARLIEST: Final = datetime(2010, 1, 1, tzinfo=UTC)
"""No charger of today charged before: an earlier time is a clock that was never set (1970, 2000)."""

_LONGEST_TIME: Final = 48
_USUAL_TIMES: Final = (20, 24)
"""Characters of `2026-05-01T12:00:00Z`, and of the same with milliseconds."""

_DECIMAL = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,12}))?)?"
    r" ?(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2})?)?"
)


def objects_in(value: Json) -> list[Tree]:
    """The objects of a list; what is none of them, and what is no list, is passed over."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def parse_decimal(value: Json) -> Decimal | None:
    """A number as text (12 digits, 6 decimals, ASCII) or as a JSON number of that size; None for all else.

    A JSON number with more decimals (a float that was written out) is rounded to six.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    if isinstance(value, str):
        text = value.strip()
        return Decimal(text) if _DECIMAL.fullmatch(text) else None
    if (isinstance(value, Decimal) and not value.is_finite()) or not -(10**12) < value < 10**12:
        return None
    return value.quantize(Decimal("0.000001")).normalize() + 0 if isinstance(value, Decimal) else Decimal(value)


def parse_time(value: Json) -> datetime | None:
    """RFC 3339, or nearly: a blank for the T, a comma, no seconds, no zone (then UTC), `+0200`. In UTC."""
    if not isinstance(value, str) or len(value) > _LONGEST_TIME:
        return None
    if len(value) in _USUAL_TIMES and (value[4], value[10], value[13], value[-1]) == ("-", "T", ":", "Z"):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    return _parse_time(value)


@lru_cache(maxsize=8192)
def _parse_time(text: str) -> datetime | None:
    """Cached: the ledger asks for the same times again with every event."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute = (int(part) for part in match.group(1, 2, 3, 4, 5))
    second = min(int(match[6] or 0), 59) if match[6] == "60" else int(match[6] or 0)
    micros = int((match[7] or "0").ljust(6, "0")[:6])
    offset = timedelta(hours=int(match[10] or 0), minutes=int(match[11] or 0))
    try:
        zone = timezone(-offset if match[9] == "-" else offset)
        return datetime(year, month, day, hour, minute, second, micros, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_credible(moment: datetime | None) -> bool:
    """Was the clock that said `moment` ever set?"""
    return moment is not None and moment >= EARLIEST


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment of a meter. `at` is the charger's time as it said it, None when it cannot be read.

    `energy_kwh` is the import register, `step_kwh` the energy since the reading before (Interval measurands).
    Current is the sum of the phases, voltage their mean, `soc` in percent.
    """

    at: datetime | None
    energy_kwh: Decimal | None = None
    step_kwh: Decimal | None = None
    power_kw: Decimal | None = None
    current_a: Decimal | None = None
    voltage: Decimal | None = None
    soc: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SignedValue:
    """A signed value, untouched.

    `context` is `Transaction.Begin`, `Transaction.End` or another one of OCPP's.
    """

    at: datetime | None
    context: str
    data: str
    method: str = ""
    public_key: str = ""
