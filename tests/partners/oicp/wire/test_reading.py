"""Messages as they are met in the field: what is put right, what is left out, what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.inbound import encode, parse
from partners.oicp.wire import (
    ANSWERS,
    REQUESTS,
    Acknowledgement,
    IdentificationType,
    NotSayable,
    Unfit,
    read,
    read_notification,
    write,
)
from partners.oicp.wire.evse_data import EvseDataRecordType

SESSION = "b2688855-7f00-0002-6d8e-48d883f6abb6"
CARD = {"RFIDMifareFamilyIdentification": {"UID": "04A1B2C3"}}
CDR: dict[str, Any] = {
    "SessionID": SESSION,
    "EvseID": "DE*ABC*E1",
    "Identification": CARD,
    "ChargingStart": "2026-03-01T10:00:00+01:00",
    "ChargingEnd": "2026-03-01T11:00:00+01:00",
    "SessionStart": "2026-03-01T09:59:00+01:00",
    "SessionEnd": "2026-03-01T11:05:00+01:00",
    "ConsumedEnergy": Decimal("12.340"),
}
DIRTY: dict[str, Any] = {
    "EvseID": "CH*SWI*E10382",
    "ChargingStationId": "CH*SWI*E10382",
    "ChargingStationNames": [{"lang": None, "value": "Parkhaus"}],
    "Address": {"City": "Basel", "Country": "CHE", "HouseNum": None, "Street": "Bahnhofstrasse", "Floor": ""},
    "GeoCoordinates": {"Google": "47.5 7.6"},
    "GeoChargingPointEntrance": {"Google": {"Coordinatea": "47.500001 7.600001"}},
    "ChargingFacilities": [{"power": "22.0", "powertype": "AC_3_PHASE"}, {"Power": Decimal("3.7")}, "nonsense"],
    "Plugs": "Type 2 Outlet",
    "AuthenticationModes": ["remote", "Carrier Pigeon"],
    "OpeningTimes": [{"Periods": {"begin": "08:00", "end": "18:00"}, "On": "everyday"}],
    "RenewableEnergy": "true",
    "DynamicInfoAvailable": True,
    "lastUpdate": "2026-03-01T10:00:00",
    "OperatorId": "CH*SWI",
    "aFieldOfTheirs": {"kept": [1, None]},
}


def problems(findings: object) -> dict[str, str]:
    assert isinstance(findings, tuple)
    return {finding.pointer: finding.problem for finding in findings}


def test_a_record_of_the_field_is_read_and_every_oddity_told() -> None:
    tree, findings = read(EvseDataRecordType, DIRTY)
    assert tree["ChargingStationID"] == "CH*SWI*E10382"
    assert tree["ChargingStationNames"] == [{"value": "Parkhaus"}]
    assert tree["Address"] == {"City": "Basel", "Country": "CHE", "Street": "Bahnhofstrasse"}
    assert tree["GeoCoordinates"] == {"Google": {"Coordinates": "47.5 7.6"}}
    assert tree["GeoChargingPointEntrance"] == {"Google": {"Coordinates": "47.500001 7.600001"}}
    assert tree["ChargingFacilities"] == [{"Power": 22, "PowerType": "AC_3_PHASE"}, {"Power": Decimal("3.7")}]
    assert tree["Plugs"] == ["Type 2 Outlet"]
    assert tree["AuthenticationModes"] == ["REMOTE", "Carrier Pigeon"]
    assert tree["OpeningTimes"] == [{"Period": [{"begin": "08:00", "end": "18:00"}], "on": "Everyday"}]
    assert tree["RenewableEnergy"] is True
    assert tree["DynamicInfoAvailable"] == "true"
    assert tree["lastUpdate"] == "2026-03-01T10:00:00Z"
    assert tree["aFieldOfTheirs"] == {"kept": [1, None]}
    told = problems(findings)
    assert told["/AuthenticationModes/1"] == "none of the words that OICP lists"
    assert told["/ChargingFacilities/2"] == "not an object"
    assert told["/Address/HouseNum"] == "missing"
    assert told["/HotlinePhoneNumber"] == "missing"
    assert told["/GeoCoordinates/Google"] == "stands without its Coordinates"


def test_one_wrong_record_never_costs_the_others() -> None:
    wrong: list[Any] = [{"EvseID": "no id"}, {"Plugs": []}, "text", None, 7, [], {"EvseID": {"a": 1}}]
    good = [{"EvseID": f"DE*ABC*E{number}"} for number in range(3)]
    page = {"content": [good[0], *wrong, good[1], good[2]], "last": True}
    tree, findings = read(ANSWERS["PullEvseData"], page)
    assert tree["content"] == good
    lost = {
        finding.pointer.split("/")[2] for finding in findings if finding.is_dropped and "content" in finding.pointer
    }
    assert {"1", "2", "3", "5", "6", "7"} <= lost


@pytest.mark.parametrize(
    ("name", "message", "fault"),
    [
        ("AuthorizeStart", {"OperatorID": "DE*ABC"}, "/Identification"),
        ("AuthorizeStart", {"OperatorID": "DE*ABCD", "Identification": CARD}, "/OperatorID"),
        ("ChargeDetailRecord", {**CDR, "SessionEnd": "yesterday"}, "/SessionEnd"),
        ("ChargeDetailRecord", {**CDR, "ConsumedEnergy": "much"}, "/ConsumedEnergy"),
        ("AuthorizeRemoteStop", {"ProviderID": "DE-DCB", "EvseID": "DE*ABC*E1"}, "/SessionID"),
        ("AuthorizeRemoteStart", [], ""),
    ],
)
def test_a_message_that_cannot_be_acted_on_is_refused_by_the_field(name: str, message: Any, fault: str) -> None:
    with pytest.raises(Unfit) as refusal:
        read(REQUESTS[name], message)
    assert [found.pointer for found in refusal.value.faults] == [fault]


def test_all_fields_at_fault_are_named_at_once() -> None:
    with pytest.raises(Unfit) as refusal:
        read(REQUESTS["AuthorizeRemoteStart"], {})
    assert {found.pointer for found in refusal.value.faults} == {"/ProviderID", "/EvseID", "/Identification"}


def test_no_finding_and_no_fault_tells_a_secret() -> None:
    secret = {"QRCodeIdentification": {"EvcoID": "DE-SECRET-1", "PIN": {"secret": 1234}, "HashedPIN": "s3cret"}}
    tree, findings = read(IdentificationType, secret)
    assert tree == {"QRCodeIdentification": {"EvcoID": "DE-SECRET-1"}}
    assert "s3cret" not in str(findings)
    assert "1234" not in str(findings)
    with pytest.raises(NotSayable) as refusal:
        write(IdentificationType, secret)
    assert "SECRET" not in refusal.value.reason


def test_a_card_whose_number_is_odd_is_read_and_not_written() -> None:
    odd = {"RFIDMifareFamilyIdentification": {"UID": "AFFH1768"}}
    assert read(IdentificationType, odd).tree == odd
    with pytest.raises(NotSayable):
        write(IdentificationType, odd)


def test_numbers_and_times_pass_as_they_came() -> None:
    body = encode(CDR)
    again = encode(
        write(REQUESTS["ChargeDetailRecord"], read(REQUESTS["ChargeDetailRecord"], parse(body, limit=9999)).tree)
    )
    assert b'"ConsumedEnergy":12.340' in again
    assert b'"SessionStart":"2026-03-01T09:59:00+01:00"' in again


@pytest.mark.parametrize(
    ("met", "read_as"),
    [
        ("2026-03-01T10:00:00.123456789+0200", "2026-03-01T10:00:00.123456789+02:00"),
        ("2026-03-01 10:00", "2026-03-01T10:00:00Z"),
        ("2026-03-01t10:00:00z", "2026-03-01T10:00:00Z"),
        ("2026-03-01T10:00:00-05", "2026-03-01T10:00:00-05:00"),
    ],
)
def test_times_of_other_forms_are_read_with_a_finding(met: str, read_as: str) -> None:
    tree, findings = read(REQUESTS["ChargeDetailRecord"], {**CDR, "SessionEnd": met})
    assert tree["SessionEnd"] == read_as
    assert "/SessionEnd" in problems(findings)


def test_meter_values_are_read_bare_and_as_text() -> None:
    tree, _ = read(REQUESTS["ChargeDetailRecord"], {**CDR, "MeterValueInBetween": ["1.5", 2], "MeterValueStart": "0,5"})
    assert tree["MeterValueInBetween"] == {"meterValues": [Decimal("1.5"), 2]}
    assert tree["MeterValueStart"] == Decimal("0.5")


def test_a_signed_value_is_not_altered_by_a_character() -> None:
    signed = [{"SignedMeteringValue": "  OCMF|{}|\n ", "MeteringStatus": "Start"}]
    tree, findings = read(REQUESTS["ChargeDetailRecord"], {**CDR, "SignedMeteringValues": signed})
    assert tree["SignedMeteringValues"] == signed
    assert findings == ()


def test_an_error_without_a_result_is_an_answer() -> None:
    tree, _ = read(Acknowledgement, {"StatusCode": {"Code": 17, "Description": None}, "SessionID": None})
    assert tree == {"StatusCode": {"Code": "017"}}


def test_a_code_that_nobody_lists_is_read() -> None:
    assert read(Acknowledgement, {"Result": False, "StatusCode": {"Code": "404"}}).tree["StatusCode"] == {"Code": "404"}


@pytest.mark.parametrize("operators", ["DE*ABC", ["DE*ABC"]])
def test_one_operator_is_asked_for_as_text(operators: object) -> None:
    asked = {"ProviderID": "DE-DCB", "From": "2026-01-01T00:00:00Z", "To": "2026-01-02T00:00:00Z"}
    tree, _ = read(REQUESTS["GetChargeDetailRecords"], {**asked, "OperatorID": operators})
    assert tree["OperatorID"] == ["DE*ABC"]
    assert write(REQUESTS["GetChargeDetailRecords"], tree)["OperatorID"] == "DE*ABC"
    two = write(REQUESTS["GetChargeDetailRecords"], {**tree, "OperatorID": ["DE*ABC", "DE*DEF"]})
    assert two["OperatorID"] == ["DE*ABC", "DE*DEF"]


def test_products_are_read_out_of_their_objects() -> None:
    pricing = {"EvseID": "DE*ABC*E1", "ProviderID": "*", "EvseIDProductList": [{"ProductID": "AC 1"}, "DC"]}
    tree, _ = read(REQUESTS["PushEVSEPricing"], {"ActionType": "fullLoad", "EVSEPricing": [pricing]})
    assert tree["EVSEPricing"][0]["EvseIDProductList"] == ["AC 1", "DC"]


def test_prices_for_everybody_are_for_everybody_and_nobody_else() -> None:
    pricing = {"EvseID": "DE*ABC*E1", "ProviderID": "*anything", "EvseIDProductList": ["DC"]}
    tree, _ = read(REQUESTS["PushEVSEPricing"], {"ActionType": "fullLoad", "EVSEPricing": [pricing]})
    assert tree["EVSEPricing"] == []


@pytest.mark.parametrize("spelling", ["Connector Error", "ConnectorError", "connectorerror"])
def test_a_notification_is_read_by_its_type(spelling: str) -> None:
    message = {"Type": "error", "SessionID": SESSION, "EvseID": "DE*ABC*E1", "ErrorType": spelling}
    assert read_notification(message).tree["ErrorType"] == "ConnectorError"


@pytest.mark.parametrize("message", [{}, {"Type": "Pause"}, {"Type": 3}, "Start", None])
def test_a_notification_of_no_type_is_refused(message: object) -> None:
    with pytest.raises(Unfit) as refusal:
        read_notification(message)
    assert refusal.value.faults[0].pointer == "/Type"


def test_the_spelling_of_the_specification_wins() -> None:
    tree, _ = read(EvseDataRecordType, {"evseid": "DE*ABC*E2", "EvseID": "DE*ABC*E1", "EVSEID": "DE*ABC*E3"})
    assert tree == {"EvseID": "DE*ABC*E1"}


def test_what_is_written_stands_in_the_order_of_the_specification() -> None:
    written = write(REQUESTS["ChargeDetailRecord"], {"theirs": 1, **dict(reversed(CDR.items()))})
    assert list(written) == [*CDR, "theirs"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EvseID", "DE-ABC-E1"),
        ("SessionID", "short"),
        ("ConsumedEnergy", Decimal("1.2345")),
        ("ConsumedEnergy", "1"),
        ("ConsumedEnergy", Decimal("NaN")),
        ("SessionEnd", "2026-03-01T10:00:00"),
        ("SessionEnd", "2026-13-01T10:00:00Z"),
        ("PartnerProductID", "x" * 51),
        ("CPOPartnerSessionID", "x" * 251),
    ],
)
def test_what_oicp_does_not_have_so_is_not_written(name: str, value: object) -> None:
    with pytest.raises(NotSayable) as refusal:
        write(REQUESTS["ChargeDetailRecord"], {**CDR, name: value})
    assert refusal.value.reason.startswith(f"/{name}: ")
