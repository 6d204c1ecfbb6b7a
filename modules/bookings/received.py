"""Booking locations and bookings of other CPOs: kept as their owner sends them, and requests passed on to it.

An older copy than ours changes nothing. A PATCH carries `last_updated`; one of a calendar moves its booking location
on (mod_bookings_booking_location_patch_method). A booking is for the party that asked for it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from hub.core import trace
from hub.core.errors import Conflict, InvalidRequest, NotFound, UnknownLocation
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.recency import is_outdated
from hub.core.types import parse_datetime
from hub.core.units import ABSENT, Document, Put, Unit
from modules.bookings import store as bookings
from modules.bookings.lifecycle import check_told
from modules.bookings.model import Booking, BookingLocation, Calendar
from modules.bookings.places import LIMIT
from modules.bookings.store import BOOKING_LOCATIONS, BOOKINGS
from modules.bookings.wire import BOOKING, BOOKING_LOCATION, CALENDAR, PARTS
from modules.tokens.whose import are_of_one_platform

_ATTEMPTS: Final = 5
_NEWEST: Final = "2.3.0"
_PARTLY: Final = frozenset(PARTS)


async def get_place(hub: Hub, key: str) -> Document:
    """Raises: NotFound."""
    document = await bookings.find(hub.store, BOOKING_LOCATIONS, key)
    if document is None:
        raise NotFound("there is no such booking location")
    return document


async def get_booking(hub: Hub, key: str) -> Document:
    """Raises: NotFound."""
    document = await bookings.find(hub.store, BOOKINGS, key)
    if document is None:
        raise NotFound("there is no such booking")
    return document


def calendar_in(tree: Tree, calendar_id: str) -> Tree:
    """Raises: NotFound."""
    for calendar in tree.get("calendars") or ():
        if calendar["id"].upper() == calendar_id.upper():
            found: Tree = calendar
            return found
    raise NotFound("there is no such calendar")


async def put_place(hub: Hub, owner: Party, place_id: str, place: BookingLocation, *, to: str = "") -> bool:
    """Keep a booking location, for all or for `to` alone. Returns: True if it is new.

    Raises: InvalidRequest, when the URL names another one.
    """
    _check_names(owner, place_id, place)
    return await _write_place(hub, bookings.key_of(owner, place_id), lambda _: place.tree(), to=to)


async def patch_place(hub: Hub, owner: Party, place_id: str, part: Tree) -> None:
    """Change a part of a booking location. Raises: NotFound, InvalidRequest."""

    def change(before: Tree | None) -> Tree:
        place = BOOKING_LOCATION[_NEWEST].read(merged(_known(before), part))
        _check_names(owner, place_id, place)
        return place.tree()

    await _write_place(hub, bookings.key_of(owner, place_id), change)


async def put_calendar(hub: Hub, owner: Party, place_id: str, calendar_id: str, calendar: Calendar) -> None:
    """Add or replace a calendar. Raises: NotFound (no such booking location), InvalidRequest."""
    if calendar.id.upper() != calendar_id.upper():
        raise InvalidRequest("the URL and the object name different calendars")
    await _write_place(hub, bookings.key_of(owner, place_id), lambda before: _with(_known(before), calendar))


async def patch_calendar(hub: Hub, owner: Party, place_id: str, calendar_id: str, part: Tree) -> None:
    """Change a part of a calendar. Raises: NotFound, InvalidRequest."""

    def change(before: Tree | None) -> Tree:
        known = _known(before)
        calendar = CALENDAR[_NEWEST].read(merged(calendar_in(known, calendar_id), part))
        if calendar.id.upper() != calendar_id.upper():
            raise InvalidRequest("a calendar keeps its id")
        return _with(known, calendar)

    await _write_place(hub, bookings.key_of(owner, place_id), change)


def _with(place: Tree, calendar: Calendar) -> Tree:
    """The booking location with this calendar, and the time of the newer of them. An older calendar changes nothing."""
    new, name = calendar.tree(), calendar.id.upper()
    others = place.get("calendars") or []
    known = next((each for each in others if each["id"].upper() == name), None)
    if known is not None and _time(known) > _time(new):
        return place
    calendars = [new if each is known else each for each in others] + ([new] if known is None else [])
    return {**place, "calendars": calendars, "last_updated": max(place, new, key=_time)["last_updated"]}


def _time(tree: Tree) -> datetime:
    return parse_datetime(tree["last_updated"])


def _known(before: Tree | None) -> Tree:
    if before is None:
        raise UnknownLocation("there is no such booking location: PUT it first")
    return before


def merged(tree: Tree, part: Tree) -> Tree:
    """Top-level replacement, null removes (REQ-023); of the option and the terms a part may be sent.

    Raises: InvalidRequest, without last_updated.
    """
    if "last_updated" not in part:
        raise InvalidRequest("a PATCH carries last_updated")
    deeper = {n: {**(tree.get(n) or {}), **v} for n, v in part.items() if n in _PARTLY and isinstance(v, dict)}
    return {name: value for name, value in {**tree, **part, **deeper}.items() if value is not None}


async def _write_place(hub: Hub, key: str, change: Callable[[Tree | None], Tree], *, to: str = "") -> bool:
    for _ in range(_ATTEMPTS):
        known = await bookings.find(hub.store, BOOKING_LOCATIONS, key)
        tree = change(parse(known.body, limit=LIMIT) if known is not None else None)
        audience = to or (known.audience if known is not None else "")
        put = bookings.place_put(tree, audience=audience, expect=known.version if known is not None else ABSENT)
        if is_no_news(hub, put, known):
            return False
        if await _committed(hub, Unit().put(put).tells(bookings.place_change(put, trace.correlation()))):
            return known is None
    raise Conflict


def is_no_news(hub: Hub, put: Put, known: Document | None) -> bool:
    return known is not None and (is_outdated(put.last_updated, known, hub.clock.now()) or known.body == put.body)


async def _committed(hub: Hub, unit: Unit) -> bool:
    try:
        await hub.store.commit(unit)
    except Conflict:
        return False
    return True


async def put_booking(hub: Hub, owner: Party, number: str, booking: Booking, *, to: str = "") -> bool:
    """Keep a booking; `to` is the party that its owner says it is for (OCPI-to), "" for none.

    Returns: True if it is new. Raises: InvalidRequest, also when the booking has ended otherwise, or is another's.
    """
    _check_names(owner, number, booking)
    return await _write_booking(hub, bookings.key_of(owner, number), lambda _: booking.tree(), to=to)


async def patch_booking(hub: Hub, owner: Party, number: str, part: Tree, *, to: str = "") -> None:
    """Change a part of a booking. Raises: NotFound, InvalidRequest (as `put_booking`)."""

    def change(before: Tree | None) -> Tree:
        if before is None:
            raise NotFound("there is no such booking: PUT it first")
        booking = BOOKING[_NEWEST].read(merged(before, part))
        _check_names(owner, number, booking)
        return booking.tree()

    await _write_booking(hub, bookings.key_of(owner, number), change, to=to)


async def _write_booking(hub: Hub, key: str, change: Callable[[Tree | None], Tree], *, to: str) -> bool:
    for _ in range(_ATTEMPTS):
        known = await bookings.find(hub.store, BOOKINGS, key)
        before: Tree | None = parse(known.body, limit=LIMIT) if known is not None else None
        tree = change(before)
        audience = requester_of(tree)
        if to and not are_of_one_platform(hub, to, audience):
            raise InvalidRequest(f"/booking_requests: of {audience}, and the OCPI-to headers name {to}")
        put = bookings.booking_put(tree, audience, expect=known.version if known is not None else ABSENT)
        if is_no_news(hub, put, known):
            return False
        if before is not None:
            _check_same(tree, before)
            check_told(tree["reservation_status"], before["reservation_status"])
        if await _committed(hub, Unit().put(put).tells(bookings.booking_change(put, trace.correlation()))):
            return known is None
    raise Conflict


def _check_same(booking: Tree, before: Tree) -> None:
    """Is it still the booking of who asked for it, under its request_id (REQ-229)? Raises: InvalidRequest."""
    if requester_of(booking) != requester_of(before):
        raise InvalidRequest(f"/booking_requests: the booking is one of {requester_of(before)}")
    if booking["request_id"].upper() != before["request_id"].upper():
        raise InvalidRequest("/request_id: a booking keeps its own")


def requester_of(booking: Tree) -> str:
    """The party whose booking it is: that of its newest request."""
    asked = booking["booking_requests"][-1]["booking_request"]
    return str(Party.of(asked["country_code"], asked["party_id"]))


def _check_names(owner: Party, name: str, found: BookingLocation | Booking) -> None:
    if found.id.upper() != name.upper() or Party.of(found.country_code, found.party_id) != owner:
        raise InvalidRequest("the URL and the object name different objects or parties")
