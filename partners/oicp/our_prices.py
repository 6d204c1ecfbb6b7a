"""Our tariffs as products for a hub, where these say them exactly, and which of our EVSEs have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.inbound import parse
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Unit
from modules.locations.service import LIMIT
from modules.locations.store import LOCATIONS
from modules.tariffs.store import TARIFFS
from partners.oicp.agreed import terms_with
from partners.oicp.connection import Connection
from partners.oicp.evse_sending import Items, Record
from partners.oicp.evse_table import HERE, OICP_EVSES, EvseRow, read
from partners.oicp.findings import finding
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.tariffs import evse_pricing_of, pricing_data_of, product_ids, products_of
from partners.oicp.mapping.terms import Terms
from partners.oicp.set_push import OurSet
from partners.oicp.wire.values import EVERYBODY

_READ: Final = 500
_LIMIT: Final = 1024 * 1024

Products = Mapping[str, list[str]]
"""By tariff id, what it is called there."""


def products_set(hub: Hub, connection: Connection) -> OurSet:
    """How products are pushed."""
    operator, owner = connection.operator_ids[0], Party.parse(hub.settings.party)
    terms = terms_with(connection)

    def message(action: str, items: Items) -> Record:
        data = pricing_data_of([record for _, record in items], owner, terms, EVERYBODY)
        return {"ActionType": action, "PricingProductData": {**data, "OperatorID": operator}}

    return OurSet("products", "PushPricingProductData", operator, hub.settings.party, message)


def evses_set(hub: Hub, connection: Connection) -> OurSet:
    """How it is pushed which EVSEs have them."""

    def message(action: str, items: Items) -> Record:
        return {"ActionType": action, "EVSEPricing": [record for _, record in items]}

    return OurSet("evse prices", "PushEVSEPricing", connection.operator_ids[0], hub.settings.party, message)


async def our_products(hub: Hub, connection: Connection) -> tuple[dict[str, Record], Products]:
    """Products by their id, and what each tariff is called. What cannot be said exactly is a finding."""
    terms, records, names = terms_with(connection), dict[str, Record](), dict[str, list[str]]()
    reasons: dict[str, str] = {}
    for document in await hub.store.select(TARIFFS, equal={"owner": hub.settings.party, "audience": ""}, limit=10_000):
        tariff = parse(document.body, limit=_LIMIT)
        try:
            products = _checked(tariff, terms)
        except NotSayable as refusal:
            reasons[tariff["id"]] = f"a tariff is no product of OICP: {refusal.reason}"
            continue
        records.update({product["ProductID"]: product for product in products.value})
        names[tariff["id"]] = product_ids(tariff, products)
    write = finding(f"products/{connection.partner}", hub.settings.party, reasons)
    if reasons or await hub.store.get(write.kind, write.key) is not None:
        await hub.store.commit(Unit([write]))
    return records, names


def _checked(tariff: Mapping[str, Any], terms: Terms) -> Any:
    """Raises: NotSayable, also where no default price is agreed, without which nothing can be pushed."""
    if terms.default_price is None:
        raise NotSayable("no default price is agreed with the hub, which OICP asks for")
    return products_of(tariff, terms)


async def our_evse_prices(hub: Hub, connection: Connection, names: Products) -> dict[str, Record]:
    """By canonical EvseID, of EVSEs whose connectors have the same tariffs, all of which are products."""
    found: dict[str, Record] = {}
    after = 0
    equal = {"owner": hub.settings.party, "gone": HERE}
    while documents := await hub.store.select(OICP_EVSES, equal=equal, limit=_READ, after_seq=after):
        rows = [read(document) for document in documents]
        locations = await hub.store.get_many(LOCATIONS, list({row.place.location for row in rows}))
        tariffs = {
            (key, evse["uid"]): _tariffs_of(evse)
            for key, document in locations.items()
            for evse in parse(document.body, limit=LIMIT).get("evses") or ()
        }
        for row in rows:
            told = tariffs.get((row.place.location, row.place.evse_uid), ())
            if told and all(each in names for each in told):
                found[row.key] = _pricing(row, [product for each in told for product in names[each]])
        after = documents[-1].seq
    return found


def _tariffs_of(evse: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that all of its connectors have; () where they differ: OICP has one list for all."""
    lists = {tuple(connector.get("tariff_ids") or ()) for connector in evse["connectors"]}
    return lists.pop() if len(lists) == 1 else ()


def _pricing(row: EvseRow, products: list[str]) -> Record:
    return evse_pricing_of(row.place.evse_id, products)
