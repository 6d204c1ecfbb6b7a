"""Transaction messages never get lost: they wait here, in order, with the time at which they happened.

OCPP 1.6 section 3.7.1 (transaction-related messages) and 4.10 (offline behaviour). A message is sent again when the
connection broke before its answer came; that is where the doubles of the real world come from.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from partners.sandbox.point.link import CallFailedError, Link, NotConnectedError, Payload
from partners.sandbox.point.state import Transaction

_NUMBERED: Final = frozenset({"StopTransaction", "MeterValues"})


@dataclass(eq=False)
class Entry:
    """A message. Its transaction id is filled in when it leaves, as it may not be known before."""

    action: str
    payload: Payload
    transaction: Transaction
    on_answer: Callable[[Payload], None] | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0


class Outbox:
    """First in, first out, one at a time."""

    def __init__(self, link: Link, *, attempts: int, retry_s: Callable[[], float], unknown_id: int | None) -> None:
        """`unknown_id`: the number that an offline transaction's messages carry instead of the real one."""
        self._link = link
        self._attempts = attempts
        self._retry_s = retry_s
        self._unknown_id = unknown_id
        self._entries: deque[Entry] = deque()
        self._more = asyncio.Event()
        self.open = asyncio.Event()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry, *, first: bool = False) -> Entry:
        """Queue a message; `first` before all that wait."""
        if first:
            self._entries.appendleft(entry)
        else:
            self._entries.append(entry)
        self._more.set()
        return entry

    async def run(self) -> None:
        """Send what is queued, whenever there is a connection. Ends when cancelled."""
        while True:
            await self._more.wait()
            await self.open.wait()
            await self._link.connected.wait()
            if not self._entries:
                self._more.clear()
                continue
            entry = self._entries[0]
            try:
                answer = await self._link.call(entry.action, self._numbered(entry))
            except NotConnectedError:
                await asyncio.sleep(0)
                continue
            except CallFailedError:
                entry.attempts += 1
                if entry.attempts < self._attempts:
                    await asyncio.sleep(self._retry_s())
                    continue
                answer = {}
            self._finish(entry, answer)

    def _finish(self, entry: Entry, answer: Payload) -> None:
        self._entries.remove(entry)
        if entry.on_answer is not None:
            entry.on_answer(answer)
        entry.done.set()

    def _numbered(self, entry: Entry) -> Payload:
        if entry.action not in _NUMBERED:
            return entry.payload
        number = entry.transaction.number
        if entry.transaction.offline and self._unknown_id is not None:
            number = self._unknown_id
        return {**entry.payload, "transactionId": -1 if number is None else number}
