"""Booking locations, bookings, and the calendars that keep a place from being booked twice.

Of a booking location of ours there are two documents: what the operator opened (`BOOKING_OPENINGS`), and what is left
of it, which partners see. A *calendar* here holds the periods in which one thing is taken: an EVSE, or a token that may
not be in two bookings at once. It is written with the version that was read, so that of two who want the same period
one has to look again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.types import timestamp_of
from hub.core.units import ANY, Change, Document, Kind, Put
from modules.bookings.calendar import Span

MODULE: Final = "bookings"
BOOKING_LOCATIONS: Final = Kind("booking_locations", columns=("id", "location"), indexed=("id", "location"))
"""`location`: the key of the location, `DE*BSB/LOC1`."""
BOOKING_OPENINGS: Final = Kind("booking_openings")
BOOKINGS: Final = Kind("bookings", columns=("id", "status", "evse"), indexed=("status", "evse"))
"""`evse`: the key of the EVSE that is booked, `DE*BSB/LOC1/E1`; "" where there is none yet."""
BOOKING_CALENDARS: Final = Kind("booking_calendars")
BOOKING_STARTS: Final = Kind("booking_starts", columns=("state",), indexed=("state",))
"""By booking: that a charge began under it. The booking itself follows (`service.follow`)."""

BEGUN: Final = "begun"
SETTLED: Final = "settled"
OVER: Final = "over"

PLACES: Final = "booking_locations"
"""As booking locations are called in URLs, and in the keys of changes."""
_MOST: Final = 10_000


class Held(msgspec.Struct, frozen=True):
    """That a booking has something from `start` to `end`."""

    booking: str
    start: datetime
    end: datetime

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


class Start(msgspec.Struct, frozen=True):
    """That a charge began under a booking."""

    session: str
    station: str
    evse_uid: str
    at: datetime


def key_of(owner: Party | str, object_id: str) -> str:
    return f"{owner}/{object_id.upper()}"


def evse_key(owner: Party | str, location_id: str, evse_uid: str) -> str:
    return f"{owner}/{location_id.upper()}/{evse_uid.upper()}"


def token_key(token: Tree) -> str:
    """The calendar of a token."""
    return f"token/{token['country_code']}*{token['party_id']}/{token['uid']}/{token['type']}".upper()


def owner_of(tree: Tree) -> str:
    return f"{tree['country_code']}*{tree['party_id']}".upper()


def place_put(tree: Tree, *, audience: str = "", expect: int = ANY) -> Put:
    """The write of one booking location, in our form; `audience` is the only party that may have it."""
    owner = owner_of(tree)
    columns = (str(tree["id"]).upper(), key_of(owner, tree["location_id"]))
    key, updated = key_of(owner, tree["id"]), _updated(tree)
    return Put(BOOKING_LOCATIONS, key, encode(tree), owner, audience, updated, columns, expect)


def opening_put(tree: Tree) -> Put:
    """The write of what the operator opened."""
    return Put(BOOKING_OPENINGS, key_of(owner_of(tree), tree["id"]), encode(tree), owner_of(tree))


def booking_put(tree: Tree, audience: str, *, expect: int = ANY) -> Put:
    """The write of one booking, in our form."""
    owner = owner_of(tree)
    evse_uid = (tree.get("booking_option") or {}).get("evse_uid", "")
    evse = evse_key(owner, tree["location_id"], evse_uid) if evse_uid and evse_uid.upper() != "#NA" else ""
    columns = (str(tree["id"]).upper(), tree["reservation_status"], evse)
    return Put(BOOKINGS, key_of(owner, tree["id"]), encode(tree), owner, audience, _updated(tree), columns, expect)


def calendar_put(key: str, held: Sequence[Held], *, expect: int) -> Put:
    """The write of one calendar."""
    return Put(BOOKING_CALENDARS, key, msgspec.json.encode(held), expect=expect)


def held_in(document: Document | None) -> list[Held]:
    return [] if document is None else msgspec.json.decode(document.body, type=list[Held])


def start_put(booking: str, start: Start, state: str, *, expect: int = ANY) -> Put:
    """The write that says: a charge began under this booking."""
    return Put(BOOKING_STARTS, booking, msgspec.json.encode(start), columns=(state,), expect=expect)


def start_in(document: Document) -> Start:
    return msgspec.json.decode(document.body, type=Start)


def _updated(tree: Tree) -> str:
    return timestamp_of(tree["last_updated"])


def place_change(put: Put | Document, correlation_id: str) -> Change:
    """The key says which of the two it is: `booking_locations/DE*BSB/BL1`."""
    return Change(MODULE, f"{PLACES}/{put.key}", put.owner, put.audience, correlation_id=correlation_id)


def booking_change(put: Put, correlation_id: str) -> Change:
    return Change(MODULE, f"bookings/{put.key}", put.owner, put.audience, correlation_id=correlation_id)


async def find(store: Store, kind: Kind, key: str) -> Document | None:
    return await store.get(kind, key)


async def places_with_id(store: Store, place_id: str) -> list[Document]:
    """The booking locations of this id, of whatever owner."""
    return await store.select(BOOKING_LOCATIONS, equal={"id": place_id.upper()})


async def places_at(store: Store, location: str) -> list[Document]:
    """The booking locations of a location, by its key."""
    return await store.select(BOOKING_LOCATIONS, equal={"location": location}, limit=_MOST)


async def booked_at(store: Store, evse: str, status: str) -> list[Document]:
    """The bookings of an EVSE that are in this state."""
    return await store.select(BOOKINGS, equal={"evse": evse, "status": status}, limit=_MOST)


async def in_state(store: Store, owner: str, status: str, *, after_seq: int, limit: int) -> list[Document]:
    """Bookings of an owner that are in this state, the oldest first."""
    equal = {"owner": owner, "status": status}
    return await store.select(BOOKINGS, equal=equal, after_seq=after_seq, limit=limit)


async def starts_in_state(store: Store, state: str, *, after_seq: int, limit: int) -> list[Document]:
    return await store.select(BOOKING_STARTS, equal={"state": state}, after_seq=after_seq, limit=limit)
