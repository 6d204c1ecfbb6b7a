"""The official schemas, all of them, compiled."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest

from partners.ocpp.answers import VERSIONS, Fault
from partners.ocpp.schemas import TRANSACTION_ACTIONS, actions, check, sends

SECURITY_WHITEPAPER = {
    *("CertificateSigned", "DeleteCertificate", "ExtendedTriggerMessage", "GetInstalledCertificateIds", "GetLog"),
    *("InstallCertificate", "LogStatusNotification", "SecurityEventNotification", "SignCertificate"),
    *("SignedFirmwareStatusNotification", "SignedUpdateFirmware"),
}


@pytest.mark.parametrize(("version", "number"), [("1.6", 39), ("2.0.1", 64), ("2.1", 91)])
def test_no_action_is_missing(version: str, number: int) -> None:
    assert len(actions(version)) == number
    assert actions(version) >= TRANSACTION_ACTIONS[version]


def test_16_has_the_messages_of_the_security_whitepaper() -> None:
    assert actions("1.6") >= SECURITY_WHITEPAPER


@pytest.mark.parametrize("version", VERSIONS)
def test_every_schema_compiles_in_both_directions(version: str) -> None:
    for action in actions(version):
        assert check(version, action, 7) is not None
        if action not in sends(version):
            assert check(version, action, 7, "response", strict=True) is not None


@pytest.mark.parametrize("action", ["Teleport", "../../secrets", "AuthorizeResponse", ""])
def test_an_unknown_action_has_no_schema(action: str) -> None:
    with pytest.raises(KeyError):
        check("1.6", action, {})


def test_times_are_free_on_the_way_in_and_strict_on_the_way_out() -> None:
    payload = {"status": "Accepted", "currentTime": "yesterday", "interval": 300}
    assert check("1.6", "BootNotification", payload, "response") is None
    finding = check("1.6", "BootNotification", payload, "response", strict=True)
    assert finding is not None
    assert (finding.pointer, finding.fault) == ("/currentTime", Fault.PROPERTY)


def test_a_finding_names_the_place_and_never_the_value() -> None:
    finding = check("1.6", "Authorize", {"idTag": "SECRET" * 10})
    assert finding is not None
    assert "SECRET" not in finding.text
    assert "/idTag" in finding.text


def test_a_decimal_with_one_place_is_a_multiple_of_a_tenth() -> None:
    def profile(limit: Decimal) -> object:
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
        return {
            "connectorId": 1,
            "csChargingProfiles": {
                "chargingProfileId": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Relative",
                "chargingSchedule": schedule,
            },
        }

    assert all(check("1.6", "SetChargingProfile", profile(Decimal(n) / 10)) is None for n in range(1000))
    assert check("1.6", "SetChargingProfile", profile(Decimal("16.35"))) is not None


def test_a_full_frame_of_samples_is_checked_quickly() -> None:
    samples = [{"value": "1"}] * 18_000
    payload = {"connectorId": 1, "meterValue": [{"timestamp": "2026-05-01T12:00:00Z", "sampledValue": samples}]}
    assert len(json.dumps(payload)) > 256 * 1024
    check("1.6", "MeterValues", {})
    before = time.thread_time()  # of the processor, whatever else it has to do
    assert check("1.6", "MeterValues", payload) is None
    assert time.thread_time() - before < 0.5
