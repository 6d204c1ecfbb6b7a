"""What rules see that are not about chargers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners.ocpp.watch.alerts import ALL_RULES
from partners.ocpp.watch.house_rules import (
    CDRS,
    CHARGES,
    HOUSE_RULES,
    CertificateSeen,
    HeldMoney,
    HouseSight,
    LaneSeen,
    SiteSeen,
    house_holding,
)
from partners.ocpp.watch.rules import About, Thresholds

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
LIMITS = Thresholds(held_s=86_400, lane_s=3600)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def lane(**given: object) -> HouseSight:
    return HouseSight(lanes=[LaneSeen(About.PARTNER, "acme", waiting=3, **given)])  # type: ignore[arg-type]


def certificate(**left: float) -> HouseSight:
    return HouseSight(certificates=[CertificateSeen("port", NOW + timedelta(**left))])


@pytest.mark.parametrize(
    ("sight", "held"),
    [
        (HouseSight(), {}),
        (HouseSight([HeldMoney(CHARGES, [ago(hours=23)])]), {}),
        (
            HouseSight([HeldMoney(CHARGES, [ago(days=3), ago(hours=25), ago(hours=1)]), HeldMoney(CDRS, [])]),
            {("held_money", "charges"): "2 charges are not billed, the oldest for 3 days"},
        ),
        (
            HouseSight([HeldMoney(CDRS, [ago(hours=30)])]),
            {("held_money", "cdrs"): "1 CDRs of others are not passed on, the oldest for 30 h"},
        ),
        (lane(), {}),
        (lane(oldest=ago(minutes=59)), {}),
        (lane(oldest=ago(minutes=60)), {("lane_stopped", "acme"): "3 wait, the oldest for 60 min"}),
        (lane(stopped=True), {("lane_stopped", "acme"): "nothing is sent any more; 3 wait"}),
        (
            HouseSight(lanes=[LaneSeen(About.WEBHOOK, "w1", waiting=1, oldest=ago(hours=5))]),
            {("webhook_stopped", "w1"): "1 wait, the oldest for 5 h"},
        ),
        (
            HouseSight(sites=[SiteSeen("garage", ["L1 of main is exceeded by 4 A that nobody can steer"])]),
            {("site_limit", "garage"): "L1 of main is exceeded by 4 A that nobody can steer"},
        ),
        (HouseSight(sites=[SiteSeen("garage/main", heard=ago(minutes=4), fresh_s=300)]), {}),
        (
            HouseSight(sites=[SiteSeen("garage/main", heard=ago(minutes=9), fresh_s=300)]),
            {("site_meter", "garage/main"): "its meter has said nothing for 9 min"},
        ),
        (certificate(days=30, seconds=1), {}),
        (certificate(days=30), {("certificate_ends", "port"): "its certificate ends in 30 days, on 2026-06-03"}),
        (
            certificate(days=7, seconds=1),
            {("certificate_ends", "port"): "its certificate ends in 7 days, on 2026-05-11"},
        ),
        (
            certificate(hours=-3),
            dict.fromkeys(
                (("certificate_ends", "port"), ("certificate_last_days", "port")),
                "its certificate ended 3 h ago, on 2026-05-04",
            ),
        ),
    ],
)
def test_a_rule_holds_for_what_it_is_about(sight: HouseSight, held: dict[tuple[str, str], str]) -> None:
    assert {key: one.seen for key, one in house_holding(sight, LIMITS, NOW).items()} == held


def test_no_two_rules_have_one_name_and_those_of_the_house_are_about_no_charger() -> None:
    assert len({rule.name for rule in ALL_RULES}) == len(ALL_RULES)
    assert About.CHARGER not in {rule.about for rule in HOUSE_RULES}
