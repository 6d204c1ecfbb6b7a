"""OCPP 1.6: what each message of a charger means here, and its answer.

Core, firmware, and the security whitepaper's messages, one function each (in `notices.py` what all versions say alike),
found by name in `HANDLERS`. Transaction messages arrive even when they break their schema (`incoming.finding`), and are
always answered. No handler waits for the charger (rule R21); what is to be asked of it is left to `settling.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from hub.core import trace
from hub.core.failpoints import failpoint
from hub.core.jsontypes import Tree
from modules.tokens.authorize import Decision, authorize
from modules.tokens.known import KnownCards
from partners.ocpp import answers, maintenance, notices, reports
from partners.ocpp.answers import Fault
from partners.ocpp.booting import Made, booted, text
from partners.ocpp.connector_states import measure_clock, take
from partners.ocpp.live import Link
from partners.ocpp.openings import Openings, likely_place
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.rpc import Incoming, Refused
from partners.ocpp.status import Heard
from partners.ocpp.told import told_in
from partners.ocpp.transactions import Transactions

log = structlog.get_logger()


class Version16:
    """The handlers, with what they work on."""

    def __init__(self, stations: ChargerOrders, transactions: Transactions) -> None:
        self.stations = stations
        self.transactions = transactions
        self.hub = stations.hub
        self.cards = KnownCards(self.hub)
        self._openings = Openings(self.hub, transactions)

    async def handle(self, link: Link, incoming: Incoming) -> Tree:
        """The CALLRESULT of a CALL. Raises: Refused; BusbarError."""
        handler = HANDLERS.get(incoming.action)
        if handler is None:
            raise Refused(Fault.NOT_SUPPORTED)
        trace.begin()
        return await handler(self, link, incoming)

    async def boot_notification(self, link: Link, incoming: Incoming) -> Tree:
        """Accepted, if we know where it stands; else Pending, until we do (rule R17)."""
        payload = incoming.payload
        serial = text(payload.get("chargePointSerialNumber")) or text(payload.get("chargeBoxSerialNumber"))
        vendor, model = text(payload.get("chargePointVendor")), text(payload.get("chargePointModel"))
        made = Made(vendor, model, serial, text(payload.get("firmwareVersion")))
        return await booted(self.stations, self.transactions, link, made)

    async def status_notification(self, link: Link, incoming: Incoming) -> Tree:
        """A connector's state. What is older than the newest of this connection moves nothing live (rule R9)."""
        live, payload, now = link.live, incoming.payload, self.hub.clock.now()
        event = reports.status(live.identity, payload, now, incoming.raw)
        await self.transactions.report(event)
        heard = Heard.of(event.status or "", event.timestamp, now)
        measure_clock(link, event)
        await take(self.stations, link, event.connector or 0, heard)
        return {}

    async def authorize(self, link: Link, incoming: Incoming) -> Tree:
        """May this token charge here? Begins the journey that a start goes on with."""
        tag = reports.tag(incoming.payload.get("idTag"))
        live = link.live
        live.begin_journey(tag, trace.correlation(), self.hub.clock.monotonic())
        revisions = self.cards.revisions()
        place = likely_place(link)
        decision = await authorize(self.hub, tag, place, at=live.identity)
        if live.station.is_for_everybody:
            self.cards.learn(tag, live.identity, decision, revisions)
        decision = maintenance.decided(live.station, place, decision, ours=self.hub.settings.party)
        return {"idTagInfo": _id_tag_info(decision.allowed, decision)}

    async def start_transaction(self, link: Link, incoming: Incoming) -> Tree:
        """A charge began. A repeat gets the same answer; a refused token too gets a number (rules R4, R5)."""
        live, now = link.live, self.hub.clock.now()
        link.money_at = self.hub.clock.monotonic()
        event = reports.start(live.identity, incoming, now)
        journey = live.journey_of(event.id_tag or "", self.hub.clock.monotonic())
        trace.begin(correlation_id=journey)
        number = reports.integer(incoming.payload.get("reservationId"))
        started = await self.transactions.start(event, lambda: self._openings.opening(link, event, number))
        await self.stations.display.changed(live, event.connector)
        failpoint("ocpp.in.before_reply")
        decision = None
        if started.opening is not None:
            decision = started.opening.decision
            live.end_journey(event.id_tag or "")
        return {"idTagInfo": _id_tag_info(started.allowed, decision), "transactionId": started.number}

    async def stop_transaction(self, link: Link, incoming: Incoming) -> Tree:
        """A charge is over; always answered, whatever it names (rules R7, R8)."""
        link.money_at = self.hub.clock.monotonic()
        event = reports.stop(link.live.identity, incoming, self.hub.clock.now())
        trace.begin(correlation_id=self.transactions.correlation_of(event.station, event.transaction, None))
        await self.transactions.report(event)
        await self.stations.display.changed(link.live)
        failpoint("ocpp.in.before_reply")
        return {"idTagInfo": {"status": answers.id_tag_status("ALLOWED")}} if event.id_tag else {}

    async def meter_values(self, link: Link, incoming: Incoming) -> Tree:
        """Samples, of a transaction or not."""
        now = self.hub.clock.now()
        told = told_in(incoming.payload)
        link.measured(told.first if told is not None else None, self.hub.clock.monotonic())
        if told is not None and await self.transactions.sample(link.live.identity, told, incoming.raw, now):
            failpoint("ocpp.in.before_reply")
            return {}
        event = reports.meter(link.live.identity, incoming, now)
        correlation_id = self.transactions.correlation_of(event.station, event.transaction, event.connector)
        trace.begin(correlation_id=correlation_id)
        await self.transactions.report(event)
        failpoint("ocpp.in.before_reply")
        return {}


def _id_tag_info(allowed: str, decision: Decision | None) -> Tree:
    return id_tag_info(allowed, (decision.token or {}).get("group_id") if decision is not None else None)


def id_tag_info(allowed: str, group_id: str | None) -> Tree:
    """IdTagInfo of an AllowedType. The parent tag is the token's group, where it fits (CiString20)."""
    status = allowed if allowed == answers.CONCURRENT_TX else answers.id_tag_status(allowed)
    return {"parentIdTag": group_id, "status": status} if group_id and len(group_id) <= 20 else {"status": status}


Handler = Callable[[Version16, Link, Incoming], Awaitable[Tree]]

HANDLERS: Final[Mapping[str, Handler]] = {
    "Authorize": Version16.authorize,
    "BootNotification": Version16.boot_notification,
    "DataTransfer": notices.data_transfer,
    "DiagnosticsStatusNotification": notices.progress,
    "FirmwareStatusNotification": notices.progress,
    "Heartbeat": notices.heartbeat,
    "LogStatusNotification": notices.progress,
    "MeterValues": Version16.meter_values,
    "SecurityEventNotification": notices.security_event,
    "SignCertificate": notices.sign_certificate,
    "SignedFirmwareStatusNotification": notices.progress,
    "StartTransaction": Version16.start_transaction,
    "StatusNotification": Version16.status_notification,
    "StopTransaction": Version16.stop_transaction,
}
"""Every CALL that a charger of 1.6 may make."""
