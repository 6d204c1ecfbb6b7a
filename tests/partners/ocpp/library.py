"""A charger of the `ocpp` package: a client that others wrote, and that checks what it hears by its own schemas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ocpp import v21, v201
from ocpp.routing import create_route_map, on
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.partners.ocpp.site import PASSWORD, Site, basic

VERSIONS = {"ocpp2.0.1": v201, "ocpp2.1": v21}
Heard = dict[str, Any]


@dataclass
class Library:
    """The client; `heard` is what the hub asked of it, in the names of Python."""

    point: Any
    calls: Any
    heard: list[tuple[str, Heard]] = field(default_factory=list)

    async def call(self, name: str, **payload: Any) -> Any:
        """Send a CALL by the name of its class (`Heartbeat`); gives the answer."""
        return await self.point.call(getattr(self.calls, name)(**payload), suppress=False)


@asynccontextmanager
async def a_library_point(
    site: Site, protocol: str, answers: Mapping[str, Heard | Callable[[Heard], Heard]], identity: str = "CP1"
) -> AsyncIterator[Library]:
    """A charger of `protocol` that is connected, and answers each action as `answers` says."""
    module: Any = VERSIONS[protocol]
    heard: list[tuple[str, Heard]] = []
    handlers = {f"on_{action}": _handler(module, action, answer, heard) for action, answer in answers.items()}
    kind = type("Scripted", (module.ChargePoint,), handlers)
    async with connect(
        f"{site.url}/{identity}",
        subprotocols=[Subprotocol(protocol)],
        additional_headers=basic(identity, PASSWORD),
        proxy=None,
    ) as socket:
        point = kind(identity, socket)
        point.route_map = create_route_map(point)
        reading = asyncio.create_task(_read(point))
        try:
            yield Library(point, module.call, heard)
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading


async def _read(point: Any) -> None:
    with suppress(ConnectionClosed):
        await point.start()


def _handler(module: Any, action: str, answer: Heard | Callable[[Heard], Heard], heard: list[tuple[str, Heard]]) -> Any:
    def handle(self: Any, **payload: Any) -> Any:
        heard.append((action, payload))
        given = answer(payload) if callable(answer) else answer
        return getattr(module.call_result, action)(**given)

    handle.__name__ = f"on_{action}"  # by which the package finds it
    return on(action)(handle)
