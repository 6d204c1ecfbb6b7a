"""Prices of the operators behind a hub where we are an EMP: kept as if they had been pushed to us.

Operators that the answer says nothing of keep what was known of them: nothing is worse than a price that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from hub.core.jsontypes import Tree
from hub.core.parties import PartyRole
from partners.oicp import ids
from partners.oicp.bridge import Bridge
from partners.oicp.connection import Connection
from partners.oicp.fetching import fetched
from partners.oicp.price_pushes import PricePushes, evses_told, products_told
from partners.oicp.prices import EVSE, PRODUCT, Price

_A_CALL: Final = 50
_CAP: Final = 64 * 1024 * 1024


class PricePull:
    """See the module."""

    def __init__(self, bridge: Bridge, pushes: PricePushes) -> None:
        self._bridge = bridge
        self._pushes = pushes

    async def pull(self, name: str) -> None:
        """All prices of all operators that are known behind it. Raises: PeerFault's children, Conflict, NotReady."""
        connection = self._bridge.connections.get(name)
        claims = self._bridge.hub.registry.get(name).claims
        owners = [str(claim.party) for claim in claims if claim.role is PartyRole.CPO]
        for at in range(0, len(owners), _A_CALL):
            some = owners[at : at + _A_CALL]
            operators = [ids.OperatorID.parse(each).styled(connection.operator_style) for each in some]
            await self._products(connection, some, operators)
            await self._evses(connection, some, operators)

    async def _products(self, connection: Connection, owners: Sequence[str], operators: Sequence[str]) -> None:
        asked = {"OperatorIDs": list(operators)}
        tree, _ = await fetched(self._bridge, connection, "PullPricingProductData", asked, cap=_CAP)
        told: dict[str, list[Price]] = {}
        for source, owner, data in self._of_operators(connection, owners, tree.get("PricingProductData") or ()):
            told.setdefault(source, []).extend(products_told(source, owner, data))
        for source, prices in told.items():
            await self._pushes.write(source, "fullLoad", prices, what=PRODUCT, provider="")

    async def _evses(self, connection: Connection, owners: Sequence[str], operators: Sequence[str]) -> None:
        message = {"ProviderID": connection.provider_ids[0], "OperatorIDs": list(operators)}
        tree, _ = await fetched(self._bridge, connection, "PullEVSEPricing", message, cap=_CAP)
        told: dict[str, list[Price]] = {}
        for source, owner, data in self._of_operators(connection, owners, tree.get("EVSEPricing") or ()):
            told.setdefault(source, []).extend(evses_told(source, owner, data.get("EVSEPricing") or ()))
        for source, prices in told.items():
            await self._pushes.write(source, "fullLoad", prices, what=EVSE, provider="")

    def _of_operators(
        self, connection: Connection, owners: Sequence[str], told: Sequence[Tree]
    ) -> Iterator[tuple[str, str, Tree]]:
        """Source, owner and data of the operators that were asked about."""
        for data in told:
            operator = ids.OperatorID.parse(data["OperatorID"])
            try:
                owner = str(operator.party(connection.countries))
            except ids.InvalidId:
                continue
            if owner in owners:
                yield f"{connection.partner}/{operator.canonical}", owner, data
