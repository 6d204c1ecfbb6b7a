"""Whose card it probably is, by how its uid begins: learned from the cards on lists and from those allowed before.

Cards are made in batches, so those of one eMSP often begin alike. Of each owner it is counted how many of its cards
begin how. The longest beginning that enough cards share decides, and only where nearly all of them are of one owner:

    characters   cards that must share them
    4            3
    6            2
    8            1

The first byte of a uid of 7 or 10 bytes names the maker of the chip (ISO/IEC 14443-3) and tells no owner: there two
characters more are compared. Only RFID cards count, as the uids of apps are made up anew for each driver.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from hub.core.addressed import owner_in
from hub.core.store import Store
from hub.core.units import Kind
from modules.tokens.store import LEARNED, TOKENS, folded

RFID: Final = "RFID"
MOST_PREFIXES: Final = 500_000
"""Beginnings that are remembered, about 150 bytes each; those that come later are not learned."""

_ENOUGH: Final = {8: 1, 6: 2, 4: 3}
_WITH_A_MAKER: Final = frozenset({14, 20})
_MAKER: Final = 2
_NEARLY_ALL: Final = (9, 10)
_KINDS: Final[tuple[Kind, ...]] = (TOKENS, LEARNED)
_A_STEP: Final = 5_000


class Prefixes:
    """In memory, of one store. Each question first reads the cards that are new since the last one."""

    def __init__(self, most: int = MOST_PREFIXES) -> None:
        self._room = most
        self._shares: dict[str, dict[str, int]] = {}
        self._last: dict[str, int] = {}
        self._revisions: dict[str, int] = {}
        self._reading = asyncio.Lock()

    async def owner_of(self, store: Store, uid: str) -> str:
        """The party that nearly all cards are of which begin as this one; "" where there is none."""
        async with self._reading:
            for kind in _KINDS:
                await self._catch_up(store, kind)
        for prefix, enough in _beginnings(folded(uid)):
            counts = {owner: shares[prefix] for owner, shares in self._shares.items() if prefix in shares}
            known = sum(counts.values())
            if known >= enough:
                owner = max(counts, key=counts.__getitem__)
                part, whole = _NEARLY_ALL
                return owner if counts[owner] * whole >= known * part else ""
        return ""

    async def _catch_up(self, store: Store, kind: Kind) -> None:
        revision = store.revision(kind)
        if self._revisions.get(kind.name) == revision:
            return
        last = self._last.get(kind.name, 0)
        while new := await store.leaves(kind, among={}, after_seq=last, limit=_A_STEP, bodies=False):
            for leaf in new:
                self._count(leaf.key)
            self._last[kind.name] = last = new[-1].seq
        self._revisions[kind.name] = revision

    def _count(self, key: str) -> None:
        owner, named = owner_in(key), key.split("/", 1)[1]
        uid, token_type = named.rsplit("/", 1)
        if token_type != RFID:
            return
        shares = self._shares.setdefault(owner, {})
        for prefix, _ in _beginnings(uid):
            if prefix in shares:
                shares[prefix] += 1
            elif self._room:
                shares[prefix] = 1
                self._room -= 1


def _beginnings(uid: str) -> Iterator[tuple[str, int]]:
    """The longest first, each with how many cards must share it; the whole uid is no beginning."""
    more = _MAKER if len(uid) in _WITH_A_MAKER else 0
    for length, enough in _ENOUGH.items():
        if length + more < len(uid):
            yield uid[: length + more], enough
