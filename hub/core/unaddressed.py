"""Objects that came before what tells whom they are for: for nobody yet, and looked at again when that may have come.

A look goes by what is new: objects that are for nobody, and arrivals (as of CDRs), each of which may tell whom some of
them are for. So one that nothing ever tells of costs nothing, however long it waits, and goes out when it is told of
late. When a party has come, and once a day, all are looked at: for what waited for that party, or has become clear in
another way, as by a card that is known now. How far the looks have come is kept, so a restart leaves nothing out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

import msgspec

from hub.core.clock import timestamp
from hub.core.errors import Conflict
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.units import ABSENT, Document, Kind, Put, Unit

LOOKED: Final = Kind("unaddressed_looks")
"""By kind of what waits: how far the looks have come."""
_ALL_AFTER: Final = timedelta(days=1)
_A_STEP: Final = 200
_NOBODYS: Final[Mapping[str, str]] = {"audience": ""}


class Addressee(NamedTuple):
    """The party that an object is for; "" as long as nothing tells, and why, in words for an operator."""

    party: str
    why: str = ""
    is_final: bool = False
    """Is all here that could tell?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits of one kind, and for what."""

    kind: Kind
    arrivals: tuple[Kind, ...]
    """What may tell whom one is for."""
    concerned: Callable[[Hub, Document], Awaitable[list[Document]]]
    """Those of them that an arrival may tell of."""
    whose: Callable[[Hub, Document, Tree], Awaitable[Addressee]]
    address: Callable[[Document, Tree, str], Unit]
    """What writes it for this party, and tells of it."""
    limit: int
    """The most bytes that one may have."""


class _Looked(msgspec.Struct):
    """How far the looks have come."""

    at: str
    """When all were looked at."""
    seen: dict[str, int]
    """By kind, the `seq` of the last that was looked at."""
    here: list[str] = []
    """The parties that were connected at the last look."""


async def look_again(hub: Hub, waiting: Waiting) -> None:
    """Address those that can be now."""
    known = await hub.store.get(LOOKED, waiting.kind.name)
    looked = await _from_where(hub, waiting, known)
    async for document in _new(hub.store, waiting.kind, looked, _NOBODYS):
        await _try(hub, waiting, document)
    for kind in waiting.arrivals:
        async for arrival in _new(hub.store, kind, looked, {}):
            for document in await waiting.concerned(hub, arrival):
                await _try(hub, waiting, document)
    put = Put(LOOKED, waiting.kind.name, msgspec.json.encode(looked), expect=known.version if known else ABSENT)
    if known is None or known.body != put.body:
        await hub.store.commit(Unit().put(put))


async def _from_where(hub: Hub, waiting: Waiting, known: Document | None) -> _Looked:
    """Where the last look ended; or where all that waits is looked at, whatever has arrived."""
    now = hub.clock.now()
    here = sorted({party for partner in hub.registry.connected() for party in partner.parties})
    if known is not None:
        looked = msgspec.json.decode(known.body, type=_Looked)
        has_come = not set(here) <= set(looked.here)
        if looked.at > timestamp(now - _ALL_AFTER) and not has_come:
            looked.here = here
            return looked
    return _Looked(timestamp(now), {kind.name: await _last(hub.store, kind) for kind in waiting.arrivals}, here)


async def _last(store: Store, kind: Kind) -> int:
    return max((document.seq for document in await store.select(kind, descending=True, limit=1)), default=0)


async def _new(store: Store, kind: Kind, looked: _Looked, equal: Mapping[str, str]) -> AsyncIterator[Document]:
    """What came since the last look, the oldest first."""
    after = looked.seen.get(kind.name, 0)
    while found := await store.select(kind, equal=equal, after_seq=after, limit=_A_STEP):
        for document in found:
            yield document
        looked.seen[kind.name] = after = found[-1].seq


async def _try(hub: Hub, waiting: Waiting, document: Document) -> None:
    tree: Tree = parse(document.body, limit=waiting.limit)
    goes = await waiting.whose(hub, document, tree)
    if not goes.party:
        return
    unit = waiting.address(document, tree, goes.party)
    try:
        await hub.store.commit(unit)
    except Conflict:
        return  # its owner has told it anew meanwhile, and so it was decided
