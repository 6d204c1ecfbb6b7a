"""Charging preferences of a running session, answered by what the EVSE and its tariffs can do.

OCPI mod_sessions_set_charging_preferences. As long as nothing steers power at our sites, a preference that asks for the
ordinary way of charging is ACCEPTED, and one that asks to shift it is NOT_POSSIBLE: never an ACCEPTED without effect.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from hub.core.errors import NotCapable, NotFound
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from modules.locations.service import connector_in, evse_in
from modules.sessions import store as sessions
from modules.sessions.charge import Charge, load
from modules.sessions.model import ChargingPreferences

_SHIFTED: Final = frozenset({"CHEAP", "GREEN"})


async def answer(hub: Hub, session_id: str, parties: Collection[str], wish: ChargingPreferences) -> str:
    """A ChargingPreferencesResponse. Raises: NotFound (also for a foreign session), NotCapable."""
    document = await sessions.find(hub.store, sessions.key_of(hub.settings.party, session_id))
    if document is None or document.audience not in parties:
        raise NotFound("there is no such session")
    charge = await load(hub.store, document.columns["id"])
    if charge is None or "CHARGING_PREFERENCES_CAPABLE" not in (_evse(charge).get("capabilities") or ()):
        raise NotCapable("this EVSE takes no charging preferences")
    return _decide(charge, wish) if charge.is_open else "NOT_POSSIBLE"


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
