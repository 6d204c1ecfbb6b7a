"""A uvicorn server inside the caller's event loop, on a loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

_TICK_S: Final = 1.0
_GRACE_S: Final = 1.0
_LOOK_S: Final = 0.005


class _Server(uvicorn.Server):
    """uvicorn looks ten times a second whether it is to end, and then waits for at least a tenth; this one is told."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program that owns the loop."""
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


class Listener:
    """Serves one application. `url` is known from the first moment, as the socket is bound at once."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        # named as TCP, as asyncio switches Nagle's algorithm off only then: else each answer waits 40 ms
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._tls = tls
        self.url = f"{'https' if tls else 'http'}://{host}:{self._socket.getsockname()[1]}"

    async def start(self, app: ASGIApp) -> None:
        """Come back when connections are accepted."""
        config = uvicorn.Config(
            app,
            ws="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
            ssl_context_factory=self._context if self._tls else None,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not (self._server.started or self._task.done()):  # noqa: ASYNC110 - uvicorn has a flag only
            await asyncio.sleep(_LOOK_S)

    def _context(self, _config: uvicorn.Config, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        assert self._tls is not None  # noqa: S101 - only asked for with TLS
        return self._tls

    def _hang_up_on_idle(self) -> None:
        """Over TLS the other side must answer a goodbye, and whoever only keeps a connection does not read it."""
        for connection in list(self._server.server_state.connections) if self._server and self._tls else ():
            cycle = getattr(connection, "cycle", None)
            if cycle is None or cycle.response_complete:
                connection.transport.abort()

    async def stop(self) -> None:
        """Close the port and what is open on it."""
        if self._server is not None and self._task is not None:
            self._server.leave()
            self._hang_up_on_idle()
            await self._task
        self._socket.close()
