"""All sites of a gateway at work: one steering each, as the register has them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Final

import structlog

from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from partners.ocpp.live import Live
from partners.ocpp.numbering import number_of
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.register import folded
from partners.ocpp.rpc import Brief, Handler, Incoming, Ready
from partners.ocpp.sites.echo import Echo
from partners.ocpp.sites.metering import Arrived
from partners.ocpp.sites.register import Sites
from partners.ocpp.sites.roll import Roll
from partners.ocpp.sites.steering import Steering
from partners.ocpp.sites.teller import Teller
from partners.ocpp.together import Done
from partners.ocpp.transactions import Transactions

log = structlog.get_logger()

_QUIET: Final = frozenset({"Heartbeat", "Authorize", "DataTransfer"})
"""Messages that change nothing for a site."""
_MV: Final = 230_000


class SitesAtWork:
    """`start` once the register of stations and what was going on are read."""

    def __init__(self, hub: Hub, sites: Sites, stations: ChargerOrders, transactions: Transactions) -> None:
        self._hub, self._sites, self._transactions = hub, sites, transactions
        self.roll = Roll(hub, sites, stations, transactions)
        self._teller = Teller(stations)
        self._echo = Echo(hub)
        self._steering: dict[str, tuple[Steering, asyncio.Task[None]]] = {}
        self._is_running = False

    async def start(self) -> None:
        """Take up what chargers were told before, and go on."""
        await self._sites.refresh()
        await self.roll.load()
        self._is_running = True
        self._sites.on_change = self._changed
        self._changed()

    async def stop(self) -> None:
        """Tell nobody anything more."""
        self._is_running = False
        self._sites.on_change = lambda: None
        tasks = [task for _, task in self._steering.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for steering, _ in self._steering.values():
            await steering.stop()
        self._steering.clear()

    def _changed(self) -> None:
        for known in self._sites.all():
            if known.name not in self._steering or self._steering[known.name][1].done():
                steering = Steering(self._hub, self.roll, self._teller, known.name, took=self._echo.changed)
                task = asyncio.create_task(steering.run(), name=f"site {known.name}")
                self._steering[known.name] = (steering, task)
        for steering, _ in self._steering.values():
            steering.ring()
        self._hub.background.start(self.roll.forget_others(), name="EVSEs of no site")

    def manages(self, live: Live) -> bool:
        """Does any of its EVSEs hang at a site that is steered here?"""
        return self._is_running and any(self._sites_of(live))

    def stirred(self, live: Live) -> None:
        """Its socket came or went, or something was heard of it."""
        for name in set(self._sites_of(live)):
            if name in self._steering:
                self._steering[name][0].ring()

    def listening(self, live: Live, handler: Handler) -> Handler:
        """`handler`, and after each answer a look at what the charger said."""

        async def handled(incoming: Incoming) -> Tree:
            answer = await handler(incoming)
            self.heard(live, incoming.action, incoming.payload)
            return answer

        return handled

    def unhurried(self, live: Live, brief: Mapping[str, Brief]) -> Mapping[str, Brief]:
        """What may be answered at once; at a site that is steered every message is read in full."""

        def answer(action: str, text: str, done: Done) -> Ready | None:
            return None if self.manages(live) else brief[action](text, done)

        return {action: partial(answer, action) for action in brief}

    def heard(self, live: Live, action: str, payload: Tree) -> None:
        """A message of a charger was handled."""
        link, now = live.link, self._hub.clock.now()
        if action in _QUIET or link is None or not self.manages(live):
            return
        self.roll.clocks.heard(link, payload, now)
        values = payload.get("meterValue")
        connector = self._connector(live, payload) if values is not None else None
        if connector is not None:
            arrived = Arrived(now, self.roll.clocks.behind(link))
            self.roll.meters.heard(folded(live.identity), connector, values, arrived, mv=self._mv(live))
        self.stirred(live)

    def of_evse(self, evse_uid: str) -> Steering | None:
        """Who steers it."""
        known = self._sites.of_evse(evse_uid)
        found = self._steering.get(known.name) if known is not None else None
        return found[0] if found is not None else None

    def _mv(self, live: Live) -> int:
        known = self._sites.find(next(iter(self._sites_of(live)), ""))
        return min(known.site.volts_mv) if known is not None else _MV

    def _sites_of(self, live: Live) -> list[str]:
        found = [self._sites.of_evse(evse.evse_uid) for evse in live.station.evses.values()]
        return [known.name for known in found if known is not None]

    def _connector(self, live: Live, payload: Tree) -> int | None:
        """Whose meter it is. In 2.x an EVSE is named, or, after the first event, the transaction alone (rule R11)."""
        named, evse = payload.get("connectorId"), payload.get("evse", {"id": payload.get("evseId")})
        if type(named) is int:
            return named
        if isinstance(evse, dict) and type(evse.get("id")) is int:
            connector = evse.get("connectorId")
            return number_of(evse["id"], connector if type(connector) is int else None)
        told = payload.get("transactionInfo")
        number = told.get("transactionId") if isinstance(told, dict) else None
        open_ = self._transactions.open_at(live.identity)
        return next((at for at, record in open_.items() if number is not None and record.number == number), None)
