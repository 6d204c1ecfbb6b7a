"""OCPP 1.6 chargers on bare protocols: each sends a CALL, waits for its answer, and sends the next.

A client masks its frames; the mask of zeros is a mask, and leaves them as they are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from itertools import count, cycle
from typing import Any, Final

from bench.harness import Sample, Target, TargetFailed
from bench.load import window

CARD: Final = "04A2B3C4D5E6F7"
_UPGRADE: Final = (
    "GET /{identity} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: ocpp1.6\r\n\r\n"
)
_TEXT, _CLOSE, _PING, _PONG = 0x81, 0x88, 0x89, 0x8A
_MASKED: Final = 0x80
_CONNECTING_AT_ONCE: Final = 50
_DIALLING_AT_ONCE: Final = 1_000
_HANG_UP_S: Final = 1.0
_WARM_UP: Final = 0.3


def identity_of(number: int) -> str:
    """`CP00001`."""
    return f"CP{number:05d}"


def boot(number: int) -> str:
    """BootNotification."""
    serial = f"SN{number:08d}"
    return (
        '"BootNotification",{"chargePointVendor":"Example","chargePointModel":"Wallbox 22",'
        f'"chargePointSerialNumber":"{serial}","firmwareVersion":"1.4.2"}}'
    )


def status() -> str:
    """StatusNotification of the only connector."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return f'"StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"{at}"}}'


def heartbeat() -> str:
    """Heartbeat."""
    return '"Heartbeat",{}'


def authorize() -> str:
    """Authorize of a card that is on a whitelist."""
    return f'"Authorize",{{"idTag":"{CARD}"}}'


def start() -> str:
    """StartTransaction."""
    return f'"StartTransaction",{{"connectorId":1,"idTag":"{CARD}","meterStart":0,"timestamp":"{_moment(0)}"}}'


def meter_values(transaction: str, turn: int) -> str:
    """MeterValues of 1.2 KB: energy, power, current and voltage of three phases, state of charge."""
    return (
        f'"MeterValues",{{"connectorId":1,"transactionId":{transaction},"meterValue":[{{"timestamp":"{_moment(turn)}",'
        f'"sampledValue":[{_value("Energy.Active.Import.Register", "Wh", str(turn))},{_REST}]}}]}}'
    )


def many_values(transaction: str, turn: int, *, samples: int) -> str:
    """MeterValues of one moment with so many bare samples, of 15 bytes each: valid, and of no use."""
    first = _value("Energy.Active.Import.Register", "Wh", str(turn))
    values = ",".join([first, *['{"value":"12"}'] * samples])
    return (
        f'"MeterValues",{{"connectorId":1,"transactionId":{transaction},"meterValue":[{{"timestamp":"{_moment(turn)}",'
        f'"sampledValue":[{values}]}}]}}'
    )


def _value(measurand: str, unit: str, value: str, phase: str = "") -> str:
    of_phase = f',"phase":"{phase}"' if phase else ""
    return f'{{"value":"{value}","context":"Sample.Periodic","measurand":"{measurand}","unit":"{unit}"{of_phase}}}'


_REST = ",".join(
    [
        _value("Power.Active.Import", "W", "11040"),
        *(_value("Current.Import", "A", "16.0", phase) for phase in ("L1", "L2", "L3")),
        *(_value("Voltage", "V", "230.1", phase) for phase in ("L1-N", "L2-N", "L3-N")),
        _value("SoC", "Percent", "61"),
    ]
)


