"""The device model of stations of 2.x: what they report of their variables and monitors, gathered and kept.

Other lists that a station sends when it is asked (display messages, charging profiles) are gathered in the same way. A
report comes in parts (NotifyReport, NotifyMonitoringReport), in any order, some of them twice, and its last part may
never come. Parts are gathered in memory, and written when the report is whole, or when no part has come for a while;
what was asked as a whole (`GetBaseReport`) then takes the place of what was known, everything else is added to it. What
decides on our own doing (`ASKED`) is learned besides.

    DeviceModels.gather(live, subject, payload)     a part has come
    rows_of(store, identity, subject)               what is known
    alerted(hub, live, events)                      keeps what NotifyEvent raises an alarm about
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from hub.core.inbound import encode
from hub.core.jsontypes import Json, Tree
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.units import Audit, Unit
from partners.ocpp import reported
from partners.ocpp.live import Live
from partners.ocpp.readings import objects_in
from partners.ocpp.register import folded
from partners.ocpp.variables import ACTUAL, named_in, row_in

log = structlog.get_logger()

ASKED: Final[tuple[str, ...]] = (
    "AuthCtrlr.AuthorizeRemoteStart",
    "DeviceDataCtrlr.ItemsPerMessage[GetVariables]",
    "ReservationCtrlr.Available",
    "ReservationCtrlr.Enabled",
    "SampledDataCtrlr.TxUpdatedInterval",
    "SmartChargingCtrlr.Available",
    "SmartChargingCtrlr.Enabled",
    "SmartChargingCtrlr.PeriodsPerSchedule",
    "SmartChargingCtrlr.ProfileStackLevel",
    "SmartChargingCtrlr.RateUnit",
    "TariffCostCtrlr.Available[Cost]",
    "TariffCostCtrlr.Available[Tariff]",
    "TariffCostCtrlr.Enabled[Cost]",
    "TariffCostCtrlr.Enabled[Tariff]",
    "TxCtrlr.EVConnectionTimeOut",
)
"""Variables that change what we do."""

MOST_VARIABLES: Final = 5_000
MOST_MONITORS: Final = 500
_MOST_PARTS: Final = 4_096
_LONGEST_ROW: Final = 8 * 1024
QUIET_S: Final = 15.0
"""So long no part of a report has come: the rest of it is not waited for."""
AUDITED_UP_TO: Final = 5
"""Severities are 0 (danger) to 9 (debug); up to 5 (alert) somebody should look."""

_ANSWERED: Final = -1
"""No request has this number: what comes after a report was written adds to it."""

Rows = dict[str, Tree]


@dataclass(slots=True)
class _Gathering:
    request: int
    rows: Rows = field(default_factory=dict)
    parts: set[int] = field(default_factory=set)
    last: int | None = None
    heard_at: float = 0.0

    @property
    def is_whole(self) -> bool:
        return self.last is not None and self.parts.issuperset(range(self.last + 1))


def _variables_in(payload: Tree) -> Rows:
    told = payload.get("reportData")
    rows = map(row_in, told) if isinstance(told, list) else ()
    return {row.name: msgspec.to_builtins(row) for row in rows if row is not None}


def _monitors_in(payload: Tree) -> Rows:
    found: Rows = {}
    told = payload.get("monitor")
    for entry in told if isinstance(told, list) else ():
        variable, monitors = named_in(entry), entry.get("variableMonitoring") if isinstance(entry, dict) else None
        for monitor in monitors if variable is not None and isinstance(monitors, list) else ():
            if variable is not None and isinstance(monitor, dict) and isinstance(monitor.get("id"), int):
                found[str(monitor["id"])] = monitor_row(variable.text, monitor)
    return found


def monitor_row(name: str, told: Mapping[str, Any]) -> Tree:
    """A monitor as it is kept: its number, on what it is, and when it speaks."""
    return {"id": told.get("id"), "name": name, **{key: told.get(key) for key in _OF_MONITOR if key in told}}


_OF_MONITOR: Final = ("type", "value", "severity", "transaction", "eventNotificationType")


def _listed(payload: Tree, name: str, *key: str) -> Rows:
    """The objects of a list, by the fields that make one itself."""
    told = payload.get(name)
    rows = [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []
    return {"/".join(str(row.get(field)) for field in key): row for row in rows if len(encode(row)) <= _LONGEST_ROW}


def _profiles_in(payload: Tree) -> Rows:
    evse, source = payload.get("evseId"), payload.get("chargingLimitSource")
    found = _listed(payload, "chargingProfile", "id")
    return {f"{evse}/{key}": {"evseId": evse, "chargingLimitSource": source, **row} for key, row in found.items()}


def _controls_in(payload: Tree) -> Rows:
    found: Rows = {}
    for name in sorted(set(payload) - {"requestId", "tbc", "customData"}):
        found |= {f"{name}/{key}": {"kind": name, **row} for key, row in _listed(payload, name, "id").items()}
    return found


def _customer_in(payload: Tree) -> Rows:
    """Each part with the request it answers: of two customers, what was told of one is not taken for the other's."""
    text, request = payload.get("data"), _number(payload.get("requestId"))
    row = {"requestId": request, "data": text[:512] if isinstance(text, str) else ""}
    return {f"{request}/{_number(payload.get('seqNo')):04}": row}


