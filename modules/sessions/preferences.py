"""Charging preferences of a running session, answered by what the EVSE and its tariffs can do.

OCPI mod_sessions_set_charging_preferences. A preference that asks for the ordinary way of charging is ACCEPTED: where
the power of a site is shared, departure and energy need are heeded. One that asks to shift it is NOT_POSSIBLE, as
nothing knows prices or the sun: never an ACCEPTED without effect.
Where the session is another CPO's, that CPO is asked.
"""

from __future__ import annotations

from typing import Final, get_args

from hub.core.answers import Answer, ok
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest, NotCapable, NotFound, PeerNonsense
from hub.core.jsontypes import Tree
from hub.core.operations import CPO_LIKE, SENDER
from hub.core.ports import Hub
from hub.core.relay import Errand, relay
from hub.core.routing import Receiver, destination
from hub.core.units import Document
from modules.locations.service import connector_in, evse_in
from modules.sessions import store as sessions
from modules.sessions.charge import Charge, load
from modules.sessions.model import ChargingPreferences, ChargingPreferencesResponse
from modules.sessions.wire import CHARGING_PREFERENCES

RESPONSES: Final = frozenset(get_args(get_args(ChargingPreferencesResponse)[0]))
_HEEDED_S: Final = 5.0
_SHIFTED: Final = frozenset({"CHEAP", "GREEN"})


async def asked(call: Call, session_id: str, wish: ChargingPreferences) -> Answer:
    """A ChargingPreferencesResponse, of us or of the CPO whose session it is.

    Raises: NotFound (also for a foreign session), NotCapable, InvalidRequest (several CPOs have one); as `relay`.
    """
    document = await _meant(call, session_id)
    goes = destination(call, owner=document.owner, roles=CPO_LIKE)
    if not isinstance(goes, Receiver):
        return ok(await _answer(call.hub, document, wish))
    errand = Errand(
        method="PUT",
        module="sessions",
        side=SENDER,
        path=(document.columns["id"], "charging_preferences"),
        body=wish.tree(),
        raw=call.raw,
        wires=CHARGING_PREFERENCES,
    )
    reply = await relay(call, goes, errand)
    if reply.theirs not in RESPONSES:
        raise PeerNonsense("the answer is no ChargingPreferencesResponse")
    return reply.answer(call, goes, None)


async def _meant(call: Call, session_id: str) -> Document:
    """The session of the caller's driver; one of ours needs no OCPI-to, nor does the only one of that id."""
    store, own = call.hub.store, call.hub.settings.party
    key = sessions.key_of(own, session_id)
    ours = await sessions.find(store, key) if call.to in ("", *call.hub.settings.own_parties) else None
    found = [ours] if ours is not None else await sessions.by_id(store, session_id)
    named = "" if call.to in call.hub.settings.own_parties else call.to
    found = [d for d in found if d.audience in call.partner.parties and named in ("", d.owner)]
    if not found:
        raise NotFound("there is no such session")
    if len(found) > 1:
        raise InvalidRequest("several CPOs have a session of this id: name its owner by the OCPI-to headers")
    return found[0]


async def _answer(hub: Hub, document: Document, wish: ChargingPreferences) -> str:
    charge = await load(hub.store, document.columns["id"])
    if charge is None or "CHARGING_PREFERENCES_CAPABLE" not in (_evse(charge).get("capabilities") or ()):
        raise NotCapable("this EVSE takes no charging preferences")
    answer = _decide(charge, wish) if charge.is_open else "NOT_POSSIBLE"
    if answer == "ACCEPTED":
        await hub.chargers.prefer(
            charge.station,
            transaction=charge.session_id,
            departure=wish.departure_time,
            need_kwh=wish.energy_need,
            timeout_s=_HEEDED_S,
        )
    return answer


def _evse(charge: Charge) -> Tree:
    return evse_in(charge.tree_of_location(), charge.evse_uid)


def _decide(charge: Charge, wish: ChargingPreferences) -> str:
    if not _has_tariff(charge, wish.profile_type):
        return "PROFILE_TYPE_NOT_SUPPORTED"
    if wish.profile_type in _SHIFTED:
        if wish.departure_time is None:
            return "DEPARTURE_REQUIRED"
        if wish.energy_need is None:
            return "ENERGY_NEED_REQUIRED"
        return "NOT_POSSIBLE"
    return "ACCEPTED"


def _has_tariff(charge: Charge, profile_type: str) -> bool:
    """A profile needs a tariff of its type at the connector (REQ-152); REGULAR and untyped serve REGULAR."""
    connector = connector_in(_evse(charge), charge.connector_id)
    named = {tariff_id.upper() for tariff_id in connector.get("tariff_ids") or ()}
    types = {tree.get("type", "REGULAR") for tree in charge.tariff_trees() if tree["id"].upper() in named}
    return profile_type == "REGULAR" or f"PROFILE_{profile_type}" in types
