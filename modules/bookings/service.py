"""Bookings at our own locations: opened by the operator, asked for by eMSPs, used by charges, ended by the clock.

What a request gets is decided in `requests`; here it is committed. A charge that is the booked one carries the
booking's authorization_reference, and the booking is FULFILLED once the charge is on disk; where nobody comes it is
NO_SHOW. Bookings of other CPOs are in `received`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Audit, Document, Put, Unit
from modules.bookings import places, requests
from modules.bookings import store as bookings
from modules.bookings.calendar import span_of
from modules.bookings.holds import Holds
from modules.bookings.lifecycle import CANCELED, FULFILLED, NO_SHOW, RESERVED, may_follow
from modules.bookings.model import BookingRequest
from modules.bookings.places import LIMIT, Place
from modules.bookings.requests import Decided
from modules.bookings.store import BEGUN, BOOKING_OPENINGS, BOOKING_STARTS, BOOKINGS, OVER, SETTLED, Start
from modules.bookings.terms import ends_by, no_show_at, starts_from
from modules.bookings.wire import BOOKING_LOCATION
from modules.locations import service as locations
from modules.tokens import service as tokens

log = structlog.get_logger()

_ATTEMPTS: Final = 20
_A_STEP: Final = 500


def owners(hub: Hub, viewer: Partner) -> tuple[str, ...]:
    """The CPOs whose booking locations a partner may see."""
    return hub.agreements.owners(viewer, bookings.MODULE)


def may_see(hub: Hub, viewer: Partner, owner: str) -> bool:
    """May a partner see the booking locations of `owner`?"""
    return hub.agreements.may(viewer, owner, bookings.MODULE).allowed


async def open_place(hub: Hub, place_id: str, tree: Tree, *, actor: str) -> bool:
    """Open something of ours for booking, or change what is open; bookings that stand are kept.

    Returns: True if it is new. Raises: InvalidRequest.
    """
    owner, now = hub.settings.own_party, timestamp(hub.clock.now())
    given = {"country_code": owner.country_code, "party_id": owner.party_id, "last_updated": now, **tree}
    if isinstance(given.get("calendars"), list):
        given["calendars"] = [{"last_updated": now, **c} if isinstance(c, dict) else c for c in given["calendars"]]
    opening = BOOKING_LOCATION["2.3.0"].read(given)
    if opening.id.upper() != place_id.upper() or Party.of(opening.country_code, opening.party_id) != owner:
        raise InvalidRequest("the URL and the object name different booking locations")
    place = await places.checked(hub, {**opening.tree(), "last_updated": now})
    key = bookings.key_of(owner, place_id)
    for _ in range(_ATTEMPTS):
        known = await bookings.find(hub.store, bookings.BOOKING_LOCATIONS, key)
        holds = await Holds.read(hub.store, places.evse_keys(place), hub.clock.now())
        puts = await places.republished(hub, place, holds, openings=[place.opening])
        unit = Unit([*puts, bookings.opening_put(place.opening)]).audited(Audit(actor, "booking_location.put", key))
        for put in puts:
            unit.tells(bookings.place_change(put, trace.correlation()))
        if await _committed(hub, unit):
            return known is None
    raise Conflict


async def request(hub: Hub, requester: Party, asked: BookingRequest) -> Decided:
    """Decide on a request for a booking of ours, once. Raises: as `requests.decide`; Conflict."""
    for _ in range(_ATTEMPTS):
        decided = await requests.decide(hub, requester, asked)
        if not decided.unit.writes or await _committed(hub, decided.unit):
            log.info("booking decided", partner=str(requester), status=decided.booking["reservation_status"])
            return decided
    raise Conflict


async def _committed(hub: Hub, unit: Unit) -> bool:
    try:
        await hub.store.commit(unit)
    except Conflict:
        return False
    return True


async def cancel(hub: Hub, number: str, reason: str, *, actor: str) -> Tree:
    """Take a booking of ours back, whatever its terms say of eMSPs. Raises: NotFound, InvalidRequest (it has ended)."""
    canceled = {"cancellation_reason": reason, "who_canceled": "CPO"}
    key = bookings.key_of(hub.settings.own_party, number)
    audit = Audit(actor, "booking.canceled", key, reason)
    booking = await _move(hub, key, CANCELED, {"canceled": canceled}, audit)
    if booking is None:
        raise InvalidRequest("this booking has ended already")
    return booking


async def _move(hub: Hub, key: str, state: str, also: Mapping[str, object], audit: Audit) -> Tree | None:
    """Bring a booking of ours into another state. What it kept is free again, unless it is used.

    Returns: the booking; None, where the state cannot follow. Raises: NotFound, Conflict.
    """
    for _ in range(_ATTEMPTS):
        known = await bookings.find(hub.store, BOOKINGS, key)
        if known is None:
            raise NotFound("there is no such booking")
        before: Tree = parse(known.body, limit=LIMIT)
        if not may_follow(state, before["reservation_status"]):
            return None
        now = max(timestamp(hub.clock.now()), known.last_updated)
        booking = {**before, **also, "reservation_status": state, "last_updated": now}
        freed = await _freed(hub, before) if state != FULFILLED else Unit()
        if await _committed(hub, requests.changed(booking, known.audience, known, freed).audited(audit)):
            return booking
    raise Conflict


async def _freed(hub: Hub, booking: Tree) -> Unit:
    """The writes that let go of what a booking has."""
    owner = bookings.owner_of(booking)
    location = await locations.get_tree(hub.store, bookings.key_of(owner, booking["location_id"]))
    place = Place(booking, location)
    keys = [*places.evse_keys(place), *(bookings.token_key(token) for token in booking.get("booking_tokens") or ())]
    holds = await Holds.read(hub.store, keys, hub.clock.now())
    requests.release(booking, place, holds)
    return Unit([*holds.puts(), *await places.republished(hub, place, holds)])


@dataclass(frozen=True, slots=True)
class Used:
    """A booking that a charge uses."""

    key: str
    booking_id: str
    reference: str

    def begun(self, session: str, station: str, evse_uid: str, at: datetime) -> Put:
        """The write that goes into the unit of the charge: the booking is fulfilled by it."""
        return bookings.start_put(self.key, Start(session, station, evse_uid, at), BEGUN)


async def used_by(hub: Hub, location: str, evse_uid: str, token: Tree, *, at: datetime) -> Used | None:
    """The booking of ours under which a charge begins: of this EVSE, now, for this driver. None: it is not booked.

    `location` is the key of the location.
    """
    if not token:
        return None
    for document in await bookings.booked_at(hub.store, f"{location}/{evse_uid.upper()}", RESERVED):
        booking: Tree = parse(document.body, limit=LIMIT)
        period, terms = span_of(booking["period"]), booking["booking_terms"]
        if not starts_from(terms, period.start) <= at < period.end:
            continue
        if await _is_for(hub, document, booking, token):
            return Used(document.key, booking["id"], booking["authorization_reference"])
    return None


async def _is_for(hub: Hub, document: Document, booking: Tree, token: Tree) -> bool:
    """One of its tokens, or of their group where the terms let it; any of the requester's where it names none."""
    if f"{token['country_code']}*{token['party_id']}".upper() != document.audience:
        return False
    booked = booking.get("booking_tokens") or []
    if not booked or bookings.token_key(token) in map(bookings.token_key, booked):
        return True
    group = token.get("group_id")
    if not booking["booking_terms"].get("token_groups_supported") or not group:
        return False
    owner = Party.parse(document.audience)
    found = [await tokens.find(hub.store, owner, each["uid"], each["type"]) for each in booked]
    return any(each is not None and parse(each.body, limit=LIMIT).get("group_id") == group for each in found)


