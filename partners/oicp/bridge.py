"""The bridge: what the flows of OICP share."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.core.ports import Hub
from partners.oicp.cards import Cards
from partners.oicp.client import Client
from partners.oicp.connections import Connections
from partners.oicp.inward import Inward
from partners.oicp.ledger import Ledger
from partners.oicp.places import Places


@dataclass(slots=True)
class Bridge:
    """Between the hub and its partners of OICP."""

    hub: Hub
    connections: Connections
    client: Client
    inward: Inward
    ledger: Ledger
    places: Places
    cards: Cards = field(init=False)

    def __post_init__(self) -> None:
        self.cards = Cards(self.hub)
