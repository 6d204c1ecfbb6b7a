"""Sessions: the owner of the token pulls its own, other CPOs bring theirs. OCPI mod_sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.answers import Answer, ok, ok_bytes
from hub.core.delivery import entitled_to
from hub.core.dialect import VERSIONS
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest, NotFound
from hub.core.jsontypes import Tree
from hub.core.operations import CPO_LIKE, EMSP_LIKE, MEDIUM, RECEIVER, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.parties import Party
from hub.core.renditions import Rendition
from hub.core.store import Store
from hub.core.units import Document
from modules.locations.wire import LOCATION
from modules.sessions import preferences, received
from modules.sessions.model import ChargingPreferences
from modules.sessions.place import location_of
from modules.sessions.received import Bringer
from modules.sessions.store import SESSIONS
from modules.sessions.wire import CHARGING_PREFERENCES, SESSION
from modules.tariffs.sendable import SENDABLE

operations = Operations("sessions", callers=EMSP_LIKE, keeps=True)

_SHAPE: Final = "{country_code}/{party_id}/{session_id}"
_EMBEDS: Final = VERSIONS[0]
"""The version whose sessions carry their location."""


async def _whole(store: Store, document: Document) -> Mapping[str, Any]:
    return {"location": await location_of(store, document)}


async def _embedded(store: Store, document: Document) -> Mapping[str, Any]:
    """Its connector names a tariff that can be had, as that of a location does."""
    return {**await _whole(store, document), **await SENDABLE.context(store, document)}


rendition = Rendition(SESSION, context=_embedded)
_as_owned = Rendition(SESSION, context=_whole)
_listing = Listing(SESSIONS, rendition)


@operations("GET", SENDER, answer=SESSION, listed=True, query=QUERY)
async def list_sessions(call: Call) -> Answer:
    """The sessions of the caller's tokens; `date_from` is required. OCPI mod_sessions_get_sessions_list_method."""
    if "date_from" not in call.query:
        raise InvalidRequest("date_from is required for sessions")
    return await _listing.page(call, entitled_to(call.partner, EMSP_LIKE))


@operations(
    "PUT",
    SENDER,
    "{session_id}/charging_preferences",
    body=CHARGING_PREFERENCES,
    versions=("2.2.1", "2.3.0"),
)
async def put_preferences(call: Call, session_id: str, body: ChargingPreferences) -> Answer:
    """What the driver would like; answered by the session's CPO. OCPI mod_sessions_set_charging_preferences."""
    return await preferences.asked(call, session_id, body)


@operations("GET", RECEIVER, _SHAPE, answer=SESSION, callers=CPO_LIKE)
async def get_session(call: Call, country_code: str, party_id: str, session_id: str) -> Answer:
    """A session that the caller brought, as it is kept. OCPI mod_sessions_receiver_get_method."""
    owner = call.as_party(country_code, party_id, CPO_LIKE)
    rendered = await _as_owned.answer(call, await received.get(call.hub, owner, session_id))
    if rendered is None:
        raise NotFound("this session cannot be said in this version")
    return ok_bytes(rendered)


@operations("PUT", RECEIVER, _SHAPE, body=SESSION, as_tree=True, limit=MEDIUM, callers=CPO_LIKE)
async def put_session(call: Call, country_code: str, party_id: str, session_id: str, body: Tree) -> Answer:
    """Keep a new or changed session of the caller, whole. OCPI mod_sessions_receiver_put_method."""
    owner = call.as_party(country_code, party_id, CPO_LIKE)
    return ok(created=await received.put(call.hub, _bringer(call, owner), session_id, body))


@operations("PATCH", RECEIVER, _SHAPE, body=SESSION, patch=True, limit=MEDIUM, callers=CPO_LIKE)
async def patch_session(call: Call, country_code: str, party_id: str, session_id: str, body: Tree) -> Answer:
    """Change a part of a session; charging periods are added. OCPI mod_sessions_receiver_patch_method."""
    owner = call.as_party(country_code, party_id, CPO_LIKE)
    await received.patch(call.hub, _bringer(call, owner), session_id, body, arrived=call.arrived(body))
    return ok()


def _bringer(call: Call, owner: Party) -> Bringer:
    """Raises: InvalidRequest."""
    carried = call.received.get("location") if call.version == _EMBEDS and isinstance(call.received, dict) else None
    if carried is None:
        return Bringer(owner=owner, partner=call.partner.name, to=call.to, gives_back=call.version != _EMBEDS)
    party = {"country_code": owner.country_code, "party_id": owner.party_id}
    location = LOCATION[_EMBEDS].read(carried, given=party).tree()
    return Bringer(owner=owner, partner=call.partner.name, location=location, gives_back=False)
