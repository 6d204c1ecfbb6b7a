"""Where a command is to be carried out: from location, EVSE and connector to a connector of a charger.

A RemoteStart is never sent without a connector. Where the sender names no EVSE, we choose the one that is reserved for
the driver, as it is free to nobody else, or one that is free: an AVAILABLE one first, then one that is in use without a
charge (the car is plugged in and waits), then one of unknown status.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.core.errors import CommandForUnknownLocation, InvalidRequest, UnknownLocation
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub, Place
from modules.commands import store as commands
from modules.commands.reservations import place_of
from modules.locations import service as locations

CONNECTOR_REQUIRED: Final = "START_SESSION_CONNECTOR_REQUIRED"
TO_START: Final = ("AVAILABLE", "CHARGING", "UNKNOWN")
TO_RESERVE: Final = ("AVAILABLE", "UNKNOWN")
"""Statuses of an EVSE that we may choose, the best first."""


async def find(
    hub: Hub, location_id: str, evse_uid: str, connector_id: str | None, *, must_name: bool = False
) -> Place | None:
    """The connector that is meant; None, when no charger of ours is behind it.

    `must_name`: the sender could have named the connector, and has to where the EVSE says so (REQ-202).
    Raises: CommandForUnknownLocation, InvalidRequest.
    """
    evse = await _evse(hub, location_id, evse_uid)
    if connector_id is not None:
        connector_id = _connector(evse, connector_id)["id"]
    elif must_name and CONNECTOR_REQUIRED in (evse.get("capabilities") or ()):
        raise InvalidRequest("/connector_id: required at this EVSE")
    return hub.chargers.place(evse["uid"], connector_id)


async def choose(hub: Hub, location_id: str, statuses: Sequence[str]) -> Place | None:
    """A free connector of the location, if one is in reach. Raises: CommandForUnknownLocation."""
    location = await _location(hub, location_id)
    evses = [evse for evse in location.get("evses") or () if evse["status"] in statuses]
    for evse in sorted(evses, key=lambda each: statuses.index(each["status"])):
        place = hub.chargers.place(evse["uid"])
        if place is None or not await hub.chargers.reachable(place.station):
            continue
        if not await owners_at(hub, place):
            return place
    return None


async def kept_for(hub: Hub, owner: Party, uid: str, location_id: str) -> Place | None:
    """The connector of the location that a reservation keeps free for this token."""
    location, now = f"{hub.settings.party}/{location_id.upper()}", hub.clock.now()
    for document in await commands.held(hub.store):
        each = commands.reservation_in(document)
        is_theirs = each.owner == str(owner) and each.tree_of_token().get("uid", "").upper() == uid.upper()
        if each.location == location and each.expires > now and is_theirs:
            return place_of(each)
    return None


async def owners_at(hub: Hub, place: Place) -> set[str]:
    """The parties whose drivers charge at this EVSE now ("" for a token that nobody knows)."""
    charges = await commands.open_charges(hub.store, place.station)
    at = (place.location, place.evse_uid)
    return {c.owner for c in charges if (c.location, c.evse_uid) == at and not c.reservation_only}


async def _location(hub: Hub, location_id: str) -> Tree:
    try:
        return await locations.get_tree(hub.store, f"{hub.settings.party}/{location_id.upper()}")
    except UnknownLocation as fault:
        raise CommandForUnknownLocation from fault


async def _evse(hub: Hub, location_id: str, evse_uid: str) -> Tree:
    location = await _location(hub, location_id)
    try:
        evse = locations.evse_in(location, evse_uid)
    except UnknownLocation as fault:
        raise CommandForUnknownLocation from fault
    if evse["status"] == "REMOVED":
        raise CommandForUnknownLocation
    return evse


def _connector(evse: Tree, connector_id: str) -> Tree:
    try:
        return locations.connector_in(evse, connector_id)
    except UnknownLocation as fault:
        raise CommandForUnknownLocation from fault
