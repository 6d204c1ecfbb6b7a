"""Prices that CPOs push to us, as the hub: products and their default, and which EVSEs have which products.

As with EVSEs, a push is taken whole or not at all. A fullLoad of products is the whole set of that operator for that
provider (or for all); one of EVSEs the whole set of the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from hub.core.ports import Hub
from hub.core.units import ABSENT, Document, Unit
from partners.oicp import ids
from partners.oicp.answers import Code, Refused, acknowledged
from partners.oicp.evse_table import key_of, now_of
from partners.oicp.face import Call
from partners.oicp.prices import DEFAULT, EVSE, HERE, OICP_PRICES, PRODUCT, Price, Prices, whose
from partners.oicp.whole_pushes import understood_whole

Message = Mapping[str, Any]

_DEFAULTS: Final = ("PricingDefaultPrice", "PricingDefaultPriceCurrency", "PricingDefaultReferenceUnit")


class PricePushes:
    """PushPricingProductData and PushEVSEPricing."""

    def __init__(self, hub: Hub, prices: Prices) -> None:
        self._hub = hub
        self._prices = prices
        self._busy: set[str] = set()
        self._listeners: list[Callable[[], None]] = []

    def on_written(self, callback: Callable[[], None]) -> None:
        """Call back whenever something was written."""
        self._listeners.append(callback)

    async def products(self, call: Call) -> Message:
        """Raises: Refused, Unfit, Conflict."""
        message, _ = understood_whole(call, ("PricingProductData", "PricingProductDataRecords"))
        data = message["PricingProductData"]
        told = products_told(self._source(call, data["OperatorID"]), self._owner(call, data["OperatorID"]), data)
        return await self._take(call, message["ActionType"], told, PRODUCT, data["ProviderID"])

    async def evses(self, call: Call) -> Message:
        """Raises: Refused, Unfit, Conflict."""
        message, _ = understood_whole(call, ("EVSEPricing",))
        own = {ids.OperatorID.parse(each).canonical for each in call.connection.operator_ids}
        for each in message["EVSEPricing"]:
            if ids.EvseID.parse(each["EvseID"]).operator.canonical not in own:
                raise Refused(Code.FOREIGN_EVSE, info=each["EvseID"])
        told = evses_told(self._source(call, call.id), self._owner(call, call.id), message["EVSEPricing"])
        return await self._take(call, message["ActionType"], told, EVSE, "")

    def _source(self, call: Call, operator_id: str) -> str:
        return f"{call.partner.name}/{ids.OperatorID.parse(operator_id).canonical}"

    def _owner(self, call: Call, operator_id: str) -> str:
        return str(ids.OperatorID.parse(operator_id).party(call.connection.countries))

    async def _take(self, call: Call, action: str, told: Sequence[Price], what: str, provider: str) -> Message:
        name = f"{call.partner.name}/{call.operation.name}"
        if name in self._busy:
            raise Refused(Code.DATA_TRANSACTION, "another push is under way")
        self._busy.add(name)
        try:
            source = self._source(call, call.id)
            await self.write(source, action, told, what=what, provider=whose(provider) if provider else "")
        finally:
            self._busy.discard(name)
        return acknowledged()

    async def write(self, source: str, action: str, told: Sequence[Price], *, what: str, provider: str) -> None:
        """Keep what is told. Raises: Refused, Conflict."""
        await self._prices.in_turn.write(partial(self._write, source, action, told, what=what, provider=provider))
        for listener in self._listeners:
            listener()

    async def _write(self, source: str, action: str, told: Sequence[Price], *, what: str, provider: str) -> None:
        now = now_of(self._hub)
        named = {price.key: price for price in told if price.what == what}
        if len(named) < sum(price.what == what for price in told):
            raise Refused(Code.DATA_TRANSACTION, info="one of them is in it twice")
        every = {price.key: price for price in told}
        known = await self._hub.store.get_many(OICP_PRICES, list(every))
        here = {key for key in named if key in known and known[key].columns["gone"] == HERE}
        if action == "insert" and here:
            raise Refused(Code.DATA_TRANSACTION, info=f"{named[min(here)].name} is there already")
        if action in ("update", "delete") and len(here) < len(named):
            missing = next(price.name for key, price in named.items() if key not in here)
            raise Refused(Code.DATA_TRANSACTION, info=f"{missing} is not there")
        unit = Unit()
        for key, price in every.items():
            if action == "delete" and key in here:
                unit.put(replace(price, gone=True, changed=now).put(expect=known[key].version))
            elif action != "delete" and _differs(price, known.get(key)):
                unit.put(replace(price, changed=now).put(expect=known[key].version if key in known else ABSENT))
        if action == "fullLoad":
            async for document, price in self._prices.of_source(source, what):
                if document.key not in named and provider in ("", price.provider):
                    gone = replace(price, gone=True, due="now", changed=now)
                    unit.put(gone.put(expect=document.version))
        if unit.writes:
            await self._hub.store.commit(unit)


def products_told(source: str, owner: str, data: Message) -> list[Price]:
    """The products of PricingProductData, and the default price."""
    provider = whose(data["ProviderID"])
    told = [
        Price(source, owner, PRODUCT, provider, product["ProductID"], {**product, "ProviderID": data["ProviderID"]})
        for product in data.get("PricingProductDataRecords") or ()
    ]
    if "PricingDefaultPrice" in data:
        default = {name: data[name] for name in (*_DEFAULTS, "ProviderID", "OperatorName") if name in data}
        told.append(Price(source, owner, DEFAULT, provider, "", default))
    return told


def evses_told(source: str, owner: str, pricing: Sequence[Message]) -> list[Price]:
    """Which EVSEs have which products."""
    return [
        Price(source, owner, EVSE, whose(each["ProviderID"]), key_of(each["EvseID"]), _in_capitals(each))
        for each in pricing
    ]


def _in_capitals(pricing: Message) -> dict[str, Any]:
    return {**pricing, "EvseID": ids.written(pricing["EvseID"])}


def _differs(price: Price, known: Document | None) -> bool:
    return known is None or known.columns["gone"] != HERE or known.body != price.put().body
