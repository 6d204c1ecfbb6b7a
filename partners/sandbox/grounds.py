"""What a CPO has: its locations, tariffs, sessions and CDRs, in the words of its version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from partners.sandbox.check import check
from partners.sandbox.registration import Accounts
from partners.sandbox.wire import OBJECT_OF, Json, Party, Rules, instant, now_text

_CHILDREN = (("evses", "uid"), ("connectors", "id"))
_KINDS = ("Location", "EVSE", "Connector")


class Grounds:
    """All of them by id; kept over a restart beside what was agreed."""

    def __init__(self, rules: Rules, party: Party, accounts: Accounts) -> None:
        self._rules = rules
        self._party = party
        self._accounts = accounts
        self._private: set[str] = set()
        """Ids of what is for one party alone."""

    def listed(self, module: str) -> list[dict[str, Json]]:
        """All of a module that are for everybody, in the order in which they were made."""
        objects = self._accounts.grounds.setdefault(module, {})
        return [tree for identity, tree in objects.items() if identity not in self._private]

    def find(self, module: str, path: Sequence[str]) -> dict[str, Json] | None:
        """An object, or the EVSE or connector of a location."""
        found: dict[str, Json] | None = self._accounts.grounds.setdefault(module, {}).get(path[0])
        for (below, name), identity in zip(_CHILDREN, path[1:], strict=False):
            found = next((child for child in (found or {}).get(below) or () if child[name] == identity), None)
        return found

    def keep(self, module: str, given: Mapping[str, Json], *, private: bool = False) -> dict[str, Json]:
        """A new or changed object; owner and times are filled in. Raises: ValueError, when it breaks the spec."""
        tree = {"last_updated": now_text(), **given}
        if self._rules.owner_in_body:
            tree = {"country_code": self._party.country_code, "party_id": self._party.party_id, **tree}
        for evse in tree.get("evses") or ():
            evse.setdefault("last_updated", tree["last_updated"])
            for connector in evse["connectors"]:
                connector.setdefault("last_updated", tree["last_updated"])
        for breach in check(self._rules.version, OBJECT_OF[module], tree):
            raise ValueError(f"{OBJECT_OF[module]} {breach}")
        if private:
            self._private.add(tree["id"])
        self._accounts.grounds.setdefault(module, {})[tree["id"]] = tree
        self._accounts.save()
        return tree

    def change(self, path: Sequence[str], change: Mapping[str, Json]) -> dict[str, Json]:
        """A part of a location. Returns: the PATCH. Raises: KeyError, ValueError."""
        part = {"last_updated": now_text(), **change}
        found = self.find("locations", path)
        if found is None:
            raise KeyError(path[-1])
        for breach in check(self._rules.version, _KINDS[len(path) - 1], part, partial=True):
            raise ValueError(f"PATCH {breach}")
        found.update(part)
        for depth in range(1, len(path)):
            above = self.find("locations", path[:depth])
            if above is not None and instant(above["last_updated"]) < instant(part["last_updated"]):
                above["last_updated"] = part["last_updated"]
        self._accounts.save()
        return part

    def drop(self, tariff_id: str) -> None:
        """A tariff is gone. Raises: KeyError."""
        del self._accounts.grounds.setdefault("tariffs", {})[tariff_id]
        self._accounts.save()
