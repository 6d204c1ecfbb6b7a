"""A charger has booted: what it says of itself is learned, and it is taken in or told to wait (rule R17)."""

from __future__ import annotations

import random
from typing import NamedTuple

from msgspec.structs import replace as with_fields

from hub.core.clock import timestamp
from hub.core.jsontypes import Json, Tree
from partners.ocpp import reports
from partners.ocpp.care import heard
from partners.ocpp.live import Link
from partners.ocpp.stations import Stations
from partners.ocpp.transactions import Transactions

_LONGEST_TEXT = 255


class Made(NamedTuple):
    """Who made it, and what runs on it."""

    vendor: str
    model: str
    serial: str
    firmware: str


async def booted(stations: Stations, transactions: Transactions, link: Link, made: Made) -> Tree:
    """The answer to a BootNotification: Accepted, if we know where it stands; else Pending, until we do."""
    hub, live = stations.hub, link.live
    now = hub.clock.now()
    is_as_before = made.firmware == live.learned.firmware
    live.learned = with_fields(
        live.learned,
        **made._asdict(),
        booted_at=now,
        not_supported=live.learned.not_supported if is_as_before else (),
    )
    await stations.save_learned(live)
    await transactions.report(reports.boot(live.identity, now))
    await heard.boot(hub, live.identity, made.firmware)
    link.waits, link.booted = not live.station.is_configured, True
    link.settle_at = hub.clock.monotonic() + hub.settings.ocpp_settle_s
    interval = hub.settings.heartbeat_interval_s
    spread = round(interval * random.uniform(0.9, 1.1))  # noqa: S311 - spreads a fleet, guards nothing
    status = "Pending" if link.waits else "Accepted"
    return {"currentTime": timestamp(now), "interval": max(1, spread), "status": status}


def text(value: Json) -> str:
    """A text for people; what would steer their terminal is left out."""
    return "".join(filter(str.isprintable, value[:_LONGEST_TEXT])) if isinstance(value, str) else ""
