"""Bookings, both interfaces: eMSPs look at what can be booked and ask for it, CPOs push what they have.

OCPI mod_bookings_interfaces_and_endpoints. A request for a booking goes to the CPO whose booking location it names.
"""

from __future__ import annotations

from hub.core.answers import Answer, ok, ok_bytes
from hub.core.dispatch import Call
from hub.core.errors import CommandForUnknownLocation, InvalidRequest, NotFound, PeerNonsense
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE, LARGE, MEDIUM, RECEIVER, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.parties import Party, PartyRole
from hub.core.relay import Errand, relay
from hub.core.routing import OURS, Receiver, can_have, destination
from hub.core.units import Document
from modules.bookings import editions, received, service
from modules.bookings.model import Booking, BookingLocation, BookingRequest, Calendar
from modules.bookings.places import LIMIT
from modules.bookings.slots import having_slots
from modules.bookings.store import BOOKING_LOCATIONS, BOOKINGS, MODULE, PLACES, key_of, places_with_id
from modules.bookings.wire import BOOKING, BOOKING_LOCATION, BOOKING_REQUEST, CALENDAR, NOT_NAMED, VERSIONS, speaks_old
from modules.tokens import service as tokens

CPO = frozenset({PartyRole.CPO})

operations = Operations(MODULE, callers=EMSP_LIKE, keeps=True)
_places = Listing(BOOKING_LOCATIONS, editions.places)
_bookings = Listing(BOOKINGS, editions.bookings)

_SLOTS = ("timeslot_from", "timeslot_to")
_BOOKING = "{country_code}/{party_id}/{booking_id}"
_PLACE = f"{{country_code}}/{{party_id}}/{PLACES}/{{booking_location_id}}"
_CALENDAR = f"{_PLACE}/{{calendar_id}}"
_AS_IN_EXAMPLES = "bookinglocations/{country_code}/{party_id}/{booking_location_id}"
"""Where the examples send a PATCH; the text has another place for it."""


@operations("GET", SENDER, PLACES, answer=BOOKING_LOCATION, listed=True, query=(*QUERY, *_SLOTS), versions=VERSIONS)
async def list_places(call: Call) -> Answer:
    """What can be booked, at all CPOs that the caller may see. OCPI mod_bookings_get_booking_locations."""
    owners = service.owners(call.hub, call.partner)
    if any(name in call.query for name in _SLOTS):
        return await having_slots(call, owners)
    return await _places.page(_in_edition(call), {"owner": owners, "audience": ("", *sorted(call.partner.parties))})


@operations("GET", SENDER, f"{PLACES}/{{booking_location_id}}", answer=BOOKING_LOCATION, versions=VERSIONS)
async def get_place(call: Call, booking_location_id: str) -> Answer:
    """One booking location. OCPI mod_bookings_get_booking_location_calendar."""
    return await _shown(call, await _seen(call, booking_location_id))


@operations("GET", SENDER, f"{PLACES}/{{booking_location_id}}/{{calendar_id}}", answer=CALENDAR, versions=VERSIONS)
async def get_calendar(call: Call, booking_location_id: str, calendar_id: str) -> Answer:
    """One calendar of a booking location. OCPI mod_bookings_get_booking_location_calendar."""
    return _shown_calendar(call, await _seen(call, booking_location_id), calendar_id)


@operations("GET", SENDER, answer=BOOKING, listed=True, query=QUERY, versions=VERSIONS)
async def list_bookings(call: Call) -> Answer:
    """The caller's bookings, at all CPOs. OCPI mod_bookings_get_bookings."""
    owners = call.hub.agreements.senders(call.partner, MODULE)
    return await _bookings.page(_in_edition(call), {"owner": owners, "audience": sorted(call.partner.parties)})


@operations("POST", SENDER, body=BOOKING_REQUEST, answer=BOOKING, versions=VERSIONS)
async def post_request(call: Call, body: BookingRequest) -> Answer:
    """Ask for a booking, for a change of it, or for its end. OCPI mod_bookings_cpo_post_booking_method."""
    requester = Party.of(body.country_code, body.party_id)
    if not call.caller.speaks_for(requester, EMSP_LIKE):
        raise InvalidRequest("the object names a party that is not yours")
    for token in body.tokens:
        await tokens.owner_claimed(call.hub.store, call.partner, token.country_code, token.party_id, token.uid)
    where = destination(call, owner=await _owner(call, body), roles=CPO)
    if isinstance(where, Receiver):
        return await _passed_on(call, where, body)
    decided = await service.request(call.hub, requester, body)
    answer = ok(_in_edition(call).written(editions.BOOKINGS, decided.booking), created=decided.created)
    answer.message = decided.why_not or answer.message
    return answer


