"""Our tariffs as products for a hub, where these say them exactly, and which of our EVSEs have them.

Each EVSE is told under the OperatorID under which its data go, as are the products that it has: a hub takes prices of
an operator's own EVSEs alone. Under the OperatorID of our own party all our products are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Unit
from partners.oicp import voices
from partners.oicp.connection import Connection
from partners.oicp.evse_sending import Items, Record
from partners.oicp.findings import finding
from partners.oicp.mapping.tariffs import pricing_data_of
from partners.oicp.mapping.terms import Terms
from partners.oicp.price_rendering import evse_prices, rendered
from partners.oicp.set_push import OurSet
from partners.oicp.wire.values import EVERYBODY


@dataclass(slots=True)
class OurPrices:
    """What is told under one OperatorID."""

    products: dict[str, Record] = field(default_factory=dict)
    """By ProductID."""
    evses: dict[str, Record] = field(default_factory=dict)
    """By canonical EvseID."""


def products_set(hub: Hub, connection: Connection, terms: Terms, operator: str) -> OurSet:
    """How products are pushed."""
    owner = Party.parse(hub.settings.party)

    def message(action: str, items: Items) -> Record:
        data = pricing_data_of([record for _, record in items], owner, terms, EVERYBODY)
        return {"ActionType": action, "PricingProductData": {**data, "OperatorID": operator}}

    name = _name("products", connection, operator)
    return OurSet(name, "PushPricingProductData", operator, hub.settings.party, message)


def evses_set(hub: Hub, connection: Connection, operator: str) -> OurSet:
    """How it is pushed which EVSEs have them."""

    def message(action: str, items: Items) -> Record:
        return {"ActionType": action, "EVSEPricing": [record for _, record in items]}

    name = _name("evse prices", connection, operator)
    return OurSet(name, "PushEVSEPricing", operator, hub.settings.party, message)


def _name(what: str, connection: Connection, operator: str) -> str:
    """That of our first operator there has no more in its name, as most have one alone."""
    return what if operator == connection.operator_ids[0] else f"{what} {operator}"


async def our_prices(hub: Hub, connection: Connection, terms: Terms) -> Mapping[str, OurPrices]:
    """By OperatorID, of all that are ours there. What cannot be said exactly is a finding."""
    party = hub.settings.party
    found = await rendered(hub, party, terms)
    write = finding(f"products/{connection.partner}", party, found.unsaid)
    if found.unsaid or await hub.store.get(write.kind, write.key) is not None:
        await hub.store.commit(Unit([write]))
    told = {operator: OurPrices() for operator in connection.operator_ids}
    told[voices.operator(connection, party)].products.update(found.products)
    for key, record in (await evse_prices(hub, party, found.names)).items():
        there = told[voices.operator_of_evse(connection, record["EvseID"], party)]
        there.evses[key] = record
        there.products.update({each: found.products[each] for each in record["EvseIDProductList"]})
    return told
