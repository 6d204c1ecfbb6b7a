"""Telling partners of the objects that they may have from now on (`opened.py`).

A batch of objects at a time goes into the change log, for the partner's lane alone, in one unit with how far that is.
So whatever stops in between, no object is left out, and none told twice.

Nothing is served of an owner that is not connected (`Agreements.may`), and its lane would pass it over. What is owed of
such a one waits until it is there again, in a note of its own; but for what it had addressed to one party by name.

What was withdrawn meanwhile is told, too: `kept_back.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import structlog

from hub.core import kept_back
from hub.core.addressed import counting
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
    by_name: bool = False
    """Each is for one party: it goes there, whether its owner is connected or not."""


async def tell(hub: Hub, modules: Mapping[str, Sequence[Shared]]) -> None:
    """Tell the lanes of all that is owed. `modules`: where the objects of each are; their order is kept."""
    after, is_fresh = 0, False
    while owed := await hub.store.select(OPENED, after_seq=after, limit=_BATCH):
        after = owed[-1].seq
        for document in owed:
            opened = msgspec.json.decode(document.body, type=Opened)
            viewer = hub.registry.find(opened.viewer)
            if viewer is None or viewer.state not in HAS_A_LANE:
                await hub.store.commit(Unit().delete(Delete(OPENED, document.key, document.version)))
            elif not _waits(hub, viewer, modules, opened):
                if not is_fresh:
                    await hub.agreements.load()  # another process may have written them just now
                    is_fresh = True
                await _tell_what_was_kept_back(hub, viewer, modules)
                await _tell(hub, viewer, modules, document)


def _waits(hub: Hub, viewer: Partner, modules: Mapping[str, Sequence[Shared]], opened: Opened) -> bool:
    """Is none of the owners there?"""
    owners = [(module, kinds[0], opened.owners[module]) for module, kinds in modules.items() if module in opened.owners]
    return bool(owners) and all(_parted(hub, viewer, *each) == ((), each[-1]) for each in owners)


def _parted(
    hub: Hub, viewer: Partner, module: str, shared: Shared, owners: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of these owners whose objects `viewer` may have still, and those that it may have when they are there."""
    may = hub.agreements.may_be_sent if shared.by_name else hub.agreements.may
    there = tuple(owner for owner in owners if may(viewer, owner, module).allowed)
    rest = [owner for owner in owners if owner not in there]
    return there, tuple(owner for owner in rest if hub.agreements.could(viewer, owner, module))


async def _tell(hub: Hub, viewer: Partner, modules: Mapping[str, Sequence[Shared]], document: Document) -> None:
    opened, version, told = msgspec.json.decode(document.body, type=Opened), document.version, 0
    for module, kinds in modules.items():
        while module in opened.owners:
            shared = kinds[opened.kind]
            there, away = _parted(hub, viewer, module, shared, opened.owners[module])
            opened = msgspec.structs.replace(opened, owners={**opened.owners, module: there})
            found = await _next_ones(hub, viewer, module, shared.kind, opened)
            opened = _told(opened, module, found, last=shared is kinds[-1])
            put = Put(OPENED, document.key, msgspec.json.encode(opened), expect=version)
            keys = await _that_count(hub, viewer, shared.kind, found)
            changes = [only_for(viewer.name, module, f"{shared.prefix}{key}") for key in keys]
            later = [Opened(viewer.name, {module: away}).put()] if away else []
            version, *_ = await hub.store.commit(Unit([put, *later], changes))
            told += len(found)
            failpoint("catching_up.after_batch")
    await hub.store.commit(Unit().delete(Delete(OPENED, document.key, version)))
    log.info("partner is told of what it may have now", partner=viewer.name, objects=told)


async def _tell_what_was_kept_back(hub: Hub, viewer: Partner, modules: Mapping[str, Sequence[Shared]]) -> None:
    after = 0
    while found := await kept_back.of(hub.store, viewer.name, after_seq=after):
        after = found[-1].seq
        told = [document for document in found if _is_free(hub, viewer, modules, document)]
        if told:
            await hub.store.commit(kept_back.told(told))


def _is_free(hub: Hub, viewer: Partner, modules: Mapping[str, Sequence[Shared]], document: Document) -> bool:
    module = document.columns["module"]
    return bool(_parted(hub, viewer, module, modules[module][0], (document.owner,))[0])


async def _next_ones(hub: Hub, viewer: Partner, module: str, kind: Kind, opened: Opened) -> list[Leaf]:
    among = {"owner": opened.owners[module], "audience": ("", *sorted(viewer.parties))}
    return await hub.store.leaves(kind, among=among, after_seq=opened.after, limit=_BATCH, bodies=False)


async def _that_count(hub: Hub, viewer: Partner, kind: Kind, found: Sequence[Leaf]) -> list[str]:
    """The keys of the copies that count with `viewer`: those of which its lane takes a change for news."""
    if not kind.copied:
        return [leaf.key for leaf in found]
    counts = await counting(hub.store, kind, found, ("", *sorted(viewer.parties)))
    return [document.key for document in counts]


def _told(opened: Opened, module: str, found: Sequence[Leaf], *, last: bool) -> Opened:
    """What is left when the lane was told of these."""
    if len(found) == _BATCH:
        return msgspec.structs.replace(opened, after=found[-1].seq)
    if not last:
        return msgspec.structs.replace(opened, after=0, kind=opened.kind + 1)
    rest = {other: owners for other, owners in opened.owners.items() if other != module}
    return Opened(opened.viewer, rest)