def _moment(turn: int) -> str:
    """Meter values come a second apart, from a time on that is a while ago."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_EPOCH + turn))


_EPOCH = int(time.time()) - 6 * 3600


class Charger(asyncio.Protocol):
    """One socket. `ask` gives the answer of one CALL; `keep_on` asks for ever."""

    def __init__(self, fleet: Fleet, identity: str) -> None:
        self.identity = identity
        self._fleet = fleet
        self._heard = b""
        self._upgraded: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answer: asyncio.Future[str] | None = None
        self._calls: Iterator[str] | None = None
        self._asked_at = 0.0
        self.is_waiting = False
        self._numbers = count(1)

    async def upgrade(self) -> None:
        """Become a websocket."""
        self._transport.write(_UPGRADE.format(identity=self.identity).encode())
        head = await self._upgraded
        if " 101 " not in head.split("\r\n", 1)[0]:
            raise TargetFailed(f"{self.identity} was refused: {head[:80]!r}")

    async def ask(self, call: str) -> str:
        """The answer to one CALL, as text."""
        self._answer = asyncio.get_running_loop().create_future()
        self._send(call)
        return await self._answer

    def keep_on(self, calls: Iterator[str]) -> None:
        """Send these one after the other, each when the one before was answered."""
        self._calls = calls
        self._send(next(calls))

    def flood(self, calls: Iterator[str], *, at_once: int) -> None:
        """The same with so many under way, whatever the answers take."""
        self._calls = calls
        for _ in range(at_once):
            self._send(next(calls))

    def rest(self) -> None:
        """Send no more."""
        self._calls = None

    def hang_up(self) -> None:
        """Close the connection, as one does."""
        self._calls = None
        self._transport.write(_frame(_CLOSE, b"\x03\xe8"))
        self._transport.close()

    def drop(self) -> None:
        """Lose the connection."""
        self._calls = None
        self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if not self._upgraded.done():
            head, end, rest = self._heard.partition(b"\r\n\r\n")
            if not end:
                return
            self._heard = rest
            self._upgraded.set_result(head.decode())
        while (length := _whole(self._heard)) is not None:
            opcode, payload, self._heard = self._heard[0], self._heard[length[0] : length[1]], self._heard[length[1] :]
            self._take(opcode, payload)

    def connection_lost(self, exc: Exception | None) -> None:
        for awaited in (self._upgraded, self._answer):
            if awaited is not None and not awaited.done():
                awaited.set_exception(TargetFailed(f"{self.identity} was disconnected, and waits for an answer"))
        if self._calls is not None:
            self._fleet.fail(f"{self.identity} was disconnected")

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._transport.write(_frame(_PONG, payload))
            return
        self.is_waiting = False
        if opcode == _TEXT and self._answer is not None:
            answer, self._answer = self._answer, None
            answer.set_result(payload.decode())
        elif opcode == _TEXT and self._calls is not None:
            self._fleet.heard(payload, time.perf_counter() - self._asked_at)
            self._send(next(self._calls))
        elif opcode == _CLOSE:
            self._fleet.fail(f"{self.identity} was sent away: {payload[:80]!r}")

    def _send(self, call: str) -> None:
        self._asked_at = time.perf_counter()
        self.is_waiting = True
        self._transport.write(_frame(_TEXT, f'[2,"{next(self._numbers)}",{call}]'.encode()))


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes((opcode, _MASKED | size))
    elif size < 1 << 16:
        head = bytes((opcode, _MASKED | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((opcode, _MASKED | 127)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


def _whole(heard: bytes) -> tuple[int, int] | None:
    """Where the payload of the first frame begins and ends, when all of it is there."""
    if len(heard) < 4:
        return (2, 2) if len(heard) >= 2 and heard[1] == 0 else None
    begin, size = (4, int.from_bytes(heard[2:4], "big")) if heard[1] == 126 else (2, heard[1])
    return (begin, begin + size) if len(heard) >= begin + size else None


class Fleet:
    """Chargers of one target, numbered from `first` on; counts what `load.window` reads."""

    def __init__(self, port: int, how_many: int, *, first: int = 0) -> None:
        self._port = port
        self._first = first
        self._how_many = how_many
        self.chargers: list[Charger] = []
        self.answered = 0
        self.waits_s: list[float] = []
        self.failure: str | None = None

    async def __aenter__(self) -> Fleet:
        for first in range(0, self._how_many, _CONNECTING_AT_ONCE):
            numbers = range(first, min(first + _CONNECTING_AT_ONCE, self._how_many))
            await asyncio.gather(*map(self._connect, numbers))
        return self

    async def __aexit__(self, *_: object) -> None:
        for charger in self.chargers:
            charger.hang_up()
        await asyncio.sleep(0.02)

    async def _connect(self, number: int) -> Charger:
        loop = asyncio.get_running_loop()
        _, charger = await loop.create_connection(
            lambda: Charger(self, identity_of(self._first + number)), "127.0.0.1", self._port
        )
        await charger.upgrade()
        self.chargers.append(charger)
        return charger

    async def begin(self) -> None:
        """Boot, and say that the connector is free. Raises: TargetFailed."""
        for charger in self.chargers:
            await self._boot(charger)
            await charger.ask(status())

    async def hang_up(self) -> None:
        """All at once, and without a word."""
        for charger in self.chargers:
            charger.drop()
        self.chargers.clear()
        await asyncio.sleep(_HANG_UP_S)

    async def come_back(self) -> None:
        """Dial and boot, as many at the same time as a network lets through. Raises: TargetFailed."""
        await gather_some(_DIALLING_AT_ONCE, [self._return(number) for number in range(self._how_many)])

    async def _return(self, number: int) -> None:
        await self._boot(await self._connect(number))

    async def _boot(self, charger: Charger) -> None:
        answer = await charger.ask(boot(int(charger.identity.removeprefix("CP"))))
        if "Accepted" not in answer:
            raise TargetFailed(f"{charger.identity} was not accepted: {answer[:200]}")

    async def charge(self) -> dict[str, str]:
        """Begin a transaction at each. Returns: their numbers, by identity. Raises: TargetFailed."""
        numbers: dict[str, str] = {}
        for charger in self.chargers:
            answer = await charger.ask(start())
            if "Accepted" not in answer:
                raise TargetFailed(f"{charger.identity} may not charge: {answer[:200]}")
            numbers[charger.identity] = answer.rpartition('"transactionId":')[2].partition("}")[0].partition(",")[0]
        return numbers

    def heard(self, payload: bytes, wait_s: float) -> None:
        """A frame came back: a CALLRESULT, or from the ceiling what was sent. A CALLERROR is a failure."""
        if payload.startswith(b"[4"):
            self.fail(f"a CALL was refused: {payload[:120]!r}")
        self.answered += 1
        self.waits_s.append(wait_s)

    def fail(self, why: str) -> None:
        """The first failure is told at the end."""
        self.failure = self.failure or why

    async def measure(self, target: Target, calls: Callable[[Charger], Iterator[str]], *, seconds: float) -> Sample:
        """All chargers keep on, for `seconds`. Raises: TargetFailed."""
        for charger in self.chargers:
            charger.keep_on(calls(charger))
        await asyncio.sleep(seconds * _WARM_UP)
        self.waits_s.clear()
        sample = await window(target, self, seconds)
        for charger in self.chargers:
            charger.rest()
        while any(charger.is_waiting for charger in self.chargers):  # noqa: ASYNC110 - what is under way comes back
            await asyncio.sleep(0.02)
        if self.failure is not None:
            raise TargetFailed(self.failure)
        return sample


async def gather_some(at_once: int, work: list[Coroutine[Any, Any, None]]) -> None:
    """Do it all, so many at the same time."""
    places = asyncio.Semaphore(at_once)

    async def one(each: Coroutine[Any, Any, None]) -> None:
        async with places:
            await each

    await asyncio.gather(*map(one, work))


def always(call: str) -> Callable[[Charger], Iterator[str]]:
    """The same CALL again and again."""
    return lambda _: cycle([call])
