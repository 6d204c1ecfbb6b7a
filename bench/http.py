"""OCPI over HTTP: pages warm, compressed and cold, one object, and a token that is durable before its answer leaves.

The ceiling answers with the very bytes that the hub answered, from memory, on the same uvicorn, whatever is asked.
"""

from __future__ import annotations

import base64
import http.client
import tempfile
from collections.abc import Iterator
from itertools import count
from typing import Any

from bench import samples
from bench.harness import (
    Effort,
    Figure,
    Findings,
    Samples,
    Target,
    cpu_ratios,
    noise_of,
    take_turns,
    targets,
)
from bench.load import measured

PART = "http"
PAGE = 50
IN_FLIGHT = 64
TOKENS = 5_000
_SECRET = "bb_" + "b" * 43
_LIST = "/ocpi/2.2.1/sender/locations"
_ONE = f"{_LIST}/LOC00007"
_HEADERS = (
    b"Host: hub.example.com\r\nAuthorization: Token %b\r\nX-Request-ID: 0a4e1f6c-1b2c-4d5e-8f90-1234567890ab\r\n"
    b"X-Correlation-ID: 1b4e1f6c-1b2c-4d5e-8f90-1234567890ab\r\nOCPI-from-country-code: NL\r\n"
    b"OCPI-from-party-id: EEE\r\nOCPI-to-country-code: DE\r\nOCPI-to-party-id: BSB\r\n"
) % base64.b64encode(_SECRET.encode())


async def measure(effort: Effort) -> Findings:
    """All of it, in one run."""
    with tempfile.TemporaryDirectory() as directory:
        shared = {"directory": directory, "token": _SECRET}
        async with targets(
            Target.start("bench.hub", locations=effort.locations, **shared),
            Target.start("bench.reference", **shared),
        ) as (hub, usual):
            answers = _heard(hub)
            async with targets(_replaying(answers), _replaying(answers)) as (raw, again):
                taken = await _take(effort, hub, raw, again, usual)
    return Findings(PART, _figures(taken), taken, [f"a page is {_size(answers[_LIST])} bytes"])


def _replaying(answers: dict[str, Any]) -> Any:
    return Target.start("bench.ceilings", role="replay", answers=answers)


async def _take(effort: Effort, hub: Target, raw: Target, again: Target, usual: Target) -> Samples:
    page, put = _get(f"{_LIST}?limit={PAGE}"), _Puts()
    reads = {
        "raw ASGI, page": measured(raw, page, seconds=effort.seconds),
        "raw ASGI, page, once more": measured(again, page, seconds=effort.seconds),
        "hub, page warm": measured(hub, page, seconds=effort.seconds),
        "hub, page warm, gzip": measured(hub, _get(f"{_LIST}?limit={PAGE}", zipped=True), seconds=effort.seconds),
        "hub, page cold": measured(hub, _other_pages(effort.locations), seconds=effort.seconds),
        "raw ASGI, object": measured(raw, _get(_ONE), seconds=effort.seconds),
        "hub, object": measured(hub, _get(_ONE), seconds=effort.seconds),
    }
    writes = {
        name: measured(target, put, seconds=effort.seconds, connections=IN_FLIGHT)
        for name, target in (("raw ASGI, PUT token", raw), ("hub, PUT token", hub), ("usual way, PUT token", usual))
    }
    return {**await take_turns(reads, effort.rounds), **await take_turns(writes, effort.rounds)}


def _figures(taken: Samples) -> list[Figure]:
    noise = noise_of(taken, "raw ASGI, page, once more", "raw ASGI, page")
    page, put, one = "raw ASGI, page", "raw ASGI, PUT token", "raw ASGI, object"

    def of(name: str, ours: str, other: str, bound: float) -> Figure:
        return Figure(PART, name, cpu_ratios(taken, ours, other), bound=bound, noise=noise)

    p99 = [sample.p99_ms for sample in taken["hub, PUT token"]]
    return [
        of("page of 50 locations, warm, of raw ASGI", "hub, page warm", page, 0.70),
        of("the same gzipped, of raw ASGI plain", "hub, page warm, gzip", page, 1.3),
        of("the same read from SQLite, of raw ASGI", "hub, page cold", page, 0.30),
        of("one location, of raw ASGI", "hub, object", one, 0.60),
        of("PUT token, durable, 64 in flight, of raw ASGI", "hub, PUT token", put, 0.20),
        Figure(PART, "PUT token, durable, 64 in flight, p99", p99, "ms", 15.0, at_least=False, noise=_spread(p99)),
        of("PUT token against FastAPI with SQLModel", "hub, PUT token", "usual way, PUT token", 30.0),
        Figure(PART, "two identical targets apart (A/A)", [noise * 100], "%"),
    ]


def _spread(values: list[float]) -> float:
    """A clock's figure is unsure when its best round meets the goal."""
    return 1 - min(values) / max(values)


def _get(path: str, *, zipped: bool = False) -> Iterator[bytes]:
    encoding = b"Accept-Encoding: gzip\r\n" if zipped else b""
    request = b"GET %b HTTP/1.1\r\n%b%b\r\n" % (path.encode(), _HEADERS, encoding)
    while True:
        yield request


def _other_pages(locations: int) -> Iterator[bytes]:
    """Crawls, each begun one location further on than the one before: no page is asked for twice in a long time."""
    for first in count():
        for offset in range(first % PAGE, locations - PAGE, PAGE):
            yield b"GET %b?offset=%d&limit=%d HTTP/1.1\r\n%b\r\n" % (_LIST.encode(), offset, PAGE, _HEADERS)


class _Puts(Iterator[bytes]):
    """Each token newer than the time before, so that each is written. All targets get the same."""

    def __init__(self) -> None:
        self._tokens = samples.newer_tokens(TOKENS)

    def __next__(self) -> bytes:
        number, body = next(self._tokens)
        return (
            b"PUT /ocpi/2.2.1/receiver/tokens/NL/EEE/%b HTTP/1.1\r\n%bContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b"
        ) % (samples.uid(number), _HEADERS, len(body), body)


def _heard(hub: Target) -> dict[str, Any]:
    """What the hub answers, for the ceiling to repeat."""
    put = f"/ocpi/2.2.1/receiver/tokens/NL/EEE/{samples.uid(0).decode()}"
    return {
        _LIST: _ask(hub, "GET", f"{_LIST}?limit={PAGE}"),
        _ONE: _ask(hub, "GET", _ONE),
        "PUT": _ask(hub, "PUT", put, samples.token(0, 0)),
    }


def _ask(hub: Target, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", hub.port)
    headers = dict(line.split(": ", 1) for line in _HEADERS.decode().splitlines())
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    heard = {
        "status": answer.status,
        "headers": [(name, value) for name, value in answer.getheaders() if name.lower() != "date"],
        "body": base64.b64encode(answer.read()).decode(),
    }
    connection.close()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{method} {path}: {answer.status} {base64.b64decode(str(heard['body']))[:200]!r}")
    return heard


def _size(heard: dict[str, Any]) -> int:
    return len(base64.b64decode(heard["body"]))
