"""EVSEs of ours that partners do not see yet, since their charger is only being put into service.

They are kept beside their location and not in it, so that nothing that partners pull or are sent can have them. What
goes on in our own house (a test charge, its price) finds them all the same, by `whole`; `publish` puts them in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest, UnknownLocation
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.units import ABSENT, Audit, Change, Delete, Document, Kind, Put, Unit
from modules.locations import store as locations
from modules.locations.wire import LOCATION

WITHHELD: Final = Kind("locations_withheld")
"""Under the key of a location: its EVSEs that wait."""

_LIMIT: Final = 8 * 1024 * 1024
_ATTEMPTS: Final = 8


async def evses_at(store: Store, key: str) -> list[Tree]:
    """The EVSEs of a location that wait."""
    return _evses_in(await store.get(WITHHELD, key))


async def whole(store: Store, key: str) -> Tree:
    """A location with those of its EVSEs that wait. Raises: UnknownLocation."""
    tree, waiting = await _tree(store, key), await evses_at(store, key)
    return {**tree, "evses": [*(tree.get("evses") or ()), *waiting]} if waiting else tree


async def withhold(store: Store, key: str, evses: Sequence[Tree], *, now: datetime, audit: Audit) -> None:
    """Keep EVSEs that are to be at a location later; one that waits already is replaced.

    Raises: UnknownLocation; InvalidRequest, also for one that partners know already; Conflict.
    """
    for _ in range(_ATTEMPTS):
        location, known = await _tree(store, key), await store.get(WITHHELD, key)
        kept = {_name(evse): evse for evse in _evses_in(known)}
        kept |= {_name(evse): evse for evse in _validated(location, evses, timestamp(now))}
        if await _commit(store, Unit().put(_put(key, list(kept.values()), known)), audit):
            return
    raise Conflict


async def publish(store: Store, key: str, evse_uids: Collection[str], *, now: datetime, audit: Audit) -> list[str]:
    """Put EVSEs that waited into their location; partners are told. Returns: the uids of those that did wait.

    Raises: UnknownLocation, Conflict.
    """
    wanted, owner = {uid.upper() for uid in evse_uids}, Party.parse(key.split("/", 1)[0])
    for _ in range(_ATTEMPTS):
        known, waiting = await _known(store, key), await store.get(WITHHELD, key)
        ready = [evse for evse in _evses_in(waiting) if _name(evse) in wanted]
        if not ready or waiting is None:
            return []
        tree: Tree = parse(known.body, limit=_LIMIT)
        moment = max(timestamp(now), known.last_updated)
        here = {_name(evse) for evse in tree.get("evses") or ()}
        fresh = [{**evse, "last_updated": moment} for evse in ready if _name(evse) not in here]
        tree["evses"] = [*(tree.get("evses") or ()), *fresh]
        tree["last_updated"] = moment
        unit = Unit([locations.put_of(owner, tree, expect=known.version)], [Change("locations", key, owner=str(owner))])
        for evse in ready:
            unit.put(locations.index_put(owner, evse["uid"], key))
        if await _commit(store, _without(unit, key, waiting, wanted), audit):
            return [str(evse["uid"]) for evse in ready]
    raise Conflict


async def abandon(store: Store, key: str, evse_uids: Collection[str], *, audit: Audit) -> None:
    """Forget EVSEs that wait. Raises: Conflict."""
    wanted = {uid.upper() for uid in evse_uids}
    for _ in range(_ATTEMPTS):
        waiting = await store.get(WITHHELD, key)
        if waiting is None or await _commit(store, _without(Unit(), key, waiting, wanted), audit):
            return
    raise Conflict


def _without(unit: Unit, key: str, waiting: Document, gone: Collection[str]) -> Unit:
    rest = [evse for evse in _evses_in(waiting) if _name(evse) not in gone]
    return unit.put(_put(key, rest, waiting)) if rest else unit.delete(Delete(WITHHELD, key, waiting.version))


def _validated(location: Tree, evses: Sequence[Tree], now: str) -> list[Tree]:
    """The EVSEs in our own form, as part of their location. Raises: InvalidRequest."""
    taken = {_name(evse) for evse in location.get("evses") or ()}
    filled = [_filled(evse, now) for evse in evses]
    for at, evse in enumerate(filled):
        if _name(evse) in taken:
            raise InvalidRequest(f"/evses/{at}/uid: {evse['uid']} is at {location['id']} already, and partners see it")
    read: Tree = LOCATION["2.3.0"].read({**location, "evses": filled}).tree()
    names = [_name(evse) for evse in read["evses"]]
    if len(set(names)) < len(names):
        raise InvalidRequest("/evses: two of them have the same name")
    found: list[Tree] = read["evses"]
    return found


def _filled(evse: Tree, now: str) -> Tree:
    """With what may be left out; what has no name is left to the validation."""
    connectors = evse.get("connectors")
    if isinstance(connectors, list):
        filled = [{"last_updated": now, **each} if isinstance(each, dict) else each for each in connectors]
        evse = {**evse, "connectors": filled}
    return {"uid": "", "status": "UNKNOWN", "last_updated": now, **evse}


async def _known(store: Store, key: str) -> Document:
    document = await locations.find(store, key)
    if document is None:
        raise UnknownLocation
    return document


async def _tree(store: Store, key: str) -> Tree:
    tree: Tree = parse((await _known(store, key)).body, limit=_LIMIT)
    return tree


def _evses_in(document: Document | None) -> list[Tree]:
    found: list[Tree] = [] if document is None else parse(document.body, limit=_LIMIT)
    return found


def _put(key: str, evses: list[Tree], known: Document | None) -> Put:
    return Put(WITHHELD, key, encode(evses), expect=ABSENT if known is None else known.version)


def _name(evse: Tree) -> str:
    return str(evse["uid"]).upper()


async def _commit(store: Store, unit: Unit, audit: Audit) -> bool:
    """False, when somebody else was faster."""
    try:
        await store.commit(unit.audited(audit))
    except Conflict:
        return False
    return True
