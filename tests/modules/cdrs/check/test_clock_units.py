"""Times of periods in minutes or seconds: the unit is what is wrong, and the amounts are checked as they were meant."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from modules.cdrs.check import Cause, Claim, Verdict, check
from tests.modules.cdrs.check.records import BERLIN, but, cdr, checked, component, element, period, tariff
from tests.modules.cdrs.check.test_mistakes import RESERVED
from tests.world import VERSIONS

D = Decimal
IN_ONE = {"minutes": 60, "seconds": 3600}
TIMES = ("TIME", "PARKING_TIME", "RESERVATION_TIME")

# An hour of 10 kWh at 0.45 and 2.40 an hour, and half an hour of parking at 6.00: 4.50 + 2.40 + 3.00.
CHARGE = cdr(
    [tariff(element(component("ENERGY", "0.45"), component("TIME", "2.40"), component("PARKING_TIME", "6.00")))],
    [period("09:00", energy="10", time="1"), period("10:00", parking_time="0.5")],
    "10:30",
    total=("9.90", "11.781"),
    energy=("4.50", "5.355"),
    time=("2.40", "2.856"),
    parking=("3.00", "3.57"),
)


def written_in(record: dict[str, Any], unit: str, **more: Any) -> dict[str, Any]:
    periods = [
        {**each, "dimensions": [{**d, "volume": d["volume"] * IN_ONE[unit]} if d["type"] in TIMES else d
                                for d in each["dimensions"]]}
        for each in record["charging_periods"]
    ]  # fmt: skip
    return but(record, charging_periods=periods, **more)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("unit", IN_ONE)
def test_right_amounts_of_such_periods_have_the_unit_as_their_only_fault(unit: str, version: str) -> None:
    result = checked(written_in(CHARGE, unit), version)
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.UNIT,))
    (deviation,) = result.deviations
    assert (deviation.figure, deviation.claimed, deviation.computed) == (
        "charging_periods",
        D("1.5") * IN_ONE[unit],
        D("1.5"),
    )
    assert unit in deviation.why


@pytest.mark.parametrize("unit", IN_ONE)
def test_totals_in_the_same_unit_have_the_same_class(unit: str) -> None:
    totals = {"total_time": D("1.5") * IN_ONE[unit], "total_parking_time": D("0.5") * IN_ONE[unit]}
    result = checked(written_in(CHARGE, unit, **totals))
    assert result.causes == (Cause.UNIT,)
    assert [each.figure for each in result.deviations] == ["charging_periods", "total_time", "total_parking_time"]


def test_reserved_time_counts_too() -> None:
    assert checked(written_in(RESERVED, "minutes")).causes == (Cause.UNIT,)


def test_wrong_amounts_have_their_own_class_beside_it() -> None:
    result = checked(written_in(but(CHARGE, total=("6.90", "8.211"), parking=("0", "0")), "minutes"))
    assert set(result.causes) == {Cause.UNIT, Cause.LEFT_OUT}


def test_what_is_billed_as_it_is_written_is_not_right() -> None:
    """60 hours at 2.40, and 30 at 6.00."""
    record = but(CHARGE, total=("328.50", "390.915"), time=("144.00", "171.36"), parking=("180.00", "214.20"))
    assert set(checked(written_in(record, "minutes")).causes) == {Cause.UNIT}


@pytest.mark.parametrize("hours", ["1.9", "50", "61"])
def test_any_other_time_that_there_is_not_is_no_unit(hours: str) -> None:
    record = but(CHARGE, charging_periods=[period("09:00", energy="10", time=hours), CHARGE["charging_periods"][1]])
    assert Cause.PERIODS in checked(record).causes


def test_one_period_in_minutes_among_others_in_hours_is_found() -> None:
    record = but(CHARGE, charging_periods=[period("09:00", energy="10", time="60"), CHARGE["charging_periods"][1]])
    result = checked(record)
    assert result.causes == (Cause.UNIT,)
    assert result.deviations[0].computed == D("1.5")


def test_a_cdr_that_ends_before_it_starts_and_has_no_periods_is_told_so() -> None:
    record = but(CHARGE, charging_periods=[], end_date_time="2026-05-04T08:00:00Z")
    assert Cause.TOTAL_TIME in check(Claim(cdr=record, time_zone=BERLIN)).causes
