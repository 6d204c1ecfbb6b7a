"""A location and its EVSEs as OICP has them: one EvseDataRecord an EVSE, with its location's fields in each.

What keeps an EVSE from being told: it is not to be published, not there yet or not any more, has no id that OICP can
write, no plug that OICP knows, or nobody gave a phone number for help. Each is a reason for people to read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from modules.locations.model import Location
from partners.oicp import ids
from partners.oicp.mapping.abilities import said_abilities
from partners.oicp.mapping.addresses import said_address
from partners.oicp.mapping.connectors import said_connectors
from partners.oicp.mapping.energy import said_energy
from partners.oicp.mapping.enums import ACCESSIBILITY_LOCATIONS, STATUS_TO_OICP
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.hours import said_hours
from partners.oicp.mapping.points import Point
from partners.oicp.mapping.strangers import strangers
from partners.oicp.mapping.terms import Mapped, Notes, Terms
from partners.oicp.mapping.texts import said_phone, said_picture, said_texts
from partners.oicp.wire import write
from partners.oicp.wire.evse_data import EvseDataRecordType

ENTRANCE: Final = "Entrance"
"""What a related location is called that OICP knows as the entrance."""
_NAME: Final = 150
_COMPANY: Final = 100
_INDOORS: Final = frozenset({"PARKING_LOT", "PARKING_GARAGE", "UNDERGROUND_GARAGE"})
_NOT_OF_LOCATIONS: Final = ("publish_allowed_to", "owner", "facilities", "parking_places", "charging_when_closed")
_NOT_OF_EVSES: Final = ("status_schedule", "accepted_service_providers", "parking")
_NOT_OF_COMPANIES: Final = ("website", "logo")


@dataclass(frozen=True, slots=True)
class Records:
    """The EVSEs of a location, by their uid: what is told of them, and why others are not."""

    said: Mapping[str, Mapped[Tree]]
    unsaid: Mapping[str, str]


def records_of(location: Mapping[str, Any], terms: Terms) -> Records:
    """All EVSEs of a location in our form."""
    said: dict[str, Mapped[Tree]] = {}
    unsaid: dict[str, str] = {}
    for at, evse in enumerate(location.get("evses") or ()):
        try:
            said[evse["uid"]] = record_of(location, evse, terms, at=at)
        except NotSayable as refusal:
            unsaid[evse["uid"]] = refusal.reason
    return Records(said, unsaid)


def record_of(location: Mapping[str, Any], evse: Mapping[str, Any], terms: Terms, *, at: int = 0) -> Mapped[Tree]:
    """The EvseDataRecord of one EVSE, which stands `at` this index. Raises: NotSayable."""
    notes, path = Notes(), f"/evses/{at}"
    evse_id = _told_id(location, evse)
    phone = said_phone(location, terms, notes)
    if not phone:
        raise NotSayable("there is no phone number for help, which OICP asks for")
    plugs = said_connectors(evse, path, notes)
    if not plugs["Plugs"]:
        raise NotSayable("OICP has a word for none of its plugs")
    record: Tree = {
        "EvseID": evse_id,
        **_names(location, evse, path, terms, notes),
        "Address": {
            **said_address(location, evse, terms, notes),
            **_parking(location, evse),
        },
        **_points(location, evse, terms, notes),
        **plugs,
        **said_energy(location.get("energy_mix"), notes),
        "CalibrationLawDataAvailability": terms.calibration_law,
        **said_abilities(evse, _places(location, evse), path, terms, notes),
        "AccessibilityLocation": _indoors(location, notes),
        "HotlinePhoneNumber": phone,
        "AdditionalInfo": said_texts(location.get("directions") or (), "/directions", notes) or None,
        "ChargingStationLocationReference": said_texts(evse.get("directions") or (), f"{path}/directions", notes)
        or None,
        **said_hours(location.get("opening_times"), notes),
        "DynamicInfoAvailable": terms.dynamic_info,
    }
    _lose_the_rest(location, evse, path, notes)
    return notes.mapped(write(EvseDataRecordType, record))


def operator_of(location: Mapping[str, Any], terms: Terms) -> Tree:
    """OperatorID and OperatorName of a location, as they stand around or beside its records."""
    party = Party.of(location["country_code"], location["party_id"])
    operator = ids.OperatorID.of(party, terms.operator_style)
    name = (location.get("operator") or {}).get("name") or terms.operator_name or str(party)
    return {"OperatorID": operator.styled(terms.operator_style), "OperatorName": name[:_COMPANY]}


def _told_id(location: Mapping[str, Any], evse: Mapping[str, Any]) -> str:
    if not location["publish"]:
        raise NotSayable("the location is not to be published")
    if STATUS_TO_OICP[evse["status"]] is None:
        raise NotSayable(f"the EVSE is {evse['status']}")
    if not evse.get("evse_id"):
        raise NotSayable("the EVSE has no evse_id")
    try:
        return ids.written(evse["evse_id"])
    except ids.InvalidId:
        raise NotSayable("its evse_id is none that OICP can write") from None


def _names(location: Mapping[str, Any], evse: Mapping[str, Any], path: str, terms: Terms, notes: Notes) -> Tree:
    texts = (location.get("name", ""), location["address"], evse["evse_id"])
    name = next(text for text in texts if text.strip())
    station = evse.get("physical_reference")
    if station and station == evse["evse_id"]:
        notes.lose(f"{path}/physical_reference")
    suboperator = (location.get("suboperator") or {}).get("name", "")
    return {
        "ChargingPoolID": _pool_id(location, notes),
        "ChargingStationID": station,
        "ChargingStationNames": [{"lang": terms.language, "value": notes.cut(name, _NAME, "/name")}],
        "ChargingStationImage": said_picture(location, evse, path, notes) or None,
        "SubOperatorName": notes.cut(suboperator, _COMPANY, "/suboperator/name") or None,
    }


def _pool_id(location: Mapping[str, Any], notes: Notes) -> str:
    """The location's id where it is one of a pool, else one that is made of it."""
    pool = ids.pool_of(location["id"], ids.OperatorID.of(Party.of(location["country_code"], location["party_id"])))
    if ids.fitting(ids.canonical_pool(pool)) != location["id"]:
        notes.lose("/id")
    return pool


