"""Whoever limited a session hears what it really gets, a moment after each change: many changes are one word."""

from __future__ import annotations

from typing import Final

import structlog

from hub.core.errors import BusbarError
from hub.core.ports import Hub
from modules.chargingprofiles import service

log = structlog.get_logger()

TOGETHER_S: Final = 2.0


class Echo:
    """Of one gateway."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: set[str] = set()

    def changed(self, session_id: str) -> None:
        """A charger took another share for this session."""
        if session_id not in self._waiting:
            self._waiting.add(session_id)
            self._hub.background.start(self._told(session_id), name=f"active profile {session_id}")

    async def _told(self, session_id: str) -> None:
        await self._hub.clock.sleep(TOGETHER_S)
        self._waiting.discard(session_id)
        try:
            await service.limits_changed(self._hub, session_id)
        except BusbarError as fault:
            log.warning("active profile not told", session=session_id, why=fault.message)
