"""Our tariffs as products for a hub, where these say them exactly, and which of our EVSEs have them."""

from __future__ import annotations

from collections.abc import Mapping

from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Unit
from partners.oicp.connection import Connection
from partners.oicp.evse_sending import Items, Record
from partners.oicp.findings import finding
from partners.oicp.mapping.tariffs import pricing_data_of
from partners.oicp.mapping.terms import Terms
from partners.oicp.price_rendering import evse_prices, rendered
from partners.oicp.set_push import OurSet
from partners.oicp.wire.values import EVERYBODY

Products = Mapping[str, list[str]]
"""By tariff id, what it is called there."""


def products_set(hub: Hub, connection: Connection, terms: Terms) -> OurSet:
    """How products are pushed."""
    operator, owner = connection.operator_ids[0], Party.parse(hub.settings.party)

    def message(action: str, items: Items) -> Record:
        data = pricing_data_of([record for _, record in items], owner, terms, EVERYBODY)
        return {"ActionType": action, "PricingProductData": {**data, "OperatorID": operator}}

    return OurSet("products", "PushPricingProductData", operator, hub.settings.party, message)


def evses_set(hub: Hub, connection: Connection) -> OurSet:
    """How it is pushed which EVSEs have them."""

    def message(action: str, items: Items) -> Record:
        return {"ActionType": action, "EVSEPricing": [record for _, record in items]}

    return OurSet("evse prices", "PushEVSEPricing", connection.operator_ids[0], hub.settings.party, message)


async def our_products(hub: Hub, connection: Connection, terms: Terms) -> tuple[dict[str, Record], Products]:
    """Products by their id, and what each tariff is called. What cannot be said exactly is a finding."""
    found = await rendered(hub, hub.settings.party, terms)
    write = finding(f"products/{connection.partner}", hub.settings.party, found.unsaid)
    if found.unsaid or await hub.store.get(write.kind, write.key) is not None:
        await hub.store.commit(Unit([write]))
    return dict(found.products), found.names


async def our_evse_prices(hub: Hub, names: Products) -> dict[str, Record]:
    """By canonical EvseID, which products our EVSEs have."""
    return dict(await evse_prices(hub, hub.settings.party, names))