class Subject(NamedTuple):
    """How a part of a report is read, how much is kept of a station, and whether the whole stands for what was."""

    read: Callable[[Tree], Rows]
    most: int
    replaces: bool = False


SUBJECTS: Final[Mapping[str, Subject]] = {
    "variables": Subject(_variables_in, MOST_VARIABLES),
    "monitors": Subject(_monitors_in, MOST_MONITORS),
    "charging-profiles": Subject(_profiles_in, MOST_MONITORS, replaces=True),
    "customer-information": Subject(_customer_in, MOST_MONITORS, replaces=True),
    "der-controls": Subject(_controls_in, MOST_MONITORS, replaces=True),
    "display-messages": Subject(lambda payload: _listed(payload, "messageInfo", "id"), MOST_MONITORS, replaces=True),
}

Learn = Callable[[Live], Awaitable[None]]


class DeviceModels:
    """Of all stations whose sockets are here. `learn` writes what was learned of one."""

    def __init__(self, hub: Hub, learn: Learn) -> None:
        self._hub, self._learn = hub, learn
        self._gathered: dict[tuple[str, str], _Gathering] = {}
        self._whole: dict[str, tuple[int, str]] = {}
        """By station: the request for all of its variables that is under way, and its firmware."""

    def asks(self, live: Live, request: int) -> None:
        """All variables of a station were asked for; its answer takes the place of what is known."""
        self._whole[folded(live.identity)] = (request, live.learned.firmware)

    def is_asked(self, live: Live) -> bool:
        """Were they asked for since its firmware is what it is?"""
        learned = live.learned
        asked = self._whole.get(folded(live.identity))
        return learned.inventory_of == learned.firmware or (asked is not None and asked[1] == learned.firmware)

    async def gather(self, live: Live, subject: str, payload: Tree) -> None:
        """Take a part of a report."""
        read, most, _ = SUBJECTS[subject]
        key, request = (folded(live.identity), subject), _number(payload.get("requestId"))
        known = self._gathered.get(key)
        if known is not None and known.request != request:
            await self._write(live, subject, known)
            known = None
        if known is None:
            known = self._gathered[key] = _Gathering(request)
            self._hub.background.start(self._wait(live, subject, known), name=f"report of {live.identity}")
        known.heard_at = self._hub.clock.monotonic()
        for name, row in read(payload).items():
            if name in known.rows or len(known.rows) < most:
                known.rows[name] = _both(known.rows.get(name), row)
        part = _number(payload.get("seqNo"))
        if len(known.parts) < _MOST_PARTS:
            known.parts.add(part)
        if payload.get("tbc") is not True:
            known.last = min(part, _MOST_PARTS)
        if known.is_whole:
            await self._write(live, subject, known)

    async def _wait(self, live: Live, subject: str, gathering: _Gathering) -> None:
        """Until no more of it comes."""
        while (left := gathering.heard_at + QUIET_S - self._hub.clock.monotonic()) > 0:
            await self._hub.clock.sleep(left)
            if self._gathered.get((folded(live.identity), subject)) is not gathering:
                return
        log.info("report ended without its last part", station=live.identity, subject=subject)
        await self._write(live, subject, gathering)

    async def _write(self, live: Live, subject: str, gathering: _Gathering) -> None:
        """Keep what came; once it is on disk it is not gathered any more."""
        store, key = self._hub.store, (folded(live.identity), subject)
        asked = self._whole.get(key[0], (_ANSWERED, ""))
        is_base = subject == "variables" and asked[0] == gathering.request
        kept = gathering.rows
        of_subject = SUBJECTS[subject]
        if not (gathering.is_whole and (is_base or of_subject.replaces)):
            kept = _added(await rows_of(store, live.identity, subject), gathering.rows, of_subject.most)
        put = reported.put_of(live.identity, subject, {"rows": kept}, self._hub.clock.now())
        await store.commit(Unit().put(put))
        if self._gathered.get(key) is gathering:
            del self._gathered[key]
        if is_base:
            self._whole[key[0]] = (_ANSWERED, asked[1])
        if subject == "variables":
            await self._learn_from(live, kept, asked[1] if is_base else None)

    async def _learn_from(self, live: Live, rows: Rows, firmware: str | None) -> None:
        values = {name: rows[name].get("values", {}).get(ACTUAL) for name in ASKED if name in rows}
        told: dict[str, str] = {name: str(value)[:500] for name, value in values.items() if value is not None}
        live.learned.configuration = {**live.learned.configuration, **told}
        if firmware is not None:
            live.learned.inventory_of = firmware
        await self._learn(live)
        if live.link is not None and live.link.version == "2.1" and shows(live, "Tariff"):
            live.link.settle_at = self._hub.clock.monotonic()  # what it shows, it is to be told now


