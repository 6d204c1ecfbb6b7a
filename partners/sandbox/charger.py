"""A scripted OCPP 1.6J charge point: a real websocket client that does what a driver and a CSMS make it do.

    async with Charger("ws://127.0.0.1:9000", "CP1", clock=StepClock()) as cp:
        await cp.boot()
        await cp.plug_in()
        assert await cp.tap("012345678") == "Accepted"
        await cp.charge(kwh=10, minutes=60)
        await cp.unplug()
        assert cp.complaints.texts() == []

It reports transactions through a queue that outlives the connection, comes back after a loss, and answers every CALL
of 1.6 and of its security extension. `faults` gives it the bad habits of real products.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools

from partners.sandbox.point.answers import Answers
from partners.sandbox.point.link import Afterwards, NotConnectedError, Payload
from partners.sandbox.point.meter import shares
from partners.sandbox.point.outbox import Entry
from partners.sandbox.point.state import Connector, Transaction
from partners.sandbox.point.station import Station


class Charger(Station):
    """One charge point, its drivers and their transactions."""

    @functools.cached_property
    def _answers(self) -> Answers:
        return Answers(self)

    @property
    def forgets_limits(self) -> bool:
        """Does it accept charging profiles without keeping them?"""
        return self._faults.forgets_limits

    def on_call(self, action: str, payload: Payload) -> tuple[Payload, Afterwards | None]:
        return self._answers.handle(action, payload)

    # What the driver does

    async def authorize(self, uid: str) -> str:
        """Ask for a card, or judge it alone when offline: an AuthorizationStatus."""
        listed = self._answers.cards.get(uid)
        if self.online and not (listed and self.settings.is_on("LocalPreAuthorize")):
            with contextlib.suppress(NotConnectedError):
                return await self._ask_for(uid)
        if listed and self.settings.is_on("LocalAuthListEnabled"):
            return str(listed["status"])
        return "Accepted" if self.settings.is_on("AllowOfflineTxForUnknownId") else "Invalid"

    async def _ask_for(self, uid: str) -> str:
        answer = await self.call("Authorize", {"idTag": uid})
        return str(answer["idTagInfo"]["status"])

    async def tap(self, uid: str, *, connector: int = 1) -> str:
        """Hold a card to the reader: it starts, or ends, a charge. The AuthorizationStatus, or `Reserved`."""
        outlet = self.connectors[connector]
        if outlet.transaction is not None and outlet.transaction.id_tag == uid:
            await self.stop(connector, "Local")
            return "Accepted"
        status = await self.authorize(uid)
        if status != "Accepted" or outlet.transaction is not None:
            return status
        if not self.may_use(connector, uid):
            return "Reserved"
        await self._allow(outlet, uid)
        return status

    async def plug_in(self, connector: int = 1) -> None:
        """Put the cable in; a card tapped before starts now."""
        outlet = self.connectors[connector]
        outlet.plugged = True
        await self._show(outlet, "Preparing")
        if outlet.authorized is not None:
            await self._start(outlet, outlet.authorized)

    async def charge(self, *, kwh: float, minutes: float, connector: int = 1) -> float:
        """Let energy flow, as far as profiles allow, until done or stopped. The energy that flowed, in kWh.

        Raises RuntimeError when no transaction is under way.
        """
        outlet = self.connectors[connector]
        transaction = outlet.transaction
        if transaction is None:
            raise RuntimeError(f"{self.identity}: no transaction on connector {connector}")
        before = outlet.meter.register_wh
        steps = max(1, round(minutes * 60 / (self.settings.number("MeterValueSampleInterval") or 60)))
        for share in shares(steps):
            await self.clock.sleep(minutes * 60 / steps)
            if transaction.ended:
                break
            await self._flow(outlet, transaction, kwh * 1000 * share, minutes * 60 / steps)
        return (outlet.meter.register_wh - before) / 1000

    async def unplug(self, connector: int = 1) -> None:
        """Take the cable out; a charge ends with it."""
        outlet = self.connectors[connector]
        outlet.plugged = False
        outlet.authorized = None
        await self.stop(connector, "EVDisconnected")
        await self._rest(outlet)

    async def stop(self, connector: int, reason: str) -> None:
        """End the charge on a connector, if there is one, for a Reason of 1.6."""
        outlet = self.connectors[connector]
        transaction = outlet.transaction
        if transaction is None:
            return
        transaction.ended, outlet.transaction, outlet.authorized = True, None, None
        outlet.meter.power_w = 0.0
        outlet.begun.clear()
        self.plan.end_of_transaction(connector)
        overtaken = self._faults.stop_before_start
        await self._deliver(self.outbox.put(self._stop_entry(outlet, transaction, reason)))
        if overtaken:
            await self._deliver(self.outbox.put(self._start_entry(outlet, transaction, None)))
        if outlet.goes_inoperative:
            outlet.operative, outlet.goes_inoperative = False, False
        if outlet.plugged and outlet.operative:
            await self._show(outlet, "Finishing")
        else:
            await self._rest(outlet)

    async def break_down(self, error_code: str = "GroundFailure", *, connector: int = 1) -> None:
        """A fault; `NoError` heals it."""
        self.connectors[connector].error_code = error_code
        await self._rest(self.connectors[connector])

    async def until_started(self, connector: int = 1, *, timeout_s: float = 10.0) -> Transaction:
        """The transaction, once the CSMS answered its start. Raises TimeoutError."""
        outlet = self.connectors[connector]
        await asyncio.wait_for(outlet.begun.wait(), timeout_s)
        if outlet.transaction is None:
            raise RuntimeError("the transaction has ended already")
        return outlet.transaction

    # What the CSMS makes it do (called by `Answers`, after the answer left)

    def may_use(self, connector: int, uid: str) -> bool:
        """Is the connector free for this card, as reservations stand?"""
        now = self.clock.now()
        self.reservations = {number: r for number, r in self.reservations.items() if r.expires > now}
        held = [r for r in self.reservations.values() if r.connector == connector]
        return all(uid in (r.id_tag, r.parent_id_tag) for r in held)

    async def remote_start(self, connector: int, uid: str) -> None:
        """As if the card had been tapped."""
        if self.settings.is_on("AuthorizeRemoteTxRequests") and await self.authorize(uid) != "Accepted":
            return
        await self._allow(self.connectors[connector], uid)

    async def show_reservations(self) -> None:
        """Report the connectors whose status a reservation or an availability changed."""
        for outlet in self.connectors.values():
            if outlet.transaction is None:
                await self._rest(outlet)

    async def reset(self, kind: str) -> None:
        """Soft or Hard: end what runs, hang up, come back and boot."""
        self._background(functools.partial(self._restart, kind))

    async def _restart(self, kind: str) -> None:
        for number in self.connectors:
            await self.stop(number, f"{kind}Reset")
        self.accepted = False
        self.outbox.open.clear()
        await self.reconnect()
        await self.boot()

    # Inside

    async def _allow(self, outlet: Connector, uid: str) -> None:
        outlet.authorized = uid
        if outlet.plugged:
            await self._start(outlet, uid)
        else:
            await self._show(outlet, "Preparing")

    async def _start(self, outlet: Connector, uid: str) -> None:
        offline = not self.online
        transaction = Transaction(uid, self._messages.now(), outlet.meter.reading_wh, offline)
        outlet.transaction = transaction
        if not self._faults.stop_before_start:
            entry = self._start_entry(outlet, transaction, self._redeem(outlet.number, uid))
            await self._deliver(self.outbox.put(entry))
            if self._faults.duplicate_start:
                await self._deliver(self.outbox.put(Entry(entry.action, entry.payload, transaction)))
        if not transaction.ended:
            await self._show(outlet, "Charging")

    def _start_entry(self, outlet: Connector, transaction: Transaction, reservation: int | None) -> Entry:
        def on_answer(answer: Payload) -> None:
            transaction.number = answer.get("transactionId")
            self._taken(outlet, transaction, str(answer.get("idTagInfo", {}).get("status", "Accepted")))

        payload = self._messages.start(outlet, transaction, reservation)
        return Entry("StartTransaction", payload, transaction, on_answer)

    def _taken(self, outlet: Connector, transaction: Transaction, status: str) -> None:
        """The CSMS has the start, and said what it thinks of the card."""
        if outlet.transaction is not transaction:
            return
        outlet.begun.set()
        if status != "Accepted" and self.settings.is_on("StopTransactionOnInvalidId"):
            self._background(functools.partial(self.stop, outlet.number, "DeAuthorized"))

    def _stop_entry(self, outlet: Connector, transaction: Transaction, reason: str) -> Entry:
        return Entry("StopTransaction", self._messages.stop(outlet, transaction, reason), transaction)

    def _meter_entry(self, outlet: Connector, transaction: Transaction) -> Entry:
        return Entry("MeterValues", self._messages.meter(outlet), transaction)

    def _redeem(self, connector: int, uid: str) -> int | None:
        """The reservation that this start uses up."""
        for reservation in self.reservations.values():
            mine = uid in (reservation.id_tag, reservation.parent_id_tag)
            if mine and reservation.connector in (0, connector):
                del self.reservations[reservation.number]
                return reservation.number
        return None

    async def _flow(self, outlet: Connector, transaction: Transaction, energy_wh: float, seconds: float) -> None:
        limit = self.plan.limit_w(
            outlet.number, self.clock.now(), transaction_from=transaction.started
        )  # fmt: skip
        if limit is not None and not self._faults.ignores_limits:
            energy_wh = min(energy_wh, limit * seconds / 3600)
        outlet.meter.flow(energy_wh, seconds)
        await self._show(outlet, "SuspendedEVSE" if limit == 0 else "Charging")
        await self._deliver(self.outbox.put(self._meter_entry(outlet, transaction)))
