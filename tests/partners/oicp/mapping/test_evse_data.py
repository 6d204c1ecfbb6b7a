"""Locations as EvseDataRecords, and back: what is said, what is left out, what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.errors import InvalidRequest
from partners.oicp.mapping.connectors import ASSUMED
from partners.oicp.mapping.evse_data import operator_of, record_of, records_of
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.locations import grouped, location_of
from partners.oicp.mapping.points import Point, point_of
from partners.oicp.mapping.terms import Terms, terms_of
from tests.partners.oicp.mapping.ocpi import WHEN, connector, evse, place
from tests.partners.oicp.mapping.oicp import address, record

TERMS = Terms()
HOURS = [{"weekday": day, "period_begin": "08:00", "period_end": "18:00"} for day in range(1, 6)]


def said(location: dict[str, Any], terms: Terms = TERMS) -> dict[str, Any]:
    """The record of its first EVSE."""
    return record_of(location, location["evses"][0], terms).value


def read(*records: dict[str, Any], terms: Terms = TERMS) -> dict[str, Any]:
    """The location of some records."""
    return location_of(list(records), terms, received=WHEN).value


def test_a_plain_location_is_said_in_full() -> None:
    mapped = record_of(place(), evse(), TERMS)
    assert mapped.lost == ()
    assert mapped.warnings == ()
    assert mapped.value == {
        "EvseID": "DE*ABC*E1",
        "ChargingPoolID": "DEABCP1",
        "ChargingStationNames": [{"lang": "en", "value": "Station Road"}],
        "Address": {
            "Country": "DEU",
            "City": "Berlin",
            "Street": "Station Road",
            "PostalCode": "10829",
            "HouseNum": "7",
            "TimeZone": "UTC+01:00",
        },
        "GeoCoordinates": {"Google": {"Coordinates": "52.480495 13.356465"}},
        "Plugs": ["Type 2 Outlet"],
        "ChargingFacilities": [
            {"PowerType": "AC_3_PHASE", "Voltage": 230, "Amperage": 32, "Power": 22, "ChargingModes": ["Mode_3"]}
        ],
        "RenewableEnergy": False,
        "CalibrationLawDataAvailability": "Not Available",
        "AuthenticationModes": ["NFC RFID Classic", "NFC RFID DESFire", "REMOTE"],
        "PaymentOptions": ["Contract"],
        "ValueAddedServices": ["None"],
        "Accessibility": "Free publicly accessible",
        "HotlinePhoneNumber": "+4930123456",
        "IsOpen24Hours": True,
        "IsHubjectCompatible": True,
        "DynamicInfoAvailable": "auto",
    }


def test_a_plain_location_comes_back_as_it_was() -> None:
    green = place(energy_mix={"is_green_energy": True})
    mapped = location_of([said(green)], TERMS, received=WHEN, statuses={"DEABCE1": "Available"})
    assert mapped.value == green


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (place(publish=False), "the location is not to be published"),
        (place(evses=[evse(status="PLANNED")]), "the EVSE is PLANNED"),
        (place(evses=[evse(status="REMOVED")]), "the EVSE is REMOVED"),
        (place(evses=[evse(evse_id=None)]), "the EVSE has no evse_id"),
        (place(evses=[evse(evse_id="EVSE 1")]), "its evse_id is none that OICP can write"),
        (place(help_phone=None), "there is no phone number for help, which OICP asks for"),
        (
            place(evses=[evse(connectors=[connector(standard="MCS")])]),
            "OICP has a word for none of its plugs",
        ),
    ],
)
def test_what_keeps_an_evse_from_being_told_is_said(location: dict[str, Any], reason: str) -> None:
    assert list(records_of(location, TERMS).unsaid.values()) == [reason]


def test_an_evse_that_cannot_be_told_keeps_no_other_from_it() -> None:
    evses = [evse(evse_id=None), evse(uid="2", evse_id="DE*ABC*E2")]
    records = records_of(place(evses=evses), TERMS)
    assert records.said.keys() == {"2"}


@pytest.mark.parametrize(
    ("told", "number"),
    [("+49 30 123456", "+4930123456"), ("0049 (0)30/123-456", "+4930123456"), ("030 123456", "+49800"), ("", "+49800")],
)
def test_a_phone_number_is_written_as_oicp_has_it_or_the_agreed_one_stands_in(told: str, number: str) -> None:
    terms = Terms(hotline="+4980012345")
    assert said(place(help_phone=told), terms)["HotlinePhoneNumber"].startswith(number)


def test_connectors_that_oicp_has_no_word_for_are_left_out() -> None:
    both = [connector(standard="MCS"), connector(id="2", standard="CHADEMO", format="CABLE", power_type="DC")]
    mapped = record_of(place(), evse(connectors=both), TERMS)
    assert mapped.value["Plugs"] == ["CHAdeMO"]
    assert "/evses/*/connectors/*" in mapped.lost
    assert mapped.warnings == ("OICP has no plug for MCS",)


@pytest.mark.parametrize(
    ("fields", "facility"),
    [
        ({"max_electric_power": 3680, "max_amperage": 16, "power_type": "AC_1_PHASE"}, {"Power": 4, "Amperage": 16}),
        ({"max_electric_power": 300}, {"Power": 1}),
        ({"max_electric_power": None}, {"Power": 22}),
        ({"max_electric_power": 1_500_000}, {"Power": 999}),
        ({"max_voltage": 1000}, {"Voltage": None}),
        ({"max_amperage": 100}, {"Amperage": None}),
        ({"power_type": "AC_2_PHASE"}, {"PowerType": "AC_1_PHASE"}),
    ],
)
def test_power_is_told_in_kilowatts_and_what_has_too_many_figures_is_left_out(
    fields: dict[str, Any], facility: dict[str, Any]
) -> None:
    told = said(place(evses=[evse(connectors=[connector(**fields)])]))["ChargingFacilities"][0]
    assert {name: told.get(name) for name in facility} == facility


def test_an_evse_whose_sessions_must_name_a_connector_is_not_started_remotely() -> None:
    capable = evse(capabilities=["REMOTE_START_STOP_CAPABLE", "START_SESSION_CONNECTOR_REQUIRED"])
    mapped = record_of(place(), capable, TERMS)
    assert mapped.value["IsHubjectCompatible"] is False
    assert "/evses/*/capabilities/*" in mapped.lost


def test_days_with_the_same_hours_are_told_together() -> None:
    hours = [*HOURS, {"weekday": 6, "period_begin": "10:00", "period_end": "14:00"}]
    told = said(place(opening_times={"twentyfourseven": False, "regular_hours": hours}))
    assert told["IsOpen24Hours"] is False
    assert told["OpeningTimes"] == [
        {"Period": [{"begin": "08:00", "end": "18:00"}], "on": "Workdays"},
        {"Period": [{"begin": "10:00", "end": "14:00"}], "on": "Saturday"},
    ]


def test_what_is_open_over_midnight_is_open_on_two_days() -> None:
    night = [{"Period": [{"begin": "22:00", "end": "06:00"}], "on": "Sunday"}]
    hours = read(record(IsOpen24Hours=False, OpeningTimes=night))["opening_times"]["regular_hours"]
    assert hours == [
        {"weekday": 1, "period_begin": "00:00", "period_end": "06:00"},
        {"weekday": 7, "period_begin": "22:00", "period_end": "23:59"},
    ]


def _open(*periods: tuple[str, str]) -> dict[str, Any]:
    told = [{"begin": begin, "end": end} for begin, end in periods]
    return record(IsOpen24Hours=False, OpeningTimes=[{"Period": told, "on": "Everyday"}])


def test_what_is_open_until_midnight_ends_in_ocpi_at_its_last_minute_and_comes_back() -> None:
    tree = read(_open(("06:00", "24:00")))
    assert {each["period_end"] for each in tree["opening_times"]["regular_hours"]} == {"23:59"}
    assert said(place(opening_times=tree["opening_times"]))["OpeningTimes"] == [
        {"Period": [{"begin": "06:00", "end": "24:00"}], "on": "Everyday"}
    ]


@pytest.mark.parametrize("end", ["23:59", "00:00", "24:00"])
def test_hours_of_ocpi_that_end_with_the_day_end_in_oicp_at_midnight(end: str) -> None:
    hours = [{"weekday": 2, "period_begin": "08:00", "period_end": end}]
    told = said(place(opening_times={"twentyfourseven": False, "regular_hours": hours}))
    assert told["OpeningTimes"] == [{"Period": [{"begin": "08:00", "end": "24:00"}], "on": "Tuesday"}]


@pytest.mark.parametrize("periods", [[("00:00", "24:00")], [("22:00", "06:00"), ("06:00", "22:00")]])
def test_what_is_open_all_day_every_day_is_always_open(periods: list[tuple[str, str]]) -> None:
    assert read(_open(*periods))["opening_times"] == {"twentyfourseven": True}


def test_what_is_closed_for_an_hour_is_not_always_open() -> None:
    assert read(_open(("22:00", "06:00"), ("07:00", "22:00")))["opening_times"]["twentyfourseven"] is False


def test_hours_of_ocpi_that_are_all_day_every_day_are_always_open() -> None:
    hours = [{"weekday": day, "period_begin": "00:00", "period_end": "23:59"} for day in range(1, 8)]
    told = said(place(opening_times={"twentyfourseven": False, "regular_hours": hours}))
    assert told["IsOpen24Hours"] is True
    assert "OpeningTimes" not in told


def test_a_record_that_is_not_always_open_and_does_not_say_when_has_no_opening_times() -> None:
    assert "opening_times" not in read(record(IsOpen24Hours=False))


def test_texts_are_cut_with_a_warning() -> None:
    long = [{"language": "de", "text": "x" * 200}]
    mapped = record_of(place(directions=long), evse(), TERMS)
    assert mapped.value["AdditionalInfo"] == [{"lang": "de", "value": "x" * 150}]
    assert "/directions/*/text" in mapped.lost
    assert mapped.warnings == ("/directions/*/text is cut to 150 characters",)


def test_records_of_one_pool_are_one_location_whatever_their_stations() -> None:
    spellings = ("DE*ABC*P1", "deabcp1")
    records = [
        record(EvseID=f"DE*ABC*E{at}", ChargingPoolID=pool, ChargingStationID=f"S{at}")
        for at, pool in enumerate(spellings)
    ]
    groups = grouped(records, TERMS)
    assert list(groups.by_location) == ["DE*ABC/DEABCP1"]
    assert [each["uid"] for each in read(*records)["evses"]] == ["DEABCE0", "DEABCE1"]


def test_of_two_records_of_one_evse_the_later_counts() -> None:
    mapped = location_of([record(), record(EvseID="deabce1", HotlinePhoneNumber="+4911111")], TERMS, received=WHEN)
    assert [each["uid"] for each in mapped.value["evses"]] == ["DEABCE1"]
    assert mapped.value["help_phone"] == "+4911111"
    assert mapped.warnings == ("an EVSE is told twice: the later record counts",)


def test_records_without_a_pool_are_grouped_by_operator_and_place() -> None:
    here = {"GeoCoordinates": {"DecimalDegree": {"Latitude": "52.48051", "Longitude": "13.35647"}}}
    there = {"GeoCoordinates": {"Google": {"Coordinates": "48.1 11.5"}}}
    records = [
        record(ChargingPoolID=None),
        record(ChargingPoolID=None, EvseID="DE*ABC*E2", **here),
        record(ChargingPoolID=None, EvseID="DE*ABC*E3", **there),
        record(ChargingPoolID=None, EvseID="DE*XYZ*E1"),
    ]
    sizes = sorted(len(group) for group in grouped(records, TERMS).by_location.values())
    assert sizes == [1, 1, 2]


def test_the_party_is_that_of_the_evse_and_not_of_the_hub_that_told_it() -> None:
    location = read(record(EvseID="+49*810*1", OperatorID="CH*SWI"))
    assert (location["country_code"], location["party_id"]) == ("DE", "810")


def test_an_operator_whose_country_nobody_knows_is_told_apart() -> None:
    shared = record(EvseID="+44*123*1")
    assert list(grouped([shared, record()], TERMS).unsayable) == ["+44*123*1"]
    assert read(shared, terms=Terms(countries={"44": "GB"}))["country_code"] == "GB"


def test_a_record_without_a_place_is_told_apart() -> None:
    groups = grouped([record(GeoCoordinates=None), record()], TERMS)
    assert groups.unsayable == {"DE*ABC*E1": "its coordinates are no place on earth"}
    assert len(groups.by_location) == 1


def test_a_plug_takes_the_facility_with_its_current() -> None:
    facilities = [
        {"PowerType": "DC", "Power": 150, "Voltage": 500},
        {"PowerType": "AC_3_PHASE", "Power": 22, "Voltage": 400, "Amperage": 32},
        {"PowerType": "DC", "Power": 50},
    ]
    plugs = ["Type 2 Connector (Cable Attached)", "CCS Combo 2 Plug (Cable Attached)", "CHAdeMO"]
    connectors = read(record(Plugs=plugs, ChargingFacilities=facilities))["evses"][0]["connectors"]
    told = [(each["id"], each["standard"], each["max_voltage"], each["max_electric_power"]) for each in connectors]
    assert told == [
        ("1", "IEC_62196_T2", 231, 22176),
        ("2", "IEC_62196_T2_COMBO", 500, 150_000),
        ("3", "CHADEMO", 400, 50_000),
    ]


CCS = "CCS Combo 2 Plug (Cable Attached)"


@pytest.mark.parametrize("nothing", [{}, {"Power": 0}, {"Power": -5, "Amperage": -1}, {"Amperage": Decimal("0.4")}])
@pytest.mark.parametrize(
    ("plug", "facility", "volts", "amperes"),
    [
        ("Type 2 Outlet", {"PowerType": "AC_3_PHASE", "Voltage": 0}, 230, 16),
        ("Type F Schuko", {"PowerType": "AC_1_PHASE", "Voltage": 230}, 230, 16),
        (CCS, {"PowerType": "DC"}, 400, 50),
    ],
)
def test_a_connector_of_which_nothing_can_be_read_carries_the_least_that_is_usual_and_that_is_noted(
    plug: str, facility: dict[str, Any], volts: int, amperes: int, nothing: dict[str, Any]
) -> None:
    odd = record(Plugs=[plug], ChargingFacilities=[{**facility, **nothing}])
    mapped = location_of([odd], TERMS, received=WHEN)
    [told] = mapped.value["evses"][0]["connectors"]
    assert (told["max_voltage"], told["max_amperage"]) == (volts, amperes)
    assert "max_electric_power" not in told
    assert "/ChargingFacilities/*/Power" in mapped.lost
    assert ASSUMED in mapped.warnings


def test_a_record_without_any_facility_has_connectors_with_figures_too() -> None:
    mapped = location_of([record(Plugs=[CCS], ChargingFacilities=[])], TERMS, received=WHEN)
    [told] = mapped.value["evses"][0]["connectors"]
    assert (told["max_voltage"], told["max_amperage"]) == (400, 50)
    assert ASSUMED in mapped.warnings


def test_a_power_that_is_told_is_never_no_amperage() -> None:
    weak = {"PowerType": "AC_3_PHASE", "Power": Decimal("0.5"), "Voltage": 230}
    [told] = read(record(Plugs=["Type 2 Outlet"], ChargingFacilities=[weak]))["evses"][0]["connectors"]
    assert (told["max_amperage"], told["max_electric_power"]) == (1, 500)


@pytest.mark.parametrize(
    ("amperage", "standard"),
    [(16, "IEC_60309_2_three_16"), (32, "IEC_60309_2_three_32"), (63, "IEC_60309_2_three_64"), (None, "..._16")],
)
def test_three_phase_sockets_are_told_apart_by_their_amperage(amperage: int | None, standard: str) -> None:
    facility = {"PowerType": "AC_3_PHASE", "Power": 22, **({"Amperage": amperage} if amperage else {})}
    told = read(record(Plugs=["IEC 60309 Three Phase"], ChargingFacilities=[facility]))["evses"][0]["connectors"][0]
    assert told["standard"].endswith(standard.removeprefix("..."))


def test_connectors_keep_their_ids_when_the_plugs_come_in_another_order() -> None:
    plugs = ["Type 2 Outlet", "CHAdeMO", "CCS Combo 2 Plug (Cable Attached)"]
    facilities = [{"PowerType": "AC_3_PHASE", "Power": 22}, {"PowerType": "DC", "Power": 50}]
    before = read(record(Plugs=plugs, ChargingFacilities=facilities))
    turned = record(Plugs=[*plugs[::-1], "Type F Schuko"], ChargingFacilities=facilities)
    after = location_of([turned], TERMS, received=WHEN, known=before).value
    assert {each["standard"]: each["id"] for each in after["evses"][0]["connectors"]} == {
        "IEC_62196_T2": "1",
        "CHADEMO": "2",
        "IEC_62196_T2_COMBO": "3",
        "DOMESTIC_F": "4",
    }


@pytest.mark.parametrize(
    ("access", "published", "restrictions"),
    [
        ("Free publicly accessible", True, None),
        ("Paying publicly accessible", True, None),
        ("Restricted access", True, ["CUSTOMERS"]),
        ("Test Station", False, None),
    ],
)
def test_who_may_come_is_told(access: str, published: bool, restrictions: object) -> None:
    location = read(record(Accessibility=access))
    assert location["publish"] is published
    assert location["evses"][0].get("parking_restrictions") == restrictions


def test_restricted_places_are_not_shown_where_that_is_agreed() -> None:
    assert read(record(Accessibility="Restricted access"), terms=Terms(publishes_restricted=False))["publish"] is False


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({}, "Occupied", "CHARGING"),
        ({}, None, "UNKNOWN"),
        ({"DynamicInfoAvailable": "false"}, "Available", "UNKNOWN"),
        ({"deltaType": "delete"}, "Available", "REMOVED"),
    ],
)
def test_the_status_is_what_was_last_told(fields: dict[str, Any], status: str | None, told: str) -> None:
    statuses = {"DEABCE1": status} if status else {}
    location = location_of([record(**fields)], TERMS, received=WHEN, statuses=statuses).value
    assert location["evses"][0]["status"] == told


@pytest.mark.parametrize(
    ("told", "code"), [("DEU", "DEU"), ("de", "DEU"), ("Germany", None), ("", None)], ids=["3", "2", "name", "none"]
)
def test_a_country_is_known_or_the_record_is_not_told(told: str, code: str | None) -> None:
    if code is None:
        with pytest.raises(NotSayable):
            read(record(Address=address(Country=told)))
    else:
        assert read(record(Address=address(Country=told)))["country"] == code


@pytest.mark.parametrize(
    ("line", "street", "number"),
    [
        ("Station Road 7", "Station Road", "7"),
        ("Calle Mayor, 12-14", "Calle Mayor", "12-14"),
        ("12 Main Street", "Main Street", "12"),
        ("Village Square", "Village Square", "-"),
        ("7", "7_", "-"),
    ],
)
def test_an_address_is_split_into_street_and_number(line: str, street: str, number: str) -> None:
    told = said(place(address=line))["Address"]
    assert (told["Street"], told["HouseNum"]) == (street, number)


@pytest.mark.parametrize(
    "coordinates",
    [
        {"Google": {"Coordinates": "52.480495 13.356465"}},
        {"Google": {"Coordinates": "52.480495,13.356465"}},
        {"DecimalDegree": {"Latitude": "52.4804950", "Longitude": "13.356465"}},
        {"DegreeMinuteSeconds": {"Latitude": "52°28'49.782''", "Longitude": "13° 21' 23.274\""}},
    ],
)
def test_a_point_is_read_in_every_form(coordinates: dict[str, Any]) -> None:
    assert point_of(coordinates) == Point(Decimal("52.480495"), Decimal("13.356465"))


@pytest.mark.parametrize(
    "coordinates",
    [
        None,
        {},
        {"Google": {"Coordinates": "somewhere"}},
        {"Google": {"Coordinates": "199.5 10.1"}},
        {"DecimalDegree": {"Latitude": "1"}},
    ],
)
def test_what_is_no_point_on_earth_is_none(coordinates: Any) -> None:
    assert point_of(coordinates) is None


def test_energy_comes_in_sums_and_without_its_whole() -> None:
    sources = [{"Energy": "Biomass", "Percentage": 20}, {"Energy": "GeothermalEnergy", "Percentage": 30}]
    mix = read(record(EnergySource=sources, EnvironmentalImpact={"CO2Emission": Decimal("30.3")}))["energy_mix"]
    assert mix["energy_sources"] == [{"source": "GENERAL_GREEN", "percentage": 50}]
    assert mix["environ_impact"] == [{"category": "CARBON_DIOXIDE", "amount": Decimal("30.3")}]
    wind = {"is_green_energy": True, "energy_sources": [{"source": "WIND", "percentage": 100}]}
    assert said(place(energy_mix=wind))["EnergySource"] == [{"Energy": "Wind"}]


def test_a_floor_with_a_long_name_is_told_in_the_directions() -> None:
    mapped = location_of([record(Address=address(Floor="Deck5"))], TERMS, received=WHEN)
    assert mapped.value["evses"][0]["directions"] == [{"language": "en", "text": "Deck5"}]
    assert "/Address/Floor" in mapped.lost


def test_what_differs_between_records_of_one_location_is_told() -> None:
    other = record(EvseID="DE*ABC*E2", HotlinePhoneNumber="+4911111")
    mapped = location_of([other, record()], TERMS, received=WHEN)
    assert mapped.value["help_phone"] == "+4930123456"
    assert "/HotlinePhoneNumber" in mapped.lost


def test_the_operator_of_a_location_has_an_id_and_a_name() -> None:
    assert operator_of(place(), TERMS) == {"OperatorID": "DE*ABC", "OperatorName": "DE*ABC"}
    named = place(operator={"name": "ABC technologies"})
    assert operator_of(named, Terms(operator_style="DEABC")) == {
        "OperatorID": "DEABC",
        "OperatorName": "ABC technologies",
    }


def test_terms_are_read_as_they_are_configured() -> None:
    terms = terms_of({"hotline": "+49800", "default_price": "0.39", "rfid_modes": ["NFC RFID Classic"]})
    assert terms.default_price == Decimal("0.39")
    assert terms.rfid_modes == ("NFC RFID Classic",)


@pytest.mark.parametrize("options", [{"hotlin": ""}, {"calibration_law": "external"}, {"default_price": "much"}])
def test_terms_that_nobody_knows_are_refused_by_their_name(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(options))):
        terms_of(options)
