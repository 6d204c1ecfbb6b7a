"""Is this process alive, and may it be given work? Ready means: what is committed now is on disk."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from hub.core.clock import Clock, timestamp
from hub.core.errors import BusbarError
from hub.core.inbound import encode
from hub.core.store import Store
from hub.core.units import Kind, Put, Unit

log = structlog.get_logger()

HEALTH: Final = Kind("health")

PROBE_EVERY_S: Final = 5.0
_PROBE_TIMEOUT_S: Final = 5.0


class Readiness:
    """A write to the store, tried at most every five seconds however often it is asked."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = asyncio.Lock()
        self._asked_at: float | None = None
        self._why_not = ""

    async def why_not(self) -> str:
        """Why no work should come here; empty when all is well."""
        async with self._lock:
            now = self._clock.monotonic()
            if self._asked_at is None or now - self._asked_at >= PROBE_EVERY_S:
                self._why_not = await self._probe()
                self._asked_at = self._clock.monotonic()
        return self._why_not

    async def _probe(self) -> str:
        put = Put(HEALTH, "probe", encode({"at": timestamp(self._clock.now())}))
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                await self._store.commit(Unit().put(put))
        except BusbarError as fault:
            return fault.message
        except TimeoutError:
            return "the store took no write in time"
        return ""
