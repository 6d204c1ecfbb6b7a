"""The messages of a 1.6 charger other than transactions, and what the world sees of its connectors."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hub.core.clock import timestamp
from hub.core.units import Unit
from modules.sessions.service import release
from modules.tokens import service as tokens
from modules.tokens.authorize import By, Decision, remember
from modules.tokens.model import Token
from modules.tokens.store import AUTHORIZATIONS
from partners.ocpp import schemas
from partners.ocpp.v16 import HANDLERS
from partners.sandbox.charger import Charger
from partners.sandbox.point.clock import StepClock
from partners.sandbox.point.link import Security
from tests.partners.ocpp.reservation import held, reserved
from tests.partners.ocpp.site import (
    ASKED_CARD,
    CARD,
    PASSWORD,
    THEIRS,
    Payload,
    Site,
    a_site,
    recently,
    station,
    token,
    until,
)


@pytest.mark.parametrize(
    ("ocpp", "ocpi"),
    [
        ("Available", "AVAILABLE"),
        ("Preparing", "CHARGING"),
        ("Reserved", "RESERVED"),
        ("Unavailable", "INOPERATIVE"),
        ("Faulted", "OUTOFORDER"),
    ],
)
async def test_the_state_of_a_connector_is_the_status_of_its_evse(site: Site, ocpp: str, ocpi: str) -> None:
    async with await site.point() as cp:
        await cp.status(1, ocpp)
        assert (await site.evse_status("E1"), await site.evse_status("E2")) == (ocpi, "UNKNOWN")


async def test_connector_0_overrules_all_connectors(site: Site) -> None:
    async with await site.point() as cp:
        await cp.status(1, "Available")
        await cp.status(2, "Charging")
        await cp.status(0, "Unavailable")
        assert (await site.evse_status("E1"), await site.evse_status("E2")) == ("INOPERATIVE", "INOPERATIVE")
        await cp.status(0, "Available")
        assert (await site.evse_status("E1"), await site.evse_status("E2")) == ("AVAILABLE", "CHARGING")


async def test_old_news_moves_nothing_live(site: Site) -> None:
    now = recently(60)
    async with await site.point() as cp:
        await cp.status(1, "Available", now)
        await cp.status(1, "Charging", now - timedelta(minutes=10))
        assert await site.evse_status("E1") == "AVAILABLE"
    async with await site.point() as cp:
        await cp.status(1, "Faulted", now - timedelta(hours=5))
        assert await site.evse_status("E1") == "OUTOFORDER"


async def test_a_fault_during_a_charge_shows_when_the_charge_is_over(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.status(1, "Faulted")
        assert await site.evse_status("E1") == "CHARGING"
        await cp.stop(began + timedelta(hours=1), number, 3000)
        assert await site.evse_status("E1") == "OUTOFORDER"


async def test_a_switch_of_the_station_changes_what_the_world_sees(site: Site) -> None:
    await site.gateway.stations.put("CP1", station("E1", switches={"preparing_is_available": True}))
    async with await site.point() as cp:
        await cp.status(1, "Preparing")
    assert await site.evse_status("E1") == "AVAILABLE"


async def test_a_flickering_connector_is_told_of_once(tmp_path: Path) -> None:
    async with a_site(tmp_path, ocpp_status_debounce_s=1) as site:
        before = await site.hub.store.last_change()
        async with await site.point() as cp:
            for status in ("Available", "Preparing", "Charging", "SuspendedEV", "Available"):
                await cp.status(1, status)
            await until(lambda: _shows(site, "AVAILABLE"))
        rows = await site.hub.store.changes(after=before, limit=100)
        assert [row.change.what for row in rows if row.change.module == "locations"] == ["status/E1"]


async def _shows(site: Site, status: str) -> bool:
    return await site.evse_status("E1") == status


async def test_a_station_that_stays_away_is_unknown_after_the_grace(tmp_path: Path) -> None:
    async with a_site(tmp_path, offline_grace_s=1) as site:
        async with await site.point() as cp:
            await cp.status(1, "Available")
            assert await site.evse_status("E1") == "AVAILABLE"
        await asyncio.sleep(0.05)
        assert await site.evse_status("E1") == "AVAILABLE"
        await until(lambda: _shows(site, "UNKNOWN"))


async def test_a_restart_of_ours_takes_no_status_back(site: Site) -> None:
    async with await site.point() as cp:
        await cp.status(1, "Available")
    await site.restart()
    async with await site.point() as cp:
        await cp.boot()
        await cp.status(2, "Available")
    assert await site.evse_status("E1") == "AVAILABLE"


async def test_a_vendors_message_is_answered(site: Site) -> None:
    async with await site.point() as cp:
        assert await cp.call("DataTransfer", {"vendorId": "com.acme"}) == {"status": "UnknownVendorId"}


async def test_progress_of_firmware_logs_and_diagnostics_is_shown(site: Site) -> None:
    async with await site.point() as cp:
        await cp.call("FirmwareStatusNotification", {"status": "Downloading"})
        await cp.call("DiagnosticsStatusNotification", {"status": "Uploaded"})
        await cp.call("LogStatusNotification", {"status": "Uploading", "requestId": 1})
        await cp.call("SignedFirmwareStatusNotification", {"status": "InvalidSignature", "requestId": 1})
    assert site.gateway.stations.view("CP1")["progress"] == {
        "Firmware": "Downloading",
        "Diagnostics": "Uploaded",
        "Log": "Uploading",
        "SignedFirmware": "InvalidSignature",
    }


async def test_a_security_event_is_kept_in_the_audit_log(site: Site) -> None:
    async with await site.point() as cp:
        event = {"type": "StartupOfTheDevice", "timestamp": "2026-05-04T10:00:00Z", "techInfo": "cold"}
        assert await cp.call("SecurityEventNotification", event) == {}
    rows = await site.hub.store.audit_rows(after=0, limit=1000)
    assert ("CP1", "StartupOfTheDevice", "cold") in [
        (row.audit.actor, row.audit.subject, row.audit.detail) for row in rows
    ]


async def test_the_boot_interval_is_spread_so_that_a_fleet_does_not_march_in_step(site: Site) -> None:
    boot = {"chargePointVendor": "Acme", "chargePointModel": "Two", "firmwareVersion": "1.0"}
    async with await site.point() as cp:
        intervals = {(await cp.call("BootNotification", boot))["interval"] for _ in range(12)}
    assert len(intervals) > 1
    assert all(270 <= interval <= 330 for interval in intervals)
    assert site.gateway.stations.view("CP1")["firmware"] == "1.0"


async def test_the_parent_of_a_token_is_its_group(site: Site) -> None:
    card = Token.model_validate(token("GROUPED", group_id="FLEET-7"))
    await tokens.put(site.hub.store, THEIRS, "GROUPED", card, now=site.hub.clock.now())
    async with await site.point() as cp:
        answer = await cp.call("Authorize", {"idTag": "grouped"})
    assert answer == {"idTagInfo": {"parentIdTag": "FLEET-7", "status": "Accepted"}}


async def test_every_answer_of_ours_keeps_its_schema(site: Site) -> None:
    began = recently()
    calls: dict[str, Payload] = {
        "Authorize": {"idTag": CARD},
        "BootNotification": {"chargePointVendor": "Acme", "chargePointModel": "Two"},
        "Heartbeat": {},
        "StartTransaction": {"connectorId": 1, "idTag": CARD, "meterStart": 1, "timestamp": began.isoformat()},
        "MeterValues": {"connectorId": 1, "meterValue": []},
        "StopTransaction": {"transactionId": 1, "idTag": CARD, "meterStop": 2, "timestamp": began.isoformat()},
        "DataTransfer": {"vendorId": "x"},
    }
    async with await site.point() as cp:
        for action, payload in calls.items():
            answer = await cp.call(action, payload)
            assert schemas.check("1.6", action, answer, "response", strict=True) is None, action
    assert set(calls) < set(HANDLERS) <= schemas.actions("1.6")


async def test_a_start_takes_up_the_reservation_of_its_token_and_the_session_goes_on(site: Site) -> None:
    async with await site.point() as cp:
        await reserved(site, cp)
        assert [session["status"] for session in await site.sessions()] == ["RESERVATION"]
        began = site.hub.clock.now()
        number = (await cp.start(began))["transactionId"]
        assert (await held(site)).state == "used"
        await cp.stop(began + timedelta(hours=1), number, 3000)
    (session,), (cdr,) = await site.sessions(), await site.cdrs()
    assert (session["status"], session["auth_method"], cdr["session_id"]) == ("COMPLETED", "COMMAND", session["id"])
    assert "RESERVATION_TIME" in str(cdr["charging_periods"])


async def by_command(site: Site, uid: str = "APP-1") -> None:
    """A command brought a token to CP1."""
    decision = Decision("ALLOWED", By.COMMAND, token(uid), str(THEIRS), "CMD-1")
    put = remember(decision, uid, at="CP1", now=site.hub.clock.now())
    await site.hub.store.commit(Unit().put(put))


async def test_a_command_is_used_up_by_the_charge_that_starts_on_it(site: Site) -> None:
    await by_command(site)
    began = recently()
    async with await site.point() as cp:
        first = await cp.start(began, tag="APP-1")
        assert await cp.start(began, tag="APP-1") == first
        await cp.stop(began + timedelta(minutes=5), first["transactionId"], 3000)
        later = await cp.start(began + timedelta(minutes=6), tag="APP-1")
    assert (first["idTagInfo"]["status"], later["idTagInfo"]["status"]) == ("Accepted", "Invalid")
    assert [session["authorization_reference"] for session in await site.sessions()] == ["CMD-1"]
    assert await site.hub.store.select(AUTHORIZATIONS) == []


async def test_a_start_on_a_connector_without_a_place_uses_it_up_too(site: Site) -> None:
    await by_command(site)
    async with await site.point() as cp:
        await cp.start(recently(), tag="APP-1", connector=7)
    assert await site.hub.store.select(AUTHORIZATIONS) == []


async def test_what_an_emsp_said_is_for_one_charge(site: Site) -> None:
    began = recently()
    site.emsp.says = {"allowed": "ALLOWED", "token": token(ASKED_CARD), "authorization_reference": "R1"}
    async with await site.point() as cp:
        await cp.call("Authorize", {"idTag": ASKED_CARD})
        number = (await cp.start(began, tag=ASKED_CARD))["transactionId"]
        await cp.stop(began + timedelta(minutes=5), number, 3000)
        site.emsp.says = {"allowed": "NO_CREDIT", "token": token(ASKED_CARD)}
        again = await cp.start(began + timedelta(minutes=6), tag=ASKED_CARD)
    assert (again["idTagInfo"]["status"], len(site.emsp.asked)) == ("Blocked", 2)


async def test_a_second_charge_with_a_card_is_a_journey_of_its_own(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        await cp.call("Authorize", {"idTag": CARD})
        for minutes in (0, 10):
            number = (await cp.start(began + timedelta(minutes=minutes)))["transactionId"]
            await cp.stop(began + timedelta(minutes=minutes + 5), number, 3000)
    assert len({record.correlation_id for record in await site.records()}) == 2


async def test_a_reservation_that_is_used_leaves_nothing_remembered(site: Site) -> None:
    async with await site.point() as cp:
        await reserved(site, cp)
        await by_command(site, CARD)
        await cp.start(site.hub.clock.now())
    assert await site.hub.store.select(AUTHORIZATIONS) == []


async def test_a_reservation_ends_when_its_connector_breaks(site: Site) -> None:
    async with await site.point() as cp:
        await reserved(site, cp)
        await cp.status(1, "Faulted")
        assert (await held(site)).state == "ended"
    await site.tasks.stop()


async def test_a_charger_that_boots_without_its_reservation_has_lost_it(site: Site) -> None:
    async with await site.point() as cp:
        await reserved(site, cp)
    async with await site.point() as cp:
        await cp.boot()
        await cp.status(1, "Available")
        await cp.status(2, "Available")
        await site.settled()
        assert (await held(site)).state == "ended"
    await site.tasks.stop()


async def test_an_independent_charger_finds_nothing_to_complain_about(site: Site) -> None:
    clock = StepClock(recently(4 * 3600))
    security = Security(password=PASSWORD)
    async with Charger(site.url, "CP1", connectors=2, clock=clock, security=security) as cp:
        await cp.boot()
        await cp.plug_in()
        assert await cp.tap(CARD) == "Accepted"
        await cp.charge(kwh=10, minutes=60)
        assert await cp.tap(CARD) == "Accepted"
        await cp.unplug()
        await until(lambda: _has_cdr(site))
        assert cp.complaints.texts() == []
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], cdr["total_cost"]["before_taxes"]) == (Decimal(10), Decimal("3.00"))


async def _has_cdr(site: Site) -> bool:
    return bool(await site.cdrs())


UNREADABLE = pytest.mark.parametrize("number", ["NaN", "1e308", "1e999", "9" * 5000], ids=lambda text: text[:5])


@UNREADABLE
async def test_a_meter_stop_that_is_no_number_is_acknowledged_and_the_last_sample_counts(
    site: Site, number: str
) -> None:
    began, ended = recently(), timestamp(recently(3600))
    async with await site.point() as cp:
        transaction = (await cp.start(began))["transactionId"]
        await cp.meter(began + timedelta(minutes=10), 3000, transaction)
        said = f'{{"transactionId":{transaction},"meterStop":{number},"timestamp":"{ended}"}}'
        for message in ("s1", "s2"):
            assert (await cp.exchange_text(message, f'[2,"{message}","StopTransaction",{said}]'))[0] == 3
    (cdr,), (record,), (doubt,) = await site.cdrs(), await site.records(), await site.doubts("CP1")
    assert (cdr["total_energy"], record.state, doubt["severity"]) == (2, "ended", "hard")
    assert {"METER_STOP_MISSING", "SCHEMA_BROKEN"} <= set(record.flags)


@UNREADABLE
async def test_a_stop_without_a_number_and_samples_is_held_over_a_restart(site: Site, number: str) -> None:
    began, ended = recently(), timestamp(recently(3600))
    async with await site.point() as cp:
        transaction = (await cp.start(began))["transactionId"]
        said = f'{{"transactionId":{transaction},"meterStop":{number},"timestamp":"{ended}"}}'
        assert (await cp.exchange_text("s1", f'[2,"s1","StopTransaction",{said}]'))[0] == 3
    await site.restart()
    (session,), (doubt,) = await site.sessions(), await site.doubts("CP1")
    assert (await site.cdrs(), session["status"], doubt["held"]) == ([], "ACTIVE", True)


@UNREADABLE
async def test_start_and_samples_whose_numbers_cannot_be_read_are_acknowledged(site: Site, number: str) -> None:
    began, later = timestamp(recently()), timestamp(recently(5400))
    async with await site.point() as cp:
        said = f'{{"connectorId":1,"idTag":"{CARD}","meterStart":{number},"timestamp":"{began}"}}'
        answer = await cp.exchange_text("s1", f'[2,"s1","StartTransaction",{said}]')
        transaction = answer[2]["transactionId"]
        for value in (number, '"4000"'):
            moment = f'{{"timestamp":"{later}","sampledValue":[{{"value":{value}}}]}}'
            said = f'{{"connectorId":1,"transactionId":{transaction},"meterValue":[{moment}]}}'
            assert (await cp.exchange_text("m1", f'[2,"m1","MeterValues",{said}]'))[0] == 3
        await cp.stop(recently(3600), transaction, 6000)
    (cdr,), (record,) = await site.cdrs(), await site.records()
    assert cdr["total_energy"] == 2
    assert {"METER_START_MISSING", "VALUE_UNREADABLE", "SCHEMA_BROKEN"} <= set(record.flags)


async def test_an_absurd_meter_stop_is_acknowledged_and_held(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.meter(began + timedelta(minutes=10), 3000, number)
        await cp.stop(began + timedelta(minutes=30), number, 2_147_483_647)
        await cp.stop(began + timedelta(minutes=30), number, 2_147_483_647)
    (session,) = await site.sessions()
    assert (session["status"], session["kwh"]) == ("ACTIVE", 2)
    assert await site.cdrs() == []
    await release(site.hub, session["id"], actor="jo", kwh=Decimal(3))
    await site.restart()
    assert [cdr["total_energy"] for cdr in await site.cdrs()] == [3]
