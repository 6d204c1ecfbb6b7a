"""Which tariffs a connector may name in OCPI 2.1.1: one that its partners can have just now, else one that is not here.

The column `lowest` of a tariff says what they can have. A tariff that comes, goes, or changes that is written down with
that change (`SHIFTED`): the locations that name it are then told anew (`modules/locations/renaming.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.core.store import Store
from hub.core.units import Document
from modules.tariffs.store import SHIFTED, TARIFFS
from modules.tariffs.validity import UNDATED

__all__ = ["SENDABLE", "SHIFTED", "UNDATED"]

_MOST: Final = 1_000_000
_MOST_OWNERS: Final = 1_000


class Sendable:
    """The tariffs of each owner, and if 2.1.1 can say them; read once for as long as none comes, goes or turns."""

    def __init__(self) -> None:
        self._store: Store | None = None
        self._arrangement = -1
        self._known: dict[tuple[str, str], Mapping[str, Any]] = {}

    async def context(self, store: Store, document: Document) -> Mapping[str, Any]:
        """What a rendition with connectors is to know: True by the ids (in capitals) that 2.1.1 can say, else False."""
        return await self.of(store, document.owner, document.audience)

    async def of(self, store: Store, owner: str, audience: str = "") -> Mapping[str, Any]:
        """As `context`: of this owner, for everybody ("") or for one party."""
        arrangement = store.arrangement(TARIFFS)
        if store is not self._store or arrangement != self._arrangement or len(self._known) >= _MOST_OWNERS:
            self._store, self._arrangement, self._known = store, arrangement, {}
        known = self._known
        found = known.get((owner, audience))
        if found is None:
            among = {"owner": (owner,), "audience": ("", audience) if audience else ("",)}
            here = dict.fromkeys(await _ids(store, among), False)
            sendable = dict.fromkeys(await _ids(store, {**among, "lowest": (UNDATED,)}), True)
            found = known[owner, audience] = {"sendable_tariffs": {**here, **sendable}}
        return found


async def _ids(store: Store, among: Mapping[str, Sequence[str]]) -> list[str]:
    """In capitals."""
    leaves = await store.leaves(TARIFFS, among=among, after_seq=0, limit=_MOST, bodies=False)
    return [leaf.key.partition("/")[2] for leaf in leaves]


SENDABLE: Final = Sendable()
"""For all that name tariffs of connectors: locations, and sessions."""
