"""Our EVSEs and their status at a hub where we are a CPO: pushed as they change, one push at a time.

What is to be there is compared with what the hub acknowledged (`evse_plan`); inserts go first, then updates, then
deletes. Once a week all of it is told again as a fullLoad, if that fits one request. Statuses go for EVSEs alone whose
data the hub has, joined where they change fast.

The guard: within a day no more than a fifth of what a hub has is taken back. What is more than that waits until an
operator says that it may go (`busbar oicp confirm`): EVSEs do not vanish from all maps because a list was read wrong.

A hub that fails is tried again after 5 s, then ever more rarely; what it took is on disk, so that nothing goes twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from hub.core.clock import timestamp
from hub.core.errors import BusbarError, NotFound, PeerRefused
from hub.core.ports import Hub
from hub.core.registry import State
from hub.core.units import Audit, Unit
from partners.oicp.acknowledged import AcknowledgedStore, PushState
from partners.oicp.apart import Apart
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.data_push import DataPush
from partners.oicp.evse_plan import Plan, Planner
from partners.oicp.evse_sending import Refusal
from partners.oicp.evse_table import HERE, OICP_EVSES, EvseTable, read
from partners.oicp.onward_evses import OnwardEvses
from partners.oicp.shrinking import is_much
from partners.oicp.status_push import StatusPush

log = structlog.get_logger()

WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
_OVERLAP: Final = timedelta(seconds=30)
_GATHER_S: Final = 1.0
_LOOK_EVERY_S: Final = 30.0


class EvsePush:
    """All hubs to which we push."""

    def __init__(self, bridge: Bridge, table: EvseTable) -> None:
        self._bridge = bridge
        self.acknowledged = AcknowledgedStore(bridge.hub)
        self.onward = OnwardEvses(bridge.hub, bridge.connections)
        self._planner = Planner(bridge.hub, self.onward, self.acknowledged)
        self._data = DataPush(bridge, table, self.acknowledged)
        self._statuses = StatusPush(bridge, table, self.acknowledged)
        self._apart = Apart(bridge.hub, "oicp push", missed=self.wake)
        self._retry_at: dict[str, float] = {}
        self._busy: dict[str, asyncio.Lock] = {}
        self._bell = asyncio.Event()

    @property
    def _hub(self) -> Hub:
        return self._bridge.hub

    def wake(self) -> None:
        """Something has changed."""
        self._bell.set()

    def hubs(self) -> list[Connection]:
        """Where we are a CPO."""
        return [each for each in self._bridge.connections.all() if each.kind == "hub" and each.operator_ids]

    async def run(self) -> None:
        """For ever: what changes within a second goes together."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), _LOOK_EVERY_S)
            await self._hub.clock.sleep(_GATHER_S)
            self._bell.clear()
            for each in self.hubs():
                if self._is_due(each):
                    self._apart.begin(each.partner, partial(self.guarded, each.partner))

    def _is_due(self, connection: Connection) -> bool:
        is_there = bool(connection.base_url) and self._hub.registry.get(connection.partner).state is State.CONNECTED
        return is_there and self._hub.clock.monotonic() >= self._retry_at.get(connection.partner, 0.0)

    async def guarded(self, name: str) -> None:
        """Push to a hub; what fails is tried again later. Raises nothing."""
        try:
            await self.push(name)
        except (BusbarError, Refusal) as fault:
            await self._back_off(name, fault)
        except Exception as error:  # one odd row must not stop the pushes for ever
            log.exception("push failed", partner=name, error=type(error).__name__)
            self._retry_at[name] = self._hub.clock.monotonic() + self._hub.settings.lane_cap_s

    async def push(self, name: str) -> None:
        """What has changed, to one hub. Raises: PeerFault's children, Refusal, NotFound, NotReady."""
        async with self._busy.setdefault(name, asyncio.Lock()):
            connection = self._bridge.connections.get(name)
            state = await self.acknowledged.state(name)
            await self._push_data(connection, state)
            await self._statuses.push(connection, state)
            if state.failures:
                state.failures, state.last_error = 0, ""
            self._retry_at.pop(name, None)
            await self._hub.store.commit(Unit().put(state.put(name)))

    async def _push_data(self, connection: Connection, state: PushState) -> None:
        now, scope = self._hub.clock.now(), self._planner.scope(connection)
        is_whole = state.scope != scope or state.confirmed or _is_over(state.whole_at, WEEK, now)
        if not is_whole:
            plan = await self._planner.changed(connection, state.data_to)
            is_whole = bool(state.held and plan.looked_at)  # what is held may be there again
        if is_whole:
            plan = await self._planner.whole(connection)
        may_shrink = await self._may_shrink(connection, state, plan, is_whole=is_whole)
        if is_whole and self._fits(connection, plan, state) and may_shrink:
            await self._data.load(connection, plan)
            state.loaded_at = timestamp(now)
        else:
            await self._data.send(connection, plan, deletes=may_shrink)
        state.data_to = timestamp(now - _OVERLAP)
        if is_whole:
            state.scope, state.whole_at, state.confirmed = scope, timestamp(now), False
        await self._hub.store.commit(Unit().put(state.put(connection.partner)))

    def _fits(self, connection: Connection, plan: Plan, state: PushState) -> bool:
        """Is it time for a fullLoad, and does each operator's set fit one request? None is ever empty."""
        is_time = bool(state.whole_at) and _is_over(state.loaded_at or state.whole_at, WEEK, self._hub.clock.now())
        sizes = [len(keys) for keys in plan.wanted.values()]
        return is_time and bool(sizes) and all(0 < size <= connection.push_size for size in sizes)

    async def _may_shrink(self, connection: Connection, state: PushState, plan: Plan, *, is_whole: bool) -> bool:
        """The guard."""
        now = self._hub.clock.now()
        if _is_over(state.day, DAY, now):
            state.day, state.day_removed = timestamp(now), 0
        removed = state.day_removed + plan.removed
        there = [each async for each in self.acknowledged.of(connection.partner)] if plan.removed else []
        had = sum(each.is_there for each in there) + state.day_removed
        if plan.removed and not state.confirmed and is_much(removed, had):
            state.held, state.held_of = removed, had
            log.error("EVSEs are not taken back", partner=connection.partner, removed=removed, of=had)
            return False
        if is_whole:
            state.held = state.held_of = 0
        state.day_removed = 0 if state.confirmed else removed
        return True

    async def holds(self, name: str) -> bool:
        """Does something wait there for the word of an operator?"""
        state = await self.acknowledged.state(name)
        return bool(state.held) and not state.confirmed

    async def confirm(self, name: str, *, actor: str) -> None:
        """An operator says that what is held may go. Raises: NotFound, where nothing is."""
        self._bridge.connections.get(name)
        async with self._busy.setdefault(name, asyncio.Lock()):
            state = await self.acknowledged.state(name)
            if not state.held:
                raise NotFound("nothing is held there")
            state.confirmed = True
            unit = Unit().put(state.put(name))
            await self._hub.store.commit(unit.audited(Audit(actor, "oicp.confirmed", name, f"{state.held} EVSEs")))
        self._retry_at.pop(name, None)
        self.wake()

    async def shown(self) -> list[dict[str, Any]]:
        """What operators should see: hubs that fail, what is held, and whose EVSEs do not go there at all."""
        found: list[dict[str, Any]] = []
        for connection in self.hubs():
            lines = [await self._kept_back(*each) for each in self.onward.kept_back(connection).items()]
            found += [line for line in lines if line["things"]]
            state = await self.acknowledged.state(connection.partner)
            if state.held:
                reason = f"{state.held} of {state.held_of} EVSEs would be taken back: busbar oicp confirm --what pushed"
                found.append(_line(connection.partner, reason, state.held))
            if state.last_error:
                found.append(_line(connection.partner, f"the hub takes no EVSEs: {state.last_error}", state.failures))
        return found

    async def _kept_back(self, owner: str, reason: str) -> dict[str, Any]:
        among = {"gone": [HERE]}
        page = await self._hub.store.page(
            OICP_EVSES, date_from=None, date_to=None, offset=0, limit=1, owners=[owner], among=among
        )
        example = read(page.documents[0]).place.evse_id if page.documents else ""
        return _line(owner, reason, page.total, example)

    async def _back_off(self, name: str, fault: BusbarError | Refusal) -> None:
        settings, state = self._hub.settings, await self.acknowledged.state(name)
        state.failures, state.last_error = state.failures + 1, str(fault)[:200]
        asked_s = fault.retry_after_s if isinstance(fault, PeerRefused) else None
        step_s = min(settings.lane_first_s * 2 ** min(state.failures - 1, 20), settings.lane_cap_s)
        wait_s = step_s if asked_s is None else asked_s
        self._retry_at[name] = self._hub.clock.monotonic() + wait_s
        asyncio.get_running_loop().call_later(wait_s, self.wake)
        log.warning("push fails", partner=name, failures=state.failures, why=state.last_error)
        await self._hub.store.commit(Unit().put(state.put(name)))


def _is_over(since: str, most: timedelta, now: datetime) -> bool:
    return since < timestamp(now - most)


def _line(owner: str, reason: str, things: int, example: str = "") -> dict[str, Any]:
    return {"owner": owner, "reason": reason, "things": things, "example": example}
