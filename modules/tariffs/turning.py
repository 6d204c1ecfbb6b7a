"""Tariffs begin to hold and end by themselves: partners whose version cannot say when are told at that moment.

The column `lowest`, by which lists are read, says which versions can say a tariff now. The next moment at which that
changes is kept beside each tariff that has one (`store.TURNS`), so that a start of ours after it makes up for it. What
such a moment changes concerns partners of that version alone: to the others the tariff says its dates itself.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Final

from hub.core.clock import timestamp
from hub.core.errors import Conflict
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Change, Delete, Document, Unit
from modules.tariffs import store as tariffs
from modules.tariffs.service import LIMIT
from modules.tariffs.validity import holds
from modules.tariffs.words import TURNED

_A_STEP: Final = 500


async def turn(hub: Hub) -> None:
    """Do what is due; what a writer was faster with is due again the next time."""
    now = hub.clock.now()
    for due in await hub.store.select(tariffs.TURNS, order="last_updated", limit=_A_STEP):
        if due.last_updated > timestamp(now):
            return
        unit = await _turned(hub, due, now)
        with suppress(Conflict):
            await hub.store.commit(unit)


async def _turned(hub: Hub, due: Document, now: datetime) -> Unit:
    """A tariff that is gone, or was changed, may have nothing that turns."""
    known = await tariffs.find(hub.store, due.key)
    if known is None:
        return Unit([Delete(tariffs.TURNS, due.key, due.version)])
    tree: Tree = parse(known.body, limit=LIMIT)
    # A list since then has what began to hold since then.
    arrived = timestamp(now) if holds(tree, now) else known.last_updated
    put = tariffs.put_of(
        Party.parse(known.owner),
        tree,
        now=now,
        audience=known.audience,
        expect=known.version,
        arrived=arrived,
        same=known,
    )
    next_one = tariffs.turn_of(put.key, tree, now=now, expect=due.version)
    unit = Unit([next_one or Delete(tariffs.TURNS, due.key, due.version)])
    if put.columns[0] != known.columns["lowest"]:
        change = Change("tariffs", put.key, owner=known.owner, audience=known.audience, what=TURNED)
        unit.put(put).tells(change)
        shift = tariffs.shift_of(known, put)
        if shift is not None:
            unit.put(shift)
    return unit
