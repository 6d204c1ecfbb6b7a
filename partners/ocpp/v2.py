"""OCPP 2.0.1 and 2.1: what each message of a charger means here, and its answer.

The difference between the two is small and stands in tables; what they mean is the same as in 1.6, and is done by the
same parts (`v16.py` has the rules that hold for both). Each message has a function, found by name in `HANDLERS`:
transactions and meters in `v2_transactions.py`, tokens in `v2_tokens.py`, states in `v2_states.py`, what all versions
say alike in `notices.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from hub.core import trace
from hub.core.jsontypes import Tree
from modules.tokens.known import KnownCards
from partners.ocpp import notices, v2_states, v2_tokens, v2_transactions
from partners.ocpp.answers import Fault
from partners.ocpp.booting import Made, booted, text
from partners.ocpp.live import Link
from partners.ocpp.openings import Openings
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.pnc import NOBODY, Contracts
from partners.ocpp.rpc import Incoming, Refused
from partners.ocpp.transactions import Transactions
from partners.ocpp.v2_notices import NOTICES

WHILE_WAITING: Final = frozenset(
    {"BootNotification", "MeterValues", "NotifyMonitoringReport", "NotifyReport", "TransactionEvent"}
)
"""What a station may say that was told to wait (Pending): what we ask it, and what costs money (B02.FR.09)."""


class Version2:
    """The handlers, with what they work on."""

    def __init__(self, stations: ChargerOrders, transactions: Transactions, contracts: Contracts = NOBODY) -> None:
        self.stations = stations
        self.contracts = contracts
        self.transactions = transactions
        self.hub = stations.hub
        self.cards = KnownCards(self.hub)
        self.openings = Openings(self.hub, transactions)

    async def handle(self, link: Link, incoming: Incoming) -> Tree:
        """The CALLRESULT of a CALL. Raises: Refused; BusbarError."""
        handler = HANDLERS.get(incoming.action)
        if handler is None:
            raise Refused(Fault.NOT_SUPPORTED)
        if link.waits and incoming.action not in WHILE_WAITING:
            raise Refused(Fault.SECURITY, "this station's registration is not complete")
        trace.begin()
        return await handler(self, link, incoming)


async def boot_notification(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """Accepted, if we know where it stands; else Pending (B01, B02)."""
    told = incoming.payload.get("chargingStation")
    station = told if isinstance(told, dict) else {}
    fields = ("vendorName", "model", "serialNumber", "firmwareVersion")
    made = Made(*(text(station.get(name)) for name in fields))
    return await booted(v2.stations, v2.transactions, link, made)


Handler = Callable[[Version2, Link, Incoming], Awaitable[Tree]]

HANDLERS: Final[Mapping[str, Handler]] = {
    **NOTICES,
    "Authorize": v2_tokens.authorize_token,
    "BootNotification": boot_notification,
    "DataTransfer": notices.data_transfer,
    "FirmwareStatusNotification": notices.progress,
    "Heartbeat": notices.heartbeat,
    "LogStatusNotification": notices.progress,
    "MeterValues": v2_transactions.meter_values,
    "NotifyEvent": v2_states.notify_event,
    "PublishFirmwareStatusNotification": notices.progress,
    "SecurityEventNotification": notices.security_event,
    "SignCertificate": notices.sign_certificate,
    "StatusNotification": v2_states.status_notification,
    "TransactionEvent": v2_transactions.transaction_event,
}
"""Every CALL that a charger of 2.x may make."""
