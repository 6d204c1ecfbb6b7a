"""OCPP 1.6: a tap's Authorize and MeterValues over websockets, and the handling alone against the `ocpp` package.

The ceiling is a bare `websockets` server that sends each frame back. The hub's answers are whole ones: Authorize looks
the token up and decides; MeterValues are validated against the official schema and on disk before they are answered.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result

from bench import chargers
from bench.chargers import Charger, Fleet, always
from bench.harness import Effort, Figure, Findings, Sample, Samples, Target, cpu_ratios, noise_of, take_turns, targets
from hub.core.clock import SystemClock
from partners.ocpp import frames
from partners.ocpp.rpc import Connection, Incoming

PART = "ocpp"
CHARGERS = 50


async def measure(effort: Effort) -> Findings:
    """All of it, in one run."""
    handling = [await _handling_ratio() for _ in range(effort.rounds)]
    with tempfile.TemporaryDirectory() as directory:
        async with (
            targets(
                Target.start("bench.hub", directory=directory, stations=CHARGERS, card=chargers.CARD),
                Target.start("bench.ceilings", role="echo"),
                Target.start("bench.ceilings", role="echo"),
            ) as (hub, echo, again),
            Fleet(hub.port, CHARGERS) as ours,
            Fleet(echo.port, CHARGERS) as theirs,
            Fleet(again.port, CHARGERS) as others,
        ):
            taken = await _take(effort, (hub, ours), (echo, theirs), (again, others))
    return Findings(PART, [*_figures(taken), _handling(handling)], taken)


Side = tuple[Target, Fleet]


async def _take(effort: Effort, hub: Side, echo: Side, again: Side) -> Samples:
    await hub[1].begin()
    numbers = await hub[1].charge()
    turns: dict[str, Iterator[int]] = {}

    def values(charger: Charger) -> Iterator[str]:
        moments = turns.setdefault(charger.identity, count(1))
        return (chargers.meter_values(numbers[charger.identity], turn) for turn in moments)

    def of(side: Side, calls: Callable[[Charger], Iterator[str]]) -> Callable[[], Awaitable[Sample]]:
        return lambda: side[1].measure(side[0], calls, seconds=effort.seconds)

    tap, meter = always(chargers.authorize()), always(chargers.meter_values("1", 1))
    return await take_turns(
        {
            "echo, Authorize": of(echo, tap),
            "echo, Authorize, once more": of(again, tap),
            "hub, Authorize": of(hub, tap),
            "echo, MeterValues": of(echo, meter),
            "hub, MeterValues": of(hub, values),
        },
        effort.rounds,
    )


def _figures(taken: Samples) -> list[Figure]:
    noise = noise_of(taken, "echo, Authorize, once more", "echo, Authorize")
    tap = cpu_ratios(taken, "hub, Authorize", "echo, Authorize")
    meter = cpu_ratios(taken, "hub, MeterValues", "echo, MeterValues")
    return [
        Figure(PART, "Authorize of a known token, of a websockets echo", tap, bound=0.40, noise=noise),
        Figure(PART, "MeterValues, durable, of a websockets echo", meter, bound=0.50, noise=noise),
        Figure(PART, "two identical targets apart (A/A)", [noise * 100], "%"),
    ]


def _handling(ratios: list[float]) -> Figure:
    spread = 1 - min(ratios) / max(ratios)
    return Figure(PART, "handling of MeterValues against the ocpp package", ratios, bound=40.0, noise=spread)


class _Library(ChargePoint):  # type: ignore[misc]
    @on("MeterValues")  # type: ignore[untyped-decorator]
    async def on_meter_values(self, **payload: Any) -> Any:
        return call_result.MeterValues()


class _Nowhere:
    async def recv(self) -> str:
        raise NotImplementedError

    async def send(self, text: str) -> None:
        """Frames end here."""


async def _handling_ratio() -> float:
    """How many times the package's routing of one frame costs ours: no socket, no store."""
    logging.getLogger("ocpp").setLevel(logging.WARNING)
    text = f'[2,"1",{chargers.meter_values("1", 1)}]'
    nowhere = _Nowhere()

    async def nothing(incoming: Incoming) -> dict[str, Any]:
        return {}

    connection, library = Connection(nowhere.send, nothing, SystemClock(), "1.6"), _Library("CP1", nowhere)

    async def ours() -> None:
        frame = frames.read(text, "1.6")
        assert isinstance(frame, frames.Call)
        answer = await connection.answer(frame)
        assert answer is not None
        assert json.loads(answer)[0] == 3

    async def theirs() -> None:
        await library.route_message(text)

    return await _best_us(theirs, times=5, tries=20) / await _best_us(ours, times=50, tries=40)


async def _best_us(handle: Callable[[], Awaitable[None]], *, times: int, tries: int) -> float:
    """The best of short means: short enough to fit between other work of the machine."""
    means = []
    for _ in range(tries):
        before = time.perf_counter()
        for _ in range(times):
            await handle()
        means.append((time.perf_counter() - before) / times * 1e6)
    return min(means)
