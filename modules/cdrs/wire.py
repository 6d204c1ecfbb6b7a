"""What the CDRs of 2.1.1 and 2.2.1 do not have (mod_cdrs). Totals are the CPO's: nothing is priced again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from hub.core.dialect import Dialect, Dialects, NotExpressible, Only, Trip, What, wires
from hub.core.dialect.shared import PRICE_AS_NUMBER
from hub.core.jsontypes import Tree
from hub.core.types import Number
from hub.core.types.markers import ci_string, exact
from modules.cdrs.model import CDR as OUR_CDR
from modules.cdrs.model import CdrDimension, CdrLocation, CdrToken, ChargingPeriod
from modules.locations.model import CONNECTOR_TYPES_211, CONNECTOR_TYPES_221, Location
from modules.locations.wire import LOCATION, NOT_AVAILABLE, evse_and_connector, near_standard
from modules.tariffs.wire import DIALECTS as TARIFF_DIALECTS
from modules.tokens.wire import TYPES_221

AUTH_METHODS_211: Final = Only(("AUTH_REQUEST", "WHITELIST"), turns={"COMMAND": "AUTH_REQUEST"})
CONTRACT_ONLY: Final = (What.REWRITTEN, "OCPI 2.1.1 names the contract only")
_NOTED: Final = (What.REWRITTEN, "OCPI 2.1.1 has no such field: noted in the remark")
_EMI3: Final = re.compile(r"([A-Za-z]{2})-?([A-Za-z0-9]{3})-?[A-Za-z0-9-]+", re.ASCII)
_REMARK_LIMIT: Final = 255
_ADDRESS: Final = frozenset({"id", "name", "address", "city", "postal_code", "country", "coordinates"})
_PLUG: Final = frozenset(
    {"evse_uid", "evse_id", *(f"connector_{part}" for part in ("id", "standard", "format", "power_type"))}
)


def token_of(auth_id: str, trip: Trip) -> Tree:
    """The token that a 2.1.1 `auth_id` means: `given["cdr_token"]` where the caller knows it, else what it says."""
    known = trip.given.get("cdr_token")
    if known is not None:
        return dict(known)
    contract = _EMI3.fullmatch(auth_id)
    country_code, party_id = (contract[1], contract[2]) if contract else ("ZZ", NOT_AVAILABLE)
    return {
        "country_code": country_code,
        "party_id": party_id,
        "uid": NOT_AVAILABLE,
        "type": "OTHER",
        "contract_id": auth_id,
    }


def auth_id_of(token: Mapping[str, Any], path: str, trip: Trip) -> str:
    trip.lose(f"{path}/cdr_token", "OCPI 2.1.1 names the contract only")
    contract_id: str = token["contract_id"]
    return contract_id


def _cdr_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    if "auth_id" in theirs:
        ours["cdr_token"] = token_of(theirs["auth_id"], trip)
    if "location" in theirs:
        ours["cdr_location"] = _place_up(theirs["location"], f"{path}/location", trip)


def _place_up(location: Mapping[str, Any], path: str, trip: Trip) -> Tree:
    evse, connector = evse_and_connector(location)
    place = {name: location[name] for name in _ADDRESS if name in location}
    if place["postal_code"] == NOT_AVAILABLE:
        del place["postal_code"]
    trip.lose(path, "a CDR keeps the address, the EVSE and the connector of its location")
    return {
        **place,
        "evse_uid": evse["uid"],
        "evse_id": evse.get("evse_id", NOT_AVAILABLE),
        "connector_id": connector["id"],
        "connector_standard": connector.get("standard", "IEC_62196_T2"),
        "connector_format": connector.get("format", "SOCKET"),
        "connector_power_type": connector.get("power_type", "AC_3_PHASE"),
    }


def _cdr_down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    if ours.get("credit"):
        raise NotExpressible("OCPI 2.1.1 has no credit CDRs")
    if "cdr_token" in ours:
        theirs["auth_id"] = auth_id_of(ours["cdr_token"], path, trip)
    for at, tariff in enumerate(ours.get("tariffs", ())):
        if any(tariff[name] != ours[name] for name in ("country_code", "party_id")):
            trip.lose(f"{path}/tariffs/{at}", "its party is taken to be that of the CDR")
    if "cdr_location" in ours:
        theirs["location"] = _place_down(ours, f"{path}/cdr_location", trip)
    for name in ("credit", "credit_reference_id"):
        if name in ours:
            trip.lose(f"{path}/{name}", "OCPI 2.1.1 has no credit CDRs")
    _remark_down(ours, theirs, path, trip)


def _place_down(cdr: Mapping[str, Any], path: str, trip: Trip) -> Tree:
    """A 2.1.1 location with one EVSE and one connector; volts and amperes from the stored one, else 0."""
    place, now = cdr["cdr_location"], cdr.get("last_updated")
    stored = _stored_connector(trip.given.get("location"), place)
    standard = place["connector_standard"]
    if standard not in CONNECTOR_TYPES_211:
        standard = near_standard(place["connector_power_type"])
        trip.lose(f"{path}/connector_standard", f"{place['connector_standard']} is sent as {standard}")
    connector = {
        "id": place["connector_id"],
        "standard": standard,
        "format": place["connector_format"],
        "power_type": place["connector_power_type"],
        "max_voltage": stored.get("max_voltage", 0),
        "max_amperage": stored.get("max_amperage", 0),
        "last_updated": now,
    }
    evse = {"uid": place["evse_uid"], "status": "UNKNOWN", "connectors": [connector], "last_updated": now}
    if place["evse_id"] != NOT_AVAILABLE:
        evse["evse_id"] = place["evse_id"]
    address = {name: place[name] for name in _ADDRESS if name in place}
    for name in place.keys() - _ADDRESS - _PLUG:
        trip.lose(f"{path}/{name}", "OCPI 2.1.1 has no place for it in a CDR")
    whole = {**address, "publish": True, "evses": [evse], "last_updated": now}
    written, losses = LOCATION["2.1.1"].write(whole)
    for pointer, reason in losses:
        trip.lose(_in_place(path, pointer), reason)
    return written


def _in_place(path: str, pointer: str) -> str:
    if not pointer.startswith("/evses/0"):
        return path + pointer
    return f"{path}/connector_power_type" if pointer.endswith("power_type") else f"{path}/evse_id"


def _stored_connector(location: Mapping[str, Any] | None, place: Mapping[str, Any]) -> Mapping[str, Any]:
    for evse in (location or {}).get("evses") or ():
        if evse["uid"].lower() == place["evse_uid"].lower():
            for connector in evse["connectors"]:
                if connector["id"].lower() == place["connector_id"].lower():
                    found: Mapping[str, Any] = connector
                    return found
    return {}


def _remark_down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    """What 2.1.1 has no field for and a bookkeeper looks for goes into the remark, where there is room."""
    notes = []
    if "invoice_reference_id" in ours:
        notes.append(f"inv={ours['invoice_reference_id']}")
        trip.lose(f"{path}/invoice_reference_id", "OCPI 2.1.1 has no such field: noted in the remark")
    if ours.get("home_charging_compensation"):
        notes.append("home=1")
    if "home_charging_compensation" in ours:
        trip.lose(f"{path}/home_charging_compensation", "OCPI 2.1.1 has no such field: noted in the remark")
    text = " ".join([theirs["remark"], *notes] if "remark" in theirs else notes)
    if notes and len(text) <= _REMARK_LIMIT:
        theirs["remark"] = text
        trip.lose(f"{path}/remark", "holds " + ", ".join(note.split("=")[0] for note in notes))


def _standard_221(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    if ours["connector_standard"] not in CONNECTOR_TYPES_221:
        theirs["connector_standard"] = near_standard(ours["connector_power_type"])


_COSTS: Final = ("fixed_cost", "energy_cost", "time_cost", "parking_cost", "reservation_cost")
_DIMENSIONS_211: Final = ("ENERGY", "FLAT", "MAX_CURRENT", "MIN_CURRENT", "PARKING_TIME", "TIME")
_DIMENSIONS_221: Final = (
    *("CURRENT", "ENERGY", "ENERGY_EXPORT", "ENERGY_IMPORT", "MAX_CURRENT", "MIN_CURRENT", "MAX_POWER", "MIN_POWER"),
    *("PARKING_TIME", "POWER", "RESERVATION_TIME", "STATE_OF_CHARGE", "TIME"),
)
# Nothing billable was in a period whose dimensions the version lacks, so its stand-in bills nothing either.
_NOTHING: Final = [{"type": "TIME", "volume": 0}]

DIALECTS: Final[Dialects] = {
    **TARIFF_DIALECTS,
    OUR_CDR: {
        "2.1.1": Dialect(
            rename={"end_date_time": "stop_date_time"},
            supply=frozenset({"country_code", "party_id"}),
            drop=frozenset(
                {
                    "session_id",
                    "authorization_reference",
                    "booking_id",
                    "signed_data",
                    *(f"total_{cost}" for cost in _COSTS),
                }
            ),
            by_hand=frozenset(
                {"cdr_token", "cdr_location", "credit", "credit_reference_id", "invoice_reference_id"}
                | {"home_charging_compensation"}
            ),
            add={"auth_id": Annotated[str, exact(36, least=1)], "location": Location},
            types={"id": Annotated[str, ci_string(36, least=1)], "total_cost": Number},
            copies=frozenset({"location", "tariffs"}),
            values={"auth_method": AUTH_METHODS_211},
            convert={"total_cost": PRICE_AS_NUMBER},
            up=_cdr_up,
            down=_cdr_down,
            told_down={
                "cdr_token": CONTRACT_ONLY,
                "cdr_location": (What.REWRITTEN, "sent as a location of one EVSE with one connector"),
                "tariffs": (What.REWRITTEN, "their party is taken to be that of the CDR"),
                "credit": (What.WITHHELD, "OCPI 2.1.1 has no credit CDRs"),
                "credit_reference_id": (What.LOST, "OCPI 2.1.1 has no credit CDRs"),
                "invoice_reference_id": _NOTED,
                "home_charging_compensation": _NOTED,
                "remark": (What.REWRITTEN, "holds what is noted there, where there is room"),
            },
            told_up={"location": (What.REWRITTEN, "a CDR keeps its address, EVSE and connector")},
        ),
        "2.2.1": Dialect(drop=frozenset({"booking_id"})),
    },
    ChargingPeriod: {
        "2.1.1": Dialect(drop=frozenset({"tariff_id"}), spare={"dimensions": _NOTHING}),
        "2.2.1": Dialect(spare={"dimensions": _NOTHING}),
    },
    CdrDimension: {
        "2.1.1": Dialect(values={"type": Only(_DIMENSIONS_211, back={"FLAT": None})}),
        "2.2.1": Dialect(values={"type": Only(_DIMENSIONS_221)}),
    },
    CdrToken: {"2.2.1": Dialect(values={"type": TYPES_221})},
    CdrLocation: {
        "2.2.1": Dialect(
            values={"connector_standard": Only(CONNECTOR_TYPES_221, otherwise="IEC_62196_T2")},
            down=_standard_221,
            told_down={
                "connector_standard": (
                    What.TURNED,
                    "a newer plug is sent as IEC_62196_T2, with DC as IEC_62196_T2_COMBO",
                )
            },
        ),
    },
}

CDR: Final = wires(OUR_CDR, DIALECTS)
