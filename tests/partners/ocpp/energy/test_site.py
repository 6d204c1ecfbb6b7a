"""Sites, units and times: what is refused, and what is never rounded up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given

from hub.core.errors import InvalidRequest
from partners.ocpp.energy.facts import Told, load_beside
from partners.ocpp.energy.reckoning import unanswered
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.site import Evse, Limit, Node, Site
from partners.ocpp.energy.timeline import Steps
from partners.ocpp.energy.units import amperes, floored, ma_of_watts, milli, raised, watts
from tests.partners.ocpp.energy.site_days import MORNING

HOUR = timedelta(hours=1)
GRID = Node("grid")


@pytest.mark.parametrize(
    "made",
    [
        lambda: Site((), ()),
        lambda: Site((GRID, Node("other")), ()),
        lambda: Site((GRID, GRID), ()),
        lambda: Site((GRID, Node("a", "b"), Node("b", "a")), ()),
        lambda: Site((GRID, Node("a", "gone")), ()),
        lambda: Site((GRID,), (Evse("E0", "gone", 16_000),)),
        lambda: Site((GRID,), (), (230_000, 0, 230_000)),
        lambda: Evse("E0", "grid", 16_000, (1, 1)),
        lambda: Evse("E0", "grid", 16_000, (1, 4)),
        lambda: Evse("E0", "grid", 16_000, ()),
        lambda: Evse("E0", "grid", 5000),
        lambda: Evse("E0", "grid", 16_000, safe_ma=20_000),
        lambda: Steps(1, ((MORNING, 2), (MORNING, 3))),
        lambda: Rules(renewed=HOUR, holds=HOUR),
        lambda: Rules(stay=-HOUR),
        lambda: Rules(band_ma=3000),
    ],
)
def test_what_is_no_site_and_no_rule_is_refused(made: Callable[[], object]) -> None:
    with pytest.raises(InvalidRequest):
        made()


def test_a_site_tells_where_the_safe_currents_are_too_much() -> None:
    nodes = Node("grid", None, Limit((20_000, 20_000, 20_000))), Node("board", "grid", assumed_load_ma=(9000, 0, 0))
    evses = tuple(Evse(f"E{n}", "board", 16_000, (n + 1, (n + 1) % 3 + 1), safe_ma=6000) for n in range(2))
    assert Site(nodes, evses).unsafe() == ()
    more = (*evses, Evse("E2", "grid", 16_000, (1,), safe_ma=6000))
    assert Site(nodes, more).unsafe() == (("grid", 1),)


@given(st.integers(0, 400_000), st.integers(200_000, 720_000))
def test_power_and_current_are_never_rounded_up(ma: int, mv: int) -> None:
    assert amperes(ma) * 1000 <= ma
    assert watts(ma, mv) * 10**6 <= ma * mv
    assert ma_of_watts(watts(ma, mv), mv) <= ma


@given(st.decimals(0, 1000, places=4))
def test_what_is_read_in_amperes_is_rounded_down_to_the_milliampere(value: Decimal) -> None:
    assert 0 <= value * 1000 - milli(value) < 1


@given(st.integers(0, 10**6), st.integers(1, 2000))
def test_steps_enclose_what_they_round(ma: int, step: int) -> None:
    assert floored(ma, step) <= ma <= raised(ma, step)
    assert floored(ma, step) % step == raised(ma, step) % step == 0
    assert raised(ma, step) - floored(ma, step) in (0, step)


def test_a_value_holds_from_its_moment_until_the_next() -> None:
    steps = Steps("night", ((MORNING, "day"), (MORNING + HOUR, "noon")))
    found = [steps.at(MORNING + hours * HOUR / 2) for hours in (-1, 0, 1, 2, 9)]
    assert found == ["night", "day", "day", "noon", "noon"]
    assert steps.next_after(MORNING) == MORNING + HOUR
    assert steps.next_after(MORNING + HOUR) is None


def test_until_a_charger_has_answered_the_larger_and_the_longer_count() -> None:
    evse = Evse("E0", "grid", 32_000, safe_ma=6000)
    old, new = Told(16_000, MORNING, MORNING + HOUR), Told(8000, MORNING + HOUR / 2, MORNING + 2 * HOUR)
    assert unanswered(old, new, evse) == Told(16_000, MORNING + HOUR / 2, MORNING + 2 * HOUR)


def test_a_charger_that_may_never_have_heard_falls_to_its_safe_current() -> None:
    evse = Evse("E0", "grid", 32_000, safe_ma=6000)
    new = Told(0, MORNING, MORNING + 2 * HOUR)
    assert unanswered(None, new, evse).ma == 6000
    assert unanswered(Told(0, MORNING - HOUR, MORNING + HOUR), new, evse).ma == 6000
    assert unanswered(Told(0, MORNING - HOUR, MORNING + 2 * HOUR), new, evse).ma == 0


def test_the_building_is_what_the_meter_reads_without_the_charges() -> None:
    assert load_beside((20_000, 9000, 4000), (6000, 6000, 0), (0, 0, 4000)) == (14_000, 3000, 0)
