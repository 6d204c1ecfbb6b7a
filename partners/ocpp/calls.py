"""Our CALLs to one charger: one outstanding at a time, the others in a short queue by importance.

    call() -> waiting (bounded) -> sent (one) -> answered | timed out
                 |  wait_s over: NotSent       |  answer after that: late, known for 5 minutes
                 |  same errand again: NotSent | socket gone: Lost

A charger drops its socket when commands come in a burst, and answers nothing for a while when it is busy. So
a timeout frees the line and leaves the socket; the third in a row without any answer gives up on it, for the
charger then comes back with a fresh one. Whatever was sent is never sent again by itself.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal

from hub.core.clock import Clock
from hub.core.jsontypes import Tree
from partners.ocpp import frames, quirks, schemas
from partners.ocpp.outcomes import (
    NOT_KNOWN,
    PRIORITIES,
    CallError,
    CallResult,
    LateAnswer,
    Lost,
    NotSent,
    Outcome,
    Priority,
    TimedOut,
)


@dataclass(frozen=True, slots=True)
class CallLimits:
    waiting: int = 32
    silent_calls: int = 3
    late_s: float = 300.0
    late_kept: int = 64


@dataclass(eq=False, slots=True)
class _Errand:
    id: str
    action: str
    text: str
    timeout_s: float
    rank: tuple[int, int]
    same_as: Hashable | None
    future: asyncio.Future[Outcome]


class Calls:
    """The line to one charger. `give_up` is told when it has been silent too long, `odd` what it does wrong."""

    def __init__(
        self,
        version: str,
        send: Callable[[str], Awaitable[None]],
        clock: Clock,
        limits: CallLimits,
        *,
        give_up: Callable[[], Awaitable[None]],
        on_late: Callable[[LateAnswer], None],
        odd: Callable[[str], None],
    ) -> None:
        self._version, self._send, self._clock, self._limits = version, send, clock, limits
        self._give_up, self._on_late, self._odd = give_up, on_late, odd
        self._waiting: list[_Errand] = []
        self._open: _Errand | None = None
        self._late: dict[str, tuple[str, float]] = {}
        self._pump: asyncio.Task[None] | None = None
        self._silent = 0
        self._gone = False
        self._count = 0
        self._prefix = secrets.token_hex(6)

    @property
    def waiting(self) -> int:
        """How many CALLs wait to be sent."""
        return len(self._waiting)

    async def call(
        self,
        action: str,
        payload: Tree,
        *,
        timeout_s: float,
        wait_s: float,
        priority: Priority | None,
        same_as: Hashable | None,
    ) -> Outcome:
        """See `Connection.call`."""
        if self._gone:
            return NotSent("not connected")
        self._count += 1
        rank = PRIORITIES.get(action, Priority.OTHER) if priority is None else priority
        message_id = f"{self._prefix}-{self._count}"
        errand = _Errand(
            message_id,
            action,
            frames.call(message_id, action, payload),
            timeout_s,
            (rank, self._count),
            same_as,
            asyncio.get_running_loop().create_future(),
        )
        if not self._admit(errand):
            return NotSent("queue full")
        if self._pump is None:
            self._pump = asyncio.create_task(self._run())
        return await self._outcome(errand, wait_s)

    def answered(self, frame: frames.Result | frames.Error) -> CallResult | CallError | None:
        """Take the charger's answer. None when nobody waits for it, nor did lately: it is dropped."""
        errand = self._open
        if errand is not None and errand.id == frame.id:
            self._silent = 0
            outcome = self._outcome_of(errand.action, frame)
            self._settle(errand, outcome)
            return outcome
        known = self._late.pop(frame.id, None)
        if known is None or known[1] + self._limits.late_s < self._clock.monotonic():
            return None
        self._silent = 0
        outcome = self._outcome_of(known[0], frame)
        self._on_late(LateAnswer(known[0], outcome, self._clock.monotonic() - known[1]))
        return outcome

    def lost(self) -> None:
        """The socket is gone: every CALL gets its outcome now."""
        self._gone = True
        if self._pump is not None:
            self._pump.cancel()
        if self._open is not None:
            self._settle(self._open, Lost())
        for errand in self._waiting:
            self._settle(errand, NotSent("not connected"))
        self._waiting.clear()

    def _admit(self, errand: _Errand) -> bool:
        """Put `errand` in the queue, in the place of the same one before it, or of a less important one."""
        for waiting in self._waiting:
            if errand.same_as is not None and waiting.same_as == errand.same_as:
                errand.rank = min(errand.rank, waiting.rank)
                self._drop(waiting, "superseded")
                break
        if len(self._waiting) >= self._limits.waiting:
            last = max(self._waiting, key=lambda waiting: waiting.rank)
            if last.rank[0] <= errand.rank[0]:
                return False
            self._drop(last, "queue full")
        self._waiting.append(errand)
        return True

    def _drop(self, errand: _Errand, why: Literal["queue full", "waited too long", "superseded"]) -> None:
        self._waiting.remove(errand)
        self._settle(errand, NotSent(why))

    async def _outcome(self, errand: _Errand, wait_s: float) -> Outcome:
        try:
            if not await _in_time(errand.future, wait_s, self._clock) and errand in self._waiting:
                self._drop(errand, "waited too long")
            return await asyncio.shield(errand.future)
        except asyncio.CancelledError:
            if errand in self._waiting:
                self._waiting.remove(errand)
            raise

    async def _run(self) -> None:
        try:
            while self._waiting:
                errand = min(self._waiting, key=lambda waiting: waiting.rank)
                self._waiting.remove(errand)
                await self._exchange(errand)
        finally:
            self._pump = None

    async def _exchange(self, errand: _Errand) -> None:
        self._open = errand
        try:
            await self._send(errand.text)
        except Exception:  # whatever the socket raises: it is gone, and nobody may wait for it
            self._settle(errand, Lost())
        if not await _in_time(errand.future, errand.timeout_s, self._clock):
            await self._timed_out(errand)
        self._open = None

    async def _timed_out(self, errand: _Errand) -> None:
        self._settle(errand, TimedOut())
        self._odd(quirks.silent(errand.action))
        self._late[errand.id] = (errand.action, self._clock.monotonic())
        while len(self._late) > self._limits.late_kept:
            del self._late[next(iter(self._late))]
        self._silent += 1
        if self._silent == self._limits.silent_calls:
            await self._give_up()

    def _outcome_of(self, action: str, frame: frames.Result | frames.Error) -> CallResult | CallError:
        if isinstance(frame, frames.Error):
            if frame.code in NOT_KNOWN:
                self._odd(quirks.deaf(action))
            return CallError(frame.code, frame.description)
        known = action in schemas.actions(self._version)
        finding = schemas.check(self._version, action, frame.payload, "response") if known else None
        if finding is not None:
            self._odd(quirks.broken(action, finding, is_answer=True))
        return CallResult(frame.payload, finding)

    @staticmethod
    def _settle(errand: _Errand, outcome: Outcome) -> None:
        if not errand.future.done():
            errand.future.set_result(outcome)


async def _in_time(future: asyncio.Future[Outcome], seconds: float, clock: Clock) -> bool:
    """Does `future` come within `seconds` of `clock`? It is not cancelled when it does not."""
    timer: asyncio.Future[None] = asyncio.ensure_future(clock.sleep(seconds))
    either: set[asyncio.Future[Any]] = {future, timer}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
    return future.done()