def _points(location: Mapping[str, Any], evse: Mapping[str, Any], terms: Terms, notes: Notes) -> Tree:
    own = evse.get("coordinates")
    point = Point.of(own or location["coordinates"])
    if own or point.tree() != location["coordinates"]:
        notes.lose("/coordinates")
    if own and point.tree() != own:
        notes.lose("/evses/0/coordinates")
    tree = {"GeoCoordinates": point.said(terms.geo_format)}
    for at, related in enumerate(location.get("related_locations") or ()):
        is_entrance = (related.get("name") or {}).get("text", "").strip().lower() == ENTRANCE.lower()
        if not is_entrance or "GeoChargingPointEntrance" in tree:
            notes.lose(f"/related_locations/{at}")
            continue
        entrance = Point.of(related)
        tree["GeoChargingPointEntrance"] = entrance.said(terms.geo_format)
        if related != {**entrance.tree(), "name": {"language": "en", "text": ENTRANCE}}:
            notes.lose(f"/related_locations/{at}")
    return tree


def _places(location: Mapping[str, Any], evse: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    wanted = {parking["parking_id"] for parking in evse.get("parking") or ()}
    return [place for place in location.get("parking_places") or () if place["id"] in wanted]


def _parking(location: Mapping[str, Any], evse: Mapping[str, Any]) -> Tree:
    spots = [str(place.get("physical_reference") or "") for place in _places(location, evse)]
    spot = spots[0] if len(spots) == 1 and 0 < len(spots[0]) <= 5 else ""
    return {
        **({"ParkingFacility": True} if location.get("parking_type") in _INDOORS else {}),
        **({"ParkingSpot": spot} if spot else {}),
    }


def _indoors(location: Mapping[str, Any], notes: Notes) -> str | None:
    kind = location.get("parking_type")
    if kind is None:
        return None
    said = ACCESSIBILITY_LOCATIONS.get(kind)
    if said is None or kind == "ALONG_MOTORWAY":
        notes.lose("/parking_type")
    return said


def _lose_the_rest(location: Mapping[str, Any], evse: Mapping[str, Any], path: str, notes: Notes) -> None:
    notes.lose_all(location, _NOT_OF_LOCATIONS)
    notes.lose_all(evse, _NOT_OF_EVSES, path)
    told = {**location, "evses": [evse]}
    notes.lose_blanks(told)
    notes.lose(*strangers(Location, told))
    for name in ("operator", "suboperator"):
        notes.lose_all(location.get(name) or {}, _NOT_OF_COMPANIES, f"/{name}")
    if (location.get("opening_times") or {}).get("exceptional_closings"):
        notes.warn("closings out of the ordinary are not told")
