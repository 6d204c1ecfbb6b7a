"""Objects that their owner addressed to one party alone (OCPI-to), and nobody else may have.

They lie beside what is for everybody, under a key of their own, with that party as their audience. Hardly anybody has
any: so that lists need not be told apart by party for those few, it is noted here which parties have some.

An owner may send one object to all and to single parties as well. Its copies compete for each of these: the newest is
what the party has, in lists, alone, and by its lane; of two of one time the one that is addressed to it. An owner that
withdraws one of them leaves the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from hub.core.parties import Party
from hub.core.registry import Partner
from hub.core.store import Leaf, Store
from hub.core.units import Document, Kind, Put, Unit

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


def copies_of(key: str, audiences: Iterable[str]) -> list[str]:
    """The keys of all copies of the object, be `key` that of whichever, for these audiences."""
    rest = key.partition("/")[2]
    return [f"{addressed(owner_in(key), audience)}/{rest}" for audience in audiences]


def newest(copies: Iterable[Document]) -> Document | None:
    """Of the copies of one object the one that counts."""
    return max(copies, key=lambda copy: (copy.last_updated, copy.audience), default=None)


def each_once(documents: Iterable[Document]) -> list[Document]:
    """Of each object the copy that counts, in the order of the first that is found of each."""
    found: dict[str, Document] = {}
    for document in documents:
        (at,) = copies_of(document.key, FOR_ALL)
        found[at] = newest((document, found.get(at, document))) or document
    return list(found.values())


async def counting(
    store: Store, kind: Kind, firsts: Sequence[Leaf | Document], audiences: Sequence[str]
) -> list[Document]:
    """In place of each document the copy of it that counts with who is among these audiences."""
    keys = [copies_of(first.key, audiences) for first in firsts]
    found = await store.get_many(kind, [key for copies in keys for key in copies])
    best = (newest(found[key] for key in copies if key in found) for copies in keys)
    return [document for document in best if document is not None]


class Standing(NamedTuple):
    """What a change of one copy of an object is to a party."""

    document: Document | None
    """The copy that counts now; None: no copy is left."""
    is_news: bool
    """Does it change what the party has? Not where another copy counts, and did before."""
    is_only: bool
    """Is it the only copy that the party may have, so that it had that one before?"""


class Addressed:
    """Which parties have objects of their own, by module; in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: frozenset[str] = frozenset()
        self._revision = -1
        self._found: dict[tuple[str, str], tuple[int, bool]] = {}
        """By kind and party: the arrangement of the kind, and if it had something for that party."""

    async def audiences(self, partner: Partner, module: str) -> tuple[str, ...]:
        """Whom the objects that `partner` may have are meant for: everybody (""), or one of its parties."""
        await self._look()
        if not self._known:
            return FOR_ALL
        return ("", *sorted(party for party in partner.parties if f"{module}/{party}" in self._known))

    async def audiences_in(self, kind: Kind, partner: Partner) -> tuple[str, ...]:
        """The same for a kind of which nothing is noted: looked for, and believed until something comes or goes."""
        return ("", *[party for party in sorted(partner.parties) if await self._has_for(kind, party)])

    async def _has_for(self, kind: Kind, party: str) -> bool:
        arrangement = self._store.arrangement(kind)
        known = self._found.get((kind.name, party))
        if known is None or known[0] != arrangement:
            found = await self._store.select(kind, equal={"audience": party}, limit=1)
            known = self._found[kind.name, party] = (arrangement, bool(found))
        return known[1]

    async def is_any(self, module: str) -> bool:
        """Does any party have objects of its own?"""
        await self._look()
        return any(at.startswith(f"{module}/") for at in self._known)

    async def standing(self, kind: Kind, key: str, audiences: Sequence[str]) -> Standing:
        """What the change of the copy at `key` is to who is among these audiences."""
        keys = copies_of(key, audiences)
        if keys == [key]:
            return Standing(await self._store.get(kind, key), is_news=True, is_only=True)
        found = await self._store.get_many(kind, keys)
        document = newest(found.values())
        is_news = document is None or document.key == key or key not in found
        return Standing(document, is_news, len(found) == 1 and key in found)

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
