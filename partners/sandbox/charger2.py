"""A scripted charge point of OCPP 2.0.1 or 2.1: the driver does what he does at a `Charger`, and it is told in 2.x.

    async with Charger2("ws://127.0.0.1:9000", "CP1", version="2.1", clock=StepClock()) as cp:
        await cp.boot()
        await cp.plug_in()
        assert await cp.tap("012345678") == "Accepted"
        await cp.charge(kwh=10, minutes=60)
        await cp.unplug()
        assert cp.complaints.texts() == []

Each of its connectors is an EVSE of its own with connector 1. A transaction has an id of its own making and numbered
events. `faults` gives it the bad habits of real products here too.
"""

from __future__ import annotations

import functools
import uuid
from typing import Any

from partners.sandbox.charger import Charger
from partners.sandbox.point.answers2 import Answers2
from partners.sandbox.point.link import Payload
from partners.sandbox.point.messages2 import CHARGING_STATE, CONNECTOR_STATUS, STOPPED, Messages2, id_token
from partners.sandbox.point.outbox import Entry
from partners.sandbox.point.state import Connector, Transaction


def speaking(version: str, url: str, identity: str, **options: Any) -> Charger:
    """A charge point of that version of OCPP."""
    if version == "1.6":
        return Charger(url, identity, **options)
    return Charger2(url, identity, version=version, **options)


class Charger2(Charger):
    """`shown_cost`: what the display says of each transaction, as CostUpdated or its answers told."""

    _messages: Messages2

    def __init__(self, url: str, identity: str, *, version: str = "2.0.1", **options: Any) -> None:
        super().__init__(url, identity, version=version, **options)
        self.shown_cost: dict[str, float] = {}
        self.asked_start: int | None = None

    def _words(self, vendor: str, model: str) -> Messages2:
        return Messages2(self.clock, self._faults, vendor=vendor, model=model, serial=self.identity)

    @functools.cached_property
    def _answers(self) -> Answers2:
        return Answers2(self)

    async def report_status(self, *numbers: int) -> None:
        """StatusNotification of connectors. 2.x has none of the whole."""
        for number in numbers:
            if number in self.connectors:
                await self.call("StatusNotification", self._messages.connector(self.connectors[number]))

    async def sample(self, *numbers: int) -> None:
        """MeterValues on request."""
        for number in numbers:
            readings = self._messages.readings(self.connectors[number], "Trigger")
            await self.call("MeterValues", {"evseId": number, "meterValue": readings})

    async def update(self, *connectors: Connector) -> None:
        """TransactionEvent on request."""
        for outlet in connectors:
            if outlet.transaction is not None:
                await self._deliver(self.outbox.put(self._event(outlet, outlet.transaction, "Trigger", "Trigger")))

    async def change_password(self, password: str) -> None:
        """A new BasicAuthPassword is used from a new connection on. It is text, whatever it looks like."""
        self.link.take_password(password)
        self._background(self.reconnect)

    async def remote_start(self, connector: int, uid: str) -> None:
        self.connectors[connector].remote_start = self.asked_start
        await super().remote_start(connector, uid)

    async def _ask_for(self, uid: str) -> str:
        answer = await self.call("Authorize", {"idToken": id_token(uid)})
        return str(answer["idTokenInfo"]["status"])

    async def _start(self, outlet: Connector, uid: str) -> None:
        outlet.transaction_id = str(uuid.uuid4())
        await super()._start(outlet, uid)

    def _start_entry(self, outlet: Connector, transaction: Transaction, reservation: int | None) -> Entry:
        def on_answer(answer: Payload) -> None:
            self._told(transaction, answer)
            self._taken(outlet, transaction, str(answer.get("idTokenInfo", {}).get("status", "Accepted")))

        transaction.number = outlet.transaction_id
        transaction.remote_start, outlet.remote_start = outlet.remote_start, None
        trigger = "Authorized" if transaction.remote_start is None else "RemoteStart"
        payload = self._messages.event("Started", trigger, outlet, transaction, offline=transaction.offline)
        payload |= {
            "idToken": id_token(transaction.id_tag),
            "meterValue": self._messages.readings(outlet, "Transaction.Begin"),
        }
        if reservation is not None:
            payload["reservationId"] = reservation
        return Entry("TransactionEvent", payload, transaction, on_answer)

    def _meter_entry(self, outlet: Connector, transaction: Transaction) -> Entry:
        return self._event(outlet, transaction, "MeterValuePeriodic", "Sample.Periodic")

    def _stop_entry(self, outlet: Connector, transaction: Transaction, reason: str) -> Entry:
        trigger, stopped = STOPPED.get(reason, ("AbnormalCondition", "Other"))
        transaction.state = "EVConnected" if outlet.plugged else "Idle"
        payload = self._messages.event("Ended", trigger, outlet, transaction, offline=not self.online)
        payload["transactionInfo"]["stoppedReason"] = stopped
        payload["meterValue"] = self._messages.readings(outlet, "Transaction.End")
        if reason == "Local":
            payload["idToken"] = id_token(transaction.id_tag)
        return Entry("TransactionEvent", payload, transaction, functools.partial(self._told, transaction))

    def _event(self, outlet: Connector, transaction: Transaction, trigger: str, context: str) -> Entry:
        payload = self._messages.event("Updated", trigger, outlet, transaction, offline=not self.online)
        payload["meterValue"] = self._messages.readings(outlet, context)
        return Entry("TransactionEvent", payload, transaction, functools.partial(self._told, transaction))

    async def _show(self, outlet: Connector, status: str) -> None:
        """The connector's status where it is another, and the state of its charge where that is."""
        if outlet.status == status:
            return
        before = CONNECTOR_STATUS[outlet.status]
        was_plugged, outlet.was_plugged = outlet.was_plugged, outlet.plugged
        outlet.status = status
        changed = before != CONNECTOR_STATUS[status] or was_plugged != outlet.plugged
        if changed and self.online and self.accepted:
            await self.report_status(outlet.number)
        state, transaction = CHARGING_STATE.get(status), outlet.transaction
        if transaction is not None and state is not None and state != transaction.state:
            transaction.state = state
            await self._deliver(self.outbox.put(self._event(outlet, transaction, "ChargingStateChanged", "Other")))

    def _told(self, transaction: Transaction, answer: Payload) -> None:
        if "totalCost" in answer:
            self.shown_cost[str(transaction.number)] = answer["totalCost"]
