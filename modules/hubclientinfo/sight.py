"""Who may see whom, and what a partner is told when that changes: by an agreement, or because its own roles do.

What each partner sees is kept. When a party comes into its sight, its lane alone sends that party as it stands; when
one goes out of it, SUSPENDED, as a client info that is invalidated cannot be deleted (mod_hub_client_info_push_model).
The list leaves it out. Either moves `last_updated`, so that neither is taken for older than what the partner has.

A partner that has just registered sees for the first time: it pulls (hub/decisions/a-new-partner-pulls.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from hub.core.clock import timestamp
from hub.core.delivery import only_for
from hub.core.parties import PartyRole
from hub.core.ports import Hub
from hub.core.registry import Partner, State
from hub.core.store import Store
from hub.core.units import Delete, Document, Put, Unit
from modules.hubclientinfo.store import MODULE, SIGHTS, everybody, put_of, standing_in
from modules.hubclientinfo.wire import VERSIONS

_MOST: Final = 100_000
_AT_ONCE: Final = 500
"""Objects in one unit."""


class Sight(msgspec.Struct, frozen=True):
    """What one partner sees, and what it is to take for SUSPENDED since it may not see it any more: keys."""

    seen: frozenset[str]
    hidden: frozenset[str] = frozenset()

    def now(self, seen: frozenset[str]) -> Sight:
        return Sight(seen, (self.hidden | self.seen) - seen)

    def put(self, name: str) -> Put:
        return Put(SIGHTS, name, msgspec.json.encode({"seen": sorted(self.seen), "hidden": sorted(self.hidden)}))


class _Turn(NamedTuple):
    """A partner that sees other parties than before."""

    name: str
    sight: Sight
    moved: frozenset[str]
    """What it has to be sent."""


def may_see(hub: Hub, viewer: Partner, document: Document) -> bool:
    """A party may know of those with which it can communicate (mod_hub_client_info)."""
    return hub.agreements.meets(viewer, document.owner, PartyRole(document.columns["role"]))


async def visible(hub: Hub, viewer: Partner) -> tuple[str, ...]:
    """The keys of those that `viewer` has to do with."""
    return tuple(document.key for document in await everybody(hub.store) if may_see(hub, viewer, document))


async def is_hidden(store: Store, partner: Partner, key: str) -> bool:
    """Did `partner` see that party before, and may not any more?"""
    document = await store.get(SIGHTS, partner.name)
    return document is not None and key in _sight_in(document).hidden


async def keep(hub: Hub, told: Collection[str]) -> None:
    """Look what each partner sees now, and let it hear of the difference. `told`: of whom all hear anyway.

    Raises: Conflict.
    """
    known = {document.key: _sight_in(document) for document in await hub.store.select(SIGHTS, limit=_MOST)}
    documents = {document.key: document for document in await everybody(hub.store)}
    turns = [turn async for turn in _turns(hub, documents.values(), known, frozenset(told))]
    moved = frozenset[str]().union(*(turn.moved for turn in turns))
    await _touch(hub, [documents[key] for key in sorted(moved.difference(told))])
    unit = Unit(writes=[Delete(SIGHTS, name) for name in known if not _lasts(hub.registry.find(name))])
    for turn in turns:
        unit.put(turn.sight.put(turn.name))
        for key in sorted(turn.moved):
            unit.tells(only_for(turn.name, MODULE, key))
    if unit.writes:
        await hub.store.commit(unit)


async def _turns(
    hub: Hub, documents: Iterable[Document], known: Mapping[str, Sight], told: frozenset[str]
) -> AsyncIterator[_Turn]:
    for partner in hub.registry.connected():
        if partner.version not in VERSIONS:
            continue
        await asyncio.sleep(0)  # many partners times many parties: others have a turn too
        seen = frozenset(document.key for document in documents if may_see(hub, partner, document))
        before = known.get(partner.name)
        if before is None:
            yield _Turn(partner.name, Sight(seen), frozenset())
        elif before.seen != seen:
            yield _Turn(partner.name, before.now(seen), (before.seen ^ seen) - (told & seen))


async def _touch(hub: Hub, documents: Sequence[Document]) -> None:
    """To whom they are news they are not older than what was known before."""
    now = timestamp(hub.clock.now())
    for first in range(0, len(documents), _AT_ONCE):
        unit = Unit()
        for document in documents[first : first + _AT_ONCE]:
            since = document.columns["since"]
            unit.put(put_of(standing_in(document), since, updated=now, expect=document.version))
        await hub.store.commit(unit)


def _lasts(partner: Partner | None) -> bool:
    """Does it still have what it was told? Not who leaves, or has a version without the module: they begin anew."""
    if partner is None or partner.version not in VERSIONS:
        return False
    return partner.state in (State.CONNECTED, State.BLOCKED)


def _sight_in(document: Document) -> Sight:
    return msgspec.json.decode(document.body, type=Sight)
