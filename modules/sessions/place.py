"""Where a session was, whole, as 2.1.1 embeds it: of ours as it was at the start, of another CPO's as well as we know.

In this order: the location that the session came with, the one that its CPO has told us of, and a bare one that names
no more than the session does. What a location that is known does not have, as a reservation names no EVSE (`#NA`), is
bare in it.
"""

from __future__ import annotations

from typing import Final

from hub.core.countries import ALPHA_3
from hub.core.errors import UnknownLocation
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.units import Document
from modules.locations import service as locations
from modules.locations.wire import NOT_AVAILABLE
from modules.sessions.charge import frozen_location
from modules.sessions.store import PLACES

_LIMIT: Final = 8 * 1024 * 1024


async def location_of(store: Store, document: Document) -> Tree:
    """The location of a session, in our form; it has the session's EVSE and connector."""
    frozen = await frozen_location(store, document.columns["id"])
    if frozen and f"{frozen['country_code']}*{frozen['party_id']}" == document.owner:
        return frozen
    session: Tree = parse(document.body, limit=_LIMIT)
    kept = await store.get(PLACES, document.key)
    brought: Tree | None = parse(kept.body, limit=_LIMIT) if kept is not None else None
    if brought is not None and _has_its_connector(brought, session):
        return brought
    known = await _on_record(store, document.owner, session) or brought
    if known is None or known["id"].upper() != session["location_id"].upper():
        return _bare(session)
    return known if _has_its_connector(known, session) else _with_its_connector(known, session)


async def _on_record(store: Store, owner: str, session: Tree) -> Tree | None:
    """The location as its CPO has told us of it."""
    try:
        return await locations.get_tree(store, f"{owner}/{session['location_id'].upper()}")
    except UnknownLocation:
        return None


def _has_its_connector(location: Tree, session: Tree) -> bool:
    try:
        locations.connector_in(locations.evse_in(location, session["evse_uid"]), session["connector_id"])
    except UnknownLocation:
        return False
    return True


def _with_its_connector(location: Tree, session: Tree) -> Tree:
    """The location with what it lacks: a bare connector at its EVSE, or a bare EVSE."""
    try:
        evse = locations.evse_in(location, session["evse_uid"])
    except UnknownLocation:
        return {**location, "evses": [_bare_evse(session)]}
    return {**location, "evses": [{**evse, "connectors": [_bare_connector(session)]}]}


def _bare(session: Tree) -> Tree:
    """What is not known is said to be so, never made up: `#NA`, and zero volts, amperes and degrees."""
    return {
        "country_code": session["country_code"],
        "party_id": session["party_id"],
        "id": session["location_id"],
        "publish": True,
        "address": NOT_AVAILABLE,
        "city": NOT_AVAILABLE,
        "postal_code": NOT_AVAILABLE,
        "country": ALPHA_3.get(session["country_code"].upper(), "ZZZ"),
        "coordinates": {"latitude": "0.000000", "longitude": "0.000000"},
        "evses": [_bare_evse(session)],
        "last_updated": session["last_updated"],
    }


def _bare_evse(session: Tree) -> Tree:
    connectors = [_bare_connector(session)]
    told = {"uid": session["evse_uid"], "last_updated": session["last_updated"]}
    return {**told, "status": "UNKNOWN", "connectors": connectors}


def _bare_connector(session: Tree) -> Tree:
    return {
        "id": session["connector_id"],
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 0,
        "max_amperage": 0,
        "last_updated": session["last_updated"],
    }
