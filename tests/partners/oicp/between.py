"""A hub with all of OICP between two real TLS sockets: its port, and a server that plays each partner which it asks.

    async with a_hub_between(sqlite_url, tmp_path) as between:
        between.says["AuthorizeStart"] = {"AuthorizationStatus": "NotAuthorized", "StatusCode": {"Code": "102"}}
        said = await between.ask("cpo", "AuthorizeStart", {...})

`cpo` (DE*ABC) and `cpo2` (DE*XYZ) have chargers, `emp` (DE-DCB) and `emp2` (DE-XYZ) have drivers, `hbs` is another hub
where we are both; `busy-cpo` and `busy-emp` may ask once a minute. The store is real, and can be made to break. The
OCPI partners of `tests.world` are there too, at scripted edges.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from hub.core.background import BackgroundTasks
from hub.core.inbound import encode
from hub.core.outbound import Outbound
from hub.core.secrets import Keys, Seal
from hub.core.store import Store
from hub.http_tls import TlsHttp
from hub.server import Face as Port
from hub.server import bound, config_of
from partners.interpreted import InterpretedPeers
from partners.oicp.assembly import Oicp
from partners.oicp.certificates import Subject
from partners.oicp.connections import Connection
from partners.oicp.door import Door
from partners.oicp.operations import OPERATIONS
from partners.oicp.paths import find
from tests.partners.oicp.authority import Authority, Identity
from tests.partners.oicp.gate import Said
from tests.world import World, a_world

YES: Final[dict[str, Any]] = {"Result": True, "StatusCode": {"Code": "000"}}
ALLOWED: Final[dict[str, Any]] = {"AuthorizationStatus": "Authorized", "ProviderID": "DE-DCB", **YES}
_USUAL: Final = {"AuthorizeStart": ALLOWED, "AuthorizeStop": ALLOWED}
IDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "cpo": {"kind": "cpo", "operator_ids": ("DE*ABC",)},
    "cpo2": {"kind": "cpo", "operator_ids": ("DE*XYZ",)},
    "emp": {"kind": "emp", "provider_ids": ("DE-DCB",)},
    "emp2": {"kind": "emp", "provider_ids": ("DE-XYZ",)},
    "busy-cpo": {"kind": "cpo", "operator_ids": ("DE*BZY",)},
    "busy-emp": {"kind": "emp", "provider_ids": ("DE-BZY",)},
    "hbs": {"kind": "hub", "party": "DE*HBS", "operator_ids": ("DE*BSB",), "provider_ids": ("DE-BSB",)},
}


class Disk:
    """The store, which may break."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fault: Exception | None = None

    @contextlib.contextmanager
    def broken(self, fault: Exception) -> Iterator[None]:
        """Whatever is asked of it ends in `fault`."""
        self._fault = fault
        try:
            yield
        finally:
            self._fault = None

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._store, name)
        return self._fails if self._fault is not None and inspect.iscoroutinefunction(asked) else asked

    async def _fails(self, *_: Any, **__: Any) -> Any:
        assert self._fault is not None
        raise self._fault


@dataclass
class Partners:
    """The server: each partner is a path prefix of it. What it is asked is kept, what it says is told before."""

    says: dict[str, Any] = field(default_factory=dict)
    """By operation: a tree, or what makes one of the message; where nothing is said it is a yes."""
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """Partner, operation and message."""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                message = json.loads(await reader.readexactly(length))
                name, path = head.split(" ")[1].removeprefix("/").split("/", 1)
                body = self._answer(name, find("/" + path.partition("?")[0])[0].name, message)
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()

    def _answer(self, name: str, operation: str, message: dict[str, Any]) -> bytes:
        self.asked.append((name, operation, message))
        said = self.says.get(f"{name} {operation}", self.says.get(operation, _USUAL.get(operation, YES)))
        return encode(said(message) if callable(said) else said)

    def of(self, operation: str) -> list[dict[str, Any]]:
        """The messages of one operation, in order."""
        return [message for _, name, message in self.asked if name == operation]


