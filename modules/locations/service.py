"""What may happen to our own locations. OCPI mod_locations.

A change below a location moves the `last_updated` of everything above it (REQ-117). Nothing is ever deleted: an EVSE
that is gone is REMOVED, and stays readable, since sessions refer to it (REQ-118).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final

from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest, UnknownLocation
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.on_record import how_one_is_named, on_record
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.store import Store
from hub.core.types import parse_datetime
from hub.core.units import ABSENT, Audit, Change, Document, Put, Unit
from modules.locations import store as locations
from modules.locations import withheld
from modules.locations.model import Location
from modules.locations.unsaid import words_for
from modules.locations.wire import LOCATION

LIMIT: Final = 8 * 1024 * 1024
_ATTEMPTS: Final = 8
STATUS: Final = "status/"
"""Prefix of the change words that say: only this EVSE's status changed."""

OPERATORS: Final = frozenset({"PLANNED", "REMOVED"})
"""Statuses that no charger reports."""

Told = Callable[[str], bool]


def _no_charger(evse_uid: str) -> bool:
    """Nothing but the operator tells the status of an EVSE."""
    return False


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


async def get_whole(store: Store, key: str) -> Tree:
    """As `get_tree`, with the EVSEs that partners do not see yet (`withheld.py`). Raises: UnknownLocation."""
    return await withheld.whole(store, key)


async def shown_as(store: Store, keys: Collection[str], status: str) -> set[tuple[str, str]]:
    """The EVSEs of these locations that have this status, each by the key of its location and its uid in capitals."""
    word, found = f'"{status}"'.encode(), set[tuple[str, str]]()
    for key, document in (await store.get_many(locations.LOCATIONS, sorted(keys))).items():
        if word in document.body:  # few have it, and to read all of them takes long
            evses = parse(document.body, limit=LIMIT).get("evses", ())
            found |= {(key, evse["uid"].upper()) for evse in evses if evse["status"] == status}
    return found


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


async def owner_of(hub: Hub, partner: Partner, location_id: str, evse_uid: str | None = None) -> str:
    """The party whose location `partner` means by this id ("": nobody's). Ours goes first, if it has that EVSE.

    Raises: InvalidRequest, where several parties have it.
    """
    found = await on_record(hub, partner, locations.LOCATIONS, "locations", location_id)
    if len(found) > 1 and evse_uid is not None:
        found = [each for each in found if _has_evse(parse(each.body, limit=LIMIT), evse_uid)] or found
    owners = list(dict.fromkeys(each.owner for each in found))
    if len(owners) > 1 and owners[0] != hub.settings.party:
        raise InvalidRequest(f"/location_id: several parties have this one; {how_one_is_named(partner)}")
    return owners[0] if owners else ""


def _has_evse(tree: Tree, evse_uid: str) -> bool:
    return any(evse["uid"].upper() == evse_uid.upper() for evse in tree.get("evses") or ())


async def put(
    store: Store,
    owner: Party,
    location_id: str,
    tree: Tree,
    *,
    now: datetime,
    has_charger: Told = _no_charger,
    audit: Audit | None = None,
) -> bool:
    """Keep a location of our own; missing times are `now`. Returns: True if it is new.

    `audit` is written with the change, if there is one.

    The status of an EVSE stays when the tree says UNKNOWN or nothing, and when `has_charger` says of its uid that a
    charger reports it; but PLANNED and REMOVED are the operator's to say. EVSEs that the new tree leaves out are kept
    as REMOVED; one that a charger serves must be given. One that was left out and is given again is there again, while
    one that was removed although a charger serves it comes back only when its status is given. What did not change
    keeps its time, and nobody is told when nothing did. Raises: InvalidRequest.
    """
    location = _validated(owner, location_id, tree, timestamp(now))
    key = locations.key_of(owner, location_id)
    await _check_none_waits(store, key, location)
    for _ in range(_ATTEMPTS):
        known = await locations.find(store, key)
        merged = location.tree()
        old: Tree = parse(known.body, limit=LIMIT) if known is not None else {}
        _keep_what_lives(merged, old, timestamp(now), has_charger)
        _settle_times(merged, old or None, ("evses", "connectors"), timestamp(now))
        if merged == old:
            return False
        arrived = _living(merged) - _living(old)
        index = [locations.index_put(owner, evse_uid, key) for evse_uid in sorted(arrived)]
        location_put = locations.put_of(owner, merged, expect=known.version if known else ABSENT)
        if await _commit(store, [location_put, *index], words_for(known, old, location_put, ""), audit):
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
    check_names_differ(location.tree())
    return location


async def _check_none_waits(store: Store, key: str, location: Location) -> None:
    """An EVSE that partners may not see yet does not come in by the back door. Raises: InvalidRequest."""
    waiting = {_name(evse) for evse in await withheld.evses_at(store, key)}
    for at, evse in enumerate(location.evses if waiting else ()):
        if evse.uid.upper() in waiting:
            raise InvalidRequest(
                f"/evses/{at}: {evse.uid} waits for the commissioning of its charger, which publishes it; leave it out"
            )


def check_names_differ(tree: Tree) -> None:
    """EVSEs of a location, and connectors of an EVSE, are told apart by their names. Raises: InvalidRequest."""
    evses = tree.get("evses") or []
    _check_differ(evses, "/evses")
    for at, evse in enumerate(evses):
        _check_differ(evse["connectors"], f"/evses/{at}/connectors")