async def follow(hub: Hub) -> None:
    """What the clock does with bookings of ours, every few seconds: fulfilled, not shown up, stayed too long."""
    await _each(_starts_in(hub, BEGUN), lambda document: _fulfil(hub, document))
    await _each(_reserved(hub), lambda document: _give_up(hub, document))
    await _each(_starts_in(hub, SETTLED), lambda document: _stop_late(hub, document))


_Step = Callable[[int], Awaitable[list[Document]]]


async def _each(step: _Step, act: Callable[[Document], Awaitable[None]]) -> None:
    after = 0
    while found := await step(after):
        for document in found:
            await act(document)
        after = found[-1].seq


def _starts_in(hub: Hub, state: str) -> _Step:
    return lambda after: bookings.starts_in_state(hub.store, state, after_seq=after, limit=_A_STEP)


def _reserved(hub: Hub) -> _Step:
    owner = hub.settings.party
    return lambda after: bookings.in_state(hub.store, owner, RESERVED, after_seq=after, limit=_A_STEP)


async def _fulfil(hub: Hub, start: Document) -> None:
    """A charge began under it."""
    await _move(hub, start.key, FULFILLED, {}, Audit("busbar", "booking.fulfilled", start.key))
    await _set_start(hub, start, SETTLED)


async def _set_start(hub: Hub, start: Document, state: str) -> None:
    put = bookings.start_put(start.key, bookings.start_in(start), state, expect=start.version)
    await _committed(hub, Unit().put(put))


async def _give_up(hub: Hub, document: Document) -> None:
    """Nobody came in time."""
    booking: Tree = parse(document.body, limit=LIMIT)
    if hub.clock.now() < no_show_at(booking["booking_terms"], span_of(booking["period"])):
        return
    if await bookings.find(hub.store, BOOKING_STARTS, document.key) is None:
        await _move(hub, document.key, NO_SHOW, {}, Audit("busbar", "booking.no_show", document.key))


async def _stop_late(hub: Hub, start: Document) -> None:
    """Stop a charge that stays longer than the terms allow. One that has ended is none, and the charger says so."""
    document = await bookings.find(hub.store, BOOKINGS, start.key)
    if document is None:
        return
    booking: Tree = parse(document.body, limit=LIMIT)
    period = span_of(booking["period"])
    until = ends_by(booking["booking_terms"], period.end)
    now = hub.clock.now()
    if until is None or now < until:
        if until is None and now >= period.end:
            await _set_start(hub, start, OVER)
        return
    await _set_start(hub, start, OVER)
    begun = bookings.start_in(start)
    outcome = await hub.chargers.remote_stop(
        begun.station, transaction=begun.session, timeout_s=hub.settings.command_timeout_s
    )
    log.info("booking is over", booking=booking["id"], station=begun.station, outcome=outcome)


async def opening(hub: Hub, place_id: str) -> Tree:
    """What the operator opened. Raises: NotFound."""
    document = await bookings.find(hub.store, BOOKING_OPENINGS, bookings.key_of(hub.settings.own_party, place_id))
    if document is None:
        raise NotFound("there is no such booking location")
    tree: Tree = parse(document.body, limit=LIMIT)
    return tree
