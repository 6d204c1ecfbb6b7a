"""Locations of other CPOs, as those write them. OCPI mod_locations_receiver_interface.

A location, an EVSE or a connector is written at its own depth: `path` is (), (EVSE uid,) or (EVSE uid, connector id).
What is strictly older than what is here changes nothing and is success; times come from the owner alone, and a change
below moves those above it (REQ-117). Nothing is deleted: an EVSE that a PUT leaves out is kept as REMOVED.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hub.core.addressed import FOR_ALL
from hub.core.dialect import VERSIONS, Wire
from hub.core.errors import Conflict, InvalidRequest, UnknownLocation
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.overtaken import Told, check_not_overtaken
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.recency import is_older
from hub.core.types import parse_datetime
from hub.core.units import ABSENT, Change, Document, Unit
from modules.locations import store as locations
from modules.locations.service import LIMIT, STATUS, check_names_differ
from modules.locations.unsaid import words_for
from modules.locations.wire import CONNECTOR, EVSE, LOCATION

Path = tuple[str, ...]
Edit = Callable[[Tree | None], tuple[Tree, str] | None]
"""From the location as it is to the location as it is to be and the words of the change; None: nothing to do."""

_ATTEMPTS: Final = 8
_LEVELS: Final = (("evses", "uid"), ("connectors", "id"))
"""What lies below a location and below an EVSE, and what it is called by."""
_WIRES: Final[tuple[Mapping[str, Wire[Any]], ...]] = (LOCATION, EVSE, CONNECTOR)
_NAMES: Final = (("country_code", "party_id", "id"), ("uid",), ("id",))
"""By depth, the fields that never change."""
_OF_STATUS: Final = frozenset({"status", "last_updated"})


@dataclass(frozen=True, slots=True)
class Spot:
    """Whose location it is, and for whom: "" for all that are entitled, or one party."""

    owner: Party
    location_id: str
    audience: str = ""
    is_there: bool = False
    """That party took it already, from point to point: no lane brings it."""
    told: Told | None = None
    """It is from its owner's list: what was told since we asked for that."""

    @property
    def key(self) -> str:
        return locations.key_of(self.owner, self.location_id, self.audience)

    @property
    def audiences(self) -> tuple[str, ...]:
        """Of what copies the newest counts with who is meant."""
        return ("", self.audience) if self.audience else FOR_ALL


def check(spot: Spot, path: Path, tree: Tree) -> None:
    """Is a PUT of `tree` there one of what its URL names? Raises: InvalidRequest."""
    if path:
        if not _same(tree[_LEVELS[len(path) - 1][1]], path[-1]):
            raise InvalidRequest("the URL and the object name different things")
        return
    if not _same(tree["id"], spot.location_id) or Party.of(tree["country_code"], tree["party_id"]) != spot.owner:
        raise InvalidRequest("the URL and the object name different locations")
    check_names_differ(tree)


def check_part(part: Tree, arrived: str) -> None:
    """Raises: InvalidRequest."""
    if "last_updated" not in part and not arrived:
        raise InvalidRequest("a PATCH carries last_updated")


async def put(hub: Hub, spot: Spot, tree: Tree) -> bool:
    """Keep a location. Returns: True if it is new.

    Raises: InvalidRequest, when the URL names another one; Overtaken, where it is from a list.
    """
    check(spot, (), tree)

    def edit(old: Tree | None) -> tuple[Tree, str] | None:
        if old is None:
            return tree, ""
        if _is_older(hub, tree, old):
            return None
        new = _with_those_gone(tree, old)
        return None if new == old else (new, "")

    return await _write(hub, spot, edit) is None


async def put_below(hub: Hub, spot: Spot, path: Path, tree: Tree) -> bool:
    """Keep an EVSE or a connector. Returns: True if it is new.

    Raises: UnknownLocation, when what it belongs to is not here; InvalidRequest, when the URL names another one.
    """
    check(spot, path, tree)

    def edit(old: Tree | None) -> tuple[Tree, str] | None:
        if old is None or _find(old, path[:-1]) is None:
            raise UnknownLocation
        known = _find(old, path)
        if known is not None and (_is_older(hub, tree, known) or known == tree):
            return None
        return _placed(old, path, tree), _words(path, known, tree)

    before = await _write(hub, spot, edit)
    return before is None or _find(before, path) is None


async def patch(hub: Hub, spot: Spot, path: Path, part: Tree, *, arrived: str = "") -> None:
    """Change a part; `arrived` stands in for a time that is not told.

    Raises: UnknownLocation (its owner is then to PUT it), InvalidRequest.
    """
    check_part(part, arrived)

    def edit(old: Tree | None) -> tuple[Tree, str] | None:
        known = _find(old, path) if old is not None else None
        if old is None or known is None:
            raise UnknownLocation
        if _is_older(hub, {**known, **part}, known):
            return None
        new = _patched(known, part, depth=len(path), now=hub.clock.now())
        return None if new == known else (_placed(old, path, new), _words(path, known, new))

    await _write(hub, spot, edit, arrived)


async def get(hub: Hub, spot: Spot) -> Document:
    """As we keep it for that party, or for everybody. Raises: UnknownLocation."""
    document = (await hub.addressed.standing(locations.LOCATIONS, spot.key, spot.audiences)).document
    if document is None:
        raise UnknownLocation
    return document


