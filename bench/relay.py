"""What the hub adds on the way between two partners: a command to another CPO, and a change of an EVSE to 20 partners.

The ceiling is bare aiohttp that sends the very requests that the hub sent on. The hub also takes each from who sends
it, checks it, keeps it (the change, and whom the result of a command is for), and answers.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from bench import samples
from bench.fanout import as_sent
from bench.harness import (
    Effort,
    Figure,
    Findings,
    Sample,
    Samples,
    Target,
    TargetFailed,
    cpu_ratios,
    noise_of,
    take_turns,
    targets,
)
from bench.load import measured
from bench.receivers import Receivers
from bench.roaming import headers_of
from hub.core.inbound import encode, parse

PART = "relay"
PARTNERS: Final = 20
PLACES: Final = 25
"""Locations of the CPO, of which each changes once at a time."""
_COMMANDS: Final = 16
"""Commands under way at once."""
_CPO: Final = "bb_" + "e" * 43
_EMSP: Final = "bb_" + "f" * 43
_ACCEPTED: Final = b'{"data":{"result":"ACCEPTED","timeout":600},"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
_PLACE: Final = "receiver/locations/BE/CPO"
_PATIENCE_S: Final = 20.0
_SENDS, _SENDS_AGAIN = "bare aiohttp, 20 PATCHes", "bare aiohttp, 20 PATCHes, once more"
_PATCHES, _SEND, _COMMAND = "hub, PATCH to 20", "bare aiohttp, command", "hub, command"


async def measure(effort: Effort) -> Findings:
    """All of it, in one run."""
    with tempfile.TemporaryDirectory() as directory:
        async with Receivers(PARTNERS) as emsps, Receivers(1, answer=_ACCEPTED) as cpo:
            options: dict[str, Any] = {"directory": directory, "locations": 1, "token": _EMSP, "cpo_token": _CPO}
            async with targets(Target.start("bench.hub", **options, receivers=emsps.ports, cpo_port=cpo.ports[0])) as (
                hub,
            ):
                lines = _Lines(hub.port)
                taken = await _measured(effort, hub, lines, emsps, cpo)
                lines.close()
    return Findings(PART, _figures(taken), taken)


async def _measured(effort: Effort, hub: Target, lines: _Lines, emsps: Receivers, cpo: Receivers) -> Samples:
    changes = _changes()
    await lines.send([_place(number) for number in range(PLACES)])
    await _change_all(lines, emsps, changes)
    await lines.send([next(_commands())])
    sent_on = [as_sent(emsps, number) for number in range(PARTNERS)]
    ordered = [as_sent(cpo, 0)] * _COMMANDS
    seconds = effort.seconds
    async with targets(_pushing(sent_on), _pushing(sent_on), _pushing(ordered)) as (bare, again, alone):
        return await take_turns(
            {
                _SENDS: _pushed(bare, seconds, PARTNERS, PLACES),
                _SENDS_AGAIN: _pushed(again, seconds, PARTNERS, PLACES),
                _PATCHES: _changed(hub, lines, emsps, changes, seconds),
                _SEND: _pushed(alone, seconds, _COMMANDS, 20),
                _COMMAND: measured(hub, _commands(), seconds=seconds, connections=_COMMANDS),
            },
            effort.rounds,
        )


def _pushing(requests: list[dict[str, Any]]) -> Any:
    return Target.start("bench.ceilings", role="push", requests=requests)


def _figures(taken: Samples) -> list[Figure]:
    noise = noise_of(taken, _SENDS_AGAIN, _SENDS)
    patches, commands = cpu_ratios(taken, _PATCHES, _SENDS), cpu_ratios(taken, _COMMAND, _SEND)
    return [
        Figure(PART, "EVSE PATCH passed on to 20 partners, of the sends alone", patches, noise=noise),
        Figure(PART, "command passed on to a CPO, of the send alone", commands, noise=noise),
        Figure(PART, "the hub's own time for a command", [sample.cpu_us for sample in taken[_COMMAND]], "us"),
        Figure(PART, "two identical targets apart (A/A)", [noise * 100], "%"),
    ]


def _pushed(target: Target, seconds: float, workers: int, times: int) -> Callable[[], Any]:
    """The sends alone; those to all partners count as one."""
    each = workers if workers == PARTNERS else 1

    async def measure() -> Sample:
        await target.ask(times=times)
        rounds, start, before = 0, time.perf_counter(), target.cpu_s()
        while time.perf_counter() < start + seconds:
            await target.ask(times=times)
            rounds += 1
        count = rounds * workers * times // each
        return Sample(count, time.perf_counter() - start, 1e6 * (target.cpu_s() - before) / count)

    return measure


def _changed(
    hub: Target, lines: _Lines, emsps: Receivers, changes: Iterator[list[bytes]], seconds: float
) -> Callable[[], Any]:
    async def measure() -> Sample:
        await _change_all(lines, emsps, changes)
        rounds, start, before = 0, time.perf_counter(), hub.cpu_s()
        while time.perf_counter() < start + seconds:
            await _change_all(lines, emsps, changes)
            rounds += 1
        count = rounds * PLACES
        return Sample(count, time.perf_counter() - start, 1e6 * (hub.cpu_s() - before) / count)

    return measure


async def _change_all(lines: _Lines, emsps: Receivers, changes: Iterator[list[bytes]]) -> None:
    """One EVSE of each place changes; back when all partners know."""
    due = emsps.answered + PLACES * PARTNERS
    await lines.send(next(changes))
    async with asyncio.timeout(_PATIENCE_S):
        while emsps.answered < due:  # noqa: ASYNC110 - they tell nobody
            await asyncio.sleep(0.001)


class _Lines:
    """Connections to the hub that stay open: each request of a batch goes over one of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lines: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, requests: list[bytes]) -> None:
        """Back when all were answered. Raises: TargetFailed, when one of them was refused."""
        while len(self._lines) < len(requests):
            self._lines.append(await asyncio.open_connection("127.0.0.1", self._port))
        async with asyncio.timeout(_PATIENCE_S):
            await asyncio.gather(*map(self._exchange, self._lines, requests))

    async def _exchange(self, line: tuple[asyncio.StreamReader, asyncio.StreamWriter], request: bytes) -> None:
        reader, writer = line
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.lower().find(b"content-length:")
        body = await reader.readexactly(int(head[at + 15 : head.find(b"\r\n", at)]))
        if b'"status_code":1000' not in body:
            raise TargetFailed(f"the hub answered {head[:20]!r} {body[:200]!r}")

    def close(self) -> None:
        """Hang up."""
        for _, writer in self._lines:
            writer.close()


