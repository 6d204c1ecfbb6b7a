"""What one can do at an EVSE, and who may: OCPI's capabilities and restrictions, OICP's modes, options and services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.core.jsontypes import Tree
from partners.oicp.mapping.enums import (
    MODES_TO_OCPI,
    PAYABLE,
    PLUG_AND_CHARGE,
    PLUG_AND_CHARGE_ALL,
    REMOTE,
    RESTRICTED,
    SERVICES_TO_OCPI,
)
from partners.oicp.mapping.terms import Notes, Terms

_BY_CONNECTOR: Final = "START_SESSION_CONNECTOR_REQUIRED"
_CARRIED: Final = frozenset({"RFID_READER", REMOTE, "RESERVABLE"})
_CARDS: Final = frozenset({"NFC RFID Classic", "NFC RFID DESFire"})
_TEST: Final = "Test Station"


def said_abilities(
    evse: Mapping[str, Any], places: Sequence[Mapping[str, Any]], path: str, terms: Terms, notes: Notes
) -> Tree:
    """AuthenticationModes, PaymentOptions, ValueAddedServices, Accessibility and IsHubjectCompatible.

    `places`: the parking places of the EVSE.
    """
    capabilities = set(evse.get("capabilities") or ())
    payable = bool(capabilities & PAYABLE)
    _lose_capabilities(evse, path, notes)
    return {
        "AuthenticationModes": [
            *(terms.rfid_modes if "RFID_READER" in capabilities else ()),
            *(("PnC",) if _plug_and_charge(evse, path, notes) else ()),
            *(("REMOTE",) if REMOTE in capabilities else ()),
            *(("Direct Payment",) if payable else ()),
        ],
        "PaymentOptions": ["Contract", *(("Direct",) if payable else ())],
        "ValueAddedServices": _services(capabilities, places) or ["None"],
        "Accessibility": _accessibility(evse, path, notes),
        "IsHubjectCompatible": _is_compatible(capabilities, notes),
    }


def _lose_capabilities(evse: Mapping[str, Any], path: str, notes: Notes) -> None:
    lost = [at for at, each in enumerate(evse.get("capabilities") or ()) if each not in _CARRIED]
    notes.lose(*(f"{path}/capabilities/{at}" for at in lost))
    if _BY_CONNECTOR in (evse.get("capabilities") or ()) and REMOTE in evse["capabilities"]:
        notes.lose(f"{path}/capabilities/0")


def _plug_and_charge(evse: Mapping[str, Any], path: str, notes: Notes) -> bool:
    """Of one connector in OCPI, of the EVSE in OICP."""
    found = [set(connector.get("capabilities") or ()) for connector in evse["connectors"]]
    if any(each and each != {PLUG_AND_CHARGE} for each in found) or (any(found) and not all(found)):
        notes.lose(f"{path}/connectors/0/capabilities")
    return any(each & set(PLUG_AND_CHARGE_ALL) for each in found)


def _services(capabilities: set[str], places: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        *(("Reservation",) if "RESERVABLE" in capabilities else ()),
        *(("ChargingPlans",) if "CHARGING_PROFILE_CAPABLE" in capabilities else ()),
        *(("RoofProvided",) if places and all(place.get("roofed") for place in places) else ()),
    ]


def _accessibility(evse: Mapping[str, Any], path: str, notes: Notes) -> str:
    restrictions = evse.get("parking_restrictions") or ()
    kept = ["CUSTOMERS"]
    if restrictions and list(restrictions) != kept:
        notes.lose(f"{path}/parking_restrictions/0")
    return "Restricted access" if RESTRICTED & set(restrictions) else "Free publicly accessible"


def _is_compatible(capabilities: set[str], notes: Notes) -> bool:
    if REMOTE in capabilities and _BY_CONNECTOR in capabilities:
        notes.warn("a session must name its connector, which OICP cannot: told as not to be started remotely")
        return False
    return REMOTE in capabilities


def read_capabilities(record: Mapping[str, Any], notes: Notes) -> list[str]:
    """Capabilities of an EVSE."""
    found: dict[str, None] = {}
    for name, table in (("AuthenticationModes", MODES_TO_OCPI), ("ValueAddedServices", SERVICES_TO_OCPI)):
        for at, word in enumerate(record.get(name) or ()):
            capability = table.get(word)
            if capability is not None:
                found[capability] = None
            elif word not in ("PnC", "None"):
                notes.lose(f"/{name}/{at}")
    if REMOTE in found and not record.get("IsHubjectCompatible", True):
        del found[REMOTE]
        notes.lose("/AuthenticationModes/0")
    elif REMOTE not in found and record.get("IsHubjectCompatible"):
        notes.lose("/IsHubjectCompatible")
    if "RFID_READER" in found and not set(record["AuthenticationModes"]) >= _CARDS:
        notes.lose("/AuthenticationModes/0")
    options = record.get("PaymentOptions") or ()
    notes.lose(*(f"/PaymentOptions/{at}" for at, option in enumerate(options) if option != "Contract"))
    return list(found)


def read_plug_and_charge(record: Mapping[str, Any]) -> list[str]:
    """Capabilities of its connectors."""
    return [PLUG_AND_CHARGE] if "PnC" in (record.get("AuthenticationModes") or ()) else []


def read_restrictions(record: Mapping[str, Any], notes: Notes) -> list[str]:
    """Parking restrictions of an EVSE."""
    access = record.get("Accessibility")
    if access not in (None, "Free publicly accessible", "Restricted access", _TEST):
        notes.lose("/Accessibility")
    return ["CUSTOMERS"] if access == "Restricted access" else []


def is_published(record: Mapping[str, Any], terms: Terms) -> bool:
    """Is it for drivers to see?"""
    access = record.get("Accessibility")
    return access != _TEST and (access != "Restricted access" or terms.publishes_restricted)
