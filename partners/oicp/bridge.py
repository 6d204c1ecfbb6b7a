"""The bridge: what the flows of OICP share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from partners.oicp.cards import Cards
from partners.oicp.client import Client
from partners.oicp.connection import Connection
from partners.oicp.connections import Connections
from partners.oicp.inward import Inward
from partners.oicp.ledger import Ledger
from partners.oicp.places import Places
from partners.oicp.understood import answered


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

    async def ask(self, connection: Connection, operation: str, message: Mapping[str, Any], **how: Any) -> Tree:
        """Ask a partner: its answer in OICP's own spelling, whatever spelling it came in. Raises: as `Client.call`."""
        answer = await self.client.call(connection, operation, message, **how)
        return dict(answered(operation, answer.tree))

    def interpreted(self, party: Party) -> str:
        """The name of the partner that has this party, if it speaks another protocol than OCPI; else ""."""
        holder = self.hub.registry.find_party(party)
        return holder.name if holder is not None and holder.interpreter else ""
