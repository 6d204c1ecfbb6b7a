"""Keeps the table of EVSEs in step with the locations on record, whoever's they are and however they came.

At the start every location is looked at once, then those that change, as the change log tells (also of what other
processes write). Only what differs is written, many rows a commit. It runs as long as there is any connection of OICP:
without one nobody asks for the table.

Rows that came in OICP are not touched: there the row is the truth and the location is made of it (`evse_projection`).
Locations that their owner addressed to single parties are for nobody else, and not in the table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog

from hub.core.addressed import audience_in
from hub.core.inbound import parse
from hub.core.ports import Hub
from hub.core.store.documents import Page
from hub.core.units import ChangeRow, Delete, Document, Put, Unit
from modules.locations.service import LIMIT
from modules.locations.store import LOCATIONS
from partners.oicp.connections import Connections
from partners.oicp.evse_intake import OICP_PROJECTIONS
from partners.oicp.evse_rendering import Known, Rendered, rendered
from partners.oicp.evse_table import OICP_EVSES, OICP_STATES, key_in_oicp
from partners.oicp.findings import OICP_FINDINGS
from partners.oicp.moved_evses import MovedEvses
from partners.oicp.operators import Operators
from partners.oicp.rounds import Rounds
from partners.oicp.status_follower import StatusFollower, is_of_status

log = structlog.get_logger()

WRITES_A_COMMIT: Final = 250
_LOCATIONS_A_STEP: Final = 50
_READ: Final = 500
_MOST_AT_ONCE: Final = 100_000


class EvseFollower:
    """See the module."""

    def __init__(self, hub: Hub, connections: Connections, operators: Operators) -> None:
        self._hub = hub
        self._connections = connections
        self._operators = operators
        self._read_to: int | None = None
        self._dirty: dict[str, frozenset[str]] = {}
        self._statuses = StatusFollower(hub, self._is_connected)
        self._moved = MovedEvses(hub)
        self._owners: dict[str, None] = {}
        self._rounds = Rounds(hub, self.catch_up, waits="the table of EVSEs waits")
        self._listeners: list[Callable[[], None]] = []
        hub.store.on_commit(self._committed)
        connections.on_change(self._rounds.ring)
        operators.on_change(self._operator_changed)

    def _is_connected(self, partner: str) -> bool:
        return self._connections.of(partner) is not None

    def on_written(self, callback: Callable[[], None]) -> None:
        """Call back whenever rows were written."""
        self._listeners.append(callback)

    def _committed(self, rows: Sequence[ChangeRow]) -> None:
        if any(row.change.module == "locations" for row in rows):
            self._rounds.ring()

    def _operator_changed(self, party: str) -> None:
        self._owners[party] = None
        self._rounds.ring()

    async def run(self) -> None:
        """Follow for ever, also over times without a database."""
        await self._rounds.run()

    async def catch_up(self) -> None:
        """Bring the table to where the locations are now. Raises: NotReady; Conflict, when somebody was faster."""
        if not self._connections.all():
            self._read_to = None
            return
        await self._operators.refresh()
        if self._read_to is None:
            read_to = await self._hub.store.last_change()
            await self._look_at_all({})
            self._read_to, self._owners = read_to, {}
        await self._read_changes(self._read_to)
        for owner in list(self._owners):
            await self._look_at_all({"owner": owner})
            self._owners.pop(owner, None)
        while self._dirty:
            some = dict(list(self._dirty.items())[:_LOCATIONS_A_STEP])
            statuses = {key: words for key, words in some.items() if is_of_status(words)}
            puts, rest = await self._statuses.differing(statuses)
            await self._write(list(puts))
            found = await self._hub.store.get_many(LOCATIONS, [*rest, *(key for key in some if key not in statuses)])
            await self._look(found.values())
            for key in some:
                self._dirty.pop(key, None)

    async def _read_changes(self, after: int) -> None:
        while rows := await self._hub.store.changes(after=after, limit=_READ):
            if rows[0].seq > after + 1 and await self._is_cut(after):
                await self._look_at_all({})
            for change in (row.change for row in rows):
                if change.module == "locations":
                    self._dirty[change.key] = self._dirty.get(change.key, frozenset()) | {change.what}
            self._read_to = after = rows[-1].seq

    async def _is_cut(self, after: int) -> bool:
        """Is what follows this number gone from the log? So it is after a long time without a database."""
        first = await self._hub.store.changes(after=0, limit=1)
        return bool(first) and first[0].seq > after + 1

    async def _look_at_all(self, equal: dict[str, str]) -> None:
        after, looked = 0, 0
        while found := await self._hub.store.select(LOCATIONS, equal=equal, limit=_LOCATIONS_A_STEP, after_seq=after):
            after = found[-1].seq
            await self._look(found)
            looked += len(found)
        log.info("locations compared with the table of EVSEs", locations=looked, **equal)

    async def _look(self, documents: Iterable[Document]) -> None:
        """Write what differs of these locations. Raises: Conflict, NotReady."""
        shared = [document for document in documents if not audience_in(document.key)]
        await self._moved.end(document.owner for document in shared)
        store = self._hub.store
        waiting = await store.get_many(OICP_PROJECTIONS, [document.key for document in shared])
        shared = [document for document in shared if document.key not in waiting or not _came_in_oicp(document)]
        if not shared:
            return
        keys = [document.key for document in shared]
        among = {"location": keys}
        page: Page = await store.page(
            OICP_EVSES, date_from=None, date_to=None, offset=0, limit=_MOST_AT_ONCE, among=among
        )
        known = Known(self._is_connected)
        known.add_rows(page.documents)
        renderings = []
        for document in shared:
            renderings.append(rendered(document, self._operators.terms(document.owner)))
            await asyncio.sleep(0)
        elsewhere = [key for each in renderings for key in each.keys if key not in known.rows]
        known.add_rows((await store.get_many(OICP_EVSES, elsewhere)).values())
        known.states = await store.get_many(OICP_STATES, [key for each in renderings for key in each.keys])
        known.findings = await store.get_many(OICP_FINDINGS, keys)
        await self._write([write for each in renderings for write in self._differing(each, known)])

    def _differing(self, each: Rendered, known: Known) -> list[Put | Delete]:
        return each.differing(known, now=self._hub.clock.now())

    async def _write(self, writes: list[Put | Delete]) -> None:
        for at in range(0, len(writes), WRITES_A_COMMIT):
            await self._hub.store.commit(Unit(writes[at : at + WRITES_A_COMMIT]))
        if writes:
            for listener in self._listeners:
                listener()


def _came_in_oicp(document: Document) -> bool:
    """Is it made of rows that came in OICP, at least in part? Where it is to be made anew, that comes first."""
    tree = parse(document.body, limit=LIMIT)
    return any(key_in_oicp(evse) for evse in tree.get("evses") or () if evse["status"] != "REMOVED")
