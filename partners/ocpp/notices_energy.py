"""What chargers of 2.x tell of power: limits from outside, what a car needs and plans, DER control (blocks K, R)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from hub.core.inbound import encode
from hub.core.jsontypes import Json, Tree
from hub.core.units import Audit, Unit
from partners.ocpp import reported
from partners.ocpp.booting import text
from partners.ocpp.live import MOST_CONNECTORS, Link
from partners.ocpp.needs import needs_in
from partners.ocpp.rpc import Incoming

if TYPE_CHECKING:
    from partners.ocpp.v2 import Version2

_LONGEST: Final = 16 * 1024
_NO_PROFILE: Final = {"2.0.1": "Rejected", "2.1": "NoChargingProfile"}
"""The answer to a car's needs, as long as nobody makes a profile of them: it charges by those that it has."""


async def charging_limit(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """A limit from outside, as of the grid's operator (K12): kept, and told to who set a profile there."""
    payload = incoming.payload
    evse = evse_in(payload)
    source = text((payload.get("chargingLimit") or {}).get("chargingLimitSource"))
    row = {"evse": evse, "source": source, "schedules": bounded(payload.get("chargingSchedule"))}
    known = await _limits(v2, link)
    if len(known) < MOST_CONNECTORS or _place(evse, source) in known:
        await _keep(v2, link, "limits", {**known, _place(evse, source): row})
    v2.stations.limits_told.changed(link.live, evse)
    return {}


async def limit_cleared(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """It does not hold any more (K13)."""
    evse, source = evse_in(incoming.payload), text(incoming.payload.get("chargingLimitSource"))
    known = await _limits(v2, link)
    left = {key: row for key, row in known.items() if row["source"] != source or (evse and row["evse"] != evse)}
    await _keep(v2, link, "limits", left)
    v2.stations.limits_told.changed(link.live, evse)
    return {}


async def charging_needs(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """What a car needs, and until when (K15): kept for whoever shares out power (`needs.py`)."""
    live, now = link.live, v2.hub.clock.now()
    needs = needs_in(incoming.payload, now)
    if needs.evse not in live.needs and len(live.needs) >= MOST_CONNECTORS:
        return {"status": "Rejected"}
    live.needs = {**live.needs, needs.evse: needs}
    rows = {str(evse): msgspec.to_builtins(each, builtin_types=()) for evse, each in live.needs.items()}
    await _keep(v2, link, "needs", rows)
    return {"status": _NO_PROFILE[link.version]}


async def charging_schedule(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """How a car will charge within its limits (K16, K17): kept, and told as a change of what holds."""
    payload = incoming.payload
    evse = evse_in(payload)
    known = (await reported.read(v2.hub.store, link.live.identity, "ev-schedules")).get("rows", {})
    if len(known) < MOST_CONNECTORS or str(evse) in known:
        row = {"evse": evse, "timeBase": payload.get("timeBase"), "schedule": bounded(payload.get("chargingSchedule"))}
        await _keep(v2, link, "ev-schedules", {**known, str(evse): row})
    v2.stations.limits_told.changed(link.live, evse)
    return {"status": "Accepted"}


async def priority_charging(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """A driver asked for all that there is, or gave it back (K22): the limits of that charge are others now."""
    said = "on" if incoming.payload.get("activated") is True else "off"
    await _audit(v2, link, "station.priority_charging", text(incoming.payload.get("transactionId")), said)
    v2.stations.limits_told.changed(link.live, None)
    return {}


async def dynamic_schedule(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """It wants news of a dynamic profile (K28); none of ours is one."""
    return {"status": "Rejected"}


async def der_alarm(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """The grid is out of bounds at this charger (R04)."""
    payload = incoming.payload
    ended = "ended" if payload.get("alarmEnded") is True else "begun"
    fault, info = text(payload.get("gridEventFault")), text(payload.get("extraInfo"))
    await _audit(v2, link, "station.der_alarm", text(payload.get("controlType")), f"{ended} {fault} {info}".strip())
    return {}


async def der_start_stop(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """A DER control began to work, or ended (R04)."""
    said = "started" if incoming.payload.get("started") is True else "stopped"
    await _audit(v2, link, "station.der_control", text(incoming.payload.get("controlId")), said)
    return {}


def bounded(schedule: Json) -> Json:
    """A schedule as it is kept; None, when it is longer than anybody would read."""
    return schedule if schedule is not None and len(encode(schedule)) <= _LONGEST else None


def evse_in(payload: Tree) -> int | None:
    """The EVSE that a message is about; None, when it is about the whole station."""
    evse = payload.get("evseId")
    return evse if isinstance(evse, int) and not isinstance(evse, bool) and evse > 0 else None


async def _limits(v2: Version2, link: Link) -> dict[str, Any]:
    rows: dict[str, Any] = (await reported.read(v2.hub.store, link.live.identity, "limits")).get("rows", {})
    return rows


async def _keep(v2: Version2, link: Link, subject: str, rows: Tree) -> None:
    put = reported.put_of(link.live.identity, subject, {"rows": rows}, v2.hub.clock.now())
    await v2.hub.store.commit(Unit().put(put))


async def _audit(v2: Version2, link: Link, action: str, subject: str, detail: str) -> None:
    await v2.hub.store.commit(Unit().audited(Audit(link.live.identity, action, subject, detail)))


def _place(evse: int | None, source: str) -> str:
    return f"{evse or 0}/{source}"
