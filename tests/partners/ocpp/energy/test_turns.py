"""Turns: nobody starves, nobody flaps."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from partners.ocpp.energy.allocation import allocate
from partners.ocpp.energy.facts import Charge, Facts
from partners.ocpp.energy.reasons import Held, Why
from partners.ocpp.energy.rules import Policy, Rules
from tests.partners.ocpp.energy.garage import at_once, car, garage, ma, then
from tests.partners.ocpp.energy.site_days import MORNING

STEP = timedelta(minutes=2)
STAY, PAUSE, PATIENCE = timedelta(minutes=10), timedelta(minutes=4), timedelta(minutes=30)
HOURS = 6
USES = ((1,), (2,), (3,), (1, 2), (1, 2, 3), None)


def rules(policy: Policy) -> Rules:
    return Rules(policy=policy, stay=STAY, pause=PAUSE, patience=PATIENCE, reserves_idle=False)


def evening(charges: Sequence[Charge], policy: Policy, grid_ma: int) -> dict[str, list[bool]]:
    """Who is on, at each step of some hours in which everybody wants all the time."""
    site, on = garage(grid_ma, len(charges)), {charge.id: list[bool]() for charge in charges}
    for step in range(int(timedelta(hours=HOURS) / STEP)):
        allocation = allocate(site, Facts(tuple(charges)), rules(policy), MORNING + step * STEP)
        charges = [then(charge, allocation) for charge in charges]
        for share in allocation.shares:
            on[share.charge].append(share.ma > 0)
    return on


def spans(states: Sequence[bool], *, on: bool) -> list[timedelta]:
    """How long each span lasts in which a charge is on (or waits); the last one has no end yet."""
    cuts = [0, *(index for index, (a, b) in enumerate(pairwise(states), 1) if a is not b), len(states)]
    return [(b - a) * STEP for a, b in pairwise(cuts) if states[a] is on]


def crowd(seed: int) -> tuple[list[Charge], Policy, int]:
    """Up to seven charges on one connection that carries one or two of them at a time, and a policy."""
    rng = random.Random(seed)
    charges = [
        car(n, uses=rng.choice(USES), priority=rng.randrange(4), departure=MORNING + timedelta(hours=7 + n))
        for n in range(rng.randint(2, 7))
    ]
    return charges, list(Policy)[seed % 4], rng.choice((6000, 7000, 13_000))


@pytest.mark.parametrize("seed", range(24))
def test_nobody_starves_and_nobody_flaps_under_any_policy(seed: int) -> None:
    charges, policy, grid_ma = crowd(seed)
    longest = PATIENCE + len(charges) * (STAY + 2 * STEP)
    for states in evening(charges, policy, grid_ma).values():
        on, off = spans(states, on=True), spans(states, on=False)
        assert on
        assert max(off, default=STEP) <= longest
        assert all(span >= STAY for span in (on[:-1] if states[-1] else on))
        assert all(span >= PAUSE for span in (off[:-1] if not states[-1] else off)[not states[0] :])


def test_turns_go_round() -> None:
    on = evening([car(n) for n in range(3)], Policy.FAIR, 6000)
    shares = [sum(states) for states in on.values()]
    assert max(shares) - min(shares) <= STAY / STEP + 2


def test_a_limit_ends_a_stay_at_once() -> None:
    site, rule = garage(13_000, 2), rules(Policy.FAIR)
    first = at_once(site, car(0), car(1), rules=rule)
    charges = [then(car(n), first) for n in (0, 1)]
    lowered = at_once(garage(8000, 2), *charges, rules=rule, now=MORNING + STEP)
    assert {share.charge: share.then_ma for share in lowered.shares} == {"C0": 8000, "C1": 0}
    assert lowered.of("C0").slices[0].why is Why.STAY


def test_who_lost_its_turn_pauses_before_the_next() -> None:
    rule, now = rules(Policy.FAIR), MORNING + 20 * STEP
    site = garage(7000, 1)
    on = then(car(0), at_once(site, car(0), rules=rule))
    off = then(on, at_once(garage(5000, 1), on, rules=rule, now=now))
    paused = at_once(site, off, rules=rule, now=now + STEP).of("C0")
    assert paused.hold is not None
    assert (paused.ma, paused.hold.why, paused.hold.until) == (0, Held.PAUSE, now + PAUSE)
    assert at_once(site, off, rules=rule, now=now + PAUSE).of("C0").ma == 7000


def test_who_has_run_out_of_patience_books_the_room_that_newcomers_would_take() -> None:
    rule, now = rules(Policy.FAIR), MORNING + PATIENCE
    site = garage(7000, 3)
    first = then(replace(car(0, uses=(1,)), arrival=now - STEP), at_once(site, car(0, uses=(1,)), rules=rule, now=now))
    newcomer = car(1, uses=(2,), arrival=now)
    found = at_once(site, first, newcomer, car(2), rules=rule, now=now + STEP)
    assert ma(found) == {"C0": 7000, "C1": 0, "C2": 0}
    later = at_once(site, first, newcomer, car(2), rules=rule, now=now + STAY)
    assert (later.of("C0").then_ma, later.of("C2").then_ma, later.of("C1").then_ma) == (0, 7000, 0)


def test_whom_a_plan_serves_later_does_not_become_impatient_and_whom_it_never_serves_does() -> None:
    rule, now = rules(Policy.DEPARTURE), MORNING + PATIENCE
    planned = replace(car(0, planned_ma=7000), arrival=now)
    waits = car(1, planned_ma=0, planned_later=True)
    assert ma(at_once(garage(7000, 2), planned, waits, rules=rule, now=now)) == {"C0": 7000, "C1": 0}
    found = at_once(garage(7000, 2), planned, replace(waits, planned_later=False), rules=rule, now=now)
    assert ma(found) == {"C0": 0, "C1": 7000}
