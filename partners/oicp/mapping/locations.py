"""EvseDataRecords as locations of OCPI: those of one pool, or else of one operator at one place, are one location.

What is the same for all EVSEs of a location is taken from the first, by its id, that can be told at all. A station's id
groups nothing: operators put that of the EVSE there. Ids are made of what identifies the thing in OICP, so the same
records always give the same location; the ids of connectors are kept from the location that was known before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from partners.oicp import ids
from partners.oicp.mapping import times
from partners.oicp.mapping.abilities import (
    is_published,
    read_capabilities,
    read_plug_and_charge,
    read_restrictions,
)
from partners.oicp.mapping.addresses import read_address
from partners.oicp.mapping.connectors import read_connectors
from partners.oicp.mapping.energy import read_energy
from partners.oicp.mapping.enums import PARKING_TYPES
from partners.oicp.mapping.evse_data import ENTRANCE
from partners.oicp.mapping.evse_status import read_status
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.hours import read_hours
from partners.oicp.mapping.points import Point, point_of
from partners.oicp.mapping.terms import Mapped, Notes, Terms
from partners.oicp.mapping.texts import name_of, read_picture, read_texts
from partners.oicp.wire.evse_data import PulledEvseDataRecordType
from partners.oicp.wire.message import strangers

Record = Mapping[str, Any]

_PHONE: Final = 25
_FLOOR: Final = 4
_PHYSICAL: Final = 16
_PICTURE: Final = 255
_DIGEST: Final = 20
_NOT_OF_OCPI: Final = (
    *("HardwareManufacturer", "DynamicPowerLevel", "CalibrationLawDataAvailability", "MaxCapacity"),
    *("HubOperatorID", "ClearinghouseID", "DynamicInfoAvailable"),
)
_OF_THE_PLACE: Final = (
    *("ChargingStationNames", "Address", "AdditionalInfo", "RenewableEnergy", "EnergySource", "EnvironmentalImpact"),
    *("HotlinePhoneNumber", "IsOpen24Hours", "OpeningTimes", "AccessibilityLocation", "GeoChargingPointEntrance"),
    *("OperatorName", "SubOperatorName"),
)
"""What a location has once, and every record for itself."""

_NO_PLUG: Final = "it has no plug that OCPI has a word for"


@dataclass(frozen=True, slots=True)
class Groups:
    """Records by the location they are of (`DE*ABC/DEABCP1`), and those of no location, with the reason."""

    by_location: Mapping[str, Sequence[Record]]
    unsayable: Mapping[str, str]


def grouped(records: Iterable[Record], terms: Terms) -> Groups:
    """Each record is on its own: one that cannot be told keeps no other from it."""
    found: dict[str, list[Record]] = {}
    unsayable: dict[str, str] = {}
    for record in records:
        try:
            found.setdefault(location_key(record, terms), []).append(record)
        except NotSayable as refusal:
            unsayable[record["EvseID"]] = refusal.reason
    return Groups(found, unsayable)


def unsayable(record: Record, terms: Terms) -> str:
    """Why an EVSE stands at no location of OCPI; "": it does."""
    try:
        location_key(record, terms)
    except NotSayable as refusal:
        return refusal.reason
    return "" if read_connectors(record, (), Notes()) else _NO_PLUG


def location_key(record: Record, terms: Terms) -> str:
    """The key of the location that a record is of. Raises: NotSayable, for a record that tells no place."""
    _point(record)
    return f"{_party(record, terms)}/{_location_id(record, terms)}"


def location_of(
    records: Sequence[Record],
    terms: Terms,
    *,
    received: str,
    statuses: Mapping[str, str] | None = None,
    known: Mapping[str, Any] | None = None,
) -> Mapped[Tree]:
    """The Location of the records of one group, by `grouped`.

    `received`: when they came, for records that do not tell when they changed. `statuses`: by canonical EvseID, in
    OICP's words. `known`: the location as it was before; its EVSEs that are not among `records` are not in the result.
    Raises: NotSayable, when none of them can be told.
    """
    notes = Notes()
    evses: list[tuple[Record, Tree]] = []
    reasons: list[str] = []
    before = {evse["uid"]: evse for evse in (known or {}).get("evses") or ()}
    for record in _by_id(records, notes):
        try:
            evses.append((record, _evse(record, terms, received, statuses or {}, before, notes)))
        except NotSayable as refusal:
            reasons.append(refusal.reason)
            notes.warn(f"an EVSE is left out: {refusal.reason}")
    if not evses:
        raise NotSayable(reasons[0] if reasons else "there is no record")
    place = _place(evses[0][0], terms, notes)
    _compare([record for record, _ in evses], notes)
    told = [_at_place(evse, place) for _, evse in evses]
    changed = max(evse["last_updated"] for evse in told)
    return notes.mapped({**place, "evses": told, "last_updated": changed})


def _by_id(records: Sequence[Record], notes: Notes) -> list[Record]:
    """In the order of their ids; of two records of one EVSE the later."""
    found = {ids.EvseID.parse(record["EvseID"]).canonical: record for record in records}
    if len(found) < len(records):
        notes.warn("an EVSE is told twice: the later record counts")
    return [found[evse_id] for evse_id in sorted(found)]


def _party(record: Record, terms: Terms) -> Party:
    """Who operates it: the record's own id tells; what stands around it may be a hub."""
    try:
        return ids.EvseID.parse(record["EvseID"]).operator.party(terms.countries)
    except ids.InvalidId as fault:
        raise NotSayable(fault.message) from None


