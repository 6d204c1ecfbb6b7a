"""A partner pulls a large list, 100 a page, while 50 of its objects change each second; on SQLite.

What counts: that nothing is missed and nothing comes twice of what did not come or go meanwhile, and that no page takes
much longer than the first. The list has 10,000 locations, with --full 100,000.

The clock counts here, and a machine whose host takes its core away makes single pages slow, whoever makes them. So
there are several crawls among changes, and the median of their ratios counts: what the hub itself does now and then, it
does in each of them. Of 1,000 pages some meet the host in each crawl too, and hardly one of them in most crawls. So
there are two figures of the slowest page: of the times that each page of the list takes as a rule (the median of the
crawls), which finds what is slow in the list, and of each crawl by itself. For the latter raw ASGI that computes as
long as the hub for a page is asked for as many pages in between: where its slowest misses the goal too, and the hub
does no worse, the goal is unsure on this machine.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any, Final

import aiohttp

from bench.harness import Effort, Figure, Findings, Target, targets

PART = "crawl"
A_PAGE: Final = 100
CHANGES_A_SECOND: Final = 50
_CRAWLS: Final = 5
_BOUND: Final = 3.0
_AS_A_RULE: Final = "while 50 a second change: slowest of what each page takes as a rule, of the first"
_LIST: Final = "/ocpi/2.2.1/sender/locations"
_SECRET: Final = "bb_" + "d" * 43
_NEXT: Final = re.compile(r'<([^>]+)>; rel="next"')
_HEADERS: Final = {
    "Authorization": f"Token {base64.b64encode(_SECRET.encode()).decode()}",
    "X-Request-ID": "crawl",
    "X-Correlation-ID": "crawl",
    "OCPI-from-country-code": "NL",
    "OCPI-from-party-id": "EEE",
    "OCPI-to-country-code": "DE",
    "OCPI-to-party-id": "BSB",
}


async def measure(effort: Effort) -> Findings:
    """One crawl in peace, some among changes."""
    size = 50 * effort.locations if effort.locations >= 2_000 else 10_000
    with tempfile.TemporaryDirectory() as directory:
        async with targets(Target.start("bench.hub", locations=size, directory=directory, token=_SECRET)) as (hub,):
            calm, seen = await _crawl(hub)
            _judge(seen, size)
            page = await _page(hub)
            async with targets(Target.start("bench.ceilings", role="replay", answers={_LIST: page})) as (computing,):
                busy, machine = await _among_changes(hub, computing, size)
    return Findings(PART, figures(calm, busy, machine), notes=[f"{size:,} locations, {len(calm):,} pages of {A_PAGE}"])


async def _among_changes(hub: Target, computing: Target, size: int) -> tuple[list[list[float]], list[list[float]]]:
    """Milliseconds of each page: of crawls at the hub, and of as many pages of what only computes."""
    busy: list[list[float]] = []
    machine: list[list[float]] = []
    changing = asyncio.create_task(_change(hub, size))
    for _ in range(_CRAWLS):
        before = hub.cpu_s()
        took, seen = await _crawl(hub)
        _judge(seen, size)
        busy.append(took)
        await computing.ask(compute=1e6 * (hub.cpu_s() - before) / len(took))
        machine.append(await _same_page(computing, len(took)))
    changing.cancel()
    return busy, machine


async def _page(hub: Target) -> dict[str, Any]:
    """The first page, for the ceiling to repeat."""
    as_sent = aiohttp.ClientSession(headers=_HEADERS, auto_decompress=False)
    async with as_sent as session, session.get(_url(hub)) as answer:
        body = await answer.read()
        named = [(name, value) for name, value in answer.headers.items() if name.lower() != "date"]
    return {"status": answer.status, "headers": named, "body": base64.b64encode(body).decode()}


async def _same_page(target: Target, times: int) -> list[float]:
    """Milliseconds of one page that is asked for again and again."""
    took = []
    async with aiohttp.ClientSession(headers=_HEADERS) as session:
        for _ in range(times):
            begun = time.perf_counter()
            async with session.get(_url(target)) as answer:
                await answer.read()
            took.append((time.perf_counter() - begun) * 1000)
    return took


def _url(target: Target) -> str:
    return f"http://127.0.0.1:{target.port}{_LIST}?limit={A_PAGE}"


async def _crawl(hub: Target) -> tuple[list[float], list[str]]:
    """Milliseconds of each page, and the ids that were seen."""
    took, seen = [], []
    url: str | None = _url(hub)
    async with aiohttp.ClientSession(headers=_HEADERS) as session:
        while url is not None:
            begun = time.perf_counter()
            async with session.get(url) as answer:
                body, link = await answer.read(), _NEXT.search(answer.headers.get("Link", ""))
            took.append((time.perf_counter() - begun) * 1000)
            seen += [each["id"] for each in json.loads(body)["data"]]
            path = link[1].split("/ocpi/", 1)[1] if link else None
            url = None if path is None else f"http://127.0.0.1:{hub.port}/ocpi/{path}"
    return took, seen


async def _change(hub: Target, size: int) -> None:
    """Statuses all over the list, ten times a second."""
    a_turn = CHANGES_A_SECOND // 10
    for first in range(0, 10**9, a_turn):
        await hub.ask(change=[(first + n) * 7919 % size for n in range(a_turn)])
        await asyncio.sleep(0.1)


def _judge(seen: list[str], size: int) -> None:
    """Raises: AssertionError, for what was missed or seen twice."""
    if len(seen) != size or len(set(seen)) != size:
        raise AssertionError(f"of {size} locations {len(set(seen))} were seen, {len(seen)} in all")


def figures(calm: list[float], busy: list[list[float]], machine: list[list[float]]) -> list[Figure]:
    """From the milliseconds of each page: of the crawl in peace, of those among changes, of what only computes."""

    def of_first(name: str, pages: Callable[[list[float]], float]) -> Figure:
        ratios = [pages(took) / took[0] for took in busy]
        best = statistics.median(ratios) / min(ratios) - 1  # unsure, where the best crawl meets the goal
        # the first page of what only computes is as any other: the median stands for it
        of_machine = statistics.median(pages(took) / statistics.median(took) for took in machine) / _BOUND - 1
        noise = max(best, of_machine)
        return Figure(PART, f"while 50 a second change: {name}", ratios, bound=_BOUND, at_least=False, noise=noise)

    usual = [statistics.median(times) for times in zip(*busy, strict=True)]
    return [
        Figure(PART, "first page of a large list", [calm[0]], "ms"),
        Figure(PART, "slowest page, of the first", [max(calm) / calm[0]], bound=_BOUND, at_least=False),
        Figure(PART, "median page", [statistics.median(calm)], "ms"),
        Figure(PART, "while 50 a second change: first page", [took[0] for took in busy], "ms"),
        of_first("99th of 100 pages, of the first", lambda took: statistics.quantiles(took, n=100)[98]),
        of_first("slowest page, of the first", max),
        Figure(PART, _AS_A_RULE, [max(usual) / usual[0]], bound=_BOUND, at_least=False),
        Figure(PART, "while 50 a second change: median page", [statistics.median(took) for took in busy], "ms"),
        Figure(PART, "raw ASGI that computes as long: slowest page, of the median", _uneven(machine)),
    ]


def _uneven(pages: list[list[float]]) -> list[float]:
    return [max(took) / statistics.median(took) for took in pages]
