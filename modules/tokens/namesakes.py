"""Cards that two partners have given out: both are kept, and an operator should know whose taps it decides.

Nobody waits for that: the new tokens of one turn of the event loop are looked at together, after those who brought them
have been answered.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary

import structlog

from hub.core.addressed import owner_in
from hub.core.errors import NotReady
from hub.core.store import Leaf, Store
from hub.core.units import Put
from modules.tokens.store import TOKENS

log = structlog.get_logger()

_MOST: Final = 10_000
_new: Final[WeakKeyDictionary[Store, list[Put]]] = WeakKeyDictionary()
looking: Final[set[asyncio.Task[None]]] = set()
"""Those who are looking just now."""


def look_for_others(store: Store, new: Put) -> None:
    """`new` is on record, and was not before: soon look whether somebody else has a token of its uid."""
    waiting = _new.setdefault(store, [])
    waiting.append(new)
    if len(waiting) == 1:
        task = asyncio.get_running_loop().create_task(_look(store), name="namesakes of new tokens")
        looking.add(task)
        task.add_done_callback(looking.discard)


async def _look(store: Store) -> None:
    new = _new.pop(store)
    uids = sorted({put.columns[0] for put in new})
    try:
        found = await store.leaves(TOKENS, among={"uid": uids}, after_seq=0, limit=_MOST, bodies=False)
    except NotReady:
        return
    of_uid: dict[str, list[Leaf]] = defaultdict(list)
    for leaf in found:
        of_uid[_uid_in(leaf.key)].append(leaf)
    for put in new:
        _warn(put, of_uid[put.columns[0]])


def _warn(new: Put, namesakes: Sequence[Leaf]) -> None:
    """Only of those that were there before; where one of them has the same owner, it was said when that one came."""
    owners: set[str] = set()
    for leaf in namesakes:
        if leaf.key == new.key:
            break
        owners.add(owner_in(leaf.key))
    if owners and new.owner not in owners:
        log.warning("card uid of two partners", uid=new.columns[0], owner=new.owner, others=sorted(owners))


def _uid_in(key: str) -> str:
    return key[key.index("/") + 1 : key.rindex("/")]
