"""What a fleet of chargers costs: memory of each while it is silent, messages when all speak, and their coming back.

A hub and a bare `websockets` server hold as many chargers, in one run. At the hub they are registered, booted and have
told of their connector; the ceiling sends back what it hears. A storm: all hang up, then dial, boot and are accepted.
"""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from collections.abc import Awaitable
from typing import Final

from bench.chargers import Fleet, always, heartbeat
from bench.harness import Effort, Figure, Findings, Sample, Target, cpu_ratios, targets

PART = "fleet"
FEW: Final = 10
_REST_S: Final = 1.0
_ROUNDS: Final = 3
_SPARE_FILES: Final = 1_000


async def measure(effort: Effort) -> Findings:
    """Memory in KiB a charger, messages by CPU time, the storm in seconds."""
    found = Findings(PART)
    small, large = effort.chargers * 2 // 5, effort.chargers * 2
    _raise_limit(large + _SPARE_FILES)
    spare = (await silent(FEW)) * FEW
    for size in (small, large):
        await hold(found, size, spare, effort)
    seconds = await storm(effort.chargers)
    found.figures.append(Figure(PART, f"a storm of {effort.chargers:,}: all accepted after", [seconds], "s"))
    found.notes.append(f"the storm: {effort.chargers / seconds:,.0f} chargers a second dial, boot and are accepted")
    return found


async def silent(size: int) -> float:
    """Memory of a hub with so many chargers, a charger."""
    with tempfile.TemporaryDirectory() as directory:
        kib, _ = await _held(Target.start("bench.hub", directory=directory, stations=size), size, 0, boot=True)
    return kib / size


async def hold(found: Findings, size: int, spare_kib: float, effort: Effort) -> None:
    """Both with so many chargers; `spare_kib` is what a hub with next to none needs."""
    seconds = max(effort.seconds, size / 4_000)
    with tempfile.TemporaryDirectory() as directory:
        starting = Target.start("bench.hub", directory=directory, stations=size)
        hub_kib, hub = await _held(starting, size, seconds, boot=True)
    echo_kib, echo = await _held(Target.start("bench.ceilings", role="echo"), size, seconds, boot=False)
    each = (hub_kib - spare_kib) / (size - FEW)
    names = [f"{role}, heartbeats of {size:,}" for role in ("hub", "echo")]
    found.samples |= dict(zip(names, (hub, echo), strict=True))
    found.figures += [
        Figure(PART, f"memory of {size:,} idle chargers, each", [each], "KiB", 40.0, at_least=False),
        Figure(PART, f"memory of {size:,} sockets of a bare websockets server, each", [echo_kib / size], "KiB"),
        Figure(PART, f"heartbeats of {size:,} at once, of a websockets echo", cpu_ratios(found.samples, *names)),
    ]
    found.notes.append(f"the whole hub with {size:,} chargers: {hub_kib // 1024} MiB")


async def storm(how_many: int) -> float:
    """Seconds until all that were thrown out at once are accepted again."""
    with tempfile.TemporaryDirectory() as directory:
        async with (
            targets(Target.start("bench.hub", directory=directory, stations=how_many)) as (hub,),
            Fleet(hub.port, how_many) as fleet,
        ):
            await fleet.begin()
            await fleet.hang_up()
            began = time.perf_counter()
            await fleet.come_back()
            return time.perf_counter() - began


async def _held(starting: Awaitable[Target], size: int, seconds: float, *, boot: bool) -> tuple[int, list[Sample]]:
    """A server with a fleet: its memory while nobody speaks (of one that boots nobody: of the sockets), and samples."""
    async with targets(starting) as (target,):
        before = 0 if boot else target.resident_kib()
        async with Fleet(target.port, size) as fleet:
            if boot:
                await fleet.begin()
            await asyncio.sleep(_REST_S)
            kib = target.resident_kib() - before
            beat, rounds = always(heartbeat()), _ROUNDS if seconds else 0
            return kib, [await fleet.measure(target, beat, seconds=seconds) for _ in range(rounds)]


def _raise_limit(wanted: int) -> None:
    """Allow that many open sockets, as far as the system does; the targets inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if wanted > hard > 0 else max(wanted, 1024), hard))
