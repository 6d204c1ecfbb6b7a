"""OCPP 2.0.1 and 2.1: what each message of a charger means here, and its answer.

The difference between the two is small and stands in tables; what they mean is the same as in 1.6, and is done by the
same parts (`v16.py` has the rules that hold for both).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from partners.ocpp.answers import Fault
from partners.ocpp.booting import Made, booted, text
from partners.ocpp.live import Link
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.rpc import Incoming, Refused
from partners.ocpp.transactions import Transactions
from partners.ocpp.v2_notices import NOTICES


class Version2:
    """The handlers, with what they work on."""

    def __init__(self, stations: ChargerOrders, transactions: Transactions) -> None:
        self.stations = stations
        self.transactions = transactions
        self.hub = stations.hub

    async def handle(self, link: Link, incoming: Incoming) -> Tree:
        """The CALLRESULT of a CALL. Raises: Refused; BusbarError."""
        handler = HANDLERS.get(incoming.action)
        if handler is None:
            raise Refused(Fault.NOT_SUPPORTED)
        trace.begin()
        return await handler(self, link, incoming)

    async def boot_notification(self, link: Link, incoming: Incoming) -> Tree:
        """Accepted, if we know where it stands; else Pending (B01, B02)."""
        told = incoming.payload.get("chargingStation")
        station = told if isinstance(told, dict) else {}
        fields = ("vendorName", "model", "serialNumber", "firmwareVersion")
        return await booted(self.stations, self.transactions, link, Made(*(text(station.get(name)) for name in fields)))

    async def heartbeat(self, link: Link, incoming: Incoming) -> Tree:
        """Our time (G02)."""
        return {"currentTime": timestamp(self.hub.clock.now())}


Handler = Callable[[Version2, Link, Incoming], Awaitable[Tree]]

HANDLERS: Final[Mapping[str, Handler]] = {
    **NOTICES,
    "BootNotification": Version2.boot_notification,
    "Heartbeat": Version2.heartbeat,
}
