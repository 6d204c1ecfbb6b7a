"""What bounds us: the same bytes from the bare libraries under us, without anything of ours.

`replay`: an ASGI application on the same uvicorn that answers each path with bytes it was given; a body is read whole.
Told to `compute`, it does arithmetic for so long before each answer: what the machine makes of a program that takes as
much CPU time as ours and does nothing else. A host that takes its cores away for a while shows in this one too.
`push`: bare aiohttp that sends given requests. `echo`: a bare `websockets` server that sends back what it hears.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp
import uvicorn
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bench.child import Idle, Service, free_port, run

_TURNS: Final = 20_000
_TRIES: Final = 50

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class Replay:
    """The ASGI application. `answers`: by path of a GET, and `PUT`: what was answered once, for it to repeat."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        self._answers = {
            path: (
                {
                    "type": "http.response.start",
                    "status": heard["status"],
                    "headers": [(name.encode(), value.encode()) for name, value in heard["headers"]],
                },
                {"type": "http.response.body", "body": base64.b64decode(heard["body"])},
            )
            for path, heard in answers.items()
        }
        self.turns = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "PUT":
            body = b""
            more = True
            while more:
                message = await receive()
                body += message["body"]
                more = message.get("more_body", False)
        compute(self.turns)
        head, body_message = self._answers["PUT" if scope["method"] == "PUT" else scope["path"]]
        await send(head)
        await send(body_message)


class Replaying:
    """The application, served."""

    def __init__(self, app: Replay, serving: Idle) -> None:
        self.port = serving.port
        self.stop = serving.stop
        self._app = app

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """`compute`: for so many us before each answer."""
        self._app.turns = round(command["compute"] * _turns_a_us())
        return {}


def compute(turns: int) -> int:
    """Arithmetic that needs no memory."""
    found = 0
    for turn in range(turns):
        found += turn * turn % 7
    return found


def _turns_a_us() -> float:
    """Of `compute`, when nothing disturbs it."""

    def once() -> float:
        begun = time.thread_time()
        compute(_TURNS)
        return time.thread_time() - begun

    return _TURNS / (1e6 * min(once() for _ in range(_TRIES)))


async def served(app: Any) -> Idle:
    """`app` on uvicorn, set as for the hub."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app, port=port, http="httptools", ws="none", lifespan="off", access_log=False, log_config=None,
            server_header=False, timeout_keep_alive=75,
        )
    )  # fmt: skip
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    settle()

    async def close() -> None:
        server.should_exit = True
        await serving

    return Idle(port, close)


class Push:
    """Bare aiohttp: `workers` send their requests one after the other, each on its own."""

    port = 0

    def __init__(self, requests: list[dict[str, Any]]) -> None:
        self._requests = requests
        self._session = aiohttp.ClientSession()

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """`times`: each worker sends its request that often."""
        await asyncio.gather(*(self._send(request, command["times"]) for request in self._requests))
        return {"delivered": len(self._requests) * command["times"]}

    async def _send(self, request: dict[str, Any], times: int) -> None:
        body = request["body"].encode()
        for _ in range(times):
            async with self._session.request(
                request["method"], request["url"], headers=request["headers"], data=body
            ) as answer:
                await answer.read()
                answer.raise_for_status()

    async def stop(self) -> None:
        await self._session.close()


class Echo:
    """Sends back what it hears."""

    async def __call__(self, socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in socket:
                await socket.send(message)


async def echoing() -> Idle:
    """An echo on a port of its own, without compression and pings."""
    server = await serve(Echo(), "127.0.0.1", 0, backlog=4_096, compression=None, ping_interval=None)
    settle()

    async def close() -> None:
        server.close()
        await server.wait_closed()

    return Idle(next(iter(server.sockets)).getsockname()[1], close)


def settle() -> None:
    """The collector as the hub sets it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def start(options: dict[str, Any]) -> Service:
    """The ceiling that `options` name by `role`."""
    if options["role"] == "replay":
        app = Replay(options["answers"])
        return Replaying(app, await served(app))
    if options["role"] == "push":
        settle()
        return Push(options["requests"])
    return await echoing()


if __name__ == "__main__":
    run(start)
