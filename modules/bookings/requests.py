"""A request for a booking of ours, and the one decision that it gets. OCPI mod_bookings_cpo_post_booking_method.

    no booking under this request_id     RESERVED where the place is free and the terms allow it, else REJECTED
    RESERVED, a change                   ACCEPTED, and the booking is as asked; or DECLINED, and it stays as it was
    RESERVED, `canceled`                 ACCEPTED, and it is CANCELED; or DECLINED
    the last request once more           nothing: it was decided (an answer may have been lost)
    ended                                refused: what has ended stays, a new booking has a new request_id

The id of a booking follows from who asks and the request_id, so that the same request never makes two bookings. All
that a decision changes (the booking, the calendars of the EVSE and the tokens, what is left to book) is one unit,
written if nothing of it has changed meanwhile; else the request is decided again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.errors import CommandForForeignToken, CommandForUnknownLocation, InvalidRequest
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import ABSENT, Audit, Document, Put, Unit
from modules.bookings import places
from modules.bookings import store as bookings
from modules.bookings.calendar import Span, span_of, why_outside
from modules.bookings.holds import Holds
from modules.bookings.lifecycle import ACCEPTED, CANCELED, DECLINED, FINAL, REJECTED, RESERVED
from modules.bookings.model import BookingRequest
from modules.bookings.places import LIMIT, Place
from modules.bookings.store import BOOKING_LOCATIONS, BOOKINGS
from modules.bookings.terms import DEFAULT, Terms, why_not_cancel, why_not_change, why_not_period

_NOT_FREE: Final = "the place is taken in this period"


@dataclass(frozen=True, slots=True)
class Decided:
    """The booking as it is now, what is to be written for it, and why it was not as asked."""

    booking: Tree
    unit: Unit
    why_not: str = ""
    created: bool = False


class _Chosen(NamedTuple):
    evse_uid: str
    why_not: str | None


def booking_id(owner: Party | str, requester: Party, request_id: str) -> str:
    """The id of the booking that a request makes."""
    return str(uuid5(NAMESPACE_URL, f"{owner}/{requester}/{request_id.upper()}"))


def check_tokens(asked: BookingRequest, requester: Party) -> None:
    """Raises: CommandForForeignToken, when one asks for another's driver."""
    for token in asked.tokens:
        if Party.of(token.country_code, token.party_id) != requester:
            raise CommandForForeignToken("a booking is for the requester's own tokens")


async def decide(hub: Hub, requester: Party, asked: BookingRequest) -> Decided:
    """The decision on a request, as things are now; nothing is written yet.

    Raises: CommandForUnknownLocation, CommandForForeignToken, InvalidRequest.
    """
    check_tokens(asked, requester)
    owner = hub.settings.own_party
    key = bookings.key_of(owner, booking_id(owner, requester, asked.request_id))
    known = await bookings.find(hub.store, BOOKINGS, key)
    place = await places.find(hub, asked)
    if known is None:
        return await _new(hub, requester, asked, place)
    before: Tree = parse(known.body, limit=LIMIT)
    if before["booking_requests"][-1]["booking_request"] == asked.tree():
        return Decided(before, Unit())
    if before["reservation_status"] in FINAL:
        raise InvalidRequest(f"the booking has ended as {before['reservation_status']}: use a new request_id")
    if before["location_id"].upper() != place.location["id"].upper():
        raise CommandForUnknownLocation("a booking stays at its location")
    if asked.canceled is not None:
        return await _cancelled(hub, known, before, asked, place)
    return await _changed(hub, known, before, asked, place)


def terms_of(place: Place) -> Terms:
    return place.opening.get("booking_terms") or DEFAULT


async def _new(hub: Hub, requester: Party, asked: BookingRequest, place: Place) -> Decided:
    if asked.canceled is not None:
        raise InvalidRequest("/canceled: there is no booking under this request_id")
    owner, now = hub.settings.own_party, hub.clock.now()
    number = booking_id(owner, requester, asked.request_id)
    booking: Tree = {
        "id": number,
        "country_code": owner.country_code,
        "party_id": owner.party_id,
        "request_id": asked.request_id,
        "location_id": place.location["id"],
        "tariff_ids": place.opening.get("tariff_ids") or [],
        "reservation_status": RESERVED,
        "booking_terms": dict(terms_of(place)),
        "booking_requests": [],
        **_wanted(asked, place),
    }
    holds = await Holds.read(hub.store, _calendars(place, booking), now)
    chosen = _choose(place, booking, asked, holds, now)
    if chosen.why_not is None:
        _hold(booking, chosen.evse_uid, place, holds)
    else:
        booking["reservation_status"] = REJECTED
    return await _written(hub, booking, asked, place, holds, requester, why_not=chosen.why_not, known=None)


def _wanted(asked: BookingRequest, place: Place) -> Tree:
    """What a booking takes from its newest accepted request."""
    tree = asked.tree()
    option = {**(place.opening.get("booking_option") or {}), **(tree.get("booking_option") or {})}
    return {
        "booking_option": option,
        "booking_tokens": tree.get("tokens") or [],
        "access_information": tree.get("access_information") or [],
        "period": _timeslot(tree["period"], place),
        "authorization_reference": asked.authorization_reference,
    }


def _timeslot(period: Tree, place: Place) -> Tree:
    """The period asked for, with the power of the timeslot that it begins in."""
    start = span_of(period).start
    for calendar in place.opening.get("calendars") or ():
        for slot in calendar["available_timeslots"]:
            whole = span_of(slot)
            if whole.start <= start < whole.end:
                return {**slot, **period}
    return dict(period)