def _check_differ(named: list[Tree], pointer: str) -> None:
    if len({_name(each) for each in named}) < len(named):
        raise InvalidRequest(f"{pointer}: two of them have the same name")


def _keep_what_lives(new: Tree, old: Tree, now: str, has_charger: Told) -> None:
    fresh = {evse["uid"].upper(): evse for evse in new.get("evses", ())}
    for evse in old.get("evses", ()):
        replacement = fresh.get(evse["uid"].upper())
        if replacement is not None:
            replacement["status"] = _status(replacement["status"], evse["status"], has_charger(evse["uid"]))
        elif evse["status"] == "REMOVED":
            new.setdefault("evses", []).append(evse)
        elif has_charger(evse["uid"]):
            raise InvalidRequest(f"/evses: {evse['uid']} is left out, but a charger serves it: see remove-evse")
        else:
            new.setdefault("evses", []).append({**evse, "status": "REMOVED", "last_updated": now})


def _status(said: str, was: str, has_charger: bool) -> str:
    """What an EVSE that was known before is now."""
    if was == "REMOVED" and not has_charger:
        return said  # left out before, and there again; one with a charger can only have been removed by name
    if said == "UNKNOWN" or (has_charger and not OPERATORS & {said, was}):
        return was
    return said


def _settle_times(new: Tree, old: Tree | None, below: tuple[str, ...], now: str) -> None:
    """What did not change keeps its time; what did moves on, and all above it with it (REQ-117)."""
    children = (new.get(below[0]) or ()) if below else ()
    known = {_name(child): child for child in (old or {}).get(below[0]) or ()} if below else {}
    for child in children:
        _settle_times(child, known.get(_name(child)), below[1:], now)
    if old is not None and {**new, "last_updated": ""} == {**old, "last_updated": ""}:
        new["last_updated"] = old["last_updated"]
        return
    if old is not None and parse_datetime(new["last_updated"]) <= parse_datetime(old["last_updated"]):
        new["last_updated"] = max(now, old["last_updated"], key=parse_datetime)
    times = [new["last_updated"], *(child["last_updated"] for child in children)]
    new["last_updated"] = max(times, key=parse_datetime)


def _name(tree: Tree) -> str:
    """What an EVSE or a connector is called, as it is compared."""
    return str(tree["uid"] if "uid" in tree else tree["id"]).upper()


def _living(tree: Tree) -> set[str]:
    """The EVSEs that are at a location."""
    return {_name(evse) for evse in tree.get("evses", ()) if evse["status"] != "REMOVED"}


async def set_status(store: Store, key: str, evse_uid: str, status: str, *, now: datetime) -> bool:
    """What the charger says of an EVSE. Returns: False when it was so already. Raises: UnknownLocation."""

    def change(evse: Tree) -> bool:
        if evse["status"] in (status, "REMOVED"):
            return False
        evse["status"] = status
        return True

    return await _change_evse(store, key, evse_uid, change, what=f"{STATUS}{evse_uid}", now=now)


async def remove_evse(store: Store, key: str, evse_uid: str, *, now: datetime, audit: Audit | None = None) -> bool:
    """Take an EVSE out of service for good; `audit` is written with it. Raises: UnknownLocation."""

    def change(evse: Tree) -> bool:
        if evse["status"] == "REMOVED":
            return False
        evse["status"] = "REMOVED"
        return True

    return await _change_evse(store, key, evse_uid, change, what=f"{STATUS}{evse_uid}", now=now, audit=audit)


async def _change_evse(
    store: Store,
    key: str,
    evse_uid: str,
    change: Callable[[Tree], bool],
    *,
    what: str,
    now: datetime,
    audit: Audit | None = None,
) -> bool:
    """Apply `change`, of the status, to one EVSE, and move the times above it. Raises: UnknownLocation, Conflict."""
    owner = Party.parse(key.split("/", 1)[0])
    for _ in range(_ATTEMPTS):
        known = await get(store, key)
        tree = parse(known.body, limit=LIMIT)
        evse = evse_in(tree, evse_uid)
        if not change(evse):
            return False
        moment = max(timestamp(now), known.last_updated)
        evse["last_updated"] = tree["last_updated"] = moment
        put = locations.put_of(owner, tree, lowest=known.columns["lowest"], expect=known.version)
        if await _commit(store, [put], [what], audit):
            return True
    raise Conflict


async def _commit(store: Store, puts: list[Put], words: list[str], audit: Audit | None) -> bool:
    """False, when somebody else was faster."""
    changes = [Change("locations", puts[0].key, owner=puts[0].owner, what=word) for word in words]
    try:
        await store.commit(Unit([*puts], changes).audited(audit))
    except Conflict:
        return False
    return True


async def owners_with(
    hub: Hub, viewer: Partner, location_ids: Iterable[str], evse_uids: Iterable[str]
) -> list[set[str]]:
    """Whose each of these locations and EVSEs is, of those that are here and that `viewer` may see."""
    places = [*((locations.LOCATIONS, each) for each in location_ids), *((locations.EVSES, each) for each in evse_uids)]
    found = [{each.owner for each in await on_record(hub, viewer, kind, "locations", name)} for kind, name in places]
    return [owners for owners in found if owners]
