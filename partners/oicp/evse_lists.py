"""EVSEs that EMPs pull from us, as the hub: all, or what changed since their last call; page by page.

The pages of one crawl are cut from one list of ids, which is made when page 0 is asked for and kept for a while: what
is written meanwhile neither moves the pages nor skips an EVSE, and shows as it is when its page is read.

An EMP gets what agreements let it have of others' locations, and nothing of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hub.core.clock import timestamp
from hub.core.inbound import encode, parse
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.store import Leaf
from hub.core.units import Document
from partners.oicp import ids
from partners.oicp.answers import Code, status
from partners.oicp.connections import Connection
from partners.oicp.evse_choice import Record, Test, tests_of
from partners.oicp.evse_table import HERE, LIMIT, OICP_EVSES, EvseRow, read, told_in
from partners.oicp.face import Call
from partners.oicp.mapping.points import point_of
from partners.oicp.paging import page_of, paging_of

Message = Mapping[str, Any]

_SCAN: Final = 500
_KEPT_S: Final = 900.0
_MOST_LISTS: Final = 50
_MOST_IDS: Final = 3_000_000
_POINTS: Final = ("GeoCoordinates", "GeoChargingPointEntrance")


@dataclass(slots=True)
class _List:
    """The ids of a crawl."""

    keys: tuple[str, ...]
    made_at: float


class EvseLists:
    """PullEvseData."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lists: dict[tuple[str, bytes], _List] = {}

    async def data(self, call: Call) -> Message:
        """Raises: Refused, InvalidRequest."""
        paging, tests = paging_of(call.query), tests_of(call.message)
        since = _since(call.message.get("LastCall"))
        at = (call.partner.name, encode({**call.message, "": call.id}))
        keys = self._kept(at) if paging.number else None
        if keys is None:
            keys = await self._choose(call.partner, tests, since)
            self._keep(at, keys)
        rows = await self._rows(paging.cut(keys))
        write = _writer(call.connection, call.message.get("GeoCoordinatesResponseFormat") or "Google")
        content = [{**write(row), **_delta(row, since)} for row in rows]
        return page_of(paging, content, len(keys)) | {"StatusCode": status(Code.SUCCESS)}

    async def _choose(self, partner: Partner, tests: Sequence[Test], since: str) -> tuple[str, ...]:
        if since:
            changed = [document async for document in self._changed(partner, since) if _is_told(document, since)]
            return tuple(each.key for each in changed if all(test(read(each).told) for test in tests))
        found = self.scan(partner, bodies=bool(tests))
        return tuple([leaf.key async for leaf in found if not tests or all(test(record_in(leaf)) for test in tests)])

    async def scan(self, partner: Partner, *, bodies: bool) -> AsyncIterator[Leaf]:
        """Rows that are there and that a partner may have, in the order in which they came."""
        among = {"owner": self._hub.agreements.owners(partner, "locations"), "gone": [HERE]}
        after = 0
        while among["owner"] and (
            found := await self._hub.store.leaves(OICP_EVSES, among=among, after_seq=after, limit=_SCAN, bodies=bodies)
        ):
            for leaf in found:
                yield leaf
            after = found[-1].seq
            await asyncio.sleep(0)

    async def _changed(self, partner: Partner, since: str) -> AsyncIterator[Document]:
        """Rows that changed, or went, since then. What changes while this reads comes again: nothing is skipped."""
        owners, read_so_far = self._hub.agreements.owners(partner, "locations"), 0
        while owners:
            page = await self._hub.store.page(
                OICP_EVSES, date_from=since, date_to=None, offset=read_so_far, limit=_SCAN, owners=owners
            )
            for document in page.documents:
                yield document
            read_so_far += len(page.documents)
            if len(page.documents) < _SCAN:
                return
            await asyncio.sleep(0)

    async def _rows(self, keys: Sequence[str]) -> list[EvseRow]:
        found = await self._hub.store.get_many(OICP_EVSES, keys)
        return [read(found[key]) for key in keys if key in found]

    def _kept(self, at: tuple[str, bytes]) -> tuple[str, ...] | None:
        kept = self._lists.get(at)
        if kept is None or self._hub.clock.monotonic() - kept.made_at > _KEPT_S:
            return None
        return kept.keys

    def _keep(self, at: tuple[str, bytes], keys: tuple[str, ...]) -> None:
        """The newest; old ones go, and so many that memory has a bound."""
        now = self._hub.clock.monotonic()
        self._lists.pop(at, None)
        self._lists[at] = _List(keys, now)
        for old in list(self._lists):
            ids_kept = sum(len(each.keys) for each in self._lists.values())
            is_too_much = len(self._lists) > _MOST_LISTS or ids_kept > _MOST_IDS
            if (is_too_much and old != at) or now - self._lists[old].made_at > _KEPT_S:
                del self._lists[old]


def record_in(leaf: Leaf) -> Record:
    """The record of a row, as EMPs get it."""
    return told_in(parse(leaf.body, limit=LIMIT))


def _since(last_call: str | None) -> str:
    """LastCall as rows have times; "" without one. A time without its offset is read as UTC."""
    if not last_call:
        return ""
    moment = datetime.fromisoformat(last_call)
    return timestamp(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)


def _is_told(document: Document, since: str) -> bool:
    """What came and went since the last call, nobody has to hear of."""
    return not since or document.columns["gone"] == HERE or document.columns["created"] < since


def _delta(row: EvseRow, since: str) -> dict[str, Any]:
    if not since:
        return {"deltaType": None, "lastUpdate": row.changed}
    kind = "delete" if row.gone else "insert" if row.created >= since else "update"
    return {"deltaType": kind, "lastUpdate": row.changed}


def _writer(connection: Connection, geo_format: str) -> Callable[[EvseRow], dict[str, Any]]:
    """How records are written for an EMP: its form of points, its style of operators."""

    def write(row: EvseRow) -> dict[str, Any]:
        record = dict(row.told)
        for name in _POINTS:
            given, point = record.get(name), point_of(record.get(name))
            if given and point is not None and list(given) != [geo_format]:
                record[name] = {geo_format: given[geo_format]} if geo_format in given else point.said(geo_format)
        record["OperatorID"] = ids.OperatorID.parse(record["OperatorID"]).styled(connection.operator_style)
        return record

    return write
