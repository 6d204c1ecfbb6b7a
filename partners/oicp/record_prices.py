"""What a charge at an EVSE of OICP costs: by the product that its record names, else by those that the EVSE has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from modules.tariffs import service as tariffs
from modules.tariffs.store import find, key_of
from partners.oicp import ids
from partners.oicp.ledger import OicpSession
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.products import DEFAULT, tariff_id

_DEFAULTS: Final = frozenset({tariff_id(DEFAULT)})


async def prices_of(
    store: Store, row: OicpSession, owner: str, product: str, tariff_ids: Sequence[str], agreed: Sequence[Tree]
) -> list[Tree]:
    """The tariffs of a charge at an EVSE of `owner`. Raises: NotSayable.

    `tariff_ids` are those of its connector, `agreed` is what holds where nothing was told. Who names a product means
    its price: another one of the EVSE does not stand for it.
    """
    product = product or row.product
    named = await _of_product(store, owner, product, row.emp_party, agreed) if product else None
    if named is not None:
        return [named]
    if product and not _DEFAULTS.issuperset(tariff_ids):
        raise NotSayable("there is no price for the product of this charge")
    told = await tariffs.snapshot(store, owner, list(tariff_ids))
    if len(told) < len(tariff_ids):
        raise NotSayable("not all prices of this EVSE are known")
    if not told and not agreed:
        raise NotSayable("there is no price for this EVSE")
    return told or list(agreed)


async def _of_product(store: Store, owner: str, product: str, emp_party: str, agreed: Sequence[Tree]) -> Tree | None:
    """The price for this provider alone comes before the one for all, and what was told before what was agreed."""
    provider = str(ids.ProviderID.of(Party.parse(emp_party)))
    for key in (key_of(owner, tariff_id(product, provider), emp_party), key_of(owner, tariff_id(product))):
        document = await find(store, key)
        if document is not None:
            tree: Tree = parse(document.body, limit=tariffs.LIMIT)
            return tree
    return next((each for each in agreed if each["id"].upper() == tariff_id(product).upper()), None)
