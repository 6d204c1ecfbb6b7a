"""OCPP-J over any text channel: one `Connection` a socket, for 1.6, 2.0.1 and 2.1.

In: every text goes to `received`, which never raises for what a charger says. CALLs are handled one after the
other in the order they came, by `handler`; answers to our own CALLs go past that queue, so the two directions
never wait for each other. A handler therefore must not await `call` on its own connection: it starts such
work and returns.

Most of what chargers say is brief: a heartbeat, a sample, a card that is known. `at_once` takes such a CALL within the
call-back of the socket, without any task, when nothing is before it; it waits for our own disk at most. What it does
not take goes to `received`, which waits for what was taken.

Out: `call` sends one CALL at a time and says what became of it (`calls.py`).

What is wrong is answered by one table (`answers.py`). Messages that carry money reach the handler even when
they break their schema, with `finding` set; all others are answered with a CALLERROR then. A handler's error
becomes a CALLERROR without details. A frame that is no message is answered if anybody can be; more than ten a
minute close with 1008.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
import structlog

from hub.core.clock import Clock
from hub.core.errors import BusbarError, NotReady
from hub.core.jsontypes import Tree
from partners.ocpp import frames, quirks, schemas
from partners.ocpp.answers import Fault, fault_of
from partners.ocpp.calls import CallLimits, Calls
from partners.ocpp.outcomes import (
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
from partners.ocpp.pace import Pace

__all__ = [
    "PRIORITIES",
    "CallError",
    "CallLimits",
    "CallResult",
    "Connection",
    "Incoming",
    "LateAnswer",
    "Limits",
    "Lost",
    "NotSent",
    "Outcome",
    "Priority",
    "Refused",
    "TimedOut",
]

log = structlog.get_logger(__name__)

TOO_LARGE, POLICY, SILENT = 1009, 1008, 1011
"""Close codes of RFC 6455 that we use here."""


class Incoming(msgspec.Struct, frozen=True):
    """A CALL of the charger. `raw` is the frame byte for byte; `finding` says where it breaks its schema."""

    action: str
    payload: Tree
    raw: str
    finding: schemas.Finding | None


class Refused(Exception):
    """Raised by a handler that knows which CALLERROR it wants.

    `description` is sent: no data of the charger in it.
    """

    def __init__(self, fault: Fault, description: str = "") -> None:
        super().__init__(description or str(fault))
        self.fault = fault
        self.description = description


class Ready(NamedTuple):
    """An answer that stands already, as JSON. It leaves at once; or, if it `waits`, when what it says is on disk."""

    result: str
    waits: bool = False


Done = Callable[[BaseException | None], None]
"""What is to be called when it is on disk, or with the reason why it never will be; never before `Brief` returned."""

Brief = Callable[[str, Done], Ready | None]
"""Handles the text of a CALL at once, or gives None and does nothing. An exception counts as None."""

Handler = Callable[[Incoming], Awaitable[Tree]]
"""Gives the payload of the CALLRESULT. May raise Refused or any BusbarError."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`frame_bytes` of one frame, `brief` characters of one that is answered at once.

    `frames_per_s` with a `burst` before reading slows down, of which a long one counts as several (`pace.py`); bad
    frames a minute.
    """

    frame_bytes: int = 256 * 1024
    brief: int = 16 * 1024
    frames_per_s: float = 20.0
    burst: int = 200
    unread: int = 256
    bad_frames_per_min: int = 10
    calls: CallLimits = field(default_factory=CallLimits)


LIMITS = {"1.6": Limits(), "2.0.1": Limits(frame_bytes=1024 * 1024), "2.1": Limits(frame_bytes=1024 * 1024)}


async def _no_close(code: int, reason: str) -> None:
    """Closing is left to the caller."""


def _not_now(text: str) -> bool:
    """Nothing can be sent without waiting."""
    return False


_NOTHING_IS_BRIEF: Final[Mapping[str, Brief]] = {}


def _unremarked(words: str) -> None:
    """Nobody counts what is odd."""


def _unheard(late: LateAnswer) -> None:
    """Nobody asked for late answers."""


class Connection:
    """One charger's socket. `worker` handles what waits, if anything does.

    `counts` tells frames, bad frames, dropped and late answers, slowed reads.
    """

    def __init__(
        self,
        send: Callable[[str], Awaitable[None]],
        handler: Handler,
        clock: Clock,
        version: str,
        limits: Limits | None = None,
        *,
        close: Callable[[int, str], Awaitable[None]] = _no_close,
        on_late: Callable[[LateAnswer], None] = _unheard,
        brief: Mapping[str, Brief] = _NOTHING_IS_BRIEF,
        send_now: Callable[[str], bool] = _not_now,
        odd: Callable[[str], None] = _unremarked,
    ) -> None:
        """`send` and `close` are the socket's; `version` is one of answers.VERSIONS.

        `brief` has the actions that may be answered at once; `send_now` sends without waiting, or says that it cannot;
        `odd` is told what the charger does not as it should (`quirks.py`).
        """
        self._send, self._handler, self._clock, self._version, self._close = (
            send,
            handler,
            clock,
            version,
            close,
        )
        self._limits = limits or LIMITS[version]
        self._on_late, self._brief, self._send_now = on_late, brief, send_now
        self._noted: tuple[re.Match[str], str] | None = None
        self._is_free: asyncio.Future[None] | None = None
        self._saying: asyncio.Future[None] | None = None
        self._odd = odd
        self._calls = Calls(version, send, clock, self._limits.calls, give_up=self._silent, on_late=self._late, odd=odd)
        self._unread: deque[frames.Call] = deque()
        self.worker: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._bad: deque[float] = deque(maxlen=self._limits.bad_frames_per_min + 1)
        self._pace = Pace(clock, per_s=self._limits.frames_per_s, burst=self._limits.burst)
        self._slowed: asyncio.Task[None] | None = None
        self._gone = False
        self.counts: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """How many CALLs of ours wait to be sent."""
        return self._calls.waiting

    async def received(self, text: str) -> None:
        """Take one text frame. Returns when the next may be read, which is later when the charger hurries."""
        if self._gone:
            return
        self.counts["frames"] += 1
        if len(text) > self._limits.frame_bytes or (not text.isascii() and self._is_large(text)):
            self.counts["too_large"] += 1
            await self._close(TOO_LARGE, "frame too large")
            return
        ahead_s = self._pace.spend(len(text))
        if ahead_s:
            await self._slow_down(ahead_s)
            if self._gone:
                return
        frame = frames.read(text, self._version)
        if self._noted is not None:
            self._is_free = asyncio.get_running_loop().create_future()
            await self._is_free
        if isinstance(frame, frames.Call):
            await self._enqueue(frame)
        elif isinstance(frame, frames.BadFrame):
            await self._complain(frame)
        else:
            await self._take_answer(frame)

    def at_once(self, text: str) -> bool:
        """Take one text frame if it is brief. False: nothing was done, and it belongs to `received`."""
        head = _HEAD.match(text)
        brief = self._brief.get(head[2]) if head is not None else None
        if head is None or brief is None or self._gone or self.worker is not None or self._noted is not None:
            return False
        if len(text) > self._limits.brief or not self._pace.allows(len(text)):
            return False
        ready = self._ready(brief, text)
        if ready is None:
            return False
        self.counts["frames"] += 1
        self._pace.spend(len(text))
        answer = f'[3,"{head[1]}",{ready.result}]'
        if ready.waits:
            self._noted = (head, answer)
        else:
            self._say_now(answer)
        return True

    async def call(
        self,
        action: str,
        payload: Tree,
        *,
        timeout_s: float = 30.0,
        wait_s: float = 30.0,
        priority: Priority | None = None,
        same_as: Hashable | None = None,
    ) -> Outcome:
        """Ask the charger; never raises for its doing, TypeError for a payload that is no JSON. Key order is kept.

        `wait_s` is how long it may wait to be sent, `timeout_s` how long the charger may take. A waiting CALL
        with the same `same_as` is superseded: give (action, connector) for what only the latest of matters.
        """
        return await self._calls.call(
            action, payload, timeout_s=timeout_s, wait_s=wait_s, priority=priority, same_as=same_as
        )

    def closed(self) -> None:
        """The socket is gone.

        Our CALLs end as Lost or NotSent; a handler at work finishes, its answer is dropped. What the charger was too
        fast with is not waited for.
        """
        self._gone = True
        if self._slowed is not None:
            self._slowed.cancel()
        self._unread.clear()
        self._room.set()
        self._calls.lost()

    async def answer(self, call: frames.Call) -> str | None:
        """What to send back for `call`, None for a SEND. The whole of handling but reading and sending."""
        if call.action not in schemas.actions(self._version):
            self._odd(quirks.unknown(call.action))
            return self._refusal(call, Fault.NOT_IMPLEMENTED)
        finding = schemas.check(self._version, call.action, call.payload)
        if finding is not None:
            self.counts["invalid"] += 1
            self._odd(quirks.broken(call.action, finding))
            carries_money = call.action in schemas.TRANSACTION_ACTIONS[self._version]
            if not carries_money and not schemas.is_tolerable(call.action, finding):
                return self._refusal(call, finding.fault, finding.text)
        try:
            payload = await self._handler(Incoming(call.action, call.payload, call.raw, finding))
            return frames.result(call.id, payload) if call.expects_answer else None
        except Refused as refusal:
            if refusal.fault is Fault.NOT_SUPPORTED:
                self._odd(quirks.unknown(call.action))
            return self._refusal(call, refusal.fault, refusal.description)
        except Exception as error:  # one message must not cost the charger its socket
            return self._refusal(call, self._failure(call.action, error), _speakable(error))

    def _ready(self, brief: Brief, text: str) -> Ready | None:
        try:
            return brief(text, self._kept)
        except Exception:  # it is handled in the usual way, and fails there if it must
            return None

    def _kept(self, error: BaseException | None) -> None:
        """What the answer that waits says is on disk, or never will be."""
        if self._noted is None:
            return
        (head, answer), self._noted = self._noted, None
        if error is not None:
            wrong = error if isinstance(error, Exception) else NotReady()
            self.counts["refused"] += 1
            answer = frames.error(head[1], self._failure(head[2], wrong), self._version, _speakable(wrong))
        self._say_now(answer)
        if self._is_free is not None:
            self._is_free.set_result(None)
            self._is_free = None

    def _say_now(self, text: str) -> None:
        if not self._gone and not self._send_now(text):
            self._saying = asyncio.ensure_future(self._say(text))

    async def _slow_down(self, ahead_s: float) -> None:
        """Let the charger wait, unless the socket goes meanwhile."""
        self.counts["slowed"] += 1
        self._slowed = asyncio.create_task(self._clock.sleep(ahead_s))
        try:
            await asyncio.wait({self._slowed})
        finally:
            self._slowed.cancel()

    async def _take_answer(self, frame: frames.Result | frames.Error) -> None:
        """An answer to a CALL of ours. 2.1 has a word for one that breaks its schema; before, it is passed over."""
        taken = self._calls.answered(frame)
        if taken is None:
            self.counts["dropped_answers"] += 1
        elif isinstance(taken, CallResult) and taken.finding is not None and self._version == "2.1":
            await self._say(frames.result_error(frame.id, taken.finding.fault, self._version, taken.finding.text))

    async def _enqueue(self, call: frames.Call) -> None:
        self._unread.append(call)
        if self.worker is None:
            self.worker = asyncio.create_task(self._work())
        while len(self._unread) >= self._limits.unread and not self._gone:
            self.counts["slowed"] += 1
            self._room.clear()
            await self._room.wait()

    async def _work(self) -> None:
        try:
            while self._unread:
                call = self._unread.popleft()
                self._room.set()
                await self._handle(call)
        finally:
            self.worker = None

    async def _handle(self, call: frames.Call) -> None:
        text = await self.answer(call)
        if text is not None:
            await self._say(text)

    async def _say(self, text: str) -> None:
        if self._gone:
            return
        try:
            await self._send(text)
        except Exception as error:  # the socket broke under us: its reader will see, and call closed()
            self.counts["unsent"] += 1
            log.info("answer_not_sent", error=type(error).__name__)

    def _refusal(self, call: frames.Call, fault: Fault, description: str = "") -> str | None:
        self.counts["refused"] += 1
        return frames.error(call.id, fault, self._version, description) if call.expects_answer else None

    def _failure(self, action: str, error: Exception) -> Fault:
        fault = fault_of(error)
        if fault is Fault.INTERNAL:
            self.counts["failed"] += 1
            log.error("handler_failed", action=action, error=type(error).__name__, where=_where(error))
        return fault

    async def _complain(self, frame: frames.BadFrame) -> None:
        self.counts["bad_frames"] += 1
        self._odd(f"sends what is no message: {frame.fault}")
        now = self._clock.monotonic()
        self._bad.append(now)
        if frame.id is not None:
            await self._say(frames.error(frame.id, frame.fault, self._version, frame.why))
        if len(self._bad) == self._bad.maxlen and now - self._bad[0] < 60:
            await self._close(POLICY, "too many malformed frames")

    def _is_large(self, text: str) -> bool:
        return len(text.encode(errors="replace")) > self._limits.frame_bytes

    def _late(self, late: LateAnswer) -> None:
        self.counts["late_answers"] += 1
        self._on_late(late)

    async def _silent(self) -> None:
        self.counts["silent"] += 1
        await self._close(SILENT, "no answer to our calls")


_HEAD: Final = re.compile(r'\[ ?2 ?, ?"([^"\\]{1,36})" ?, ?"([A-Za-z]{1,40})"')
"""Of a CALL, as it is usually written: its id and its action."""


def _speakable(error: Exception) -> str:
    """The text of an error of ours may reach the charger; nobody else's does."""
    speaks = isinstance(error, BusbarError) and fault_of(error) is not Fault.INTERNAL
    return error.message if speaks and isinstance(error, BusbarError) else ""


def _where(error: Exception) -> str:
    """File and line that raised, without any value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
