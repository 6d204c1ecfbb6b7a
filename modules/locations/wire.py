"""What the locations of 2.1.1 and 2.2.1 do not have (mod_locations)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from hub.core.dialect import ABSENT, Convert, Dialect, Dialects, NotExpressible, Only, Trip, What, wires
from hub.core.dialect.shared import SHARED
from hub.core.dialect.zones import zone_near
from hub.core.jsontypes import Tree
from hub.core.types.markers import exact
from modules.locations.model import (
    CONNECTOR_TYPES_211,
    CONNECTOR_TYPES_221,
    AdditionalGeoLocation,
    Connector,
    EnvironmentalImpact,
    GeoLocation,
    Hours,
    Location,
    PublishTokenType,
)
from modules.locations.model import EVSE as OUR_EVSE

_PLACE_211 = Annotated[str, exact(39, least=1)]
_ID_211 = Annotated[str, exact(36, least=1)]

NOT_AVAILABLE: Final = "#NA"
"""Stands in a required field for which there is no value (mod_cdrs_cdr_location_class)."""

_CAPABILITIES_211: Final = (
    *("CHARGING_PROFILE_CAPABLE", "CREDIT_CARD_PAYABLE", "REMOTE_START_STOP_CAPABLE"),
    *("RESERVABLE", "RFID_READER", "UNLOCK_CAPABLE"),
)
_CAPABILITIES_221: Final = (
    *_CAPABILITIES_211,
    *("CHARGING_PREFERENCES_CAPABLE", "CHIP_CARD_SUPPORT", "CONTACTLESS_CARD_SUPPORT", "DEBIT_CARD_PAYABLE"),
    *("PED_TERMINAL", "START_SESSION_CONNECTOR_REQUIRED", "TOKEN_GROUP_CAPABLE"),
)
_FACILITIES_211: Final = (
    *("HOTEL", "RESTAURANT", "CAFE", "MALL", "SUPERMARKET", "SPORT", "RECREATION_AREA", "NATURE", "MUSEUM"),
    *("BUS_STOP", "TAXI_STAND", "TRAIN_STATION", "AIRPORT", "CARPOOL_PARKING", "FUEL_STATION", "WIFI"),
)
_FACILITIES_221: Final = (*_FACILITIES_211, "BIKE_SHARING", "TRAM_STOP", "METRO_STATION", "PARKING_LOT")
_PARKING_TYPES_221: Final = (
    *("ALONG_MOTORWAY", "PARKING_GARAGE", "PARKING_LOT", "ON_DRIVEWAY", "ON_STREET", "UNDERGROUND_GARAGE"),
)
_LOCATION_TYPES: Final = Only(
    ("ON_STREET", "PARKING_GARAGE", "UNDERGROUND_GARAGE", "PARKING_LOT", "OTHER", "UNKNOWN"),
    otherwise="OTHER",
    back={"UNKNOWN": None},
    called="LocationType",
)
# A restriction that the version has no word for must not turn into no restriction at all.
_RESTRICTIONS: Final = Only(("EV_ONLY", "PLUGGED", "DISABLED", "CUSTOMERS", "MOTORCYCLES"), otherwise="CUSTOMERS")
_IMPACTS: Final = Only(("NUCLEAR_WASTE", "CARBON_DIOXIDE"))
POWER_TYPES_211: Final = Only(
    ("AC_1_PHASE", "AC_3_PHASE", "DC"), turns={"AC_2_PHASE": "AC_1_PHASE", "AC_2_PHASE_SPLIT": "AC_1_PHASE"}
)


def _six_decimals(value: Any, path: str, trip: Trip) -> Any:
    number = Decimal(value)
    text = f"{number:.6f}"
    if Decimal(text) != number:
        trip.lose(path, "rounded to 6 decimals")
    return text


def _unless_na(value: Any, path: str, trip: Trip) -> Any:
    if value != NOT_AVAILABLE:
        return value
    return None if trip.part else ABSENT


def _one_tariff(value: Any, path: str, trip: Trip) -> Any:
    """2.1.1 names one tariff: the first that can be said there, else the first that is not on record.

    `sendable_tariffs` has True by the id (in capitals) of the former, False by the others that are on record.
    """
    known = trip.given.get("sendable_tariffs") or {}
    sendable = [tariff_id for tariff_id in value if known.get(tariff_id.upper())]
    unknown = [tariff_id for tariff_id in value if tariff_id.upper() not in known]
    named = [*sendable, *unknown][:1]
    for at, tariff_id in enumerate(value):
        if tariff_id not in named:
            trip.lose(f"{path}/{at}", "OCPI 2.1.1 names one tariff for a connector")
    if named:
        return named[0]
    if trip.part:
        raise NotExpressible("a PATCH cannot remove tariff_id")
    return ABSENT


def _tariff_list(value: Any, path: str, trip: Trip) -> Any:
    return [value]


def _without_profiles(value: Any, path: str, trip: Trip) -> Any:
    """2.1.1 has the capability, but not the module."""
    rest = [capability for capability in value if capability != "CHARGING_PROFILE_CAPABLE"]
    if len(rest) < len(value):
        trip.lose(path, "OCPI 2.1.1 has no charging profiles")
    return rest if rest or trip.part else ABSENT


def _evse_down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    """A 2.1.1 eMSP cannot name a connector, so where one must be named it cannot start a session."""
    if "START_SESSION_CONNECTOR_REQUIRED" not in (ours.get("capabilities") or ()):
        return
    capabilities = theirs.get("capabilities") or []
    if "REMOTE_START_STOP_CAPABLE" in capabilities:
        trip.lose(f"{path}/capabilities", "without connector_id no session can be started from OCPI 2.1.1")
        theirs["capabilities"] = [value for value in capabilities if value != "REMOTE_START_STOP_CAPABLE"]
        if not theirs["capabilities"] and not trip.part:
            del theirs["capabilities"]


def _hours_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    if "twentyfourseven" not in ours:
        if not ours.get("regular_hours"):
            raise NotExpressible("opening times need regular_hours or twentyfourseven")
        ours["twentyfourseven"] = False


def _location_up(theirs: Mapping[str, Any], ours: Tree, path: str, trip: Trip) -> None:
    """2.1.1 may leave the time zone out; tariffs cannot do without."""
    if not trip.part and "time_zone" not in ours:
        point = ours["coordinates"]
        near = zone_near(ours["country"], Decimal(point["latitude"]), Decimal(point["longitude"]))
        ours["time_zone"] = trip.given.get("time_zone") or near
        trip.lose(f"{path}/time_zone", "not given: taken from where the location is")


def _location_down(ours: Mapping[str, Any], theirs: Tree, path: str, trip: Trip) -> None:
    if ours.get("publish") is False:
        raise NotExpressible("OCPI 2.1.1 cannot say that a location is not to be published")


_SIX = {"latitude": Convert(down=_six_decimals), "longitude": Convert(down=_six_decimals)}

DIALECTS: Final[Dialects] = {
    **SHARED,
    Location: {
        "2.1.1": Dialect(
            rename={"parking_type": "type"},
            supply=frozenset({"country_code", "party_id"}),
            by_hand=frozenset({"publish"}),
            drop=frozenset({"publish_allowed_to", "state", "parking_places", "help_phone"}),
            fill={"publish": True},
            blank={"parking_type": "UNKNOWN", "postal_code": NOT_AVAILABLE},
            required=frozenset({"parking_type", "postal_code"}),
            optional=frozenset({"time_zone"}),
            types={"id": _PLACE_211},
            ids={"id": "location_id"},
            lengths={"address": 45},
            values={"parking_type": _LOCATION_TYPES, "facilities": Only(_FACILITIES_211)},
            convert={"postal_code": Convert(up=_unless_na)},
            up=_location_up,
            down=_location_down,
            told_down={"publish": (What.WITHHELD, "a location that is not to be published is not sent")},
            told_up={"time_zone": (What.REWRITTEN, "where it is left out, it is found by the coordinates")},
        ),
        "2.2.1": Dialect(
            drop=frozenset({"parking_places", "help_phone"}),
            values={"parking_type": Only(_PARKING_TYPES_221), "facilities": Only(_FACILITIES_221)},
        ),
    },
    OUR_EVSE: {
        "2.1.1": Dialect(
            drop=frozenset({"parking", "accepted_service_providers"}),
            types={"uid": _PLACE_211, "evse_id": Annotated[str, exact(48)] | None},
            ids={"uid": "evse_uid"},
            values={"capabilities": Only(_CAPABILITIES_211), "parking_restrictions": _RESTRICTIONS},
            convert={"capabilities": Convert(up=_without_profiles)},
            down=_evse_down,
            told_down={
                "capabilities/*": (What.LOST, "REMOTE_START_STOP_CAPABLE too, where a session must name its connector")
            },
            told_up={
                "capabilities": (What.REWRITTEN, "without CHARGING_PROFILE_CAPABLE: OCPI 2.1.1 has no such module")
            },
        ),
        "2.2.1": Dialect(
            drop=frozenset({"parking", "accepted_service_providers"}),
            values={"capabilities": Only(_CAPABILITIES_221), "parking_restrictions": _RESTRICTIONS},
        ),
    },
    Connector: {
        "2.1.1": Dialect(
            rename={"max_voltage": "voltage", "max_amperage": "amperage", "tariff_ids": "tariff_id"},
            drop=frozenset({"max_electric_power", "capabilities"}),
            types={"id": _ID_211, "tariff_ids": Annotated[str, exact(36)] | None},
            ids={"id": "connector_id"},
            refers={"tariff_id": "tariff_id"},
            values={"standard": Only(CONNECTOR_TYPES_211), "power_type": POWER_TYPES_211},
            convert={"tariff_ids": Convert(up=_tariff_list, down=_one_tariff)},
        ),
        "2.2.1": Dialect(drop=frozenset({"capabilities"}), values={"standard": Only(CONNECTOR_TYPES_221)}),
    },
    GeoLocation: {"2.1.1": Dialect(convert=_SIX)},
    AdditionalGeoLocation: {"2.1.1": Dialect(convert=_SIX)},
    Hours: {
        "2.1.1": Dialect(
            optional=frozenset({"twentyfourseven"}),
            up=_hours_up,
            told_up={"twentyfourseven": (What.WITHHELD, "opening times without it and regular_hours say nothing")},
        )
    },
    EnvironmentalImpact: {
        "2.1.1": Dialect(rename={"category": "source"}, also={"source": "category"}, values={"category": _IMPACTS}),
        "2.2.1": Dialect(values={"category": _IMPACTS}),
    },
    # A token type that the version has not would let others see the location: the whole entry goes.
    PublishTokenType: {
        "2.2.1": Dialect(
            values={"type": Only(("AD_HOC_USER", "APP_USER", "OTHER", "RFID"))}, essential=frozenset({"type"})
        ),
    },
}

LOCATION: Final = wires(Location, DIALECTS)
EVSE: Final = wires(OUR_EVSE, DIALECTS)
CONNECTOR: Final = wires(Connector, DIALECTS)


def near_standard(power_type: str) -> str:
    """The plug that is told for one that the version has no word for, where nobody drives there because of it."""
    return "IEC_62196_T2_COMBO" if power_type == "DC" else "IEC_62196_T2"


def embedded(location: Mapping[str, Any], evse_uid: str, connector_id: str, path: str, trip: Trip) -> Tree:
    """`location` (our form) as 2.1.1 has it, cut down to one EVSE and connector.

    A session may be at a place that is not published. Raises: NotExpressible, when the place has no such connector.
    """
    evse = find(location.get("evses") or (), "uid", evse_uid)
    connector = find(evse.get("connectors") or (), "id", connector_id)
    if connector["standard"] not in CONNECTOR_TYPES_211:
        near = near_standard(connector["power_type"])
        trip.lose(f"{path}/connector_id", f"{connector['standard']} is sent as {near}")
        connector = {**connector, "standard": near}
    place = {**location, "publish": True, "evses": [{**evse, "connectors": [connector]}]}
    return LOCATION["2.1.1"].write(place, context=trip.given)[0]


def find(items: Any, name: str, value: str) -> Mapping[str, Any]:
    """The item that calls itself `value`. Raises: NotExpressible, when there is none."""
    for item in items:
        if str(item[name]).lower() == value.lower():
            found: Mapping[str, Any] = item
            return found
    raise NotExpressible(f"OCPI 2.1.1 wants the whole location, and it has no {name} as here")


_NO_CONNECTOR: Final[Mapping[str, Any]] = {"id": NOT_AVAILABLE}
_NO_EVSE: Final[Mapping[str, Any]] = {"uid": NOT_AVAILABLE, "connectors": [_NO_CONNECTOR]}


def evse_and_connector(location: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The EVSE and the connector that an embedded location means; `#NA` where it has none."""
    evse: Mapping[str, Any] = (location.get("evses") or (_NO_EVSE,))[0]
    return evse, evse["connectors"][0]
