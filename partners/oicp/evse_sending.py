"""One push of EVSE data or status to a hub, and what becomes of it when it is not taken as a whole.

009            the hub has, or has not, what we thought: the other ActionType is tried, then half and half
018, 019, 022  something in it is not taken: half and half, down to the one, which is set aside until it is another one
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from hub.core.errors import PeerRefused
from partners.oicp.answers import Code, code_of, says_yes
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection

Record = Mapping[str, Any]
Items = Sequence[tuple[str, Record]]
"""Canonical EvseID and what is pushed of it."""

_OTHER: Final = {"insert": "update", "update": "insert"}
_ITS_OWN: Final = frozenset({Code.DATA_ERROR, Code.FOREIGN_EVSE, Code.FOREIGN_CONTRACT, Code.DATA_TRANSACTION})
_WAIT_S: Final = 120.0
WRITES: Final = 250
"""Rows of what was taken are written so many a commit."""

T = TypeVar("T")


def cut(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """In pieces of at most `size`."""
    return (items[at : at + size] for at in range(0, len(items), size))


class Refusal(Exception):
    """The hub does not take this push."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"StatusCode {code}: {words}"[:200])
        self.code = code


class Sending:
    """Pushes of one operation under one OperatorID."""

    def __init__(
        self,
        bridge: Bridge,
        connection: Connection,
        operation: str,
        message: Callable[[str, Items], Record],
        operator: str,
    ) -> None:
        self._bridge = bridge
        self._connection = connection
        self._operation = operation
        self._message = message
        self._operator = operator

    async def push(
        self,
        action: str,
        items: Items,
        *,
        taken: Callable[[Items], Awaitable[None]],
        refused: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        """Push, and tell what was `taken`, and what was `refused` (canonical EvseID, code, why).

        Raises: PeerFault's children, where it is to be tried again later; Refusal, where the hub takes nothing of us.
        """
        try:
            await self.once(action, items)
        except Refusal as refusal:
            if refusal.code not in _ITS_OWN:
                raise
            await self._apart(action, items, refusal, taken, refused)
        else:
            await taken(items)

    async def _apart(
        self,
        action: str,
        items: Items,
        refusal: Refusal,
        taken: Callable[[Items], Awaitable[None]],
        refused: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        if refusal.code == Code.DATA_TRANSACTION and action in _OTHER:
            try:
                await self.once(_OTHER[action], items)
            except Refusal as again:
                refusal = again
            else:
                await taken(items)
                return
        if len(items) > 1:
            half = len(items) // 2
            for part in (items[:half], items[half:]):
                await self.push(action, part, taken=taken, refused=refused)
        elif action == "delete" and refusal.code == Code.DATA_TRANSACTION:
            await taken(items)  # it is not there, which is what we want
        else:
            await refused(items[0][0], refusal.code, str(refusal))

    async def once(self, action: str, items: Items) -> None:
        """Raises: PeerFault's children, Refusal."""
        try:
            said = await self._bridge.ask(
                self._connection,
                self._operation,
                self._message(action, items),
                id=self._operator,
                deadline_s=_WAIT_S,
                wait=True,
            )
        except PeerRefused as fault:
            if fault.http == 400:
                raise Refusal(Code.DATA_ERROR, fault.message) from None
            raise
        if says_yes(said):
            return
        told = said.get("StatusCode")
        words = told.get("AdditionalInfo") or told.get("Description") or "" if isinstance(told, Mapping) else ""
        raise Refusal(code_of(said), str(words))
