"""What holds for a charge by a clock that runs ahead, by however much and however late it is told."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from partners.ocpp.events import Event, Flag
from partners.ocpp.ledger import settle
from partners.ocpp.surroundings import AHEAD
from tests.partners.ocpp.ledger_laws import assert_one_by_one_is_all_at_once, assert_order_and_repetition_change_nothing
from tests.partners.ocpp.said import at, sample, start, stop
from tests.partners.ocpp.test_ledger_laws import often

SAMPLES = 4
ahead = st.one_of(st.integers(6, 26 * 60), st.integers(24 * 60 - 5, 24 * 60 + 5))
lengths = st.integers(1, 300)
delays = st.lists(st.one_of(st.just(0), st.integers(0, 600)), min_size=SAMPLES + 2, max_size=SAMPLES + 2)
together = st.one_of(st.none(), st.integers(0, 600))


def told(ahead_min: int, length: int, delayed: list[int], heard: int | None) -> list[Event]:
    """Start, samples, stop; each as late as that and none before the start, or all at once so long after the stop."""
    times = [length * place / (SAMPLES + 1) for place in range(SAMPLES + 2)]
    heard_at = [
        at(time + delay if heard is None else length + heard) for time, delay in zip(times, delayed, strict=True)
    ]
    heard_at = [max(moment, heard_at[0]) for moment in heard_at]
    clock = at(ahead_min)
    samples = [
        sample(time, str(1 + place), transaction=1, clock=clock, arrival=heard_at[place])
        for place, time in list(enumerate(times))[1:-1]
    ]
    began = start(0, assigned=1, clock=clock, arrival=heard_at[0])
    return [began, *samples, stop(length, transaction=1, clock=clock, arrival=heard_at[-1])]


def is_right_by_chance(event: Event) -> bool:
    return event.said is not None and abs(event.arrival - event.said) <= timedelta(minutes=2)


@often
@given(ahead, lengths, delays, together, st.randoms(use_true_random=False))
def test_it_is_as_long_as_its_clock_says_and_its_samples_lie_within_it_in_their_order(
    ahead_min: int, length: int, delayed: list[int], heard: int | None, rng: random.Random
) -> None:
    events = told(ahead_min, length, delayed, heard)
    first, last = events[0], events[-1]
    assume(heard is not None or not (is_right_by_chance(first) or is_right_by_chance(last)))
    (charge,) = settle(events)
    assert charge.end is not None
    assert charge.end - charge.start == timedelta(minutes=length)
    assert charge.end <= last.arrival + AHEAD
    registers = [reading.energy_kwh for reading in charge.readings if reading.energy_kwh is not None]
    assert registers == sorted(registers)
    assert len(registers) == SAMPLES
    dated = [at for event in events for at in (event.said, *(reading.at for reading in event.readings)) if at]
    is_shown = any(at > event.arrival + AHEAD for at, event in zip(dated, events, strict=True))
    assert (Flag.CLOCK_AHEAD in charge.flags) == is_shown
    assert_order_and_repetition_change_nothing(events, rng, late=True)
    assert_one_by_one_is_all_at_once(rng.sample(events, len(events)))
