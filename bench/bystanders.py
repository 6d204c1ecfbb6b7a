"""What 18 partners notice of two others that are in trouble: one is dead, and one takes three seconds for each answer.

Two hubs tell the same 18 partners of one EVSE at a time; one of them has the other two as well. What counts is how long
it takes from the change until a partner has it.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.child import free_port
from bench.harness import Effort, Figure, Findings, Target, targets
from bench.receivers import Receivers

PART = "bystanders"
HEALTHY: int = 18
_SLOW = HEALTHY
_SLOW_S = 3.0
_PACE_S = 0.01
_LOCATIONS = 50
_PATIENCE_S = 10.0


async def measure(effort: Effort) -> Findings:
    """Changes in both hubs by turns, one at a time."""
    with tempfile.TemporaryDirectory() as directory:
        async with _hubs(Path(directory)) as (receivers, calm, troubled):
            pairs = [await _pair(receivers, calm, troubled, number) for number in range(_changes(effort))]
    without, within = zip(*pairs, strict=True)
    ratios = [statistics.median(within) / statistics.median(without)]
    return Findings(
        PART,
        [
            Figure(
                PART,
                "delivery to 18 partners, beside a dead and a slow one, of without",
                ratios,
                bound=1.05,
                at_least=False,
            ),
            Figure(PART, "median delivery without them", [1e3 * statistics.median(without)], "ms"),
            Figure(PART, "median delivery beside them", [1e3 * statistics.median(within)], "ms"),
        ],
    )


def _changes(effort: Effort) -> int:
    return 40 * effort.rounds


@asynccontextmanager
async def _hubs(directory: Path) -> AsyncIterator[tuple[Receivers, Target, Target]]:
    async with Receivers(HEALTHY + 1, slow_s={_SLOW: _SLOW_S}) as receivers:
        healthy = receivers.ports[:HEALTHY]
        starts = [
            Target.start("bench.hub", directory=str(place), locations=_LOCATIONS, receivers=ports)
            for place, ports in (
                (_made(directory / "calm"), healthy),
                (_made(directory / "troubled"), [*healthy, receivers.ports[_SLOW], free_port()]),
            )
        ]
        async with targets(*starts) as (calm, troubled):
            yield receivers, calm, troubled


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


async def _pair(receivers: Receivers, calm: Target, troubled: Target, number: int) -> tuple[float, float]:
    """The median over the partners of one change in each hub, in seconds; who is first alternates."""
    if number % 2:
        beside = await _change(receivers, troubled, number)
        return await _change(receivers, calm, number), beside
    alone = await _change(receivers, calm, number)
    return alone, await _change(receivers, troubled, number)


async def _change(receivers: Receivers, hub: Target, number: int) -> float:
    await asyncio.sleep(_PACE_S)
    receivers.heard_at.clear()
    began = time.perf_counter()
    await hub.ask(change=[number % _LOCATIONS])
    async with asyncio.timeout(_PATIENCE_S):
        while not receivers.heard_at.keys() >= set(range(HEALTHY)):  # noqa: ASYNC110 - they tell nobody
            await asyncio.sleep(0.0005)
    return statistics.median(receivers.heard_at[number] - began for number in range(HEALTHY))
