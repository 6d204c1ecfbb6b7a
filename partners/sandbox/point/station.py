"""What every charge point does, charging or not: connect, boot, say how its connectors are, and deliver messages.

`Charger` adds the driver and the transactions.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from partners.sandbox.complaints import Complaints
from partners.sandbox.point.clock import Clock, FastClock, timestamp
from partners.sandbox.point.faults import Faults
from partners.sandbox.point.link import Afterwards, CallFailedError, Link, NotConnectedError, Payload, Security
from partners.sandbox.point.messages import Messages
from partners.sandbox.point.outbox import Entry, Outbox
from partners.sandbox.point.plan import Plan
from partners.sandbox.point.settings import Settings
from partners.sandbox.point.state import Connector, Reservation

_BOOT_ATTEMPTS = 10


class Station(abc.ABC):
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
        version: str = "1.6",
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
        self._messages = self._words(vendor, model)
        self.link = Link(
            url, identity, self.on_call, self._come_back, security=self._security,
            complaints=self.complaints, timeout_s=call_timeout_s, backoff_s=backoff_s, version=version,
        )  # fmt: skip
        self.outbox = Outbox(
            self.link,
            attempts=self.settings.number("TransactionMessageAttempts"),
            retry_s=lambda: self.settings.number("TransactionMessageRetryInterval"),
            unknown_id=unknown_id,
        )
        self._tasks: set[asyncio.Task[None]] = set()

    def _words(self, vendor: str, model: str) -> Messages:
        """What it says, in its version."""
        return Messages(self.clock, self._faults, vendor=vendor, model=model, serial=self.identity)

    @abc.abstractmethod
    def on_call(self, action: str, payload: Payload) -> tuple[Payload, Afterwards | None]:
        """Answer a CALL of the CSMS. Raises UnknownActionError."""

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

    @property
    def firmware(self) -> str:
        """The version that it boots with."""
        return self._messages.firmware

    def install(self, version: str) -> None:
        """From the next boot on it runs this version."""
        self._messages.firmware = version

    def written_down(self) -> bytes:
        """What it has to tell of itself: its log."""
        return "".join(f"{way} {text}\n" for way, text in self.link.frames).encode()

    async def change_key(self, key: str) -> None:
        """A new AuthorizationKey is used from a new connection on."""
        self.link.take_key(key)
        self._background(self.reconnect)

    async def reconnect(self) -> None:
        """Hang up and dial again, for as long as it takes."""
        await self.link.close()
        await self.link.open(patient=True)

    async def _come_back(self) -> None:
        """After a loss: no boot, but the statuses as they are now. OCPP 1.6 section 4.9."""
        if self.accepted:
            await self.report_status(0, *self.connectors)

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
