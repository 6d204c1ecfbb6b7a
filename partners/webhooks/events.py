"""What a webhook is told: that an alert opened, that it closed, or that this is a test."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import msgspec

from hub.core.clock import timestamp
from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from partners.ocpp.watch.alerts import Alert
from partners.ocpp.watch.rows import CLOSED, OPEN


class Event(NamedTuple):
    """`id` is the same however often it is told; it has no full stop, which separates what is signed."""

    id: str
    body: bytes


def of_alert(alert: Alert, happened: Collection[str]) -> list[Event]:
    """What happened to an alert, in the order in which it did."""
    found: list[Event] = []
    if OPEN in happened:
        data = {**_seen(alert), "closed": None}
        found.append(_event(f"evt_{alert.id}_opened", "alert.opened", alert.opened, data))
    if CLOSED in happened and alert.closed is not None:
        data = {**_seen(alert), "acknowledged_by": alert.acknowledged_by}
        found.append(_event(f"evt_{alert.id}_closed", "alert.closed", alert.closed, data))
    return found


def of_test(event_id: str, webhook_id: str, now: datetime) -> Event:
    """That a receiver can be reached."""
    return _event(event_id, "webhook.test", now, {"webhook": webhook_id})


def _seen(alert: Alert) -> Tree:
    tree: Tree = msgspec.to_builtins(alert)
    del tree["acknowledged_by"]
    return tree


def _event(event_id: str, name: str, at: datetime, data: Tree) -> Event:
    return Event(event_id, encode({"type": name, "timestamp": timestamp(at), "data": data}))
