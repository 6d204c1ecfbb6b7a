"""Sessions, as their sender: the owner of the token pulls its own. OCPI mod_sessions_sender_interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.core.answers import Answer, ok
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest
from hub.core.operations import EMSP_LIKE, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.renditions import Rendition
from hub.core.store import Store
from hub.core.units import Document
from modules.sessions import preferences
from modules.sessions.charge import frozen_location
from modules.sessions.model import ChargingPreferences
from modules.sessions.store import SESSIONS
from modules.sessions.wire import CHARGING_PREFERENCES, SESSION

operations = Operations("sessions", callers=EMSP_LIKE)


async def _embedded(store: Store, document: Document) -> Mapping[str, Any]:
    return {"location": await frozen_location(store, document.columns["id"])}


rendition = Rendition(SESSION, context=_embedded)
_listing = Listing(SESSIONS, rendition)


@operations("GET", SENDER, answer=SESSION, listed=True, query=QUERY)
async def list_sessions(call: Call) -> Answer:
    """The sessions of the caller's tokens; `date_from` is required. OCPI mod_sessions_get_sessions_list_method."""
    if "date_from" not in call.query:
        raise InvalidRequest("date_from is required for sessions")
    return await _listing.page(call, {"audience": sorted(call.partner.parties)})


@operations(
    "PUT",
    SENDER,
    "{session_id}/charging_preferences",
    body=CHARGING_PREFERENCES,
    versions=("2.2.1", "2.3.0"),
)
async def put_preferences(call: Call, session_id: str, body: ChargingPreferences) -> Answer:
    """What the driver would like; answered by what the EVSE can do. OCPI mod_sessions_set_charging_preferences."""
    return ok(await preferences.answer(call.hub, session_id, call.partner.parties, body))
