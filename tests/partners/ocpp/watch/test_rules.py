"""What rules see, and how alerts open and close."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partners.ocpp.watch.alerts import Alert, Step, Watched, resumed, step
from partners.ocpp.watch.rules import RULES, Going, Held, Sight, Thresholds, holding, is_unknown

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
WELL = Sight("CP1", online=True)
LIMITS = Thresholds()
KEY = ("offline", "CP1")
GONE = Held("CP1", "its socket is gone")


def going(*, minutes: float = 30, still: float = 0, is_asked_for: bool = True) -> Going:
    began = NOW - timedelta(minutes=minutes)
    return Going("S1", "E1", began, NOW - timedelta(minutes=still), is_asked_for)


@pytest.mark.parametrize(
    ("sight", "rules"),
    [
        (WELL, set()),
        (replace(WELL, online=False), {("offline", "CP1")}),
        (replace(WELL, faulted=("E1", "E2")), {("faulted", "CP1/E1"), ("faulted", "CP1/E2")}),
        (replace(WELL, charges=(going(still=31),)), {("no_progress", "CP1/E1")}),
        (replace(WELL, charges=(going(still=29),)), set()),
        (replace(WELL, charges=(going(still=300, is_asked_for=False),)), set()),
        (replace(WELL, online=False, charges=(going(still=300),)), {("offline", "CP1")}),
        (replace(WELL, charges=(going(minutes=48 * 60),)), {("stuck_session", "CP1/E1")}),
        (replace(WELL, clock_offset=timedelta(seconds=61)), {("clock_drift", "CP1")}),
        (replace(WELL, clock_offset=timedelta(seconds=-61)), {("clock_drift", "CP1")}),
        (replace(WELL, clock_offset=timedelta(seconds=60)), set()),
        (replace(WELL, connections=5), set()),
        (replace(WELL, connections=6), {("flapping", "CP1")}),
        (replace(WELL, rejected=20), set()),
        (replace(WELL, rejected=21), {("wrong_passwords", "CP1")}),
        (replace(WELL, starts=6, refused=4), {("refusing", "CP1")}),
        (replace(WELL, starts=6, refused=3), set()),
        (replace(WELL, starts=4, refused=4), set()),
        (replace(WELL, online=False, faulted=("E1",), commissioned_since=NOW - timedelta(days=6)), set()),
        (replace(WELL, online=False, commissioned_since=NOW - timedelta(days=7)), {("commissioning", "CP1")}),
    ],
)
def test_a_rule_holds_for_what_it_is_about(sight: Sight, rules: set[tuple[str, str]]) -> None:
    assert holding(sight, LIMITS, NOW).keys() == rules


def test_every_rule_can_hold_and_says_what_it_saw() -> None:
    bad = Sight("CP1", False, ("E1",), (going(minutes=9999, still=9999),), timedelta(hours=2), 9, 99, 9, 9)
    new = replace(bad, commissioned_since=NOW - timedelta(days=9))
    seen = {
        key: held for each in (bad, replace(bad, online=True), new) for key, held in holding(each, LIMITS, NOW).items()
    }
    assert {rule for rule, _ in seen} == {rule.name for rule in RULES}
    assert all(held.seen for held in seen.values())


@pytest.mark.parametrize(
    ("sight", "known"),
    [
        (WELL, {"offline", "faulted"}),
        (replace(WELL, unheard=("E1",)), {"offline"}),
        (replace(WELL, unheard=("E2",)), {"offline", "faulted"}),
        (replace(WELL, online=False), {"offline"}),
        (replace(WELL, clock_offset=timedelta(0)), {"offline", "faulted", "clock_drift"}),
    ],
)
def test_what_is_not_seen_is_not_taken_for_repaired(sight: Sight, known: set[str]) -> None:
    subjects = {"offline": "CP1", "faulted": "CP1/E1", "clock_drift": "CP1"}
    assert {rule for rule, subject in subjects.items() if not is_unknown(rule, subject, sight)} == known


class Course:
    """One rule and subject over time, a second a step."""

    def __init__(self) -> None:
        self.watched: Watched | None = None
        self.now = NOW
        self.opened: list[Alert] = []
        self.closed: list[Alert] = []
        self._ids = count(1)

    def goes_on(self, seconds: int, *, held: bool) -> None:
        for _ in range(seconds):
            self.now += timedelta(seconds=1)
            self._take(step(self.watched, KEY, GONE if held else None, LIMITS, self.now, str(next(self._ids))))

    def _take(self, taken: Step) -> None:
        self.watched = taken.watched
        self.opened += [taken.opened] if taken.opened is not None else []
        self.closed += [taken.closed] if taken.closed is not None else []


def test_what_passes_soon_wakes_nobody() -> None:
    course = Course()
    course.goes_on(899, held=True)
    course.goes_on(1, held=False)
    course.goes_on(899, held=True)
    assert course.opened == []


def test_an_alert_opens_once_and_closes_once() -> None:
    course = Course()
    course.goes_on(2000, held=True)
    course.goes_on(200, held=False)
    assert [(len(course.opened), len(course.closed)), course.watched] == [(1, 1), None]
    assert course.closed[0].id == course.opened[0].id
    assert course.opened[0].opened == NOW + timedelta(seconds=901)


def test_an_alert_does_not_flicker() -> None:
    course = Course()
    course.goes_on(1000, held=True)
    for _ in range(20):
        course.goes_on(50, held=False)
        course.goes_on(5, held=True)
    assert (len(course.opened), course.closed) == (1, [])


def test_an_alert_that_was_open_when_we_stopped_goes_on() -> None:
    course = Course()
    course.goes_on(1000, held=True)
    course.watched = resumed(course.opened[0])
    course.goes_on(1000, held=True)
    course.goes_on(100, held=False)
    assert (len(course.opened), len(course.closed)) == (1, 1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 1500), st.booleans()), max_size=12))
def test_openings_and_closings_take_turns(spans: list[tuple[int, bool]]) -> None:
    course = Course()
    for seconds, held in spans:
        course.goes_on(seconds, held=held)
    assert len(course.opened) - len(course.closed) in (0, 1)
    assert [alert.id for alert in course.closed] == [alert.id for alert in course.opened[: len(course.closed)]]
