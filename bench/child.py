"""The other side of `harness.Target`: a process that serves, says its port, and does what it is told.

It reads its options, one line of JSON, from its standard input, and says `{"port": ...}` on its standard output when it
serves. Then it answers each line of JSON with one, and ends when its input does: so it never outlives who started it.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TextIO

import uvloop

from bench.harness import pin

_LONGEST = 16 * 1024 * 1024
SERVER_CORE = 0
LOAD_CORE = 1


class Service(Protocol):
    """What a target does."""

    port: int

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """One command."""
        ...

    async def stop(self) -> None:
        """Let go of everything."""
        ...


class Idle:
    """A service that takes no commands. `close` ends it."""

    def __init__(self, port: int, close: Callable[[], Awaitable[None]]) -> None:
        self.port = port
        self._close = close

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    async def stop(self) -> None:
        await self._close()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


Start = Callable[[dict[str, Any]], Awaitable[Service]]


def run(start: Start) -> None:
    """Be a target, until told to end."""
    pin(SERVER_CORE)
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # whatever is printed goes where errors go
        uvloop.run(_obey(start, answers))


async def _obey(start: Start, answers: TextIO) -> None:
    commands = asyncio.StreamReader(limit=_LONGEST)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    service = await start(json.loads(await commands.readline()))
    _say(answers, {"port": service.port})
    try:
        while line := await commands.readline():
            _say(answers, await service.do(json.loads(line)))
    finally:
        await service.stop()


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()
