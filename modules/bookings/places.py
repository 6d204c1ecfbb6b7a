"""Booking locations of our own: what is open, which EVSEs are behind it, and what is left when some are taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from hub.core.clock import timestamp
from hub.core.errors import CommandForUnknownLocation, InvalidRequest, UnknownLocation
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Document, Put
from modules.bookings import store as bookings
from modules.bookings.calendar import busy_everywhere, remaining
from modules.bookings.holds import Holds
from modules.bookings.model import BookingRequest
from modules.bookings.store import BOOKING_OPENINGS
from modules.bookings.wire import NOT_NAMED
from modules.locations import service as locations

LIMIT: Final = 8 * 1024 * 1024
_OF_CONNECTORS: Final = {"connector_format": "format", "connector_types": "standard", "power_types": "power_type"}
"""Lists of a BookingOption, and the field of a connector that is to be in them."""


class Place(NamedTuple):
    """What the operator opened for booking, and the location behind it."""

    opening: Tree
    location: Tree

    @property
    def evses(self) -> list[str]:
        """The EVSEs that may be given to a booking here."""
        return pool(self.location, self.opening.get("booking_option") or {})


def pool(location: Tree, option: Mapping[str, Any]) -> list[str]:
    """The uids of the EVSEs that an option describes."""
    named = option.get("evse_uid", NOT_NAMED).upper()
    return [
        evse["uid"]
        for evse in location.get("evses") or ()
        if evse["status"] != "REMOVED" and named in (NOT_NAMED, evse["uid"].upper()) and _has_connector(evse, option)
    ]


def _has_connector(evse: Tree, option: Mapping[str, Any]) -> bool:
    wanted = option.get("connector_id", NOT_NAMED).upper()
    return any(
        wanted in (NOT_NAMED, connector["id"].upper())
        and all(connector[own] in option[name] for name, own in _OF_CONNECTORS.items() if option.get(name))
        for connector in evse["connectors"]
    )


def why_not_option(opening: Tree, wanted: Mapping[str, Any]) -> str | None:
    """Why a place is nothing for the vehicle of a request; None, if it is."""
    offered = opening.get("booking_option") or {}
    types = offered.get("vehicle_types") or ()
    if types and not set(wanted.get("vehicle_types") or ()) <= set(types):
        return "the place is not for this type of vehicle"
    for name in ("dangerous_goods_allowed", "drive_through", "refrigeration_outlet"):
        if wanted.get(name) and offered.get(name) is False:
            return f"the place has no {name}"
    return None


async def find(hub: Hub, asked: BookingRequest) -> Place:
    """The place of ours that a request means. Raises: CommandForUnknownLocation."""
    owner = str(hub.settings.own_party)
    if asked.booking_location_id == NOT_NAMED:
        return await _described(hub, owner, asked)
    document = await bookings.find(hub.store, BOOKING_OPENINGS, bookings.key_of(owner, asked.booking_location_id))
    place = await _with_location(hub, document)
    if place is None or place.location["id"].upper() != asked.location_id.upper():
        raise CommandForUnknownLocation("there is no such booking location")
    return place


async def _described(hub: Hub, owner: str, asked: BookingRequest) -> Place:
    """A request of 1.0 says the location and the EVSE: the first booking location that has it is meant."""
    for document in await bookings.places_at(hub.store, bookings.key_of(owner, asked.location_id)):
        place = await _with_location(hub, await bookings.find(hub.store, BOOKING_OPENINGS, document.key))
        wanted = asked.booking_option.evse_uid if asked.booking_option is not None else None
        if place is not None and (
            wanted is None or wanted.upper() in (uid.upper() for uid in (*place.evses, NOT_NAMED))
        ):
            return place
    raise CommandForUnknownLocation("there is no booking location at this location")


async def _with_location(hub: Hub, opening: Document | None) -> Place | None:
    if opening is None:
        return None
    tree: Tree = parse(opening.body, limit=LIMIT)
    try:
        location = await locations.get_tree(hub.store, bookings.key_of(opening.owner, tree["location_id"]))
    except UnknownLocation:
        return None
    return Place(tree, location)


async def checked(hub: Hub, opening: Tree) -> Place:
    """An opening of ours that has a location, and an EVSE there. Raises: InvalidRequest."""
    try:
        key = bookings.key_of(hub.settings.own_party, opening["location_id"])
        place = Place(opening, await locations.get_tree(hub.store, key))
    except UnknownLocation:
        raise InvalidRequest("/location_id: we have no such location") from None
    if not opening.get("booking_option"):
        raise InvalidRequest("/booking_option: say what can be booked")
    if not place.evses:
        raise InvalidRequest("/booking_option: the location has no such EVSE")
    return place


def evse_keys(place: Place) -> list[str]:
    """The calendars of all EVSEs of the location: others that share them are to be told too."""
    owner = bookings.owner_of(place.opening)
    evses = place.location.get("evses") or ()
    return [bookings.evse_key(owner, place.location["id"], evse["uid"]) for evse in evses]


async def republished(hub: Hub, place: Place, holds: Holds, *, openings: Iterable[Tree] = ()) -> list[Put]:
    """The writes of all booking locations of a location whose calendars `holds` has changed.

    `openings` are new ones that are not on record yet. Each write fails where somebody else was faster.
    """
    owner = bookings.owner_of(place.opening)
    known = {d.key: d for d in await bookings.places_at(hub.store, bookings.key_of(owner, place.location["id"]))}
    opened = {bookings.key_of(owner, tree["id"]): tree for tree in openings}
    for key in known.keys() - opened.keys():
        document = await bookings.find(hub.store, BOOKING_OPENINGS, key)
        if document is not None:
            opened[key] = parse(document.body, limit=LIMIT)
    puts = []
    for key, opening in sorted(opened.items()):
        before = known.get(key)
        put = _published(hub, Place(opening, place.location), holds, before)
        if before is None or put.body != before.body:
            puts.append(put)
    return puts


def _published(hub: Hub, place: Place, holds: Holds, before: Document | None) -> Put:
    """What is left of an opening. What does not change keeps its time."""
    opening, now = place.opening, timestamp(hub.clock.now())
    owner = bookings.owner_of(opening)
    keys = [bookings.evse_key(owner, place.location["id"], uid) for uid in place.evses]
    busy = busy_everywhere([holds.busy(key) for key in keys])
    old: Tree = parse(before.body, limit=LIMIT) if before is not None else {}
    former = {calendar["id"]: calendar for calendar in old.get("calendars") or ()}
    left = [calendar for each in opening.get("calendars") or () if (calendar := remaining(each, busy)) is not None]
    for calendar in left:
        _keep_time(calendar, former.get(calendar["id"]), now)
    tree = {**opening, "calendars": left}
    if not left:
        del tree["calendars"]
    _keep_time(tree, old or None, now)
    return bookings.place_put(tree, expect=before.version if before is not None else 0)


def _keep_time(new: Tree, old: Tree | None, now: str) -> None:
    if old is not None and {**new, "last_updated": ""} == {**old, "last_updated": ""}:
        new["last_updated"] = old["last_updated"]
    elif old is not None:
        new["last_updated"] = max(now, old["last_updated"])
