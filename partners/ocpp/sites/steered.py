"""The orders of modules to chargers, where sites are steered: there a partner's limits are wishes.

A wish is taken into the allocation, which never gives more than the site's limits for it. It is called ACCEPTED once
the charger has taken a share that keeps it; one that cannot be had so in its time is taken back, as if never made. A
charger that is known at that moment not to do what it is told keeps no wish, whatever it accepts.
Everywhere else orders go to the charger as they are.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

import structlog

from hub.core.errors import InvalidRequest
from hub.core.ports import Hub, Limits, ProfileOutcome
from partners.ocpp.energy.wishes import wish_of
from partners.ocpp.live import Live
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.passwords import Passwords
from partners.ocpp.sites.register import Sites
from partners.ocpp.sites.state import EvseState, Wish
from partners.ocpp.sites.steering import Steering
from partners.ocpp.sites.work import SitesAtWork
from partners.ocpp.transactions import Transactions

log = structlog.get_logger()

_WH_PER_KWH: Final = 1000


class SteeredOrders(ChargerOrders):
    """The stations, as modules see them, with the sites at which they stand."""

    def __init__(self, hub: Hub, keeper: Passwords, transactions: Transactions) -> None:
        super().__init__(hub, keeper, transactions)
        self.sites = Sites(hub)
        self.work = SitesAtWork(hub, self.sites, self, transactions)

    async def refresh(self) -> None:
        """Read again what somebody else wrote of stations and sites."""
        await super().refresh()
        await self.sites.refresh()

    async def limit(
        self, station: str, *, transaction: str, number: int, limits: Limits, timeout_s: float
    ) -> ProfileOutcome | None:
        """A wish, where the session is at a site; else a profile at the charger."""
        found = self._steered(station, transaction)
        if found is None:
            return await super().limit(
                station, transaction=transaction, number=number, limits=limits, timeout_s=timeout_s
            )
        try:
            wish_of(limits, begun=self.hub.clock.now(), mv=1)
        except InvalidRequest:
            return ProfileOutcome.REJECTED
        return await self._wished(*found, _wish(number, limits), timeout_s)

    async def unlimit(self, station: str, *, number: int, timeout_s: float) -> ProfileOutcome:
        """Withdraw a wish; where there is none of this number, a profile at the charger."""
        live = self.find(station)
        for uid in self._evses(live) if live is not None else ():
            steering = self.work.of_evse(uid)
            if steering is None:
                continue
            state = steering.state(uid)
            if state.row.wish is not None and state.row.wish.number == number:
                return await self._wished(steering, state, None, timeout_s)
        return await super().unlimit(station, number=number, timeout_s=timeout_s)

    async def restore(
        self, station: str, *, transaction: str, number: int, limits: Limits | None, timeout_s: float
    ) -> ProfileOutcome | None:
        """The wish from before, whatever the charger says to it; or none."""
        found = self._steered(station, transaction)
        if found is None:
            return await super().restore(
                station, transaction=transaction, number=number, limits=limits, timeout_s=timeout_s
            )
        steering, state = found
        state.row.wish = None if limits is None else _wish(number, limits)
        await steering.save()
        steering.ring()
        return ProfileOutcome.ACCEPTED

    async def limits(
        self, station: str, *, transaction: str, duration_s: int, unit: str, timeout_s: float
    ) -> Limits | ProfileOutcome:
        """As the charger shows them; at a site they are for now, as shares are told one after the other."""
        shown = await super().limits(
            station, transaction=transaction, duration_s=duration_s, unit=unit, timeout_s=timeout_s
        )
        if isinstance(shown, ProfileOutcome) or self._steered(station, transaction) is None:
            return shown
        return replace(shown, is_for_now=True)

    async def prefer(
        self, station: str, *, transaction: str, departure: datetime | None, need_kwh: Decimal | None, timeout_s: float
    ) -> bool:
        """When a driver leaves, and with how much: heeded at a site. Returns: is it?"""
        found = self._steered(station, transaction)
        if found is None:
            return False
        steering, state = found
        state.row.departure = departure
        state.row.need_wh = None if need_kwh is None else int(need_kwh * _WH_PER_KWH)
        await steering.save()
        steering.ring()
        return True

    async def _wished(
        self, steering: Steering, state: EvseState, wish: Wish | None, timeout_s: float
    ) -> ProfileOutcome:
        if wish is not None and state.is_unruly:
            log.warning("wish at a charger that does not do what it is told", evse=state.row.evse)
            return ProfileOutcome.REJECTED
        row, before = state.row, state.row.wish
        row.wish = wish
        await steering.save()
        try:
            async with asyncio.timeout(timeout_s):
                outcome = await steering.follows(state)
        except TimeoutError:
            outcome = ProfileOutcome.REJECTED
        if outcome is not ProfileOutcome.ACCEPTED and state.row is row:
            row.wish = before
            await steering.save()
            steering.ring()
        return outcome

    def _steered(self, station: str, session_id: str) -> tuple[Steering, EvseState] | None:
        """Who steers the charge of a session; None, where nobody does."""
        record, live = self._transactions.of_session(station, session_id), self.find(station)
        place = live.station.places().get(record.connector) if record is not None and live is not None else None
        steering = self.work.of_evse(place.evse_uid) if place is not None else None
        if steering is None or place is None or record is None:
            return None
        return steering, steering.state_of(place.evse_uid, record)

    def _evses(self, live: Live) -> list[str]:
        return [place.evse_uid.upper() for place in live.station.places().values()]


def _wish(number: int, limits: Limits) -> Wish:
    return Wish(number, limits.unit, limits.periods, limits.start, limits.duration_s)
