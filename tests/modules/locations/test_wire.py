"""Locations in 2.1.1 and 2.2.1 (mod_locations)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.dialect import Loss, NotExpressible
from hub.core.dialect.zones import zone_near
from modules.locations.wire import CONNECTOR, EVSE, LOCATION

OWNER = {"country_code": "BE", "party_id": "BEC"}
NOW = "2015-06-29T20:39:09Z"
CONNECTOR_211 = {
    "id": "1",
    "standard": "IEC_62196_T2",
    "format": "CABLE",
    "power_type": "AC_3_PHASE",
    "voltage": 220,
    "amperage": 16,
    "tariff_id": "11",
    "last_updated": NOW,
}
EVSE_211: dict[str, Any] = {
    "uid": "3256",
    "evse_id": "BE-BEC-E041503001",
    "status": "AVAILABLE",
    "capabilities": ["RESERVABLE"],
    "connectors": [CONNECTOR_211],
    "last_updated": NOW,
}
LOCATION_211: dict[str, Any] = {
    "id": "LOC1",
    "type": "ON_STREET",
    "name": "Gent Zuid",
    "address": "F.Rooseveltlaan 3A",
    "city": "Gent",
    "postal_code": "9000",
    "country": "BE",
    "coordinates": {"latitude": "51.04759", "longitude": "3.72994"},
    "evses": [EVSE_211],
    "last_updated": NOW,
}
CONNECTOR_OURS: dict[str, Any] = {
    "id": "1",
    "standard": "IEC_62196_T2",
    "format": "CABLE",
    "power_type": "AC_3_PHASE",
    "max_voltage": 220,
    "max_amperage": 16,
    "last_updated": NOW,
}
EVSE_OURS: dict[str, Any] = {
    "uid": "3256",
    "status": "AVAILABLE",
    "connectors": [CONNECTOR_OURS],
    "last_updated": NOW,
}


def ours(**changes: Any) -> dict[str, Any]:
    return {**LOCATION["2.1.1"].read(LOCATION_211, given=OWNER).tree(), **changes}


def pointers(losses: tuple[Loss, ...]) -> list[str]:
    return [loss.pointer for loss in losses]


def test_a_2_1_1_location_is_public_and_gets_a_time_zone_and_a_long_country_code() -> None:
    location = LOCATION["2.1.1"].read(LOCATION_211, given=OWNER)
    assert (location.publish, location.time_zone, location.country) == (True, "Europe/Brussels", "BEL")
    assert location.parking_type == "ON_STREET"
    assert location.evses[0].connectors[0].tariff_ids == ["11"]
    assert location.key == "BE*BEC/loc1"


@pytest.mark.parametrize(
    ("country", "latitude", "longitude", "zone"),
    [
        ("DEU", "52.52", "13.40", "Europe/Berlin"),
        ("DEU", "48.40", "9.99", "Europe/Berlin"),
        ("DEU", "47.66", "9.18", "Europe/Berlin"),
        ("DEU", "47.697", "8.69", "Europe/Busingen"),
        ("PRT", "37.74", "-25.67", "Atlantic/Azores"),
        ("USA", "34.05", "-118.24", "America/Los_Angeles"),
        ("ESP", "28.12", "-15.43", "Atlantic/Canary"),
        ("ZZZ", "48.85", "2.35", "Europe/Paris"),
    ],
)
def test_the_zone_of_a_place_is_that_of_the_nearest_town(
    country: str, latitude: str, longitude: str, zone: str
) -> None:
    assert zone_near(country, Decimal(latitude), Decimal(longitude)) == zone


def test_coordinates_have_six_decimals_in_2_1_1() -> None:
    point = {"latitude": "51.0475991", "longitude": "3.72994"}
    written, losses = LOCATION["2.1.1"].write(ours(coordinates=point))
    assert written["coordinates"] == {"latitude": "51.047599", "longitude": "3.729940"}
    assert pointers(losses) == ["/coordinates/latitude"]


@pytest.mark.parametrize("part", [{"publish": False}, {"publish": False, "name": "x"}])
def test_what_is_not_published_is_never_sent_to_2_1_1(part: dict[str, Any]) -> None:
    with pytest.raises(NotExpressible, match="not to be published"):
        LOCATION["2.1.1"].write(ours(**part))
    with pytest.raises(NotExpressible):
        LOCATION["2.1.1"].write_patch(part)


def test_a_parking_type_2_1_1_lacks_is_other_and_none_is_unknown() -> None:
    without = ours()
    del without["parking_type"]
    assert LOCATION["2.1.1"].write(ours(parking_type="ALONG_MOTORWAY"))[0]["type"] == "OTHER"
    assert LOCATION["2.1.1"].write(without)[0]["type"] == "UNKNOWN"


def test_a_missing_postal_code_is_na_in_2_1_1_and_missing_again_after() -> None:
    without = ours()
    del without["postal_code"]
    written, _ = LOCATION["2.1.1"].write(without)
    assert written["postal_code"] == "#NA"
    assert LOCATION["2.1.1"].read(written, given=OWNER).postal_code is None


@pytest.mark.parametrize("version", ["2.1.1", "2.2.1"])
def test_parking_places_and_help_phone_are_lost_below_2_3_0(version: str) -> None:
    place = {"id": "P", "vehicle_types": ["VAN"], "restricted_to_type": False, "reservation_required": False}
    _, losses = LOCATION[version].write(ours(parking_places=[place], help_phone="+49 1"))
    assert pointers(losses) == ["/parking_places", "/help_phone"]


def test_an_address_is_cut_at_a_word_for_2_1_1_alone() -> None:
    address = "Kongensgade 12, bag den store lagerbygning ved havnen"
    assert LOCATION["2.1.1"].write(ours(address=address))[0]["address"] == "Kongensgade 12, bag den store lagerbygning"
    assert LOCATION["2.2.1"].write(ours(address=address)) == (ours(address=address), ())


def test_a_plug_the_version_lacks_is_never_shown_as_another() -> None:
    mcs = {**CONNECTOR_OURS, "id": "2", "standard": "MCS"}
    written, losses = EVSE["2.2.1"].write({**EVSE_OURS, "connectors": [CONNECTOR_OURS, mcs]})
    assert [connector["id"] for connector in written["connectors"]] == ["1"]
    assert pointers(losses) == ["/connectors/1"]
    with pytest.raises(NotExpressible):
        EVSE["2.2.1"].write({**EVSE_OURS, "connectors": [mcs]})
    written, losses = LOCATION["2.2.1"].write(ours(evses=[{**EVSE_OURS, "connectors": [mcs]}]))
    assert "evses" not in written
    assert pointers(losses) == ["/evses"]


def test_a_restriction_without_a_word_stays_a_restriction() -> None:
    written, losses = EVSE["2.2.1"].write({**EVSE_OURS, "parking_restrictions": ["TAXIS", "CUSTOMERS"]})
    assert written["parking_restrictions"] == ["CUSTOMERS"]
    assert pointers(losses) == ["/parking_restrictions/0"]


def test_an_evse_whose_connector_must_be_named_cannot_be_started_from_2_1_1() -> None:
    capabilities = ["REMOTE_START_STOP_CAPABLE", "START_SESSION_CONNECTOR_REQUIRED", "RFID_READER"]
    written, losses = EVSE["2.1.1"].write({**EVSE_OURS, "capabilities": capabilities})
    assert written["capabilities"] == ["RFID_READER"]
    assert pointers(losses) == ["/capabilities/1", "/capabilities"]


def test_charging_profiles_of_a_2_1_1_evse_are_not_passed_on() -> None:
    losses: list[Loss] = []
    tree = {**EVSE_211, "capabilities": ["CHARGING_PROFILE_CAPABLE"]}
    assert EVSE["2.1.1"].read(tree, losses=losses).capabilities == []
    assert [loss.pointer for loss in losses] == ["/capabilities"]


def test_one_tariff_is_named_in_2_1_1_and_it_is_one_that_may_be_sent() -> None:
    connector = {**CONNECTOR_OURS, "tariff_ids": ["adhoc", "day", "night"]}
    known = {"ADHOC": False, "DAY": True, "NIGHT": True}
    written, losses = CONNECTOR["2.1.1"].write(connector, context={"sendable_tariffs": known})
    assert written["tariff_id"] == "day"
    assert pointers(losses) == ["/tariff_ids/0", "/tariff_ids/2"]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, "adhoc"),
        ({"ADHOC": False}, "day"),
        ({"ADHOC": False, "NIGHT": True}, "night"),
        ({"NIGHT": True}, "night"),
        ({"ADHOC": False, "DAY": False}, "night"),
        ({"ADHOC": False, "DAY": False, "NIGHT": False}, None),
    ],
)
def test_where_none_may_be_sent_2_1_1_has_the_first_that_is_not_on_record(
    known: dict[str, bool], expected: str | None
) -> None:
    connector = {**CONNECTOR_OURS, "tariff_ids": ["adhoc", "day", "night"]}
    written, _ = CONNECTOR["2.1.1"].write(connector, context={"sendable_tariffs": known})
    assert written.get("tariff_id") == expected


def test_two_phases_are_told_as_one_in_2_1_1() -> None:
    written, losses = CONNECTOR["2.1.1"].write({**CONNECTOR_OURS, "power_type": "AC_2_PHASE_SPLIT"})
    assert written["power_type"] == "AC_1_PHASE"
    assert pointers(losses) == ["/power_type"]


@pytest.mark.parametrize(
    ("hours", "around_the_clock"),
    [
        ({"twentyfourseven": True}, True),
        ({"regular_hours": [{"weekday": 1, "period_begin": "08:00", "period_end": "20:00"}]}, False),
    ],
)
def test_hours_of_2_1_1_are_one_or_the_other(hours: dict[str, Any], around_the_clock: bool) -> None:
    location = LOCATION["2.1.1"].read({**LOCATION_211, "opening_times": hours}, given=OWNER)
    assert location.opening_times is not None
    assert location.opening_times.twentyfourseven is around_the_clock


def test_hours_of_2_1_1_with_exceptions_alone_say_nothing() -> None:
    closed = {"exceptional_closings": [{"period_begin": NOW, "period_end": NOW}]}
    losses: list[Loss] = []
    location = LOCATION["2.1.1"].read({**LOCATION_211, "opening_times": closed}, given=OWNER, losses=losses)
    assert location.opening_times is None
    assert "/opening_times" in [loss.pointer for loss in losses]


def test_an_unknown_token_type_does_not_open_an_unpublished_location() -> None:
    allowed = [{"uid": "1", "type": "EMAID"}, {"uid": "2", "type": "RFID"}]
    written, losses = LOCATION["2.2.1"].write(ours(publish=False, publish_allowed_to=allowed))
    assert written["publish_allowed_to"] == [{"uid": "2", "type": "RFID"}]
    assert pointers(losses) == ["/publish_allowed_to/0"]


def test_the_status_of_an_evse_is_patched_in_every_version() -> None:
    part = {"status": "CHARGING", "last_updated": NOW}
    assert [EVSE[version].write_patch(part) for version in EVSE] == [(part, ())] * 3


@pytest.mark.parametrize("version", list(LOCATION))
def test_a_part_of_a_location_has_parts_of_evses_and_says_of_none_that_something_is_removed(version: str) -> None:
    """A PATCH is not suitable to remove information (mod_locations_patch_method)."""
    part = {"evses": [{"uid": "E1", "connectors": [{"id": "1", "format": "CABLE"}]}]}
    assert LOCATION["2.3.0"].read_patch(part) == part
    assert LOCATION[version].write_patch(part) == (part, ())
    for evse in ({"uid": "E1", "floor_level": None}, {"uid": "E1", "connectors": [{"id": "1", "tariff_ids": None}]}):
        with pytest.raises(NotExpressible):
            LOCATION[version].write_patch({"evses": [evse]})
