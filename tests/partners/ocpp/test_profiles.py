"""Limits of a charge in the words of OCPP 1.6, and what a charger's schedule means."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.core.ports import LimitRules, Limits, ProfileOutcome
from partners.ocpp import answers, profiles, schemas

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("limit", [*(Decimal(n) / 10 for n in range(0, 400, 7)), Decimal(11040)])
def test_a_profile_for_a_transaction_keeps_the_schema(limit: Decimal) -> None:
    limits = Limits("A", ((0, limit), (60, Decimal(0))), NOW, 120, Decimal("6.1"))
    payload = profiles.tx_profile(1, 77, 3, limits)
    assert schemas.check("1.6", "SetChargingProfile", payload, strict=True) is None
    profile = payload["csChargingProfiles"]
    assert (payload["connectorId"], profile["transactionId"], profile["chargingProfileId"]) == (1, 77, 3)
    assert (profile["chargingProfilePurpose"], profile["chargingProfileKind"]) == ("TxProfile", "Absolute")


def test_without_a_start_it_runs_from_the_begin_of_the_charge() -> None:
    payload = profiles.tx_profile(1, 77, 3, Limits("W", ((0, Decimal(11000)),)))
    assert schemas.check("1.6", "SetChargingProfile", payload, strict=True) is None
    assert payload["csChargingProfiles"]["chargingProfileKind"] == "Relative"
    assert "startSchedule" not in payload["csChargingProfiles"]["chargingSchedule"]


@pytest.mark.parametrize(
    ("configuration", "rules"),
    [
        ({}, LimitRules(("A", "W"))),
        ({"ChargingScheduleAllowedChargingRateUnit": "Current"}, LimitRules(("A",))),
        ({"ChargingScheduleAllowedChargingRateUnit": "Power, Current"}, LimitRules(("W", "A"))),
        (
            {"ChargingScheduleAllowedChargingRateUnit": "?", "ChargingScheduleMaxPeriods": "many"},
            LimitRules(("A", "W")),
        ),
        ({"ChargingScheduleMaxPeriods": "6"}, LimitRules(("A", "W"), 6)),
    ],
)
def test_what_a_charger_takes_is_read_off_its_configuration(configuration: dict[str, str], rules: LimitRules) -> None:
    assert profiles.rules_of(configuration) == rules


def schedule(*limits: Any) -> dict[str, Any]:
    periods = [{"startPeriod": 60 * n, "limit": limit} for n, limit in enumerate(limits)]
    return {"chargingSchedule": {"chargingRateUnit": "W", "chargingSchedulePeriod": periods}}


def test_a_schedule_is_read_as_the_charger_tells_it() -> None:
    answer = {"scheduleStart": "2026-05-04T11:00:00+01:00", **schedule(11000, Decimal("6.5"))}
    found = profiles.limits_in(answer, unit="A", now=NOW, duration_s=600)
    assert found == Limits("W", ((0, Decimal(11000)), (60, Decimal("6.5"))), NOW, 600)


@pytest.mark.parametrize(("told_s", "shown_s"), [(60, 60), (600, 600), (900, 600), (0, 600), ("x", 600)])
def test_a_schedule_is_known_as_far_as_the_charger_tells_it(told_s: Any, shown_s: int) -> None:
    answer = schedule(11000)
    answer["chargingSchedule"]["duration"] = told_s
    assert profiles.limits_in(answer, unit="A", now=NOW, duration_s=600).duration_s == shown_s


@pytest.mark.parametrize("answer", [{}, schedule(), schedule(-1), schedule("x"), {"chargingSchedule": "none"}])
def test_without_a_schedule_or_with_a_negative_limit_nothing_limits(answer: dict[str, Any]) -> None:
    found = profiles.limits_in({"scheduleStart": "soon", **answer}, unit="A", now=NOW, duration_s=600)
    assert (found.periods, found.start) == ((), NOW)


def test_no_word_of_a_charger_but_accepted_is_a_yes() -> None:
    for action, words in answers.PROFILE_RESULTS.items():
        assert [word for word in words if words[word] is ProfileOutcome.ACCEPTED] == ["Accepted"]
        assert answers.profile_result(action, "Sure") is ProfileOutcome.REJECTED
