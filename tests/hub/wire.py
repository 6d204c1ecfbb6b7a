"""A connection to the hub's HTTP port, byte by byte."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from hub.core.parties import PartyRole
from tests.world import World, a_program

PUT_PATH = "/ocpi/2.2.1/receiver/tokens/NL/EEE/CARD1"


@dataclass(frozen=True)
class Reply:
    """One response off the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def tree(self) -> Any:
        return json.loads(self.body)


class Wire:
    """A connection of a test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *parts: str | bytes) -> None:
        for part in parts:
            self.writer.write(part.encode() if isinstance(part, str) else part)
        await self.writer.drain()

    async def reply(self, *, bodiless: bool = False, timeout_s: float = 20) -> Reply:
        async with asyncio.timeout(timeout_s):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            length = 0 if bodiless else int(headers.get("content-length", 0))
            return Reply(int(first.split()[1]), headers, await self.reader.readexactly(length))

    async def closed(self, timeout_s: float = 20) -> bool:
        async with asyncio.timeout(timeout_s):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


@dataclass
class Port:
    """The hub's port, and a partner's header."""

    number: int
    authorization: str
    wires: list[Wire]
    world: World

    async def connect(self) -> Wire:
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self.number))
        self.wires.append(wire)
        return wire

    def get(self, path: str = "/ocpi/versions", *lines: str, version: str = "1.1") -> str:
        head = [f"GET {path} HTTP/{version}", "Host: hub", f"Authorization: {self.authorization}", *lines]
        return "\r\n".join(head) + "\r\n\r\n"

    def put(self, body: bytes, *lines: str) -> bytes:
        head = [f"PUT {PUT_PATH} HTTP/1.1", "Host: hub", f"Authorization: {self.authorization}"]
        return "\r\n".join([*head, "Content-Type: application/json", *lines]).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def a_port(database_url: str, **settings: Any) -> AsyncIterator[Port]:
    """A hub that listens, and knows the partner `e1`."""
    plenty: dict[str, Any] = {"rate_per_partner": 1_000_000, "burst_per_partner": 1_000_000, **settings}
    async with a_program(database_url, pull_check_s=600, **plenty) as program:
        world = World.around(program.hub)
        await world.join("e1", "NL*EEE", PartyRole.EMSP)
        shown = b64encode(world.secrets["e1"].encode()).decode()
        made = Port(program.settings.port, f"Token {shown}", [], world)
        yield made
        for wire in made.wires:
            wire.writer.close()
