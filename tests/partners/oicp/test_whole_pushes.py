"""Pushes of CPOs to us, the hub: what OICP makes mandatory is there as OICP has it, or the push is refused whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from hub.core.inbound import parse
from modules.locations import service as locations
from partners.oicp import findings
from partners.oicp.evse_table import OICP_EVSES, read
from partners.oicp.wire import Unfit
from partners.sandbox.oicp.check import check
from partners.sandbox.oicp.samples import evse, prices, product
from tests.partners.oicp.between import a_hub_between
from tests.partners.oicp.bridged import Bridged, bridged

Record = Mapping[str, Any]

DATA: Final = "/OperatorEvseData/EvseDataRecord"
STATUS: Final = "/OperatorEvseStatus/EvseStatusRecord"
PRODUCTS: Final = "/PricingProductData/PricingProductDataRecords"
ADDRESS: Final = {"Country": "DEU", "City": "Kiel", "Street": "Kai", "PostalCode": "24103", "HouseNum": "1"}
FACILITY: Final = {"PowerType": "AC_3_PHASE", "Power": 22}
FEE: Final = {
    "AdditionalReference": "START FEE",
    "AdditionalReferenceUnit": "HOUR",
    "PricePerAdditionalReferenceUnit": 1,
}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        yield made


def _evse(number: int, **fields: Any) -> dict[str, Any]:
    return dict(evse({"EvseID": f"DE*ABC*E{number}", "ChargingPoolID": f"DE*ABC*P{number}", **fields}))


def _without(name: str, tree: Record) -> dict[str, Any]:
    return {each: value for each, value in tree.items() if each != name}


def _address(**fields: Any) -> dict[str, Any]:
    return {"Address": {**ADDRESS, **fields}}


def _facility(**fields: Any) -> dict[str, Any]:
    return {"ChargingFacilities": [FACILITY, {**FACILITY, **fields}]}


def _google(text: str) -> dict[str, Any]:
    return {"GeoCoordinates": {"Google": {"Coordinates": text}}}


def _degrees(longitude: str, latitude: str) -> dict[str, Any]:
    return {"GeoCoordinates": {"DecimalDegree": {"Longitude": longitude, "Latitude": latitude}}}


async def push(bridge: Bridged, *records: Any, action: str = "fullLoad", **around: Any) -> None:
    set_ = {"OperatorID": "DE*ABC", "OperatorName": "Abc", "EvseDataRecord": list(records), **around}
    await bridge.ask("abc", "PushEvseData", {"ActionType": action, "OperatorEvseData": set_}, id="DE*ABC")
    await bridge.oicp.projection.catch_up()


async def pulled(bridge: Bridged, **filters: Any) -> dict[str, dict[str, Any]]:
    """By EvseID, the records that an EMP gets; each is OICP to the letter, as somebody else reads it."""
    asked = {"ProviderID": "DE-DCB", "GeoCoordinatesResponseFormat": "Google", **filters}
    said = await bridge.ask("dcb", "PullEvseData", asked, id="DE-DCB", query={"size": "100"})
    for record in said["content"]:
        assert check("PulledEvseDataRecord", _without("xVendor", record)) == []
    return {record["EvseID"]: record for record in said["content"]}


async def _refused(asked: Any) -> list[str]:
    """The fields that the refusal names."""
    with pytest.raises(Unfit) as refusal:
        await asked
    return [fault.pointer for fault in refusal.value.faults]


MANDATORY: Final = [
    *("ChargingStationNames", "Address", "GeoCoordinates", "Plugs", "ChargingFacilities", "RenewableEnergy"),
    *("CalibrationLawDataAvailability", "AuthenticationModes", "PaymentOptions", "ValueAddedServices"),
    *("Accessibility", "HotlinePhoneNumber", "IsOpen24Hours", "IsHubjectCompatible", "DynamicInfoAvailable"),
]


@pytest.mark.parametrize("name", MANDATORY)
@pytest.mark.parametrize("says_nothing", ["absent", "null"])
async def test_a_record_without_a_mandatory_field_refuses_the_push_by_that_field(
    bridge: Bridged, name: str, says_nothing: str
) -> None:
    await push(bridge, _evse(1))
    lacking = _without(name, _evse(2)) if says_nothing == "absent" else {**_evse(2), name: None}
    assert await _refused(push(bridge, _evse(3), lacking)) == [f"{DATA}/1/{name}"]
    assert list(await pulled(bridge)) == ["DE*ABC*E1"]


UNUSABLE: Final[list[tuple[dict[str, Any], str]]] = [
    (_address(City=None), "Address/City"),
    (_address(City="x" * 51), "Address/City"),
    (_address(Street="K"), "Address/Street"),
    (_address(Country="Germany"), "Address/Country"),
    (_address(HouseNum=None, PostalCode=""), "Address/PostalCode"),
    ({"Address": {}}, "Address/Country"),
    ({"Plugs": []}, "Plugs"),
    ({"Plugs": ["Wall"]}, "Plugs"),
    ({"ChargingFacilities": []}, "ChargingFacilities"),
    (_facility(PowerType="Steam"), "ChargingFacilities/1/PowerType"),
    (_facility(Power=0), "ChargingFacilities/1/Power"),
    (_facility(Power=1000), "ChargingFacilities/1/Power"),
    (_facility(Power=None), "ChargingFacilities/1/Power"),
    ({"AuthenticationModes": ["Carrier Pigeon"]}, "AuthenticationModes"),
    ({"PaymentOptions": []}, "PaymentOptions"),
    ({"ValueAddedServices": ["Coffee"]}, "ValueAddedServices"),
    ({"ChargingStationNames": [{"lang": None, "value": "Hafen"}]}, "ChargingStationNames/0/lang"),
    ({"RenewableEnergy": "partly"}, "RenewableEnergy"),
    ({"CalibrationLawDataAvailability": "Abroad"}, "CalibrationLawDataAvailability"),
    ({"Accessibility": "By helicopter"}, "Accessibility"),
    ({"DynamicInfoAvailable": "sometimes"}, "DynamicInfoAvailable"),
    ({"HotlinePhoneNumber": "call us"}, "HotlinePhoneNumber"),
    ({"GeoCoordinates": {}}, "GeoCoordinates"),
    (_google("NaN NaN"), "GeoCoordinates/Google/Coordinates"),
    (_google("90.1 9.9"), "GeoCoordinates/Google/Coordinates"),
    (_google("53.5 180.000001"), "GeoCoordinates/Google/Coordinates"),
    (_degrees("NaN", "53.5"), "GeoCoordinates/DecimalDegree/Longitude"),
    (_degrees("9.9", "-91.0"), "GeoCoordinates/DecimalDegree/Latitude"),
    ({"GeoCoordinates": {"DegreeMinuteSeconds": {"Longitude": "9°59'20.0''", "Latitude": "95°32'37.0''"}}},
     "GeoCoordinates/DegreeMinuteSeconds/Latitude"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "place"), UNUSABLE, ids=[f"{place}-{at}" for at, (_, place) in enumerate(UNUSABLE)])
async def test_a_mandatory_value_that_is_none_of_oicps_refuses_the_push_by_the_field(
    bridge: Bridged, fields: dict[str, Any], place: str
) -> None:
    await push(bridge, _evse(1))
    assert f"{DATA}/1/{place}" in await _refused(push(bridge, _evse(2), _evse(3, **fields)))
    assert list(await pulled(bridge)) == ["DE*ABC*E1"]


async def test_the_answer_is_022_and_names_the_field_by_pointer(sqlite_url: str, tmp_path: Path) -> None:
    async with a_hub_between(sqlite_url, tmp_path) as between:
        data = {"OperatorID": "DE*ABC", "OperatorName": "Abc", "EvseDataRecord": [_evse(1), _evse(2, Plugs=[])]}
        said = await between.ask("cpo", "PushEvseData", {"ActionType": "insert", "OperatorEvseData": data})
        assert (said.code, said.tree["Result"]) == ("022", False)
        assert said.info == f"{DATA}/1/Plugs: an empty list"
        faults = [{"fieldReference": "OperatorEvseData.EvseDataRecord[1].Plugs", "errorMessage": "an empty list"}]
        assert said.tree["validationErrors"] == faults
        told = {"OperatorID": "DE*ABC", "EvseStatusRecord": [{"EvseID": "DE*ABC*E1", "EvseStatus": "Faulted"}]}
        said = await between.ask("cpo", "PushEvseStatus", {"ActionType": "update", "OperatorEvseStatus": told})
        assert (said.code, said.info) == ("022", f"{STATUS}/0/EvseStatus: none of the words that OICP lists")


async def test_twenty_fields_are_named_and_the_first_ones(bridge: Bridged) -> None:
    named = await _refused(push(bridge, *(_evse(number, Plugs=[]) for number in range(1, 40))))
    assert named == [f"{DATA}/{at}/Plugs" for at in range(20)]


async def test_a_record_is_named_by_its_place_in_the_push_with_nulls_among_them(bridge: Bridged) -> None:
    assert await _refused(push(bridge, None, _evse(1), None, _evse(2, Plugs=[]))) == [f"{DATA}/3/Plugs"]


@pytest.mark.parametrize("list_", ["evseDataRecord", "EVSEDATARECORD"])
async def test_a_record_that_cannot_be_read_is_not_left_out_of_a_list_in_another_spelling(
    bridge: Bridged, list_: str
) -> None:
    set_ = {"OperatorID": "DE*ABC", "OperatorName": "Abc", list_: [_evse(1), {"EvseID": "?"}]}
    pushed = {"ActionType": "fullLoad", "OperatorEvseData": [set_]}
    named = await _refused(bridge.ask("abc", "PushEvseData", pushed, id="DE*ABC"))
    assert named[0] == f"/OperatorEvseData/{list_}/1/EvseID"
    assert await pulled(bridge) == {}


@pytest.mark.parametrize("blank", [None, "", " "])
async def test_a_list_that_says_nothing_is_not_taken_for_the_one_beside_it(bridge: Bridged, blank: str | None) -> None:
    listed = [None, _evse(1), _evse(2, Plugs=[])]
    assert await _refused(push(bridge, evseDataRecord=listed, EvseDataRecord=blank)) == [f"{DATA}/2/Plugs"]


async def test_a_set_without_the_name_of_its_operator_is_refused(bridge: Bridged) -> None:
    assert await _refused(push(bridge, _evse(1), OperatorName=None)) == ["/OperatorEvseData/OperatorName"]


async def test_of_what_is_deleted_the_id_is_enough(bridge: Bridged) -> None:
    await push(bridge, _evse(1), _evse(2))
    await push(bridge, {"EvseID": "DE*ABC*E1"}, {"EvseID": "de*abc*e2", "Plugs": []}, action="delete", OperatorName="")
    assert await pulled(bridge) == {}


LEFT_OUT: Final[list[tuple[dict[str, Any], dict[str, Any], str]]] = [
    ({"AuthenticationModes": ["REMOTE", "Carrier Pigeon"]}, {"AuthenticationModes": ["REMOTE"]}, "AuthenticationModes"),
    ({"Plugs": ["MCS", "CHAdeMO"]}, {"Plugs": ["CHAdeMO"]}, "Plugs"),
    ({"AccessibilityLocation": "Roof"}, {}, "AccessibilityLocation"),
    ({"EnergySource": [{"Energy": "Fusion", "Percentage": 9}]}, {"EnergySource": [{"Percentage": 9}]},
     "EnergySource/Energy"),
    ({"ChargingFacilities": [{**FACILITY, "Amperage": 500}]}, {"ChargingFacilities": [FACILITY]},
     "ChargingFacilities/Amperage"),
    ({"ChargingFacilities": [{**FACILITY, "ChargingModes": ["Mode_3", "Mode_9"]}]},
     {"ChargingFacilities": [{**FACILITY, "ChargingModes": ["Mode_3"]}]}, "ChargingFacilities/ChargingModes"),
    ({"HardwareManufacturer": "x" * 51}, {}, "HardwareManufacturer"),
    ({"AdditionalInfo": [{"lang": "de", "value": "Tor"}, {"lang": "de", "value": "x" * 151}]},
     {"AdditionalInfo": [{"lang": "de", "value": "Tor"}]}, "AdditionalInfo/value"),
    ({"OpeningTimes": [{"on": "Holidays", "Period": [{"begin": "08:00", "end": "18:00"}]}]}, {}, "OpeningTimes/on"),
    ({"GeoChargingPointEntrance": {"Google": {"Coordinates": "north"}}}, {},
     "GeoChargingPointEntrance/Google/Coordinates"),
    ({"MaxCapacity": "plenty"}, {}, "MaxCapacity"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "told", "place"), LEFT_OUT, ids=[place for _, _, place in LEFT_OUT])
async def test_what_a_record_does_without_is_left_out_and_its_operator_is_told(
    bridge: Bridged, given: dict[str, Any], told: dict[str, Any], place: str
) -> None:
    await push(bridge, _evse(1, xVendor={"kept": 1}, **given))
    record = (await pulled(bridge))["DE*ABC*E1"]
    name = next(iter(given))
    assert (record.get(name), record["xVendor"]) == (told.get(name), {"kept": 1})
    (found,) = await findings.shown(bridge.world.store)
    assert (found["owner"], found["things"]) == ("DE*ABC", 1)
    assert found["reason"].startswith(f"not told over OICP: {place}: ")
    assert found["example"].startswith(f"DE*ABC*E1 {name}")
    await push(bridge, _evse(1))
    assert await findings.shown(bridge.world.store) == []


MENDED: Final[list[tuple[dict[str, Any], dict[str, Any]]]] = [
    (_address(Country="DE"), _address(Country="DEU")),
    (_address(Country="deu"), _address(Country="DEU")),
    ({"HotlinePhoneNumber": "+49 (0)40 / 123-456"}, {"HotlinePhoneNumber": "+4940123456"}),
    ({"HotlinePhoneNumber": "0049 40 123456"}, {"HotlinePhoneNumber": "+4940123456"}),
    ({"ChargingStationNames": [{"lang": "DE", "value": "Hafen"}]},
     {"ChargingStationNames": [{"lang": "de", "value": "Hafen"}]}),
    ({"ChargingStationNames": [{"lang": "de_ch", "value": "Hafen"}]},
     {"ChargingStationNames": [{"lang": "de-CH", "value": "Hafen"}]}),
    (_facility(Power=Decimal("3.7")), _facility(Power=4)),
    (_google("53.54361111 9.98888899"), _google("53.543611 9.988889")),
    (_google("53;9"), _google("53.000000 9.000000")),
    ({"GeoCoordinates": {"Google": "53.543611,9.988889"}}, _google("53.543611,9.988889")),
    (_degrees("9.98888899", "53"), _google("53.000000 9.988889")),
    ({"GeoCoordinates": {"Google": {"Coordinates": "north"}, **_degrees("9.5", "53.5")["GeoCoordinates"]}},
     _google("53.500000 9.500000")),
    ({"Plugs": "type 2 outlet", "IsOpen24Hours": "true"}, {"Plugs": ["Type 2 Outlet"], "IsOpen24Hours": True}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "told"), MENDED)
async def test_what_means_something_of_oicps_is_told_in_its_form(
    bridge: Bridged, given: dict[str, Any], told: dict[str, Any]
) -> None:
    await push(bridge, _evse(1, **given))
    record = (await pulled(bridge))["DE*ABC*E1"]
    assert {name: record[name] for name in told} == told
    assert await findings.shown(bridge.world.store) == []


async def test_filters_and_pushes_see_a_record_as_it_is_told(bridge: Bridged) -> None:
    await push(bridge, _evse(1, **_address(Country="DE")))
    assert list(await pulled(bridge, CountryCodes=["DEU"])) == ["DE*ABC*E1"]
    bridge.world.clock.passed_s += 60
    assert await pulled(bridge, LastCall="2026-05-04T00:00:00Z", RenewableEnergy=True)
    await bridge.connect("hbs", "hub", party="DE*HBS", operator_ids=("DE*BSB",))
    await bridge.oicp.evse_push.push("hbs")
    (message,) = bridge.client.of("PushEvseData")
    (record,) = message["OperatorEvseData"]["EvseDataRecord"]
    assert record["Address"]["Country"] == "DEU"


async def test_partners_of_ocpi_have_what_oicp_has_no_room_for(bridge: Bridged) -> None:
    facility = {"PowerType": "DC", "Power": 150, "Voltage": 920, "Amperage": 500}
    await push(bridge, _evse(1, Plugs=["CCS Combo 2 Plug (Cable Attached)"], ChargingFacilities=[facility]))
    assert "Amperage" not in (await pulled(bridge))["DE*ABC*E1"]["ChargingFacilities"][0]
    tree = await locations.get_tree(bridge.world.store, "DE*ABC/DEABCP1")
    assert tree["evses"][0]["connectors"][0]["max_amperage"] == 500


async def test_a_record_that_is_oicps_to_the_letter_is_kept_without_amends(bridge: Bridged) -> None:
    await push(bridge, _evse(1), _evse(2, ChargingStationID=17))
    (document, _) = await bridge.world.store.select(OICP_EVSES)
    assert set(parse(document.body, limit=2**20)) == {"place", "record"}
    assert read(document).told is read(document).record or read(document).told == read(document).record


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("de*abc*e1*x", "DE*ABC*E1*X"),
        ("deabce1x", "DEABCE1X"),
        ("DE-ABC-E1X", "DE*ABC*E1X"),
        (" DE*ABC*E1*x ", "DE*ABC*E1*X"),
    ],
)
async def test_an_evse_is_told_by_one_id_in_capitals(bridge: Bridged, given: str, told: str) -> None:
    await push(bridge, _evse(1, EvseID=given))
    state = [{"EvseID": given.upper(), "EvseStatus": "Occupied"}]
    message = {"ActionType": "insert", "OperatorEvseStatus": {"OperatorID": "DE*ABC", "EvseStatusRecord": state}}
    await bridge.ask("abc", "PushEvseStatus", message, id="DE*ABC")
    pricing = [{"EvseID": given, "ProviderID": "*", "EvseIDProductList": ["AC1"]}]
    await bridge.ask("abc", "PushEVSEPricing", {"ActionType": "insert", "EVSEPricing": pricing}, id="DE*ABC")
    assert list(await pulled(bridge)) == [told]
    said = await bridge.ask("dcb", "PullEvseStatus", {"ProviderID": "DE-DCB"})
    (operator,) = said["EvseStatuses"]["OperatorEvseStatus"]
    assert operator["EvseStatusRecord"] == [{"EvseID": told, "EvseStatus": "Occupied"}]
    said = await bridge.ask("dcb", "PullEvseStatusByID", {"ProviderID": "DE-DCB", "EvseID": [given, told]})
    assert said["EVSEStatusRecords"]["EvseStatusRecord"] == [{"EvseID": told, "EvseStatus": "Occupied"}]
    asked = {"ProviderID": "DE-DCB", "OperatorIDs": ["DE*ABC"]}
    said = await bridge.ask("dcb", "PullEVSEPricing", asked, id="DE-DCB")
    assert [each["EvseID"] for each in said["EVSEPricing"][0]["EVSEPricing"]] == [told]


@pytest.mark.parametrize("word", ["Faulted", "CHARGING", ""])
async def test_a_status_that_oicp_does_not_list_refuses_the_push(bridge: Bridged, word: str) -> None:
    await push(bridge, _evse(1), _evse(2))
    states = [{"EvseID": f"DE*ABC*E{number}", "EvseStatus": status} for number, status in ((1, "Reserved"), (2, word))]
    message = {"ActionType": "insert", "OperatorEvseStatus": {"OperatorID": "DE*ABC", "EvseStatusRecord": states}}
    assert await _refused(bridge.ask("abc", "PushEvseStatus", message, id="DE*ABC")) == [f"{STATUS}/1/EvseStatus"]
    said = await bridge.ask("dcb", "PullEvseStatus", {"ProviderID": "DE-DCB"})
    assert said["EvseStatuses"]["OperatorEvseStatus"] == []


WRONG_PRODUCTS: Final[list[tuple[dict[str, Any], str]]] = [
    ({"PricePerReferenceUnit": -1}, "PricePerReferenceUnit"),
    ({"PricePerReferenceUnit": "NaN"}, "PricePerReferenceUnit"),
    ({"ReferenceUnit": "WEEK"}, "ReferenceUnit"),
    ({"ProductPriceCurrency": "EURO"}, "ProductPriceCurrency"),
    ({"MaximumProductChargingPower": 0}, "MaximumProductChargingPower"),
    ({"MaximumProductChargingPower": None}, "MaximumProductChargingPower"),
    ({"IsValid24hours": None}, "IsValid24hours"),
    ({"ProductAvailabilityTimes": None}, "ProductAvailabilityTimes"),
    ({"ProductAvailabilityTimes": [{"Periods": [], "on": "Everyday"}]}, "ProductAvailabilityTimes/0/Periods"),
    ({"ProductAvailabilityTimes": [{"Periods": [{"begin": "08:00", "end": "18:00"}], "on": "Holidays"}]},
     "ProductAvailabilityTimes/0/on"),
    ({"ProductAvailabilityTimes": [{"Periods": [{"begin": "08:00", "end": "18:00"}]}]},
     "ProductAvailabilityTimes/0/on"),
    ({"AdditionalReferences": [FEE, {**FEE, "AdditionalReference": "JOY FEE"}]},
     "AdditionalReferences/1/AdditionalReference"),
    ({"AdditionalReferences": [{**FEE, "AdditionalReferenceUnit": "WEEK"}]},
     "AdditionalReferences/0/AdditionalReferenceUnit"),
    ({"AdditionalReferences": [{**FEE, "PricePerAdditionalReferenceUnit": -1}]},
     "AdditionalReferences/0/PricePerAdditionalReferenceUnit"),
    ({"AdditionalReferences": [{**FEE, "PricePerAdditionalReferenceUnit": "much"}]},
     "AdditionalReferences/0/PricePerAdditionalReferenceUnit"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "place"), WRONG_PRODUCTS)
async def test_a_product_that_is_not_oicps_refuses_the_push_and_no_fee_of_it_is_left_out(
    bridge: Bridged, fields: dict[str, Any], place: str
) -> None:
    data = prices({"OperatorID": "DE*ABC", "PricingProductDataRecords": [{}]})
    data["PricingProductDataRecords"] = [product({"ProductID": "DC"}), product(fields)]
    pushed = bridge.ask("abc", "PushPricingProductData", {"ActionType": "insert", "PricingProductData": data})
    assert f"{PRODUCTS}/1/{place}" in await _refused(pushed)
    said = await bridge.ask("dcb", "PullPricingProductData", {"OperatorIDs": ["DE*ABC"]}, id="DE-DCB")
    assert said["PricingProductData"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PricingDefaultPrice", -1),
        ("PricingDefaultPrice", None),
        ("PricingDefaultPriceCurrency", "Euros"),
        ("PricingDefaultReferenceUnit", "WEEK"),
    ],
)
async def test_a_default_price_that_is_not_oicps_refuses_the_push(bridge: Bridged, name: str, value: object) -> None:
    data = {**prices({"OperatorID": "DE*ABC"}), name: value}
    pushed = bridge.ask("abc", "PushPricingProductData", {"ActionType": "insert", "PricingProductData": data})
    assert await _refused(pushed) == [f"/PricingProductData/{name}"]


async def test_a_currency_in_small_letters_is_told_in_capitals(bridge: Bridged) -> None:
    data = prices({"OperatorID": "DE*ABC", "PricingDefaultPriceCurrency": "chf"})
    data["PricingProductDataRecords"] = [product({"ProductPriceCurrency": "chf"})]
    message = {"ActionType": "insert", "PricingProductData": data}
    await bridge.ask("abc", "PushPricingProductData", message, id="DE*ABC")
    said = await bridge.ask("dcb", "PullPricingProductData", {"OperatorIDs": ["DE*ABC"]}, id="DE-DCB")
    assert check("PricingProductDataAnswer", said) == []
    assert said["PricingProductData"][0]["PricingDefaultPriceCurrency"] == "CHF"
    assert said["PricingProductData"][0]["PricingProductDataRecords"][0]["ProductPriceCurrency"] == "CHF"


@pytest.mark.parametrize(
    ("products", "place"),
    [([], "EvseIDProductList"), (["x" * 51], "EvseIDProductList/0"), (["AC1", "x" * 51], "EvseIDProductList/1")],
)
async def test_prices_of_an_evse_are_told_whole_or_refused(bridge: Bridged, products: list[str], place: str) -> None:
    pricing = [{"EvseID": "DE*ABC*E1", "ProviderID": "*", "EvseIDProductList": products}]
    pushed = bridge.ask("abc", "PushEVSEPricing", {"ActionType": "insert", "EVSEPricing": pricing}, id="DE*ABC")
    assert f"/EVSEPricing/0/{place}" in await _refused(pushed)


@pytest.mark.parametrize("name", ["GeoCoordinates", "GeoChargingPointEntrance"])
async def test_a_point_that_is_told_as_two_places_is_refused(bridge: Bridged, name: str) -> None:
    both = {**_google("53.543611 9.988889")["GeoCoordinates"], **_degrees("11.576", "48.137")["GeoCoordinates"]}
    with pytest.raises(Unfit) as refused:
        await push(bridge, _evse(1), _evse(2, **{name: both}))
    assert [fault.pointer for fault in refused.value.faults] == [f"{DATA}/1/{name}"]
    assert await pulled(bridge) == {}


@pytest.mark.parametrize("form", ["Google", "DecimalDegree", "DegreeMinuteSeconds"])
async def test_a_point_that_is_told_in_two_forms_is_pulled_in_the_one_that_is_asked_for(
    bridge: Bridged, form: str
) -> None:
    both = {**_google("53.54361 9.98889")["GeoCoordinates"], **_degrees("9.988889", "53.543611")["GeoCoordinates"]}
    await push(bridge, _evse(1, GeoCoordinates=both))
    (record,) = (await pulled(bridge, GeoCoordinatesResponseFormat=form)).values()
    assert list(record["GeoCoordinates"]) == [form]


async def test_a_price_in_a_list_is_no_price(bridge: Bridged) -> None:
    wrong = product({"PricePerReferenceUnit": [Decimal("0.50")]})
    data = {**prices({"OperatorID": "DE*ABC"}), "PricingProductDataRecords": [product({"ProductID": "DC"}), wrong]}
    push = {"ActionType": "fullLoad", "PricingProductData": data}
    refused = await _refused(bridge.ask("abc", "PushPricingProductData", push, id="DE*ABC"))
    assert refused == [f"{PRODUCTS}/1/PricePerReferenceUnit"]
