"""What eMSPs did not know a moment ago, so that a card which is held to a reader again and again is asked for once.

An eMSP that does not know a card is not asked for it again for a minute, whoever wants to know. Questions that are the
same and come while the first is still being asked share its answer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from hub.core.clock import Clock

KEPT_S: Final = 60.0
_MOST: Final = 10_000

At = tuple[str, ...]
T = TypeVar("T")


class UnknownTokens:
    """By eMSP, uid and type; in memory, the oldest go first."""

    def __init__(self) -> None:
        self._until: OrderedDict[At, float] = OrderedDict()

    def note(self, clock: Clock, at: At) -> None:
        """The eMSP does not know it."""
        self._until[at] = clock.monotonic() + KEPT_S
        self._until.move_to_end(at)
        while len(self._until) > _MOST:
            self._until.popitem(last=False)

    def holds(self, clock: Clock, at: At) -> bool:
        """Did the eMSP not know it, less than a minute ago?"""
        return clock.monotonic() < self._until.get(at, 0.0)


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[Any]
    waiting: int = 0


class Flights:
    """Questions that are being asked. Who leaves early leaves the others their answer; the last to leave ends it."""

    def __init__(self) -> None:
        self._flights: dict[At, _Flight] = {}

    async def share(self, at: At, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer of `ask`, or of the same question that is being asked already. Raises: as `ask`."""
        flight = self._flights.get(at)
        if flight is None:
            flight = self._flights[at] = _Flight(asyncio.create_task(ask()))
        flight.waiting += 1
        try:
            answer: T = await asyncio.shield(flight.task)
            return answer
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
                self._flights.pop(at, None)
