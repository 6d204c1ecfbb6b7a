"""Handling a MeterValues against the router of the `ocpp` package, in the same process: a fortieth, or less."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result

from partners.ocpp import frames
from partners.ocpp.rpc import Connection, Incoming
from tests.partners.ocpp.hours import Hours, Wire

MEASURANDS = (
    ("Energy.Active.Import.Register", "Wh", None),
    ("Power.Active.Import", "W", None),
    *(("Current.Import", "A", phase) for phase in ("L1", "L2", "L3")),
    ("Voltage", "V", "L1"),
    ("SoC", "Percent", None),
)


def meter_values() -> str:
    samples: list[dict[str, str]] = []
    for measurand, unit, phase in MEASURANDS:
        sample = {"value": "1234.5", "context": "Sample.Periodic", "measurand": measurand, "unit": unit}
        samples.append(sample if phase is None else {**sample, "phase": phase})
    moment = {"timestamp": "2026-05-01T12:00:00.000Z", "sampledValue": samples}
    return json.dumps([2, "0123456789", "MeterValues", {"connectorId": 1, "transactionId": 7, "meterValue": [moment]}])


class Library(ChargePoint):  # type: ignore[misc]
    @on("MeterValues")  # type: ignore[untyped-decorator]
    async def on_meter_values(self, **payload: Any) -> Any:
        return call_result.MeterValues()


class Socket(Wire):
    async def recv(self) -> str:
        raise NotImplementedError


async def best_us(handle: Callable[[], Awaitable[object]], *, times: int, rounds: int) -> float:
    """The best of many short means, in microseconds: short enough to fit between other work of the machine."""
    means = []
    for _ in range(rounds):
        before = time.perf_counter()
        for _ in range(times):
            await handle()
        means.append((time.perf_counter() - before) / times * 1e6)
    return min(means)


async def test_handling_costs_at_most_a_fortieth_of_the_library() -> None:
    logging.getLogger("ocpp").setLevel(logging.WARNING)
    text, wire = meter_values(), Wire()

    async def handler(incoming: Incoming) -> dict[str, Any]:
        return {}

    connection = Connection(wire.send, handler, Hours(), "1.6")
    library = Library("CP1", Socket())

    async def ours() -> str | None:
        frame = frames.read(text, "1.6")
        assert isinstance(frame, frames.Call)
        return await connection.answer(frame)

    async def theirs() -> None:
        await library.route_message(text)

    assert await ours() == '[3,"0123456789",{}]'
    await theirs()
    own, other = await best_us(ours, times=100, rounds=200), await best_us(theirs, times=5, rounds=60)
    print(f"ours {own:.1f} us, the library {other:.0f} us, a {other / own:.0f}th")
    await asyncio.get_running_loop().shutdown_default_executor()
    assert own * 40 <= other