@operations("GET", RECEIVER, _PLACE, callers=CPO, answer=BOOKING_LOCATION, versions=VERSIONS)
async def get_own_place(call: Call, country_code: str, party_id: str, booking_location_id: str) -> Answer:
    """A booking location as we keep it. OCPI mod_bookings_msp_booking_location_get_method."""
    owner = call.as_party(country_code, party_id, CPO)
    return await _shown(call, await received.get_place(call.hub, key_of(owner, booking_location_id)))


@operations("PUT", RECEIVER, _PLACE, callers=CPO, body=BOOKING_LOCATION, versions=VERSIONS, limit=LARGE)
async def put_place(
    call: Call, country_code: str, party_id: str, booking_location_id: str, body: BookingLocation
) -> Answer:
    """Keep a booking location. OCPI mod_bookings_put_booking_location_method."""
    owner = call.as_party(country_code, party_id, CPO)
    return ok(created=await received.put_place(call.hub, owner, booking_location_id, body, to=_audience(call)))


@operations("PATCH", RECEIVER, _PLACE, callers=CPO, body=BOOKING_LOCATION, patch=True, versions=VERSIONS, limit=LARGE)
async def patch_place(call: Call, country_code: str, party_id: str, booking_location_id: str, body: Tree) -> Answer:
    """Change a part of a booking location. OCPI mod_bookings_booking_location_patch_method."""
    owner = call.as_party(country_code, party_id, CPO)
    await received.patch_place(call.hub, owner, booking_location_id, body)
    return ok()


@operations(
    "PATCH", RECEIVER, _AS_IN_EXAMPLES, callers=CPO, body=BOOKING_LOCATION, patch=True, versions=VERSIONS, limit=LARGE
)
async def patch_place_as_in_examples(
    call: Call, country_code: str, party_id: str, booking_location_id: str, body: Tree
) -> Answer:
    """The same at the path of the examples. OCPI mod_bookings_booking_location_example_terms_update."""
    return await patch_place(call, country_code, party_id, booking_location_id, body)


@operations("GET", RECEIVER, _CALENDAR, callers=CPO, answer=CALENDAR, versions=VERSIONS)
async def get_own_calendar(
    call: Call, country_code: str, party_id: str, booking_location_id: str, calendar_id: str
) -> Answer:
    """A calendar as we keep it. OCPI mod_bookings_msp_booking_location_get_method."""
    owner = call.as_party(country_code, party_id, CPO)
    document = await received.get_place(call.hub, key_of(owner, booking_location_id))
    return _shown_calendar(call, document, calendar_id)


@operations("PUT", RECEIVER, _CALENDAR, callers=CPO, body=CALENDAR, versions=VERSIONS, limit=MEDIUM)
async def put_calendar(
    call: Call, country_code: str, party_id: str, booking_location_id: str, calendar_id: str, body: Calendar
) -> Answer:
    """Keep a calendar of a booking location. OCPI mod_bookings_put_booking_location_method."""
    owner = call.as_party(country_code, party_id, CPO)
    await received.put_calendar(call.hub, owner, booking_location_id, calendar_id, body)
    return ok()


@operations("PATCH", RECEIVER, _CALENDAR, callers=CPO, body=CALENDAR, patch=True, versions=VERSIONS, limit=MEDIUM)
async def patch_calendar(
    call: Call, country_code: str, party_id: str, booking_location_id: str, calendar_id: str, body: Tree
) -> Answer:
    """Change a part of a calendar. OCPI mod_bookings_booking_location_patch_method."""
    owner = call.as_party(country_code, party_id, CPO)
    await received.patch_calendar(call.hub, owner, booking_location_id, calendar_id, body)
    return ok()


@operations(
    "PATCH",
    RECEIVER,
    f"{_AS_IN_EXAMPLES}/{{calendar_id}}",
    callers=CPO,
    body=CALENDAR,
    patch=True,
    versions=VERSIONS,
    limit=MEDIUM,
)
async def patch_calendar_as_in_examples(
    call: Call, country_code: str, party_id: str, booking_location_id: str, calendar_id: str, body: Tree
) -> Answer:
    """The same at the path of the examples. OCPI mod_bookings_booking_location_example_calendar_update."""
    return await patch_calendar(call, country_code, party_id, booking_location_id, calendar_id, body)


@operations("GET", RECEIVER, _BOOKING, callers=CPO, answer=BOOKING, versions=VERSIONS)
async def get_own_booking(call: Call, country_code: str, party_id: str, booking_id: str) -> Answer:
    """A booking as we keep it. OCPI mod_bookings_msp_booking_get_method."""
    owner = call.as_party(country_code, party_id, CPO)
    document = await received.get_booking(call.hub, key_of(owner, booking_id))
    body = await editions.bookings.answer(_in_edition(call), document)
    return ok_bytes(document.body if body is None else body)


