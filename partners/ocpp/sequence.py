"""Transaction numbers of OCPP 1.6: one sequence over all stations, durable, never given twice (rule R5).

Numbers are reserved on disk in blocks before any of them is used, so that a number costs no write of its own; what is
left of a block at a stop is skipped. Two processes on one database have different blocks.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hub.core.errors import Conflict
from hub.core.store import Store
from hub.core.units import ABSENT, Kind, Put, Unit
from partners.ocpp.ledger import Book, free_id

SEQUENCES: Final = Kind("ocpp_sequences")

_KEY: Final = "transaction"
_BLOCK: Final = 100


class Numbers:
    """`next` is the next free number; `cover` before using it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = asyncio.Lock()
        self._reserved_below = 0
        self.next = 0

    async def cover(self, book: Book) -> None:
        """Make sure that what the station of `book` is given next is reserved on disk.

        Holds until the caller awaits something else. Raises: NotReady.
        """
        while self._reserved_below <= free_id(book, self.next):
            async with self._turn:
                number = free_id(book, self.next)
                if self._reserved_below <= number:
                    await self._reserve(number + 1)

    def take(self, book: Book) -> int:
        """The next number for the station of `book`; it was covered."""
        number = free_id(book, self.next)
        self.next = number + 1
        return number

    async def _reserve(self, number: int) -> None:
        document = await self._store.get(SEQUENCES, _KEY)
        stored = int(document.body) if document is not None else 1
        below = max(stored, number) + _BLOCK
        expect = document.version if document is not None else ABSENT
        try:
            await self._store.commit(Unit().put(Put(SEQUENCES, _KEY, str(below).encode(), expect=expect)))
        except Conflict:
            return
        if stored != self._reserved_below:
            self.next = max(self.next, stored)
        self._reserved_below = below
