"""Prices that EMPs pull from us: those for everybody, and those for the EMP that asks.

Those that came in OICP go as they came; tariffs of OCPI go where OICP says them exactly (`offered_prices`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.core.clock import timestamp
from hub.core.ports import Hub
from partners.oicp import ids
from partners.oicp.answers import Code, status
from partners.oicp.face import Call
from partners.oicp.mapping.times import instant
from partners.oicp.offered_prices import OfferedPrices
from partners.oicp.prices import DEFAULT, EVSE, PRODUCT, Price, Prices, has_power
from partners.oicp.wire.values import EVERYBODY

Message = Mapping[str, Any]


class PriceLists:
    """PullPricingProductData and PullEVSEPricing. Only what agreements let the EMP have of others' tariffs."""

    def __init__(self, hub: Hub, prices: Prices, offered: OfferedPrices) -> None:
        self._hub = hub
        self._prices = prices
        self._offered = offered

    async def products(self, call: Call) -> Message:
        """With LastCall, the products that changed since; their default prices always."""
        since = _since(call)
        groups: dict[tuple[str, str], dict[str, Any]] = {}
        async for price in self._prices.visible(self._owners(call), [DEFAULT], _for(call), since=""):
            groups[price.owner, price.provider] = {
                "OperatorID": _operator(call, price.owner),
                **price.tree,
                "PricingProductDataRecords": [],
            }
        async for price in self._prices.visible(self._owners(call), [PRODUCT], _for(call), since=since):
            if not has_power(price):
                continue
            group = groups.setdefault((price.owner, price.provider), _without_default(call, price))
            product = {name: value for name, value in price.tree.items() if name != "ProviderID"}
            group["PricingProductDataRecords"].append(product)
        told = [group for group in groups.values() if group["PricingProductDataRecords"] or not since]
        for owner in self._of_ocpi(call):
            offered = await self._offered.products(call.partner.name, owner)
            told += [{**offered, "OperatorID": _operator(call, owner)}] if offered is not None else []
        return {"PricingProductData": told, "StatusCode": status(Code.SUCCESS)}

    async def evses(self, call: Call) -> Message:
        """With LastCall, those that changed since. An EVSE with a product that is not told has none: as in OCPI."""
        by_owner: dict[str, list[dict[str, Any]]] = {}
        every = self._prices.visible(self._owners(call), [PRODUCT], _for(call), since="")
        untold = {(price.source, price.provider, price.name) async for price in every if not has_power(price)}
        async for price in self._prices.visible(self._owners(call), [EVSE], _for(call), since=_since(call)):
            products = price.tree["EvseIDProductList"]
            if not untold.isdisjoint((price.source, price.provider, product) for product in products):
                continue
            by_owner.setdefault(price.owner, []).append(dict(price.tree))
        for owner in self._of_ocpi(call):
            offered = await self._offered.evses(owner)
            if offered:
                by_owner.setdefault(owner, []).extend(offered)
        told = [{"OperatorID": _operator(call, owner), "EVSEPricing": pricing} for owner, pricing in by_owner.items()]
        return {"EVSEPricing": told, "StatusCode": status(Code.SUCCESS)}

    def _of_ocpi(self, call: Call) -> list[str]:
        return [owner for owner in self._owners(call) if self._offered.is_of_ocpi(owner)]

    def _owners(self, call: Call) -> list[str]:
        """Those of the operators asked about that the EMP may have."""
        may_have = frozenset(self._hub.agreements.owners(call.partner, "tariffs"))
        wanted: dict[str, None] = {}
        for operator in call.message["OperatorIDs"]:
            try:
                wanted[str(ids.OperatorID.parse(operator).party(call.connection.countries))] = None
            except ids.InvalidId:
                continue
        return [owner for owner in wanted if owner in may_have]


def _for(call: Call) -> list[str]:
    return [EVERYBODY, ids.ProviderID.parse(call.id).canonical]


def _since(call: Call) -> str:
    told = call.message.get("LastCall")
    moment: datetime | None = instant(told) if told else None
    return timestamp(moment) if moment is not None else ""


def _operator(call: Call, owner: str) -> str:
    return ids.OperatorID.parse(owner).styled(call.connection.operator_style)


def _without_default(call: Call, price: Price) -> dict[str, Any]:
    """OICP asks for a default; where none was told, a product's own price stands in for it."""
    tree = price.tree
    return {
        "OperatorID": _operator(call, price.owner),
        "ProviderID": tree["ProviderID"],
        "PricingDefaultPrice": tree["PricePerReferenceUnit"],
        "PricingDefaultPriceCurrency": tree["ProductPriceCurrency"],
        "PricingDefaultReferenceUnit": tree["ReferenceUnit"],
        "PricingProductDataRecords": [],
    }
