"""Work that goes round whenever somebody rings. What is to be done stands in the store: no ring is ever lost work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from hub.core.errors import Conflict, NotReady
from hub.core.ports import Hub

log = structlog.get_logger()

_PAUSE_S: Final = 1.0


class Rounds:
    """`catch_up`, at the start and after each ring; rings during a round make one more."""

    def __init__(self, hub: Hub, catch_up: Callable[[], Awaitable[object]], *, waits: str) -> None:
        """`waits`: what is logged where a round has to be made again, as the database was gone or somebody faster."""
        self._hub = hub
        self._catch_up = catch_up
        self._waits = waits
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """There is something to do."""
        self._bell.set()

    async def run(self) -> None:
        """For ever, also over times without a database."""
        while True:
            try:
                await self._catch_up()
            except (NotReady, Conflict) as fault:
                log.warning(self._waits, why=fault.message)
                await self._hub.clock.sleep(_PAUSE_S)
                continue
            await self._bell.wait()
            self._bell.clear()
