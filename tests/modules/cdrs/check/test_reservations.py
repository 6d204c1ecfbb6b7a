"""Mistakes with reservations: their fees, their fields, and the true reason of each."""

from __future__ import annotations

from typing import Any

import pytest

from modules.cdrs.check import Cause, Verdict
from tests.modules.cdrs.check.records import LATER, but, cdr, checked, component, element, period, tariff

# A reservation is 0.30 and 3.00 an hour in steps of 5 minutes, or 4.00 instead of the 0.30 where nobody comes; a charge
# is 0.50, 0.25 a kWh and 1.50 an hour.
PRICES = tariff(
    element(component("FLAT", "4.00", 1, None), reservation="RESERVATION_EXPIRES"),
    element(component("FLAT", "0.30", 1, None), component("TIME", "3.00", 300, None), reservation="RESERVATION"),
    element(
        component("FLAT", "0.50", 1, None), component("ENERGY", "0.25", 1, None), component("TIME", "1.50", 1, None)
    ),
)
# 22 minutes are 25, 1.25; with the fee 1.55.
USED = cdr(
    [PRICES],
    [period("10:00", reservation_time="0.3667"), period("10:22", energy="20", time="1")],
    "11:22",
    total=("8.55",),
    energy=("5.00",),
    time=("1.50",),
    fixed=("0.50",),
    reservation=("1.55",),
)
EXPIRED = cdr(
    [PRICES],
    [period("10:00", reservation_time="0.3667")],
    "10:22",
    total=("5.25",),
    reservation=("5.25",),
)
FORTY = cdr(
    [PRICES],
    [period("10:00", reservation_time="0.6667")],
    "10:40",
    total=("6.00",),
    reservation=("6.00",),
)


def expired(record: dict[str, Any], amount: str) -> dict[str, Any]:
    return but(record, total=(amount,), reservation=(amount,))


@pytest.mark.parametrize("record", [USED, EXPIRED, FORTY])
def test_without_a_mistake_it_is_right(record: dict[str, Any]) -> None:
    assert checked(record, reservation_expired=record is not USED).verdict is Verdict.RIGHT


@pytest.mark.parametrize("version", LATER)
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (but(USED, total=("12.55",), reservation=("5.55",)), "were both billed"),
        (expired(EXPIRED, "5.55"), "were both billed"),
        (but(USED, time=("3.05",), reservation=("0",)), "in the cost of something else"),
        (but(USED, parking=("1.55",), reservation=("0",)), "in the cost of something else"),
        (but(USED, fixed=("0.80",), reservation=("1.25",)), "stands in the fixed cost"),
        (but(USED, fixed=("0.80",), time=("2.75",), reservation=("0",)), "stands in the fixed cost"),
        (but(USED, total=("7.00",), reservation=("0",)), "The reservation was not billed"),
        (but(USED, total=("8.25",), reservation=("1.25",)), "fee of the reservation was not billed"),
        (but(USED, total=("7.30",), reservation=("0.30",)), "The reserved time was not billed"),
        (expired(EXPIRED, "4.00"), "The reserved time was not billed"),
        (expired(FORTY, "4.00"), "The reserved time was not billed"),
    ],
)
def test_it_is_a_matter_of_the_reservation_with_one_true_reason(
    version: str, wrong: dict[str, Any], words: str
) -> None:
    used = len(wrong["charging_periods"]) > 1
    result = checked(wrong, version, reservation_expired=not used)
    assert result.causes == (Cause.RESERVATION,)
    assert {words in deviation.why for deviation in result.deviations} == {True}
