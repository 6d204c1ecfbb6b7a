"""Prices as they came in OICP: products of operators, their default prices, and which EVSEs have which products.

One row each, for one provider or for all ("*"); tombstones, so that nothing that is gone comes back. A row whose `due`
is NOW waits to be made what it is in OCPI (`price_tariffs`). `last_updated` is when it changed by our clock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from hub.core.inbound import encode, parse
from hub.core.ports import Hub
from hub.core.units import ANY, Document, Kind, Put
from partners.oicp import ids
from partners.oicp.in_turn import InTurn
from partners.oicp.wire.values import EVERYBODY

Tree = Mapping[str, Any]

OICP_PRICES: Final = Kind(
    "oicp_prices", columns=("source", "what", "provider", "name", "gone", "due"), indexed=("source", "name", "due")
)
PRODUCT: Final = "product"
DEFAULT: Final = "default"
EVSE: Final = "evse"
NOW: Final = "now"
DONE: Final = ""
HERE: Final = "0"
GONE: Final = "1"
_LIMIT: Final = 1024 * 1024
_READ: Final = 1000


@dataclass(frozen=True, slots=True)
class Price:
    """One row. `name` is the product, or the canonical EvseID; `tree` what came."""

    source: str
    """`partner/DEABC`"""
    owner: str
    what: str
    provider: str
    """`DEDCB`, or "*"."""
    name: str
    tree: Tree
    gone: bool = False
    due: str = NOW
    changed: str = ""

    @property
    def key(self) -> str:
        return f"{self.source}/{self.what}/{self.provider}/{self.name}"

    @property
    def teller(self) -> str:
        """The partner that told it."""
        return self.source.partition("/")[0]

    def put(self, *, expect: int = ANY) -> Put:
        """The write of it."""
        gone = GONE if self.gone else HERE
        columns = (self.source, self.what, self.provider, self.name, gone, self.due)
        return Put(
            OICP_PRICES,
            self.key,
            encode(self.tree),
            self.owner,
            last_updated=self.changed,
            columns=columns,
            expect=expect,
        )


def read(document: Document) -> Price:
    """As it is on disk; numbers exactly as they were."""
    columns = document.columns
    return Price(
        source=columns["source"],
        owner=document.owner,
        what=columns["what"],
        provider=columns["provider"],
        name=columns["name"],
        tree=parse(document.body, limit=_LIMIT),
        gone=columns["gone"] == GONE,
        due=columns["due"],
        changed=document.last_updated,
    )


def has_power(price: Price) -> bool:
    """Does a product tell how much it is for (kW)? OICP asks for it: one without, or of 0, is not told to EMPs."""
    power = price.tree.get("MaximumProductChargingPower")
    return isinstance(power, int | Decimal) and power > 0


def whose(provider_id: str) -> str:
    """For whom a price is, equal for all spellings. Raises: InvalidId."""
    return EVERYBODY if provider_id == EVERYBODY else ids.ProviderID.parse(provider_id).canonical


class Prices:
    """Reading them, and the turns of writing them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.in_turn = InTurn()

    async def of_source(self, source: str, what: str) -> AsyncIterator[tuple[Document, Price]]:
        """All that are there."""
        after = 0
        equal = {"source": source, "what": what, "gone": HERE}
        while found := await self._hub.store.select(OICP_PRICES, equal=equal, limit=_READ, after_seq=after):
            for document in found:
                yield document, read(document)
            after = found[-1].seq

    async def visible(
        self, owners: Sequence[str], what: Sequence[str], providers: Sequence[str], *, since: str
    ) -> AsyncIterator[Price]:
        """Those of these owners that are for one of these providers, and there; since then, if that is asked for."""
        among = {"what": what, "provider": providers, "gone": [HERE]}
        read_so_far = 0
        while owners:
            page = await self._hub.store.page(
                OICP_PRICES,
                date_from=since or None,
                date_to=None,
                offset=read_so_far,
                limit=_READ,
                owners=owners,
                among=among,
            )
            for document in page.documents:
                yield read(document)
            read_so_far += len(page.documents)
            if len(page.documents) < _READ:
                return

    async def of_evses(self, keys: Sequence[str]) -> dict[str, list[Price]]:
        """What is told of EVSEs, by canonical EvseID."""
        found: dict[str, list[Price]] = {}
        page = await self._hub.store.page(
            OICP_PRICES,
            date_from=None,
            date_to=None,
            offset=0,
            limit=100_000,
            among={"name": list(keys), "what": [EVSE], "gone": [HERE]},
        )
        for document in page.documents:
            price = read(document)
            found.setdefault(price.name, []).append(price)
        return found
