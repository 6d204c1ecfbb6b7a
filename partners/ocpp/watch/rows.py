"""What is kept of alerts: each in a row of its own for ever, and which of them are open.

An open alert is there twice: its row, and a marker by rule and subject. Two processes that see the same fault write the
same marker, and only one of them can; so an alert opens once, however many look.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec
import structlog

from hub.core.clock import timestamp
from hub.core.errors import Conflict
from hub.core.store import Store
from hub.core.units import ABSENT, ANY, UNUSED, Change, Delete, Document, Kind, Put, Unit
from partners.ocpp.watch.alerts import Alert, Step
from partners.ocpp.watch.rules import About

log = structlog.get_logger()

ALERTS: Final = Kind("ocpp_alerts", columns=("station", "rule", "state"), indexed=("station", "state"))
OPEN_ALERTS: Final = Kind("ocpp_open_alerts")
KINDS: Final = (ALERTS, OPEN_ALERTS)
CHANGES: Final = "alerts"
"""The module of the changes that tell of alerts; webhooks hear of them (`partners/webhooks`)."""

OPEN: Final = "open"
CLOSED: Final = "closed"
_MOST: Final = 100_000


def alert_in(document: Document) -> Alert:
    return msgspec.json.decode(document.body, type=Alert)


def station_of(subject: str) -> str:
    """The station of a subject, which is one or an EVSE of one."""
    return subject.split("/", 1)[0]


def alert_put(alert: Alert, *, expect: int = ANY) -> Put:
    state = OPEN if alert.closed is None else CLOSED
    station = station_of(alert.subject) if alert.about is About.CHARGER else ""
    columns = (station, alert.rule, state)
    return Put(ALERTS, alert.id, msgspec.json.encode(alert), "", "", timestamp(alert.opened), columns, expect)


def opened(alert: Alert) -> Unit:
    """The write of an alert that opens; it fails with Conflict, if another process has opened it."""
    marker = Put(OPEN_ALERTS, _marker(alert), alert.id.encode(), expect=ABSENT)
    return Unit().put(marker).put(alert_put(alert, expect=UNUSED)).tells(_change(OPEN, alert))


def closed(alert: Alert, *, expect: int) -> Unit:
    """The write of an alert that closes. `expect`: the version of its row that was read."""
    unit = Unit().delete(Delete(OPEN_ALERTS, _marker(alert))).put(alert_put(alert, expect=expect))
    return unit.tells(_change(CLOSED, alert))


async def open_alert(store: Store, alert: Alert) -> bool:
    """Write one that opens. Returns: False, when another process was first."""
    try:
        await store.commit(opened(alert))
    except Conflict:
        return False
    log.warning("alert opened", rule=alert.rule, subject=alert.subject, seen=alert.seen)
    return True


async def close_alert(store: Store, alert: Alert) -> None:
    """Write one that closes, whoever acknowledged it meanwhile."""
    while (document := await store.get(ALERTS, alert.id)) is not None:
        kept = replace(alert, acknowledged_by=alert_in(document).acknowledged_by)
        try:
            await store.commit(closed(kept, expect=document.version))
        except Conflict:
            continue
        log.info("alert closed", rule=alert.rule, subject=alert.subject)
        return


async def write(store: Store, done: Step) -> bool:
    """Write what opened or closed. Returns: False, when another process has opened the alert before."""
    if done.opened is not None and not await open_alert(store, done.opened):
        return False
    if done.closed is not None:
        await close_alert(store, done.closed)
    return True


async def all_open(store: Store) -> list[Alert]:
    return [alert_in(document) for document in await store.select(ALERTS, equal={"state": OPEN}, limit=_MOST)]


def _change(happened: str, alert: Alert) -> Change:
    """What happened, and what tells for whom it is, so that nobody has to look it up."""
    return Change(CHANGES, alert.id, what=f"{happened} {alert.rule} {alert.severity}")


def _marker(alert: Alert) -> str:
    return f"{alert.rule} {alert.subject}"