@dataclass
class Between:
    """See the module."""

    world: World
    store: Disk
    oicp: Oicp
    partners: Partners
    clients: Mapping[str, httpx.AsyncClient]

    async def ask(self, by: str, operation: str, message: Any, *, as_id: str = "", query: str = "") -> Said:
        """An operation that partner `by` asks; `as_id` is who it says it is in the path."""
        path = OPERATIONS[operation].path.replace("{id}", as_id or self.id_of(by))
        body = message if isinstance(message, bytes) else encode(message)
        headers = {"Content-Type": "application/json"}
        answer = await self.clients[by].post(f"{path}{query}", content=body, headers=headers)
        assert answer.status_code < 500
        return Said(answer.status_code, json.loads(answer.content), answer.headers)

    @staticmethod
    def id_of(name: str) -> str:
        """Its own id."""
        about = IDS[name]
        return str((about["operator_ids"] if about["kind"] == "cpo" else about["provider_ids"])[0])

    async def change(self, name: str, **fields: Any) -> None:
        """What its operator says of a connection."""
        known = self.oicp.connections.get(name)
        await self.oicp.connections.connect(known.model_copy(update=fields), actor="test")

    async def settle(self) -> None:
        """Locations and tariffs are what was told in OICP."""
        await self.oicp.price_tariffs.catch_up()
        await self.oicp.projection.catch_up()
        await self.oicp.follower.catch_up()


@asynccontextmanager
async def a_hub_between(database_url: str, directory: Path, **settings: Any) -> AsyncIterator[Between]:
    authority = Authority(directory)
    people = {name: authority.identity(name) for name in ("port", "partners", *IDS)}
    files: dict[str, Any] = {
        "oicp_port": 1,
        "oicp_certificate": str(people["port"].chain_file),
        "oicp_key": str(people["port"].key_file),
        "oicp_client_ca": str(authority.file),
    }
    partners = Partners()
    server = await asyncio.start_server(partners, "127.0.0.1", 0, ssl=authority.serving(people["partners"]))
    outbound = Outbound(allow_networks=["127.0.0.0/8"])
    async with a_world(database_url, "2.3.0", **files, **settings) as world:
        disk = Disk(world.hub.store)
        world.hub.store = disk
        door = Door(world.hub, outbound, Seal(Keys.from_secret(b"x" * 32).seal))
        oicp = Oicp(world.hub, world.app, door.connections, door.client)
        peers = InterpretedPeers(world.peers)
        peers.join("oicp", oicp.peers)
        world.hub.peers = peers
        await _know_each_other(door, authority, people, server.sockets[0].getsockname()[1])
        door.face.serve(oicp.handlers)
        listener = bound("127.0.0.1", 0)
        number = listener.getsockname()[1]
        port = Port(config_of(door.face, TlsHttp, tls=door.tls().context), listener)
        await port.start()
        base = f"https://127.0.0.1:{number}"
        clients = {
            name: httpx.AsyncClient(base_url=base, verify=authority.trusting(people[name]), trust_env=False, timeout=60)
            for name in IDS
        }
        try:
            yield Between(world, disk, oicp, partners, clients)
        finally:
            for client in clients.values():
                await client.aclose()
            await port.stop()
            if isinstance(world.hub.background, BackgroundTasks):
                await world.hub.background.stop()
            await outbound.close()
            server.close()


async def _know_each_other(door: Door, authority: Authority, people: Mapping[str, Identity], number: int) -> None:
    await door.refresh()
    asked = await door.certificates.ask("ours", Subject("hub.example"), key_type="ec", actor="test")
    assert asked.asked is not None
    await door.certificates.install("ours", authority.sign(asked.asked.csr) + authority.pem, actor="test")
    for name, fields in IDS.items():
        connection = Connection(
            partner=name,
            base_url=f"https://127.0.0.1:{number}/{name}",
            fingerprints=(people[name].fingerprint,),
            client_certificate="ours",
            server_ca=authority.pem,
            learns=fields["kind"] == "hub",
            limits=dict.fromkeys(OPERATIONS, 1 if name.startswith("busy") else 100_000),
            **fields,
        )
        await door.connections.connect(connection, actor="test")
