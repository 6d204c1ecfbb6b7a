"""Numbers and times as chargers write them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partners.ocpp.readings import is_credible, parse_decimal, parse_time

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", "0"),
        ("-12.5", "-12.5"),
        (" 7 ", "7"),
        ("123456789012.123456", "123456789012.123456"),
        (42, "42"),
        (Decimal("0.30000000000000004"), "0.3"),
        (Decimal("230.0"), "230"),
    ],
)
def test_a_number_is_read(value: Any, expected: str) -> None:
    assert parse_decimal(value) == Decimal(expected)


@pytest.mark.parametrize(
    "value",
    [
        *("NaN", "Infinity", "-inf", "٣", "1_0", "1e3", "1E+999999", "", ".", "1.", ".5", "+1", "--1", "1,5", "0x1"),
        *("1234567890123", "1.1234567", "1 2", "9" * 5000, True, None, [], {}, 10**12, 10**4000, Decimal("1E+15")),
    ],
)
def test_what_is_no_number_of_a_meter_is_none(value: Any) -> None:
    assert parse_decimal(value) is None


@pytest.mark.parametrize(
    "text",
    [
        *("2026-05-01T12:00:00Z", "2026-05-01T12:00:00.000Z", "2026-05-01T12:00:00", "2026-05-01 12:00:00+00:00"),
        *("2026-05-01t12:00:00z", "2026-05-01T14:00:00+02:00", "2026-05-01T14:00:00+0200", "2026-05-01T14:00:00+02"),
        *("2026-05-01T06:30:00-05:30", "2026-05-01T12:00Z", "2026-05-01T12:00:00,000Z", " 2026-05-01T12:00:00Z "),
        "2026-05-01T12:00:00.0000000Z",
    ],
)
def test_a_time_is_read_in_any_of_its_spellings(text: str) -> None:
    assert parse_time(text) == NOON


@pytest.mark.parametrize(
    "value",
    [
        *("yesterday", "", "2026-05-01", "2026-13-01T12:00:00Z", "2026-02-30T12:00:00Z", "2026-05-01T25:00:00Z"),
        *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "٢٠٢٦-05-01T12:00:00Z"),
        *("2026-05-01T12:00:00+99:00", "x" * 1000, 1777636800, None, True, [], {}),
    ],
)
def test_what_is_no_time_is_none(value: Any) -> None:
    assert parse_time(value) is None


def test_a_leap_second_is_the_one_before() -> None:
    assert parse_time("2016-12-31T23:59:60Z") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "2000-01-01T00:00:12Z", None])
def test_a_clock_that_was_never_set_is_not_credible(text: str | None) -> None:
    assert not is_credible(parse_time(text))
    assert is_credible(NOON)


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.one_of(st.text(), st.integers(), st.floats(), st.decimals(), st.none(), st.lists(st.text())))
def test_nothing_makes_them_raise(value: Any) -> None:
    number, moment = parse_decimal(value), parse_time(value)
    assert number is None or number.is_finite()
    assert moment is None or moment.tzinfo is UTC
