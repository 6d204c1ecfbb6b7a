"""Charging profiles: what eMSPs ask of sessions at our chargers and, through us, at others'.

OCPI mod_charging_profiles: the receiver interface for who asks; of the sender interface what CPOs call in return.
"""

from __future__ import annotations

from typing import Final

from hub.core.answers import Answer, ok
from hub.core.callbacks import posted
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.operations import RECEIVER, SENDER, Operations
from hub.core.parties import PartyRole
from hub.core.routing import Receiver
from modules.chargingprofiles import onward, service
from modules.chargingprofiles.model import (
    ActiveChargingProfile,
    ActiveChargingProfileResult,
    ChargingProfileResult,
    ClearProfileResult,
    SetChargingProfile,
)
from modules.chargingprofiles.service import Sender
from modules.chargingprofiles.wire import (
    ACTIVE_CHARGING_PROFILE,
    ACTIVE_CHARGING_PROFILE_RESULT,
    CHARGING_PROFILE_RESPONSE,
    CHARGING_PROFILE_RESULT,
    CLEAR_PROFILE_RESULT,
    SET_CHARGING_PROFILE,
    VERSIONS,
)

operations = Operations("chargingprofiles", callers=onward.PROFILERS)

_CPO: Final = frozenset({PartyRole.CPO})


@operations(
    "GET",
    RECEIVER,
    "{session_id}",
    answer=CHARGING_PROFILE_RESPONSE,
    query=("duration", "response_url"),
    versions=VERSIONS,
)
async def get_profile(call: Call, session_id: str) -> Answer:
    """What a session will be allowed to draw. OCPI mod_charging_profiles_get_method."""
    duration, url = _asked(call, "duration"), _asked(call, "response_url")
    if not (duration.isascii() and duration.isdigit() and len(duration) < 10):
        raise InvalidRequest("duration is a number of seconds")
    goes = await onward.goes_to(call, session_id)
    if isinstance(goes, Receiver):
        query = {"duration": duration}
        return _answered(call, await onward.pass_on(call, goes, "active", session_id, url, query=query))
    return _answered(call, await service.show_profile(call.hub, _sender(call), session_id, int(duration), url))


@operations(
    "PUT",
    RECEIVER,
    "{session_id}",
    body=SET_CHARGING_PROFILE,
    answer=CHARGING_PROFILE_RESPONSE,
    versions=VERSIONS,
)
async def put_profile(call: Call, session_id: str, body: SetChargingProfile) -> Answer:
    """Limit a session, or replace its limits. OCPI mod_charging_profiles_put_method."""
    goes = await onward.goes_to(call, session_id)
    if isinstance(goes, Receiver):
        return _answered(call, await onward.pass_on(call, goes, "set", session_id, body.response_url, order=body))
    return _answered(call, await service.set_profile(call.hub, _sender(call), session_id, body))


@operations(
    "DELETE",
    RECEIVER,
    "{session_id}",
    answer=CHARGING_PROFILE_RESPONSE,
    query=("response_url",),
    versions=VERSIONS,
)
async def delete_profile(call: Call, session_id: str) -> Answer:
    """Take the limits of a session away. OCPI mod_charging_profiles_delete_method."""
    url = _asked(call, "response_url")
    goes = await onward.goes_to(call, session_id)
    if isinstance(goes, Receiver):
        return _answered(call, await onward.pass_on(call, goes, "clear", session_id, url))
    return _answered(call, await service.clear_profile(call.hub, _sender(call), session_id, url))


@operations("PUT", SENDER, "{session_id}", callers=_CPO, body=ACTIVE_CHARGING_PROFILE, versions=VERSIONS)
async def put_active(call: Call, session_id: str, body: ActiveChargingProfile) -> Answer:
    """A session may draw something else than before. OCPI mod_charging_profiles, sender interface."""
    return await onward.changed(call, session_id, body)


@operations(
    "POST",
    SENDER,
    "active/{result_id}",
    callers=_CPO,
    body=posted(ACTIVE_CHARGING_PROFILE_RESULT),
    versions=VERSIONS,
)
async def post_active(call: Call, result_id: str, body: ActiveChargingProfileResult) -> Answer:
    """What came of a GET that we passed on. OCPI mod_charging_profiles, sender interface."""
    await onward.came(call, "active", result_id, body, ACTIVE_CHARGING_PROFILE_RESULT)
    return ok()


@operations("POST", SENDER, "set/{result_id}", callers=_CPO, body=posted(CHARGING_PROFILE_RESULT), versions=VERSIONS)
async def post_set(call: Call, result_id: str, body: ChargingProfileResult) -> Answer:
    """What came of a PUT that we passed on. OCPI mod_charging_profiles, sender interface."""
    await onward.came(call, "set", result_id, body, CHARGING_PROFILE_RESULT)
    return ok()


@operations("POST", SENDER, "clear/{result_id}", callers=_CPO, body=posted(CLEAR_PROFILE_RESULT), versions=VERSIONS)
async def post_clear(call: Call, result_id: str, body: ClearProfileResult) -> Answer:
    """What came of a DELETE that we passed on. OCPI mod_charging_profiles, sender interface."""
    await onward.came(call, "clear", result_id, body, CLEAR_PROFILE_RESULT)
    return ok()


def _sender(call: Call) -> Sender:
    return Sender(call.partner, call.asker, call.version)


def _asked(call: Call, name: str) -> str:
    if not call.query.get(name):
        raise InvalidRequest(f"{name} is required")
    return call.query[name]


def _answered(call: Call, said: Answer | Tree) -> Answer:
    return said if isinstance(said, Answer) else ok(call.written(CHARGING_PROFILE_RESPONSE, said))
