"""The scripted charge point of 2.0.1 and 2.1 against a CSMS that knows the schemas."""

from __future__ import annotations

from typing import Any, Literal, get_args

import pytest

from partners.ocpp import schemas
from partners.sandbox.point.clock import StepClock
from partners.sandbox.point.faults import Faults
from tests.partners.sandbox.csms import booted2

Version = Literal["2.0.1", "2.1"]
VERSIONS = get_args(Version)
CARD = "04A1B2C3"


def _kinds(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["eventType"], event["triggerReason"]) for event in events]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_charge_from_tap_to_unplugging_is_valid_in_every_frame(version: Version) -> None:
    async with booted2(version) as (world, charger):
        await charger.heartbeat()
        await charger.plug_in()
        assert await charger.tap(CARD) == "Accepted"
        assert await charger.charge(kwh=10, minutes=3) == pytest.approx(10)
        await charger.unplug()
        events = world.sent("TransactionEvent")
        assert _kinds(events) == [
            ("Started", "Authorized"),
            ("Updated", "ChargingStateChanged"),
            *[("Updated", "MeterValuePeriodic")] * 3,
            ("Ended", "EVCommunicationLost"),
        ]
        assert [event["seqNo"] for event in events] == list(range(6))
        assert len({event["transactionInfo"]["transactionId"] for event in events}) == 1
        assert events[0]["idToken"] == {"idToken": CARD, "type": "ISO14443"}
        assert events[0]["evse"] == {"id": 1, "connectorId": 1}
        assert events[-1]["transactionInfo"]["stoppedReason"] == "EVDisconnected"
        statuses = [payload["connectorStatus"] for payload in world.sent("StatusNotification")]
        assert statuses == ["Available", "Occupied", "Available"]
        assert world.invalid == charger.complaints.texts() == []


async def test_a_remote_start_is_named_by_its_number_and_ends_when_it_is_told() -> None:
    async with booted2("2.0.1") as (world, charger):
        await charger.plug_in()
        asked = {"remoteStartId": 77, "evseId": 1, "idToken": {"idToken": CARD, "type": "ISO14443"}}
        assert (await world.call("RequestStartTransaction", asked))["status"] == "Accepted"
        transaction = await charger.until_started()
        (started,) = [event for event in world.sent("TransactionEvent") if event["eventType"] == "Started"]
        assert (started["triggerReason"], started["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 77)
        answer = await world.call("RequestStopTransaction", {"transactionId": transaction.number})
        assert answer == {"status": "Accepted"}
        await charger.settled()
        assert world.sent("TransactionEvent")[-1]["triggerReason"] == "RemoteStop"
        assert world.invalid == charger.complaints.texts() == []


async def test_what_happened_offline_is_told_afterwards_and_marked() -> None:
    async with booted2("2.0.1", clock=StepClock()) as (world, charger):
        await charger.plug_in()
        await charger.go_offline()
        await charger.tap(CARD)
        await charger.charge(kwh=1, minutes=2)
        await charger.stop(1, "Local")
        await charger.go_online()
        await charger.settled()
        events = world.sent("TransactionEvent")
        assert all(event["offline"] for event in events)
        assert events[-1]["triggerReason"] == "StopAuthorized"
        assert world.invalid == []


async def test_a_limit_on_the_transaction_holds_and_is_shown() -> None:
    async with booted2("2.0.1") as (world, charger):
        await charger.plug_in()
        await charger.tap(CARD)
        transaction = await charger.until_started()
        period = {"startPeriod": 0, "limit": 10}
        profile = {
            "id": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "transactionId": transaction.number,
            "chargingSchedule": [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}],
        }
        foreign = {**profile, "transactionId": "another"}
        assert await world.call("SetChargingProfile", {"evseId": 1, "chargingProfile": foreign}) == {
            "status": "Rejected"
        }
        assert await world.call("SetChargingProfile", {"evseId": 1, "chargingProfile": profile}) == {
            "status": "Accepted"
        }
        shown = await world.call("GetCompositeSchedule", {"evseId": 1, "duration": 60, "chargingRateUnit": "A"})
        assert shown["schedule"]["chargingSchedulePeriod"] == [period]
        assert await charger.charge(kwh=10, minutes=30) <= 3.46
        assert world.invalid == charger.complaints.texts() == []


async def test_the_device_model_is_reported_in_pages_read_and_written() -> None:
    async with booted2("2.1") as (world, charger):
        assert await world.call("GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"}) == {
            "status": "Accepted"
        }
        await world.until("NotifyReport", 2)
        pages = world.sent("NotifyReport")
        assert [page["seqNo"] for page in pages] == list(range(len(pages)))
        interval = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
        written = await world.call("SetVariables", {"setVariableData": [{**interval, "attributeValue": "60"}]})
        assert written["setVariableResult"][0]["attributeStatus"] == "Accepted"
        read = await world.call("GetVariables", {"getVariableData": [interval]})
        assert read["getVariableResult"][0]["attributeValue"] == "60"
        assert charger.settings.number("HeartbeatInterval") == 60
        assert world.invalid == charger.complaints.texts() == []


async def test_habits_of_the_field_can_be_switched_on() -> None:
    faults = Faults(useless_numbers=True, stop_before_start=True, invalid_fields=True)
    async with booted2("2.0.1", faults=faults) as (world, charger):
        await charger.plug_in()
        await charger.tap(CARD)
        await charger.charge(kwh=1, minutes=2)
        await charger.unplug()
        events = world.sent("TransactionEvent")
        assert {event["seqNo"] for event in events} == {0}
        assert [event["eventType"] for event in events][-2:] == ["Ended", "Started"]
        assert world.invalid


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_call_of_a_csms_is_known(version: Version) -> None:
    from_station = {
        "Authorize", "BatterySwap", "BootNotification", "ClearedChargingLimit", "ClosePeriodicEventStream",
        "FirmwareStatusNotification", "Get15118EVCertificate", "GetCertificateChainStatus", "GetCertificateStatus",
        "Heartbeat", "LogStatusNotification", "MeterValues", "NotifyChargingLimit", "NotifyCustomerInformation",
        "NotifyDERAlarm", "NotifyDERStartStop", "NotifyDisplayMessages", "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule", "NotifyEvent", "NotifyMonitoringReport", "NotifyPeriodicEventStream",
        "NotifyPriorityCharging", "NotifyReport", "NotifySettlement", "OpenPeriodicEventStream",
        "PublishFirmwareStatusNotification", "PullDynamicScheduleUpdate", "ReportChargingProfiles",
        "ReportDERControl", "ReservationStatusUpdate", "SecurityEventNotification", "SignCertificate",
        "StatusNotification", "TransactionEvent", "VatNumberValidation",
    }  # fmt: skip
    async with booted2(version) as (_, charger):
        known = set(charger._answers._table)
    assert schemas.actions(version) - from_station <= known
