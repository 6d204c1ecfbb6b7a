"""Telling partners of the objects that they may have from now on (`opened.py`).

A batch of objects at a time goes into the change log, for the partner's lane alone, in one unit with how far that is.
So whatever stops in between, no object is left out, and none told twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import structlog

from hub.core.delivery import only_for
from hub.core.failpoints import failpoint
from hub.core.opened import HAS_A_LANE, OPENED, Opened
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.store import Leaf
from hub.core.units import Delete, Document, Kind, Put, Unit

_BATCH: Final = 500

log = structlog.get_logger()


class Shared(NamedTuple):
    """Objects that their owner lets us send, to all or to one party."""

    kind: Kind
    prefix: str = ""
    """What stands before the key of one, where a change names it."""


async def tell(hub: Hub, modules: Mapping[str, Sequence[Shared]]) -> None:
    """Tell the lanes of all that is owed. `modules`: where the objects of each are; their order is kept."""
    owed = await hub.store.select(OPENED)
    if owed:
        await hub.agreements.load()  # another process may have written them just now
    for document in owed:
        viewer = hub.registry.find(msgspec.json.decode(document.body, type=Opened).viewer)
        if viewer is not None and viewer.state in HAS_A_LANE:
            await _tell(hub, viewer, modules, document)
        else:
            await hub.store.commit(Unit().delete(Delete(OPENED, document.key, document.version)))


async def _tell(hub: Hub, viewer: Partner, modules: Mapping[str, Sequence[Shared]], document: Document) -> None:
    opened, version, told = msgspec.json.decode(document.body, type=Opened), document.version, 0
    for module, kinds in modules.items():
        while module in opened.owners:
            shared = kinds[opened.kind]
            found = await _next_ones(hub, viewer, module, shared.kind, opened)
            opened = _told(opened, module, found, last=shared is kinds[-1])
            put = Put(OPENED, document.key, msgspec.json.encode(opened), expect=version)
            changes = [only_for(viewer.name, module, f"{shared.prefix}{leaf.key}") for leaf in found]
            (version,) = await hub.store.commit(Unit([put], changes))
            told += len(found)
            failpoint("catching_up.after_batch")
    await hub.store.commit(Unit().delete(Delete(OPENED, document.key, version)))
    log.info("partner is told of what it may have now", partner=viewer.name, objects=told)


async def _next_ones(hub: Hub, viewer: Partner, module: str, kind: Kind, opened: Opened) -> list[Leaf]:
    """Of those owners whose objects it still may have."""
    owners = [owner for owner in opened.owners[module] if hub.agreements.may(viewer, owner, module).allowed]
    among = {"owner": owners, "audience": ("", *sorted(viewer.parties))}
    return await hub.store.leaves(kind, among=among, after_seq=opened.after, limit=_BATCH, bodies=False)


def _told(opened: Opened, module: str, found: Sequence[Leaf], *, last: bool) -> Opened:
    """What is left when the lane was told of these."""
    if len(found) == _BATCH:
        return msgspec.structs.replace(opened, after=found[-1].seq)
    if not last:
        return msgspec.structs.replace(opened, after=0, kind=opened.kind + 1)
    rest = {other: owners for other, owners in opened.owners.items() if other != module}
    return Opened(opened.viewer, rest)
