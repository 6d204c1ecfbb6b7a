"""OCPP 2.0.1 and 2.1: what each message of a charger means here, and its answer.

The difference between the two is small and stands in tables; what they mean is the same as in 1.6, and is done by the
same parts (`v16.py` has the rules that hold for both). Each message has a function, found by name in `HANDLERS`:
transactions and meters in `v2_transactions.py`, tokens in `v2_tokens.py`, states in `v2_states.py`, the rest here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.units import Audit, Unit
from modules.tokens.known import KnownCards
from partners.ocpp import certificates, v2_states, v2_tokens, v2_transactions, vendor_data
from partners.ocpp.answers import Fault
from partners.ocpp.booting import Made, booted, text
from partners.ocpp.care import heard
from partners.ocpp.live import Link
from partners.ocpp.openings import Openings
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.rpc import Incoming, Refused
from partners.ocpp.transactions import Transactions
from partners.ocpp.v2_notices import NOTICES

WHILE_WAITING: Final = frozenset(
    {"BootNotification", "MeterValues", "NotifyMonitoringReport", "NotifyReport", "TransactionEvent"}
)
"""What a station may say that was told to wait (Pending): what we ask it, and what costs money (B02.FR.09)."""


class Version2:
    """The handlers, with what they work on."""

    def __init__(self, stations: ChargerOrders, transactions: Transactions) -> None:
        self.stations = stations
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


async def heartbeat(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """Our time (G02)."""
    return {"currentTime": timestamp(v2.hub.clock.now())}


async def data_transfer(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """A vendor's message: its handler knows (P02)."""
    return await vendor_data.answer(v2.hub, link.live, incoming.payload)


async def progress(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """How far an update of its firmware, its publication, or the upload of logs has come (L01 to L03, N01)."""
    learned = link.live.learned
    about = incoming.action.removesuffix("StatusNotification")
    learned.progress = {**learned.progress, about: text(incoming.payload.get("status"))}
    await v2.stations.save_learned(link.live)
    await heard.progress(v2.hub, link.live.identity, incoming.action, incoming.payload)
    return {}


async def security_event(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """Kept for good, in the audit log (A04)."""
    what, detail = text(incoming.payload.get("type")), text(incoming.payload.get("techInfo"))
    await v2.hub.store.commit(Unit().audited(Audit(link.live.identity, "station.security_event", what, detail)))
    return {}


async def sign_certificate(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """The request is kept; where we have an authority of our own, the certificate follows as a call (A02)."""
    told = incoming.payload
    kind, number = told.get("certificateType", certificates.STATION), told.get("requestId")
    status = await certificates.requested(v2.hub, link, str(told.get("csr") or ""), kind=kind, number=number)
    return {"status": status}


Handler = Callable[[Version2, Link, Incoming], Awaitable[Tree]]

HANDLERS: Final[Mapping[str, Handler]] = {
    **NOTICES,
    "Authorize": v2_tokens.authorize_token,
    "BootNotification": boot_notification,
    "DataTransfer": data_transfer,
    "FirmwareStatusNotification": progress,
    "Heartbeat": heartbeat,
    "LogStatusNotification": progress,
    "MeterValues": v2_transactions.meter_values,
    "NotifyEvent": v2_states.notify_event,
    "PublishFirmwareStatusNotification": progress,
    "SecurityEventNotification": security_event,
    "SignCertificate": sign_certificate,
    "StatusNotification": v2_states.status_notification,
    "TransactionEvent": v2_transactions.transaction_event,
}
"""Every CALL that a charger of 2.x may make."""
