"""/api/v1/booking_locations and bookings, and the edition that a partner is written to in."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, Operator, Viewer, program_of
from hub.api.exchange import Limit, Offset, Segment, answer, asked, gives, object_body, takes
from hub.api.objects import listed
from hub.api.records import Narrowed, stored
from hub.control import bookings, objects, partner_view
from hub.control.asks import BookingCancel, BookingsEdition
from hub.control.listing import newest, parties_of
from hub.core.operations import LARGE
from hub.core.parties import Party
from modules.bookings.store import BOOKING_LOCATIONS, BOOKINGS

router = APIRouter(prefix="/api/v1")

_PLACE = "/booking_locations/{country_code}/{party_id}/{booking_location_id}"
_BOOKING = "/bookings/{country_code}/{party_id}/{booking_id}"


@router.get("/booking_locations", tags=["bookings"], responses=gives("BookingLocations"))
async def list_booking_locations(
    request: Request, bearer: Viewer, limit: Limit = 50, offset: Offset = 0, partner: str | None = None
) -> Response:
    """What can be booked, ours and others', the newest first."""
    return await listed(request, BOOKING_LOCATIONS, limit, offset, partner)


@router.get(_PLACE, tags=["bookings"], responses=gives("BookingLocation"))
async def get_booking_location(
    request: Request, country_code: Segment, party_id: Segment, booking_location_id: Segment, bearer: Viewer
) -> Response:
    """A booking location, with what is left of its calendars."""
    owner = Party.of(country_code, party_id)
    document = await bookings.place(program_of(request), owner, booking_location_id)
    return Response(document.body, media_type="application/json")


@router.put(
    _PLACE,
    tags=["bookings"],
    openapi_extra=takes("BookingLocation"),
    responses=gives("BookingLocation") | gives("BookingLocation", status=201),
)
async def put_booking_location(
    request: Request, country_code: Segment, party_id: Segment, booking_location_id: Segment, bearer: Operator
) -> Response:
    """Open EVSEs of ours for booking, or change what is open. Bookings that stand are kept."""
    program = program_of(request)
    owner = objects.our_party(program, country_code, party_id)
    tree = await object_body(request, limit=LARGE)
    created = await bookings.open_place(program, booking_location_id, tree, actor=bearer.subject)
    document = await bookings.place(program, owner, booking_location_id)
    return Response(document.body, 201 if created else 200, media_type="application/json")


@router.get("/bookings", tags=["bookings"], responses=gives("Bookings"))
async def list_bookings(request: Request, bearer: Viewer, narrowed_to: Narrowed) -> Response:
    """Bookings, the newest first; those of a partner are those that it asked for."""
    program = program_of(request)
    audiences = parties_of(program, narrowed_to.partner)
    found = await newest(program.store, BOOKINGS, narrowed_to, audiences=audiences, since=narrowed_to.since())
    return stored(found)


@router.get(_BOOKING, tags=["bookings"], responses=gives("Booking"))
async def get_booking(
    request: Request, country_code: Segment, party_id: Segment, booking_id: Segment, bearer: Viewer
) -> Response:
    """One booking, with every request that was made for it."""
    document = await bookings.booking(program_of(request), Party.of(country_code, party_id), booking_id)
    return Response(document.body, media_type="application/json")


@router.post(f"{_BOOKING}/cancel", tags=["bookings"], openapi_extra=takes("BookingCancel"), responses=gives("Booking"))
async def cancel_booking(
    request: Request, country_code: Segment, party_id: Segment, booking_id: Segment, bearer: Operator
) -> Response:
    """Cancel a booking of ours; who booked is told."""
    program = program_of(request)
    objects.our_party(program, country_code, party_id)
    ask = await asked(request, BookingCancel)
    return answer(await bookings.cancel(program, booking_id, ask.reason, actor=bearer.subject))


@router.put(
    "/partners/{name}/bookings_edition",
    tags=["bookings"],
    openapi_extra=takes("BookingsEdition"),
    responses=gives("Partner"),
)
async def set_bookings_edition(request: Request, name: Segment, bearer: Admin) -> Response:
    """Write to a partner in edition 1.0 or 1.1 of the bookings module; both are read from everybody."""
    program, ask = program_of(request), await asked(request, BookingsEdition)
    await bookings.set_edition(program, name, ask.edition, actor=bearer.subject)
    return answer(await partner_view.show(program, name))
