"""Two partners through the hub: a CPO that asks for a card on record, and one that tells of a session.

Both are held against raw ASGI that answers with the same bytes. Then a list that is pulled again though nothing in it
has changed, against reading and checking the same list.
"""

from __future__ import annotations

import base64
import http.client
import json
import tempfile
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from bench import samples
from bench.harness import Effort, Figure, Findings, Samples, Target, cpu_ratios, noise_of, take_turns, targets
from bench.load import measured

PART = "roaming"
IN_FLIGHT: Final = 64
SESSIONS: Final = 2_000
_SECRET: Final = "bb_" + "e" * 43
_CARD: Final = "04A2B3C4D5E6F7"
_ASK: Final = f"/ocpi/2.2.1/sender/tokens/{_CARD}/authorize"
_TELL: Final = "/ocpi/2.2.1/receiver/sessions/BE/CPO/"


def headers_of(token: str, sender: str) -> bytes:
    """What a partner's requests to the hub carry."""
    country_code, party_id = sender.encode().split(b"*")
    return (
        b"Host: hub.example.com\r\nAuthorization: Token %b\r\nX-Request-ID: 0a4e1f6c-1b2c-4d5e-8f90-1234567890ab\r\n"
        b"X-Correlation-ID: 1b4e1f6c-1b2c-4d5e-8f90-1234567890ab\r\nOCPI-from-country-code: %b\r\n"
        b"OCPI-from-party-id: %b\r\nOCPI-to-country-code: DE\r\nOCPI-to-party-id: BSB\r\n"
    ) % (base64.b64encode(token.encode()), country_code, party_id)


_HEADERS: Final = headers_of(_SECRET, "BE*CPO")


async def measure(effort: Effort) -> Findings:
    """All of it, in one run."""
    with tempfile.TemporaryDirectory() as directory:
        async with targets(
            Target.start("bench.hub", locations=1, directory=directory, cpo_token=_SECRET, card=_CARD)
        ) as (hub,):
            answers = {
                _ASK: _ask(hub, "POST", _ASK, b""),
                "PUT": _ask(hub, "PUT", f"{_TELL}S0", samples.session(0, 0)),
            }
            async with targets(_replaying(answers), _replaying(answers)) as (raw, again):
                taken = await _take(effort, hub, raw, again)
            pulled = [await hub.ask(pull=1_000) for _ in range(effort.rounds)]
    return Findings(PART, [*_figures(taken), *_repulled(pulled)], taken)


def _replaying(answers: dict[str, Any]) -> Any:
    return Target.start("bench.ceilings", role="replay", answers=answers)


async def _take(effort: Effort, hub: Target, raw: Target, again: Target) -> Samples:
    asks, puts = _asks(), _puts()
    return await take_turns(
        {
            "raw ASGI, authorize": measured(raw, asks, seconds=effort.seconds),
            "raw ASGI, authorize, once more": measured(again, asks, seconds=effort.seconds),
            "hub, authorize": measured(hub, asks, seconds=effort.seconds),
            "raw ASGI, PUT session": measured(raw, puts, seconds=effort.seconds, connections=IN_FLIGHT),
            "hub, PUT session": measured(hub, puts, seconds=effort.seconds, connections=IN_FLIGHT),
        },
        effort.rounds,
    )


def _figures(taken: Samples) -> list[Figure]:
    noise = noise_of(taken, "raw ASGI, authorize, once more", "raw ASGI, authorize")
    asked = cpu_ratios(taken, "hub, authorize", "raw ASGI, authorize")
    told = cpu_ratios(taken, "hub, PUT session", "raw ASGI, PUT session")
    p99 = [sample.p99_ms for sample in taken["hub, PUT session"]]
    return [
        Figure(PART, "POST authorize of a card on record, of raw ASGI", asked, bound=0.60, noise=noise),
        Figure(PART, "PUT session, durable, 64 in flight, of raw ASGI", told, bound=0.20, noise=noise),
        Figure(PART, "PUT session, durable, 64 in flight, p99", p99, "ms", 15.0, at_least=False),
        Figure(PART, "two identical targets apart (A/A)", [noise * 100], "%"),
    ]


def _repulled(pulled: list[dict[str, Any]]) -> list[Figure]:
    ratios = [each["read_us"] / each["again_us"] for each in pulled]
    return [
        Figure(PART, "1,000 locations pulled again unchanged, of reading and checking them", ratios, bound=40.0),
        Figure(PART, "1,000 locations pulled again unchanged", [each["again_us"] / 1000 for each in pulled], "ms"),
    ]


def _asks() -> Iterator[bytes]:
    while True:
        yield b"POST %b HTTP/1.1\r\n%bContent-Length: 0\r\n\r\n" % (_ASK.encode(), _HEADERS)


def _puts() -> Iterator[bytes]:
    """Each session newer than the time before, so that each is written."""
    for turn in count():
        for number in range(SESSIONS):
            body = samples.session(number, turn)
            yield (b"PUT %bS%d HTTP/1.1\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b") % (
                _TELL.encode(),
                number,
                _HEADERS,
                len(body),
                body,
            )


def _ask(hub: Target, method: str, path: str, body: bytes) -> dict[str, Any]:
    """What the hub answers, for the ceiling to repeat."""
    connection = http.client.HTTPConnection("127.0.0.1", hub.port)
    headers = dict(line.split(": ", 1) for line in _HEADERS.decode().splitlines())
    if body:
        headers["Content-Type"] = "application/json"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if json.loads(content)["status_code"] != 1000:
        raise RuntimeError(f"{method} {path}: {answer.status} {content[:200]!r}")
    named = [(name, value) for name, value in answer.getheaders() if name.lower() != "date"]
    return {"status": answer.status, "headers": named, "body": base64.b64encode(content).decode()}