@operations("PUT", RECEIVER, _BOOKING, callers=CPO, body=BOOKING, versions=VERSIONS, limit=MEDIUM)
async def put_booking(call: Call, country_code: str, party_id: str, booking_id: str, body: Booking) -> Answer:
    """Keep a booking. OCPI mod_bookings_put_booking_method."""
    owner = call.as_party(country_code, party_id, CPO)
    return ok(created=await received.put_booking(call.hub, owner, booking_id, body, to=_named(call)))


@operations("PATCH", RECEIVER, _BOOKING, callers=CPO, body=BOOKING, patch=True, versions=VERSIONS, limit=MEDIUM)
async def patch_booking(call: Call, country_code: str, party_id: str, booking_id: str, body: Tree) -> Answer:
    """Change a part of a booking. OCPI mod_bookings_booking_patch_method."""
    owner = call.as_party(country_code, party_id, CPO)
    await received.patch_booking(call.hub, owner, booking_id, body, to=_named(call))
    return ok()


def _audience(call: Call) -> str:
    """The only eMSP that may have it, if OCPI-to names one.

    Raises: UnknownReceiver, PeerUnreachable, NotInTheirVersion.
    """
    where = destination(call, shared=True, roles=EMSP_LIKE)
    return can_have(call, where).party if isinstance(where, Receiver) else ""


def _named(call: Call) -> str:
    """The party that OCPI-to says a booking is for, if it names one. Raises: as `_audience`."""
    where = destination(call, shared=True, roles=EMSP_LIKE)
    return call.hub.settings.party if where is OURS else _audience(call)


async def _seen(call: Call, place_id: str) -> Document:
    """The booking location of this id that the caller may see; of several, that of OCPI-to, or ours."""
    visible, own = service.owners(call.hub, call.partner), call.hub.settings.own_parties
    owners = {call.to} if call.to and call.to not in own else set(visible)
    audiences = ("", *call.partner.parties)
    found = [
        document
        for document in await places_with_id(call.hub.store, place_id)
        if document.owner in owners and document.owner in visible and document.audience in audiences
    ]
    if not found:
        raise NotFound("there is no such booking location")
    return min(found, key=lambda document: (document.owner != call.hub.settings.party, document.seq))


async def _passed_on(call: Call, to: Receiver, asked: BookingRequest) -> Answer:
    """The CPO decides; the booking as it answers it is kept. Raises: PeerNonsense, and what `relay` raises."""
    edition = editions.edition_of(to.partner)
    errand = Errand(
        method="POST",
        module=editions.identifier(to.partner, "SENDER") or MODULE,
        side=SENDER,
        body=asked.tree(),
        raw=call.raw if edition == VERSIONS[0] and not speaks_old(call.received) else None,
        wires={VERSIONS[0]: editions.REQUESTS[edition]},
        answers=BOOKING,
    )
    reply = await relay(call, to, errand)
    try:
        booking = BOOKING[VERSIONS[0]].read(reply.tree)
        _check_answers(booking.tree(), asked)
        await received.put_booking(call.hub, Party.parse(to.party), booking.id, booking)
    except InvalidRequest as fault:
        raise PeerNonsense(f"the receiver's answer is not valid: {fault.message}") from None
    call.answered_by(to.party)
    return ok(_in_edition(call).written(editions.BOOKINGS, booking.tree()), created=reply.http == 201)


def _check_answers(booking: Tree, asked: BookingRequest) -> None:
    """Is it the booking that was asked for (REQ-229)? Raises: InvalidRequest."""
    newest = booking["booking_requests"][-1]["booking_request"]
    if {booking["request_id"].upper(), newest["request_id"].upper()} != {asked.request_id.upper()}:
        raise InvalidRequest("/request_id: another one than was asked under")
    if received.requester_of(booking) != str(Party.of(asked.country_code, asked.party_id)):
        raise InvalidRequest("/booking_requests: of another party than the one that asked")


async def _owner(call: Call, asked: BookingRequest) -> str:
    """Whose booking location a request names. Raises: CommandForUnknownLocation."""
    if asked.booking_location_id == NOT_NAMED or call.to not in ("", *call.hub.settings.own_parties):
        return call.hub.settings.party
    try:
        return (await _seen(call, asked.booking_location_id)).owner
    except NotFound:
        raise CommandForUnknownLocation("there is no such booking location") from None


async def _shown(call: Call, document: Document) -> Answer:
    body = await editions.places.answer(_in_edition(call), document)
    return ok_bytes(document.body if body is None else body)


def _shown_calendar(call: Call, document: Document, calendar_id: str) -> Answer:
    calendar = received.calendar_in(parse(document.body, limit=LIMIT), calendar_id)
    return ok(_in_edition(call).written(editions.CALENDARS, calendar))


def _in_edition(call: Call) -> Call:
    """The call as if the edition of the caller were a version: lists are kept apart by it."""
    return call.in_version(editions.edition_of(call.partner))
