"""Which tariffs a connector may name in OCPI 2.1.1: those that its partners can have just now.

The column `lowest` of a tariff says so. A tariff that becomes one of them, or is none any more, is written down with
that change (`SHIFTED`): the locations that name it are then told anew (`modules/locations/renaming.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.store import Store
from hub.core.units import Document
from modules.tariffs.store import SHIFTED, TARIFFS
from modules.tariffs.validity import UNDATED

__all__ = ["SHIFTED", "UNDATED", "Sendable"]

_MOST: Final = 1_000_000
_MOST_OWNERS: Final = 1_000


class Sendable:
    """The tariffs of each owner that can be said in 2.1.1; read once for as long as none comes, goes or turns."""

    def __init__(self) -> None:
        self._store: Store | None = None
        self._arrangement = -1
        self._known: dict[tuple[str, str], Mapping[str, Any]] = {}

    async def context(self, store: Store, location: Document) -> Mapping[str, Any]:
        """What the rendition of a location is to know. Ids are in capitals."""
        return await self.of(store, location.owner, location.audience)

    async def of(self, store: Store, owner: str, audience: str = "") -> Mapping[str, Any]:
        """As `context`: of this owner, for everybody ("") or for one party."""
        arrangement = store.arrangement(TARIFFS)
        if store is not self._store or arrangement != self._arrangement or len(self._known) >= _MOST_OWNERS:
            self._store, self._arrangement, self._known = store, arrangement, {}
        known = self._known
        found = known.get((owner, audience))
        if found is None:
            among = {"owner": (owner,), "audience": ("", audience) if audience else ("",), "lowest": (UNDATED,)}
            leaves = await store.leaves(TARIFFS, among=among, after_seq=0, limit=_MOST, bodies=False)
            ids = frozenset(leaf.key.partition("/")[2] for leaf in leaves)
            found = known[owner, audience] = {"sendable_tariffs": ids}
        return found
