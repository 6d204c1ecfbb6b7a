"""The roll of all EVSEs of sites: their states, and what can be seen of each now through stations and transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hub.core.ports import Hub
from hub.core.units import Delete, Put, Unit
from partners.ocpp.events import TransactionId
from partners.ocpp.journal import Record
from partners.ocpp.live import Link, Live
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.register import folded
from partners.ocpp.sites import rows
from partners.ocpp.sites.clocks import Clocks
from partners.ocpp.sites.metering import Metered, Meters
from partners.ocpp.sites.present import Seen, used_phases
from partners.ocpp.sites.register import Known, Sites
from partners.ocpp.sites.state import EvseRow, EvseState, state_in
from partners.ocpp.transactions import Transactions


class Roll:
    """Of one gateway. Read once, at its start; from then on it alone writes."""

    def __init__(self, hub: Hub, sites: Sites, stations: ChargerOrders, transactions: Transactions) -> None:
        self._hub, self._sites, self._stations, self._transactions = hub, sites, stations, transactions
        self.meters = Meters()
        self.clocks = Clocks()
        self._states: dict[tuple[str, str], EvseState] = {}
        self._writing = asyncio.Lock()
        """What is being written of an EVSE that leaves its site is on disk before it is deleted there."""

    async def load(self) -> None:
        """What chargers were told before a stop of ours."""
        for document in await self._hub.store.select(rows.SITE_EVSES, limit=rows.MOST_ROWS):
            state = state_in(document)
            self._states[state.row.site, state.row.evse] = state

    def known(self, site: str) -> Known | None:
        return self._sites.find(site)

    def state(self, site: str, evse: str) -> EvseState:
        """Of one EVSE."""
        state = self._states.get((site, evse))
        if state is None:
            state = self._states[site, evse] = EvseState(EvseRow(site, evse))
        return state

    def look(self, known: Known, now: datetime) -> dict[str, Seen]:
        """Every EVSE of the site as it is; charges that began and ended are noted in the states."""
        return {uid: self._seen(known, uid, now) for uid in known.site.evse}

    def _seen(self, known: Known, uid: str, now: datetime) -> Seen:
        state, places = self.state(known.name, uid), self._stations.places_of(uid)
        record = self._charge_at(uid)
        if record is not None and record.key != state.row.charge:
            self.note(state, record, now)
        elif record is None and state.row.charge:
            state.end()
        station = record.station if record is not None else places[0].station if places else ""
        if station != state.row.station:
            state.row.station, state.row.safe_ma = station, None
        metered = None
        if record is not None:
            metered = self.meters.of(folded(record.station), record.connector)
            state.row.uses = used_phases(state.row.uses, metered, known.rules)
        link = self.link_of(state)
        is_ready = link is not None and state.ready_for == link.generation
        is_ready = is_ready and state.row.safe_ma in (None, known.site.evse[uid].safe_ma)
        drawn_wh = _drawn_wh(record, metered.wh if metered else None)
        is_empty, is_online = link is not None and self._is_empty(link, uid), self._is_online(state)
        is_doubted = link is not None and _is_doubted(state, link, metered, now - known.rules.fresh)
        return Seen(state, bool(places), is_ready, metered, drawn_wh, is_empty, is_online, is_doubted)

    def _is_online(self, state: EvseState) -> bool:
        live = self._stations.find(state.row.station)
        return live is not None and live.link is not None

    def _is_empty(self, link: Link, uid: str) -> bool:
        heard = (link.newest.get(connector) for connector in self.connectors_of(uid))
        return all(each is not None and each.status == "Available" for each in heard)

    def note(self, state: EvseState, record: Record, now: datetime) -> None:
        """A charge began at an EVSE."""
        self.meters.forget(folded(record.station), record.connector)
        state.begin(record.key, record.session, record.connector, now)

    def _charge_at(self, uid: str) -> Record | None:
        """The charge that goes on at an EVSE; of several the newest."""
        found: list[Record] = []
        for place in self._stations.places_of(uid):
            record = self._transactions.open_at(place.station).get(place.connector)
            if record is not None:
                found.append(record)
        return max(found, key=lambda record: (record.start is not None, record.start, record.key), default=None)

    def transaction_of(self, state: EvseState) -> TransactionId | None:
        """The number of its charge, as its charger knows it."""
        record = self._transactions.open_at(state.row.station).get(state.row.connector)
        return record.number if record is not None and record.key == state.row.charge else None

    def link_of(self, state: EvseState) -> Link | None:
        """The socket of its charger, if it is up and the charger need not wait."""
        live = self._stations.find(state.row.station) if state.row.station else None
        link = live.link if live is not None else None
        return None if link is None or link.waits else link

    def settles_in_s(self, link: Link) -> float:
        """How long it is still to be left in peace after it connected."""
        opened_s = (self._hub.clock.now() - link.opened).total_seconds()
        return max(0.0, self._hub.settings.ocpp_settle_s - opened_s)

    def connectors_of(self, uid: str) -> list[int]:
        return [place.connector for place in self._stations.places_of(uid)]

    def charging(self, live: Live) -> Iterable[int]:
        """The connectors of a station at which charges go on."""
        return self._transactions.open_at(live.identity)

    def can_be_limited(self, live: Live) -> bool:
        """Does it support smart charging, as far as is known?"""
        return self._stations.supports(live.identity, "SmartCharging")

    def unit_of(self, live: Live) -> str:
        """In what its charger wants to be told limits: A, or W."""
        return self._stations.limit_rules(live.identity).units[0]

    async def save(self, site: str) -> None:
        """Write what changed of a site's EVSEs."""
        await self.keep(*[state for (name, _), state in self._states.items() if name == site])

    async def keep(self, *states: EvseState) -> None:
        """Write what changed of some, but for EVSEs that are no more."""
        async with self._writing:
            here = [state for state in states if self._states.get((state.row.site, state.row.evse)) is state]
            puts = [(state, put) for state in here if (put := state.unsaved()) is not None]
            if puts:
                await self._hub.store.commit(Unit([put for _, put in puts]))
                for state, put in puts:
                    state.saved = put.body

    async def forget_others(self) -> None:
        """The rows of EVSEs and sites that are no more."""
        gone = [key for key in self._states if (known := self.known(key[0])) is None or key[1] not in known.site.evse]
        states = {"/".join(key): self._states.pop(key) for key in gone}
        async with self._writing:
            deletes: list[Put | Delete] = [Delete(rows.SITE_EVSES, key) for key in states if states[key].saved]
            if deletes:
                await self._hub.store.commit(Unit(deletes))

    def evse_of(self, station: str, connector: int) -> str | None:
        """The EVSE behind a connector."""
        live: Any = self._stations.find(station)
        place = live.station.places().get(connector) if live is not None else None
        return place.evse_uid.upper() if place is not None else None


def _is_doubted(state: EvseState, link: Link, metered: Metered | None, stale: datetime) -> bool:
    """See `Seen.is_doubted`; `stale`: what was read before that is too old."""
    drew = state.row.drew
    is_read = metered is not None and metered.says_power and metered.at >= link.opened
    return drew is not None and not is_read and drew.at < stale < link.opened


def _drawn_wh(record: Record | None, wh: int | None) -> int | None:
    if record is None or wh is None or record.meter_start_wh is None:
        return None
    return max(0, wh - int(record.meter_start_wh))