def _location_id(record: Record, terms: Terms) -> str:
    pool = record.get("ChargingPoolID")
    if pool:
        return ids.fitting(ids.canonical_pool(pool))
    point = _point(record)
    address = {name: str(value).casefold() for name, value in (record.get("Address") or {}).items()}
    words = [address.get(name, "") for name in ("Country", "City", "PostalCode", "Street", "HouseNum")]
    spot = "|".join([f"{point.latitude:.4f}", f"{point.longitude:.4f}", *words])
    digest = hashlib.sha256(spot.encode()).hexdigest()[:_DIGEST].upper()
    return f"{ids.EvseID.parse(record['EvseID']).operator.canonical.strip('+').replace('*', '')}-{digest}"


def _point(record: Record) -> Point:
    point = point_of(record.get("GeoCoordinates"))
    if point is None:
        raise NotSayable("its coordinates are no place on earth")
    return point


def _place(record: Record, terms: Terms, notes: Notes) -> Tree:
    """The fields of a Location, without its EVSEs."""
    party = _party(record, terms)
    operator, suboperator = record.get("OperatorName"), record.get("SubOperatorName")
    kind = PARKING_TYPES.get(record.get("AccessibilityLocation", ""))
    if kind is None:
        notes.lose_all(record, ("AccessibilityLocation",))
    tree: Tree = {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "id": _location_id(record, terms),
        "publish": is_published(record, terms),
        "name": name_of(record.get("ChargingStationNames") or (), terms, notes) or None,
        **read_address(record, _point(record), terms, notes),
        "coordinates": _point(record).tree(),
        "related_locations": _entrance(record, notes),
        "parking_type": kind,
        "directions": read_texts(record.get("AdditionalInfo") or (), "/AdditionalInfo", terms, notes),
        "operator": {"name": operator} if operator else None,
        "suboperator": {"name": suboperator} if suboperator else None,
        "opening_times": read_hours(record, notes),
        "energy_mix": read_energy(record, notes),
        "help_phone": record.get("HotlinePhoneNumber"),
    }
    return {name: value for name, value in tree.items() if value not in (None, [])}


def _entrance(record: Record, notes: Notes) -> list[Tree]:
    point = point_of(record.get("GeoChargingPointEntrance"))
    if point is None:
        notes.lose_all(record, ("GeoChargingPointEntrance",))
        return []
    return [{**point.tree(), "name": {"language": "en", "text": ENTRANCE}}]


def _evse(
    record: Record,
    terms: Terms,
    received: str,
    statuses: Mapping[str, str],
    before: Mapping[str, Mapping[str, Any]],
    notes: Notes,
) -> Tree:
    evse_id = ids.EvseID.parse(record["EvseID"])
    changed = times.to_ocpi(record["lastUpdate"]) if record.get("lastUpdate") else received
    known = (before.get(evse_id.uid) or {}).get("connectors") or ()
    connectors = read_connectors(record, known, notes)
    if not connectors:
        raise NotSayable(_NO_PLUG)
    plug_and_charge = read_plug_and_charge(record)
    tree: Tree = {
        "uid": evse_id.uid,
        "evse_id": record["EvseID"],
        "status": read_status(record, statuses.get(evse_id.canonical), terms),
        "capabilities": read_capabilities(record, notes),
        "connectors": [_connector(each, plug_and_charge, changed) for each in connectors],
        **_spot(record, terms, notes),
        "coordinates": _point(record).tree(),
        "parking_restrictions": read_restrictions(record, notes),
        "last_updated": changed,
    }
    notes.lose_all(record, _NOT_OF_OCPI)
    notes.lose(*strangers(PulledEvseDataRecordType, record))
    return {name: value for name, value in tree.items() if value not in (None, [])}


def _connector(connector: Tree, capabilities: Sequence[str], changed: str) -> Tree:
    own = {"capabilities": list(capabilities)} if capabilities else {}
    return {**connector, **own, "last_updated": changed}


def _spot(record: Record, terms: Terms, notes: Notes) -> Tree:
    """Where in its location an EVSE is."""
    path, picture = "/ChargingStationLocationReference", record.get("ChargingStationImage", "")
    directions = read_texts(record.get("ChargingStationLocationReference") or (), path, terms, notes)
    floor = str((record.get("Address") or {}).get("Floor", ""))
    if len(floor) > _FLOOR:
        directions.append({"language": terms.language, "text": floor})
        notes.lose("/Address/Floor", warn="a floor is told in the directions: its name is too long")
    if len(picture) > _PICTURE:
        notes.lose("/ChargingStationImage")
    return {
        "floor_level": floor if 0 < len(floor) <= _FLOOR else None,
        "physical_reference": _station(record, notes),
        "directions": directions,
        "images": [read_picture(picture)] if 0 < len(picture) <= _PICTURE else [],
    }


def _station(record: Record, notes: Notes) -> str | None:
    station = record.get("ChargingStationID") or ""
    if not station or len(station) > _PHYSICAL or station == record["EvseID"]:
        notes.lose_all(record, ("ChargingStationID",))
        return None
    return str(station)


def _at_place(evse: Tree, place: Tree) -> Tree:
    """Without the coordinates, where they are the location's."""
    if evse["coordinates"] != place["coordinates"]:
        return evse
    return {name: value for name, value in evse.items() if name != "coordinates"}


def _compare(records: Sequence[Record], notes: Notes) -> None:
    """What the records of one location tell differently is lost of all but the first."""
    for name in _OF_THE_PLACE:
        if any(record.get(name) != records[0].get(name) for record in records):
            notes.lose(f"/{name}", warn=f"{name} is not the same for all EVSEs of a location: the first counts")
