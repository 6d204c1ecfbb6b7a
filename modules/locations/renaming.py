"""Partners of 2.1.1 are told of a location again when its connectors name other tariffs there.

2.1.1 has one tariff for a connector: the first that its partners can have, else the first that is not on record
(`wire.py`, `tariffs/sendable.py`). Where a tariff came or went, or became one that they can have, or is none any more,
the locations of its owner that name it are written again as they are: so their words in 2.1.1 are made anew, lists by
`date_from` have them, and lanes bring them. Their own times are those that their owner gave them. A tariff is done with
when all its locations are: whatever stops in between, they are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from itertools import groupby
from typing import Final

from hub.core.clock import timestamp
from hub.core.errors import Conflict
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Change, Delete, Put, Unit
from modules.locations.service import LIMIT
from modules.locations.store import LOCATIONS
from modules.tariffs.sendable import SHIFTED, UNDATED

NAMES_ANEW: Final = "tariffs"
"""The change word that says: in 2.1.1 a connector names another tariff than before, or none."""
_BATCH: Final = 200
_ATTEMPTS: Final = 8
_A_STEP: Final = 5_000
_NAMING: Final = b'"tariff_ids"'


async def name_anew(hub: Hub) -> None:
    """Do what is due. All tariffs of an owner that shifted are done with in one reading of its locations."""
    due = await hub.store.select(SHIFTED, limit=_A_STEP)
    for owner, shifts in groupby(sorted(due, key=lambda each: each.owner), key=lambda each: each.owner):
        of_owner = list(shifts)
        await _tell(hub, owner, {shift.columns["id"].upper() for shift in of_owner})
        for shift in of_owner:
            try:
                await hub.store.commit(Unit([Delete(SHIFTED, shift.key, shift.version)]))
            except Conflict:
                continue  # it shifted once more, and is due again


async def _tell(hub: Hub, owner: str, tariff_ids: Collection[str]) -> None:
    after = 0
    while found := await hub.store.leaves(LOCATIONS, among={"owner": (owner,)}, after_seq=after, limit=_BATCH):
        after = found[-1].seq
        naming = [leaf.key for leaf in found if _names(leaf.body, tariff_ids)]
        await asyncio.gather(*(_again(hub, key) for key in naming))


def _names(body: bytes, tariff_ids: Collection[str]) -> bool:
    """Is one of them named by a connector of the location?"""
    if _NAMING not in body:
        return False
    tree: Tree = parse(body, limit=LIMIT)
    connectors = (connector for evse in tree.get("evses") or () for connector in evse["connectors"])
    named = (tariff_id for connector in connectors for tariff_id in connector.get("tariff_ids") or ())
    return any(tariff_id.upper() in tariff_ids for tariff_id in named)


async def _again(hub: Hub, key: str) -> None:
    """Write it as it is. Raises: Conflict."""
    for _ in range(_ATTEMPTS):
        known = await hub.store.get(LOCATIONS, key)
        if known is None or known.columns["lowest"] != UNDATED:
            return
        # Of several copies the newest counts, which this must not decide.
        arrived = "" if await hub.addressed.is_any("locations") else timestamp(hub.clock.now())
        put = Put(
            LOCATIONS,
            known.key,
            known.body,
            known.owner,
            known.audience,
            max(known.last_updated, arrived),
            tuple(known.columns[name] for name in LOCATIONS.columns),
            known.version,
        )
        change = Change("locations", key, owner=known.owner, audience=known.audience, what=NAMES_ANEW)
        try:
            await hub.store.commit(Unit([put], [change]))
        except Conflict:
            continue
        return
    raise Conflict
