"""Alerts in the operator's hands: listed, and acknowledged by whoever looks after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from hub.control.listing import Filter, Found, newest
from hub.core.errors import NotFound
from hub.core.jsontypes import Tree
from hub.core.units import Audit, Unit
from partners.ocpp.watch.rows import ALERTS, CLOSED, OPEN, alert_in, alert_put

if TYPE_CHECKING:
    from hub.app import Program


async def listed(program: Program, asked: Filter, rule: str | None = None) -> Found:
    """Alerts, the newest first. Raises: InvalidRequest."""
    among: dict[str, Sequence[str]] = {}
    if asked.open is not None:
        among["state"] = (OPEN,) if asked.open else (CLOSED,)
    if asked.station is not None:
        among["station"] = (asked.station,)
    if rule is not None:
        among["rule"] = (rule,)
    return await newest(program.store, ALERTS, asked, among=among, since=asked.since())


async def acknowledge(program: Program, alert_id: str, *, actor: str) -> Tree:
    """Somebody looks after it; whoever said so first stays. Returns: the alert. Raises: NotFound, Conflict."""
    document = await program.store.get(ALERTS, alert_id)
    if document is None:
        raise NotFound("there is no such alert")
    alert = alert_in(document)
    if not alert.acknowledged_by:
        alert = replace(alert, acknowledged_by=actor)
        unit = Unit().put(alert_put(alert, expect=document.version))
        await program.store.commit(unit.audited(Audit(actor, "alert.acknowledged", alert.subject, alert.rule)))
    tree: Tree = msgspec.to_builtins(alert)
    return tree
