"""How everything here is measured: servers in processes of their own, rounds that take turns, ratios within a round.

A target is a server process, pinned to core 0; what loads it is pinned to core 1. A machine that does something else
too makes the clock lie, but hardly the CPU time that a target spent on a request: so ratios are ratios of CPU time,
taken within one round, and the median over the rounds counts. Two targets that are the same program (A and A') show
how far apart identical things measure: a goal that is missed by less than that is unsure.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

Verdict = Literal["pass", "missed", "unsure", ""]
_READY_TIMEOUT_S = 600.0
_END_TIMEOUT_S = 10.0
_SCHEDULER_CLOCK = 2
_CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}


class Sample(NamedTuple):
    """What one target did in one round. CPU is the target's, in us a request; latencies in ms."""

    requests: int
    seconds: float
    cpu_us: float
    p50_ms: float = 0.0
    p99_ms: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second, by the clock."""
        return self.requests / self.seconds


Samples = dict[str, list[Sample]]
"""By the name of what was measured: one sample a round."""


@dataclass(slots=True)
class Figure:
    """One goal and what was measured for it, a value a round. `noise` is a share of the value."""

    part: str
    name: str
    values: list[float]
    unit: str = "x"
    bound: float | None = None
    at_least: bool = True
    noise: float = 0.0

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def verdict(self) -> Verdict:
        """Nothing without a goal."""
        if self.bound is None:
            return ""
        ahead = self.value / self.bound - 1 if self.at_least else 1 - self.value / self.bound
        if ahead >= 0:
            return "pass"
        return "unsure" if -ahead <= self.noise else "missed"


@dataclass(slots=True)
class Findings:
    """What one part of the benchmark found."""

    part: str
    figures: list[Figure] = field(default_factory=list)
    samples: Samples = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done: rounds, seconds a measurement, and how large what is built is."""

    rounds: int
    seconds: float
    locations: int
    chargers: int

    @classmethod
    def quick(cls) -> Self:
        """About a minute for all parts."""
        return cls(rounds=5, seconds=0.3, locations=600, chargers=1_000)

    @classmethod
    def full(cls) -> Self:
        """About five minutes."""
        return cls(rounds=15, seconds=0.7, locations=2_000, chargers=5_000)


class TargetFailed(Exception):
    """A target did not start, or answered wrongly."""


class Target:
    """A server in a process of its own, started by `python -m <module>` (see `child.py`)."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.port = 0
        self._process = process

    @classmethod
    async def start(cls, module: str, **options: object) -> Self:
        """Returns when it serves. Raises: TargetFailed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=16 * 1024 * 1024,
        )
        target = cls(module, process)
        target.port = int((await target.ask(**options))["port"])
        return target

    async def ask(self, **command: object) -> dict[str, Any]:
        """Let the target do something, and wait for its answer. Raises: TargetFailed."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        return await self._heard()

    async def stop(self) -> None:
        """The end of its standard input is its signal; who does not hear it in time is killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _END_TIMEOUT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def cpu_s(self) -> float:
        """CPU time of all its threads until now, those that ended too; the kernel's own scheduler clock."""
        return cpu_s(self._process.pid)

    def resident_kib(self) -> int:
        """Memory that it holds."""
        return resident_kib(self._process.pid)

    async def _heard(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), _READY_TIMEOUT_S)
        if not line:
            raise TargetFailed(f"{self.name} ended: see what it wrote above")
        heard: dict[str, Any] = json.loads(line)
        return heard


@asynccontextmanager
async def targets(*starting: Awaitable[Target]) -> AsyncIterator[Sequence[Target]]:
    """Targets that run for as long as the block does; started one after the other."""
    running: list[Target] = []
    try:
        for each in starting:
            running.append(await each)  # noqa: PERF401 - who started before a failure is stopped all the same
        yield running
    finally:
        for target in reversed(running):
            await target.stop()


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, by its own clock (Linux), else as the system counts them."""
    if sys.platform == "linux":
        return time.clock_gettime(~pid << 3 | _SCHEDULER_CLOCK)
    import psutil

    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def resident_kib(pid: int) -> int:
    """Resident memory of a process."""
    import psutil

    return int(psutil.Process(pid).memory_info().rss) // 1024


def pin(core: int) -> None:
    """Stay on one core, where there are two and the system can do that."""
    if len(_CORES) > 1:
        os.sched_setaffinity(0, {sorted(_CORES)[core]})


@contextmanager
def on_all_cores() -> Iterator[None]:
    """For a while not pinned; what is started meanwhile neither."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def take_turns(measurements: Mapping[str, Callable[[], Awaitable[Sample]]], rounds: int) -> Samples:
    """Each measurement once a round; the first of a round is another one each time."""
    samples: Samples = {name: [] for name in measurements}
    names = list(measurements)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(await measurements[name]())
    return samples


def cpu_ratios(samples: Samples, ours: str, ceiling: str) -> list[float]:
    """How much of the ceiling's speed ours has, a value a round: the ceiling's CPU time over ours."""
    return [theirs.cpu_us / own.cpu_us for own, theirs in zip(samples[ours], samples[ceiling], strict=True)]


def rate_ratios(samples: Samples, ours: str, other: str) -> list[float]:
    """The same by the clock."""
    return [own.rate / theirs.rate for own, theirs in zip(samples[ours], samples[other], strict=True)]


def noise_of(samples: Samples, first: str, second: str) -> float:
    """How far apart two identical targets measured: the median over the rounds, as a share."""
    return statistics.median(abs(ratio - 1) for ratio in cpu_ratios(samples, first, second))