def shows(live: Live, what: str) -> bool:
    """Has it a display for `Tariff` or `Cost`, and said so?"""
    told = live.learned.configuration
    enabled = told.get(f"TariffCostCtrlr.Enabled[{what}]", told.get(f"TariffCostCtrlr.Available[{what}]", ""))
    return enabled.casefold() == "true"


async def rows_of(store: Store, identity: str, subject: str) -> Rows:
    """What is known of a station, by name (variables) or number (monitors)."""
    rows: Rows = (await reported.read(store, identity, subject)).get("rows", {})
    return rows


async def noted(hub: Hub, identity: str, subject: str, changed: Rows, gone: Collection[str] = ()) -> None:
    """An order of ours changed these, as its answer says."""
    known = await rows_of(hub.store, identity, subject)
    kept = {name: row for name, row in _added(known, changed, SUBJECTS[subject].most).items() if name not in gone}
    await hub.store.commit(Unit().put(reported.put_of(identity, subject, {"rows": kept}, hub.clock.now())))


async def alerted(hub: Hub, live: Live, events: Json) -> None:
    """Keep in the audit log what the `eventData` of a NotifyEvent raises an alarm about.

    That is what a monitor watches whose severity is at most `AUDITED_UP_TO`, and what has no monitor and is an alert.
    """
    told = objects_in(events)
    is_watched = any("variableMonitoringId" in event for event in told)
    monitors = await rows_of(hub.store, live.identity, "monitors") if is_watched else {}
    unit = Unit()
    for event in told:
        severity = _severity(event, monitors)
        if severity is not None and severity <= AUDITED_UP_TO:
            unit.audited(Audit(live.identity, "station.alert", *_described(event, severity)))
    if unit.audits:
        await hub.store.commit(unit)


def _severity(event: Tree, monitors: Rows) -> int | None:
    """As the event tells it (2.1), or its monitor; an alert that nobody graded is one."""
    own, monitor = event.get("severity"), monitors.get(str(event.get("variableMonitoringId")), {})
    for told in (own, monitor.get("severity")):
        if isinstance(told, int) and not isinstance(told, bool):
            return told
    return AUDITED_UP_TO if event.get("trigger") == "Alerting" else None


def _described(event: Tree, severity: int) -> tuple[str, str]:
    variable = named_in(event)
    texts = (event.get(name) for name in ("techCode", "techInfo"))
    said = " ".join("".join(filter(str.isprintable, text[:120])) for text in texts if isinstance(text, str))
    cleared = "cleared, " if event.get("cleared") is True else ""
    value = event.get("actualValue")
    shown = "".join(filter(str.isprintable, value[:60])) if isinstance(value, str) else ""
    return variable.text if variable is not None else "?", f"{cleared}severity {severity}, value {shown} {said}".strip()


def _both(known: Tree | None, row: Tree) -> Tree:
    """What two parts told of one variable: each may carry some of its attributes."""
    if known is None or "values" not in known or "values" not in row:
        return row
    return {**known, **row, "values": {**known["values"], **row["values"]}}


def _added(known: Rows, fresh: Rows, most: int) -> Rows:
    """`fresh` over what is known; no more than `most`, the known first."""
    room: Sequence[str] = [name for name in fresh if name not in known][: max(0, most - len(known))]
    return {**known, **{name: fresh[name] for name in fresh if name in known}, **{name: fresh[name] for name in room}}


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
