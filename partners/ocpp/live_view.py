"""A station as its operator sees it: the registration, the socket, the connectors, what was learned. No secrets."""

from __future__ import annotations

import msgspec

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from partners.ocpp import commissioning, maintenance
from partners.ocpp.live import Link, Live
from partners.ocpp.numbering import socketed
from partners.ocpp.register import Learned, Station


def shown(live: Live, now_s: float) -> Tree:
    """The whole view; `now_s` by the clock's monotonic seconds."""
    offset = live.drift
    return {
        **_registered(live.station),
        **_connection(live.link, now_s),
        "connectors": {
            str(number): {
                "status": heard.status,
                "since": timestamp(heard.since or heard.at),
                **_called(live.station, number),
            }
            for number, heard in sorted(live.connectors.items())
        },
        "clock_offset_s": round(offset.total_seconds(), 1) if offset is not None else None,
        **_learned(live.learned),
    }


def _called(station: Station, number: int) -> Tree:
    """The connector as a station of 2.x knows it: by its EVSE, and by its number there."""
    return socketed(number)._asdict() if station.has_evses else {}


def _registered(station: Station) -> Tree:
    return {
        "identity": station.identity,
        "location": station.location,
        "evses": {
            number: {"evse_uid": evse.evse_uid, "connectors": dict(evse.connectors)}
            for number, evse in station.evses.items()
        },
        "protocol": station.protocol,
        "security_profile": station.security_profile,
        "switches": msgspec.to_builtins(station.switches),
        "has_password": station.password is not None,
        "maintenance": maintenance.shown(station),
        "commissioning": commissioning.shown(station),
    }


def _connection(link: Link | None, now_s: float) -> Tree:
    if link is None:
        return {"connected": False, "since": None, "version": None, "last_frame_s": None, "queue": 0, "counts": {}}
    return {
        "connected": True,
        "since": timestamp(link.opened),
        "version": link.version,
        "last_frame_s": round(now_s - link.heard_at, 1),
        "queue": link.rpc.waiting,
        "counts": dict(link.rpc.counts),
    }


def _learned(learned: Learned) -> Tree:
    return {
        "capabilities": list(learned.features) if learned.features is not None else None,
        "not_supported": list(learned.not_supported),
        "vendor": learned.vendor,
        "model": learned.model,
        "serial": learned.serial,
        "firmware": learned.firmware,
        "booted_at": timestamp(learned.booted_at) if learned.booted_at is not None else None,
        "progress": dict(learned.progress),
    }
