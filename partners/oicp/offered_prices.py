"""Our tariffs and those of OCPI's CPOs, as EMPs pull them from us: products, and which EVSEs have them.

An operator's default price is what was said of it (`busbar oicp operator DE*ABC --default-price 0.60`); without one it
has no products, as OICP would take any other for the price of EVSEs without a product. What is no product is a finding,
and counts as lost on its way to the EMP that might have had it.

An operator is looked at once a minute at most, however often it is asked for. All of it is told, also where only
changes since a last call are asked for: owners tell by their own clocks when a tariff changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Unit
from partners.oicp.findings import finding
from partners.oicp.mapping.tariffs import pricing_data_of
from partners.oicp.operators import Operators
from partners.oicp.price_rendering import Rendering, evse_prices, rendered
from partners.oicp.wire.values import EVERYBODY

_KEPT_S: Final = 60.0
_MOST_KEPT: Final = 200
_MOST_COUNTED: Final = 100_000
_ITS_PRICES: Final = "/elements"
"""What did not arrive of a tariff that is no product."""


@dataclass(slots=True)
class _Offer:
    rendering: Rendering
    looked_at: float
    evses: list[Tree] | None = None
    """None: nobody has asked for them yet."""


class OfferedPrices:
    """See the module."""

    def __init__(self, hub: Hub, operators: Operators) -> None:
        self._hub = hub
        self._operators = operators
        self._offers: dict[str, _Offer] = {}
        self._counted: dict[tuple[str, str, str], int] = {}
        operators.on_change(self._forget)

    def _forget(self, owner: str) -> None:
        """Its default price may be another one."""
        self._offers.pop(owner, None)

    def is_of_ocpi(self, owner: str) -> bool:
        """Are its tariffs ours, or told in OCPI?"""
        holder = self._hub.registry.find_party(Party.parse(owner))
        return owner in self._hub.settings.own_parties or (holder is not None and not holder.interpreter)

    async def products(self, partner: str, owner: str) -> Tree | None:
        """PricingProductData of `owner` for EMP `partner`; None where it has no product."""
        rendering = (await self._offer(owner)).rendering
        self._count(partner, owner, rendering)
        if not rendering.products:
            return None
        terms = self._operators.terms(owner)
        return pricing_data_of(list(rendering.products.values()), Party.parse(owner), terms, EVERYBODY)

    async def evses(self, owner: str) -> list[Tree]:
        """EVSEPricing of `owner`."""
        offer = await self._offer(owner)
        if offer.evses is None:
            names = offer.rendering.names
            offer.evses = list((await evse_prices(self._hub, owner, names)).values()) if names else []
        return offer.evses

    async def _offer(self, owner: str) -> _Offer:
        await self._operators.refresh()
        now, offer = self._hub.clock.monotonic(), self._offers.get(owner)
        if offer is None or now - offer.looked_at > _KEPT_S:
            rendering = await rendered(self._hub, owner, self._operators.terms(owner))
            await self._find(owner, rendering)
            self._offers.pop(owner, None)
            offer = self._offers[owner] = _Offer(rendering, now)
            while len(self._offers) > _MOST_KEPT:
                del self._offers[next(iter(self._offers))]
        return offer

    async def _find(self, owner: str, rendering: Rendering) -> None:
        """Tell its operator what is no product, where that is news."""
        write = finding(f"offered/{owner}", owner, rendering.unsaid)
        known = await self._hub.store.get(write.kind, write.key)
        if (known.body if known is not None else None) != getattr(write, "body", None):
            await self._hub.store.commit(Unit([write]))

    def _count(self, partner: str, owner: str, rendering: Rendering) -> None:
        """What this EMP does not get of these tariffs: once for each version of them."""
        lost = {**rendering.lost, **dict.fromkeys(rendering.unsaid, (_ITS_PRICES,))}
        for tariff_id, fields in lost.items():
            at = (partner, owner, tariff_id)
            if self._counted.get(at) != rendering.versions[tariff_id]:
                self._counted[at] = rendering.versions[tariff_id]
                self._hub.losses.note(partner, "out", "tariffs", fields)
        while len(self._counted) > _MOST_COUNTED:
            del self._counted[next(iter(self._counted))]
