"""Time for a charge point: real, faster than real, or standing still between two waits."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the charge point's own clock says, and how it waits."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of this clock pass."""
        ...


class FastClock:
    """Runs `speed` times as fast as real time, from `start` on. With speed 1 it is the real clock.

    With `behind` it begins that long ago instead, and never passes real time.
    """

    def __init__(self, speed: float = 1.0, *, start: datetime | None = None, behind: timedelta = timedelta(0)) -> None:
        self._speed = speed
        self._start = (start or datetime.now(UTC)) - behind
        self._catches_up = behind > timedelta(0)
        self._began = time.monotonic()

    def now(self) -> datetime:
        moment = self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)
        return min(moment, datetime.now(UTC)) if self._catches_up else moment

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


class StepClock:
    """Moves only when somebody waits, and then exactly as far: a charge is the same to the second each time.

    A wait of `seconds` takes `seconds / speed` of real time; speed None takes none.
    """

    def __init__(self, start: datetime | None = None, *, speed: float | None = None) -> None:
        self._now = start or datetime.now(UTC)
        self._speed = speed

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0 if self._speed is None else seconds / self._speed)
        self._now += timedelta(seconds=seconds)


def timestamp(moment: datetime) -> str:
    """As OCPP 1.6 charge points write it, with milliseconds and Z."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
