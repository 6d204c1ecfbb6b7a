"""The scripted charge point against a CSMS that knows the schemas."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from websockets.exceptions import InvalidStatus

from partners.sandbox.charger import Charger
from partners.sandbox.fleet import Script, places, run_fleet
from partners.sandbox.point.clock import FastClock, StepClock
from partners.sandbox.point.faults import Faults
from partners.sandbox.point.link import Security
from tests.partners.sandbox.csms import booted, csms

START = datetime(2026, 5, 4, 10, tzinfo=UTC)
TRANSACTIONAL = ("StartTransaction", "MeterValues", "StopTransaction")


def _energy(payload: dict[str, Any]) -> float:
    (row,) = payload["meterValue"]
    (value,) = [s["value"] for s in row["sampledValue"] if s["measurand"] == "Energy.Active.Import.Register"]
    return float(value)


async def test_a_charge_from_tap_to_unplugging_is_valid_in_every_frame() -> None:
    async with booted(clock=StepClock(START)) as (world, charger):
        await charger.heartbeat()
        await charger.plug_in()
        assert await charger.tap("CARD") == "Accepted"
        assert await charger.charge(kwh=10, minutes=60) == pytest.approx(10)
        await charger.unplug()
        (start,), (stop,) = world.sent("StartTransaction"), world.sent("StopTransaction")
        assert start == {"connectorId": 1, "idTag": "CARD", "meterStart": 0, "timestamp": "2026-05-04T10:00:00.000Z"}
        assert (stop["meterStop"], stop["timestamp"]) == (10_000, "2026-05-04T11:00:00.000Z")
        assert (stop["transactionId"], stop["reason"]) == (100, "EVDisconnected")
        readings = [_energy(payload) for payload in world.sent("MeterValues")]
        assert len(readings) == 60
        assert readings == sorted(readings)
        statuses = [p["status"] for p in world.sent("StatusNotification") if p["connectorId"] == 1]
        assert statuses == ["Available", "Preparing", "Charging", "Available"]
        assert world.invalid == charger.complaints.texts() == []


async def test_the_second_tap_of_the_same_card_ends_the_charge() -> None:
    async with booted() as (world, charger):
        await charger.tap("CARD")
        await charger.plug_in()
        await charger.charge(kwh=1, minutes=5)
        assert await charger.tap("CARD") == "Accepted"
        assert (await world.until("StopTransaction"))["reason"] == "Local"
        assert charger.connectors[1].status == "Finishing"


async def test_a_refused_card_starts_nothing() -> None:
    async with booted() as (world, charger):
        world.card_status = "Blocked"
        await charger.plug_in()
        assert await charger.tap("CARD") == "Blocked"
        assert world.sent("StartTransaction") == []


async def test_a_card_refused_at_the_start_ends_the_charge_at_once() -> None:
    async with booted() as (world, charger):
        world.start_status = "Invalid"
        await charger.plug_in()
        await charger.tap("CARD")
        assert (await world.until("StopTransaction"))["reason"] == "DeAuthorized"


async def test_boot_is_repeated_until_it_is_accepted() -> None:
    async with csms() as world, Charger(world.url, "CP1", clock=StepClock()) as charger:
        world.boot_answers = ["Pending", "Rejected", "Accepted"]
        assert await charger.boot() == "Accepted"
        assert world.actions("BootNotification", "StatusNotification") == [
            *["BootNotification"] * 3,
            *["StatusNotification"] * 2,
        ]


async def test_what_happened_offline_is_told_in_order_with_its_own_time() -> None:
    async with booted(clock=StepClock(START)) as (world, charger):
        await charger.go_offline()
        await charger.plug_in()
        assert await charger.tap("CARD") == "Accepted"
        await charger.charge(kwh=2, minutes=3)
        await charger.unplug()
        await charger.clock.sleep(3600)
        assert world.actions(*TRANSACTIONAL) == []
        await charger.go_online()
        await charger.settled()
        assert world.actions(*TRANSACTIONAL) == ["StartTransaction", *["MeterValues"] * 3, "StopTransaction"]
        (stop,) = world.sent("StopTransaction")
        assert (stop["transactionId"], stop["timestamp"]) == (100, "2026-05-04T10:03:00.000Z")
        assert len(world.sent("BootNotification")) == 1, "a reconnect brings no boot"
        assert world.invalid == []


@pytest.mark.parametrize("habit", [0, -1])
async def test_a_point_may_number_its_offline_transactions_as_it_likes(habit: int) -> None:
    async with booted(unknown_id=habit) as (world, charger):
        await charger.go_offline()
        await charger.plug_in()
        await charger.tap("CARD")
        await charger.unplug()
        await charger.go_online()
        await charger.settled()
        assert [stop["transactionId"] for stop in world.sent("StopTransaction")] == [habit]


async def test_it_comes_back_by_itself_and_repeats_what_was_not_answered() -> None:
    async with booted() as (world, charger):
        world.loses_answer_to, world.refuses = "StartTransaction", 2
        await charger.plug_in()
        await charger.tap("CARD")
        transaction = await charger.until_started()
        first, second = world.sent("StartTransaction")
        assert first == second
        assert transaction.number == 100


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        (Faults(duplicate_start=True), ["StartTransaction", "StartTransaction", "MeterValues", "StopTransaction"]),
        (Faults(stop_before_start=True), ["MeterValues", "StopTransaction", "StartTransaction"]),
    ],
)
async def test_bad_habits_of_order_are_kept(faults: Faults, expected: list[str]) -> None:
    async with booted(faults=faults) as (world, charger):
        await charger.plug_in()
        await charger.tap("CARD")
        await charger.charge(kwh=1, minutes=1)
        await charger.unplug()
        await charger.settled()
        assert world.actions(*TRANSACTIONAL) == expected


async def test_bad_habits_of_content_are_kept() -> None:
    faults = Faults(clock_1970=True, kwh_units=True, invalid_fields=True)
    async with booted(faults=faults) as (world, charger):
        await charger.plug_in()
        await charger.tap("CARD")
        await charger.charge(kwh=1, minutes=1)
        assert world.sent("StartTransaction")[0]["timestamp"].startswith("1970-01-01T00:00")
        samples = world.sent("MeterValues")[0]["meterValue"][0]["sampledValue"]
        assert (samples[0]["unit"], samples[0]["value"]) == ("kWh", 1.0)
        assert {text.split(" ")[0] for text in world.invalid} == {
            "BootNotification",
            "StatusNotification",
            "MeterValues",
        }


_PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": {
        "chargingRateUnit": "W",
        "startSchedule": "2026-05-04T10:00:00Z",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6000.0}],
    },
}
_HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "c"}
_FIRMWARE = {"location": "ftp://x/y", "retrieveDate": "2026-05-04T10:00:00Z"}
_SIGNED = {
    "location": "ftp://x/y",
    "retrieveDateTime": "2026-05-04T10:00:00Z",
    "signingCertificate": "x",
    "signature": "y",
}
_LOG = {"logType": "SecurityLog", "requestId": 3, "log": {"remoteLocation": "ftp://x"}}
_LIST = {"listVersion": 2, "updateType": "Full", "localAuthorizationList": []}
_RESERVATION = {"connectorId": 1, "expiryDate": "2026-05-04T11:00:00Z", "idTag": "CARD", "reservationId": 7}
_CALLS: list[tuple[str, dict[str, Any], Any]] = [
    ("CancelReservation", {"reservationId": 7}, "Rejected"),
    ("CertificateSigned", {"certificateChain": "x"}, "Accepted"),
    ("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}, "Accepted"),
    ("ChangeAvailability", {"connectorId": 9, "type": "Inoperative"}, "Rejected"),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}, "Accepted"),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "soon"}, "Rejected"),
    ("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "9"}, "Rejected"),
    ("ChangeConfiguration", {"key": "WebSocketPingInterval", "value": "9"}, "RebootRequired"),
    ("ChangeConfiguration", {"key": "Colour", "value": "red"}, "NotSupported"),
    ("ClearCache", {}, "Accepted"),
    ("ClearChargingProfile", {"id": 4}, "Unknown"),
    ("DataTransfer", {"vendorId": "Nobody"}, "UnknownVendorId"),
    ("DeleteCertificate", {"certificateHashData": _HASH}, "NotFound"),
    ("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}, "Accepted"),
    ("GetCompositeSchedule", {"connectorId": 1, "duration": 600}, "Accepted"),
    ("GetConfiguration", {"key": ["CpoName", "Colour"]}, None),
    ("GetDiagnostics", {"location": "ftp://x"}, None),
    ("GetInstalledCertificateIds", {"certificateType": "CentralSystemRootCertificate"}, "NotFound"),
    ("GetLocalListVersion", {}, None),
    ("GetLog", _LOG, "Accepted"),
    (
        "InstallCertificate",
        {"certificateType": "CentralSystemRootCertificate", "certificate": "x"},
        "Accepted",
    ),
    ("RemoteStartTransaction", {"idTag": "CARD", "connectorId": 9}, "Rejected"),
    ("RemoteStopTransaction", {"transactionId": 1}, "Rejected"),
    ("ReserveNow", _RESERVATION, "Accepted"),
    ("SendLocalList", _LIST, "Accepted"),
    ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": _PROFILE}, "Accepted"),
    ("SignedUpdateFirmware", {"requestId": 4, "firmware": _SIGNED}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "BootNotification"}, "Accepted"),
    ("UnlockConnector", {"connectorId": 1}, "Unlocked"),
    ("UnlockConnector", {"connectorId": 5}, "NotSupported"),
    ("UpdateFirmware", _FIRMWARE, None),
]


@pytest.mark.parametrize(("action", "payload", "status"), _CALLS)
async def test_every_call_has_a_valid_answer(action: str, payload: dict[str, Any], status: str | None) -> None:
    async with booted(clock=StepClock(START)) as (world, charger):
        assert (await world.call(action, payload)).get("status") == status
        await asyncio.sleep(0.05)
        assert world.invalid == charger.complaints.texts() == []


async def test_what_a_call_promises_is_done_afterwards() -> None:
    async with booted() as (world, _):
        await world.call("UpdateFirmware", _FIRMWARE)
        await world.until("FirmwareStatusNotification", 4)
        assert [p["status"] for p in world.sent("FirmwareStatusNotification")][-1] == "Installed"
        await world.call("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})
        assert "BEGIN CERTIFICATE REQUEST" in (await world.until("SignCertificate"))["csr"]


async def test_an_unknown_call_and_a_malformed_one_are_errors() -> None:
    async with booted() as (world, charger):
        assert await world.call("Dance", {}) == "NotImplemented"
        assert await world.call("RemoteStopTransaction", {}) == "FormationViolation"
        assert ["transactionId" in text for text in charger.complaints.texts()] == [True]


async def test_a_remote_start_waits_for_the_cable_and_a_remote_stop_ends_it() -> None:
    async with booted() as (world, charger):
        assert await world.call("RemoteStartTransaction", {"idTag": "APP"}) == {"status": "Accepted"}
        await world.until("StatusNotification", 3)
        await charger.plug_in()
        transaction = await charger.until_started()
        assert world.sent("Authorize") == []
        stop = {"transactionId": transaction.number}
        assert await world.call("RemoteStopTransaction", stop) == {"status": "Accepted"}
        assert (await world.until("StopTransaction"))["reason"] == "Remote"


async def test_a_reserved_connector_is_for_its_card_and_names_the_reservation() -> None:
    async with booted(clock=StepClock(START)) as (world, charger):
        await world.call("ReserveNow", _RESERVATION)
        await world.until("StatusNotification", 3)
        assert charger.connectors[1].status == "Reserved"
        await charger.plug_in()
        assert await charger.tap("OTHER") == "Reserved"
        assert await charger.tap("CARD") == "Accepted"
        assert world.sent("StartTransaction")[0]["reservationId"] == 7
        assert charger.reservations == {}


async def test_a_reservation_ends_by_cancellation_or_by_its_time() -> None:
    async with booted(clock=StepClock(START)) as (world, charger):
        await world.call("ReserveNow", _RESERVATION)
        assert await world.call("CancelReservation", {"reservationId": 7}) == {"status": "Accepted"}
        await world.call("ReserveNow", _RESERVATION)
        await charger.clock.sleep(timedelta(hours=2).total_seconds())
        assert charger.may_use(1, "OTHER")


async def test_a_reset_ends_the_charge_and_boots_anew() -> None:
    async with booted() as (world, charger):
        await charger.plug_in()
        await charger.tap("CARD")
        assert await world.call("Reset", {"type": "Soft"}) == {"status": "Accepted"}
        await world.until("BootNotification", 2)
        assert world.sent("StopTransaction")[0]["reason"] == "SoftReset"


async def test_a_profile_limits_what_flows() -> None:
    async with booted(clock=StepClock(START)) as (world, charger):
        await world.call("SetChargingProfile", {"connectorId": 0, "csChargingProfiles": _PROFILE})
        await charger.plug_in()
        await charger.tap("CARD")
        assert await charger.charge(kwh=22, minutes=60) == pytest.approx(6, abs=0.1)
        answer = await world.call("GetCompositeSchedule", {"connectorId": 1, "duration": 600})
        assert answer["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 6000.0}]


async def test_a_listed_card_counts_offline_and_a_stranger_does_not_when_so_configured() -> None:
    async with booted() as (world, charger):
        rows = [{"idTag": "CARD", "idTagInfo": {"status": "Accepted"}}]
        await world.call("SendLocalList", {**_LIST, "localAuthorizationList": rows})
        old = {**_LIST, "updateType": "Differential", "listVersion": 1}
        assert await world.call("SendLocalList", old) == {"status": "VersionMismatch"}
        await world.call("ChangeConfiguration", {"key": "AllowOfflineTxForUnknownId", "value": "false"})
        await charger.go_offline()
        assert [await charger.authorize(uid) for uid in ("CARD", "OTHER")] == ["Accepted", "Invalid"]


async def test_profile_one_shows_identity_and_password_and_takes_a_new_key() -> None:
    async with booted(security=Security("s3cret")) as (world, _):
        shown = base64.b64decode(world.headers[0]["Authorization"].removeprefix("Basic ")).decode()
        assert shown == "CP 1:s3cret"
        assert world.headers[0][":path"] == "/ocpp/CP%201"
        assert world.sent("SecurityEventNotification")[0]["type"] == "StartupOfTheDevice"
        await world.call("ChangeConfiguration", {"key": "AuthorizationKey", "value": "616263"})
        async with asyncio.timeout(30):
            while len(world.headers) < 2:  # noqa: ASYNC110 - a test waits for its world
                await asyncio.sleep(0.01)
        assert world.headers[1]["Authorization"].removeprefix("Basic ") == base64.b64encode(b"CP 1:abc").decode()


def _self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + timedelta(days=1))
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem, private = folder / f"{name}.pem", folder / f"{name}.key"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pem, private


async def test_profile_three_shows_its_certificate_and_no_password(tmp_path: Path) -> None:
    server, own = _self_signed(tmp_path, "csms"), _self_signed(tmp_path, "CP1")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(*server)
    theirs.load_verify_locations(own[0])
    theirs.verify_mode = ssl.CERT_REQUIRED
    ours = ssl.create_default_context(cafile=server[0])
    ours.load_cert_chain(*own)
    async with csms(theirs) as world, Charger(world.url, "CP1", security=Security(tls=ours)) as charger:
        assert await charger.boot() == "Accepted"
        assert "Authorization" not in world.headers[0]


async def test_a_refusal_at_the_door_is_an_error_at_once() -> None:
    async with csms() as world:
        world.refuses = 1
        charger = Charger(world.url, "CP1")
        with pytest.raises(InvalidStatus, match="503"):
            async with charger:
                pass


async def test_a_fleet_charges_together_on_fast_clocks() -> None:
    told: list[dict[str, Any]] = []
    async with csms() as world:
        script = Script(tag="CARD", kwh=5, minutes=30, rounds=1, stay=False)
        await run_fleet(places(world.url, 5, "CP"), script, told.append, speed=10_000, spread_s=0)
        assert sorted(t["identity"] for t in told if t["event"] == "done") == [f"CP000{n}" for n in range(1, 6)]
        assert {t["kwh"] for t in told if t["event"] == "charged"} == {5}
        assert world.invalid == []


async def test_a_fast_clock_that_begins_in_the_past_never_passes_real_time() -> None:
    assert FastClock(2, behind=timedelta(hours=1)).now() < datetime.now(UTC) - timedelta(minutes=30)
    clock = FastClock(100_000, behind=timedelta(hours=1))
    await clock.sleep(7200)
    assert clock.now() <= datetime.now(UTC)


async def test_a_clock_runs_as_fast_as_it_is_told() -> None:
    clock = FastClock(1000, start=START)
    await clock.sleep(60)
    assert clock.now() - START >= timedelta(seconds=59)


def test_faults_have_names_for_the_command_line() -> None:
    assert Faults.named(["clock-1970"]) == Faults(clock_1970=True)
    with pytest.raises(ValueError, match="no such fault: smoke"):
        Faults.named(["smoke"])


async def test_the_program_charges_and_says_what_it_did() -> None:
    async with csms() as world:
        command = ("charger", "--url", f"{world.url}/CP1", "--tag", "CARD", "--speed", "5000", "--kwh", "3")
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "partners.sandbox", *command, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await asyncio.wait_for(program.communicate(), 60)
    events = [json.loads(line) for line in output.splitlines()]
    assert [event["event"] for event in events] == ["booted", "tapped", "charged", "done"]
    assert events[2]["kwh"] == 3
