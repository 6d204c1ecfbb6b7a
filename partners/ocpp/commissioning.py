"""A station on its way into service: since when, and which of its EVSEs partners are not shown before.

What there is to say of each step is worked out from what is known of the station (`hub/control/commissioning`). Kept
is only what cannot be: when it began, who began it, what is done without, and that it is done.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from partners.ocpp.register import Commissioning, Station


def begun(station: Station, hidden: Collection[str], *, by: str, now: datetime) -> Station:
    """`station` on its way into service, or still; of its EVSEs (by uid) those that are `hidden` wait for that."""
    waiting = {uid.upper() for uid in hidden}
    uids = dict.fromkeys(place.evse_uid for place in station.places().values() if place.evse_uid.upper() in waiting)
    before = station.commissioning
    if before is None or before.done is not None:
        before = Commissioning(now, by)
    return replace(station, commissioning=replace(before, evses=tuple(uids)))


def skipped(station: Station, step: str) -> Station:
    """`station`, of which this step is done without. Raises: InvalidRequest, when it is not on its way."""
    now = under_way(station)
    return replace(station, commissioning=replace(now, skipped=tuple(dict.fromkeys((*now.skipped, step)))))


def done(station: Station, *, now: datetime) -> Station:
    """`station` in service. Raises: InvalidRequest, when it is not on its way."""
    return replace(station, commissioning=replace(under_way(station), evses=(), done=now))


def abandoned(station: Station) -> Station:
    """`station`, as if it had never begun. Raises: InvalidRequest, when it is not on its way."""
    under_way(station)
    return replace(station, commissioning=None)


def under_way(station: Station) -> Commissioning:
    """Raises: InvalidRequest."""
    now = station.commissioning
    if now is None or now.done is not None:
        raise InvalidRequest(f"{station.identity} is not being commissioned; PUT its commissioning first")
    return now


def since_when(station: Station) -> datetime | None:
    """Since when `station` is on its way into service; None, when it is not."""
    now = station.commissioning
    return now.since if now is not None and now.done is None else None


def hides(station: Station, evse_uid: str) -> bool:
    """Do partners not see this EVSE yet? "" stands for any of them, and is hidden when all are."""
    if station.is_for_everybody or station.commissioning is None:
        return False
    hidden = station.commissioning.evses
    if evse_uid:
        return evse_uid in hidden
    return all(place.evse_uid in hidden for place in station.places().values())


def shown(station: Station) -> Tree | None:
    """As the operator sees it."""
    now = station.commissioning
    if now is None:
        return None
    return {
        "since": timestamp(now.since),
        "by": now.by,
        "withheld": list(now.evses),
        "skipped": list(now.skipped),
        "done": timestamp(now.done) if now.done is not None else None,
    }
