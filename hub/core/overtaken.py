"""Lists that are overtaken by what their owner pushes while they are read.

What is on a list was so when the list was written. What its owner has told us since we asked for the list may be of the
same second and yet be later: most partners write whole seconds. So only what is newer by its time replaces that.
"""

from __future__ import annotations

from typing import Final

from hub.core.lane_partner import ONLY
from hub.core.store import Store
from hub.core.types import timestamp_of
from hub.core.units import Document

_READ: Final = 1000


class Overtaken(Exception):
    """What was on a list is no more what its owner says of it, or may not be."""


class Told:
    """What was told of objects of a module since somebody was asked for his list."""

    def __init__(self, store: Store, module: str, asked: int) -> None:
        """`asked`: the number of the last change at that time."""
        self._store = store
        self._module = module
        self._read_to = asked
        self._keys: set[str] = set()

    async def holds(self, key: str) -> bool:
        """Is it among them, up to now?"""
        while rows := await self._store.changes(after=self._read_to, limit=_READ):
            told = (row.change for row in rows if not row.change.what.startswith(ONLY))
            self._keys.update(change.key for change in told if change.module == self._module)
            self._read_to = rows[-1].seq
        return key in self._keys


async def check_not_overtaken(told: Told, key: str, new: str, known: Document | None) -> None:
    """Is what was on a list, of the moment `new`, newer than `known`, or was nothing else told of it meanwhile?

    `known` is what is kept when this is asked, and is to be expected by what replaces it. Raises: Overtaken.
    """
    is_newer = known is not None and timestamp_of(new) > known.last_updated
    if not is_newer and await told.holds(key):
        raise Overtaken
