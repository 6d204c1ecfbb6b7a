"""EVSEs of a CPO that came from behind a hub and is connected by itself now: its own word takes the place of the hub's.

Until it tells of its EVSEs, what the hub told stands, so that none vanishes meanwhile. With its first word, a push of
OICP or a location of OCPI, those that the hub told are over: what it names is its own, and what it does not name is
gone. No EVSE is then there twice, and none whose status nobody tells any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import structs

from hub.core.operations import CPO_LIKE
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Delete, Document, Put, Unit
from partners.oicp.connections import OICP_RELEASED
from partners.oicp.evse_intake import OICP_PROJECTIONS, Known
from partners.oicp.evse_table import HERE, OICP_EVSES, OICP_STATES, EvseRow, now_of, read

_READ: Final = 2000
_A_WRITE: Final = 250


class MovedEvses:
    """See the module."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def released(self, owners: Iterable[str]) -> list[str]:
        """Those who came from behind a hub, and have not told of their EVSEs since."""
        return list(await self._hub.store.get_many(OICP_RELEASED, list(dict.fromkeys(owners))))

    async def left(self, owner: str, *, to: str) -> Known:
        """The EVSEs of `owner` that others than partner `to` told in OICP, by canonical EvseID."""
        found: dict[str, tuple[Document, EvseRow]] = {}
        after, equal = 0, {"owner": owner, "gone": HERE}
        while rows := await self._hub.store.select(OICP_EVSES, equal=equal, limit=_READ, after_seq=after):
            for document in rows:
                if document.columns["source"].partition("/")[0] not in ("", to):
                    found[document.key] = (document, read(document))
            after = rows[-1].seq
        return found

    async def settled(self, owner: str) -> None:
        """It has told of its EVSEs."""
        await self._hub.store.commit(Unit().delete(Delete(OICP_RELEASED, owner)))

    async def end(self, owners: Iterable[str]) -> None:
        """End what hubs told of those of `owners` that are connected in OCPI now. Raises: Conflict, NotReady."""
        for owner in await self.released(owners):
            holder = self._hub.registry.holder_of(Party.parse(owner), CPO_LIKE)
            if holder is None or holder.interpreter:
                continue
            left = list((await self.left(owner, to="")).items())
            for at in range(0, len(left), _A_WRITE):
                unit = Unit()
                for key, (document, row) in left[at : at + _A_WRITE]:
                    gone = structs.replace(row, gone=True, changed=now_of(self._hub), source="")
                    unit.put(gone.put(expect=document.version)).delete(Delete(OICP_STATES, key))
                for location in {row.place.location for _, (_, row) in left[at : at + _A_WRITE]} - {""}:
                    unit.put(Put(OICP_PROJECTIONS, location, b""))
                await self._hub.store.commit(unit)
            await self.settled(owner)
