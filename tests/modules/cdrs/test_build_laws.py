"""What holds for every session of ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.parties import Party
from modules.cdrs.build import Sample, SessionFacts, State, build, running
from modules.cdrs.build.facts import PARKED
from modules.tariffs.pricing import Case, Code, price
from tests.modules.cdrs.test_build import TOKEN, location
from tests.modules.tariffs.pricing.test_laws import START, tariffs, thresholds

BOUNDED = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)


@st.composite
def sessions(draw: st.DrawFn) -> SessionFacts:
    """A session over the night in which the clocks go forward, with readings, states and power in any order."""
    length = draw(st.integers(60, 12 * 3600))
    end = START + timedelta(seconds=length)

    def moments(most: int) -> list[datetime]:
        return [
            START + timedelta(seconds=s) for s in draw(st.lists(st.integers(0, length), max_size=most, unique=True))
        ]

    steps = draw(st.lists(st.decimals(0, 9, places=3), min_size=8, max_size=8))
    times = sorted({START, end, *moments(6)})
    register = [Sample(at, Decimal(100) + sum(steps[:n], Decimal(0))) for n, at in enumerate(times)]
    return SessionFacts(
        session_id="S",
        party=Party("NL", "CPO"),
        token=TOKEN,
        location=location(()),
        evse_uid="3256",
        connector_id="1",
        tariffs=[draw(tariffs(limited=True))],
        currency="EUR",
        auth_method="WHITELIST",
        start=START,
        end=end,
        register=draw(st.permutations(register)),
        states=[State(at, draw(st.sampled_from(sorted(PARKED)))) for at in moments(4)],
        power=[Sample(at, draw(st.decimals(0, 50, places=1))) for at in moments(4)],
        current=[Sample(at, Decimal(draw(st.integers(0, 40)))) for at in moments(3)],
        reservation_start=draw(st.sampled_from([None, START - timedelta(minutes=13)])),
    )


def volumes(cdr: dict[str, Any], kind: str) -> Decimal:
    dimensions = [d for period in cdr["charging_periods"] for d in period["dimensions"]]
    return sum((d["volume"] for d in dimensions if d["type"] == kind), Decimal(0))


@BOUNDED
@given(sessions())
def test_a_running_session_at_its_close_costs_what_the_cdr_says(facts: SessionFacts) -> None:
    assert facts.end is not None
    cdr = build(facts)
    for known in (facts, replace(facts, end=None)):
        close = running(known, facts.end)
        assert close.total_cost == cdr["total_cost"]
        assert close.kwh == cdr["total_energy"]
        assert close.charging_periods == cdr["charging_periods"]


@BOUNDED
@given(sessions())
def test_the_parts_of_a_cdr_add_up(facts: SessionFacts) -> None:
    cdr = build(facts)
    readings = sorted(facts.register)
    assert volumes(cdr, "ENERGY") == cdr["total_energy"] == readings[-1].value - readings[0].value
    assert volumes(cdr, "PARKING_TIME") == cdr.get("total_parking_time", 0)
    times = sum((volumes(cdr, kind) for kind in ("TIME", "PARKING_TIME", "RESERVATION_TIME")), Decimal(0))
    assert abs(times - cdr["total_time"]) <= Decimal("0.0002")
    starts = [period["start_date_time"] for period in cdr["charging_periods"]]
    assert starts == sorted(set(starts))


def in_steps(bounds: list[Decimal]) -> dict[str, Any]:
    """A tariff with another price of energy behind each threshold in kWh."""
    prices = [{"type": "ENERGY", "price": Decimal(9 - n), "step_size": 1} for n in range(len(bounds) + 1)]
    restrictions = [*({"max_kwh": bound} for bound in sorted(bounds)), None]
    elements = [
        {"price_components": [price], "restrictions": bound} for price, bound in zip(prices, restrictions, strict=True)
    ]
    return {"id": "T", "currency": "EUR", "tax_included": "NO", "elements": elements}


@BOUNDED
@given(sessions(), st.lists(thresholds(0, 12), min_size=1, max_size=3))
def test_a_threshold_finer_than_a_volume_bills_as_its_four_decimals_do(
    facts: SessionFacts, bounds: list[Decimal]
) -> None:
    of_four = [bound.quantize(Decimal("0.0001"), ROUND_HALF_UP) for bound in bounds]
    fine, plain = (build(replace(facts, tariffs=[in_steps(each)])) for each in (bounds, of_four))
    assert {**fine, "tariffs": None} == {**plain, "tariffs": None}
    assert_the_far_end_agrees(facts, fine)


@BOUNDED
@given(sessions())
def test_the_far_end_finds_the_same_price_and_no_price_change_inside_a_period(facts: SessionFacts) -> None:
    assert_the_far_end_agrees(facts, build(facts))


def assert_the_far_end_agrees(facts: SessionFacts, cdr: dict[str, Any]) -> None:
    case = Case(
        "2.3.0",
        facts.location["time_zone"],
        cdr["tariffs"],
        cdr["start_date_time"],
        cdr["end_date_time"],
        cdr["charging_periods"],
    )
    again = price(case)
    assert again.total.tree() == cdr["total_cost"]
    assert not [w for w in again.warnings if w.code == Code.PERIOD_SPANS_A_PRICE_CHANGE]


@BOUNDED
@given(sessions(), st.integers(0, 12 * 3600), st.integers(0, 3600))
def test_the_energy_of_a_running_session_never_falls(facts: SessionFacts, first: int, later: int) -> None:
    at = START + timedelta(seconds=first)
    known = replace(facts, end=None)
    assert running(known, at).kwh <= running(known, at + timedelta(seconds=later)).kwh
