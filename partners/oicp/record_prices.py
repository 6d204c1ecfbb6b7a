"""What a charge at an EVSE of OICP costs: by the product that its record names, else by those that the EVSE has.

What an operator told for the driver's provider alone goes before what it told for all: the price of a product, which
products an EVSE has, and the default price. Nobody else's price counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from modules.tariffs.store import key_of
from partners.oicp import ids
from partners.oicp.former_prices import price_at
from partners.oicp.ledger import OicpSession
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.products import DEFAULT, tariff_id
from partners.oicp.prices import Price
from partners.oicp.wire.values import EVERYBODY

_DEFAULTS: Final = frozenset({tariff_id(DEFAULT)})


async def prices_of(
    store: Store,
    row: OicpSession,
    owner: str,
    product: str,
    tariff_ids: Sequence[str],
    agreed: Sequence[Tree],
    evse: Sequence[Price] = (),
) -> list[Tree]:
    """The tariffs that a charge at an EVSE of `owner` may have (`record_bill`). Raises: NotSayable.

    `tariff_ids` are those of its connector, `evse` is which products it was told to have, for whomever, and `agreed` is
    what holds where nothing was told. Who names a product means its price: another one of the EVSE does not stand for
    it. Prices are those that held when the charge was allowed.
    """
    product = product or row.product
    named = await _of_product(store, row, owner, product, agreed) if product else None
    if named is not None:
        return [named]
    products = _products(row, evse)
    if product and (products or not _DEFAULTS.issuperset(tariff_ids)):
        raise NotSayable("there is no price for the product of this charge")
    if products:
        told = [await _of_product(store, row, owner, each, agreed) for each in products]
    else:
        told = await _of_connector(store, row, owner, tariff_ids)
    if None in told:
        raise NotSayable("not all prices of this EVSE are known")
    prices = [each for each in told if each is not None] or list(agreed)
    if not prices:
        raise NotSayable("there is no price for this EVSE")
    return prices


def _products(row: OicpSession, evse: Sequence[Price]) -> list[str]:
    """Those that an EVSE has for the driver's provider alone, else those that it has for all, as its CPO tells now."""
    provider = ids.ProviderID.of(Party.parse(row.emp_party)).canonical
    lists = {price.provider: list(price.tree["EvseIDProductList"]) for price in evse if price.teller == row.cpo}
    return lists.get(provider) or lists.get(EVERYBODY) or []


async def _of_connector(store: Store, row: OicpSession, owner: str, tariff_ids: Sequence[str]) -> list[Tree | None]:
    if _DEFAULTS.issuperset(tariff_ids):
        own = await price_at(store, _own(row, owner, DEFAULT), row.opened)
        if own is not None:
            return [own]
    return [await price_at(store, key_of(owner, name), row.opened) for name in tariff_ids]


def _own(row: OicpSession, owner: str, product: str) -> str:
    """Key of what a product costs the driver's provider alone."""
    provider = str(ids.ProviderID.of(Party.parse(row.emp_party)))
    return key_of(owner, tariff_id(product, provider), row.emp_party)


async def _of_product(store: Store, row: OicpSession, owner: str, product: str, agreed: Sequence[Tree]) -> Tree | None:
    """The price for this provider alone comes before the one for all, and what was told before what was agreed."""
    for key in (_own(row, owner, product), key_of(owner, tariff_id(product))):
        told = await price_at(store, key, row.opened)
        if told is not None:
            return told
    return next((each for each in agreed if each["id"].upper() == tariff_id(product).upper()), None)
