"""Reservations that other CPOs hold for eMSPs, as far as the way to them goes: who has it, under which number.

The number is the document's `seq`: ours alone, never given twice, and the same when the reservation is replaced. CPOs
of 2.1.1, who know reservations by number and cannot tell one eMSP from another, are told it in place of the eMSP's id.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from hub.core.clock import timestamp
from hub.core.errors import Conflict
from hub.core.forgetting import forget_some
from hub.core.ports import Hub
from hub.core.units import Kind, Put
from modules.commands.store import reservation_key

PASSED_ON: Final = Kind("passed_on_reservations")


def put_of(asker: str, reservation_id: str, cpo: str, *, expires: datetime) -> Put:
    """The write of one: `asker` reserves at `cpo`."""
    return Put(PASSED_ON, reservation_key(asker, reservation_id), b"", owner=cpo, last_updated=timestamp(expires))


async def number_of(hub: Hub, asker: str, reservation_id: str) -> int:
    """Under which number the CPO knows it. Raises: Conflict, when it is gone."""
    document = await hub.store.get(PASSED_ON, reservation_key(asker, reservation_id))
    if document is None:
        raise Conflict
    return document.seq


async def holder_of(hub: Hub, parties: Collection[str], reservation_id: str) -> str:
    """The CPO that has what one of `parties` reserved under this id; "" when no other CPO has."""
    keys = [reservation_key(party, reservation_id) for party in sorted(parties)]
    found = await hub.store.get_many(PASSED_ON, keys)
    return next((found[key].owner for key in keys if key in found), "")


async def forget(hub: Hub) -> None:
    """Those that are over go."""
    await forget_some(hub.store, PASSED_ON, timestamp(hub.clock.now()))
