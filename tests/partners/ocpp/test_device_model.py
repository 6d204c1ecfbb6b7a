"""The device model of chargers of 2.x: asked once, gathered from parts, bounded, and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import InvalidRequest
from hub.core.units import Audit
from partners.ocpp import device_model, schemas
from partners.ocpp.device_model import MOST_VARIABLES, rows_of
from partners.ocpp.variables import Variable, named_in, parsed, row_in
from tests.partners.ocpp.library import a_library_point
from tests.partners.ocpp.site import TALKATIVE, Payload, Point, Site, a_site, until

BOOT: Payload = {"chargingStation": {"vendorName": "Acme", "model": "Two", "firmwareVersion": "1"}, "reason": "PowerUp"}


def told(component: str, variable: str, value: Any, instance: str | None = None) -> Payload:
    """An entry of a NotifyReport."""
    of_variable = {"name": variable, **({"instance": instance} if instance else {})}
    return {
        "component": {"name": component},
        "variable": of_variable,
        "variableAttribute": [{"type": "Actual", "value": value, "mutability": "ReadWrite"}],
        "variableCharacteristics": {"dataType": "string", "supportsMonitoring": False},
    }


def part(request: int, seq: int, *entries: Payload, more: bool = True) -> Payload:
    named = {"requestId": request, "generatedAt": "2026-01-01T00:00:00Z", "seqNo": seq, "tbc": more}
    return {**named, "reportData": list(entries)} if entries else named


async def values(site: Site) -> dict[str, str]:
    rows = await rows_of(site.hub.store, "CP1", "variables")
    return {name: row["values"]["Actual"] for name, row in rows.items()}


async def alarms(site: Site) -> list[Audit]:
    rows = await site.hub.store.audit_rows(after=0, limit=1000)
    return [row.audit for row in rows if row.audit.action == "station.alert"]


async def asked_for_all(cp: Point) -> int:
    """The number of the request for all variables."""
    await until(lambda: any(action == "GetBaseReport" for action, _ in cp.asked))
    return int(next(payload for action, payload in cp.asked if action == "GetBaseReport")["requestId"])


async def a_booted_point(site: Site, **more: Any) -> Point:
    cp = await site.point(protocols=["ocpp2.0.1"], **more)
    cp.answers |= {name: {"status": "Accepted"} for name in ("GetBaseReport", "TriggerMessage")}
    await cp.call("BootNotification", BOOT)
    return cp


async def test_a_station_tells_all_its_variables_once_for_each_firmware(site: Site) -> None:
    async with await a_booted_point(site) as cp:
        await site.settled()
        request = await asked_for_all(cp)
        rate = told("SmartChargingCtrlr", "RateUnit", "W,A")
        await cp.call("NotifyReport", part(request, 1, told("ReservationCtrlr", "Available", "false")))
        await cp.call("NotifyReport", part(request, 2, told("X", "Y", "1"), more=False))
        await cp.call("NotifyReport", part(request, 0, rate))
        assert await values(site) == {
            "ReservationCtrlr.Available": "false",
            "SmartChargingCtrlr.RateUnit": "W,A",
            "X.Y": "1",
        }
        stations = site.gateway.stations
        assert stations.supports("CP1", "Reservation") is False
        assert stations.limit_rules("CP1").units == ("W", "A")
        assert all(schemas.check("2.0.1", action, payload, strict=True) is None for action, payload in cp.asked)
        triggered = [payload for action, payload in cp.asked if action == "TriggerMessage"]
        places = [{"id": number, "connectorId": 1} for number in (1, 2)]
        assert triggered == [{"requestedMessage": "StatusNotification", "evse": place} for place in places]
    async with await a_booted_point(site) as cp:
        await site.settled()
        assert {action for action, _ in cp.asked} == {"TriggerMessage"}
    async with await site.point(protocols=["ocpp2.1"]) as cp:
        cp.answers["GetBaseReport"] = {"status": "Accepted"}
        newer = {**BOOT["chargingStation"], "firmwareVersion": "2"}
        await cp.call("BootNotification", {"chargingStation": newer, "reason": "FirmwareUpdate"})
        await site.settled()
        await asked_for_all(cp)


async def test_a_station_that_tells_no_full_inventory_tells_what_can_be_set(site: Site) -> None:
    async with await a_booted_point(site) as cp:
        cp.answers["GetBaseReport"] = lambda payload: {
            "status": "NotSupported" if payload["reportBase"] == "FullInventory" else "Accepted"
        }
        await site.settled()
        bases = [payload["reportBase"] for action, payload in cp.asked if action == "GetBaseReport"]
        assert bases == ["FullInventory", "ConfigurationInventory"]


async def test_nothing_is_asked_of_a_station_that_replays_its_queue(site: Site) -> None:
    async with await site.point(protocols=["ocpp2.0.1"]) as cp:
        link = site.gateway.stations.get("CP1").link
        assert link is not None
        link.money_at = link.settle_at = now = site.hub.clock.monotonic()
        await until(lambda: link.settle_at != now)
        assert (link.settle_at is None, cp.asked) == (False, [])


async def test_parts_in_any_order_and_twice_are_one_report(site: Site) -> None:
    async with await site.point(protocols=["ocpp2.0.1"]) as cp:
        parts = [part(7, n, told("C", f"V{n}", str(n)), more=n < 3) for n in range(4)]
        for each in (3, 1, 1, 0, 2):
            await cp.call("NotifyReport", parts[each])
        assert await values(site) == {f"C.V{n}": str(n) for n in range(4)}
        await cp.call("NotifyReport", part(8, 0, told("C", "V1", "one"), more=False))
        assert await values(site) == {"C.V0": "0", "C.V1": "one", "C.V2": "2", "C.V3": "3"}


async def test_a_report_without_its_last_part_is_kept_as_it_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_model, "QUIET_S", 0.05)
    async with await site.point(protocols=["ocpp2.1"]) as cp:
        await cp.call("NotifyReport", part(7, 0, told("C", "V0", "0")))
        await cp.call("NotifyReport", part(7, 5, told("C", "V5", "5", "i.1"), more=False))

        async def is_kept() -> bool:
            return await values(site) == {"C.V0": "0", "C.V5[i%2E1]": "5"}

        await until(is_kept)


async def test_a_station_fills_no_store_with_made_up_variables(tmp_path: Path) -> None:
    async with a_site(tmp_path, **TALKATIVE) as site, await site.point(protocols=["ocpp2.0.1"]) as cp:
        for first in range(0, MOST_VARIABLES + 1000, 500):
            entries = [told("C", f"V{n}", "x") for n in range(first, first + 500)]
            await cp.call("NotifyReport", part(7, first // 500, *entries))
        await cp.call("NotifyReport", part(7, (MOST_VARIABLES + 1000) // 500, more=False))
        assert len(await values(site)) == MOST_VARIABLES


async def test_a_password_that_a_station_tells_is_not_kept(site: Site) -> None:
    async with await site.point(protocols=["ocpp2.0.1"]) as cp:
        secrets = [told("SecurityCtrlr", "BasicAuthPassword", "open-sesame"), told("N", "ApnPassword", "open-sesame")]
        await cp.call("NotifyReport", part(7, 0, *secrets, more=False))
    rows = await rows_of(site.hub.store, "CP1", "variables")
    assert set(rows) == {"SecurityCtrlr.BasicAuthPassword", "N.ApnPassword"}
    assert "open-sesame" not in str(rows)
    assert "open-sesame" not in str(site.gateway.stations.messages("CP1"))


async def test_what_a_station_reported_goes_with_it(site: Site) -> None:
    async with await site.point(protocols=["ocpp2.0.1"]) as cp:
        await cp.call("NotifyReport", part(7, 0, told("C", "V", "x"), more=False))
    await site.gateway.stations.delete("CP1")
    assert await values(site) == {}


async def test_an_alarm_of_a_monitor_is_kept_for_good(site: Site) -> None:
    async with await site.point(protocols=["ocpp2.0.1"]) as cp:
        temperature = {"component": {"name": "Cable"}, "variable": {"name": "Temperature"}}
        monitor = {"id": 3, "transaction": False, "value": 70, "type": "UpperThreshold"}
        monitors = [{**monitor, "severity": 2}, {**monitor, "id": 4, "severity": 8}]
        told = {"monitor": [{**temperature, "variableMonitoring": monitors}], "requestId": 1, "seqNo": 0}
        await cp.call("NotifyMonitoringReport", {**told, "generatedAt": "2026-01-01T00:00:00Z"})
        assert set(await rows_of(site.hub.store, "CP1", "monitors")) == {"3", "4"}
    live = site.gateway.stations.get("CP1")
    event = {**temperature, "trigger": "Alerting", "actualValue": "71"}
    events = [{**event, "variableMonitoringId": number} for number in (3, 4)]
    await device_model.alerted(site.hub, live, [*events, {**event, "severity": 9}, "nonsense", event])
    alerts = await alarms(site)
    assert [(row.subject, row.detail) for row in alerts] == [
        ("Cable.Temperature", "severity 2, value 71"),
        ("Cable.Temperature", "severity 5, value 71"),
    ]


@pytest.mark.parametrize(
    ("text", "variable", "attribute"),
    [
        ("SmartChargingCtrlr.RateUnit", Variable("SmartChargingCtrlr", "RateUnit"), "Actual"),
        ("EVSE@1.Power:MaxSet", Variable("EVSE", "Power", evse=1), "MaxSet"),
        ("Connector@1/2.AvailabilityState", Variable("Connector", "AvailabilityState", evse=1, connector=2), "Actual"),
        ("C[a b].V[i%2E1]", Variable("C", "V", component_instance="a b", instance="i.1"), "Actual"),
    ],
)
def test_a_variable_is_written_as_it_is_read(text: str, variable: Variable, attribute: str) -> None:
    assert parsed(text) == (variable, attribute)
    assert variable.text == text.partition(":")[0]
    assert named_in(variable.tree()) == variable


@pytest.mark.parametrize("text", ["", "x", ".y", "a.b.c", "a.b:Nonsense", "a[.b", "a@x.b", "a" * 51 + ".b"])
def test_a_name_that_names_no_variable_is_told(text: str) -> None:
    with pytest.raises(InvalidRequest):
        parsed(text)


@pytest.mark.parametrize(
    "entry", [None, 1, {}, {"component": {}}, {"component": {"name": 1}, "variable": {"name": "v"}}]
)
def test_an_entry_that_names_no_variable_is_passed_over(entry: Any) -> None:
    assert row_in(entry) is None


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
async def test_a_client_that_others_wrote_reports_its_variables(tmp_path: Path, protocol: str) -> None:
    accepted = {"status": "Accepted"}
    answers = {"GetBaseReport": accepted, "TriggerMessage": accepted}
    async with a_site(tmp_path, ocpp_settle_s=0.05) as site, a_library_point(site, protocol, answers) as library:
        station = {"vendor_name": "Acme", "model": "Two"}
        await library.call("BootNotification", charging_station=station, reason="PowerUp")
        await until(lambda: any(action == "GetBaseReport" for action, _ in library.heard))
        request = next(payload["request_id"] for action, payload in library.heard if action == "GetBaseReport")
        entry = {
            "component": {"name": "AlignedDataCtrlr"},
            "variable": {"name": "Interval"},
            "variable_attribute": [{"value": "900"}],
        }
        at = "2026-01-01T00:00:00Z"
        await library.call("NotifyReport", request_id=request, generated_at=at, seq_no=0, report_data=[entry])
        assert await values(site) == {"AlignedDataCtrlr.Interval": "900"}


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
async def test_a_client_that_others_wrote_has_a_variable_set_and_read(site: Site, protocol: str) -> None:
    about = {"component": {"name": "AlignedDataCtrlr"}, "variable": {"name": "Interval"}}
    read = {"attribute_status": "Accepted", "attribute_value": "60", **about}
    answers: dict[str, Any] = {
        "SetVariables": {"set_variable_result": [{"attribute_status": "Accepted", **about}]},
        "GetVariables": {"get_variable_result": [read]},
    }
    async with a_library_point(site, protocol, answers) as library:
        stations, data = site.gateway.stations, {"attributeValue": "60", **about}
        await stations.call("CP1", "SetVariables", {"setVariableData": [data]})
        called = await stations.call("CP1", "GetVariables", {"getVariableData": [about]})
        assert called.payload is not None
        assert called.payload["getVariableResult"][0]["attributeValue"] == "60"
        assert library.heard[0][1]["set_variable_data"][0]["attribute_value"] == "60"
