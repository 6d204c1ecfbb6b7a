"""Delivery: one lane per partner, in order per object, each lane on its own.

The change log holds one row per change. A lane reads it from its own durable cursor and keeps a map of *dirty objects*:
changes of one object that wait are joined, and what is sent is the object as it is then, never an old state of it. A
partner that was away for a day gets each dirty object once.

    change log --on_commit--> wake --> dirty (ordered by first change) --> Publication.deliver --> partner
                                          cursor = just below the oldest dirty object, on disk

How a failure is judged, in one place (`_judge`):

    no connection, no answer in time, nonsense, 401, 408, 429     the partner is down: the lane backs off and tries again,
                                                                  first 5 s, doubling to 15 min, jitter 0.8 to 1.4,
                                                                  Retry-After honoured; a call from the partner clears it
    other 5xx, 3xxx                                               the same, but an object that alone keeps failing is
                                                                  set aside after `ATTEMPTS_PER_OBJECT`
    other 4xx, 2xxx                                               refused for its content: kept, shown, can be sent
                                                                  again; the lane goes on
    cannot be said in the partner's version                       held: kept and shown likewise

After a crash the cursor may stand a little low: objects are sent again as they are now, which is harmless, since all
modules but CDRs are PUT. CDRs are POSTed, and carry a delivery state of their own (`modules/cdrs/delivery.py`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec
import structlog

from hub.core import trace
from hub.core.answers import is_server_fault
from hub.core.dialect import NotExpressible
from hub.core.errors import EndpointsMissing, NotFound, PeerFault, PeerRefused
from hub.core.ports import Hub
from hub.core.registry import Partner, State
from hub.core.store import Store
from hub.core.units import ChangeRow, Delete, Kind, Put, Unit

log = structlog.get_logger()

LANES: Final = Kind("lanes")
REFUSED: Final = Kind("refused", columns=("partner", "module", "object"), indexed=("partner",))

ATTEMPTS_PER_OBJECT: Final = 6
_READ: Final = 500
_CURSOR_EVERY_S: Final = 0.5
_DOWN: Final = frozenset({401, 408, 429})


class Publication(Protocol):
    """How one module's objects get to a partner. Modules implement it, `modules.MODULES` lists them."""

    module: str

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """Send the object `key` as it is now, if `partner` is entitled to it; `what` joins the changes' words.

        Raises: PeerFault's children; NotExpressible.
        """
        ...


@dataclass(slots=True)
class Dirty:
    """An object that a partner has to hear of."""

    first_seq: int
    what: set[str]
    correlation_id: str
    attempts: int = 0


@dataclass(slots=True)
class LaneState:
    """What a lane shows of itself, and keeps over a restart."""

    cursor: int = 0
    failures: int = 0
    last_error: str = ""
    delivered: int = 0
    delivered_at: str = ""


