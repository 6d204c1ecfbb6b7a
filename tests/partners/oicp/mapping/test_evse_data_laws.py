"""What holds of every location that becomes EvseDataRecords, and of every record that becomes a location."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.core.jsontypes import Tree
from modules.locations.wire import LOCATION
from partners.oicp.ids import EvseID
from partners.oicp.mapping.evse_data import records_of
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.locations import grouped, location_of
from partners.oicp.mapping.points import point_of
from partners.oicp.mapping.terms import Terms
from partners.oicp.wire import read
from partners.oicp.wire.evse_data import EvseDataRecordType, PulledEvseDataRecordType
from tests.partners.oicp.laws import BOUNDED, FEW
from tests.partners.oicp.mapping.ocpi import WHEN, locations
from tests.partners.oicp.mapping.oicp import records
from tests.partners.oicp.mapping.there_and_back import untold
from tests.partners.oicp.messages import ANYTHING, messages

TERMS = Terms(hotline="+49800123456")
RECORDS = st.one_of(messages(EvseDataRecordType), messages(PulledEvseDataRecordType))
OF_THEIR_OWN = ("/last_updated", "/evses/*/last_updated", "/evses/*/connectors/*/last_updated", "/evses/*/status")
"""Status and times are told apart from the record."""

OTHERWISE_WRITTEN = (
    *("/OperatorID", "/OperatorName", "/deltaType", "/lastUpdate", "/ChargingPoolID", "/GeoCoordinates"),
    *("/GeoChargingPointEntrance", "/OpeningTimes", "/Address/Street", "/Address/HouseNum", "/Address/City"),
    *("/Address/PostalCode", "/ValueAddedServices", "/ChargingFacilities"),
    "/ChargingStationLocationReference",
)
"""What stands beside a record that we make, or is said in other words."""


def evse_of(record: Tree) -> str:
    return EvseID.parse(record["EvseID"]).canonical


def in_order(location: Tree) -> Tree:
    """With what has no order sorted, and EVSEs told where they are."""
    hours = dict(location.get("opening_times") or {})
    if "regular_hours" in hours:
        hours["regular_hours"] = sorted(hours["regular_hours"], key=lambda each: sorted(map(str, each.items())))
    evses = [
        {
            "coordinates": {name: location["coordinates"][name] for name in ("latitude", "longitude")},
            **each,
            "capabilities": sorted(each.get("capabilities") or ()),
        }
        for each in location["evses"]
    ]
    mix = dict(location.get("energy_mix") or {})
    mix["environ_impact"] = sorted(mix.get("environ_impact") or (), key=lambda each: str(each["category"]))
    return {**location, "opening_times": hours, "energy_mix": mix, "evses": evses}


def as_sets(record: Tree) -> Tree:
    """With lists of words in order and without doubles."""
    return {name: sorted(set(value)) if _is_words(value) else value for name, value in record.items()}


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


@BOUNDED
@given(location=locations())
def test_every_field_of_a_location_comes_back_or_is_told_as_lost(location: Tree) -> None:
    records = records_of(location, TERMS)
    assert records.said.keys() | records.unsaid.keys() == {each["uid"] for each in location.get("evses") or ()}
    if not records.said:
        return
    trees = [mapped.value for mapped in records.said.values()]
    assert all(read(EvseDataRecordType, tree).findings == () for tree in trees)
    after = location_of([{**tree, "OperatorName": ""} for tree in trees], TERMS, received=WHEN).value
    operator = {"operator": location["operator"]} if "operator" in location else {}
    before = {**location, "evses": [each for each in location["evses"] if each["uid"] in records.said]}
    lost = {pointer for mapped in records.said.values() for pointer in mapped.lost}
    beside = [*OF_THEIR_OWN, "/operator/name"] if operator else OF_THEIR_OWN
    assert untold(in_order(before), in_order(after), lost, beside=beside) == []


@FEW
@given(told=st.lists(st.one_of(RECORDS, records()), max_size=4, unique_by=evse_of))
def test_records_of_any_sort_become_valid_locations_and_lose_no_other(told: list[Tree]) -> None:
    groups = grouped(told, TERMS)
    kept = [record for group in groups.by_location.values() for record in group]
    assert len(kept) + len(groups.unsayable) == len(told)
    for key, group in groups.by_location.items():
        try:
            location = location_of(group, TERMS, received=WHEN).value
        except NotSayable:
            continue
        again = LOCATION["2.3.0"].read(location)
        assert again.key.upper() == key.upper()
        assert again.tree() == location
        assert location_of(list(reversed(group)), TERMS, received=WHEN).value == location


@FEW
@given(record=RECORDS, name=st.sampled_from(sorted(PulledEvseDataRecordType.model_fields)), noise=ANYTHING)
def test_a_record_with_anything_in_it_is_no_crash(record: Tree, name: str, noise: Any) -> None:
    tree = read(PulledEvseDataRecordType, {**record, name: noise, "EvseID": record["EvseID"]}).tree
    for group in grouped([tree], TERMS).by_location.values():
        try:
            location = location_of(group, TERMS, received=WHEN).value
        except NotSayable:
            continue
        assert LOCATION["2.3.0"].read(location).tree() == location


@BOUNDED
@given(record=records())
def test_every_field_of_a_record_comes_back_or_is_told_as_lost(record: Tree) -> None:
    try:
        mapped = location_of([record], TERMS, received=WHEN)
    except NotSayable:
        return
    for again in records_of(mapped.value, TERMS).said.values():
        assert EvseID.parse(again.value["EvseID"]) == EvseID.parse(record["EvseID"])
        assert point_of(again.value["GeoCoordinates"]) == point_of(record["GeoCoordinates"])
        assert untold(as_sets(record), as_sets(again.value), mapped.lost, beside=OTHERWISE_WRITTEN) == []
        assert len(again.value["Plugs"]) == len(mapped.value["evses"][0]["connectors"])
