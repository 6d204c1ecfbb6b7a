"""The messages of chargers of 2.0.1 and 2.1 other than transactions, and what the world sees of their connectors."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.core.clock import timestamp
from modules.tokens import service as tokens
from modules.tokens.model import Token
from partners.ocpp import schemas
from partners.ocpp.v2 import HANDLERS, WHILE_WAITING
from partners.ocpp.v2_notices import NOTICES
from tests.partners.ocpp.points2 import VERSIONS, Point2, begin, end, event, point2
from tests.partners.ocpp.site import CARD, PASSWORD, TALKATIVE, THEIRS, Payload, Site, a_site, recently, token
from tests.partners.ocpp.test_forgetting import put_away

NOW = "2026-05-01T12:00:00.000Z"
CONTRACT = "NL-EEE-C12345678-X"
EMAID = "NLEEEC12345678X"

SAID: dict[str, Payload] = {
    "Authorize": {"idToken": {"idToken": CARD, "type": "ISO14443"}},
    "BootNotification": {"chargingStation": {"vendorName": "Acme", "model": "Two"}, "reason": "PowerUp"},
    "DataTransfer": {"vendorId": "com.acme", "data": {"any": ["thing"]}},
    "FirmwareStatusNotification": {"status": "Installed", "requestId": 1},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "Uploaded", "requestId": 1},
    "MeterValues": {"evseId": 1, "meterValue": [{"timestamp": NOW, "sampledValue": [{"value": 1}]}]},
    "NotifyEvent": {
        "generatedAt": NOW,
        "seqNo": 0,
        "eventData": [
            {
                "eventId": 1,
                "timestamp": NOW,
                "trigger": "Delta",
                "actualValue": "Available",
                "eventNotificationType": "HardWiredNotification",
                "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
                "variable": {"name": "AvailabilityState"},
            }
        ],
    },
    "PublishFirmwareStatusNotification": {"status": "Published", "location": ["https://example.com/f"]},
    "SecurityEventNotification": {"type": "StartupOfTheDevice", "timestamp": NOW},
    "SignCertificate": {"csr": "-----BEGIN CERTIFICATE REQUEST-----"},
    "StatusNotification": {"timestamp": NOW, "connectorStatus": "Available", "evseId": 1, "connectorId": 1},
    "TransactionEvent": begin(datetime(2026, 5, 1, 12, tzinfo=UTC)),
}


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_message_has_a_handler_and_an_answer_by_the_schema(site: Site, version: str) -> None:
    assert set(SAID) <= set(HANDLERS) & schemas.actions(version)
    assert set(HANDLERS) <= schemas.actions("2.1")
    async with await point2(site, version=version) as cp:
        for action, payload in SAID.items():
            finding = schemas.check(version, action, payload, strict=True)
            assert finding is None, (action, finding)
            await cp.call(action, payload)


@pytest.mark.parametrize(("version", "count"), [("2.0.1", 25), ("2.1", 37)])
def test_every_message_that_a_station_may_send_is_taken(version: str, count: int) -> None:
    taken = HANDLERS.keys() & schemas.actions(version)
    assert (len(taken), set(HANDLERS)) == (count, SAID.keys() | NOTICES.keys())


@pytest.mark.parametrize(
    ("ocpp", "ocpi"),
    [
        ("Available", "AVAILABLE"),
        ("Occupied", "CHARGING"),
        ("Reserved", "RESERVED"),
        ("Unavailable", "INOPERATIVE"),
        ("Faulted", "OUTOFORDER"),
    ],
)
@pytest.mark.parametrize("how", ["StatusNotification", "NotifyEvent"])
async def test_the_state_of_a_connector_is_the_status_of_its_evse(site: Site, ocpp: str, ocpi: str, how: str) -> None:
    async with await point2(site, version="2.1") as cp:
        if how == "StatusNotification":
            await cp.connector(ocpp, evse=2)
        else:
            await available(cp, ocpp, {"name": "Connector", "evse": {"id": 2, "connectorId": 1}})
        assert (await site.evse_status("E1"), await site.evse_status("E2")) == ("UNKNOWN", ocpi)


async def test_the_station_and_an_evse_can_be_said_to_be_out_of_order(site: Site) -> None:
    async with await point2(site, version="2.1") as cp:
        await cp.connector("Available")
        await available(cp, "Faulted", {"name": "EVSE", "evse": {"id": 2}})
        assert (await site.evse_status("E1"), await site.evse_status("E2")) == ("AVAILABLE", "OUTOFORDER")
        await available(cp, "Unavailable", {"name": "ChargingStation"})
        assert (await site.evse_status("E1"), await site.evse_status("E2")) == ("INOPERATIVE", "INOPERATIVE")
        await available(cp, "Occupied", {"name": "ChargingStation"})
        assert await site.evse_status("E1") == "AVAILABLE"
        await available(cp, "5", {"name": "Connector", "evse": {"id": 1}})


async def test_occupied_is_called_by_what_goes_on(site: Site) -> None:
    began = recently(600)

    def word() -> str:
        return site.gateway.stations.get("CP1").connectors[1].status

    async with await point2(site) as cp:
        live = site.gateway.stations.get("CP1")
        assert live.link is not None
        live.link.opened = began - timedelta(hours=1)
        await cp.connector("Occupied", began)
        words = [word()]
        await cp.call("TransactionEvent", begin(began, info={"chargingState": "EVConnected"}))
        words.append(word())
        for minute, state in enumerate(("Charging", "SuspendedEV", "SuspendedEVSE", "EVConnected"), 1):
            await cp.event("Updated", began + timedelta(minutes=minute), info={"chargingState": state})
            words.append(word())
        await cp.call("TransactionEvent", end(began + timedelta(minutes=8)))
        words.append(word())
        await cp.connector("Available", began + timedelta(minutes=9))
        words.append(word())
        await cp.connector("Occupied", began + timedelta(minutes=9, seconds=9))
        words.append(word())
    assert words == [
        "Preparing",
        "Preparing",
        "Charging",
        "SuspendedEV",
        "SuspendedEVSE",
        "Finishing",
        "Finishing",
        "Available",
        "Preparing",
    ]


async def test_what_is_replayed_does_not_move_what_is_live(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        await cp.connector("Available")
        await cp.call("TransactionEvent", begin(began, offline=True, info={"chargingState": "Charging"}))
        await cp.connector("Faulted", began + timedelta(minutes=1))
        await cp.call("TransactionEvent", end(began + timedelta(minutes=8), offline=True))
        assert await site.evse_status("E1") == "AVAILABLE"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("is_put_away", [False, True])
async def test_what_comes_late_of_a_charge_that_is_over_does_not_move_what_is_live(
    site: Site, version: str, is_put_away: bool
) -> None:
    charging = {"chargingState": "Charging"}
    async with await point2(site, version=version) as cp:
        began = datetime.now(UTC)
        await cp.call("TransactionEvent", begin(began, info=charging))
        await cp.call("TransactionEvent", end(began + timedelta(seconds=1)))
        await cp.connector("Available", began + timedelta(seconds=2))
        if is_put_away:
            await put_away(site, "CP1")
        late = datetime.now(UTC) + timedelta(seconds=3)
        ended = event("Ended", late, evse=1, info=charging)
        for told in (event("Updated", late, evse=1, info=charging), ended, begin(began, info=charging)):
            await cp.call("TransactionEvent", told)
            assert await site.evse_status("E1") == "AVAILABLE"
        assert site.gateway.stations.get("CP1").courses == {}


async def test_a_second_end_does_not_move_the_charge_that_has_begun_since(site: Site) -> None:
    charging = {"chargingState": "Charging"}
    live = site.gateway.stations.get("CP1")
    async with await point2(site) as cp:
        began = datetime.now(UTC)
        await cp.call("TransactionEvent", begin(began, info=charging))
        await cp.call("TransactionEvent", end(began + timedelta(seconds=1)))
        await cp.call("TransactionEvent", begin(began + timedelta(seconds=2), "T2", info=charging))
        await cp.call("TransactionEvent", end(began + timedelta(seconds=3), wh=7000))
        assert (live.courses[1].transaction, live.connectors[1].status) == ("T2", "Charging")


async def test_a_word_that_is_no_status_changes_nothing(site: Site) -> None:
    said = {"timestamp": NOW, "connectorStatus": "Sleeping", "evseId": 1, "connectorId": 1}
    async with await point2(site) as cp:
        answer = await cp.exchange([2, "s", "StatusNotification", said])
        assert answer[:3] == [4, "s", "PropertyConstraintViolation"]
        assert await site.evse_status("E1") == "UNKNOWN"


async def test_made_up_connectors_fill_no_memory(tmp_path: Path) -> None:
    async with a_site(tmp_path, **TALKATIVE) as site, await point2(site) as cp:
        live = site.gateway.stations.get("CP1")
        for number in range(1, 90):
            await cp.connector("Available", evse=number, connector=5)
            charging = {"chargingState": "Charging"}
            told = begin(datetime.now(UTC), f"T{number}", tag=None, info=charging)
            await cp.call("TransactionEvent", {**told, "evse": {"id": number + 100}})
    assert len(live.connectors) <= 66
    assert len(live.courses) <= 66


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_station_that_waits_may_say_only_what_costs_money(site: Site, version: str) -> None:
    await site.gateway.stations.put("CP9", {"protocol": f"ocpp{version}", "password": PASSWORD})
    async with await point2(site, "CP9", version) as cp:
        assert await cp.boot() == "Pending"
        for action, payload in SAID.items():
            answer = await cp.exchange([2, action, action, payload])
            expected = 3 if action in WHILE_WAITING else 4
            assert answer[0] == expected, answer
            if expected == 4:
                assert answer[2] == "SecurityError"
    (record,) = await site.records()
    assert record.station == "CP9"


async def test_a_contract_is_found_by_its_id_however_it_is_written(site: Site) -> None:
    await know(site, "UID1", contract_id=CONTRACT)
    async with await point2(site) as cp:
        for text in (EMAID, CONTRACT, CONTRACT.lower()):
            answer = await cp.call("Authorize", {"idToken": {"idToken": text, "type": "eMAID"}})
            assert answer == {"idTokenInfo": {"status": "Accepted"}}
        as_card = await cp.call("Authorize", {"idToken": {"idToken": EMAID, "type": "ISO14443"}})
        assert as_card["idTokenInfo"]["status"] == "Invalid"
        await cp.call("TransactionEvent", begin(recently(), tag=EMAID, tag_type="eMAID"))
    (session,) = await site.sessions()
    assert session["cdr_token"]["contract_id"] == CONTRACT


async def test_a_contract_on_no_list_is_asked_of_its_provider(site: Site) -> None:
    site.emsp.says = {"allowed": "ALLOWED", "token": token(EMAID, type="EMAID", contract_id=CONTRACT)}
    async with await point2(site) as cp:
        answer = await cp.call("Authorize", {"idToken": {"idToken": EMAID, "type": "eMAID"}})
    assert answer["idTokenInfo"]["status"] == "Accepted"
    assert [path for path, _ in site.emsp.asked] == [(EMAID, "authorize")]


@pytest.mark.parametrize(
    ("brings", "status"),
    [
        ("hashes", "NoCertificateAvailable"),
        ("good", "NoCertificateAvailable"),
        ("old", "CertificateExpired"),
        ("others", "SignatureError"),
        ("nonsense", "CertChainError"),
        ("nothing", None),
    ],
)
async def test_a_certificate_is_never_called_good_that_nobody_checked(
    site: Site, brings: str, status: str | None
) -> None:
    await know(site, "UID1", contract_id=CONTRACT)
    hashed = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b", "serialNumber": "1"}
    ways: dict[str, Payload] = {
        "hashes": {"iso15118CertificateHashData": [{**hashed, "responderURL": "https://example.com"}]},
        "good": {"certificate": certificate(EMAID)},
        "old": {"certificate": certificate(EMAID, years_ago=9)},
        "others": {"certificate": certificate("NLEEEC99999999X")},
        "nonsense": {"certificate": "-----BEGIN CERTIFICATE-----"},
        "nothing": {},
    }
    async with await point2(site) as cp:
        answer = await cp.call("Authorize", {"idToken": {"idToken": EMAID, "type": "eMAID"}, **ways[brings]})
    assert (answer["idTokenInfo"]["status"], answer.get("certificateStatus")) == ("Accepted", status)


async def test_no_token_at_all_is_nobodys(site: Site) -> None:
    async with await point2(site) as cp:
        answer = await cp.call("Authorize", {"idToken": {"idToken": "", "type": "NoAuthorization"}})
        assert answer["idTokenInfo"]["status"] == "Invalid"
        started = begin(recently(), tag="", tag_type="NoAuthorization")
        assert await cp.call("TransactionEvent", started) == {}
    assert (await site.sessions(), len(await site.records())) == ([], 1)


async def test_security_events_and_progress_are_kept(site: Site) -> None:
    async with await point2(site) as cp:
        for action in ("SecurityEventNotification", "FirmwareStatusNotification", "PublishFirmwareStatusNotification"):
            await cp.call(action, SAID[action])
    assert site.gateway.stations.get("CP1").learned.progress == {
        "Firmware": "Installed",
        "PublishFirmware": "Published",
    }
    rows = await site.hub.store.audit_rows(after=0, limit=1000)
    kept = [(row.audit.actor, row.audit.subject) for row in rows if row.audit.action == "station.security_event"]
    assert kept == [("CP1", SAID["SecurityEventNotification"]["type"])]


async def available(cp: Point2, state: str, component: Payload) -> None:
    """AvailabilityState of a component, as an event."""
    row = {**SAID["NotifyEvent"]["eventData"][0], "component": component, "actualValue": state}
    row["timestamp"] = timestamp(datetime.now(UTC))
    await cp.call("NotifyEvent", {**SAID["NotifyEvent"], "eventData": [row]})


async def know(site: Site, uid: str, **more: Any) -> None:
    card = Token.model_validate(token(uid, whitelist="ALLOWED", **more))
    await tokens.put(site.hub.store, THEIRS, uid, card, now=site.hub.clock.now())


def certificate(common_name: str, *, years_ago: int = 0) -> str:
    """A contract's, signed by itself."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]),
    )
    since = datetime.now(UTC) - timedelta(days=1 + 365 * years_ago)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + dt.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
