"""One EVSE changes its status, and 20 partners of three versions are told.

The hub commits the change, and each lane PATCHes it to its partner. The ceiling is bare aiohttp that sends the very
requests that the hub sent, as many at a time, and looks at nothing but the HTTP status.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from typing import Any

from bench.harness import Effort, Figure, Findings, Sample, Samples, Target, cpu_ratios, noise_of, take_turns, targets
from bench.receivers import Receivers

PART = "fanout"
PARTNERS = 20
BURST = 25
"""Changes under way at once, each of another location."""
_HOP = frozenset({"host", "content-length", "connection", "accept", "accept-encoding"})


async def measure(effort: Effort) -> Findings:
    """All of it, in one run."""
    with tempfile.TemporaryDirectory() as directory:
        async with (
            Receivers(PARTNERS) as receivers,
            targets(Target.start("bench.hub", directory=directory, locations=BURST, receivers=receivers.ports)) as (
                hub,
            ),
        ):
            await hub.ask(statuses=1)
            requests = [as_sent(receivers, number) for number in range(PARTNERS)]
            async with targets(_pushing(requests), _pushing(requests)) as (bare, again):
                taken = await _take(effort, hub, bare, again)
    return Findings(PART, _figures(taken), taken)


def _pushing(requests: list[dict[str, Any]]) -> Any:
    return Target.start("bench.ceilings", role="push", requests=requests)


async def _take(effort: Effort, hub: Target, bare: Target, again: Target) -> Samples:
    return await take_turns(
        {
            "bare aiohttp": _repeated(bare, effort.seconds, times=BURST),
            "bare aiohttp, once more": _repeated(again, effort.seconds, times=BURST),
            "hub": _repeated(hub, effort.seconds, statuses=BURST),
        },
        effort.rounds,
    )


def _repeated(target: Target, seconds: float, **command: int) -> Callable[[], Any]:
    """Commands one after the other, each of BURST x PARTNERS deliveries; the first is not counted."""

    async def measure() -> Sample:
        await target.ask(**command)
        times, start, before = 0, time.perf_counter(), target.cpu_s()
        while time.perf_counter() < start + seconds:
            await target.ask(**command)
            times += 1
        count = times * BURST * PARTNERS
        return Sample(count, time.perf_counter() - start, 1e6 * (target.cpu_s() - before) / count)

    return measure


def _figures(taken: Samples) -> list[Figure]:
    noise = noise_of(taken, "bare aiohttp, once more", "bare aiohttp")
    ratios = cpu_ratios(taken, "hub", "bare aiohttp")
    return [
        Figure(PART, "deliveries to 20 partners, of bare aiohttp", ratios, bound=0.70, noise=noise),
        Figure(PART, "deliveries to 20 partners a second", [sample.rate for sample in taken["hub"]], "/s"),
        Figure(PART, "two identical targets apart (A/A)", [noise * 100], "%"),
    ]


def as_sent(receivers: Receivers, number: int) -> dict[str, Any]:
    """What the hub sent to a partner, for the ceiling to repeat."""
    head, _, body = receivers.seen[number].decode().partition("\r\n\r\n")
    line, *rest = head.split("\r\n")
    method, path, _ = line.split(" ")
    headers = dict(each.split(": ", 1) for each in rest)
    return {
        "method": method,
        "url": f"http://127.0.0.1:{receivers.ports[number]}{path}",
        "headers": {name: value for name, value in headers.items() if name.lower() not in _HOP},
        "body": body,
    }
