"""Tariffs of OCPI as OICP's products, where these say them exactly, and which EVSEs have them: of one owner at once.

Pushed to hubs (`our_prices`) and pulled by EMPs (`offered_prices`). A tariff that does not hold now is none. What
cannot be said has a reason, and neither it nor an EVSE that has it is told: no price is better than another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from modules.locations.service import LIMIT
from modules.locations.store import LOCATIONS
from modules.tariffs.store import TARIFFS
from modules.tariffs.validity import holds
from partners.oicp.evse_table import HERE, OICP_EVSES, read
from partners.oicp.mapping.connectors import power_kw
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.tariffs import evse_pricing_of, product_ids, products_of
from partners.oicp.mapping.terms import Mapped, Terms

_READ: Final = 500
_LIMIT: Final = 1024 * 1024


@dataclass(slots=True)
class Rendering:
    """The tariffs of an owner. All but `products` is by tariff id."""

    products: dict[str, Tree] = field(default_factory=dict)
    """By ProductID."""
    names: dict[str, list[str]] = field(default_factory=dict)
    """What each is called; ids in upper case, as their case means nothing."""
    lost: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unsaid: dict[str, str] = field(default_factory=dict)
    """Why others are no products."""
    versions: dict[str, int] = field(default_factory=dict)

    def add(self, tariff: Mapping[str, Any], mapped: Mapped[list[Tree]]) -> None:
        """Raises: NotSayable, where another tariff has the name already."""
        told = product_ids(tariff, mapped)
        if not self.products.keys().isdisjoint(told):
            raise NotSayable("another tariff has the name of one of its products")
        self.products.update({product["ProductID"]: product for product in mapped.value})
        self.names[tariff["id"].upper()] = told
        self.lost[tariff["id"]] = mapped.lost


async def rendered(hub: Hub, owner: str, terms: Terms) -> Rendering:
    """The tariffs of `owner` that are for everybody, as they are now."""
    found, now = Rendering(), hub.clock.now()
    powers = {} if terms.default_price is None or terms.product_power else await _powers(hub, owner)
    after = 0
    equal = {"owner": owner, "audience": ""}
    while documents := await hub.store.select(TARIFFS, equal=equal, limit=_READ, after_seq=after):
        for document in documents:
            tariff = parse(document.body, limit=_LIMIT)
            if not holds(tariff, now):
                continue
            found.versions[tariff["id"]] = document.version
            try:
                found.add(tariff, _checked(tariff, terms, powers.get(tariff["id"].upper())))
            except NotSayable as refusal:
                found.unsaid[tariff["id"]] = f"a tariff is no product of OICP: {refusal.reason}"
        after = documents[-1].seq
        await asyncio.sleep(0)
    return found


async def _powers(hub: Hub, owner: str) -> dict[str, Decimal]:
    """By tariff id in upper case, what the strongest connector that has it gives, kW."""
    found: dict[str, Decimal] = {}
    after = 0
    while documents := await hub.store.select(LOCATIONS, equal={"owner": owner}, limit=_READ, after_seq=after):
        for document in documents:
            for evse in parse(document.body, limit=LIMIT).get("evses") or ():
                for connector in evse["connectors"] if evse["status"] != "REMOVED" else ():
                    for tariff_id in connector.get("tariff_ids") or ():
                        name, power = tariff_id.upper(), power_kw(connector)
                        found[name] = max(power, found.get(name, power))
        after = documents[-1].seq
        await asyncio.sleep(0)
    return found


def _checked(tariff: Mapping[str, Any], terms: Terms, power: Decimal | None) -> Mapped[list[Tree]]:
    """Raises: NotSayable, also where no default price is agreed, without which OICP takes no products."""
    if terms.default_price is None:
        raise NotSayable("no default price is agreed, which OICP asks for")
    return products_of(tariff, terms, power)


async def evse_prices(hub: Hub, owner: str, names: Mapping[str, list[str]]) -> dict[str, Tree]:
    """By canonical EvseID, of EVSEs whose connectors have the same tariffs, all of which are products."""
    found: dict[str, Tree] = {}
    after = 0
    equal = {"owner": owner, "gone": HERE}
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
                products = [product for each in told for product in names[each]]
                found[row.key] = evse_pricing_of(row.place.evse_id, products)
        after = documents[-1].seq
        await asyncio.sleep(0)
    return found


def _tariffs_of(evse: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that all of its connectors have; () where they differ: OICP has one list for all."""
    lists = {tuple(each.upper() for each in connector.get("tariff_ids") or ()) for connector in evse["connectors"]}
    return lists.pop() if len(lists) == 1 else ()
