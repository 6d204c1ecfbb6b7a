"""A CSMS of a few lines, that judges every frame by the published schemas."""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from partners.sandbox.charger import Charger
from partners.sandbox.charger2 import Charger2
from partners.sandbox.point.clock import StepClock
from partners.sandbox.point.schemas import breaches

NOW = "2026-05-04T10:00:00.000Z"


class Csms:
    """Accepts everything. `seen` are the CALLs of the charge points, `invalid` what the schemas say of them."""

    def __init__(self, version: str = "1.6") -> None:
        self.version = version
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.invalid: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.boot_answers = ["Accepted"]
        self.card_status = "Accepted"
        self.start_status = "Accepted"
        self.loses_answer_to: str | None = None
        self.refuses = 0
        self.url = ""
        self._numbers = itertools.count(100)
        self._socket: ServerConnection | None = None
        self._waiting: dict[str, tuple[str, asyncio.Future[Any]]] = {}

    def sent(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.seen if name == action]

    def actions(self, *wanted: str) -> list[str]:
        return [name for name, _ in self.seen if name in wanted]

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        """A CALL to the charge point: its answer, or the error's code."""
        assert self._socket
        identity = uuid.uuid4().hex
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[identity] = (action, future)
        await self._socket.send(json.dumps([2, identity, action, payload]))
        return await asyncio.wait_for(future, 30)

    async def hang_up(self) -> None:
        assert self._socket
        await self._socket.close()

    async def until(self, action: str, count: int = 1) -> dict[str, Any]:
        """The `count`-th CALL of that action."""
        async with asyncio.timeout(30):
            while len(self.sent(action)) < count:  # noqa: ASYNC110 - a test waits for its world
                await asyncio.sleep(0.005)
        return self.sent(action)[count - 1]

    def gate(self, connection: ServerConnection, request: Request) -> Response | None:
        self.headers.append({**dict(request.headers.raw_items()), ":path": request.path})
        if self.refuses > 0:
            self.refuses -= 1
            return connection.respond(503, "later")
        return None

    async def serve(self, socket: ServerConnection) -> None:
        self._socket = socket
        async for text in socket:
            kind, identity, *rest = json.loads(text)
            if kind == 2:
                await self._answer(socket, identity, *rest)
            else:
                self._resolve(kind, identity, rest)

    async def _answer(self, socket: ServerConnection, identity: str, action: str, payload: Any) -> None:
        self.seen.append((action, payload))
        self.invalid += [f"{action} {breach}" for breach in breaches(action, payload, self.version)]
        if self.loses_answer_to == action:
            self.loses_answer_to = None
            await socket.close()
            return
        await socket.send(json.dumps([3, identity, self._reply(action)]))

    def _reply(self, action: str) -> dict[str, Any]:
        status = self.boot_answers[0] if len(self.boot_answers) == 1 else None
        if action == "BootNotification":
            status = status or self.boot_answers.pop(0)
            return {"status": status, "currentTime": NOW, "interval": 300}
        if action == "Heartbeat":
            return {"currentTime": NOW}
        if self.version != "1.6" and action in ("Authorize", "TransactionEvent"):
            return {"idTokenInfo": {"status": self.card_status if action == "Authorize" else self.start_status}}
        if action == "Authorize":
            return {"idTagInfo": {"status": self.card_status}}
        if action == "StartTransaction":
            return {"transactionId": next(self._numbers), "idTagInfo": {"status": self.start_status}}
        return {"status": "Accepted"} if action in ("DataTransfer", "SignCertificate") else {}

    def _resolve(self, kind: int, identity: str, rest: list[Any]) -> None:
        action, future = self._waiting.pop(identity)
        if kind == 3:
            self.invalid += [
                f"{action}.conf {breach}" for breach in breaches(f"{action}Response", rest[0], self.version)
            ]
        future.set_result(rest[0])


@asynccontextmanager
async def csms(tls: ssl.SSLContext | None = None, version: str = "1.6") -> AsyncIterator[Csms]:
    world = Csms(version)
    protocols = [Subprotocol(f"ocpp{version}")]
    server = await serve(
        world.serve, "127.0.0.1", 0, subprotocols=protocols, process_request=world.gate, close_timeout=1, ssl=tls
    )
    scheme = "wss" if tls else "ws"
    world.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
    try:
        yield world
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def booted2(version: Literal["2.0.1", "2.1"], **options: Any) -> AsyncIterator[tuple[Csms, Charger2]]:
    """The same in 2.x."""
    options.setdefault("clock", StepClock())
    given = {"version": version, "backoff_s": (0.02, 0.1), **options}
    async with csms(version=version) as world, Charger2(world.url, "CP 1", **given) as charger:
        assert await charger.boot() == "Accepted"
        yield world, charger


@asynccontextmanager
async def booted(**options: Any) -> AsyncIterator[tuple[Csms, Charger]]:
    """A charge point that is accepted, and its CSMS."""
    options.setdefault("clock", StepClock())
    async with csms() as world, Charger(world.url, "CP 1", backoff_s=(0.02, 0.1), **options) as charger:
        assert await charger.boot() == "Accepted"
        yield world, charger
