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
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from partners.sandbox.complaints import Complaints
from partners.sandbox.point.answers import Answers
from partners.sandbox.point.clock import Clock, FastClock, timestamp
from partners.sandbox.point.faults import Faults
from partners.sandbox.point.link import CallFailedError, Link, NotConnectedError, Payload, Security
from partners.sandbox.point.messages import Messages
from partners.sandbox.point.meter import shares
from partners.sandbox.point.outbox import Entry, Outbox
from partners.sandbox.point.plan import Plan
from partners.sandbox.point.settings import Settings
from partners.sandbox.point.state import Connector, Reservation, Transaction

_BOOT_ATTEMPTS = 10


class Charger:
    """One charge point with `connectors` outlets, numbered from 1."""

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        connectors: int = 1,
        clock: Clock | None = None,
        security: Security | None = None,
        faults: Faults | None = None,
        unknown_id: int | None = None,
        vendor: str = "Busbar",
        model: str = "Sandbox 22",
        call_timeout_s: float = 30.0,
        backoff_s: tuple[float, float] = (0.5, 30.0),
    ) -> None:
        """`url` without the identity. `unknown_id`: the transaction id (0 or -1) under which it replays an offline
        charge, instead of the one it is given. `backoff_s`: the first and the longest pause between dials.
        """
        self.identity = identity
        self.vendor = vendor
        self.clock: Clock = clock or FastClock()
        self.complaints = Complaints()
        self.connectors = {number: Connector(number) for number in range(1, connectors + 1)}
        self.reservations: dict[int, Reservation] = {}
        self.settings = Settings(connectors)
        self.plan = Plan()
        self.accepted = False
        self._faults = faults or Faults()
        self._security = security or Security()
        self._messages = Messages(self.clock, self._faults, vendor=vendor, model=model, serial=identity)
        self._answers = Answers(self)
        self.link = Link(
            url, identity, self._answers.handle, self._come_back, security=self._security,
            complaints=self.complaints, timeout_s=call_timeout_s, backoff_s=backoff_s,
        )  # fmt: skip
        self.outbox = Outbox(
            self.link,
            attempts=self.settings.number("TransactionMessageAttempts"),
            retry_s=lambda: self.settings.number("TransactionMessageRetryInterval"),
            unknown_id=unknown_id,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Connect. Raises OSError or websockets' InvalidHandshake when that is refused."""
        await self.link.open()
        self._background(self.outbox.run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.link.close()

    @property
    def online(self) -> bool:
        """Is there a connection?"""
        return self.link.connected.is_set()

    # What the charge point says

    async def call(self, action: str, payload: Payload) -> Payload:
        """Any CALL. Raises NotConnectedError, CallFailedError."""
        return await self.link.call(action, payload)

    async def boot(self) -> str:
        """BootNotification until it is Accepted, waiting as told in between. The last status."""
        status = ""
        for _ in range(_BOOT_ATTEMPTS):
            answer = await self.announce()
            status = str(answer.get("status"))
            if self.accepted:
                return "Accepted"
            await self.clock.sleep(max(1, int(answer.get("interval", 1))))
        return status

    async def announce(self) -> Payload:
        """One BootNotification, and what follows when it is Accepted for the first time."""
        answer = await self.call("BootNotification", self._messages.boot())
        if answer.get("status") == "Accepted" and not self.accepted:
            self.accepted = True
            self.settings.change("HeartbeatInterval", str(answer.get("interval") or 300))
            self.outbox.open.set()
            await self.report_status(0, *self.connectors)
            if self._security.password or self._security.tls:
                await self._security_event("StartupOfTheDevice")
            self._background(self._beat)
        return answer

    async def heartbeat(self) -> Payload:
        """Heartbeat."""
        return await self.call("Heartbeat", {})

    async def report_status(self, *numbers: int) -> None:
        """StatusNotification of connectors; 0 is the whole."""
        for number in numbers:
            payload = self._messages.status(self.connectors.get(number), self._messages.now())
            with contextlib.suppress(CallFailedError):
                await self.call("StatusNotification", payload)

    async def sample(self, *numbers: int) -> None:
        """MeterValues on request."""
        for number in numbers:
            connector = self.connectors[number]
            payload = self._messages.meter(connector, "Trigger")
            if connector.transaction is not None and connector.transaction.number is not None:
                payload["transactionId"] = connector.transaction.number
            await self.call("MeterValues", payload)

    # What the driver does

    async def authorize(self, uid: str) -> str:
        """Ask for a card, or judge it alone when offline: an AuthorizationStatus."""
        listed = self._answers.cards.get(uid)
        if self.online and not (listed and self.settings.is_on("LocalPreAuthorize")):
            with contextlib.suppress(NotConnectedError):
                answer = await self.call("Authorize", {"idTag": uid})
                return str(answer["idTagInfo"]["status"])
        if listed and self.settings.is_on("LocalAuthListEnabled"):
            return str(listed["status"])
        return "Accepted" if self.settings.is_on("AllowOfflineTxForUnknownId") else "Invalid"

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
        entry = Entry("StopTransaction", self._messages.stop(outlet, transaction, reason), transaction)
        await self._deliver(self.outbox.put(entry))
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

    # The connection

    async def go_offline(self) -> None:
        """Lose the network and stay without it; transaction messages wait."""
        await self.link.close()

    async def go_online(self) -> None:
        """Find the network again: current statuses, then everything that waited. Raises OSError."""
        await self.link.open()

    async def settled(self, *, timeout_s: float = 10.0) -> None:
        """Come back when no transaction message waits any more. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while len(self.outbox):  # noqa: ASYNC110 - a queue of a test charger needs no condition
                await asyncio.sleep(0.005)

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

    async def change_key(self, key: str) -> None:
        """A new AuthorizationKey is used from a new connection on."""
        self.link.take_key(key)
        self._background(self._reconnect)

    async def _reconnect(self) -> None:
        await self.link.close()
        await self.link.open(patient=True)

    async def _restart(self, kind: str) -> None:
        for number in self.connectors:
            await self.stop(number, f"{kind}Reset")
        self.accepted = False
        self.outbox.open.clear()
        await self._reconnect()
        await self.boot()

    async def _come_back(self) -> None:
        """After a loss: no boot, but the statuses as they are now. OCPP 1.6 section 4.9."""
        if self.accepted:
            await self.report_status(0, *self.connectors)

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
                await self._deliver(self.outbox.put(Entry("StartTransaction", entry.payload, transaction)))
        if not transaction.ended:
            await self._show(outlet, "Charging")

    def _start_entry(self, outlet: Connector, transaction: Transaction, reservation: int | None) -> Entry:
        def on_answer(answer: Payload) -> None:
            transaction.number = answer.get("transactionId")
            refused = answer.get("idTagInfo", {}).get("status", "Accepted") != "Accepted"
            if outlet.transaction is transaction:
                outlet.begun.set()
                if refused and self.settings.is_on("StopTransactionOnInvalidId"):
                    self._background(functools.partial(self.stop, outlet.number, "DeAuthorized"))

        payload = self._messages.start(outlet, transaction, reservation)
        return Entry("StartTransaction", payload, transaction, on_answer)

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
        if limit is not None:
            energy_wh = min(energy_wh, limit * seconds / 3600)
        outlet.meter.flow(energy_wh, seconds)
        await self._show(outlet, "SuspendedEVSE" if limit == 0 else "Charging")
        await self._deliver(self.outbox.put(Entry("MeterValues", self._messages.meter(outlet), transaction)))

    async def _deliver(self, entry: Entry) -> None:
        """Wait for the answer, unless there is nobody to give it."""
        if not (self.online and self.outbox.open.is_set()):
            return
        waits = [asyncio.ensure_future(entry.done.wait()), asyncio.ensure_future(self.link.lost.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _rest(self, outlet: Connector) -> None:
        reserved = any(r.connector == outlet.number for r in self.reservations.values())
        await self._show(outlet, outlet.resting_status(reserved=reserved))

    async def _show(self, outlet: Connector, status: str) -> None:
        if outlet.status == status:
            return
        outlet.status = status
        if self.online and self.accepted:
            with contextlib.suppress(NotConnectedError):
                await self.report_status(outlet.number)

    async def _security_event(self, kind: str) -> None:
        event = {"type": kind, "timestamp": timestamp(self._messages.now())}
        with contextlib.suppress(CallFailedError):
            await self.call("SecurityEventNotification", event)

    async def _beat(self) -> None:
        while self.accepted:
            await asyncio.sleep(self.settings.number("HeartbeatInterval"))
            with contextlib.suppress(NotConnectedError, CallFailedError):
                await self.heartbeat()

    def _background(self, work: Callable[[], Awaitable[None]]) -> None:
        async def quietly() -> None:
            with contextlib.suppress(NotConnectedError, CallFailedError):
                await work()

        task = asyncio.create_task(quietly())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
