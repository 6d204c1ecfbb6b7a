"""How long our EVSEs were up, and which outages do not count."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from hub.control.asks import OutageExcluded
from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest, NotFound
from hub.core.jsontypes import Tree
from hub.core.types import parse_datetime
from hub.core.units import Audit, Unit
from partners.ocpp.watch.outages import MOST, OUTAGES, Outage, WatchedEvse, outage_in, outage_put, watched_evses
from partners.ocpp.watch.uptime import Span, Uptime, together, uptime

if TYPE_CHECKING:
    from hub.app import Program

_YEAR = timedelta(days=365)


async def report(
    program: Program, *, since: str | None, until: str | None, location: str | None, evse: str | None
) -> Tree:
    """The uptime of each EVSE and of all together; without dates, of the last 365 days. Raises: InvalidRequest."""
    now = program.hub.clock.now()
    end = min(_moment("to", until) or now, now)
    start = _moment("from", since) or end - _YEAR
    if start >= end:
        raise InvalidRequest("from must lie before to, and in the past")
    found = [one for one in await watched_evses(program.store) if _is_meant(one, location, evse)]
    of_each: dict[str, list[Outage]] = {}
    for document in await program.store.select(OUTAGES, equal={"evse": evse} if evse else {}, limit=MOST):
        of_each.setdefault(document.columns["evse"], []).append(outage_in(document))
    spans = [(one, max(start, one.since), min(end, one.until or end)) for one in found]
    counted = [
        (one, first, last, _uptime(of_each.get(one.evse_uid, ()), first, last))
        for one, first, last in spans
        if first < last
    ]
    items = [_shown(*each) for each in counted]
    percent = together([counts for *_, counts in counted]) if counted else None
    return {"items": items, "total": len(items), "percent": percent, "from": timestamp(start), "to": timestamp(end)}


async def outages(program: Program, evse: str | None) -> Tree:
    """The newest outages."""
    equal = {"evse": evse} if evse else {}
    found = await program.store.select(OUTAGES, equal=equal, order="last_updated", descending=True, limit=1000)
    return {"items": [msgspec.Raw(document.body) for document in found], "total": len(found)}


async def exclude(program: Program, outage_id: str, ask: OutageExcluded, *, actor: str) -> Tree:
    """Say why an outage does not count; an empty reason lets it count again. Raises: NotFound, Conflict."""
    document = await program.store.get(OUTAGES, outage_id)
    if document is None:
        raise NotFound("there is no such outage")
    outage = replace(outage_in(document), excluded=ask.reason, excluded_by=actor if ask.reason else "")
    audit = Audit(actor, "outage.excluded", outage_id, ask.reason)
    await program.store.commit(Unit().put(outage_put(outage, expect=document.version)).audited(audit))
    tree: Tree = msgspec.to_builtins(outage)
    return tree


def _uptime(outages: Iterable[Outage], start: datetime, end: datetime) -> Uptime:
    spans = [(Span(outage.began, outage.ended), bool(outage.excluded)) for outage in outages]
    return uptime([span for span, _ in spans], [span for span, is_excluded in spans if is_excluded], start, end)


def _is_meant(one: WatchedEvse, location: str | None, evse: str | None) -> bool:
    at = {one.location, one.location.rpartition("/")[2]}
    return (location is None or location in at) and (evse is None or evse == one.evse_uid)


def _shown(one: WatchedEvse, start: datetime, end: datetime, counts: Uptime) -> Tree:
    return {
        "evse_uid": one.evse_uid,
        "station": one.station,
        "location": one.location,
        "from": timestamp(start),
        "to": timestamp(end),
        "minutes": round(counts.minutes, 3),
        "outage": round(counts.outage, 3),
        "excluded": round(counts.excluded, 3),
        "percent": counts.percent,
    }


def _moment(name: str, text: str | None) -> datetime | None:
    """Raises: InvalidRequest."""
    try:
        return parse_datetime(text) if text is not None else None
    except (ValueError, OverflowError):
        raise InvalidRequest(f"{name} is not a timestamp") from None
