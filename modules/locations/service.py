"""What may happen to our own locations. OCPI mod_locations.

A change below a location moves the `last_updated` of everything above it (REQ-117). Nothing is ever deleted: an EVSE
that is gone is REMOVED, and stays readable, since sessions refer to it (REQ-118).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest, UnknownLocation
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.units import ABSENT, Change, Document, Unit
from modules.locations import store as locations
from modules.locations.model import Location
from modules.locations.wire import LOCATION

LIMIT: Final = 8 * 1024 * 1024
_ATTEMPTS: Final = 8
STATUS: Final = "status/"
"""Prefix of the change words that say: only this EVSE's status changed."""


async def get(store: Store, key: str) -> Document:
    """Raises: UnknownLocation."""
    document = await locations.find(store, key)
    if document is None:
        raise UnknownLocation
    return document


async def get_tree(store: Store, key: str) -> Tree:
    """The location in our own form. Raises: UnknownLocation."""
    tree: Tree = parse((await get(store, key)).body, limit=LIMIT)
    return tree


def evse_in(tree: Tree, evse_uid: str) -> Tree:
    """Raises: UnknownLocation."""
    for evse in tree.get("evses", ()):
        if evse["uid"].upper() == evse_uid.upper():
            found: Tree = evse
            return found
    raise UnknownLocation


def connector_in(evse: Tree, connector_id: str) -> Tree:
    """Raises: UnknownLocation."""
    for connector in evse["connectors"]:
        if connector["id"].upper() == connector_id.upper():
            found: Tree = connector
            return found
    raise UnknownLocation


async def put(store: Store, owner: Party, location_id: str, tree: Tree, *, now: datetime) -> bool:
    """Keep a location of our own; missing times are `now`. Returns: True if it is new.

    The status of an EVSE that its charger reports is not overwritten: it stays, when the tree says UNKNOWN or nothing.
    EVSEs that the new tree leaves out are kept as REMOVED. Raises: InvalidRequest.
    """
    location = _validated(owner, location_id, tree, timestamp(now))
    key = locations.key_of(owner, location_id)
    for _ in range(_ATTEMPTS):
        known = await locations.find(store, key)
        merged = location.tree()
        if known is not None:
            _keep_what_lives(merged, parse(known.body, limit=LIMIT), timestamp(now))
        if await _commit(store, owner, merged, known, ""):
            return known is None
    raise Conflict


def _validated(owner: Party, location_id: str, tree: Tree, now: str) -> Location:
    tree = {"last_updated": now, "country_code": owner.country_code, "party_id": owner.party_id, **tree}
    for evse in tree.get("evses") or ():
        evse.setdefault("last_updated", now)
        evse.setdefault("status", "UNKNOWN")
        for connector in evse.get("connectors") or ():
            connector.setdefault("last_updated", now)
    location: Location = LOCATION["2.3.0"].read(tree)
    if location.id.upper() != location_id.upper() or Party.of(location.country_code, location.party_id) != owner:
        raise InvalidRequest("the URL and the object name different locations")
    return location


def _keep_what_lives(new: Tree, old: Tree, now: str) -> None:
    fresh = {evse["uid"].upper(): evse for evse in new.get("evses", ())}
    for evse in old.get("evses", ()):
        replacement = fresh.get(evse["uid"].upper())
        if replacement is None:
            new.setdefault("evses", []).append({**evse, "status": "REMOVED", "last_updated": now})
        elif replacement["status"] == "UNKNOWN":
            replacement["status"] = evse["status"]


async def set_status(store: Store, key: str, evse_uid: str, status: str, *, now: datetime) -> bool:
    """What the charger says of an EVSE. Returns: False when it was so already. Raises: UnknownLocation."""

    def change(evse: Tree) -> bool:
        if evse["status"] in (status, "REMOVED"):
            return False
        evse["status"] = status
        return True

    return await change_evse(store, key, evse_uid, change, what=f"{STATUS}{evse_uid}", now=now)


async def remove_evse(store: Store, key: str, evse_uid: str, *, now: datetime) -> bool:
    """Take an EVSE out of service for good. Raises: UnknownLocation."""

    def change(evse: Tree) -> bool:
        if evse["status"] == "REMOVED":
            return False
        evse["status"] = "REMOVED"
        return True

    return await change_evse(store, key, evse_uid, change, what=f"{STATUS}{evse_uid}", now=now)


async def change_evse(
    store: Store, key: str, evse_uid: str, change: Callable[[Tree], bool], *, what: str, now: datetime
) -> bool:
    """Apply `change` to one EVSE, and move the times above it. Raises: UnknownLocation, Conflict."""
    owner = Party.parse(key.split("/", 1)[0])
    for _ in range(_ATTEMPTS):
        known = await get(store, key)
        tree = parse(known.body, limit=LIMIT)
        evse = evse_in(tree, evse_uid)
        if not change(evse):
            return False
        moment = max(timestamp(now), known.last_updated)
        evse["last_updated"] = tree["last_updated"] = moment
        if await _commit(store, owner, tree, known, what):
            return True
    raise Conflict


async def _commit(store: Store, owner: Party, tree: Tree, known: Document | None, what: str) -> bool:
    """False, when somebody else was faster."""
    location: Location = LOCATION["2.3.0"].read(tree)
    puts = locations.puts_of(owner, location, tree, encode(tree), expect=known.version if known else ABSENT)
    unit = Unit(list(puts)).tells(Change("locations", puts[0].key, owner=str(owner), what=what))
    try:
        await store.commit(unit)
    except Conflict:
        return False
    return True

