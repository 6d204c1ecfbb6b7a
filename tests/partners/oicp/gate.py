"""A hub's OICP port on a real TLS socket, with an EMP, a CPO and a hub that may call it.

    async with a_gate(sqlite_url, tmp_path) as gate:
        said = await gate.ask("AuthorizeStart", {"OperatorID": "DE*ABC"}, by="cpo")
        assert (said.http, said.code) == (200, "000")

Its handlers say yes to all, and keep what they were asked in `gate.asked`; `gate.answers` may say something else.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hub.core.outbound import Outbound
from hub.core.secrets import Keys, Seal
from hub.http_tls import TlsHttp
from hub.server import Face as Port
from hub.server import bound, config_of
from partners.oicp import answers
from partners.oicp.connections import Connection
from partners.oicp.door import Door
from partners.oicp.face import Call
from partners.oicp.operations import OPERATIONS
from tests.hub.wire import Wire
from tests.partners.oicp.authority import Authority, Identity
from tests.world import World, a_world

IDS = {"cpo": "DE*ABC", "emp": "DE-DCB", "hub": "DE*ABC"}
SESSION = "b2688855-7f00-0002-6d8e-48d883f6abb6"


@dataclass(frozen=True)
class Said:
    """An answer of the port."""

    http: int
    tree: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        return str(self.tree["StatusCode"]["Code"])

    @property
    def info(self) -> str:
        return str(self.tree["StatusCode"].get("AdditionalInfo", ""))


@dataclass
class Gate:
    """The port, and who may call."""

    world: World
    door: Door
    authority: Authority
    people: dict[str, Identity]
    number: int = 0
    asked: list[Call] = field(default_factory=list)
    answers: dict[str, Callable[[Call], Awaitable[Mapping[str, Any]]]] = field(default_factory=dict)
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    wires: list[Wire] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.number}"

    async def handle(self, call: Call) -> Mapping[str, Any]:
        self.asked.append(call)
        answer = self.answers.get(call.operation.name)
        return await answer(call) if answer is not None else answers.acknowledged(SessionID=SESSION)

    def shows(self, by: str) -> ssl.SSLContext:
        """What `by` speaks TLS with; `nobody` shows no certificate."""
        return self.authority.trusting(self.people.get(by))

    def client(self, by: str) -> httpx.AsyncClient:
        if by not in self.clients:
            self.clients[by] = httpx.AsyncClient(base_url=self.url, verify=self.shows(by), trust_env=False)
        return self.clients[by]

    async def ask(self, operation: str, message: Any, *, by: str, as_id: str | None = None, query: str = "") -> Said:
        path = OPERATIONS[operation].path.replace("{id}", IDS[by] if as_id is None else as_id)
        return await self.post(f"{path}{query}", json.dumps(message).encode(), by=by)

    async def post(self, path: str, body: bytes, *, by: str, headers: Mapping[str, str] | None = None) -> Said:
        sent = {"Content-Type": "application/json", **(headers or {})}
        answer = await self.client(by).post(path, content=body, headers=sent)
        said = Said(answer.status_code, json.loads(answer.content), answer.headers)
        assert said.http < 500
        assert len(said.headers["process-id"]) == 36
        return said

    async def wire(self, by: str) -> Wire:
        """A connection byte by byte."""
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self.number, ssl=self.shows(by)))
        self.wires.append(wire)
        return wire


def connections(people: Mapping[str, Identity]) -> list[Connection]:
    """An operator, a provider, and a hub behind which are many."""
    return [
        Connection(
            partner="cpo", kind="cpo", operator_ids=("DE*ABC", "+49*810"), fingerprints=(people["cpo"].fingerprint,)
        ),
        Connection(partner="emp", kind="emp", provider_ids=("DE-DCB",), fingerprints=(people["emp"].fingerprint,)),
        Connection(
            partner="hub",
            kind="hub",
            party="DE*HBJ",
            operator_ids=("DE*BSB",),
            provider_ids=("DE-BSB",),
            fingerprints=(people["hub"].fingerprint,),
            learns=True,
        ),
    ]


@asynccontextmanager
async def a_gate(database_url: str, directory: Path, **settings: Any) -> AsyncIterator[Gate]:
    authority = Authority(directory)
    people = {name: authority.identity(name) for name in ("port", "cpo", "emp", "hub", "stranger")}
    chosen = {
        "oicp_port": 1,
        "oicp_certificate": str(people["port"].chain_file),
        "oicp_key": str(people["port"].key_file),
        "oicp_client_ca": str(authority.file),
        **settings,
    }
    async with a_world(database_url, **chosen) as world:
        outbound = Outbound(allow_networks=["127.0.0.0/8"])
        door = Door(world.hub, outbound, Seal(Keys.from_secret(b"x" * 32).seal))
        await door.refresh()
        for connection in connections(people):
            await door.connections.connect(connection, actor="test")
        gate = Gate(world, door, authority, people)
        door.face.serve({name: gate.handle for name in OPERATIONS if name != "PullAuthenticationData"})
        listener = bound("127.0.0.1", 0)
        gate.number = listener.getsockname()[1]
        port = Port(config_of(door.face, TlsHttp, tls=door.tls().context), listener)
        await port.start()
        try:
            yield gate
        finally:
            for wire in gate.wires:
                wire.writer.close()
            for client in gate.clients.values():
                await client.aclose()
            await port.stop()
            await outbound.close()
