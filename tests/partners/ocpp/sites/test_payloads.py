"""What chargers are told at a site keeps the official schemas of every version, and says what it must."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from partners.ocpp import schemas
from partners.ocpp.sites import payloads
from partners.ocpp.sites.payloads import WORDS, Cap, cap_of, span_of

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
VERSIONS = sorted(WORDS)
CAPS = (Cap("A", Decimal("13.3"), 3), Cap("W", Decimal("9177.0"), 3), Cap("A", Decimal(0), 1))


def check(version: str, action: str, payload: dict[str, Any]) -> None:
    assert schemas.check(version, action, payload, strict=True) is None


def profile_in(payload: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = payload.get("csChargingProfiles") or payload["chargingProfile"]
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("cap", CAPS)
def test_every_payload_keeps_the_schema_of_its_version(version: str, cap: Cap) -> None:
    words = WORDS[version]
    check(version, payloads.ACTION, words.share(1, 77, cap, span_of(NOW, NOW + timedelta(minutes=15), timedelta(0))))
    check(version, payloads.ACTION, words.safe(2, cap))
    check(version, payloads.ACTION, words.whole(cap, NOW))
    check(version, payloads.ASK, words.ask(1, 60, cap.unit))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_share_belongs_to_its_transaction_and_ends_in_time(version: str) -> None:
    span = span_of(NOW, NOW + timedelta(minutes=15), timedelta(0))
    profile = profile_in(WORDS[version].share(1, 77, CAPS[0], span))
    schedule = profile["chargingSchedule"] if version == "1.6" else profile["chargingSchedule"][0]
    assert (profile["chargingProfilePurpose"], str(profile["transactionId"])) == ("TxProfile", "77")
    assert (schedule["startSchedule"], schedule["duration"]) == ("2026-05-04T09:59:00.000Z", 960)


@pytest.mark.parametrize("version", VERSIONS)
def test_purposes_and_connectors_have_numbers_of_their_own(version: str) -> None:
    words, span = WORDS[version], span_of(NOW, NOW + timedelta(minutes=15), timedelta(0))
    told = [words.share(1, 7, CAPS[0], span), words.share(2, 7, CAPS[0], span), words.safe(1, CAPS[0])]
    told += [words.safe(2, CAPS[0]), words.whole(CAPS[0], NOW)]
    profiles = [profile_in(payload) for payload in told]
    numbers = [
        int(profile["chargingProfileId"] if "chargingProfileId" in profile else profile["id"]) for profile in profiles
    ]
    assert len(set(numbers)) == 5
    assert all(10**9 < number < 2**31 for number in numbers), "beyond those of partners, within what chargers keep"


def test_a_share_is_dated_by_the_chargers_own_clock() -> None:
    assert span_of(NOW, NOW + timedelta(minutes=5), timedelta(hours=2)).begin == NOW - timedelta(hours=2, minutes=1)


def test_watts_are_told_with_the_phases_that_they_are_over() -> None:
    cap = cap_of(16_000, unit="W", volts_mv=690_000, phases=3)
    assert cap == Cap("W", Decimal("11040.0"), 3)
    (period,) = WORDS["1.6"].safe(1, cap)["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
    assert period["numberPhases"] == 3


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({}, None),
        ({"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": []}}, None),
        ({"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"limit": -1}]}}, None),
        ({"chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"limit": 7}]}}, ("A", Decimal(7))),
        ({"schedule": {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"limit": 7}]}}, ("W", Decimal(7))),
        ({"schedule": {"chargingRateUnit": "V", "chargingSchedulePeriod": [{"limit": "7"}]}}, None),
    ],
)
def test_what_a_schedule_begins_with_is_read_leniently(answer: dict[str, Any], found: Any) -> None:
    assert payloads.at_first(answer) == found
