"""After the drives: the record is completed from what the management API says, and from what the eMSPs have."""

from __future__ import annotations

from typing import Final

from hub.demo.callers import AskFailed, until
from hub.demo.processes import rss_mb
from hub.demo.record import Record
from hub.demo.stage import Emsp, Stage
from hub.demo.watch import Watch
from hub.demo.world import DRIVES, Drive

_DELIVERED_S: Final = 5.0


async def look(stage: Stage, watch: Watch, record: Record) -> None:
    """Fill in all that is known by now. Raises: AskFailed, when hub or eMSP do not answer at all."""
    await _until_delivered(stage, record)
    for name, emsp in stage.emsps.items():
        await _look_at_partner(stage, record, name, emsp)
    for drive in DRIVES:
        await _look_at_drive(stage, watch, record, drive)
    record.seconds_to_first_cdr = None if watch.first_cdr_s is None else round(watch.first_cdr_s, 2)
    record.rss_mb = rss_mb(stage.hub.pid)
    for identity, made in stage.plugs.items():
        record.troubles += [f"charger {identity} complains: {text}" for text in made.charger.complaints.texts()]


async def _until_delivered(stage: Stage, record: Record) -> None:
    """The hub writes down a delivery just after the eMSP has answered."""

    async def all_settled() -> bool:
        items = await stage.operator.items("cdrs")
        return all(each["state"] == "delivered" for item in items for each in item["deliveries"])

    try:
        await until(all_settled, timeout_s=_DELIVERED_S, what="the delivery of all CDRs", every_s=0.1)
    except AskFailed as error:
        record.troubles.append(str(error))


async def _look_at_partner(stage: Stage, record: Record, name: str, emsp: Emsp) -> None:
    found = record.partners[name]
    state = await emsp.desk.get("/sandbox/state")
    partner = await stage.operator.get(f"/api/v1/partners/{name}")
    found.registered = (
        bool(state["registered"]) and partner["state"] == "connected" and partner["version"] == found.version
    )
    found.locations = len(state["locations"])
    found.tariffs = len(state["tariffs"])
    found.tokens = len(await stage.operator.items("tokens", partner=name))
    record.complaints += [f"{name}: {each['where']}: {each['what']}" for each in state["complaints"]]


async def _look_at_drive(stage: Stage, watch: Watch, record: Record, drive: Drive) -> None:
    seen, charge = record.of(drive), watch.known(drive.provider).charge(drive.evse_uid)
    seen.session_updates = len(charge.updates)
    sessions = await stage.operator.items("sessions", station=drive.station)
    if sessions:
        seen.session_id = sessions[0]["id"]
    for item in await stage.operator.items("cdrs", station=drive.station):
        seen.take_cdr(item["cdr"], charge.cdr, item["deliveries"])
