"""When a partner is asked whether it is there, and when it counts as silent."""

from __future__ import annotations

import pytest

from hub.core.pulse import MISSES, Pulses
from hub.core.settings import Settings
from tests.world import ManualClock

AFTER_S, FIRST_S = 300.0, 5.0


class Watch:
    """A partner's pulse under a clock that the test moves."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.pulses = self.anew()
        self.changes = 0

    def anew(self) -> Pulses:
        settings = Settings(_env_file=None, alive_after_s=AFTER_S, lane_first_s=FIRST_S)
        pulses = Pulses(self.clock, settings)
        pulses.changed = self._changed
        return pulses

    def _changed(self) -> None:
        self.changes += 1

    def wait(self, seconds: float) -> None:
        self.clock.move_to(self.clock.passed_s + seconds)

    def is_due(self) -> bool:
        return self.pulses.is_due("e1")

    def falls_silent(self) -> None:
        for _ in range(MISSES):
            self.pulses.missed("e1", "no connection")
            self.wait(FIRST_S)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.mark.parametrize("sign", ["called", "answered"])
def test_who_was_heard_is_not_asked_until_it_has_been_quiet_for_long(watch: Watch, sign: str) -> None:
    watch.wait(AFTER_S)
    assert watch.is_due()
    getattr(watch.pulses, sign)("e1")
    assert not watch.is_due()
    watch.wait(AFTER_S - 1)
    assert not watch.is_due()
    watch.wait(1)
    assert watch.is_due()


def test_a_request_that_does_not_come_through_is_a_reason_to_ask_at_once(watch: Watch) -> None:
    watch.pulses.answered("e1")
    watch.pulses.doubted("e1")
    assert watch.is_due()
    assert not watch.pulses.is_silent("e1")


def test_what_fails_once_says_nothing_and_twice_in_a_row_is_silence(watch: Watch) -> None:
    watch.pulses.missed("e1", "no connection")
    assert not watch.pulses.is_silent("e1")
    watch.pulses.answered("e1")
    watch.pulses.missed("e1", "no connection")
    assert (watch.pulses.is_silent("e1"), watch.changes) == (False, 0)
    watch.pulses.missed("e1", "no answer in time")
    assert (watch.pulses.is_silent("e1"), watch.changes) == (True, 1)
    assert watch.pulses.why_silent("e1") == "no answer in time"


def test_silence_is_told_once_and_so_is_its_end(watch: Watch) -> None:
    for _ in range(5):
        watch.pulses.missed("e1", "no connection")
    assert watch.changes == 1
    for _ in range(3):
        watch.pulses.answered("e1")
    assert (watch.pulses.is_silent("e1"), watch.changes) == (False, 2)


def test_who_is_silent_is_asked_again_ever_more_rarely(watch: Watch) -> None:
    gaps = []
    for _ in range(10):
        watch.pulses.missed("e1", "no connection")
        waited = 0.0
        while not watch.is_due():
            watch.wait(1)
            waited += 1
        gaps.append(waited)
    assert gaps == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300]


def test_a_call_of_who_is_silent_brings_the_question_forward_and_does_not_answer_it(watch: Watch) -> None:
    watch.falls_silent()
    for _ in range(4):
        watch.pulses.missed("e1", "no connection")
    watch.wait(FIRST_S)
    assert not watch.is_due()
    watch.pulses.called("e1")
    assert watch.is_due()
    assert watch.pulses.is_silent("e1")


def test_who_calls_again_and_again_is_not_asked_each_time(watch: Watch) -> None:
    watch.falls_silent()
    watch.pulses.missed("e1", "no connection")
    watch.pulses.called("e1")
    assert not watch.is_due()
    watch.wait(FIRST_S)
    assert watch.is_due()


def test_who_was_silent_before_a_restart_is_so_until_it_answers(watch: Watch) -> None:
    pulses = watch.anew()
    pulses.recall([("e1", "no connection")])
    assert (pulses.is_silent("e1"), pulses.is_due("e1"), watch.changes) == (True, True, 0)
    assert not pulses.is_due("e2")
    pulses.answered("e1")
    assert (pulses.is_silent("e1"), watch.changes) == (False, 1)


def test_who_left_has_no_pulse_any_more(watch: Watch) -> None:
    watch.falls_silent()
    watch.pulses.forget("e1")
    assert not watch.pulses.is_silent("e1")
