"""What is kept for a time only: documents whose `last_updated` is the moment until which they are of use."""

from __future__ import annotations

from typing import Final

from hub.core.store import Store
from hub.core.units import Delete, Kind, Unit

_A_STEP: Final = 500


async def forget_some(store: Store, kind: Kind, before: str) -> bool:
    """Delete the oldest documents dated before `before` (a timestamp), one step of them. Returns: may there be more?

    Raises: NotReady; Conflict, when one of them was written meanwhile.
    """
    oldest = await store.select(kind, order="last_updated", limit=_A_STEP)
    unit = Unit([Delete(kind, each.key, each.version) for each in oldest if each.last_updated < before])
    if unit.writes:
        await store.commit(unit)
    return len(unit.writes) == _A_STEP


async def forget_all(store: Store, kind: Kind, before: str) -> None:
    """Delete all of them, step by step. Raises: as `forget_some`."""
    while await forget_some(store, kind, before):
        pass
