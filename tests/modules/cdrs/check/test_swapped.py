"""Parking at the price of charging time and the reverse, in whichever field and with whichever step."""

from __future__ import annotations

from typing import Any

import pytest

from modules.cdrs.check import Cause, Verdict
from tests.modules.cdrs.check.records import LATER, but, cdr, checked, component, element, period, tariff
from tests.world import VERSIONS

# An hour of charging at 1.20 and one of parking at 3.00.
PLAIN = cdr(
    [tariff(element(component("TIME", "1.20", 1, None), component("PARKING_TIME", "3.00", 1, None)))],
    [period("09:00", energy="3", time="1"), period("10:00", parking_time="1")],
    "11:00",
    total=("4.20",),
    time=("1.20",),
    parking=("3.00",),
)

# 25 minutes of each: parking in steps of 10 minutes is half an hour, 1.50; charging in steps of 15 has none, 0.50.
STEPS = cdr(
    [tariff(element(component("TIME", "1.20", 900, None), component("PARKING_TIME", "3.00", 600, None)))],
    [period("09:00", energy="3", time="0.4167"), period("09:25", parking_time="0.4167")],
    "09:50",
    total=("2.00",),
    time=("0.50",),
    parking=("1.50",),
)


def amounts(record: dict[str, Any], total: str, time: str, parking: str) -> dict[str, Any]:
    return but(record, total=(total,), time=(time,), parking=(parking,))


@pytest.mark.parametrize("record", [PLAIN, STEPS])
def test_without_the_mistake_it_is_right(record: dict[str, Any]) -> None:
    assert checked(record).verdict is Verdict.RIGHT


@pytest.mark.parametrize("version", LATER)
@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        (amounts(PLAIN, "2.40", "1.20", "1.20"), Cause.PARKING_AS_TIME),
        (amounts(PLAIN, "2.40", "2.40", "0"), Cause.PARKING_AS_TIME),
        (amounts(PLAIN, "6.00", "3.00", "3.00"), Cause.TIME_AS_PARKING),
        (amounts(PLAIN, "6.00", "0", "6.00"), Cause.TIME_AS_PARKING),
        # parking as it was measured, to the steps of charging time, and to its own
        (amounts(STEPS, "1.00", "0.50", "0.50"), Cause.PARKING_AS_TIME),
        (amounts(STEPS, "1.10", "0.50", "0.60"), Cause.PARKING_AS_TIME),
        (amounts(STEPS, "1.00", "1.00", "0"), Cause.PARKING_AS_TIME),
        (amounts(STEPS, "1.10", "1.10", "0"), Cause.PARKING_AS_TIME),
        (amounts(STEPS, "2.75", "1.25", "1.50"), Cause.TIME_AS_PARKING),
        (amounts(STEPS, "3.00", "1.50", "1.50"), Cause.TIME_AS_PARKING),
    ],
)
def test_it_is_named_and_all_of_it_alike(version: str, wrong: dict[str, Any], cause: Cause) -> None:
    result = checked(wrong, version)
    assert result.causes == (cause,)
    assert len({deviation.why for deviation in result.deviations}) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_a_total_alone_tells_it_too(version: str) -> None:
    assert checked(but(PLAIN, total=("2.40",), time=("1.20",), parking=("1.20",)), version).causes == (
        Cause.PARKING_AS_TIME,
    )
