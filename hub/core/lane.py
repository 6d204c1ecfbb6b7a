"""One lane: what one partner has still to hear of, and what its failures call for. `delivery.py` tells the whole.

The lane reads changes into its queue (`lane_queue.py`), sends one object after the other, and does with each what its
fault, if any, calls for (`lane_faults.py`). Who is at its end, and how objects get there, is its `Receiver`: a partner
(`lane_partner.py`), or whoever else is to hear of changes. Where the receiver is to blame the lane backs off: first
5 s, doubling to 15 min, jitter 0.8 to 1.4, Retry-After honoured; a call from the partner brings the next try forward,
though never below the first wait. A party behind a hub that cannot be reached holds back nobody: `lane_away.py`.

After 15 minutes of failing the operator is alerted, and again each hour; after 72 hours the lane stops pushing until
the partner calls. Its cursor stays, so nothing is lost.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

import msgspec
import structlog

from hub.core import trace
from hub.core.clock import exact_timestamp
from hub.core.dialect import NotExpressible
from hub.core.errors import Conflict, NotReady, PartyAway, PeerFault
from hub.core.lane_away import Away
from hub.core.lane_faults import Fate, Verdict, wait_s
from hub.core.lane_queue import At, Dirty, LaneQueue
from hub.core.ports import Hub
from hub.core.units import Change, ChangeRow, Delete, Kind, Put, Unit

log = structlog.get_logger()

LANES: Final = Kind("lanes")
REFUSED: Final = Kind("refused", columns=("partner", "module", "object"), indexed=("partner",))

ALERT_AFTER: Final = timedelta(minutes=15)
ALERT_EVERY: Final = timedelta(hours=1)
GIVE_UP_AFTER: Final = timedelta(hours=72)
_READ: Final = 500
_CURSOR_EVERY_S: Final = 0.5
_STORE_PAUSE_S: Final = 1.0


def refused_key(partner: str, at: At) -> str:
    """Where an object that the lane of that partner has set aside is kept, with the reason."""
    return "/".join((partner, *at))


class Receiver(Protocol):
    """Who is at the far end of a lane: what it hears of, and how."""

    def wants(self, change: Change) -> str | None:
        """The words of a change that it is to hear of; None: it is not for it. Asked at each change, so it looks
        nothing up on disk."""
        ...

    def is_there(self) -> bool:
        """May anything be sent to it just now?"""
        ...

    async def running(self) -> list[Change]:
        """What is under way as it comes, and that it has to hear of, as changes for its lane alone."""
        ...

    async def deliver(self, at: At, what: frozenset[str], away: Away) -> None:
        """Send the object as it is now; `what` joins the changes' words, `away` knows who cannot be reached behind it.

        Raises: PeerFault's children; NotExpressible.
        """
        ...

    def judge(self, at: At, fault: PeerFault | NotExpressible) -> Verdict:
        """What a fault of `deliver` calls for."""
        ...


@dataclass(slots=True)
class LaneState:
    """What a lane shows of itself, and keeps over a restart."""

    cursor: int = 0
    failures: int = 0
    last_error: str = ""
    delivered: int = 0
    delivered_at: str = ""
    failing_since: str = ""
    stopped: bool = False
    """Failing for `GIVE_UP_AFTER`: waits for the partner to call, or for an operator."""
    fresh: bool = False
    """The partner has just registered, perhaps again: what is under way for its parties was not looked for yet."""


@dataclass(slots=True)
class Lane:
    """The queue of one receiver, a partner or a webhook; `name` is the key of its state."""

    hub: Hub
    name: str
    receiver: Receiver
    rng: random.Random
    state: LaneState = field(default_factory=LaneState)
    queue: LaneQueue = field(default_factory=LaneQueue)
    away: Away = field(init=False)
    refused: set[At] = field(default_factory=set)
    read_to: int = 0
    saved: int = -1
    saved_at: float = 0.0
    unsaved: bool = False
    """Was anything sent, or tried, since the state was written?"""
    alerted: datetime | None = None
    """When the log last said that the receiver takes nothing; None: not since it took something."""
    behind: bool = True
    """Are there changes that `absorb` was not handed? Then they are read from the log."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    retry_at: float = 0.0
    soonest: float = 0.0
    """Before this the partner is not tried again, though it calls."""

    def __post_init__(self) -> None:
        self.away = Away(self.hub, self.name, self.rng)

    @property
    def waiting(self) -> int:
        """Objects that are still to be sent, those that a party behind the partner is owed among them."""
        return len(self.queue.dirty.keys() | self.away.objects())

    def absorb(self, rows: Sequence[ChangeRow]) -> None:
        """Take note of changes; joined when the object is dirty already."""
        for row in rows:
            if row.seq <= self.read_to:
                continue
            self.read_to = row.seq
            change = row.change
            what = self.receiver.wants(change)
            if what is not None:
                self.queue.note((change.module, change.key), row.seq, what, change.correlation_id)

    def try_now(self) -> None:
        """An operator asks: whatever failed before, try."""
        self.state.stopped = False
        self.retry_at = self.soonest = 0.0
        self.away.try_now()
        self.wake.set()

    def partner_called(self) -> None:
        """The partner is alive: the next try comes forward."""
        if self.state.stopped or self.retry_at > self.soonest:
            self.state.stopped = False
            self.retry_at = self.soonest
            self.wake.set()

    async def run(self) -> None:
        """Deliver for ever, also over times without a database. Cancelled at shutdown."""
        restored = False
        while True:
            try:
                if not restored:
                    await self._restore()
                    await self._take_up_what_runs()
                    restored = True
                await self._step()
            except (NotReady, Conflict) as fault:
                log.warning("lane waits for the store", partner=self.name, error=fault.message)
                await self.hub.clock.sleep(_STORE_PAUSE_S)

    async def _step(self) -> None:
        await self._catch_up()
        for at, owed in self.away.due():
            self.queue.take_up(at, self.read_to + 1, owed.correlation_id)
        if not self.queue:
            await self._save(force=self.unsaved or self.read_to - self.saved >= _READ)
            await self._until_woken(self.away.next_s())
        elif not await self._backed_off():
            await self._deliver_next()

    async def _until_woken(self, wait_s: float | None = None) -> None:
        """Or until so many seconds have passed."""
        if wait_s is None:
            await self.wake.wait()
            self.wake.clear()
            return
        waiter = asyncio.ensure_future(self.wake.wait())
        sleeper = asyncio.ensure_future(self.hub.clock.sleep(wait_s))
        try:
            await asyncio.wait({waiter, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            sleeper.cancel()
        self.wake.clear()

    async def _restore(self) -> None:
        store = self.hub.store
        document = await store.get(LANES, self.name)
        if document is not None:
            self.state = msgspec.json.decode(document.body, type=LaneState)
        self.read_to = self.saved = self.state.cursor
        refused = await store.select(REFUSED, equal={"partner": self.name}, limit=100_000)
        self.refused = {(known.columns["module"], known.columns["object"]) for known in refused}
        await self.away.load()

    async def _take_up_what_runs(self) -> None:
        """It goes the way of all changes, through the log."""
        if not self.state.fresh or not self.receiver.is_there():
            return
        unit = Unit()
        for change in await self.receiver.running():
            unit.tells(change)
        self.state.fresh = False
        await self.hub.store.commit(unit.put(self._state_put()))

    def _state_put(self) -> Put:
        return Put(LANES, self.name, msgspec.json.encode(self.state))

    def told(self, rows: Sequence[ChangeRow]) -> None:
        """A commit was made. What does not join on to what was read is fetched from the log."""
        if rows[0].seq == self.read_to + 1:
            self.absorb(rows)
        elif rows[-1].seq > self.read_to:
            self.behind = True
        self.wake.set()

    async def _catch_up(self) -> None:
        while self.behind:
            self.behind = False
            try:
                rows = await self.hub.store.changes(after=self.read_to, limit=_READ)
            except NotReady:
                self.behind = True
                raise
            self.absorb(rows)
            self.behind = self.behind or len(rows) == _READ

    async def _backed_off(self) -> bool:
        """Wait until the next try is due, or the partner calls. True: look again before sending."""
        if self.state.stopped:
            await self._until_woken()
            return True
        wait_s = self.retry_at - self.hub.clock.monotonic()
        if wait_s <= 0:
            return False
        await self._until_woken(wait_s)
        return True

    async def _deliver_next(self) -> None:
        if not self.receiver.is_there():
            await self._until_woken()
            return
        at, dirty = self.queue.first()
        trace.begin(correlation_id=dirty.correlation_id)
        try:
            await self._try(at, dirty)
        except (NotReady, Conflict):
            self.queue.put_back(at, dirty)
            raise
        await self._save()

    async def _try(self, at: At, dirty: Dirty) -> None:
        self.unsaved = True
        owed = self.away.find(at)
        what = frozenset(dirty.what).union(owed.what if owed is not None else ())
        try:
            await self.receiver.deliver(at, what, self.away)
        except PartyAway as fault:
            await self.away.owe(at, dirty, fault)
            if fault.was_tried:
                self._is_well()
        except (PeerFault, NotExpressible) as fault:
            await self._judge(at, dirty, fault)
        except (NotReady, Conflict):
            raise
        except Exception as error:  # a poisoned object must not stop the lane of a partner
            log.exception("delivery failed", partner=self.name, module=at[0], error=type(error).__name__)
            await self._set_aside(at, f"internal: {type(error).__name__}")
        else:
            await self._delivered(at)

    async def _delivered(self, at: At) -> None:
        state = self.state
        state.delivered += 1
        state.delivered_at = exact_timestamp(self._now())
        self._is_well()
        await self.away.settle(at)
        if at in self.refused:
            await self.hub.store.commit(Unit().delete(Delete(REFUSED, refused_key(self.name, at))))
            self.refused.discard(at)

    def _is_well(self) -> None:
        """The receiver gave an answer that speaks of no trouble of its own."""
        self.state.failures = 0
        self.state.last_error = self.state.failing_since = ""
        self.alerted = None
        self.retry_at = self.soonest = 0.0

    async def _judge(self, at: At, dirty: Dirty, fault: PeerFault | NotExpressible) -> None:
        verdict = self.receiver.judge(at, fault)
        keeps_failing = partial(self.queue.keeps_failing, dirty, delivered=self.state.delivered)
        if verdict.fate is Fate.DOWN:
            self.queue.put_back(at, dirty)
            await self._back_off(verdict)
        elif verdict.fate in (Fate.HELD, Fate.REFUSED) or (verdict.fate is Fate.TROUBLE and keeps_failing()):
            await self._set_aside(at, verdict.reason)
        elif verdict.fate is Fate.TROUBLE:
            self.queue.put_last(at, dirty)
            await self._back_off(verdict)
        else:
            await self.away.settle(at)

    async def _back_off(self, verdict: Verdict) -> None:
        settings, state = self.hub.settings, self.state
        state.failures += 1
        state.last_error = verdict.message
        step_s = wait_s(settings, self.rng, state.failures)
        asked_s = verdict.retry_after_s
        now = self.hub.clock.monotonic()
        self.retry_at = now + max(step_s if asked_s is None else asked_s, 0.05)
        self.soonest = min(self.retry_at, now + settings.lane_first_s) if asked_s is None else self.retry_at
        log.info("lane backs off", partner=self.name, failures=state.failures, error=verdict.message)
        self._watch_the_time()
        await self._save(force=True)

    def _watch_the_time(self) -> None:
        now, state = self._now(), self.state
        state.failing_since = state.failing_since or now.isoformat()
        failing = now - datetime.fromisoformat(state.failing_since)
        if failing >= GIVE_UP_AFTER:
            state.stopped = True
            log.error("lane stopped", partner=self.name, failing_h=failing // timedelta(hours=1), waiting=self.waiting)
        elif failing >= ALERT_AFTER and (self.alerted is None or now - self.alerted >= ALERT_EVERY):
            self.alerted = now
            log.error("partner takes nothing", partner=self.name, failing_s=int(failing.total_seconds()))

    async def _set_aside(self, at: At, reason: str) -> None:
        module, key = at
        body = msgspec.json.encode(
            {"partner": self.name, "module": module, "object": key, "reason": reason, "at": self._now().isoformat()}
        )
        put = Put(REFUSED, refused_key(self.name, at), body, columns=(self.name, module, key))
        await self.hub.store.commit(Unit().put(put))
        self.refused.add(at)
        await self.away.settle(at)
        log.warning("refused", partner=self.name, module=module, reason=reason)

    def _now(self) -> datetime:
        return self.hub.clock.now()

    async def _save(self, *, force: bool = False) -> None:
        """Write the state: what is still to send lies above its cursor."""
        now = self.hub.clock.monotonic()
        if not force and now - self.saved_at < _CURSOR_EVERY_S:
            return
        self.state.cursor = self.queue.below(self.read_to)
        if self.state.cursor == self.saved and not self.unsaved:
            return
        await self.hub.store.commit(Unit().put(self._state_put()))
        self.saved, self.saved_at, self.unsaved = self.state.cursor, now, False
