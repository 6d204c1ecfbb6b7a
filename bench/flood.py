"""What chargers notice of another one that floods the hub: 72 KB of valid MeterValues, as many at once as it can.

The hub paces frames as it does by default, by number and by length. The others send a Heartbeat ten times a second;
what counts is how long its answer takes. What a flood may say at once when it connects is over before it counts.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Final, NamedTuple

from bench.chargers import CARD, Charger, Fleet, heartbeat, many_values
from bench.harness import Effort, Figure, Findings, Target, targets

PART = "flood"
OTHERS: Final = 50
SAMPLES: Final = 4_800
"""With these a frame has 72 KB."""
_AT_ONCE: Final = 12
_EVERY_S: Final = 0.1
_LONG: Final = 7
_SETTLES_S: Final = 1.5


class Beats(NamedTuple):
    """Waits for answers, in ms."""

    p50: float
    p99: float


class Round(NamedTuple):
    """The same without the flood, twice, and beside it, and how many of its frames were answered a second."""

    alone: Beats
    again: Beats
    beside: Beats
    frames: float


async def measure(effort: Effort) -> Findings:
    """By turns with and without the flood, in one hub."""
    seconds = _LONG * effort.seconds
    with tempfile.TemporaryDirectory() as directory:
        starting = Target.start("bench.hub", directory=directory, stations=OTHERS + 1, card=CARD, paced=True)
        async with targets(starting) as (hub,), Fleet(hub.port, OTHERS) as others:
            await others.begin()
            rounds = [await _round(hub.port, others, turn, seconds) for turn in range(effort.rounds)]
    words, beside = "of others' Heartbeats beside a flood, of without", [each.beside for each in rounds]
    p50, p99 = (
        [each.beside[at] / statistics.mean((each.alone[at], each.again[at])) for each in rounds] for at in (0, 1)
    )
    noise = statistics.median(abs(each.again.p99 / each.alone.p99 - 1) for each in rounds)
    return Findings(
        PART,
        [
            Figure(PART, f"p50 {words}", p50, bound=1.2, at_least=False, noise=noise),
            Figure(PART, f"p99 {words}", p99, bound=1.2, at_least=False, noise=noise),
            Figure(PART, "two p99 without it apart (A/A)", [noise * 100], "%"),
            Figure(PART, "p99 without it", [each.alone.p99 for each in rounds], "ms"),
            Figure(PART, "p99 beside it", [each.p99 for each in beside], "ms"),
            Figure(PART, "frames of the flood that are taken a second", [each.frames for each in rounds], ""),
        ],
    )


async def _round(port: int, others: Fleet, turn: int, seconds: float) -> Round:
    """The flood is last or between, by turns."""
    alone = await _beats(others, seconds)
    again = await _beats(others, seconds) if turn % 2 else None
    async with _flooding(port) as flood:
        before = flood.answered
        beside = await _beats(others, seconds)
        frames = (flood.answered - before) / seconds
    await asyncio.sleep(_SETTLES_S)
    return Round(alone, again or await _beats(others, seconds), beside, frames)


@asynccontextmanager
async def _flooding(port: int) -> AsyncIterator[Fleet]:
    async with Fleet(port, 1, first=OTHERS) as fleet:
        await fleet.begin()
        (number,) = (await fleet.charge()).values()
        (charger,) = fleet.chargers
        charger.flood((many_values(number, turn, samples=SAMPLES) for turn in count(1)), at_once=_AT_ONCE)
        await asyncio.sleep(_SETTLES_S)
        yield fleet
        charger.drop()
        fleet.chargers.clear()


async def _beats(others: Fleet, seconds: float) -> Beats:
    waits_s: list[float] = []
    until = time.perf_counter() + seconds
    shift_s = _EVERY_S / OTHERS
    await asyncio.gather(*(_beat(one, at * shift_s, until, waits_s) for at, one in enumerate(others.chargers)))
    ranks = statistics.quantiles(waits_s, n=100)
    return Beats(1e3 * ranks[49], 1e3 * ranks[98])


async def _beat(charger: Charger, begins_s: float, until: float, waits_s: list[float]) -> None:
    """One of the others, at its own moments."""
    await asyncio.sleep(begins_s)
    while (began := time.perf_counter()) < until:
        await charger.ask(heartbeat())
        waits_s.append(time.perf_counter() - began)
        await asyncio.sleep(max(0.0, began + _EVERY_S - time.perf_counter()))
