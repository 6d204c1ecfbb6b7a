"""What holds for every CDR: a true one is never called wrong, and one with a mistake in it never right."""

from __future__ import annotations

import copy
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from modules.cdrs.build import SessionFacts, build
from modules.cdrs.check import Claim, Verdict, check
from modules.tariffs.pricing import Case, price
from tests.modules.cdrs.test_build_laws import sessions

BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    database=None,
)
COSTS = ("total_cost", *(f"total_{part}_cost" for part in ("energy", "time", "parking", "fixed", "reservation")))


def claim_of(facts: SessionFacts, cdr: dict[str, Any]) -> Claim:
    return Claim(cdr=cdr, version="2.3.0", time_zone=facts.location["time_zone"])


def rounded(cdr: dict[str, Any], places: int, how: str) -> dict[str, Any]:
    """The CDR with every amount and figure rounded on its own."""
    unit, tree = Decimal(1).scaleb(-places), copy.deepcopy(cdr)
    for field in COSTS:
        if field in tree:
            tax = sum((tax["amount"] for tax in tree[field].get("taxes", ())), Decimal(0))
            before = tree[field]["before_taxes"].quantize(unit, how)
            after = (tree[field]["before_taxes"] + tax).quantize(unit, how)
            known = {"taxes": [{"name": "VAT", "amount": after - before}]} if "taxes" in tree[field] else {}
            tree[field] = {"before_taxes": before, **known}
    for field in ("total_energy", "total_time", "total_parking_time"):
        if field in tree:
            tree[field] = tree[field].quantize(unit, how)
    return tree


@BOUNDED
@given(sessions())
def test_a_cdr_of_ours_is_right(facts: SessionFacts) -> None:
    result = check(claim_of(facts, build(facts)))
    assert (result.verdict, result.deviations) == (Verdict.RIGHT, ())


@BOUNDED
@given(sessions(), st.sampled_from([2, 4]), st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]))
def test_a_true_cdr_is_not_wrong_however_it_is_rounded(facts: SessionFacts, places: int, how: str) -> None:
    result = check(claim_of(facts, rounded(build(facts), places, how)))
    assert result.verdict in (Verdict.RIGHT, Verdict.WITHIN_TOLERANCE), result


@BOUNDED
@given(sessions(), st.sampled_from(COSTS), st.decimals("0.02", 50, places=2), st.booleans())
def test_an_amount_that_is_changed_is_found(facts: SessionFacts, field: str, by: Decimal, less: bool) -> None:
    cdr = build(facts)
    assume(field in cdr)
    cdr[field] = {**cdr[field], "before_taxes": cdr[field]["before_taxes"] + (-by if less else by)}
    result = check(claim_of(facts, cdr))
    assert result.verdict is Verdict.WRONG
    assert any(deviation.figure.startswith(field) for deviation in result.deviations)
    assert all(deviation.cause and deviation.why for deviation in result.deviations)


@BOUNDED
@given(sessions(), st.sampled_from(["total_energy", "total_time"]), st.decimals("0.02", 50, places=2))
def test_a_figure_that_is_changed_is_found(facts: SessionFacts, field: str, by: Decimal) -> None:
    cdr = build(facts)
    assert check(claim_of(facts, {**cdr, field: cdr[field] + by})).verdict is Verdict.WRONG


MISREADINGS = {
    "prices a third up": lambda component: {**component, "price": component["price"] * 4 / 3},
    "no steps": lambda component: {**component, "step_size": 0},
    "another tax": lambda component: {**component, "vat": Decimal(13)},
    "parking for time": lambda component: {
        **component,
        "type": {"PARKING_TIME": "TIME", "TIME": "PARKING_TIME"}.get(component["type"], component["type"]),
    },
}


@BOUNDED
@given(sessions(), st.sampled_from(sorted(MISREADINGS)))
def test_who_misreads_the_tariff_is_found(facts: SessionFacts, misreading: str) -> None:
    """The bill of somebody who reads each price in another way, where that makes another bill."""
    cdr = build(facts)
    misread = copy.deepcopy(cdr["tariffs"])
    for element in misread[0]["elements"]:
        element["price_components"] = [MISREADINGS[misreading](component) for component in element["price_components"]]
    zone, start, end = facts.location["time_zone"], cdr["start_date_time"], cdr["end_date_time"]
    theirs = price(Case("2.3.0", zone, misread, start, end, cdr["charging_periods"])).total
    ours = price(Case("2.3.0", zone, cdr["tariffs"], start, end, cdr["charging_periods"])).total
    assume(abs(theirs.excl - ours.excl) > Decimal("0.02"))
    assume(theirs.incl is None or theirs.incl != ours.incl)  # of a gross price no share of tax is known
    bare = {name: value for name, value in cdr.items() if name not in COSTS}
    result = check(claim_of(facts, {**bare, "total_cost": theirs.tree()}))
    assert result.verdict is Verdict.WRONG
    assert result.causes


@BOUNDED
@given(sessions(), st.sampled_from(sorted(MISREADINGS)))
def test_the_same_claim_has_the_same_result_and_is_not_altered(facts: SessionFacts, misreading: str) -> None:
    cdr = build(facts)
    cdr["total_cost"] = {"before_taxes": Decimal("3.33")}
    before = copy.deepcopy(cdr)
    claim = claim_of(facts, cdr)
    assert check(claim) == check(claim)
    assert cdr == before
