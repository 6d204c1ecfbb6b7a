"""Work that is done with each partner by itself: one that is slow keeps no other waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hub.core.ports import Hub


class Apart:
    """The work under way, by partner; never twice with one."""

    def __init__(self, hub: Hub, name: str, *, missed: Callable[[], None] = lambda: None) -> None:
        """`name`: of the work, in the log; `missed`: called at the end of work that was asked for again meanwhile."""
        self._hub = hub
        self._name = name
        self._missed = missed
        self._under_way: set[str] = set()
        self._again: set[str] = set()

    def begin(self, partner: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begin `work` and return at once; nothing, where that of before is not done."""
        if partner in self._under_way:
            self._again.add(partner)
            return
        self._under_way.add(partner)
        self._hub.background.start(self._done(partner, work), name=f"{self._name} {partner}")

    async def _done(self, partner: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        finally:
            self._under_way.discard(partner)
            if partner in self._again:
                self._again.discard(partner)
                self._missed()
