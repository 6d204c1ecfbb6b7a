"""Which process holds which charger's socket, as the database has it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from hub.core.store import Store
from hub.core.units import Document, Kind, Put
from partners.ocpp.live import Link
from partners.ocpp.register import MOST_STATIONS, folded

GATEWAYS: Final = Kind("ocpp_gateways")
"""One row for each process that chargers connect to: how long it can be counted on."""
SOCKETS: Final = Kind("ocpp_sockets")
"""One row for each connected charger; its owner is the gateway that holds the socket."""

LEASE: Final = timedelta(seconds=15)


class Lease(msgspec.Struct, frozen=True):
    """Until when a gateway lives, if nothing more is heard of it."""

    until: datetime


class Held(msgspec.Struct, frozen=True):
    """A socket, and who holds it. `waits`: the charger was told to wait (BootNotification: Pending)."""

    identity: str
    gateway: str
    version: str
    since: datetime
    waits: bool


def lease_put(gateway: str, now: datetime) -> Put:
    """The write of a sign of life."""
    return Put(GATEWAYS, gateway, msgspec.json.encode(Lease(now + LEASE)))


def socket_put(gateway: str, link: Link) -> Put:
    """The write of a socket: the newest wins."""
    held = Held(link.live.identity, gateway, link.version, link.opened, link.waits)
    return Put(SOCKETS, folded(held.identity), msgspec.json.encode(held), gateway)


async def holder_of(store: Store, identity: str, now: datetime) -> Held | None:
    """Who holds the socket of a station; None, when nobody does."""
    document = await store.get(SOCKETS, folded(identity))
    if document is None:
        return None
    lease = await store.get(GATEWAYS, document.owner)
    return msgspec.json.decode(document.body, type=Held) if lease is not None and lives(lease, now) else None


async def all_held(store: Store, now: datetime) -> dict[str, Held]:
    """All sockets, by folded identity."""
    gateways = {lease.key for lease in await store.select(GATEWAYS, limit=MOST_STATIONS) if lives(lease, now)}
    sockets = await store.select(SOCKETS, limit=MOST_STATIONS)
    return {d.key: msgspec.json.decode(d.body, type=Held) for d in sockets if d.owner in gateways}


def lives(lease: Document, now: datetime) -> bool:
    """Can this gateway still be counted on?"""
    return now < msgspec.json.decode(lease.body, type=Lease).until
