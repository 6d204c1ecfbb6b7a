"""What a charge came to: what of a CDR OICP says, what of a record becomes a bill."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.parties import Party
from modules.cdrs.build import build
from modules.cdrs.wire import CDR
from partners.oicp.mapping.cdrs import facts_of, lost_in, oddities, record_of
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.signed_values import read_signed, said_signed
from partners.oicp.mapping.terms import Notes, Terms
from partners.oicp.wire import write
from partners.oicp.wire.cdrs import ChargeDetailRecord
from tests.laws.objects import objects
from tests.partners.oicp.laws import BOUNDED
from tests.partners.oicp.mapping.ocpi import WHEN, place
from tests.partners.oicp.mapping.test_tariffs import ENERGY, PARKING, tariff

SESSION_ID = "b2688855-7f00-0002-6d8e-48d883f6abb6"
NAMES = {
    "SessionID": SESSION_ID,
    "EvseID": "DE*ABC*E1",
    "Identification": {"RFIDMifareFamilyIdentification": {"UID": "04A1B2C3"}},
}
RECORD: dict[str, Any] = {
    **NAMES,
    "ChargingStart": "2026-03-01T10:01:00.000+01:00",
    "ChargingEnd": "2026-03-01T11:01:00.000+01:00",
    "SessionStart": "2026-03-01T10:00:00.000+01:00",
    "SessionEnd": "2026-03-01T11:31:00.000+01:00",
    "ConsumedEnergy": Decimal("12.340"),
}
TOKEN = {
    "country_code": "DE",
    "party_id": "DCB",
    "uid": "04A1B2C3",
    "type": "RFID",
    "contract_id": "DE-DCB-C12345678-4",
}
INFO = {"MeteringSignatureEncodingFormat": "OCMF", "PublicKey": "a key"}
SIGNED = [
    {"SignedMeteringValue": "OCMF|start ä", "MeteringStatus": "Start"},
    {"SignedMeteringValue": "OCMF|between", "MeteringStatus": "Progress"},
    {"SignedMeteringValue": "OCMF|end", "MeteringStatus": "End"},
]


def bill(record: dict[str, Any]) -> dict[str, Any]:
    """The CDR that our engine makes of a record."""
    facts = facts_of(
        record,
        party=Party("DE", "ABC"),
        session_id=SESSION_ID,
        token=TOKEN,
        location=place(),
        evse_uid="DEABCE1",
        connector_id="1",
        tariffs=[tariff(ENERGY, PARKING)],
        auth_method="AUTH_REQUEST",
        reference=SESSION_ID,
    )
    return CDR["2.3.0"].read(build(facts)).tree()


def said(cdr: dict[str, Any], **terms: Any) -> dict[str, Any]:
    return record_of(cdr, NAMES, time_zone="Europe/Berlin", terms=Terms(**terms)).value


def value(text: str, nature: str) -> dict[str, str]:
    return {"nature": nature, "plain_data": text, "signed_data": base64.b64encode(text.encode()).decode()}


def test_a_record_is_billed_and_said_again_as_it_was() -> None:
    cdr = bill({**RECORD, "SignedMeteringValues": SIGNED, "CalibrationLawVerificationInfo": INFO})
    assert cdr["total_energy"] == Decimal("12.340")
    assert cdr["total_cost"]["before_taxes"] > 0
    assert cdr["authorization_reference"] == SESSION_ID
    again = write(ChargeDetailRecord, said(cdr))
    assert again == {**RECORD, "SignedMeteringValues": SIGNED, "CalibrationLawVerificationInfo": INFO}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ChargingEnd": "2026-03-01T10:00:00+01:00"}, "contradict"),
        ({"SessionEnd": "2026-03-01T11:00:00+01:00"}, "contradict"),
        ({"ConsumedEnergy": Decimal(-1)}, "below zero"),
        ({"ConsumedEnergy": {"kWh": 1}}, "no number"),
        ({"SessionStart": "then"}, "no moment"),
    ],
)
def test_a_record_that_cannot_be_so_is_not_billed(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotSayable, match=reason):
        bill({**RECORD, **fields})


def test_a_credit_has_no_record() -> None:
    with pytest.raises(NotSayable, match="credit"):
        said({**bill(RECORD), "credit": True})


def test_an_evse_that_promises_signed_values_sends_no_record_without() -> None:
    cdr = bill(RECORD)
    with pytest.raises(NotSayable, match="signed values"):
        said(cdr, calibration_law="External")


def test_price_and_place_are_told_as_lost() -> None:
    mapped = record_of(bill(RECORD), NAMES, time_zone="")
    assert {"/currency", "/total_cost", "/tariffs", "/cdr_location", "/auth_method"} <= set(mapped.lost)


def test_signed_values_are_told_to_the_last_character() -> None:
    signed = {"encoding_method": "OCMF", "signed_values": [value(" OCMF|ä\n", "Start"), value("e", "End")]}
    notes = Notes()
    record = said_signed(signed, notes)
    assert read_signed(record, notes) == signed
    assert notes.lost == {}


def test_a_lone_end_stands_behind_an_empty_start() -> None:
    signed = {"encoding_method": "OCMF", "signed_values": [value("e", "End")]}
    record = said_signed(signed, Notes())
    assert [each["MeteringStatus"] for each in record["SignedMeteringValues"]] == ["Start", "End"]
    assert read_signed(record, Notes()) == signed


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["Start", *["Intermediate"] * 12, "End"], ["Start", *["Progress"] * 8, "End"]),
        (["Start", "Intermediate", "End"], ["Start", "Progress", "End"]),
    ],
)
def test_of_too_many_signed_values_those_in_the_middle_stay(values: list[str], kept: list[str]) -> None:
    notes = Notes()
    signed = {"encoding_method": "OCMF", "signed_values": [value("v", nature) for nature in values]}
    record = said_signed(signed, notes)
    assert [each["MeteringStatus"] for each in record["SignedMeteringValues"]] == kept
    assert bool(notes.warnings) is (len(values) > len(kept))


@pytest.mark.parametrize(("nature", "kept"), [("Start", 0), ("Intermediate", 2), ("End", 0)])
def test_no_signed_value_is_cut(nature: str, kept: int) -> None:
    notes = Notes()
    values = [value("x" * 3001 if each == nature else "v", each) for each in ("Start", "Intermediate", "End")]
    record = said_signed({"encoding_method": "OCMF", "signed_values": values}, notes)
    assert len(record.get("SignedMeteringValues", ())) == kept
    assert notes.lost
    assert notes.warnings


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"MeteringSignatureEncodingFormat": "x" * 37},
        {**INFO, "PublicKey": "k" * 513},
    ],
)
def test_signed_values_that_ocpi_cannot_hold_stay_with_the_record_and_are_told(info: dict[str, str]) -> None:
    record = {**RECORD, "SignedMeteringValues": SIGNED, "CalibrationLawVerificationInfo": info}
    assert "signed_data" not in bill(record)
    assert "/SignedMeteringValues" in lost_in(record)
    assert len(oddities(record)) == 1


def test_a_meter_that_disagrees_is_told() -> None:
    assert oddities({**RECORD, "MeterValueStart": 100, "MeterValueEnd": Decimal("112.341")}) == ()
    assert len(oddities({**RECORD, "MeterValueStart": 100, "MeterValueEnd": Decimal("112.35")})) == 1


def test_what_a_cdr_has_no_word_for_is_told_as_lost() -> None:
    record = {**RECORD, "PartnerProductID": "AC 1", "MeterValueInBetween": {"meterValues": [1]}, "theirs": 1}
    assert lost_in(record) == ("/MeterValueInBetween", "/PartnerProductID", "/theirs")


@BOUNDED
@given(drawn=objects(CDR["2.3.0"].form), promised=st.sampled_from(["External", "Local"]))
def test_any_cdr_is_a_record_of_oicp_or_is_refused(drawn: dict[str, Any], promised: Any) -> None:
    cdr = CDR["2.3.0"].read(drawn).tree()
    try:
        mapped = record_of(cdr, NAMES, time_zone="Europe/Berlin", terms=Terms(calibration_law=promised))
    except NotSayable:
        return
    written = write(ChargeDetailRecord, mapped.value)
    assert abs(written["ConsumedEnergy"] - cdr["total_energy"]) <= Decimal("0.0005")
    assert "/currency" in mapped.lost


@BOUNDED
@given(first=st.integers(0, 3), length=st.integers(0, 90), rest=st.integers(0, 90), wh=st.integers(0, 99_999))
def test_times_and_energy_come_back_exactly(first: int, length: int, rest: int, wh: int) -> None:
    def at(minutes: int) -> str:
        return f"2026-03-01T{10 + minutes // 60:02d}:{minutes % 60:02d}:00.000+01:00"

    record = {
        **RECORD,
        "SessionStart": at(0),
        "ChargingStart": at(first),
        "ChargingEnd": at(first + length),
        "SessionEnd": at(first + length + rest + 1),
        "ConsumedEnergy": Decimal(wh if length else 0) / 1000,
    }
    again = said(bill(record))
    assert {name: again[name] for name in ("SessionStart", "SessionEnd", "ConsumedEnergy")} == {
        name: record[name] for name in ("SessionStart", "SessionEnd", "ConsumedEnergy")
    }
    if record["ConsumedEnergy"]:
        assert (again["ChargingStart"], again["ChargingEnd"]) == (record["ChargingStart"], record["ChargingEnd"])


def test_the_moment_of_a_record_is_that_of_utc() -> None:
    assert bill(RECORD)["start_date_time"] == "2026-03-01T09:00:00Z"
    assert WHEN.endswith("Z")
