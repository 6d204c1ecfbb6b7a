"""What this process keeps in memory of what other processes write, read again when one of them has written.

A commit wakes it at once; and as a notification may be lost with its connection, and a write need not be a change that
partners are told of, it looks at the revisions every second too. Looking costs nothing where nothing was written.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from hub.core.errors import NotReady
from hub.core.store import Store
from hub.core.units import ChangeRow

log = structlog.get_logger()

LOOK_EVERY_S: Final = 1.0

Refresh = Callable[[], Awaitable[None]]
"""Reads again, if the revision of what it holds is another one."""


class Following:
    """Runs what refreshes. `wake_for` names the modules of the changes that cannot wait for a second."""

    def __init__(self, store: Store, refreshes: Sequence[Refresh], *, wake_for: frozenset[str]) -> None:
        self._refreshes = refreshes
        self._wake_for = wake_for
        self._bell = asyncio.Event()
        store.on_commit(self._committed)

    def _committed(self, rows: Sequence[ChangeRow]) -> None:
        if any(row.change.module in self._wake_for for row in rows):
            self._bell.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), LOOK_EVERY_S)
            self._bell.clear()
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            for refresh in self._refreshes:
                await refresh()
        except NotReady as fault:
            log.warning("what others wrote cannot be read yet", why=fault.message)
        except Exception as error:  # one odd document must not end this for all that comes later
            log.exception("what others wrote was not read", error=type(error).__name__)
