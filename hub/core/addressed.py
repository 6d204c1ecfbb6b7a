"""Objects that their owner addressed to one party alone (OCPI-to), and nobody else may have.

They lie beside what is for everybody, under a key of their own, with that party as their audience. Hardly anybody has
any: so that lists need not be told apart by party for those few, it is noted here which parties have some.
"""

from __future__ import annotations

from typing import Final

from hub.core.parties import Party
from hub.core.registry import Partner
from hub.core.store import Store
from hub.core.units import Kind, Put, Unit

ADDRESSED: Final = Kind("addressed")
FOR_ALL: Final = ("",)
_OWNER: Final = 6
"""Characters of a party, `NL*EEE`."""


def key_of(owner: Party | str, object_id: str, audience: str = "") -> str:
    """`DE*AAA/LOC1`, or `DE*AAA>NL*EEE/LOC1` for what is addressed to NL*EEE. Ids compare without case (CiString)."""
    return f"{addressed(owner, audience)}/{object_id.upper()}"


def addressed(owner: Party | str, audience: str) -> str:
    """What a key begins with."""
    return f"{owner}>{audience}" if audience else str(owner)


def owner_in(key: str) -> str:
    """The party whose object it is."""
    return key[:_OWNER]


def audience_in(key: str) -> str:
    """The only party that may have it; "": all that are entitled."""
    return key.partition("/")[0].partition(">")[2]


class Addressed:
    """Which parties have objects of their own, by module; in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: frozenset[str] = frozenset()
        self._revision = -1

    async def audiences(self, partner: Partner, module: str) -> tuple[str, ...]:
        """Whom the objects that `partner` may have are meant for: everybody (""), or one of its parties."""
        await self._look()
        if not self._known:
            return FOR_ALL
        return ("", *sorted(party for party in partner.parties if f"{module}/{party}" in self._known))

    async def _look(self) -> None:
        revision = self._store.revision(ADDRESSED)
        if revision != self._revision:
            found = await self._store.select(ADDRESSED, limit=100_000)
            self._known, self._revision = frozenset(document.key for document in found), revision

    async def hides(self, kind: Kind, module: str, owner: Party | str, object_id: str) -> bool:
        """Did its owner address the object to single parties, and to nobody else?

        Then a copy of it that is found in the owner's list is not for everybody either.
        """
        await self._look()
        audiences = [at.removeprefix(f"{module}/") for at in self._known if at.startswith(f"{module}/")]
        if not audiences:
            return False
        keys = [key_of(owner, object_id, audience) for audience in ("", *audiences)]
        found = await self._store.get_many(kind, keys)
        return bool(found) and keys[0] not in found

    def noted(self, unit: Unit, module: str, audience: str) -> Unit:
        """`unit`, which writes an object for `audience`, says so."""
        at = f"{module}/{audience}"
        return unit.put(Put(ADDRESSED, at, b"")) if audience and at not in self._known else unit
