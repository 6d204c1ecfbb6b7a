"""Records that are refused before they are acknowledged, and what is put right in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from hub.core.units import Unit
from partners.oicp.answers import Code, Refused
from partners.oicp.evse_table import EvseRow
from partners.oicp.ledger import ACTIVE, CLOSED
from partners.oicp.record_store import DELIVERED
from partners.oicp.wire import Unfit
from tests.partners.oicp.bridged import Bridged, bridged
from tests.partners.oicp.charges import EVSE, a_record, a_row, record_is

SIGNED = [{"SignedMeteringValue": "OCMF|1", "MeteringStatus": "End"}]
VERIFIED = {"CalibrationLawCertificateID": "c-1"}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place(EVSE, "DE*ABC", "POOL1", "DEABCE1")
        yield made


async def _refused(bridge: Bridged, by: str = "abc", emp: str = "dcb", **wrong: Any) -> Refused:
    row = await a_row(bridge, cpo=by, emp=emp)
    with pytest.raises(Refused) as refused:
        await bridge.ask(by, "ChargeDetailRecord", a_record(row, **wrong), id="DE*ABC")
    assert await bridge.oicp.records.store.find(row.id) is None
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state != CLOSED
    return refused.value


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"EvseID": "DE*ABC*E2"}, "EvseID"),
        ({"MeterValueStart": Decimal(100), "MeterValueEnd": Decimal(99)}, "MeterValueEnd"),
        ({"SignedMeteringValues": SIGNED}, "CalibrationLawVerificationInfo"),
        ({"SignedMeteringValues": SIGNED * 11, "CalibrationLawVerificationInfo": VERIFIED}, "SignedMeteringValues"),
        ({"Identification": {"RFIDMifareFamilyIdentification": {"UID": "AABBCCDD"}}}, "Identification"),
        ({"ChargingStart": "2026-05-04T10:59:00+02:00"}, "ChargingStart"),
        ({"SessionEnd": "2026-05-04T11:31:00+02:00"}, "SessionEnd"),
        ({"ConsumedEnergy": Decimal("12.3456789")}, "ConsumedEnergy"),
        (
            {
                "SignedMeteringValues": [{"SignedMeteringValue": "x" * 3001, "MeteringStatus": "End"}],
                "CalibrationLawVerificationInfo": VERIFIED,
            },
            "SignedMeteringValue",
        ),
    ],
)
async def test_a_record_that_cannot_be_so_is_refused_with_the_name_of_the_field(
    bridge: Bridged, wrong: dict[str, Any], named: str
) -> None:
    refused = await _refused(bridge, **wrong)
    assert refused.code is Code.DATA_ERROR
    assert named in refused.info


@pytest.mark.parametrize("emp", ["dcb", ""])
async def test_an_energy_that_is_not_the_difference_of_the_meter_is_taken_with_a_warning(
    bridge: Bridged, emp: str
) -> None:
    row = await a_row(bridge, emp=emp)
    meter = {"MeterValueStart": Decimal(10), "MeterValueEnd": Decimal(100)}
    with capture_logs() as logs:
        for _ in range(2):
            await bridge.ask("abc", "ChargeDetailRecord", a_record(row, **meter), id="DE*ABC")
    [warning] = [each for each in logs if each["event"] == "odd oicp record taken"]
    assert (warning["log_level"], warning["session"]) == ("warning", row.id)


@pytest.mark.parametrize("emp", ["dcb", ""])
@pytest.mark.parametrize("field", ["ConsumedEnergy", "MeterValueEnd"])
@pytest.mark.parametrize("value", [[Decimal(7)], ["7"], [], {"kWh": 7}])
async def test_an_energy_that_is_no_number_is_not_read_as_one(
    bridge: Bridged, field: str, value: Any, emp: str
) -> None:
    row = await a_row(bridge, emp=emp)
    with pytest.raises(Unfit) as refused:
        await bridge.ask("abc", "ChargeDetailRecord", a_record(row, **{field: value}), id="DE*ABC")
    assert [fault.pointer for fault in refused.value.faults] == [f"/{field}"]
    assert await bridge.oicp.records.store.find(row.id) is None


async def test_a_record_of_another_operators_evse_is_refused_as_such(bridge: Bridged) -> None:
    assert (await _refused(bridge, EvseID="DE*XYZ*E1")).code is Code.FOREIGN_EVSE
    await bridge.connect("hbs", "hub", party="DE*HBS", provider_ids=("DE-BSB",))
    assert (await _refused(bridge, by="hbs", emp="", EvseID="DE*XYZ*E1")).code is Code.FOREIGN_EVSE


async def test_an_evse_that_promises_signed_values_owes_them(bridge: Bridged) -> None:
    [row] = (await bridge.oicp.table.get_many(["DEABCE1"])).values()
    promise = replace(row, record={**row.record, "CalibrationLawDataAvailability": "External"})
    await bridge.world.store.commit(Unit().put(EvseRow.put(promise)))
    assert "SignedMeteringValues" in (await _refused(bridge)).info
    session = await a_row(bridge, emp="dcb")
    kept = a_record(session, SignedMeteringValues=SIGNED, CalibrationLawVerificationInfo=VERIFIED)
    assert (await bridge.ask("abc", "ChargeDetailRecord", kept, id="DE*ABC"))["Result"] is True


async def test_ids_in_small_letters_are_put_right(bridge: Bridged) -> None:
    row = await a_row(bridge, emp="dcb")
    await bridge.ask("abc", "ChargeDetailRecord", a_record(row, EvseID="de*abc*e1"), id="DE*ABC")
    await record_is(bridge, row, DELIVERED)
    [sent] = bridge.client.of("ChargeDetailRecord")
    assert sent["EvseID"] == EVSE


async def test_a_contract_of_the_session_is_its_driver_too(bridge: Bridged) -> None:
    row = await a_row(bridge, emp="dcb", token={"uid": "x", "contract_id": "DE-DCB-C00000001-6"})
    named = {"RemoteIdentification": {"EvcoID": "deDCBC000000016"}}
    record = a_record(row, Identification=named)
    assert (await bridge.ask("abc", "ChargeDetailRecord", record, id="DE*ABC"))["Result"] is True


async def test_the_same_record_again_closes_a_session_that_was_left_open(bridge: Bridged) -> None:
    row = await a_row(bridge, emp="dcb")
    await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC")
    await record_is(bridge, row, DELIVERED)
    await bridge.oicp.bridge.ledger.change(row.id, lambda known: replace(known, state=ACTIVE))
    await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC")
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == CLOSED


SPELLED_ANEW: list[dict[str, Any]] = [
    {"EvseID": "DEABCE1"},
    {"EvseID": "de*abc*e1"},
    {"SessionStart": "2026-05-04T09:00:00Z", "ChargingStart": "2026-05-04T09:02:00.000Z"},
    {"ChargingEnd": "2026-05-04T05:32:00-04:00", "SessionEnd": "2026-05-04T10:40:00+01:00"},
    {"ConsumedEnergy": "10.1230", "HubProviderID": "DE-DCB"},
    {"Identification": {"RFIDMifareFamilyIdentification": {"UID": "0102030405060708090a"}}},
]


@pytest.mark.parametrize("again", SPELLED_ANEW)
async def test_the_same_record_in_another_spelling_is_acknowledged_as_the_one_that_is_here(
    bridge: Bridged, again: dict[str, Any]
) -> None:
    row = await a_row(bridge, emp="dcb")
    first = await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC")
    await record_is(bridge, row, DELIVERED)
    assert await bridge.ask("abc", "ChargeDetailRecord", a_record(row, **again), id="DE*ABC") == first
    assert len(bridge.client.of("ChargeDetailRecord")) == 1


async def test_a_contract_is_the_same_with_and_without_its_separators(bridge: Bridged) -> None:
    row = await a_row(bridge, emp="dcb", token={"uid": "x", "contract_id": "DE-DCB-C00000001-6"})
    for contract in ("DE-DCB-C00000001-6", "DEDCBC000000016", "dedcbc000000016"):
        record = a_record(row, Identification={"RemoteIdentification": {"EvcoID": contract}})
        assert (await bridge.ask("abc", "ChargeDetailRecord", record, id="DE*ABC"))["Result"] is True


@pytest.mark.parametrize(
    "other",
    [
        {"SessionEnd": "2026-05-04T11:40:01+02:00"},
        {"ChargingEnd": "2026-05-04T11:32:00+01:59"},
        {"ConsumedEnergy": Decimal("10.124")},
        {"MeterValueEnd": Decimal(1)},
    ],
)
async def test_a_record_that_says_something_else_is_refused_in_whatever_spelling(
    bridge: Bridged, other: dict[str, Any]
) -> None:
    row = await a_row(bridge, emp="dcb")
    await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC")
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargeDetailRecord", a_record(row, EvseID="DEABCE1", **other), id="DE*ABC")
    assert refused.value.code is Code.SESSION_INVALID


@pytest.mark.parametrize("evse_id", ["DE*BSB*E1", "DE*ABC*E1", "BE*AAA*E1"])
async def test_a_hub_brings_no_record_of_an_evse_that_is_ours_or_of_a_cpo_of_ours(
    bridge: Bridged, evse_id: str
) -> None:
    await bridge.connect("hbs", "hub", party="DE*HBS", provider_ids=("DE-BSB",))
    row = await a_row(bridge, cpo="hbs", cpo_party="FR*XYZ", evse_id="")
    with pytest.raises(Refused) as refused:
        await bridge.ask("hbs", "ChargeDetailRecord", a_record(row, EvseID=evse_id), id="FR*XYZ")
    assert (refused.value.code, refused.value.info) == (Code.FOREIGN_EVSE, evse_id)
    assert await bridge.oicp.records.store.find(row.id) is None
    assert (await bridge.oicp.bridge.ledger.get(row.id)).is_open
