"""Writes to a table that partners push to, while we make of its rows what they are in OCPI.

Both change the same rows. In this process they take turns, so that a push is never told that somebody was faster when
that was only ourselves. Another process of this hub may be: then it is decided anew, on what is there now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from hub.core.errors import Conflict

_ATTEMPTS: Final = 5


class InTurn:
    """The turns of one table."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()

    async def write(self, decide: Callable[[], Awaitable[None]]) -> None:
        """`decide` reads, and commits; anew when somebody was faster. Raises: Conflict; what `decide` raises."""
        async with self.turn:
            for _ in range(_ATTEMPTS - 1):
                with suppress(Conflict):
                    return await decide()
            return await decide()
