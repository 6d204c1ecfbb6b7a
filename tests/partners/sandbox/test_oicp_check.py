"""The OICP checker sees each kind of breach, and none in messages that are right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from partners.sandbox.oicp.check import check
from partners.sandbox.oicp.operations import OPERATIONS, located
from partners.sandbox.oicp.samples import evse, prices
from partners.sandbox.oicp.spec import ENUMS, IDS, OBJECTS
from partners.sandbox.oicp.wire import acknowledgement

SESSION = "b2688855-7f00-0002-6d8e-48d883f6abb6"
CARD = {"RFIDMifareFamilyIdentification": {"UID": "04A1B2C3"}}
REMOTE = {"RemoteIdentification": {"EvcoID": "DE-EEE-C00000001-0"}}
NOON, ONE = "2026-01-10T12:00:00.000+01:00", "2026-01-10T13:00:00+01:00"
RIGHT: dict[str, dict[str, Any]] = {
    "AuthorizeStart": {"OperatorID": "DE*ABC", "EvseID": "DE*ABC*E1", "Identification": CARD},
    "RemoteStart": {"ProviderID": "DE-EEE", "EvseID": "+49*810*000*438", "Identification": REMOTE},
    "AuthorizationStart": {
        "AuthorizationStatus": "Authorized",
        "StatusCode": {"Code": "000"},
        "SessionID": SESSION,
        "ProviderID": "DE-EEE",
    },
    "ChargeDetailRecord": {
        "SessionID": SESSION,
        "EvseID": "DE*ABC*E1",
        "Identification": CARD,
        "ConsumedEnergy": Decimal("1.234"),
        "SessionStart": NOON,
        "ChargingStart": NOON,
        "ChargingEnd": ONE,
        "SessionEnd": ONE,
    },
    "ChargingNotification": {
        "Type": "Progress",
        "SessionID": SESSION,
        "EvseID": "DE*ABC*E1",
        "OperatorID": "DE*ABC",
        "ChargingStart": NOON,
        "EventOccurred": ONE,
        "ChargingDuration": 3_600_000,
    },
    "PullEvseData": {"ProviderID": "DE-EEE", "GeoCoordinatesResponseFormat": "Google", "LastCall": NOON},
    "PullEvseStatusById": {"ProviderID": "DE-EEE", "EvseID": ["DE*ABC*E1"]},
    "GetChargeDetailRecords": {"ProviderID": "DE-EEE", "From": NOON, "To": ONE, "OperatorID": "DE*ABC"},
    "Acknowledgement": acknowledgement(),
    "EvseDataRecord": evse({"EvseID": "DE*ABC*E1"}),
    "PricingProductData": prices({"OperatorID": "DE*ABC"}),
}


@pytest.mark.parametrize("kind", RIGHT)
def test_a_right_message_has_no_breach(kind: str) -> None:
    assert check(kind, RIGHT[kind]) == []


@pytest.mark.parametrize(
    ("kind", "change", "at"),
    [
        ("AuthorizeStart", {"OperatorID": "DE-ABC"}, "/OperatorID"),
        ("AuthorizeStart", {"EvseID": "de*abc*e1"}, "/EvseID"),
        ("AuthorizeStart", {"EvseID": None}, "/EvseID"),
        ("AuthorizeStart", {"PartnerProductID": "x" * 51}, "/PartnerProductID"),
        ("AuthorizeStart", {"Identification": {**CARD, **REMOTE}}, "/Identification"),
        ("AuthorizeStart", {"Identification": {"RFIDMifareFamilyIdentification": {"UID": "04a1b2c3"}}}, "/Ident"),
        ("AuthorizeStart", {"Identification": {"RFIDIdentification": {"UID": "04A1B2C3", "RFID": "nfc"}}}, "/Ident"),
        ("AuthorizeStart", {"EvseId": "DE*ABC*E1"}, "/EvseId"),
        ("RemoteStart", {"Identification": CARD}, "/Identification"),
        ("AuthorizationStart", {"ProviderID": ""}, "/ProviderID"),
        ("AuthorizationStart", {"StatusCode": {"Code": "102"}}, "/StatusCode/Code"),
        ("ChargeDetailRecord", {"ConsumedEnergy": Decimal("1.2345")}, "/ConsumedEnergy"),
        ("ChargeDetailRecord", {"ConsumedEnergy": "1.2"}, "/ConsumedEnergy"),
        ("ChargeDetailRecord", {"ConsumedEnergy": -1}, "/ConsumedEnergy"),
        ("ChargeDetailRecord", {"SessionStart": "2026-01-10T12:00:00"}, "/SessionStart"),
        ("ChargeDetailRecord", {"ChargingEnd": "2026-01-10T10:00:00Z", "SessionEnd": "2026-01-10T12:30:00Z"}, "/: "),
        ("ChargeDetailRecord", {"SignedMeteringValues": [{"SignedMeteringValue": "x"}] * 11}, "/SignedMeteringValues"),
        ("ChargingNotification", {"ChargingDuration": 1.5}, "/ChargingDuration"),
        ("ChargingNotification", {"Type": "Pause"}, "/Type"),
        ("PullEvseData", {"OperatorIds": ["DE*ABC"]}, "/OperatorIds"),
        ("PullEvseStatusById", {"EvseID": ["DE*ABC*E1"] * 101}, "/EvseID"),
        ("PullEvseStatusById", {"EvseID": []}, "/EvseID"),
        ("Acknowledgement", {"Result": "true"}, "/Result"),
        ("Acknowledgement", {"Result": False}, "/StatusCode/Code"),
        ("EvseDataRecord", {"IsOpen24Hours": False}, "/OpeningTimes"),
        ("EvseDataRecord", {"DynamicInfoAvailable": True}, "/DynamicInfoAvailable"),
        ("EvseDataRecord", {"GeoCoordinates": {"Google": "53.5 9.9"}}, "/GeoCoordinates/Google"),
        ("EvseDataRecord", {"GeoCoordinates": {"Google": {"Coordinates": "53.5 9"}}}, "/GeoCoordinates/Google"),
        ("EvseDataRecord", {"PaymentOptions": ["No Payment", "Direct"]}, "/PaymentOptions"),
        ("EvseDataRecord", {"Plugs": "Type 2 Outlet"}, "/Plugs"),
        ("EvseDataRecord", {"ChargingFacilities": [{"PowerType": "DC", "Power": 1000}]}, "/ChargingFacilities/0/Power"),
        ("PricingProductData", {"ProviderID": "*x"}, "/ProviderID"),
    ],
)
def test_every_breach_is_named_where_it_stands(kind: str, change: dict[str, Any], at: str) -> None:
    breaches = check(kind, {**RIGHT[kind], **change})
    assert breaches
    assert breaches[0].startswith(at)


def test_a_notification_without_its_type_is_no_message() -> None:
    assert check("ChargingNotification", "Start") == ["/: is not an object"]


def test_every_kind_of_field_is_known() -> None:
    kinds = {field.kind for table in OBJECTS.values() for field in table.values()}
    assert kinds <= OBJECTS.keys() | ENUMS.keys() | IDS.keys() | {
        "string",
        "int",
        "decimal",
        "energy",
        "boolean",
        "DateTime",
    }
    assert {kind for each in OPERATIONS.values() for kind in (each.asked, each.answered)} <= OBJECTS.keys()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_found_by_its_path_with_any_id(name: str) -> None:
    for party in ("DE*ABC", "DE-EEE", "+49*810"):
        found = located(OPERATIONS[name].url("", party))
        assert found is not None
        assert found == (OPERATIONS[name], party if "{id}" in OPERATIONS[name].path else "")
    assert located("/nowhere") is None
