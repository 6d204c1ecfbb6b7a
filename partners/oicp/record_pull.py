"""Every night the records that a hub has of our drivers are compared with ours: one that never came is taken in.

A hub gives a record once and may not reach us just then. What is missing here is taken as if it had been brought; what
we cannot take (a session that we know nothing of, or another record for one that is closed) is for an operator to see.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from hub.core.clock import timestamp
from hub.core.errors import BusbarError
from hub.core.jsontypes import Tree
from hub.core.registry import State
from hub.core.units import Put, Unit
from partners.oicp.answers import Refused
from partners.oicp.bridge import Bridge
from partners.oicp.connection import Connection
from partners.oicp.connections import OICP_PULLS
from partners.oicp.face import Call
from partners.oicp.fetching import fetched
from partners.oicp.findings import finding
from partners.oicp.operations import OPERATIONS
from partners.oicp.record_checks import put_right
from partners.oicp.record_content import is_same_record
from partners.oicp.records import Records

log = structlog.get_logger()

NIGHTLY: Final = timedelta(days=1)
OVERLAP: Final = timedelta(days=2)
SIZE: Final = 2000
MOST_PAGES: Final = 500
_LOOK_EVERY_S: Final = 60.0
_CAP: Final = 128 * 1024 * 1024
_MOST_NAMED: Final = 1000


class RecordPull:
    """See the module."""

    def __init__(self, bridge: Bridge, records: Records) -> None:
        self._bridge = bridge
        self._hub = bridge.hub
        self._records = records
        self._not_before: dict[str, float] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            for connection in self._bridge.connections.all():
                if await self._is_due(connection):
                    await self._guarded(connection)
            await self._hub.clock.sleep(_LOOK_EVERY_S)

    async def _is_due(self, connection: Connection) -> bool:
        name = connection.partner
        if connection.kind != "hub" or not connection.provider_ids or not connection.base_url:
            return False
        is_there = self._hub.registry.get(name).state is State.CONNECTED
        if not is_there or self._hub.clock.monotonic() < self._not_before.get(name, 0.0):
            return False
        return await self._read_to(name) < timestamp(self._hub.clock.now() - NIGHTLY)

    async def _guarded(self, connection: Connection) -> None:
        try:
            await self.reconcile(connection.partner)
        except BusbarError as fault:
            log.warning("records were not compared", partner=connection.partner, why=fault.message)
            self._not_before[connection.partner] = self._hub.clock.monotonic() + self._hub.settings.lane_cap_s

    async def reconcile(self, name: str) -> int:
        """Returns: how many records were missing here. Raises: PeerFault's children, NotReady."""
        connection, now = self._bridge.connections.get(name), self._hub.clock.now()
        before = await self._read_to(name)
        begin = datetime.fromisoformat(before) - OVERLAP if before else now - OVERLAP
        span = {"From": timestamp(begin), "To": timestamp(now)}
        missing, surplus = 0, {}
        for number in range(MOST_PAGES):
            page = await self._page(connection, span, number)
            for record in page["content"]:
                why = await self._compare(connection, record)
                missing += why == ""
                if why:
                    surplus[str(record["SessionID"])] = why
            if page.get("last") or number + 1 >= page.get("totalPages", MOST_PAGES) or not page["content"]:
                break
        unit = Unit().put(Put(OICP_PULLS, _key(name), msgspec.json.encode(timestamp(now))))
        unit.writes.append(finding(f"records/{name}", name, dict(list(surplus.items())[:_MOST_NAMED])))
        await self._hub.store.commit(unit)
        log.info("records compared", partner=name, missing=missing, surplus=len(surplus))
        return missing

    async def _page(self, connection: Connection, span: Mapping[str, str], number: int) -> Tree:
        message = {"ProviderID": connection.provider_ids[0], **span}
        query = {"page": str(number), "size": str(SIZE)}
        tree, _ = await fetched(self._bridge, connection, "GetChargeDetailRecords", message, cap=_CAP, query=query)
        return tree

    async def _compare(self, connection: Connection, record: Tree) -> str | None:
        """None: it is here. "": it was missing and is taken. Else why it is not taken."""
        partner = self._hub.registry.get(connection.partner)
        known = await self._records.store.find(str(record["SessionID"]))
        if known is not None and is_same_record(known.record, put_right(record)):
            return None
        call = Call(self._hub, connection, partner, OPERATIONS["ChargeDetailRecord"], "", {}, record)
        try:
            await self._records.take(call)
        except Refused as refused:
            return f"a record of the hub was not taken: StatusCode {refused.code} {refused.description}".strip()
        except BusbarError as fault:
            return f"a record of the hub was not taken: {fault.message}"
        return ""

    async def _read_to(self, name: str) -> str:
        document = await self._hub.store.get(OICP_PULLS, _key(name))
        return "" if document is None else msgspec.json.decode(document.body, type=str)


def _key(name: str) -> str:
    return f"{name}/records"
