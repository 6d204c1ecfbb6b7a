"""Serving: one process that does all, or one of its parts (`api`, `ocpp`, `worker`) over a shared PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import structlog
import uvicorn

from hub.app import Program, settle_memory
from hub.core.settings import Settings
from hub.http_direct import DirectHttp
from hub.http_tls import TlsHttp

log = structlog.get_logger()

PARTS: Final = ("api", "ocpp", "worker")
KEEP_ALIVE_S: Final = 75
"""An idle connection is closed after so many seconds: later than the proxies before us do it."""
_GRACE_S: Final = 10
_TICK_S: Final = 1
"""The header `Date` is written anew so often."""
_LOOK_S: Final = 0.01
_DOORS: Final = 16
"""So many connections are taken in a turn of the event loop. libuv takes one from each listening socket it watches, and
a turn is long while others are served: who came as the 64th waited for half a second."""


class Server:
    """A running hub: `start`, then `stop`. The ports are known once it has started."""

    def __init__(
        self, program: Program, parts: Collection[str] = PARTS, *, listener: socket.socket | None = None
    ) -> None:
        """`listener`: a socket that is bound already; else one is bound at the start, as the settings say."""
        self.program = program
        self._parts = parts
        self._listener = listener
        self._faces: list[Face] = []

    async def start(self) -> None:
        """Begin to serve. Raises: OSError, when a port is taken."""
        settings = self.program.settings
        await self.program.start_following()
        if "ocpp" in self._parts:
            await self.program.start_gateway()
        if "worker" in self._parts:
            await self.program.start_work()
        if "api" in self._parts:
            await self.program.take_up_commands()
            listener = self._listener = self._listener or bound(settings.host, settings.port)
            self._faces.append(Face(config_of(self.program.asgi, DirectHttp), listener, doors=_DOORS))
            if settings.oicp_port:
                tls = self.program.oicp_door.tls()
                config = config_of(self.program.oicp_door.face, TlsHttp, tls=tls.context)
                self._faces.append(Face(config, bound(settings.host, settings.oicp_port)))
            for face in self._faces:
                await face.start()
            self.program.tasks.start(self.program.oicp_door.expiry.run(), name="certificates")
        settle_memory()
        log.info("serving", parts=sorted(self._parts), base_url=settings.base_url, dev=settings.dev)

    @property
    def url(self) -> str:
        """Where this machine reaches the HTTP face; empty without one."""
        if self._listener is None:
            return ""
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def ocpp_port(self) -> int | None:
        """Where chargers connect; None when they are looked after by another process."""
        return self.program.gateway.port if "ocpp" in self._parts else None

    async def stop(self) -> None:
        """Stop taking work, finish what runs, close everything."""
        for face in self._faces:
            await face.stop()
        await self.program.close()


class _Http(uvicorn.Server):
    """Signals are ours to handle: the database is closed after the last answer.

    uvicorn looks ten times a second whether it is to end, and then waits for at least a tenth; this one is told.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def leave(self) -> None:
        """Answer what has been asked, and end."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S):
                    await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for door in (*self.servers, *(sockets or ())):
            door.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_S):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - sets, without a bell
                    await asyncio.sleep(_LOOK_S)
                for server in self.servers:
                    await server.wait_closed()
        for task in self.server_state.tasks:
            task.cancel()


def bound(host: str, port: int) -> socket.socket:
    """A socket that has its port, and does not listen yet; port 0 takes a free one. Raises: OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY only on these
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


class Face:
    """One port over HTTP, served by uvicorn."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket, *, doors: int = 1) -> None:
        self._uvicorn = _Http(config)
        self._doors = [listener, *(listener.dup() for _ in range(doors - 1))]
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to serve."""
        self._doors[0].listen(2048)
        self._serving = asyncio.create_task(self._uvicorn.serve(self._doors), name="http")
        while not self._uvicorn.started and not self._serving.done():  # noqa: ASYNC110 - uvicorn has only a flag
            await asyncio.sleep(_LOOK_S)

    async def stop(self) -> None:
        """Answer what has been asked, and close."""
        if self._serving is not None:
            self._uvicorn.leave()
            await self._serving


def config_of(app: Any, protocol: type[asyncio.Protocol], *, tls: ssl.SSLContext | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=tls is None,
        timeout_keep_alive=KEEP_ALIVE_S,
        ssl_context_factory=None if tls is None else lambda config, usual: tls,
    )


async def run(
    settings: Settings, parts: Collection[str] = PARTS, *, started: Callable[[Server], None] = lambda server: None
) -> None:
    """Serve until SIGTERM or SIGINT; `started` is told once all ports are open.

    The port is bound first, as it is part of every URL that we give out. Raises: OSError, DatabaseRefused, ValueError.
    """
    listener = None
    if "api" in parts:
        listener = bound(settings.host, settings.port)
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    try:
        program = await Program.open(settings)
    except BaseException:
        if listener is not None:
            listener.close()
        raise
    server = Server(program, parts, listener=listener)
    try:
        await server.start()
        started(server)
        await stop.wait()
        log.info("stopping")
    finally:
        await server.stop()
