"""Charge points in numbers: each plays the same short script, one after the other or for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from partners.sandbox.charger import Charger
from partners.sandbox.charger2 import speaking
from partners.sandbox.point.clock import FastClock
from partners.sandbox.point.faults import Faults
from partners.sandbox.point.link import Security

Tell = Callable[[dict[str, Any]], None]
"""Takes the events of a run, one JSON object each."""


@dataclass(frozen=True)
class Script:
    """What a charge point does. Without a `tag` it stands there, plugged in, and charges when started remotely."""

    tag: str | None
    kwh: float
    minutes: float
    rounds: int
    stay: bool


def places(url: str, count: int, identity: str | None) -> list[tuple[str, str]]:
    """Base URL and identity of each: the identity given, or the last part of the URL; numbered when several."""
    if identity is None:
        url, _, identity = url.rstrip("/").rpartition("/")
    if count == 1:
        return [(url, identity)]
    return [(url, f"{identity}{number:04d}") for number in range(1, count + 1)]


async def run_fleet(
    sites: Sequence[tuple[str, str]],
    script: Script,
    tell: Tell,
    *,
    speed: float = 1.0,
    connectors: int = 1,
    security: Security | None = None,
    faults: Faults | None = None,
    version: str = "1.6",
    spread_s: float = 0.05,
) -> None:
    """All of them together, dialling `spread_s` apart. One that fails is told of and does not stop the others."""

    async def one(index: int, url: str, identity: str) -> None:
        await asyncio.sleep(index * spread_s)
        clock = _clock(script, speed)
        options = {"clock": clock, "connectors": connectors, "security": security, "faults": faults}
        charger = speaking(version, url, identity, **options)
        try:  # the other charge points go on whatever it is; the tester reads why
            async with charger:
                await _play(charger, script, tell)
        except Exception as error:  # the other charge points go on; the tester reads why
            tell({"event": "failed", "identity": identity, "why": f"{type(error).__name__}: {error}"})

    await asyncio.gather(*(one(index, *site) for index, site in enumerate(sites)))


def _clock(script: Script, speed: float) -> FastClock:
    """A fast one begins so long ago that the last round ends about now: nobody believes a charge in the future."""
    if script.tag is None or script.stay or speed <= 1:
        return FastClock(speed)
    return FastClock(speed, behind=timedelta(minutes=script.minutes * script.rounds * 1.1))


async def _play(charger: Charger, script: Script, tell: Tell) -> None:
    status = await charger.boot()
    tell({"event": "booted", "identity": charger.identity, "status": status})
    if script.tag is not None:
        for _ in range(script.rounds):
            await charger.plug_in()
            status = await charger.tap(script.tag)
            tell({"event": "tapped", "identity": charger.identity, "status": status})
            if status == "Accepted":
                await _charge(charger, script, tell)
            await charger.unplug()
    await charger.settled()
    while script.stay:
        await _wait_for_orders(charger, script, tell)
    tell({"event": "done", "identity": charger.identity, "complaints": charger.complaints.texts()})


async def _wait_for_orders(charger: Charger, script: Script, tell: Tell) -> None:
    await charger.plug_in()
    await charger.connectors[1].begun.wait()
    await _charge(charger, script, tell)
    await charger.unplug()


async def _charge(charger: Charger, script: Script, tell: Tell) -> None:
    transaction = charger.connectors[1].transaction
    if transaction is None:
        return
    energy = await charger.charge(kwh=script.kwh, minutes=script.minutes)
    told = {"transaction": transaction.number, "kwh": round(energy, 3), "stopped": transaction.ended}
    tell({"event": "charged", "identity": charger.identity, **told})
