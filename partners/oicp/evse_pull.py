"""EVSEs of a hub where we are an EMP: all of them once, then what changed. What they do: `status_pull`.

The watermark of a crawl is the time before its page 0 was asked for, less five minutes, and counts when its last page
is on disk. A crawl that broke off goes on at its page, for as long as the hub may keep it. After a whole crawl (weekly,
as deletes may be missed) what was not in it is gone; if that is more than a fifth, it waits for an operator.

A record that cannot be read costs nothing but itself. Whoever comes to light as a CPO behind the hub is known from then
on; EVSEs of parties that are connected by themselves, and our own, are theirs to tell.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from hub.core.clock import timestamp
from hub.core.errors import BusbarError, NotFound
from hub.core.units import Audit, Put, Unit
from partners.oicp.apart import Apart
from partners.oicp.bridge import Bridge
from partners.oicp.connection import Connection
from partners.oicp.connections import OICP_PULLS
from partners.oicp.emp_turns import emp_hubs, may_be_asked, pause_s
from partners.oicp.evse_intake import EvseIntake
from partners.oicp.evse_table import EvseTable, key_of
from partners.oicp.fetching import fetched
from partners.oicp.findings import finding
from partners.oicp.pulled_page import Behind, PulledPage
from partners.oicp.shrinking import is_much

log = structlog.get_logger()

SIZE: Final = 2000
MOST_PAGES: Final = 5000
OVERLAP: Final = timedelta(minutes=5)
WEEK: Final = timedelta(days=7)
_SOON: Final = timedelta(minutes=10)
_KEPT_BY_THE_HUB: Final = timedelta(minutes=30)
_CAP: Final = 128 * 1024 * 1024
_LOOK_EVERY_S: Final = 5.0
_MOST_NAMED: Final = 1000
_ASKED: Final = {"GeoCoordinatesResponseFormat": "Google"}


class PullState(msgspec.Struct, kw_only=True):
    """How far pulls of a hub are, kept over restarts."""

    watermark: str = ""
    began: str = ""
    """When the crawl under way began; "": none is."""
    page: int = 0
    is_whole: bool = True
    whole_at: str = ""
    data_at: str = ""
    held: int = 0
    held_of: int = 0
    confirmed: bool = False
    failures: int = 0
    last_error: str = ""

    def put(self, partner: str) -> Put:
        """The write of it."""
        return Put(OICP_PULLS, partner, msgspec.json.encode(self))


class EvsePull:
    """All hubs from which we pull."""

    def __init__(self, bridge: Bridge, table: EvseTable, intake: EvseIntake) -> None:
        self._bridge = bridge
        self._hub = bridge.hub
        self._pages = PulledPage(bridge, table, intake)
        self._apart = Apart(bridge.hub, "oicp pull")
        self._not_before: dict[str, float] = {}
        self._under_way: set[str] = set()

    async def state(self, name: str) -> PullState:
        document = await self._hub.store.get(OICP_PULLS, name)
        return PullState() if document is None else msgspec.json.decode(document.body, type=PullState)

    async def run(self) -> None:
        """Pull what is due, for ever."""
        while True:
            for each in emp_hubs(self._bridge):
                if may_be_asked(self._hub, each, self._not_before):
                    self._apart.begin(each.partner, partial(self._guarded, each))
            await self._hub.clock.sleep(_LOOK_EVERY_S)

    async def _guarded(self, connection: Connection) -> None:
        name = connection.partner
        try:
            state = await self.state(name)
            every = timedelta(seconds=connection.data_every_s)
            if state.began or state.data_at < timestamp(self._hub.clock.now() - every):
                await self.pull_data(name)
        except BusbarError as fault:
            await self._back_off(name, fault)
        except Exception as error:  # one odd answer must not stop the pulls for ever
            log.exception("pull failed", partner=name, error=type(error).__name__)
            self._not_before[name] = self._hub.clock.monotonic() + self._hub.settings.lane_cap_s

    async def pull_data(self, name: str, *, whole: bool = False) -> None:
        """One crawl, or the rest of one that broke off; none, where one is under way.

        Raises: PeerFault's children, Conflict, NotReady.
        """
        if name in self._under_way:
            return
        self._under_way.add(name)
        try:
            await self._crawl(name, whole=whole)
        finally:
            self._under_way.discard(name)

    async def _crawl(self, name: str, *, whole: bool) -> None:
        connection, state = self._bridge.connections.get(name), await self.state(name)
        now = self._hub.clock.now()
        if not state.began or whole or state.began < timestamp(now - _KEPT_BY_THE_HUB):
            is_due = state.whole_at < timestamp(now - WEEK) or state.confirmed
            state.began, state.page = timestamp(now), 0
            state.is_whole = whole or is_due or not state.watermark
        seen, has_all = set[str](), state.is_whole and not state.page
        behind = Behind(connection)
        while await self._page(connection, state, seen, behind):
            await self._keep(name, state)
        if has_all:
            await self._bury(connection, state, seen)
            state.whole_at, state.confirmed = state.began, False
        state.watermark = timestamp(datetime.fromisoformat(state.began) - OVERLAP)
        state.data_at, state.began, state.page = state.began, "", 0
        state.failures, state.last_error = 0, ""
        unit = Unit().put(state.put(name))
        unit.writes.append(finding(f"pull/{name}", name, dict(list(behind.odd.items())[:_MOST_NAMED])))
        await self._hub.store.commit(unit)
        log.info("evses pulled", partner=name, is_whole=state.is_whole, odd=len(behind.odd))

    async def _page(self, connection: Connection, state: PullState, seen: set[str], behind: Behind) -> bool:
        """One page. Returns: is there another one? Raises: PeerFault's children."""
        provider = connection.provider_ids[0]
        message = {"ProviderID": provider, **_ASKED, **({} if state.is_whole else {"LastCall": state.watermark})}
        query = {"page": str(state.page), "size": str(SIZE)}
        tree, came = await fetched(self._bridge, connection, "PullEvseData", message, cap=_CAP, query=query)
        content = came.get("content")
        given, records = content if isinstance(content, list) else [], tree["content"]
        if len(records) < len(given):
            await self._pages.note_unread(given, behind)
        await self._pages.take(connection, records, behind)
        told = {key_of(record["EvseID"]) for record in records}
        is_again = bool(told) and told <= seen  # a hub that has no end is left where it begins anew
        seen |= told
        state.page += 1
        is_last = tree.get("last") or state.page >= tree.get("totalPages", MOST_PAGES) or not given or is_again
        return not is_last and state.page < MOST_PAGES

    async def _bury(self, connection: Connection, state: PullState, seen: set[str]) -> None:
        """What was not in a whole crawl is gone: but for more than a fifth of all only by a word of an operator."""
        keys = await self._pages.keys(connection)
        gone = [key for key in keys if key not in seen]
        if is_much(len(gone), len(keys)) and not state.confirmed:
            state.held, state.held_of = len(gone), len(keys)
            log.error("EVSEs of a hub are missing", partner=connection.partner, missing=len(gone), of=len(keys))
            return
        state.held = state.held_of = 0
        await self._pages.bury(connection, gone)

    async def look_soon(self, name: str) -> None:
        """There are EVSEs that are not here, or not there: data are asked for, though not every time."""
        state = await self.state(name)
        if name not in self._under_way and state.data_at < timestamp(self._hub.clock.now() - _SOON):
            state.data_at = ""
            await self._keep(name, state)

    async def holds(self, name: str) -> bool:
        """Does something wait there for the word of an operator?"""
        state = await self.state(name)
        return bool(state.held) and not state.confirmed

    async def confirm(self, name: str, *, actor: str) -> None:
        """What is missing in the hub's list may go. Raises: NotFound, where nothing is held."""
        self._bridge.connections.get(name)
        state = await self.state(name)
        if not state.held:
            raise NotFound("nothing is held there")
        state.confirmed, state.data_at, state.began = True, "", ""
        unit = Unit().put(state.put(name))
        await self._hub.store.commit(unit.audited(Audit(actor, "oicp.confirmed", name, f"{state.held} EVSEs missing")))

    async def shown(self) -> list[dict[str, Any]]:
        """What operators should see: hubs that fail, and what is held."""
        found: list[dict[str, Any]] = []
        for connection in emp_hubs(self._bridge):
            state, name = await self.state(connection.partner), connection.partner
            if state.held:
                reason = (
                    f"{state.held} of {state.held_of} EVSEs are missing in its list: busbar oicp confirm --what pulled"
                )
                found.append({"owner": name, "reason": reason, "things": state.held, "example": ""})
            if state.last_error:
                reason = f"EVSEs cannot be pulled: {state.last_error}"
                found.append({"owner": name, "reason": reason, "things": state.failures, "example": ""})
        return found

    async def _keep(self, name: str, state: PullState) -> None:
        await self._hub.store.commit(Unit().put(state.put(name)))

    async def _back_off(self, name: str, fault: BusbarError) -> None:
        state = await self.state(name)
        state.failures, state.last_error = state.failures + 1, fault.message
        self._not_before[name] = self._hub.clock.monotonic() + pause_s(self._hub, state.failures, fault)
        log.warning("pull fails", partner=name, failures=state.failures, why=fault.message)
        await self._keep(name, state)
