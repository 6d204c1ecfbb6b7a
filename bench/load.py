"""A closed-loop HTTP client on bare protocols: it costs a tenth of what any server here does.

Each connection sends a request, waits for its answer, and sends the next; nothing is pipelined. Answers must carry a
Content-Length and be successes. It ends when all that was asked is answered, so that no target still works while the
next one is measured.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from bench.harness import Sample, Target, TargetFailed

CONNECTIONS = 32
_LEAST = 50
_PATIENCE_S = 10.0
_WARM_UP = 0.15
"""Share of a measurement's time that is run before it, and not counted."""


class Load:
    """Keeps `connections` busy with `requests`, and counts."""

    def __init__(self, port: int, requests: Iterator[bytes], connections: int) -> None:
        self._port = port
        self._requests = requests
        self._wanted = connections
        self._lines: list[_Line] = []
        self.answered = 0
        self.waits_s: list[float] = []
        self.failure: str | None = None

    async def __aenter__(self) -> Load:
        loop = asyncio.get_running_loop()
        for _ in range(self._wanted):
            _, line = await loop.create_connection(lambda: _Line(self), "127.0.0.1", self._port)
            self._lines.append(line)
        for line in self._lines:
            line.ask()
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self._lines:
            line.rest()
        until = time.perf_counter() + _PATIENCE_S
        while any(line.is_waiting for line in self._lines) and time.perf_counter() < until:  # noqa: ASYNC110 - no bell
            await asyncio.sleep(0.02)
        for line in self._lines:
            line.hang_up()
        await asyncio.sleep(0.02)
        if self.failure is not None:
            raise TargetFailed(self.failure)

    def next(self) -> bytes:
        """The next request."""
        return next(self._requests)

    def heard(self, wait_s: float) -> None:
        """An answer is complete."""
        self.answered += 1
        self.waits_s.append(wait_s)

    def fail(self, why: str) -> None:
        """The first failure is told at the end; who failed sends no more."""
        self.failure = self.failure or why


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._head = b""
        self._missing = 0
        self._asked_at = 0.0
        self._resting = False
        self._over = False
        self.is_waiting = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def ask(self) -> None:
        """Send the next request."""
        self.is_waiting = True
        self._asked_at = time.perf_counter()
        self._transport.write(self._load.next())

    def data_received(self, data: bytes) -> None:
        if self._missing == 0:
            data = self._head + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._head = data
                return
            self._head = b""
            self._missing = end + 4 + self._length(data[: end + 2])
        self._missing -= len(data)
        if self._missing == 0 and not self._over:
            self.is_waiting = False
            self._load.heard(time.perf_counter() - self._asked_at)
            if not self._resting:
                self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_waiting = False
        if not self._over:
            self._load.fail("the target closed a connection")

    def rest(self) -> None:
        """Ask no more."""
        self._resting = True

    def hang_up(self) -> None:
        """Close the connection."""
        self._over = True
        self._transport.close()

    def _length(self, head: bytes) -> int:
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            self._over = True
            self.is_waiting = False
            self._load.fail(f"the target answered {head[:40]!r}")
        at = head.lower().find(b"content-length:")
        return int(head[at + 15 : head.find(b"\r\n", at)]) if at >= 0 else 0


def measured(
    target: Target, requests: Iterator[bytes], *, seconds: float, connections: int = CONNECTIONS
) -> Callable[[], asyncio.Future[Sample]]:
    """A measurement for `harness.take_turns`."""

    async def measure() -> Sample:
        async with Load(target.port, requests, connections) as load:
            await asyncio.sleep(seconds * _WARM_UP)
            load.waits_s.clear()
            return await window(target, load, seconds)

    return lambda: asyncio.ensure_future(measure())


class Counted(Protocol):
    """What counts answers, and how long each took."""

    answered: int
    waits_s: list[float]
    failure: str | None


async def window(target: Target, load: Counted, seconds: float) -> Sample:
    """What happens in the next `seconds`, or until as many answers came as one needs to say anything."""
    before, cpu_before, start = load.answered, target.cpu_s(), time.perf_counter()
    while True:
        await asyncio.sleep(seconds)
        cpu, took = target.cpu_s() - cpu_before, time.perf_counter() - start
        count = load.answered - before
        if count >= _LEAST:
            break
        if load.failure is not None or took > _PATIENCE_S:
            raise TargetFailed(load.failure or f"{target.name} gave {count} answers in {took:.1f} s")
    ranks = statistics.quantiles(load.waits_s, n=100)
    return Sample(count, took, 1e6 * cpu / count, 1e3 * ranks[49], 1e3 * ranks[98])
