"""Maintenance mode: a station, or some of its EVSEs, is out of service to partners and usable on site.

Partners see it as INOPERATIVE (or as the station's switch says of closed ones), start and reserve nothing there, and
their drivers' tokens are refused; the operator's own tokens charge, for a test. A charge that goes on when it begins is
not touched. The charger itself is told nothing: who wants it closed sends it ChangeAvailability.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.ports import Place
from modules.tokens.decision import Decision
from partners.ocpp import commissioning
from partners.ocpp.register import Maintenance, Station


def begun(station: Station, evses: Sequence[str], note: str, *, by: str, now: datetime) -> Station:
    """`station` in maintenance; without EVSEs (by uid), all of it. Raises: InvalidRequest, for one that it has not."""
    known = {place.evse_uid.upper(): place.evse_uid for place in station.places().values()}
    for number, uid in enumerate(evses):
        if uid.upper() not in known:
            raise InvalidRequest(f"/evses/{number}: {station.identity} has no EVSE {uid}")
    before = station.maintenance
    since = before.since if before is not None else now
    uids = tuple(dict.fromkeys(known[uid.upper()] for uid in evses))
    return msgspec.structs.replace(station, maintenance=Maintenance(since, note, uids, by))


def ended(station: Station) -> Station:
    """`station` in service."""
    return msgspec.structs.replace(station, maintenance=None)


def covers(station: Station, evse_uid: str) -> bool:
    """Is this EVSE out of service to partners?"""
    now = station.maintenance
    return now is not None and (not now.evses or evse_uid in now.evses)


def decided(station: Station, place: Place | None, decision: Decision, *, ours: str) -> Decision:
    """`decision`, or a no where its token is a partner's and the EVSE is out of service, or not in service yet.

    A token that is shown at no EVSE in particular is refused only where all of them are.
    """
    evse_uid = place.evse_uid if place is not None else ""
    closed = covers(station, evse_uid) or commissioning.hides(station, evse_uid)
    if not decision.accepted or not closed or decision.owner == ours:
        return decision
    return Decision("NOT_ALLOWED", decision.by, decision.token, decision.owner)


def shown(station: Station) -> Tree | None:
    """As the operator sees it."""
    now = station.maintenance
    if now is None:
        return None
    return {"since": timestamp(now.since), "note": now.note, "evses": list(now.evses), "by": now.by}