async def _write(hub: Hub, spot: Spot, edit: Edit, arrived: str = "") -> Tree | None:
    """Commit what `edit` makes of the location. Returns: what was there before. Raises: what `edit` does; Conflict.

    Who has a copy of its own, and took a newer one for everybody since, changes that one.
    """
    for _ in range(_ATTEMPTS):
        known = await locations.find(hub.store, spot.key)
        counts = await get(hub, spot) if known is not None and spot.audience else known
        old: Tree | None = parse(counts.body, limit=LIMIT) if counts is not None else None
        edited = edit(old)
        if edited is None:
            return old
        if spot.told is not None and known is not None:
            await check_not_overtaken(spot.told, spot.key, edited[0]["last_updated"], known)
        check_names_differ(edited[0])
        expect = known.version if known is not None else ABSENT
        try:
            await hub.store.commit(_unit(hub, spot, counts, old, *edited, arrived=arrived, expect=expect))
        except Conflict:
            continue
        return old
    raise Conflict


def _unit(
    hub: Hub, spot: Spot, known: Document | None, old: Tree | None, new: Tree, what: str, *, arrived: str, expect: int
) -> Unit:
    lowest = known.columns["lowest"] if known is not None and what.startswith(STATUS) else ""
    put = locations.put_of(spot.owner, new, audience=spot.audience, lowest=lowest, expect=expect, arrived=arrived)
    added = sorted(_uids(new) - _uids(old or {}))
    index = [locations.index_put(spot.owner, uid, spot.key) for uid in added]
    unit = Unit([put, *index])
    for word in () if spot.is_there else words_for(known, old, put, what):
        unit.tells(Change("locations", spot.key, owner=put.owner, audience=spot.audience, what=word))
    return hub.own_ids.kept(hub.addressed.noted(unit, "locations", spot.audience))


def _uids(tree: Tree) -> set[str]:
    return {evse["uid"].upper() for evse in tree.get("evses") or ()}


def _same(one: str, other: str) -> bool:
    """Ids compare without case (CiString)."""
    return one.upper() == other.upper()


def _is_older(hub: Hub, new: Tree, old: Tree) -> bool:
    return is_older(new["last_updated"], old["last_updated"], hub.clock.now())


def _find(tree: Tree, path: Path) -> Tree | None:
    """What stands at `path` in a location."""
    found: Tree | None = tree
    for (below, name), wanted in zip(_LEVELS, path, strict=False):
        children = (found or {}).get(below) or ()
        found = next((child for child in children if _same(child[name], wanted)), None)
    return found


def _placed(tree: Tree, path: Path, item: Tree, depth: int = 0) -> Tree:
    """The location with `item` at `path`; the times above it are at least its own."""
    if not path:
        return item
    below, name = _LEVELS[depth]
    children = list(tree.get(below) or ())
    at = next((at for at, child in enumerate(children) if _same(child[name], path[0])), len(children))
    children[at : at + 1] = [_placed(children[at] if at < len(children) else {}, path[1:], item, depth + 1)]
    moment = max(tree["last_updated"], children[at]["last_updated"], key=parse_datetime)
    return {**tree, below: children, "last_updated": moment}


def _with_those_gone(new: Tree, old: Tree) -> Tree:
    """EVSEs that a PUT leaves out stay readable, since sessions refer to them (REQ-118)."""
    present = _uids(new)
    gone = [evse for evse in old.get("evses") or () if evse["uid"].upper() not in present]
    if not gone:
        return new
    removed = {"status": "REMOVED", "last_updated": new["last_updated"]}
    kept = [evse if evse["status"] == "REMOVED" else {**evse, **removed} for evse in gone]
    return {**new, "evses": [*(new.get("evses") or ()), *kept]}


def _patched(known: Tree, part: Tree, *, depth: int, now: datetime) -> Tree:
    """`known` with `part` in it, valid as a whole. Raises: InvalidRequest."""
    merged = _merged(known, part, depth, _time(part, known["last_updated"]), now)
    new: Tree = _WIRES[depth][VERSIONS[-1]].read(merged).tree()
    if any(not _same(str(new[name]), str(known[name])) for name in _NAMES[depth]):
        raise InvalidRequest("a PATCH changes neither the id nor the party")
    return new


def _merged(known: Tree, part: Tree, depth: int, moment: str, now: datetime) -> Tree:
    """Fields are replaced as they are, null removes; EVSEs and connectors are joined by their names (T-21).

    A list that names none of them changes none: they are never deleted. `moment` is that of the PATCH.
    """
    merged = {name: value for name, value in {**known, **part}.items() if value is not None}
    below, name = _LEVELS[depth] if depth < len(_LEVELS) else ("", "")
    if below in part:
        given = {item[name].upper(): item for item in part[below] or ()}
        if len(given) < len(part[below] or ()):
            raise InvalidRequest(f"/{below}: two of them have the same name")
        kept = [
            _changed(item, given.pop(item[name].upper(), {}), depth + 1, moment, now) for item in known.get(below, ())
        ]
        new = [_merged({"last_updated": moment}, item, depth + 1, moment, now) for item in given.values()]
        merged[below] = [*kept, *new]
    return merged


def _changed(known: Tree, part: Tree, depth: int, moment: str, now: datetime) -> Tree:
    """One of them: older than what is here changes nothing; what changed has a time, its own or that of the PATCH."""
    if is_older(_time(part, known["last_updated"]), known["last_updated"], now):
        return known
    merged = _merged(known, part, depth, _time(part, moment), now)
    if merged == known or "last_updated" in part:
        return merged
    return {**merged, "last_updated": max(known["last_updated"], moment, key=parse_datetime)}


def _time(part: Tree, else_: str) -> str:
    """Of when a part is."""
    told: str = part.get("last_updated", else_)
    return told


def _words(path: Path, old: Tree | None, new: Tree) -> str:
    """Says so, where an EVSE's status is all that changed."""
    if len(path) != 1 or old is None:
        return ""
    differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    return f"{STATUS}{new['uid']}" if differing <= _OF_STATUS else ""
