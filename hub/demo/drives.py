"""The four drives: what a driver does, what the charger and the provider's app do then, and what is seen of it.

Each ends when the provider has the CDR. What went wrong is a trouble of that drive, and does not stop the others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final, NamedTuple

from hub.demo.callers import AskFailed
from hub.demo.mailbox import amount
from hub.demo.plugs import Plug
from hub.demo.record import Record
from hub.demo.stage import Stage
from hub.demo.timeline import BUSBAR, DRIVER, Actor, charger, provider
from hub.demo.watch import Watch
from hub.demo.world import DRIVES, Drive, ocpp_at
from partners.sandbox.point.link import CallFailedError, NotConnectedError

_WAIT_S: Final = 15.0
_APART_S: Final = 0.6
_PARTS: Final = {"total_energy_cost": "energy", "total_time_cost": "time", "total_parking_cost": "parking"}
_STRANGE: Final = (AskFailed, CallFailedError, NotConnectedError, TimeoutError, RuntimeError)


async def play(stage: Stage, watch: Watch, record: Record) -> None:
    """All drives, each beginning at its time; back when the last one ended."""

    async def one(drive: Drive) -> None:
        await asyncio.sleep((drive.number - 1) * _APART_S)
        try:
            await _Ride(stage, watch, record, drive).run()
        except _STRANGE as error:
            record.troubles.append(f"drive {drive.name}: {error or type(error).__name__}")
            stage.timeline.says(BUSBAR, f"trouble: {error or type(error).__name__}", drive=drive.number, style="red")

    await asyncio.gather(*(one(drive) for drive in DRIVES))


class _Words(NamedTuple):
    """What messages are called."""

    start: str
    stop: str
    remote_start: str


_IN_16: Final = _Words("StartTransaction", "StopTransaction", "RemoteStartTransaction")
_IN_2: Final = _Words("TransactionEvent Started", "TransactionEvent Ended", "RequestStartTransaction")


class _Ride:
    """One drive under way."""

    def __init__(self, stage: Stage, watch: Watch, record: Record, drive: Drive) -> None:
        self._stage, self._watch, self._drive = stage, watch, drive
        self._seen = record.of(drive)
        self._plug: Plug = stage.plugs[drive.station]
        self._charger = self._plug.charger
        self._emsp = stage.emsps[drive.provider]
        self._provider = provider(self._emsp.provider.label)
        self._words = _IN_16 if ocpp_at(drive.location) == "1.6" else _IN_2

    async def run(self) -> None:
        ways: dict[str, Callable[[], Awaitable[bool]]] = {"command": self._begin_by_app}
        begin = ways.get(self._drive.authorized_by, self._begin_by_card)
        if not await begin():
            return
        number = (await self._charger.until_started()).number
        self._says(charger(self._drive.station), f"{self._words.start}: the meter runs, transaction {str(number)[:8]}")
        await self._charge()
        await (self._end_by_app() if self._drive.authorized_by == "command" else self._end_by_card())
        await self._charger.unplug()
        await self._charger.settled()
        self._says(charger(self._drive.station), f"{self._words.stop}: {self._register()}")
        await self._until_billed()
        await self._tell_bill()

    async def _begin_by_card(self) -> bool:
        drive, card = self._drive, self._drive.card
        self._says(DRIVER, f"holds card {card.uid} to charger {drive.station} ({drive.title})")
        status = await self._charger.tap(card.uid)
        self._seen.authorize_ms = _ms(self._plug.answer_ms("Authorize"))
        asked = self._watch.known(drive.provider).asked.get(card.uid, [])
        party = self._emsp.provider.party
        source = f"{party} was asked" if asked else f"{party}'s list says {card.whitelist}, so nobody is asked"
        took = f"{self._seen.authorize_ms:.0f} ms" if self._seen.authorize_ms is not None else "?"
        if status != "Accepted":
            self._seen.authorized_by = "refused"
            self._says(BUSBAR, f"answers {status} after {took}: {source}; nothing flows", style="red")
            return False
        self._says(BUSBAR, f"answers {status} after {took}: {source}", style="green")
        await self._charger.plug_in()
        return True

    async def _begin_by_app(self) -> bool:
        drive = self._drive
        await self._charger.plug_in()
        self._says(DRIVER, f"plugs in at charger {drive.station}, and presses start in the app")
        self._says(self._provider, f"sends START_SESSION for EVSE {drive.evse_uid}")
        began = time.monotonic()
        order = {"token": drive.card.uid, "location_id": drive.location, "evse_uid": drive.evse_uid}
        await self._command("START_SESSION", order)
        at = self._plug.at_s(self._words.remote_start)
        if at is None:
            raise AskFailed("the charger was not asked to start")
        self._seen.authorize_ms = _ms((at - began) * 1000)
        self._says(BUSBAR, f"had the charger asked to start after {self._seen.authorize_ms:.0f} ms", style="green")
        return True

    async def _charge(self) -> None:
        drive = self._drive
        await self._charger.charge(kwh=drive.kwh, minutes=drive.minutes)
        if drive.idle_minutes:
            self._charger.connectors[1].status = "SuspendedEV"
            await self._charger.report_status(1)
            self._says(charger(drive.station), "SuspendedEV: the car is full, and still plugged in")
            await self._charger.clock.sleep(drive.idle_minutes * 60)

    async def _end_by_card(self) -> None:
        self._says(DRIVER, "holds the card to the reader again")
        await self._charger.tap(self._drive.card.uid)

    async def _end_by_app(self) -> None:
        self._says(DRIVER, "presses stop in the app")
        charge = await self._watch.charge(
            self._drive.provider,
            self._drive.evse_uid,
            lambda charge: bool(charge.updates),
            timeout_s=_WAIT_S,
            what="the session of START_SESSION at the eMSP",
        )
        session_id = charge.updates[-1]["id"]
        self._says(self._provider, f"sends STOP_SESSION for session {session_id[:8]}")
        await self._command("STOP_SESSION", {"session_id": session_id})

    async def _command(self, command: str, order: dict[str, str]) -> None:
        """Raises: AskFailed, when the hub or the charger says no."""
        outcome = await self._emsp.desk.post("/sandbox/commands", {"command": command, "body": order})
        result = (outcome["result"] or {}).get("result")
        if outcome["answer"]["result"] != "ACCEPTED" or result != "ACCEPTED":
            raise AskFailed(f"{command} was answered {outcome['answer']['result']}, its result {result}")

    async def _until_billed(self) -> None:
        await self._watch.charge(
            self._drive.provider,
            self._drive.evse_uid,
            lambda charge: charge.cdr is not None,
            timeout_s=_WAIT_S,
            what=f"the delivery of the CDR to {self._emsp.provider.party}",
        )

    async def _tell_bill(self) -> None:
        """How our CDR comes to its total: the parts, and what the tariff says in words."""
        for item in await self._stage.operator.items("cdrs", station=self._drive.station, limit="1"):
            cdr = item["cdr"]
            tariff = cdr["tariffs"][0]
            parts = [f"{word} {amount(cdr[name]).excl:.2f}" for name, word in _PARTS.items() if name in cdr]
            why = f"by {tariff['id']} ({tariff['tariff_alt_text'][0]['text']})"
            self._says(BUSBAR, f"has billed {', '.join(parts)} {cdr['currency']} {why}", style="green")

    def _register(self) -> str:
        minutes = self._drive.minutes + self._drive.idle_minutes
        energy = Decimal(self._charger.connectors[1].meter.reading_wh) / 1000
        return f"{energy} kWh in {minutes:.0f} minutes by its clock"

    def _says(self, who: Actor, what: str, *, style: str = "") -> None:
        self._stage.timeline.says(who, what, drive=self._drive.number, style=style)


def _ms(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
