"""What the world sees of our EVSEs: the status of each, worked out from its connectors, told when it has stood a while.

A connector that flickers is told when its EVSE has had one OCPI status for that while: Preparing, Charging and
SuspendedEV within a second are all CHARGING, told once; Preparing for a moment is told not at all. Nothing is said of
an EVSE of which we know nothing: after a restart it keeps what was last told, until its charger speaks or stays away
too long. But whether we hold a reservation there is on record, and may have changed when we stopped or since: by that
what is free is RESERVED, and what was RESERVED is AVAILABLE, whether its charger speaks or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

import structlog

from hub.core.errors import BusbarError, UnknownLocation
from hub.core.ports import Hub
from modules.locations import service as locations
from partners.ocpp import commissioning, maintenance
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
        """Tell at once what reservations have changed that was not told before we stopped."""
        await self._reserved.refresh()
        evses = [(live, evse.evse_uid) for live in stations for evse in live.station.evses.values()]
        places = {live.station.location for live, _ in evses} - {""}
        told = await locations.shown_as(self._hub.store, places, "RESERVED")
        for live, evse_uid in evses:
            is_told = (live.station.location, evse_uid.upper()) in told
            if self._reserved.has(live.identity, evse_uid) != is_told:
                await self._show(live.identity, evse_uid)

    async def changed(self, live: Live, connector: int | None = None) -> None:
        """Something about a connector changed (None or 0: about the whole station)."""
        delay = self._hub.settings.ocpp_status_debounce_s
        for number, place in live.station.places().items():
            if not connector or number == connector:
                key = (live.identity, place.evse_uid)
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
        numbers = [number for number, place in live.station.places().items() if place.evse_uid == evse_uid]
        whole = live.connectors.get(0)
        seen = Seen(
            tuple(live.connectors[number].status for number in numbers if number in live.connectors),
            whole=whole.status if whole is not None else None,
            offline_for=self._offline_for(live),
            charging=bool(self._charging(live.identity).intersection(numbers)),
            reserved=self._reserved.has(live.identity, evse_uid),
        )
        if maintenance.covers(live.station, evse_uid) and not seen.charging:
            return evse_status(Seen(("Unavailable",)), live.station.switches.of_status)
        return evse_status(seen, live.station.switches.of_status)

    def _offline_for(self, live: Live) -> timedelta | None:
        """How long it is gone, such that the grace of the settings is the grace of the table."""
        if live.link is not None:
            return None
        gone = self._hub.clock.monotonic() - live.offline_since
        return OFFLINE_GRACE * (gone / self._hub.settings.offline_grace_s)

    async def _by_reservation(self, live: Live, evse_uid: str) -> str:
        """What is to be told where its charger has not spoken; "": what was last told. Raises: UnknownLocation."""
        tree = await locations.get_tree(self._hub.store, live.station.location)
        told = str(locations.evse_in(tree, evse_uid)["status"])
        return _BY_RESERVATION.get((told, self._reserved.has(live.identity, evse_uid)), "")

    async def _show(self, identity: str, evse_uid: str) -> None:
        live = self._find(identity)
        if live is None or not live.station.location or commissioning.hides(live.station, evse_uid):
            return
        async with self._slots, self._turns.setdefault(live.station.location, asyncio.Lock()):
            status = self.status_of(live, evse_uid)
            offline_for = self._offline_for(live)
            try:
                if status == "UNKNOWN" and (offline_for is None or offline_for <= OFFLINE_GRACE):
                    status = await self._by_reservation(live, evse_uid)
                    if not status:
                        return
                now = self._hub.clock.now()
                await locations.set_status(self._hub.store, live.station.location, evse_uid, status, now=now)
            except UnknownLocation:
                log.warning("station on no location", station=identity, evse_uid=evse_uid)
            except BusbarError as error:
                log.warning("status not kept", station=identity, error=error.message)
                again = _Waiting(status, self._hub.clock.monotonic() + 1)
                self._waiting.setdefault((identity, evse_uid), again)
