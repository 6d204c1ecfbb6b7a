"""Every kind of moment at which a price may change begins a charging period of ours, and no other one does."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from modules.cdrs.build import State, build, running
from tests.modules.cdrs.test_build import at, element, register, session, shape, tariff

ENERGY, OTHER = ("ENERGY", "0.20", 1), element(("ENERGY", "0.50", 1))
READ = register(("09:00", "0"), ("10:00", "10"))
DAY = {"start": "2024-01-14T22:30:00", "end": "2024-01-14T23:30:00"}
LEAP = {"start": "2024-03-31T00:30:00", "end": "2024-03-31T01:30:00"}


def starts(tree: dict[str, Any], **facts: Any) -> list[str]:
    """When the periods of a session begin; from 09:00 to 10:00 with 10 kWh, unless it is said otherwise."""
    return [start for start, _ in shape(build(session(**{"tariffs": [tree], "register": READ, **facts})))]


@pytest.mark.parametrize(
    ("restrictions", "facts", "second"),
    [
        ({"end_time": "10:30"}, {}, "09:30"),
        ({"start_time": "10:15"}, {}, "09:15"),
        ({"start_time": "23:00", "end_time": "10:45"}, {}, "09:45"),
        ({"end_date": "2024-01-15"}, DAY, "23:00"),
        ({"start_date": "2024-01-15"}, DAY, "23:00"),
        ({"day_of_week": ["SUNDAY"]}, DAY, "23:00"),
        ({"start_time": "02:30", "end_time": "04:00"}, LEAP, "01:00"),
        ({"min_duration": 1200}, {}, "09:20"),
        ({"max_duration": 1200}, {}, "09:20"),
        ({"min_kwh": 4}, {}, "09:24"),
        ({"max_kwh": 4}, {}, "09:24"),
        ({"min_power": 16}, {"power": register(("09:00", "10"), ("09:40", "16"))}, "09:40"),
        ({"max_power": 16}, {"power": register(("09:00", "10"), ("09:40", "16"))}, "09:40"),
        ({"min_current": 20}, {"current": register(("09:00", "32"), ("09:50", "6"))}, "09:50"),
        ({"max_current": 20}, {"current": register(("09:00", "32"), ("09:50", "6"))}, "09:50"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) and value else None,
)
def test_a_period_begins_where_an_element_begins_or_ends(
    restrictions: dict[str, Any], facts: dict[str, Any], second: str
) -> None:
    found = starts(tariff(element(ENERGY, **restrictions), OTHER), **facts)
    assert found == [at(facts.get("start", "09:00")).strftime("%H:%M"), second]


@pytest.mark.parametrize(
    ("restrictions", "second"),
    [({"min_duration": 1800}, "09:30"), ({"min_kwh": 2}, "09:12"), ({"start_time": "10:45"}, "09:45")],
)
def test_a_fixed_fee_that_becomes_due_begins_a_period(restrictions: dict[str, Any], second: str) -> None:
    fee = tariff(element(("FLAT", "5.00", 1), **restrictions), element(ENERGY))
    assert starts(fee) == ["09:00", second]
    assert build(session(tariffs=[fee], register=READ))["total_fixed_cost"]["before_taxes"] == 5


def test_a_period_begins_where_charging_becomes_parking_and_back() -> None:
    states = [State(at("09:10"), "SUSPENDED_EV"), State(at("09:20"), "FINISHING"), State(at("09:30"), "CHARGING")]
    assert starts(tariff(OTHER), states=states) == ["09:00", "09:10", "09:30"]


@pytest.mark.parametrize(
    "element_beyond",
    [
        element(ENERGY, min_kwh=20),
        element(ENERGY, min_duration=7200),
        element(ENERGY, start_time="20:00"),
        element(("PARKING_TIME", "9.00", 1), max_kwh=5),
        element(("TIME", "9.00", 1), max_kwh=5, reservation="RESERVATION"),
        element(ENERGY, min_power=30),
    ],
)
def test_what_changes_no_price_of_this_session_begins_no_period(element_beyond: dict[str, Any]) -> None:
    power = register(("09:00", "10"), ("09:40", "16"))
    assert starts(tariff(element_beyond, OTHER), power=power) == ["09:00"]


def test_a_threshold_gets_exactly_its_energy_and_the_instant_is_what_is_rounded() -> None:
    thirds = tariff(element(ENERGY, max_kwh=1), OTHER)
    cdr = build(session(tariffs=[thirds], register=register(("09:00", "0"), ("10:00", "3.0001"))))
    (_, first), (begun, second) = shape(cdr)
    assert (first["ENERGY"], second["ENERGY"], begun) == ("1", "2.0001", "09:19:59")
    assert cdr["charging_periods"][1]["start_date_time"] == "2024-01-15T09:19:59.961Z"
    assert cdr["total_energy_cost"]["before_taxes"] == Decimal("1.2005")


@pytest.mark.parametrize("kind", ["power", "current"])
def test_what_is_measured_at_one_end_does_not_meet_the_condition_of_the_other(kind: str) -> None:
    """Strong before half past ten local time, weak after it: the price for strong charging after that is never due."""
    late = tariff(element(("ENERGY", "0.90", 1), start_time="10:30", **{f"min_{kind}": 20}), OTHER)
    measured: dict[str, Any] = {kind: register(("09:00", "32"), ("09:30", "6"))}
    facts = session(tariffs=[late], register=READ, **measured)
    cdr = build(facts)
    assert cdr["total_cost"]["before_taxes"] == 5
    assert running(facts, at("10:00")).warnings == ()
    assert [start for start, _ in shape(cdr)] == ["09:00", "09:30"]


def test_strong_charging_that_ends_before_its_price_begins_is_told_without_doubt_over_many_pieces() -> None:
    """Each neighbour fits the next; only all of them together would tell of 32 A after 11:00."""
    tree = tariff(
        element(("TIME", "9.00", 1), start_time="10:45", min_current=20), element(("TIME", "1.00", 1), max_current=10),
        element(("TIME", "1.00", 1)),
    )  # fmt: skip
    current = register(("09:00", "32"), ("09:20", "12"), ("09:40", "15"), ("09:50", "13"))
    facts = session(tariffs=[tree], current=current)
    assert running(facts, at("10:00")).warnings == ()
    assert build(facts)["total_cost"]["before_taxes"] == 1


def test_energy_that_came_early_is_not_told_as_if_it_came_late() -> None:
    """5 kWh are reached before the window of the first element begins; spread over the hour, they would be after it."""
    early = tariff(element(("ENERGY", "0.90", 1), start_time="10:30", max_kwh=5), OTHER)
    facts = session(tariffs=[early], register=register(("09:00", "0"), ("09:15", "5.5"), ("10:00", "6")))
    assert running(facts, at("10:00")).warnings == ()
    assert build(facts)["total_cost"]["before_taxes"] == 3


@pytest.mark.parametrize(
    ("readings", "second", "first_kwh"),
    [
        ([("08:58", "0"), ("08:59", "5"), ("10:00", "10")], "09:00:00.001", "3"),
        ([("09:00", "0"), ("10:01", "1"), ("10:02", "10")], "09:59:59.999", "3"),
        ([("09:00", "0"), ("09:30", "1"), ("09:30", "10")], "09:30:00.000", "3"),
    ],
    ids=["before the start", "after the end", "at one moment"],
)
def test_a_threshold_that_is_passed_between_readings_of_one_moment_loses_no_energy(
    readings: list[tuple[str, str]], second: str, first_kwh: str
) -> None:
    """Readings from before the start count as at the start, and those from after the end as at the end."""
    cdr = build(session(tariffs=[tariff(element(ENERGY, max_kwh=3), OTHER)], register=register(*readings)))
    (_, first), (_, then) = shape(cdr)
    assert (first["ENERGY"], then["ENERGY"]) == (first_kwh, "7")
    assert cdr["charging_periods"][1]["start_date_time"] == f"2024-01-15T{second}Z"
    assert cdr["total_energy"] == 10
    assert cdr["total_energy_cost"]["before_taxes"] == Decimal("4.1")


@pytest.mark.parametrize("threshold", ["0.30000000000000004", "0.33333", "0.33337", "5.4030000000000005", "0.00001"])
@pytest.mark.parametrize("bound", ["min_kwh", "max_kwh"])
def test_behind_a_threshold_finer_than_a_volume_the_rest_has_its_own_price(threshold: str, bound: str) -> None:
    below, above = element(("ENERGY", "0.50", 1)), element(("ENERGY", "0.10", 1))
    bounded, other = (below, above) if bound == "max_kwh" else (above, below)
    bounded = {**bounded, "restrictions": {bound: Decimal(threshold)}}
    cdr = build(session(tariffs=[tariff(bounded, other)], register=READ))
    until = Decimal(threshold).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    cost = until / 2 + (10 - until) / 10
    assert cdr["total_cost"]["before_taxes"] == cost.quantize(Decimal("0.0001"), ROUND_HALF_UP)


@pytest.mark.parametrize("kind", ["power", "current"])
def test_a_sample_at_a_threshold_with_the_dust_of_a_float_has_reached_it(kind: str) -> None:
    weak = tariff(element(ENERGY, **{f"max_{kind}": Decimal("16.000000000000004")}), OTHER)
    measured: dict[str, Any] = {kind: register(("09:00", "10"), ("09:30", "16"))}
    cdr = build(session(tariffs=[weak], register=READ, **measured))
    assert cdr["total_cost"]["before_taxes"] == Decimal("3.5")
