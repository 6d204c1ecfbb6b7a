"""OCPP-J for a charge point: one websocket, calls out, calls in, and coming back after a loss.

Written from the OCPP-J documents on their own, so that it can disagree with the other end. What the other end sends
is compared with the published JSON schemas; every deviation is a complaint.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from partners.sandbox.complaints import Complaints
from partners.sandbox.point.schemas import breaches

Payload = dict[str, Any]
_UNFIT: Final = {"1.6": "FormationViolation", "2.0.1": "FormatViolation", "2.1": "FormatViolation"}
Afterwards = Callable[[], Awaitable[None]]


class NotConnectedError(ConnectionError):
    """There is no websocket, or it went away before the answer came."""


class CallFailedError(Exception):
    """The CSMS answered with a CALLERROR, or not in time."""


class UnknownActionError(LookupError):
    """The charge point does not know what it was asked."""


@dataclass(frozen=True)
class Security:
    """Profile 0: nothing. 1: `password`. 2: `password` and `tls`. 3: `tls` with a client certificate, no password."""

    password: str | bytes | None = None
    tls: SSLContext | None = None

    def headers(self, identity: str) -> dict[str, str]:
        """HTTP Basic with the identity as user name, when there is a password."""
        if self.password is None:
            return {}
        secret = self.password.encode() if isinstance(self.password, str) else self.password
        shown = base64.b64encode(identity.encode() + b":" + secret).decode()
        return {"Authorization": f"Basic {shown}"}


OnCall = Callable[[str, Payload], tuple[Payload, Afterwards | None]]
"""Answers a CALL at once; what must follow the answer is the second part. Raises UnknownActionError."""


class Link:
    """The connection of one charge point. `frames` keeps the last ones as (`>` sent or `<` received, text)."""

    def __init__(
        self,
        url: str,
        identity: str,
        on_call: OnCall,
        on_connected: Callable[[], Awaitable[None]],
        *,
        security: Security,
        complaints: Complaints,
        timeout_s: float = 30.0,
        backoff_s: tuple[float, float] = (0.5, 30.0),
        version: str = "1.6",
    ) -> None:
        self._version = version
        self.url = f"{url.rstrip('/')}/{quote(identity, safe='')}"
        self._identity = identity
        self._on_call = on_call
        self._on_connected = on_connected
        self._security = security
        self._complaints = complaints
        self._timeout_s = timeout_s
        self._backoff_s = backoff_s
        self._socket: ClientConnection | None = None
        self._waiting: dict[str, tuple[str, asyncio.Future[Payload]]] = {}
        self._turn = asyncio.Lock()
        self._runner: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.connected = asyncio.Event()
        self.lost = asyncio.Event()
        self.frames: deque[tuple[str, str]] = deque(maxlen=20_000)

    async def open(self, *, patient: bool = False) -> None:
        """Connect, and stay connected until `close`. Raises what the first attempt raises, unless `patient`."""
        socket = None if patient else await self._dial()
        self._runner = asyncio.create_task(self._keep(socket))
        await self.connected.wait()

    def take_key(self, key: str) -> None:
        """A new AuthorizationKey, for the next connection: hexadecimal digits are the bytes they stand for."""
        try:
            password: str | bytes = bytes.fromhex(key)
        except ValueError:
            password = key
        self._security = Security(password, self._security.tls)

    def take_password(self, password: str) -> None:
        """A new BasicAuthPassword (2.x), for the next connection."""
        self._security = Security(password, self._security.tls)

    async def close(self) -> None:
        """Hang up and stay away."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
            self._runner = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Afterwards) -> None:
        """Do something beside the reading, until the link is closed. A lost connection ends it quietly."""
        task = asyncio.create_task(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def call(self, action: str, payload: Payload) -> Payload:
        """One CALL, one answer; only one is under way at a time. Raises NotConnectedError, CallFailedError."""
        async with self._turn:
            socket = self._socket
            if socket is None:
                raise NotConnectedError(action)
            identity = uuid.uuid4().hex
            answer: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
            self._waiting[identity] = (action, answer)
            try:
                await self._send(socket, [2, identity, action, payload])
                async with asyncio.timeout(self._timeout_s):  # wait_for may swallow a cancellation
                    return await answer
            except TimeoutError as error:
                raise CallFailedError(f"{action}: no answer within {self._timeout_s} s") from error
            finally:
                del self._waiting[identity]

    async def _dial(self) -> ClientConnection:
        return await connect(
            self.url,
            subprotocols=[Subprotocol(f"ocpp{self._version}")],
            additional_headers=self._security.headers(self._identity),
            ssl=self._security.tls,
            compression=None,
            ping_interval=60,
            open_timeout=10,
            close_timeout=2,
            proxy=None,
        )

    async def _keep(self, socket: ClientConnection | None) -> None:
        """Read until the connection ends, then dial again with growing, uneven pauses."""
        pause, longest = self._backoff_s
        while True:
            if socket is not None:
                pause = self._backoff_s[0]
                await self._read(socket)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads a fleet, guards nothing
            pause = min(pause * 2, longest)
            try:
                socket = await self._dial()
            except (OSError, InvalidHandshake):
                socket = None

    async def _read(self, socket: ClientConnection) -> None:
        if socket.subprotocol != f"ocpp{self._version}":
            self._complaints.add("handshake", f"the subprotocol is {socket.subprotocol}, not ocpp{self._version}")
        self._socket = socket
        self.lost.clear()
        self.connected.set()
        self.spawn(self._on_connected)
        try:
            async for text in socket:
                await self._receive(socket, text)
        except ConnectionClosed:
            pass
        finally:
            self._lose()
            await socket.close()

    def _lose(self) -> None:
        self._socket = None
        self.connected.clear()
        self.lost.set()
        for action, answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(NotConnectedError(action))
                answer.exception()  # who is still sending finds out by that, and never asks for the answer

    async def _send(self, socket: ClientConnection, frame: list[Any]) -> None:
        text = json.dumps(frame, separators=(",", ":"))
        self.frames.append((">", text))
        try:
            await socket.send(text)
        except ConnectionClosed as error:
            raise NotConnectedError(str(frame[2])) from error

    async def _receive(self, socket: ClientConnection, text: str | bytes) -> None:
        self.frames.append(("<", str(text)))
        try:
            frame = json.loads(text)
            kind, identity = frame[0], frame[1]
        except (ValueError, LookupError, TypeError):
            self._complaints.add("frame", "is not OCPP-J")
            return
        if kind == 2 and len(frame) == 4:
            await self._answer(socket, identity, frame[2], frame[3])
        elif kind in (3, 4) and identity in self._waiting:
            self._resolve(kind, identity, frame)
        else:
            self._complaints.add("frame", f"message type {kind} that answers nothing")

    def _resolve(self, kind: int, identity: str, frame: list[Any]) -> None:
        action, answer = self._waiting[identity]
        if answer.done():
            return
        if kind == 4:
            answer.set_exception(CallFailedError(f"{action}: {' '.join(map(str, frame[2:4]))}"))
            return
        for breach in breaches(f"{action}Response", frame[2], self._version):
            self._complaints.add(f"{action}.conf", breach)
        answer.set_result(frame[2])

    async def _answer(self, socket: ClientConnection, identity: str, action: str, payload: Payload) -> None:
        wrong = breaches(action, payload, self._version)
        for breach in wrong:
            self._complaints.add(f"{action}.req", breach)
        afterwards: Afterwards | None = None
        try:
            if wrong:
                frame = [4, identity, _UNFIT[self._version], wrong[0][:255], {}]
            else:
                answer, afterwards = self._on_call(action, payload)
                frame = [3, identity, answer]
        except UnknownActionError:
            frame = [4, identity, "NotImplemented", action[:255], {}]
        try:
            await self._send(socket, frame)
        except NotConnectedError:
            return
        if afterwards is not None:
            self.spawn(afterwards)


async def _quietly(work: Afterwards) -> None:
    with contextlib.suppress(NotConnectedError, CallFailedError):
        await work()
