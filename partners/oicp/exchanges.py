"""What goes to and fro with another hub only where its connection says so: our cards, our prices, its prices."""

from __future__ import annotations

from functools import partial
from typing import Final

import structlog

from hub.core.errors import BusbarError, PeerRefused
from hub.core.registry import State
from partners.oicp.agreed import terms_with
from partners.oicp.apart import Apart
from partners.oicp.bridge import Bridge
from partners.oicp.connection import Connection
from partners.oicp.evse_sending import Refusal
from partners.oicp.operators import Operators
from partners.oicp.our_cards import cards_set, our_cards
from partners.oicp.our_prices import evses_set, our_evse_prices, our_products, products_set
from partners.oicp.price_pull import PricePull
from partners.oicp.set_push import SetPush

log = structlog.get_logger()

_LOOK_EVERY_S: Final = 60.0


class Exchanges:
    """See the module."""

    def __init__(self, bridge: Bridge, prices: PricePull, operators: Operators) -> None:
        self._bridge = bridge
        self._hub = bridge.hub
        self.sets = SetPush(bridge)
        self.prices = prices
        self._operators = operators
        self._apart = Apart(bridge.hub, "oicp cards and prices")
        self._not_before: dict[str, float] = {}
        self._prices_at: dict[str, float] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._hub.clock.sleep(_LOOK_EVERY_S)
            for connection in self._bridge.connections.all():
                if self._is_there(connection):
                    self._apart.begin(connection.partner, partial(self._guarded, connection))

    def _is_there(self, connection: Connection) -> bool:
        if connection.kind != "hub" or not connection.base_url:
            return False
        is_connected = self._hub.registry.get(connection.partner).state is State.CONNECTED
        return is_connected and self._hub.clock.monotonic() >= self._not_before.get(connection.partner, 0.0)

    async def _guarded(self, connection: Connection) -> None:
        name, now = connection.partner, self._hub.clock.monotonic()
        try:
            await self.push(name)
            if connection.pulls_prices and connection.provider_ids and now >= self._prices_at.get(name, 0.0):
                await self.prices.pull(name)
                self._prices_at[name] = now + connection.data_every_s
        except (BusbarError, Refusal) as fault:
            log.warning("cards or prices wait", partner=name, why=str(fault)[:200])
            self._not_before[name] = now + self._pause_s(fault)
        except Exception as error:  # one odd object must not stop this for ever
            log.exception("cards or prices failed", partner=name, error=type(error).__name__)
            self._not_before[name] = now + self._hub.settings.lane_cap_s

    def _pause_s(self, fault: Exception) -> float:
        """As long as the hub asks for, where it says so."""
        asked_s = fault.retry_after_s if isinstance(fault, PeerRefused) else None
        return self._hub.settings.lane_cap_s if asked_s is None else asked_s

    async def push(self, name: str) -> None:
        """Our cards and prices, as they are now. Raises: PeerFault's children, Refusal, NotReady."""
        connection = self._bridge.connections.get(name)
        if connection.leaves_cards and connection.provider_ids:
            cards, blocked = await our_cards(self._hub, connection)
            await self.sets.push(connection, cards_set(self._hub, connection), cards, at_once=blocked)
        if connection.pushes_prices and connection.operator_ids:
            await self._operators.refresh()
            terms = terms_with(connection, self._operators.said(self._hub.settings.party))
            products, names = await our_products(self._hub, connection, terms)
            await self.sets.push(connection, products_set(self._hub, connection, terms), products)
            evses = await our_evse_prices(self._hub, names)
            await self.sets.push(connection, evses_set(self._hub, connection), evses)
