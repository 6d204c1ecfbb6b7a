"""Who gets how much, told as small stories."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.core.errors import InvalidRequest
from partners.ocpp.energy.allocation import allocate
from partners.ocpp.energy.facts import Charge, Facts
from partners.ocpp.energy.reasons import Held, Slice, Why
from partners.ocpp.energy.rules import Policy, Rules
from partners.ocpp.energy.site import Evse, Limit, Node, Site
from partners.ocpp.energy.timeline import Steps
from tests.partners.ocpp.energy.garage import CALM, at_once, car, drawn, each_phase, garage, ma, then, told
from tests.partners.ocpp.energy.site_days import MORNING

MINUTE = timedelta(minutes=1)


def by(policy: Policy) -> Rules:
    return replace(CALM, policy=policy)


def test_a_lone_charge_gets_what_its_vehicle_takes() -> None:
    found = at_once(garage(63_000, 1), car(0, most_ma=16_000))
    share = found.of("C0")
    assert (share.ma, share.phases) == (16_000, (1, 2, 3))
    assert share.slices == (Slice(6000, Why.TURN), Slice(10_000, Why.SHARE))
    assert share.hold is not None
    assert share.hold.why is Held.VEHICLE


def test_equals_share_equally_and_what_one_leaves_the_others_get() -> None:
    found = at_once(garage(63_000, 3), car(0), car(1), car(2, most_ma=11_000))
    assert ma(found) == {"C0": 26_000, "C1": 26_000, "C2": 11_000}


def test_a_charge_on_one_phase_loads_only_the_grid_phase_behind_it() -> None:
    wired = Site(
        (Node("grid", None, Limit(each_phase(20_000))),),
        (Evse("E0", "grid", 32_000, (2, 3, 1)), Evse("E1", "grid", 32_000, (1, 2, 3))),
    )
    found = at_once(wired, car(0, uses=(1,)), car(1, uses=(1,)))
    assert ma(found) == {"C0": 20_000, "C1": 20_000}
    assert (found.of("C0").phases, found.of("C1").phases) == ((2,), (1,))


def test_a_phase_that_a_meter_shows_counts_whatever_was_said() -> None:
    charge = car(0, uses=(1,), told=told(10_000), drawn=drawn(10_000, 10_000))
    assert at_once(garage(20_000, 1), charge).of("C0").phases == (1, 2)


def test_a_limit_in_watts_is_kept_to_the_last_one() -> None:
    site = Site((Node("grid", None, Limit(mw=11_000_000)),), (Evse("E0", "grid", 32_000),), (231_700, 228_300, 233_900))
    share = at_once(site, car(0)).of("C0")
    assert share.ma * 693_900 <= 11_000_000_000 < (share.ma + 100) * 693_900


def test_every_limit_on_the_way_up_counts_and_the_building_with_it() -> None:
    site = Site(
        (
            Node("grid", None, Limit(each_phase(50_000))),
            Node("board", "grid", Limit(each_phase(32_000))),
            Node("circuit", "board", Limit(each_phase(20_000))),
        ),
        (Evse("E0", "circuit", 32_000),),
    )
    assert ma(at_once(site, car(0))) == {"C0": 20_000}
    kitchen = {"board": Steps((20_000, 14_000, 0), ((MORNING + 5 * MINUTE, None),))}
    assert ma(at_once(site, car(0), loads=kitchen)) == {"C0": 12_000}
    assert ma(at_once(site, car(0), loads=kitchen, now=MORNING + 5 * MINUTE)) == {"C0": 20_000}
    told_less = {"grid": Steps(Limit(each_phase(9000)))}
    assert ma(at_once(site, car(0), limits=told_less)) == {"C0": 9000}


def test_priority_gets_first_what_is_beyond_everybodys_least() -> None:
    charges = car(0), car(1, priority=2), car(2, priority=1)
    assert ma(at_once(garage(40_000, 3), *charges, rules=by(Policy.PRIORITY))) == {"C0": 6000, "C1": 28_000, "C2": 6000}


def test_who_came_first_is_served_first() -> None:
    charges = car(0, arrival=MORNING), car(1, arrival=MORNING - MINUTE)
    assert ma(at_once(garage(40_000, 2), *charges, rules=by(Policy.FIRST_COME))) == {"C0": 8000, "C1": 32_000}


def test_who_must_leave_first_is_served_first() -> None:
    soon = car(0, wanted_wh=10_000, departure=MORNING + 60 * MINUTE)
    late = car(1, wanted_wh=10_000, departure=MORNING + 600 * MINUTE)
    assert ma(at_once(garage(40_000, 3), late, soon, car(2), rules=by(Policy.DEPARTURE))) == {
        "C0": 28_000, "C1": 6000, "C2": 6000,
    }  # fmt: skip


def test_a_plan_comes_before_what_the_policy_gives_away() -> None:
    charges = car(0, planned_ma=0), car(1, planned_ma=20_000), car(2, planned_ma=0)
    found = at_once(garage(29_000, 3), *charges)
    assert ma(found) == {"C0": 9000, "C1": 20_000, "C2": 0}
    assert Slice(14_000, Why.PLAN) in found.of("C1").slices


def test_less_than_the_least_is_nothing_and_says_which_limit_is_in_the_way() -> None:
    found = at_once(garage(11_000, 2), car(0), car(1))
    assert ma(found) == {"C0": 11_000, "C1": 0}
    hold = found.of("C1").hold
    assert hold is not None
    assert (hold.why, hold.node, hold.phase) == (Held.WAITS, "grid", 1)
    alone = at_once(garage(5900, 1), car(0)).of("C0").hold
    assert alone is not None
    assert alone.why is Held.TOO_LITTLE


def test_a_wish_lowers_and_pauses_but_never_raises() -> None:
    wish = Steps(None, ((MORNING, 10_000), (MORNING + 5 * MINUTE, 0), (MORNING + 9 * MINUTE, 99_000)))
    site = garage(20_000, 1)
    found = [at_once(site, car(0, wish=wish), now=MORNING + minutes * MINUTE) for minutes in (0, 5, 9)]
    assert [each.of("C0").ma for each in found] == [10_000, 0, 20_000]
    assert [each.until for each in found[:2]] == [MORNING + 5 * MINUTE, MORNING + 9 * MINUTE]


def test_who_has_the_energy_it_wanted_gets_no_more() -> None:
    hold = at_once(garage(20_000, 1), car(0, wanted_wh=0)).of("C0").hold
    assert hold is not None
    assert hold.why is Held.ENERGY


def test_what_a_vehicle_does_not_take_goes_to_the_others() -> None:
    now = MORNING + 2 * MINUTE
    modest = car(0, told=told(16_000), drawn=drawn(7000, 7000, 7000, at=now))
    found = at_once(garage(32_000, 2), modest, car(1, told=told(16_000)), now=now)
    assert found.of("C0").then_ma == 9000
    assert found.of("C1").then_ma == 23_000


def test_nobody_rises_before_the_others_have_fallen() -> None:
    site, now = garage(32_000, 2), MORNING + 6 * MINUTE
    before = car(0, told=told(32_000))
    first = at_once(site, before, car(1), now=now)
    assert ma(first) == {"C0": 16_000, "C1": 0}
    assert first.of("C1").then_ma == 16_000
    second = at_once(site, then(before, first), then(car(1), first), now=now)
    assert ma(second) == {"C0": 16_000, "C1": 16_000}


def test_a_little_change_is_not_sent() -> None:
    site = garage(32_000, 2)
    calm = car(0, told=told(15_500)), car(1, told=told(16_500))
    found = at_once(site, *calm, now=MORNING + MINUTE)
    assert ma(found) == {"C0": 15_500, "C1": 16_500}
    assert [share.tell for share in found.shares] == [False, False]
    later = at_once(site, *calm, now=MORNING + 6 * MINUTE)
    assert later.of("C0").then_ma == 16_000


def test_a_lowering_that_a_limit_needs_is_sent_however_little_it_is() -> None:
    found = at_once(garage(15_900, 1), car(0, told=told(16_000)), now=MORNING + MINUTE)
    assert (found.of("C0").ma, found.of("C0").tell) == (15_900, True)


def test_a_charger_is_told_again_before_what_it_was_told_runs_out() -> None:
    site = garage(32_000, 1)
    first = at_once(site, car(0))
    charge = then(car(0), first)
    assert first.again_at == MORNING + 10 * MINUTE
    assert not at_once(site, charge, now=MORNING + 9 * MINUTE).of("C0").tell
    assert at_once(site, charge, now=MORNING + 10 * MINUTE).of("C0").tell


def test_a_charger_is_never_told_beyond_the_next_known_change() -> None:
    evening = {"grid": Steps(Limit(), ((MORNING + 7 * MINUTE, Limit(each_phase(8000))),))}
    assert at_once(garage(32_000, 1), car(0), limits=evening).of("C0").until == MORNING + 7 * MINUTE


def test_what_is_told_is_a_step_of_the_charger() -> None:
    assert ma(at_once(garage(15_900, 1, step_ma=1000), car(0))) == {"C0": 15_000}


def test_charges_that_are_only_expected_get_nothing_yet() -> None:
    assert ma(at_once(garage(32_000, 2), car(0), car(1, arrival=MORNING + MINUTE))) == {"C0": 32_000}


@pytest.mark.parametrize(
    "facts",
    [
        Facts((car(7),)),
        Facts((car(0), Charge("C9", "E0", MORNING))),
        Facts((), offline=frozenset({"E7"})),
        Facts((), loads={"cellar": Steps(None)}),
    ],
)
def test_facts_that_do_not_fit_the_site_are_refused(facts: Facts) -> None:
    with pytest.raises(InvalidRequest):
        allocate(garage(32_000, 1), facts, CALM, MORNING)


def test_two_charges_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        Facts((Charge("C0", "E0", MORNING), Charge("C0", "E1", MORNING)))
