"""A clock that stands still until told, and a wire that keeps what was said on it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any


class Hours:
    """A Clock. `pass_s` lets time go by and wakes who slept until then, in order."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return datetime(2026, 5, 1, 12, tzinfo=UTC) + timedelta(seconds=self._now)

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now + seconds, future))
        await future

    async def pass_s(self, seconds: float) -> None:
        until = self._now + seconds
        await settle()
        while due := sorted(((at, f) for at, f in self._sleepers if at <= until), key=lambda pair: pair[0]):
            self._now = max(self._now, due[0][0])
            self._sleepers.remove(due[0])
            if not due[0][1].done():
                due[0][1].set_result(None)
            await settle()
        self._now = until


class Wire:
    """The charger's end of a socket."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.closed_with: list[int] = []
        self.broken = False

    async def send(self, text: str) -> None:
        if self.broken:
            raise ConnectionResetError
        self.texts.append(text)

    async def close(self, code: int, reason: str) -> None:
        assert len(reason) < 124
        self.closed_with.append(code)

    @property
    def frames(self) -> list[Any]:
        return [json.loads(text) for text in self.texts]


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)
