"""What an eMSP knows of the CPOs' world: the objects it was sent, merged by the rules.

PUT replaces, PATCH changes the named fields and nothing else, charging periods are appended (2.2+), a
change below a Location moves the time of what is above. What cannot be right about a *change* (time
running backwards, a closed Session reopened, a CDR rewritten) is a complaint; what cannot be done at all
is an exception.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from partners.sandbox.complaints import Complaints
from partners.sandbox.wire import Json, Rules, instant

Key = tuple[str, str, str]
"""Country code, party id and object id, folded as CiStrings compare."""
_CHILDREN = (("evses", "uid"), ("connectors", "id"))


class UnknownObjectError(LookupError):
    """A PATCH, GET or DELETE of what is not here."""


class RewrittenCdrError(ValueError):
    """The same CDR with other content: CDRs never change once sent. OCPI mod_cdrs_flow_and_lifecycle."""


def folded(country_code: str, party_id: str, identity: str) -> Key:
    """The key of an object, whatever the case it was written in."""
    return country_code.upper(), party_id.upper(), identity.casefold()


class Mirror:
    """Locations, tariffs, sessions and CDRs of all parties."""

    def __init__(self, rules: Rules, complaints: Complaints) -> None:
        self._rules = rules
        self._complaints = complaints
        self.objects: dict[str, dict[Key, dict[str, Json]]] = {
            "locations": {},
            "tariffs": {},
            "sessions": {},
            "cdrs": {},
        }

    def listed(self, module: str) -> list[dict[str, Json]]:
        """All objects of a module, in the order in which they came to be known."""
        return list(self.objects[module].values())

    def get(self, module: str, owner: tuple[str, str], path: Sequence[str]) -> dict[str, Json]:
        """The object, or the EVSE or Connector of a Location. Raises UnknownObjectError."""
        return self._chain(module, owner, path)[-1]

    def put(
        self, module: str, owner: tuple[str, str], path: Sequence[str], tree: dict[str, Json], *, where: str
    ) -> bool:
        """Replace or create. True when new. Raises UnknownObjectError for a part of an unknown whole."""
        above = self._chain(module, owner, path[:-1]) if len(path) > 1 else []
        try:
            known = self.get(module, owner, path)
        except UnknownObjectError:
            known = None
        if known is not None:
            self._compare(module, known, tree, where)
        if above:
            self._put_child(above[-1], len(path) - 2, path[-1], tree)
            _touch(above, tree)
        else:
            self.objects[module][folded(*owner, path[0])] = dict(tree)
        return known is None

    def patch(
        self, module: str, owner: tuple[str, str], path: Sequence[str], tree: dict[str, Json], *, where: str
    ) -> None:
        """Change the fields named in `tree`. Raises UnknownObjectError."""
        chain = self._chain(module, owner, path)
        self._compare(module, chain[-1], {**chain[-1], **tree}, where)
        _merge(chain[-1], tree, append_periods=module == "sessions" and self._rules.periods_append)
        _touch(chain[:-1], tree)

    def delete(self, module: str, owner: tuple[str, str], path: Sequence[str]) -> None:
        """Forget an object. Raises UnknownObjectError."""
        if self.objects[module].pop(folded(*owner, path[0]), None) is None:
            raise UnknownObjectError(path[0])

    def keep_cdr(self, owner: tuple[str, str], tree: dict[str, Json]) -> bool:
        """Take a CDR in. True when it was new, False for the same again. Raises RewrittenCdrError."""
        known = self.objects["cdrs"].setdefault(folded(*owner, tree["id"]), tree)
        if known != tree:
            raise RewrittenCdrError(tree["id"])
        return known is tree

    def cdr_of_any_owner(self, identity: str) -> dict[str, Json]:
        """The first CDR of this id. Raises UnknownObjectError."""
        for key, tree in self.objects["cdrs"].items():
            if key[2] == identity.casefold():
                return tree
        raise UnknownObjectError(identity)

    def take_in(self, module: str, fallback: tuple[str, str], tree: dict[str, Json]) -> None:
        """Keep an object that was pulled. One that names no owner (2.1.1) replaces the one of its id, if known."""
        identity = tree["id"].casefold()
        homes = [key for key in self.objects[module] if key[2] == identity]
        if "country_code" in tree:
            key = folded(tree["country_code"], tree["party_id"], identity)
        else:
            key = homes[0] if homes else folded(*(("", "") if module == "cdrs" else fallback), identity)
        self.objects[module][key] = tree

    def _chain(self, module: str, owner: tuple[str, str], path: Sequence[str]) -> list[dict[str, Json]]:
        """The object and what is named below it, outermost first."""
        whole = self.objects[module].get(folded(*owner, path[0]))
        if whole is None:
            raise UnknownObjectError(path[0])
        chain = [whole]
        for (field, name), identity in zip(_CHILDREN, path[1:], strict=False):
            chain.append(_child(chain[-1].get(field) or (), name, identity))
        return chain

    def _put_child(self, parent: dict[str, Json], depth: int, identity: str, tree: dict[str, Json]) -> None:
        field, name = _CHILDREN[depth]
        others = [c for c in parent.get(field) or () if c[name].casefold() != identity.casefold()]
        parent[field] = [*others, dict(tree)]

    def _compare(self, module: str, known: Mapping[str, Json], new: Mapping[str, Json], where: str) -> None:
        for text in _regressions(module, known, new):
            self._complaints.add(where, text)


def _child(children: Sequence[dict[str, Json]], name: str, identity: str) -> dict[str, Json]:
    for child in children:
        if str(child[name]).casefold() == identity.casefold():
            return child
    raise UnknownObjectError(identity)


def _regressions(module: str, known: Mapping[str, Json], new: Mapping[str, Json]) -> Iterator[str]:
    if "last_updated" in new and instant(new["last_updated"]) < instant(known["last_updated"]):
        yield f"last_updated goes back from {known['last_updated']} to {new['last_updated']}"
    if module == "sessions" and known["status"] == "COMPLETED" and dict(known) != dict(new):
        yield "a COMPLETED Session was modified"
    if module == "sessions" and new["kwh"] < known["kwh"]:
        yield f"kwh falls from {known['kwh']} to {new['kwh']}"


def _merge(known: dict[str, Json], part: Mapping[str, Json], *, append_periods: bool) -> None:
    for name, value in part.items():
        if value is None:
            known.pop(name, None)
        elif name == "charging_periods" and append_periods:
            known[name] = [*(known.get(name) or ()), *value]
        else:
            known[name] = value


def _touch(above: Sequence[dict[str, Any]], tree: Mapping[str, Json]) -> None:
    """A change moves the time of everything above it. OCPI mod_locations (receiver, SHALL)."""
    moment = tree.get("last_updated")
    for parent in above:
        if moment is not None and instant(moment) > instant(parent["last_updated"]):
            parent["last_updated"] = moment
