"""The history that uptime is counted from: intervals in which an EVSE could not be used, kept as rows.

An EVSE is down when none of its connectors works (Faulted, Unavailable), when its station says so of itself, or when
the station has been gone for longer than the grace of the settings: then from when it went. As long as nothing is heard
of it nothing changes. `watched` is since when we look: before that nobody knows, and it counts for nothing. An EVSE
that no station serves any more, or that partners do not see as its station is on its way into service, is watched no
longer; the time in which it was stays a row of its own. An outage in maintenance does not count; where maintenance
begins or ends meanwhile, one outage ends and another begins.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.units import UNUSED, Delete, Document, Kind, Put, Unit
from partners.ocpp.commissioning import hides
from partners.ocpp.live import Live
from partners.ocpp.maintenance import covers
from partners.ocpp.register import Station

OUTAGES: Final = Kind("ocpp_outages", columns=("evse", "state"), indexed=("evse", "state"))
WATCHED: Final = Kind("ocpp_watched")
KINDS: Final = (OUTAGES, WATCHED)

OPEN: Final = "open"
CLOSED: Final = "closed"
MAINTENANCE: Final = "maintenance"
"""Why an outage in maintenance does not count, unless an operator says otherwise."""
MOST: Final = 100_000
_BROKEN: Final = frozenset({"Faulted", "Unavailable"})


class Outage(msgspec.Struct, frozen=True):
    """`excluded`: why it does not count, in the words of `excluded_by`; "" when it does.

    `maintenance`: the EVSE was in maintenance all the while; one that was so for a part of it has two outages.
    """

    id: str
    evse_uid: str
    station: str
    reason: str
    began: datetime
    ended: datetime | None = None
    excluded: str = ""
    excluded_by: str = ""
    maintenance: bool = False


class WatchedEvse(msgspec.Struct, frozen=True):
    """An EVSE of which history is kept, from when on, and until when; None: it still is."""

    evse_uid: str
    station: str
    location: str
    since: datetime
    until: datetime | None = None


def outage_in(document: Document) -> Outage:
    return msgspec.json.decode(document.body, type=Outage)


def outage_put(outage: Outage, *, expect: int) -> Put:
    state = OPEN if outage.ended is None else CLOSED
    columns = (outage.evse_uid, state)
    began = timestamp(outage.began)
    return Put(OUTAGES, outage.id, msgspec.json.encode(outage), "", "", began, columns, expect)


def watched_put(watched: WatchedEvse) -> Put:
    """Those that are watched by their uid; a uid may have been watched before, more than once."""
    since = "" if watched.until is None else f" {timestamp(watched.since)}"
    return Put(WATCHED, f"{watched.evse_uid}{since}", msgspec.json.encode(watched))


def watched_in(document: Document) -> WatchedEvse:
    return msgspec.json.decode(document.body, type=WatchedEvse)


async def watched_evses(store: Store) -> list[WatchedEvse]:
    return [watched_in(document) for document in await store.select(WATCHED, limit=MOST)]


class Outages:
    """Keeps the history of the EVSEs that a gateway looks at."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._down: dict[str, bool] = {}
        """The EVSEs that are, and whether their outage is one in maintenance."""
        self._watched: dict[str, WatchedEvse] = {}
        self._revision: int | None = None

    async def recall(self) -> None:
        """What is on disk: after a restart, or when somebody else wrote."""
        revision = self._hub.store.revision(OUTAGES)
        is_others = self._hub.settings.serves_several_processes and revision != self._revision
        if self._revision is None or is_others:
            found = await self._hub.store.select(OUTAGES, equal={"state": OPEN}, limit=MOST)
            self._down = {outage.evse_uid: outage.maintenance for outage in map(outage_in, found)}
            known = await watched_evses(self._hub.store)
            self._watched = {one.evse_uid: one for one in known if one.until is None}
            self._revision = revision

    def doubt(self) -> None:
        """What is on disk may be something else than we think: a write failed."""
        self._revision = None

    async def look_at(self, live: Live, now: datetime) -> None:
        begun, places = Unit(), _evses(live)
        fresh = [one for one in (self._seen(live, evse_uid, now) for evse_uid in places) if one is not None]
        for one in fresh:
            begun.put(watched_put(one))
        down: dict[str, bool] = {}
        for evse_uid, numbers in places.items():
            began, reason = self._down_since(live, numbers, now)
            before, covered = self._down.get(evse_uid), covers(live.station, evse_uid)
            if reason == "" and before is not None:
                await self._end(evse_uid, now)
            elif reason and before is None:
                for outage in _begun(Outage(str(uuid4()), evse_uid, live.identity, reason, began), live.station):
                    begun.put(outage_put(outage, expect=UNUSED))
                down[evse_uid] = covered
            elif before is not None and before != covered:
                await self._turn(evse_uid, live.station, now)
        if begun.writes:
            await self._hub.store.commit(begun)
            self._watched.update((one.evse_uid, one) for one in fresh)
            self._down |= down

    def due_s(self, live: Live) -> float:
        """In how many seconds an outage of this station may begin, though nothing is heard."""
        grace_s = self._hub.settings.offline_grace_s - self._gone_s(live)
        return grace_s if live.link is None and grace_s > 0 else math.inf

    async def end_others(self, stations: Iterable[Live], now: datetime) -> None:
        """EVSEs that no station serves any more were taken away: their outages are over, and so is the watch."""
        served = {evse_uid for live in stations for evse_uid in _evses(live)}
        for evse_uid in self._down.keys() - served:
            await self._end(evse_uid, now)
        for evse_uid in self._watched.keys() - served:
            over = replace(self._watched[evse_uid], until=now)
            await self._hub.store.commit(Unit().delete(Delete(WATCHED, evse_uid)).put(watched_put(over)))
            del self._watched[evse_uid]

    def _down_since(self, live: Live, numbers: list[int], now: datetime) -> tuple[datetime, str | None]:
        """Since when an EVSE is down and why; "": it is up; None: nobody knows."""
        if live.link is None:
            gone_s = self._gone_s(live)
            return now - timedelta(seconds=gone_s), "offline" if gone_s >= self._hub.settings.offline_grace_s else None
        whole = live.connectors.get(0)
        if whole is not None and whole.status in _BROKEN:
            return now, whole.status
        heard = [live.connectors[number].status for number in numbers if number in live.connectors]
        works = any(status not in _BROKEN for status in heard)
        if not works and len(heard) < len(numbers):
            return now, None
        return now, "" if works else heard[0]

    def _gone_s(self, live: Live) -> float:
        return self._hub.clock.monotonic() - live.offline_since

    def _seen(self, live: Live, evse_uid: str, now: datetime) -> WatchedEvse | None:
        """What is to be kept of this EVSE, if it is another than is known."""
        known = self._watched.get(evse_uid)
        since = known.since if known is not None else now
        fresh = WatchedEvse(evse_uid, live.identity, live.station.location, since)
        return fresh if fresh != known else None

    async def _end(self, evse_uid: str, now: datetime) -> None:
        unit = Unit()
        for document in await self._hub.store.select(OUTAGES, equal={"evse": evse_uid, "state": OPEN}):
            unit.put(outage_put(replace(outage_in(document), ended=now), expect=document.version))
        await self._hub.store.commit(unit)
        self._down.pop(evse_uid, None)

    async def _turn(self, evse_uid: str, station: Station, now: datetime) -> None:
        """Its maintenance began or ended: the outage goes on as another one, which counts or does not."""
        unit = Unit()
        for document in await self._hub.store.select(OUTAGES, equal={"evse": evse_uid, "state": OPEN}):
            before = outage_in(document)
            unit.put(outage_put(replace(before, ended=now), expect=document.version))
            goes_on = Outage(str(uuid4()), evse_uid, station.identity, before.reason, now)
            unit.put(outage_put(_in_maintenance(goes_on, station), expect=UNUSED))
        await self._hub.store.commit(unit)
        self._down[evse_uid] = covers(station, evse_uid)


def _begun(outage: Outage, station: Station) -> list[Outage]:
    """It, or two: what came before the maintenance counts."""
    marked = _in_maintenance(outage, station)
    since = station.maintenance.since if station.maintenance is not None else outage.began
    if not marked.maintenance or outage.began >= since:
        return [marked]
    return [replace(outage, id=str(uuid4()), ended=since), replace(marked, began=since)]


def _in_maintenance(outage: Outage, station: Station) -> Outage:
    """Marked as such, if its EVSE is."""
    now = station.maintenance
    if now is None or not covers(station, outage.evse_uid):
        return outage
    return replace(outage, excluded=MAINTENANCE, excluded_by=now.by, maintenance=True)


def _evses(live: Live) -> dict[str, list[int]]:
    """The connectors of each EVSE that is in service."""
    found: dict[str, list[int]] = {}
    for number, place in live.station.places().items():
        if not hides(live.station, place.evse_uid):
            found.setdefault(place.evse_uid, []).append(number)
    return found
