"""When an element applies: half-open bounds, the clock on the wall, and what was measured."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from modules.tariffs.pricing import UnfitSession, UnfitTariff
from tests.modules.tariffs.pricing.cases import bill, codes, component, element, excl, period, tariff


def applies(start: str, zone: str = "Europe/Amsterdam", **restrictions: Any) -> bool:
    """Does an element with these restrictions price a period that starts at `start`?"""
    priced = bill(
        tariff(element(component("TIME", "1"), **restrictions)),
        period(start, time="1"),
        end="2030-01-01T00:00:00",
        zone=zone,
    )
    return priced.time is not None


@pytest.mark.parametrize(
    ("start", "window", "expected"),
    [
        ("07:59:59", ("09:00", "17:00"), False),
        ("08:00", ("09:00", "17:00"), True),
        ("15:59:59.999", ("09:00", "17:00"), True),
        ("16:00", ("09:00", "17:00"), False),
        ("21:00", ("22:00", "06:00"), True),
        ("04:59", ("22:00", "06:00"), True),
        ("05:00", ("22:00", "06:00"), False),
        ("22:59", ("20:00", "00:00"), True),
        ("23:00", ("20:00", "00:00"), False),
        ("10:00", ("00:00", "00:00"), True),
        ("10:00", ("14:00", "14:00"), True),
        ("22:59", (None, "00:00"), True),
        ("23:00", (None, "10:00"), True),
        ("09:00", (None, "10:00"), False),
        ("21:59", ("23:00", None), False),
        ("22:59", ("23:00", None), True),
    ],
)
def test_a_window_follows_the_wall_clock_in_amsterdam(
    start: str, window: tuple[str | None, str | None], *, expected: bool
) -> None:
    assert applies(start, start_time=window[0], end_time=window[1]) is expected


def test_a_wrapping_window_on_a_weekday_does_not_reach_into_the_next_day() -> None:
    friday: dict[str, Any] = {"start_time": "22:00", "end_time": "06:00", "day_of_week": ["FRIDAY"]}
    assert applies("2024-01-19T22:00:00", **friday)
    assert not applies("2024-01-20T01:00:00", **friday)
    assert applies("2024-01-18T23:30:00", **friday)


def test_an_empty_list_of_weekdays_restricts_nothing() -> None:
    assert applies("10:00", day_of_week=[])
    assert applies("10:00", day_of_week=["MONDAY"])
    assert not applies("10:00", day_of_week=["TUESDAY", "SUNDAY"])


def test_the_end_date_is_not_included_and_both_dates_are_local() -> None:
    dates = {"start_date": "2024-01-15", "end_date": "2024-01-16"}
    assert not applies("2024-01-14T22:59:59", **dates)
    assert applies("2024-01-14T23:00:00", **dates)
    assert applies("2024-01-15T22:59:59", **dates)
    assert not applies("2024-01-15T23:00:00", **dates)


def test_a_date_range_and_a_window_are_a_window_on_each_of_the_days() -> None:
    both = {"start_date": "2024-01-15", "end_date": "2024-01-17", "start_time": "08:00", "end_time": "18:00"}
    assert applies("2024-01-16T08:00:00", **both)
    assert not applies("2024-01-16T20:00:00", **both)


def test_zones_with_odd_offsets_have_their_own_midnight() -> None:
    assert applies("2024-01-14T18:15:00", "Asia/Kathmandu", day_of_week=["MONDAY"])
    assert not applies("2024-01-14T18:14:59", "Asia/Kathmandu", day_of_week=["MONDAY"])
    assert applies("2024-04-06T15:00:00", "Australia/Lord_Howe", start_time="01:30", end_time="02:00")


def test_kwh_are_those_before_the_period() -> None:
    stepped = tariff(element(component("ENERGY", "1"), max_kwh=10), element(component("ENERGY", "2"), min_kwh=10))
    priced = bill(stepped, period("09:00", kwh="10"), period("09:30", kwh="5"), end="10:00")
    assert excl(priced) == Decimal(20)
    assert codes(priced) == set()


def test_durations_count_in_absolute_time_when_the_clocks_change() -> None:
    late = tariff(element(component("TIME", "1"), min_duration=7200))
    night = [period("2024-10-26T23:00:00", time="2"), period("2024-10-27T01:00:00", time="1")]
    assert excl(bill(late, *night, end="2024-10-27T02:00:00")) == Decimal(1)


def test_a_duration_starts_with_the_session_not_with_its_reservation() -> None:
    first = tariff(element(component("TIME", "1"), max_duration=3600))
    priced = bill(first, period("08:00", reserved="1"), period("09:00", time="0.5"), end="09:30")
    assert excl(priced) == Decimal("0.5")


@pytest.mark.parametrize(
    ("measured", "restrictions", "expected"),
    [
        ({"min_kw": "10", "max_kw": "20"}, {"max_power": 16}, True),
        ({"min_kw": "10", "max_kw": "20"}, {"min_power": 16}, True),
        ({"min_kw": "16", "max_kw": "16"}, {"max_power": 16}, False),
        ({"min_kw": "16", "max_kw": "16"}, {"min_power": 16}, True),
        ({"max_kw": "10"}, {"max_power": 16}, True),
        ({"min_a": "32"}, {"min_current": 32, "max_current": 64}, True),
        ({"min_a": "6"}, {"max_power": 16}, False),
    ],
)
def test_power_and_current_are_those_of_the_period(
    measured: dict[str, str], restrictions: dict[str, int], *, expected: bool
) -> None:
    priced = bill(
        tariff(element(component("ENERGY", "1"), **restrictions)), period("09:00", kwh="1", **measured), end="10:00"
    )
    assert (priced.energy is not None) is expected


def test_what_was_not_measured_is_not_fulfilled_and_that_is_said() -> None:
    priced = bill(tariff(element(component("ENERGY", "1"), max_power=16)), period("09:00", kwh="1"), end="10:00")
    assert priced.energy is None
    assert "missing_measurement" in codes(priced)


def test_a_measurement_is_missed_where_the_phase_of_the_period_asks_for_it() -> None:
    fast = tariff(
        element(component("TIME", "2"), min_power=50, reservation="RESERVATION"), element(component("TIME", "1"))
    )
    reserved = bill(fast, period("09:00", reserved="1"), end="10:00")
    assert codes(reserved) == {"missing_measurement", "unpriced_quantity"}
    assert reserved.warnings[-1].subject == "RESERVATION_TIME"
    assert codes(bill(fast, period("09:00", time="1"), end="10:00")) == set()


def test_an_element_with_a_restriction_that_we_do_not_know_never_applies() -> None:
    strange = tariff(element(component("ENERGY", "9"), booking="BOOKING"), element(component("ENERGY", "1")))
    priced = bill(strange, period("09:00", kwh="1"), end="10:00")
    assert excl(priced) == Decimal(1)
    assert "restriction_not_understood" in codes(priced)
    overtime = tariff(element(component("ENERGY", "9"), reservation="RESERVATION_OVERTIME"))
    assert "restriction_not_understood" in codes(bill(overtime, period("09:00", kwh="1"), end="10:00"))


def test_without_a_zone_only_a_tariff_that_asks_for_local_time_is_refused() -> None:
    assert bill(tariff(element(component("ENERGY", "1"), max_kwh=5)), period("09:00", kwh="1"), end="10:00", zone=None)
    local = tariff(element(component("ENERGY", "1"), start_time="09:00"))
    with pytest.raises(UnfitSession, match="time zone is not known"):
        bill(local, period("09:00", kwh="1"), end="10:00", zone=None)
    with pytest.raises(UnfitSession, match="not an IANA"):
        bill(local, period("09:00", kwh="1"), end="10:00", zone="Europe/Nowhere")


@pytest.mark.parametrize(
    "restrictions",
    [
        {"start_time": "9:00"},
        {"start_time": "24:00"},
        {"end_time": "noon"},
        {"start_date": "15.01.2024"},
        {"day_of_week": ["FUNDAY"]},
        {"day_of_week": "MONDAY"},
        {"min_kwh": "many"},
    ],
)
def test_a_restriction_that_cannot_be_read_is_refused(restrictions: dict[str, Any]) -> None:
    with pytest.raises(UnfitTariff):
        applies("09:00", **restrictions)
