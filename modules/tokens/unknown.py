"""Tokens that nobody knew a moment ago, so that a card which is held to a reader again and again asks nobody again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from hub.core.ports import Hub
from hub.core.store import Store

KEPT_S: Final = 60.0
_MOST: Final = 10_000

At = tuple[str, ...]


class UnknownTokens:
    """In memory, of one store; the oldest go first."""

    def __init__(self) -> None:
        self._store: Store | None = None
        self._until: OrderedDict[At, float] = OrderedDict()

    def note(self, hub: Hub, at: At) -> None:
        """Nobody knows it."""
        if hub.store is not self._store:
            self._store = hub.store
            self._until.clear()
        self._until[at] = hub.clock.monotonic() + KEPT_S
        self._until.move_to_end(at)
        while len(self._until) > _MOST:
            self._until.popitem(last=False)

    def holds(self, hub: Hub, at: At) -> bool:
        """Did nobody know it, less than a minute ago?"""
        return hub.store is self._store and hub.clock.monotonic() < self._until.get(at, 0.0)
