"""The states, the terms and the arithmetic of calendars, each by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import InvalidRequest
from modules.bookings import lifecycle, terms
from modules.bookings.calendar import Span, busy_everywhere, remaining, span_of, why_outside
from modules.bookings.model import ReservationStatus
from tests.modules.bookings.booked import calendar, slot

STATES = get_args(get_args(ReservationStatus)[0])
T = datetime(2026, 5, 5, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_every_state_of_the_specification_has_a_row() -> None:
    assert set(lifecycle.NEXT) == set(STATES)
    assert {"CANCELED", "NO_SHOW", "REJECTED", "FAILED", "FULFILLED"} == lifecycle.FINAL


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_the_table_of_states_is_walked(before: str, after: str) -> None:
    """By the list of the text, and the two arrows that only its diagram has."""
    listed = {
        "PENDING": {"RESERVED", "REJECTED", "FAILED", "CANCELED"},
        "RESERVED": {"FULFILLED", "CANCELED", "NO_SHOW", "PENDING"},
    }
    if before != "UNKNOWN":
        assert lifecycle.may_follow(after, before) == (after in listed.get(before, set()))
    if before in lifecycle.FINAL and after != before:
        with pytest.raises(InvalidRequest):
            lifecycle.check_told(after, before)
    else:
        lifecycle.check_told(after, before)


@pytest.mark.parametrize(
    ("words", "minutes_before", "change", "cancel"),
    [
        ({}, 0, True, True),
        ({"change_until_minutes": 60, "cancel_until_minutes": 120}, 60, True, False),
        ({"change_until_minutes": 60, "cancel_until_minutes": 120}, 59, False, False),
        ({"change_until_minutes": 60, "cancel_until_minutes": 30.5}, 31, False, True),
        ({"change_not_allowed": True}, 600, False, True),
        ({"change_not_allowed": False}, 600, True, True),
    ],
)
def test_deadlines(words: dict[str, Any], minutes_before: int, change: bool, cancel: bool) -> None:
    stated, now = {**terms.DEFAULT, **words}, T - timedelta(minutes=minutes_before)
    assert (terms.why_not_change(stated, T, now) is None) == change
    assert (terms.why_not_cancel(stated, T, now) is None) == cancel


@pytest.mark.parametrize(
    ("words", "from_", "no_show", "until"),
    [
        ({}, 0, 60, None),
        ({"early_start_time": 20}, -20, 60, None),
        ({"early_start_allowed": False, "early_start_time": 20}, 0, 60, None),
        ({"early_start_allowed": True}, 0, 60, None),
        ({"noshow_timeout": 25}, 0, 25, None),
        ({"noshow_timeout": 90}, 0, 60, None),
        ({"late_stop_allowed": False, "late_stop_time": 10}, 0, 60, 60),
        ({"late_stop_allowed": True, "late_stop_time": 10}, 0, 60, 70),
        ({"late_stop_allowed": True}, 0, 60, None),
    ],
)
def test_early_start_no_show_and_late_stop(words: dict[str, Any], from_: int, no_show: int, until: int | None) -> None:
    minute = timedelta(minutes=1)
    assert terms.starts_from(words, T) == T + from_ * minute
    assert terms.no_show_at(words, Span(T, T + HOUR)) == T + no_show * minute
    assert terms.ends_by(words, T + HOUR) == (None if until is None else T + until * minute)


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (10, 11, None),
        (8, 20, None),
        (7.75, 9, "not open"),
        (19, 20.25, "not open"),
        (10.1, 11.1, "steps of 15 minutes"),
        (10, 10.1, "steps of 15 minutes"),
        (21, 22, "not open"),
    ],
)
def test_a_period_must_lie_in_what_is_open_and_in_step(start: float, end: float, why: str | None) -> None:
    found = why_outside(span_of(slot(start, end)), [calendar((8, 12), (12, 20))])
    assert (found is None) if why is None else (why in (found or ""))


def test_without_calendars_all_times_are_open() -> None:
    assert why_outside(span_of(slot(3, 4)), []) is None


def test_a_slot_keeps_what_is_said_of_it_on_both_sides_of_a_booking() -> None:
    left = remaining(calendar((8, 20)), [span_of(slot(10, 11))])
    assert left is not None
    assert left["available_timeslots"] == [slot(8, 10, max_power=22000), slot(11, 20, max_power=22000)]
    assert remaining(calendar((8, 20)), [span_of(slot(7, 21))]) is None


SPANS = st.lists(st.tuples(st.integers(0, 47), st.integers(1, 8)), max_size=6)


def _spans(raw: list[tuple[int, int]]) -> list[Span]:
    """Without overlaps among them, as a calendar has them."""
    found: list[Span] = []
    for start, length in raw:
        span = Span(T + start * HOUR, T + (start + length) * HOUR)
        if not any(span.overlaps(other) for other in found):
            found.append(span)
    return found


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(opened=SPANS.filter(bool), busy=SPANS)
def test_what_remains_is_what_was_open_and_is_not_busy(
    opened: list[tuple[int, int]], busy: list[tuple[int, int]]
) -> None:
    slots, taken = _spans(opened), _spans(busy)
    tree = calendar()
    tree["available_timeslots"] = [
        {"start_date_time": s.start.isoformat(), "end_date_time": s.end.isoformat()} for s in slots
    ]
    left = remaining(tree, taken)
    spans = [span_of(each) for each in left["available_timeslots"]] if left else []
    for hour in range(60):
        probe = Span(T + hour * HOUR, T + (hour + 1) * HOUR)
        free = any(s.overlaps(probe) for s in slots) and not any(b.overlaps(probe) for b in taken)
        assert any(s.overlaps(probe) for s in spans) == free


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(raw=st.lists(SPANS, min_size=1, max_size=3))
def test_a_pool_is_busy_when_each_of_its_units_is(raw: list[list[tuple[int, int]]]) -> None:
    units = [_spans(each) for each in raw]
    busy = busy_everywhere(units)
    for hour in range(60):
        probe = Span(T + hour * HOUR, T + (hour + 1) * HOUR)
        all_busy = all(any(span.overlaps(probe) for span in spans) for spans in units)
        assert any(span.overlaps(probe) for span in busy) == all_busy
