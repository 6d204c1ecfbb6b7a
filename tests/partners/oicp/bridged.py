"""A hub with partners of OICP at scripted edges: what they are sent is noted, and what they answer is told before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from hub.core.background import BackgroundTasks
from hub.core.units import Unit
from partners.interpreted import InterpretedPeers
from partners.oicp.assembly import Oicp
from partners.oicp.client import Answer
from partners.oicp.connections import Connection, Connections
from partners.oicp.evse_table import EvseRow, now_of, state_put
from partners.oicp.face import Call
from partners.oicp.operations import OPERATIONS
from partners.oicp.places import EvsePlace
from partners.oicp.wire import REQUESTS, write
from tests.world import World, a_world

YES: dict[str, Any] = {"Result": True, "StatusCode": {"Code": "000"}}


@dataclass(frozen=True)
class Asked:
    """A call of ours to a partner of OICP."""

    partner: str
    operation: str
    message: dict[str, Any]
    id: str
    query: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float | None = None


@dataclass
class ScriptedClient:
    """`partners.oicp.client.Client`, with the network left out: `script` answers, or raises."""

    script: Callable[[Asked], Any] = lambda asked: YES
    asked: list[Asked] = field(default_factory=list)
    before: Callable[[Asked], Awaitable[None]] | None = None
    """What the partner does before it answers."""

    async def call(
        self,
        connection: Connection,
        operation_name: str,
        message: Mapping[str, Any],
        *,
        id: str = "",  # noqa: A002 - the word of OICP's paths
        query: Mapping[str, str] | None = None,
        deadline_s: float | None = None,
        **_: Any,
    ) -> Answer:
        written = write(REQUESTS[operation_name], message)
        asked = Asked(connection.partner, operation_name, written, id, query or {}, deadline_s)
        self.asked.append(asked)
        if self.before is not None:
            await self.before(asked)
        return Answer(200, self.script(asked))

    def of(self, operation: str) -> list[dict[str, Any]]:
        """The messages of one operation, in order."""
        return [each.message for each in self.asked if each.operation == operation]


@dataclass
class Bridged:
    """See the module."""

    world: World
    oicp: Oicp
    client: ScriptedClient

    async def connect(self, name: str, kind: str, **fields: Any) -> Connection:
        """A partner of OICP, by what the operator says of it."""
        usual = {"base_url": f"https://{name}.example/api/oicp", "learns": kind == "hub"}
        connection = Connection(partner=name, kind=kind, **{**usual, **fields})
        await self.oicp.connections.connect(connection, actor="test")
        return connection

    async def ask(
        self,
        name: str,
        operation: str,
        message: Mapping[str, Any],
        *,
        id: str = "",  # noqa: A002
        query: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        """An operation that partner `name` asks of us. Raises: Refused."""
        connection = self.oicp.connections.get(name)
        partner = self.world.registry.get(name)
        call = Call(self.world.hub, connection, partner, OPERATIONS[operation], id, query or {}, dict(message))
        return await self.oicp.handlers[operation](call)

    async def place(self, evse_id: str, owner: str, location_id: str, evse_uid: str, **fields: Any) -> None:
        """An EVSE on record, as the table has it."""
        now = now_of(self.world.hub)
        place = EvsePlace(
            evse_id=evse_id,
            owner=owner,
            location=f"{owner}/{location_id}",
            location_id=location_id,
            evse_uid=evse_uid,
            connector_id="1",
            **fields,
        )
        row = EvseRow(place=place, record={"EvseID": evse_id}, created=now, changed=now)
        unit = Unit().put(row.put()).put(state_put(evse_id, owner, place.location, "Available", now))
        await self.world.store.commit(unit)


@asynccontextmanager
async def bridged(database_url: str, **settings: Any) -> AsyncIterator[Bridged]:
    """A world of 2.3.0 whose OCPI partners are scripted (`world.peers`), and whose partners of OICP are too."""
    async with a_world(database_url, "2.3.0", **settings) as world:
        client = ScriptedClient()
        connections = Connections(world.hub)
        oicp = Oicp(world.hub, world.app, connections, client)  # type: ignore[arg-type]
        peers = InterpretedPeers(world.peers)
        peers.join("oicp", oicp.peers)
        world.hub.peers = peers
        tasks = world.hub.background
        yield Bridged(world, oicp, client)
        if isinstance(tasks, BackgroundTasks):
            await tasks.stop()
