"""Prices that came in OICP as tariffs of OCPI, and their ids at the connectors of EVSEs.

A product for all providers is a tariff for everybody; one for a single provider is addressed to that party, and nobody
else has it. EVSEs without a product have the operator's default price. What OCPI cannot say exactly is no tariff, and
its operator sees why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import structlog

from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS
from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Document, Put, Unit
from modules.tariffs import foreign
from modules.tariffs.wire import TARIFF
from partners.oicp import ids
from partners.oicp.agreed import terms_with
from partners.oicp.connections import Connections
from partners.oicp.evse_intake import OICP_PROJECTIONS
from partners.oicp.evse_table import HERE, OICP_EVSES, EvseRow
from partners.oicp.findings import finding
from partners.oicp.former_prices import keep_former
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.products import DEFAULT as DEFAULT_ID
from partners.oicp.mapping.products import default_tariff_of, tariff_id, tariff_ids_of, tariff_of
from partners.oicp.mapping.terms import Terms
from partners.oicp.prices import DEFAULT, DONE, EVSE, NOW, OICP_PRICES, PRODUCT, Price, Prices, has_power, read
from partners.oicp.rounds import Rounds
from partners.oicp.wire.values import EVERYBODY

log = structlog.get_logger()

_A_STEP: Final = 200
_READ: Final = 2000


class PriceTariffs:
    """See the module."""

    def __init__(self, hub: Hub, connections: Connections, prices: Prices) -> None:
        self._hub = hub
        self._connections = connections
        self._prices = prices
        self._rounds = Rounds(hub, self._round, waits="prices wait to be tariffs")
        self.on_locations: Callable[[], None] = lambda: None
        """Called when locations are to be made anew."""

    def wake(self) -> None:
        """There is something to do."""
        self._rounds.ring()

    async def run(self) -> None:
        """For ever, also over times without a database."""
        await self._rounds.run()

    async def _round(self) -> None:
        await self.catch_up()
        self.on_locations()

    async def catch_up(self) -> bool:
        """Make what is due what it is in OCPI. Returns: did anything change? Raises: NotReady, Conflict."""
        changed = False
        while found := await self._hub.store.select(OICP_PRICES, equal={"due": NOW}, limit=_A_STEP):
            for document in found:
                await self._make(document, read(document))
                changed = True
        return changed

    async def _make(self, document: Document, price: Price) -> None:
        locations: list[str] = []
        if price.what == EVSE:
            rows = await self._hub.store.get_many(OICP_EVSES, [price.name])
            locations = [row.columns["location"] for row in rows.values()]
        else:
            await self._write(price)
            if price.what == DEFAULT and price.provider == EVERYBODY:
                locations = await self._locations(price.source)
        unit = Unit().put(replace(price, due=DONE).put(expect=document.version))
        for location in dict.fromkeys(locations):
            if location:
                unit.put(Put(OICP_PROJECTIONS, location, b""))
        try:
            async with self._prices.in_turn.turn:
                await self._hub.store.commit(unit)
        except Conflict:
            return  # it has changed meanwhile, and is due again

    async def _locations(self, source: str) -> list[str]:
        """All of an operator."""
        found: dict[str, None] = {}
        after = 0
        equal = {"source": source, "gone": HERE}
        while rows := await self._hub.store.select(OICP_EVSES, equal=equal, limit=_READ, after_seq=after):
            found.update((row.columns["location"], None) for row in rows)
            after = rows[-1].seq
        return list(found)

    async def _write(self, price: Price) -> None:
        """The tariff, or its end. Raises: NotReady, Conflict."""
        owner, reasons, name = Party.parse(price.owner), {}, price.name or DEFAULT_ID
        spot = foreign.Spot(owner, tariff_id(name, _provider(price)), _audience(price))
        try:
            await self._put(spot, None if price.gone else self._tariff(price, owner))
        except (NotSayable, InvalidRequest) as fault:
            await self._put(spot, None)  # what it was before is its price no more
            reasons = {name: f"a price is no tariff of OCPI: {str(fault)[:150]}"}
        if price.what == PRODUCT and not price.gone and not has_power(price):
            reasons |= {f"{name} MaximumProductChargingPower": "not told over OICP: a product without its power"}
        write = finding(f"price/{price.key}", price.owner, reasons)
        if reasons or await self._hub.store.get(write.kind, write.key) is not None:
            await self._hub.store.commit(Unit([write]))

    async def _put(self, spot: foreign.Spot, tree: Tree | None) -> None:
        """Raises: NotReady, Conflict, InvalidRequest."""
        await keep_former(self._hub, spot.key, tree)
        if tree is not None:
            await foreign.put(self._hub, spot, tree)
            return
        with suppress(NotFound):  # it never was one
            await foreign.delete(self._hub, spot)

    def _tariff(self, price: Price, owner: Party) -> Tree:
        """Raises: NotSayable, InvalidRequest."""
        connection = self._connections.of(price.source.partition("/")[0])
        terms = terms_with(connection) if connection is not None else Terms()
        now, provider = timestamp(self._hub.clock.now()), _provider(price)
        if price.what == DEFAULT:
            tree = default_tariff_of(price.tree, owner, terms, received=now).value
        else:
            tree = tariff_of(price.tree, owner, terms, received=now, provider=provider).value
        read_again: Tree = TARIFF[VERSIONS[-1]].read(tree).tree()
        return read_again

    async def tariff_ids(self, rows: Sequence[EvseRow]) -> Mapping[str, Sequence[str]]:
        """What connectors name: products for everybody, from who tells of the EVSE; else the default price."""
        told = await self._prices.of_evses([row.key for row in rows])
        tellers = {row.key: row.source.partition("/")[0] for row in rows}
        pricing = [price.tree for key, prices in told.items() for price in prices if price.teller == tellers[key]]
        found: dict[str, Sequence[str]] = dict(tariff_ids_of(pricing, None))
        defaults: dict[str, bool] = {}
        for row in rows:
            if row.source not in defaults:
                defaults[row.source] = await self._has_default(row.source)
            if row.key not in found and defaults[row.source]:
                found[row.key] = [tariff_id(DEFAULT_ID)]
        return found

    async def _has_default(self, source: str) -> bool:
        async for _, price in self._prices.of_source(source, DEFAULT):
            if price.provider == EVERYBODY:
                return True
        return False


def _provider(price: Price) -> str:
    return EVERYBODY if price.provider == EVERYBODY else str(ids.ProviderID.parse(price.provider))


def _audience(price: Price) -> str:
    """The only party that may have it."""
    return "" if price.provider == EVERYBODY else str(ids.ProviderID.parse(price.provider).party())
