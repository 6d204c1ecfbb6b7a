"""Partners that only listen: HTTP servers on bare protocols that answer each request with success, and count.

One of them may be slow, and say nothing for a while; `answer` is what they say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

SUCCESS = b'{"status_code":1000,"status_message":"Success","timestamp":"2026-01-01T00:00:00Z"}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Receivers:
    """`async with Receivers(20) as receivers:` listens on `receivers.ports`. `seen` keeps the last request of each.

    slow_s: after how many seconds those of these numbers answer; the others do at once.
    """

    def __init__(
        self, how_many: int, *, answer: bytes = SUCCESS, slow_s: Mapping[int, float] = MappingProxyType({})
    ) -> None:
        self._how_many = how_many
        self.answer = _HEAD % len(answer) + answer
        self.slow_s = slow_s
        self._servers: list[asyncio.Server] = []
        self.ports: list[int] = []
        self.seen: dict[int, bytes] = {}
        self.answered = 0
        self.heard_at: dict[int, float] = {}
        """When each of them heard something for the last time."""

    async def __aenter__(self) -> Receivers:
        loop = asyncio.get_running_loop()
        for number in range(self._how_many):
            server = await loop.create_server(partial(_Conversation, self, number), "127.0.0.1", 0)
            self._servers.append(server)
            self.ports.append(server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()

    def heard(self, number: int, request: bytes) -> None:
        """A request is complete."""
        self.answered += 1
        self.heard_at[number] = time.perf_counter()
        self.seen[number] = request


class _Conversation(asyncio.Protocol):
    """One connection: requests follow one another, and are not pipelined."""

    def __init__(self, receivers: Receivers, number: int) -> None:
        self._receivers = receivers
        self._number = number
        self._heard = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        end = self._heard.find(b"\r\n\r\n")
        if end < 0 or len(self._heard) < end + 4 + _length(self._heard[: end + 2]):
            return
        request, self._heard = self._heard, b""
        self._receivers.heard(self._number, request)
        if self._number in self._receivers.slow_s:
            wait_s = self._receivers.slow_s[self._number]
            asyncio.get_running_loop().call_later(wait_s, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._receivers.answer)


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 : head.find(b"\r\n", at)]) if at >= 0 else 0
