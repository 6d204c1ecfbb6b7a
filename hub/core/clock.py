"""Time, as an argument: everything that asks for the time takes a `Clock`."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

rfc3339: Final = msgspec.json.Encoder().encode
"""A moment as a JSON text, with six digits after the second where it has any; a fifth of the time of `isoformat`."""
_IN_SECONDS: Final = len('"2015-06-29T20:39:09Z"')
_IN_MICROSECONDS: Final = len('"2015-06-29T20:39:09.000001Z"')


class Clock(Protocol):
    """What time it is, and how to wait."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards, for deadlines and durations."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Come back after `seconds` of this clock's time."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def timestamp(moment: datetime) -> str:
    """`moment` as OCPI writes it: UTC, milliseconds, `Z` (24 characters, so text order is time order)."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    text = rfc3339(moment)
    return text[1:20].decode() + ".000Z" if len(text) == _IN_SECONDS else text[1:24].decode() + "Z"


def exact_timestamp(moment: datetime) -> str:
    """`moment`, which is in UTC, as `isoformat` writes it: microseconds, `+00:00`."""
    text = rfc3339(moment)
    if len(text) != _IN_MICROSECONDS:
        return moment.isoformat(timespec="microseconds")
    return text[1:27].decode() + "+00:00"