def _calendars(place: Place, *trees: Tree) -> list[str]:
    """All that a decision may look at: the EVSEs of the location, and the tokens of the booking before and after."""
    return [
        *places.evse_keys(place),
        *(bookings.token_key(token) for tree in trees for token in tree["booking_tokens"]),
    ]


def _choose(place: Place, booking: Tree, asked: BookingRequest, holds: Holds, now: datetime) -> _Chosen:
    """An EVSE that is free in the period, or why there is none."""
    period, terms = span_of(booking["period"]), booking["booking_terms"]
    wanted = asked.booking_option.tree() if asked.booking_option is not None else {}
    why = (
        why_not_period(terms, period, now)
        or why_outside(period, place.opening.get("calendars") or ())
        or places.why_not_option(place.opening, wanted)
        or _why_not_tokens(booking, period, holds)
    )
    if why is not None:
        return _Chosen("", why)
    fitting = {uid.upper() for uid in places.pool(place.location, wanted)}
    evses = [uid for uid in place.evses if uid.upper() in fitting]
    if not evses:
        return _Chosen("", "the place has nothing of what is asked for")
    free = [uid for uid in evses if holds.is_free(_evse(place, uid), period, besides=booking["id"])]
    return _Chosen(free[0], None) if free else _Chosen("", _NOT_FREE)


def _why_not_tokens(booking: Tree, period: Span, holds: Holds) -> str | None:
    if booking["booking_terms"].get("overlapping_bookings_allowed") is not False:
        return None
    keys = [bookings.token_key(token) for token in booking["booking_tokens"]]
    if all(holds.is_free(key, period, besides=booking["id"]) for key in keys):
        return None
    return "a token has another booking in this period"


def _evse(place: Place, evse_uid: str) -> str:
    return bookings.evse_key(bookings.owner_of(place.opening), place.location["id"], evse_uid)


def _hold(booking: Tree, evse_uid: str, place: Place, holds: Holds) -> None:
    period = span_of(booking["period"])
    booking["booking_option"] = {**booking["booking_option"], "evse_uid": evse_uid}
    holds.hold(_evse(place, evse_uid), booking["id"], period)
    if booking["booking_terms"].get("overlapping_bookings_allowed") is False:
        for token in booking["booking_tokens"]:
            holds.hold(bookings.token_key(token), booking["id"], period)


def release(booking: Tree, place: Place, holds: Holds) -> None:
    """Let go of all that a booking has."""
    for key in _calendars(place, {"booking_tokens": booking.get("booking_tokens") or []}):
        holds.release(key, booking["id"])


async def _changed(hub: Hub, known: Document, before: Tree, asked: BookingRequest, place: Place) -> Decided:
    now = hub.clock.now()
    booking = {**before, **_wanted(asked, place)}
    tokens = {"booking_tokens": before.get("booking_tokens") or []}
    holds = await Holds.read(hub.store, _calendars(place, tokens, booking), now)
    start = span_of(before["period"]).start
    why = why_not_change(before["booking_terms"], start, now)
    chosen = _choose(place, booking, asked, holds, now) if why is None else _Chosen("", why)
    if chosen.why_not is None:
        release(before, place, holds)
        _hold(booking, chosen.evse_uid, place, holds)
    else:
        booking = before
    requester = Party.parse(known.audience)
    return await _written(hub, booking, asked, place, holds, requester, why_not=chosen.why_not, known=known)


async def _cancelled(hub: Hub, known: Document, before: Tree, asked: BookingRequest, place: Place) -> Decided:
    now = hub.clock.now()
    tokens = {"booking_tokens": before.get("booking_tokens") or []}
    holds = await Holds.read(hub.store, _calendars(place, tokens), now)
    why = why_not_cancel(before["booking_terms"], span_of(before["period"]).start, now)
    booking = before
    if why is None:
        booking = {**before, "reservation_status": CANCELED, "canceled": asked.tree()["canceled"]}
        release(before, place, holds)
    requester = Party.parse(known.audience)
    return await _written(hub, booking, asked, place, holds, requester, why_not=why, known=known)


async def _written(
    hub: Hub,
    booking: Tree,
    asked: BookingRequest,
    place: Place,
    holds: Holds,
    requester: Party,
    *,
    why_not: str | None,
    known: Document | None,
) -> Decided:
    """The booking with the request and its decision, and the unit that writes all of it."""
    now = timestamp(hub.clock.now())
    entry = {
        "request_status": ACCEPTED if why_not is None else DECLINED,
        "booking_request": asked.tree(),
        "request_received": now,
    }
    booking = {**booking, "booking_requests": [*booking["booking_requests"], entry], "last_updated": now}
    booking = {name: value for name, value in booking.items() if value not in (None, [], {})}
    puts = await places.republished(hub, place, holds) if why_not is None else []
    unit = changed(booking, str(requester), known, Unit([*holds.puts(), *puts]))
    unit.audited(
        Audit(str(requester), "booking.decided", unit.changes[0].key, f"{entry['request_status']} {why_not or ''}")
    )
    return Decided(booking, unit, why_not or "", created=known is None)


def changed(booking: Tree, audience: str, known: Document | None, unit: Unit) -> Unit:
    """`unit` with the booking as it is to be, and the word to whom it concerns."""
    put = bookings.booking_put(booking, audience, expect=known.version if known is not None else ABSENT)
    told = [each for each in unit.writes if isinstance(each, Put) and each.kind is BOOKING_LOCATIONS]
    unit.put(put).tells(bookings.booking_change(put, trace.correlation()))
    unit.changes += [bookings.place_change(each, trace.correlation()) for each in told]
    return unit
