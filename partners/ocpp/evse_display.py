"""What the world sees of our EVSEs: the status of each, worked out from its connectors, told when it has stood a while.

A connector that flickers is told when its EVSE has had one OCPI status for that while: Preparing, Charging and
SuspendedEV within a second are all CHARGING, told once; Preparing for a moment is told not at all. Nothing is said of
an EVSE of which we know nothing: after a restart it keeps what was last told, until its charger speaks or stays away
too long. But what is our own doing is on record, and may have changed when we stopped or since. It counts from our
start on, whether the charger speaks or not:

- Where we hold a reservation what is free is RESERVED, and where we hold none any more what was RESERVED is AVAILABLE.
- An EVSE in maintenance is shown by that, and what it would be shown as without is kept on disk meanwhile
  (`Learned.behind_maintenance`): by what its charger says, at once and whether it stands or not; UNKNOWN, when that
  stays away too long; and where it has said nothing since our start, what was told before the maintenance. This is
  shown when the maintenance is over, until the charger speaks. Of an EVSE that was in maintenance before such records
  were kept nobody knows whether its charger works: it is UNKNOWN then. A charger is asked when it connects
  (`settling.py`), but need not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple

import structlog

from hub.core.errors import BusbarError, UnknownLocation
from hub.core.ports import Hub
from hub.core.units import Unit
from modules.locations import service as locations
from partners.ocpp import commissioning, maintenance, register
from partners.ocpp.live import Live
from partners.ocpp.reserved_evses import ReservedEvses
from partners.ocpp.status import OFFLINE_GRACE, Seen, evse_status

log = structlog.get_logger()

_AT_ONCE = 32
_BY_RESERVATION: Final[Mapping[tuple[str, bool], str]] = {
    ("AVAILABLE", True): "RESERVED",
    ("RESERVED", False): "AVAILABLE",
}
"""What was last told of an EVSE whose charger has not spoken, and whether we hold a reservation there."""


class _Waiting(NamedTuple):
    """A status of OCPI, and until when (monotonic, seconds) it must stand to be told."""

    status: str
    until: float


class EvseDisplay:
    """Publishes statuses. `charging` tells at which connectors of a station something goes on; `reserved` is read
    again with each tick."""

    def __init__(
        self,
        hub: Hub,
        find: Callable[[str], Live | None],
        charging: Callable[[str], frozenset[int]],
        reserved: ReservedEvses,
    ) -> None:
        self._hub = hub
        self._find = find
        self._charging = charging
        self._reserved = reserved
        self._waiting: dict[tuple[str, str], _Waiting] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._turns: dict[str, asyncio.Lock] = {}

    async def begin(self, stations: Iterable[Live]) -> None:
        """Tell at once what reservations and maintenance have changed that was not told before we stopped."""
        await self._reserved.refresh()
        evses = [(live, evse.evse_uid) for live in stations for evse in live.station.evses.values()]
        places = {live.station.location for live, _ in evses} - {""}
        told = await locations.shown_as(self._hub.store, places, "RESERVED")
        for live, evse_uid in evses:
            is_told = (live.station.location, evse_uid.upper()) in told
            if self._reserved.has(live.identity, evse_uid) != is_told or _is_kept(live, evse_uid):
                await self._in_turn(live, evse_uid, partial(self._tell, at_start=True))

    async def changed(self, live: Live, connector: int | None = None) -> None:
        """Something about a connector changed (None or 0: about the whole station)."""
        delay = self._hub.settings.ocpp_status_debounce_s
        for number, place in live.station.places().items():
            if not connector or number == connector:
                key = (live.identity, place.evse_uid)
                if delay and _is_kept(live, place.evse_uid):
                    await self._in_turn(live, place.evse_uid, self._keep)
                if delay:
                    self._wait(live, key, delay)
                else:
                    await self._show(*key)

    def _wait(self, live: Live, key: tuple[str, str], delay: float) -> None:
        """What waits already, and is said again, goes on waiting; another status begins anew."""
        status, waiting = self.status_of(live, key[1]), self._waiting.get(key)
        if waiting is None or waiting.status != status:
            self._waiting[key] = _Waiting(status, self._hub.clock.monotonic() + delay)

    async def tick(self) -> None:
        """Tell what has stood long enough."""
        for identity in await self._reserved.refresh():
            if (live := self._find(identity)) is not None:
                await self.changed(live)
        now = self._hub.clock.monotonic()
        ready = [key for key, waiting in self._waiting.items() if waiting.until <= now]
        for key in ready:
            del self._waiting[key]
        await asyncio.gather(*(self._show(*key) for key in ready))

    def status_of(self, live: Live, evse_uid: str) -> str:
        """The OCPI status of an EVSE as we know it now; UNKNOWN, when we know nothing."""
        seen = self._seen(live, evse_uid)
        if maintenance.covers(live.station, evse_uid) and not seen.charging:
            return _closed(live)
        return evse_status(seen, live.station.switches.of_status)

    def _seen(self, live: Live, evse_uid: str) -> Seen:
        numbers = [number for number, place in live.station.places().items() if place.evse_uid == evse_uid]
        whole = live.connectors.get(0)
        return Seen(
            tuple(live.connectors[number].status for number in numbers if number in live.connectors),
            whole=whole.status if whole is not None else None,
            offline_for=self._offline_for(live),
            charging=bool(self._charging(live.identity).intersection(numbers)),
            reserved=self._reserved.has(live.identity, evse_uid),
        )

    def _offline_for(self, live: Live) -> timedelta | None:
        """How long it is gone, such that the grace of the settings is the grace of the table."""
        if live.link is not None:
            return None
        gone = self._hub.clock.monotonic() - live.offline_since
        return OFFLINE_GRACE * (gone / self._hub.settings.offline_grace_s)

    def _has_not_spoken(self, live: Live, status: str) -> bool:
        """Do we know nothing of it because its charger has said nothing yet, and not because it is gone?"""
        offline_for = self._offline_for(live)
        return status == "UNKNOWN" and (offline_for is None or offline_for <= OFFLINE_GRACE)

    async def _told(self, live: Live, evse_uid: str) -> str:
        """What partners see of it. Raises: UnknownLocation."""
        tree = await locations.get_tree(self._hub.store, live.station.location)
        return str(locations.evse_in(tree, evse_uid)["status"])

    async def _on_record(self, live: Live, evse_uid: str) -> str:
        """What is to be told where its charger has not spoken; "": what was last told. Raises: UnknownLocation."""
        told, is_reserved = await self._told(live, evse_uid), self._reserved.has(live.identity, evse_uid)
        behind = live.learned.behind_maintenance.get(evse_uid)
        if behind is not None and told not in locations.OPERATORS:
            return _BY_RESERVATION.get((behind, is_reserved), behind)
        return _BY_RESERVATION.get((told, is_reserved), "")

    async def _show(self, identity: str, evse_uid: str) -> None:
        live = self._find(identity)
        if live is not None:
            await self._in_turn(live, evse_uid, self._tell)

    async def _in_turn(self, live: Live, evse_uid: str, do: Callable[[Live, str], Awaitable[None]]) -> None:
        """Do it when nothing else is done at that location; what fails is told by a later tick."""
        identity = live.identity
        if not live.station.location or commissioning.hides(live.station, evse_uid):
            return
        async with self._slots, self._turns.setdefault(live.station.location, asyncio.Lock()):
            try:
                await do(live, evse_uid)
            except UnknownLocation:
                log.warning("station on no location", station=identity, evse_uid=evse_uid)
            except BusbarError as error:
                log.warning("status not kept", station=identity, error=error.message)
                again = _Waiting(self.status_of(live, evse_uid), self._hub.clock.monotonic() + 1)
                self._waiting.setdefault((identity, evse_uid), again)

    async def _tell(self, live: Live, evse_uid: str, *, at_start: bool = False) -> None:
        """Raises: UnknownLocation, Conflict, NotReady."""
        is_covered = maintenance.covers(live.station, evse_uid)
        if is_covered:
            await self._keep(live, evse_uid, at_start=at_start)
        status = self.status_of(live, evse_uid)
        if self._has_not_spoken(live, status):
            status = await self._on_record(live, evse_uid)
        if status:
            now = self._hub.clock.now()
            await locations.set_status(self._hub.store, live.station.location, evse_uid, status, now=now)
        if not is_covered:
            await self._write_behind(live, evse_uid, None)

    async def _keep(self, live: Live, evse_uid: str, *, at_start: bool = False) -> None:
        """Keep what it would be shown as without maintenance. Raises: UnknownLocation, NotReady.

        `at_start`: what is told may be the maintenance itself, shown by one before us that kept nothing.
        """
        seen = replace(self._seen(live, evse_uid), charging=False, reserved=False)
        status = evse_status(seen, live.station.switches.of_status)
        if self._has_not_spoken(live, status):
            if evse_uid in live.learned.behind_maintenance:
                return
            told = await self._told(live, evse_uid)
            is_unclear = told == "REMOVED" or (at_start and told == _closed(live))
            status = "UNKNOWN" if is_unclear else told
        await self._write_behind(live, evse_uid, status)

    async def _write_behind(self, live: Live, evse_uid: str, status: str | None) -> None:
        """None: nothing is kept any more. Raises: NotReady."""
        kept = live.learned.behind_maintenance
        if kept.get(evse_uid) == status:
            return
        fresh = {uid: each for uid, each in {**kept, evse_uid: status}.items() if each is not None}
        live.learned.behind_maintenance = fresh
        try:
            await self._hub.store.commit(Unit().put(register.learned_put(live.learned)))
        except BusbarError:
            live.learned.behind_maintenance = kept
            raise


def _closed(live: Live) -> str:
    """What an EVSE of it is shown as in maintenance."""
    return evse_status(Seen(("Unavailable",)), live.station.switches.of_status)


def _is_kept(live: Live, evse_uid: str) -> bool:
    """Is it to be kept, or still, what the EVSE is shown as without maintenance?"""
    return maintenance.covers(live.station, evse_uid) or evse_uid in live.learned.behind_maintenance
