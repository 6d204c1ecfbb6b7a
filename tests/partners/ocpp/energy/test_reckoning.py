"""What nobody can steer: chargers that are away, deaf or draw more than told, and what is warned of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from partners.ocpp.energy.reasons import Crowded, Overdrawn, OverLimit, Reserved, Why
from partners.ocpp.energy.reckoning import made_safe
from partners.ocpp.energy.rules import Rules
from tests.partners.ocpp.energy.garage import CALM, at_once, car, drawn, each_phase, garage, ma, then, told
from tests.partners.ocpp.energy.site_days import MORNING

MINUTE = timedelta(minutes=1)


def test_who_draws_more_than_told_is_reckoned_with_it_and_the_others_give_way() -> None:
    bold = car(0, told=told(10_000), drawn=drawn(16_000, 16_000, 16_000, at=MORNING + MINUTE))
    found = at_once(garage(30_000, 2), bold, car(1, told=told(20_000)), now=MORNING + MINUTE)
    assert ma(found) == {"C0": 10_000, "C1": 14_000}
    assert found.notices == (Overdrawn("C0", "E0", 10_000, each_phase(16_000)),)


def test_a_charger_gets_time_to_follow_before_it_is_said_to_disobey() -> None:
    lowered = replace(told(10_000), lately=((16_000, MORNING + timedelta(seconds=30)),))
    late = car(0, told=lowered, drawn=drawn(16_000, 16_000, 16_000, at=MORNING + timedelta(seconds=20)))
    found = at_once(garage(30_000, 2), late, car(1), now=MORNING + timedelta(seconds=20))
    assert found.notices == ()
    assert found.of("C1").ma == 14_000
    assert found.of("C1").then_ma == 15_000


def test_who_is_told_the_same_again_and_again_and_does_not_follow_is_found_all_the_time() -> None:
    site, bold, other = garage(30_000, 2), car(0), car(1)
    for second in range(60, 600, 10):
        now = MORNING + timedelta(seconds=second)
        bold = replace(bold, drawn=drawn(16_000, 16_000, 16_000, at=now))
        found = at_once(site, replace(bold, told=bold.told or told(10_000)), other, now=now)
        bold, other = then(bold, found), then(other, found)
        assert [type(each) for each in found.notices] == [Overdrawn], second
        assert ma(found)["C1"] == 14_000


def test_who_is_lowered_again_and_again_is_given_the_time_to_follow_each_time_and_no_more() -> None:
    bold = car(0, told=told(30_000))
    for second, told_ma in ((60, 20_000), (80, 14_000), (100, 10_000)):
        now = MORNING + timedelta(seconds=second)
        bold = then(bold, at_once(garage(told_ma, 1), bold, now=now))

    def is_bold(read_ma: int, second: int) -> bool:
        now = MORNING + timedelta(seconds=second)
        each = replace(bold, drawn=drawn(read_ma, read_ma, read_ma, at=now))
        return bool(at_once(garage(10_000, 1), each, now=now).notices)

    assert [is_bold(20_000, second) for second in (105, 109, 111)] == [False, False, True]
    assert [is_bold(14_000, second) for second in (105, 129, 131)] == [False, False, True]
    assert is_bold(32_000, 105)
    assert not is_bold(10_000, 200)


def test_where_somebody_draws_more_than_there_is_he_is_told_to_stop_and_the_operator_hears() -> None:
    bold = car(0, told=told(10_000), drawn=drawn(16_000, at=MORNING + MINUTE))
    found = at_once(garage(12_000, 2), bold, car(1, told=told(0)), now=MORNING + MINUTE)
    assert ma(found) == {"C0": 0, "C1": 0}
    assert OverLimit("grid", 1, 4000) in found.notices


def test_what_is_kept_where_nobody_charges_is_not_said_to_be_drawn() -> None:
    site = garage(50_000, 4, safe_ma=6000)
    found = at_once(site, rules=Rules(), offline=frozenset({"E3"}), deaf=frozenset({"E3"}))
    assert found.notices == ()
    crowded = at_once(garage(45_000, 4, safe_ma=6000), rules=Rules(), offline=frozenset({"E3"}), deaf=frozenset({"E3"}))
    assert crowded.notices == tuple(Crowded("grid", phase, 5000, 50_000) for phase in (1, 2, 3))


def test_a_charge_at_a_charger_that_is_away_exceeds_a_limit_that_fell_meanwhile() -> None:
    found = at_once(garage(10_000, 2), car(1, told=told(12_000)), offline=frozenset({"E1"}), rules=Rules())
    assert found.notices == tuple(OverLimit("grid", phase, 2000) for phase in (1, 2, 3))


def test_a_deaf_charger_without_a_meter_is_reckoned_with_the_most_it_gives() -> None:
    found = at_once(garage(40_000, 2), car(0, told=told(6000)), car(1), deaf=frozenset({"E0"}))
    assert found.of("C1").ma == 8000


def test_what_an_offline_charger_may_draw_is_reserved_with_or_without_a_charge() -> None:
    site = garage(40_000, 3, safe_ma=8000)
    found = at_once(site, car(0), car(1, told=told(12_000)), offline=frozenset({"E1", "E2"}))
    assert {each.evse: each.ma for each in found.reserved} == {"E1": each_phase(12_000), "E2": each_phase(8000)}
    assert ma(found) == {"C0": 20_000, "C1": 12_000}
    assert not found.of("C1").tell
    later = at_once(site, car(1, told=told(12_000)), offline=frozenset({"E1"}), now=MORNING + 15 * MINUTE)
    assert later.reserved[0].ma == each_phase(8000)


def test_an_idle_charger_may_be_reckoned_with_what_the_next_charge_begins_with() -> None:
    found = at_once(garage(40_000, 2, safe_ma=8000), car(0), rules=Rules())
    assert ma(found) == {"C0": 32_000}
    assert found.reserved[0].why is Why.IDLE


def test_who_draws_more_than_the_safe_current_from_the_first_second_is_reckoned_with_it_at_once() -> None:
    site, second = garage(40_000, 2, safe_ma=6000), MORNING + timedelta(seconds=1)
    obedient = car(0, arrival=MORNING - 60 * MINUTE, told=told(28_000))
    bold = car(1, arrival=MORNING, drawn=drawn(32_000, 32_000, 32_000, at=second))
    found = at_once(site, obedient, bold, now=second)
    assert ma(found) == {"C0": 8000, "C1": 6000}
    assert found.reserved == (Reserved("E1", each_phase(32_000), Why.OVERDRAWN, "C1"),)
    assert found.notices == (Overdrawn("C1", "E1", 6000, each_phase(32_000)),)


@pytest.mark.parametrize("seconds", [0, 1, 20])
def test_what_a_charge_begins_with_before_it_is_told_anything_is_not_more_than_it_may_draw(seconds: int) -> None:
    now = MORNING + timedelta(seconds=seconds)
    begun = car(0, drawn=drawn(6400, 6400, 6400, at=now))
    assert at_once(garage(40_000, 1, safe_ma=6000), begun, now=now).notices == ()


def test_a_reading_from_before_the_charge_is_not_held_against_it() -> None:
    early = car(0, drawn=drawn(32_000, 32_000, 32_000, at=MORNING - timedelta(seconds=1)))
    assert at_once(garage(40_000, 1, safe_ma=6000), early).notices == ()


def test_a_charge_found_when_its_charger_takes_its_safe_current_is_given_the_time_to_fall_to_it() -> None:
    site, taken = garage(40_000, 1, safe_ma=6000), MORNING + 5 * MINUTE

    def is_bold(read_ma: int, seconds: int, held_ma: int = 32_000) -> bool:
        now = taken + timedelta(seconds=seconds)
        fallen = made_safe(None, held_ma, site.evse["E0"], CALM, taken)
        charge = car(0, told=fallen, drawn=drawn(read_ma, read_ma, read_ma, at=now))
        return bool(at_once(site, charge, now=now).notices)

    assert [is_bold(32_000, seconds) for seconds in (1, 29, 31)] == [False, False, True]
    assert is_bold(32_000, 1, held_ma=10_000)
    assert not is_bold(10_000, 1, held_ma=10_000)
    assert is_bold(10_000, 1, held_ma=6000)


def test_what_a_charge_was_told_holds_on_when_its_charger_takes_its_safe_current() -> None:
    evse = garage(40_000, 1, safe_ma=6000).evse["E0"]
    assert made_safe(told(16_000), 32_000, evse, CALM, MORNING + MINUTE) == told(16_000)


def test_what_an_offline_charger_may_draw_later_is_kept_and_not_said_to_be_drawn() -> None:
    """Two of four wait at 0 A, and fall to 6 A each when what they were told runs out."""
    site = garage(20_000, 4, safe_ma=6000)
    charges = car(0, told=told(10_000)), car(1, told=told(10_000)), car(2, told=told(0)), car(3, told=told(0))
    found = at_once(site, *charges, offline=frozenset(site.evse))
    assert found.notices == tuple(Crowded("grid", phase, 12_000, 12_000) for phase in (1, 2, 3))
    later = at_once(site, *charges, offline=frozenset(site.evse), now=MORNING + 15 * MINUTE)
    assert later.notices == tuple(OverLimit("grid", phase, 4000) for phase in (1, 2, 3))


def test_what_is_drawn_at_an_offline_charger_is_what_its_meter_read_on_the_phases_of_its_car() -> None:
    site = garage(10_000, 2, safe_ma=6000)
    single = car(0, uses=(1,), told=told(8000)), car(1, uses=(2,), told=told(8000))
    found = at_once(site, *single, offline=frozenset(site.evse))
    assert found.notices == tuple(
        Crowded("grid", phase, 6000, kept) for phase, kept in ((1, 8000), (2, 8000), (3, 16_000))
    )
    modest = replace(car(0, told=told(8000)), drawn=drawn(2000)), car(1, told=told(8000))
    found = at_once(site, *modest, offline=frozenset(site.evse))
    assert [type(each) for each in found.notices] == [Crowded] * 3


def test_who_drew_more_than_told_when_its_charger_went_away_is_reckoned_with_that() -> None:
    bold = car(0, told=told(10_000), drawn=drawn(16_000, 16_000, at=MORNING + MINUTE))
    for minutes in (1, 14):
        found = at_once(garage(30_000, 2), bold, car(1), offline=frozenset({"E0"}), now=MORNING + minutes * MINUTE)
        assert found.reserved == (Reserved("E0", (16_000, 16_000, 10_000), Why.OFFLINE, "C0"),)
        assert ma(found)["C1"] == 14_000
    exceeded = at_once(garage(12_000, 2), bold, offline=frozenset({"E0"}), now=MORNING + 14 * MINUTE)
    assert exceeded.notices == (OverLimit("grid", 1, 4000), OverLimit("grid", 2, 4000))