def _place(number: int) -> bytes:
    ids = {"country_code": "BE", "party_id": "CPO", "id": f"P{number}", "last_updated": "2026-01-01T00:00:00Z"}
    return _request("PUT", f"{_PLACE}/P{number}", {**samples.location(number), **ids}, _CPO, "BE*CPO")


def _changes() -> Iterator[list[bytes]]:
    """An EVSE of each place takes another status, later each time."""
    turn = 0
    while True:
        turn += 1
        status = "CHARGING" if turn % 2 else "AVAILABLE"
        at = f"2026-01-02T{turn // 3600:02}:{turn // 60 % 60:02}:{turn % 60:02}Z"
        part = {"status": status, "last_updated": at}
        yield [
            _request("PATCH", f"{_PLACE}/P{number}/{_evse(number)}", part, _CPO, "BE*CPO") for number in range(PLACES)
        ]


def _evse(number: int) -> str:
    uid: str = samples.location(number)["evses"][0]["uid"]
    return uid


def _commands() -> Iterator[bytes]:
    """An eMSP lets a driver of its own charge at the CPO's."""
    token = parse(samples.token(0, 0), limit=10_000)
    body = {
        "response_url": "https://emsp.example.com/results/1",
        "token": {**token, "uid": "APP1", "type": "APP_USER"},
        "location_id": "P1",
        "evse_uid": _evse(1),
    }
    while True:
        yield _request("POST", "receiver/commands/START_SESSION", body, _EMSP, samples.PARTY)


def _request(method: str, path: str, tree: dict[str, Any], token: str, sender: str) -> bytes:
    body = encode(tree)
    return b"%b /ocpi/2.2.1/%b HTTP/1.1\r\n%bContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        method.encode(),
        path.encode(),
        headers_of(token, sender),
        len(body),
        body,
    )
