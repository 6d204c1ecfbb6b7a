"""What a charger costs that is connected and does nothing: registered, booted, its connector reported.

Two hubs that differ only in how many chargers they hold; the difference of their memory, divided.
"""

from __future__ import annotations

import asyncio
import resource
import tempfile

from bench.chargers import Fleet
from bench.harness import Effort, Figure, Findings, Target, targets

PART = "idle"
FEW = 10
_REST_S = 1.0


async def measure(effort: Effort) -> Findings:
    """In KiB a charger."""
    _raise_limit(4 * effort.chargers + 1_000)
    few, many = await _resident_kib(FEW), await _resident_kib(effort.chargers)
    each = (many - few) / (effort.chargers - FEW)
    figure = Figure(PART, f"memory of {effort.chargers:,} idle chargers, each", [each], "KiB", 40.0, at_least=False)
    return Findings(PART, [figure], notes=[f"the whole hub with {effort.chargers:,} chargers: {many // 1024} MiB"])


async def _resident_kib(how_many: int) -> int:
    with tempfile.TemporaryDirectory() as directory:
        async with (
            targets(Target.start("bench.hub", directory=directory, stations=how_many)) as (hub,),
            Fleet(hub.port, how_many) as fleet,
        ):
            await fleet.begin()
            await asyncio.sleep(_REST_S)
            return hub.resident_kib()


def _raise_limit(wanted: int) -> None:
    """Allow that many open sockets, as far as the system does; the targets inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if wanted > hard > 0 else max(wanted, 1024), hard))