@dataclass(slots=True)
class Lane:
    """The queue of one partner."""

    hub: Hub
    name: str
    publications: Mapping[str, Publication]
    rng: random.Random
    state: LaneState = field(default_factory=LaneState)
    dirty: dict[tuple[str, str], Dirty] = field(default_factory=dict)
    read_to: int = 0
    saved: int = -1
    saved_at: float = 0.0
    behind: bool = True
    """Are there changes that `absorb` was not handed? Then they are read from the log."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    retry_at: float = 0.0

    @property
    def waiting(self) -> int:
        return len(self.dirty)

    def absorb(self, rows: Sequence[ChangeRow]) -> None:
        """Take note of changes; joined when the object is dirty already."""
        for row in rows:
            if row.seq <= self.read_to:
                continue
            self.read_to = row.seq
            change = row.change
            if change.module not in self.publications:
                continue
            at = (change.module, change.key)
            known = self.dirty.get(at)
            if known is None:
                self.dirty[at] = Dirty(row.seq, {change.what}, change.correlation_id)
            else:
                known.what.add(change.what)
                known.correlation_id = change.correlation_id

    def partner_called(self) -> None:
        """The partner is alive: try again now."""
        if self.retry_at:
            self.retry_at = 0.0
            self.wake.set()

    async def run(self) -> None:
        """Deliver for ever. Cancelled at shutdown."""
        await self._restore()
        while True:
            await self._catch_up()
            if not self.dirty:
                await self._save_cursor(force=self.state.cursor != self.read_to)
                await self.wake.wait()
                self.wake.clear()
                continue
            if not await self._backed_off():
                await self._deliver_next()

    async def _restore(self) -> None:
        document = await self.hub.store.get(LANES, self.name)
        if document is not None:
            self.state = msgspec.json.decode(document.body, type=LaneState)
        self.read_to = self.saved = self.state.cursor

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
            rows = await self.hub.store.changes(after=self.read_to, limit=_READ)
            self.absorb(rows)
            self.behind = self.behind or len(rows) == _READ

    async def _backed_off(self) -> bool:
        """Wait until the next try is due, or the partner calls. True: look again before sending."""
        wait_s = self.retry_at - self.hub.clock.monotonic()
        if wait_s <= 0:
            return False
        waiter = asyncio.ensure_future(self.wake.wait())
        sleeper = asyncio.ensure_future(self.hub.clock.sleep(wait_s))
        try:
            await asyncio.wait({waiter, sleeper}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            sleeper.cancel()
        self.wake.clear()
        return True

    async def _deliver_next(self) -> None:
        at, dirty = next(iter(self.dirty.items()))
        partner = self.hub.registry.find(self.name)
        if partner is None or partner.state is not State.CONNECTED:
            await self.wake.wait()
            self.wake.clear()
            return
        module, key = at
        del self.dirty[at]
        trace.begin(correlation_id=dirty.correlation_id)
        try:
            await self.publications[module].deliver(self.hub, partner, key, frozenset(dirty.what))
        except (PeerFault, NotExpressible) as fault:
            await self._judge(at, dirty, fault)
        except Exception as error:  # a poisoned object must not stop the lane of a partner
            log.exception("delivery failed", partner=self.name, module=module, error=type(error).__name__)
            await self._set_aside(at, f"internal: {type(error).__name__}")
        else:
            self._delivered()
        await self._save_cursor()

    def _delivered(self) -> None:
        self.state.delivered += 1
        self.state.delivered_at = self._now()
        if self.state.failures:
            self.state.failures = 0
            self.state.last_error = ""
        self.retry_at = 0.0

    async def _judge(self, at: tuple[str, str], dirty: Dirty, fault: PeerFault | NotExpressible) -> None:
        if isinstance(fault, EndpointsMissing):
            return
        if isinstance(fault, NotExpressible):
            await self._set_aside(at, f"held: {fault}")
            return
        if isinstance(fault, PeerRefused) and fault.http not in _DOWN:
            dirty.attempts += 1
            lasting = fault.http < 500 and not is_server_fault(fault.status_code)
            if lasting or dirty.attempts >= ATTEMPTS_PER_OBJECT:
                await self._set_aside(at, f"{fault.http}/{fault.status_code}: {fault.message}")
                return
        self._put_back(at, dirty)
        self._back_off(fault)

    def _put_back(self, at: tuple[str, str], dirty: Dirty) -> None:
        """To the front again, joined with what came meanwhile."""
        newer = self.dirty.pop(at, None)
        if newer is not None:
            dirty.what |= newer.what
        self.dirty = {at: dirty, **self.dirty}

    def _back_off(self, fault: PeerFault) -> None:
        settings = self.hub.settings
        self.state.failures += 1
        self.state.last_error = fault.message
        step_s = min(settings.lane_first_s * 2 ** min(self.state.failures - 1, 20), settings.lane_cap_s)
        step_s *= self.rng.uniform(settings.lane_jitter_low, settings.lane_jitter_high)
        asked_s = fault.retry_after_s if isinstance(fault, PeerRefused) else None
        self.retry_at = self.hub.clock.monotonic() + max(step_s if asked_s is None else asked_s, 0.05)
        log.info("lane backs off", partner=self.name, failures=self.state.failures, error=fault.message)

    async def _set_aside(self, at: tuple[str, str], reason: str) -> None:
        module, key = at
        body = msgspec.json.encode(
            {"partner": self.name, "module": module, "object": key, "reason": reason, "at": self._now()}
        )
        refused = f"{self.name}/{module}/{key}"
        await self.hub.store.commit(Unit().put(Put(REFUSED, refused, body, columns=(self.name, module, key))))
        log.warning("refused", partner=self.name, module=module, reason=reason)

    def _now(self) -> str:
        return self.hub.clock.now().isoformat()

    async def _save_cursor(self, *, force: bool = False) -> None:
        cursor = next(iter(self.dirty.values())).first_seq - 1 if self.dirty else self.read_to
        self.state.cursor = min(cursor, self.read_to)
        now = self.hub.clock.monotonic()
        if self.state.cursor == self.saved or (not force and now - self.saved_at < _CURSOR_EVERY_S):
            return
        body = msgspec.json.encode(self.state)
        await self.hub.store.commit(Unit().put(Put(LANES, self.name, body)))
        self.saved, self.saved_at = self.state.cursor, now


class Lanes:
    """All lanes: one for each connected partner, started and stopped as partners come and go."""

    def __init__(self, hub: Hub, publications: Sequence[Publication], rng: random.Random | None = None) -> None:
        self._hub = hub
        self._publications = {publication.module: publication for publication in publications}
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not secrecy
        self._lanes: dict[str, Lane] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """From now on every commit wakes the lanes."""
        self._hub.store.on_commit(self._committed)
        self._hub.registry.on_change(self.follow_registry)
        self.follow_registry()

    def follow_registry(self) -> None:
        """A lane for each connected partner; the others' stop."""
        connected = {partner.name for partner in self._hub.registry.connected()}
        for name in self._tasks.keys() - connected:
            self._tasks.pop(name).cancel()
            self._lanes.pop(name)
        for name in connected - self._tasks.keys():
            lane = Lane(self._hub, name, self._publications, self._rng)
            self._lanes[name] = lane
            self._tasks[name] = asyncio.create_task(lane.run(), name=f"lane {name}")

    def _committed(self, rows: Sequence[ChangeRow]) -> None:
        for lane in self._lanes.values():
            lane.told(rows)

    def find(self, name: str) -> Lane | None:
        """The lane of a connected partner."""
        return self._lanes.get(name)

    async def resend(self, name: str, refused: str) -> None:
        """Put a refused object back into its partner's lane. Raises: NotFound."""
        document = await self._hub.store.get(REFUSED, refused)
        lane = self._lanes.get(name)
        if document is None or lane is None or document.columns["partner"] != name:
            raise NotFound("there is no such refused object")
        at = (document.columns["module"], document.columns["object"])
        await self._hub.store.commit(Unit().delete(Delete(REFUSED, refused)))
        lane.dirty.setdefault(at, Dirty(lane.read_to, {""}, ""))
        lane.partner_called()
        lane.wake.set()

    def mark(self, name: str, objects: Iterable[tuple[str, str]]) -> None:
        """Let the lane send these (module, key) as they are now, soon. A restart forgets it. Raises: NotFound."""
        lane = self._lanes.get(name)
        if lane is None:
            raise NotFound(f"{name} has no running lane here")
        for at in objects:
            lane.dirty.setdefault(at, Dirty(lane.read_to, {""}, "")).what.add("")
        lane.partner_called()
        lane.wake.set()

    async def stop(self) -> None:
        """Cancel all lanes and wait for their end."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._lanes.clear()


async def lane_from_now_on(store: Store, name: str) -> Put:
    """What starts a new partner's lane with the changes that come: what exists already, the partner pulls."""
    return Put(LANES, name, msgspec.json.encode(LaneState(cursor=await store.last_change())))


def entitled(partner: Partner, *, audience: str) -> bool:
    """May `partner` have an object that is meant for `audience` ("" = all)?"""
    return not audience or audience in partner.parties

