"""The taxes that a CDR of 2.3.0 states rate by rate, where the prices of its tariff have several rates."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modules.cdrs.build import SessionFacts, build
from modules.cdrs.check import Cause, Claim, Result, Verdict, check
from modules.cdrs.check.amounts import FIELDS, PARTS
from modules.tariffs.pricing import Case, price
from tests.modules.cdrs.check.records import BERLIN, but, cdr, checked, component, element, period, tariff
from tests.modules.cdrs.check.test_laws import BOUNDED, COSTS, claim_of
from tests.modules.cdrs.test_build_laws import sessions
from tests.world import VERSIONS

D = Decimal
LIMITED = "price_limit_applied"


def taxed(excl: str, *taxes: tuple[str | None, str]) -> dict[str, Any]:
    """A Price of 2.3.0: before taxes, then each tax as its rate and amount."""
    lines = [
        {"name": "VAT", **({} if rate is None else {"percentage": D(rate)}), "amount": D(amount)}
        for rate, amount in taxes
    ]
    return {"before_taxes": D(excl), "taxes": lines}


# 13.5 kWh for 5.25, an hour for 1.20 and a fee of 1.00 at 19 %; twenty minutes of parking for 2.00 at 7 %.
# 7.45 x 19 % + 2.00 x 7 % = 1.4155 + 0.14 = 1.5555.
TWO_RATES = {
    **cdr(
        [tariff(element(component("ENERGY", "0.388888888888888888888888888888888"), component("TIME", "1.20"),
                        component("FLAT", "1.00"), component("PARKING_TIME", "6.00", 300, "7")))],
        [period("09:00", energy="13.5", time="1"), period("10:00", parking_time="0.2833")],
        "10:17",
        total=("9.45",),
    ),
    "total_cost": taxed("9.45", ("19", "1.4155"), ("7", "0.14")),
    "total_energy_cost": taxed("5.25", ("19", "0.9975")),
    "total_time_cost": taxed("1.20", ("19", "0.228")),
    "total_parking_cost": taxed("2.00", ("7", "0.14")),
    "total_fixed_cost": taxed("1.00", ("19", "0.19")),
}  # fmt: skip


def found(tree: dict[str, Any], **more: Any) -> Result:
    return check(Claim(cdr=tree, time_zone=BERLIN, **more))


RIGHT: dict[str, list[tuple[str | None, str]]] = {
    "by rate": [("19", "1.4155"), ("7", "0.14")],
    "the other way round": [("7", "0.14"), ("19", "1.4155")],
    "each part on its own": [("19", "0.9975"), ("19", "0.228"), ("7", "0.14"), ("19", "0.19")],
    "in cents": [("19", "1.42"), ("7", "0.14")],
    "without rates": [(None, "1.5555")],
    "one without a rate": [("19", "1.4155"), (None, "0.14")],
    "a tax of nothing beside them": [("0", "0"), ("19", "1.4155"), ("7", "0.14")],
    "two taxes in the rate": [("12", "0.894"), ("7", "0.6615")],
}
WRONG: dict[str, list[tuple[str | None, str]]] = {
    "rates swapped": [("7", "1.4155"), ("19", "0.14")],
    "all at one rate": [("19", "1.5555")],
    "all at none": [("0", "1.5555")],
    "a rate that nothing has": [("20", "1.4155"), ("7", "0.14")],
    "too much of one": [("19", "1.3155"), ("7", "0.24")],
    "the mean": [("16.4603", "1.5555")],
}


@pytest.mark.parametrize("name", RIGHT)
def test_taxes_are_right_however_they_are_written(name: str) -> None:
    result = found({**TWO_RATES, "total_cost": taxed("9.45", *RIGHT[name])})
    assert result.is_sound, result
    assert Cause.TAX not in result.causes


@pytest.mark.parametrize("name", WRONG)
def test_taxes_of_other_rates_are_wrong_though_their_sum_is_right(name: str) -> None:
    result = found({**TWO_RATES, "total_cost": taxed("9.45", *WRONG[name])})
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.TAX,))
    assert all(each.figure.startswith("total_cost.taxes/") for each in result.deviations)


def test_what_is_due_of_a_rate_is_said_at_the_tax_that_states_it() -> None:
    swapped = found({**TWO_RATES, "total_cost": taxed("9.45", ("7", "1.4155"), ("19", "0.14"))})
    assert [(each.figure, each.claimed, each.computed) for each in swapped.deviations] == [
        ("total_cost.taxes/0", D("1.4155"), D("0.14")),
        ("total_cost.taxes/1", D("0.14"), D("1.4155")),
    ]
    odd = found({**TWO_RATES, "total_energy_cost": taxed("5.25", ("7", "0.9975"))})
    assert [(each.figure, each.claimed, each.computed, each.why) for each in odd.deviations] == [
        ("total_energy_cost.taxes/0", D("0.9975"), D(0), "nothing is taxed at 7 %")
    ]


def test_a_fee_of_parking_brings_its_rate_along() -> None:
    moved = {**TWO_RATES, "total_parking_cost": taxed("3.00", ("7", "0.14"), ("19", "0.19"))}
    del moved["total_fixed_cost"]
    assert found(moved).verdict is Verdict.RIGHT
    assert found({**moved, "total_parking_cost": taxed("3.00", ("7", "0.33"))}).causes == (Cause.TAX,)


def test_taxes_of_a_credit_have_the_other_sign() -> None:
    credit = but(TWO_RATES, id="C", credit=True, credit_reference_id="CDR1")
    for taxes, verdict in ((("-1.4155", "-0.14"), Verdict.RIGHT), (("-0.14", "-1.4155"), Verdict.WRONG)):
        turned = {**credit, "total_cost": taxed("-9.45", ("19", taxes[0]), ("7", taxes[1]))}
        assert found(turned).verdict is verdict


# 14.975 % are the 5 % and 9.975 % of two taxes: of 4.00 0.20 and 0.399.
QUEBEC = {
    **cdr([tariff(element(component("ENERGY", "0.40", vat="14.975")))], [period("09:00", energy="10", time="1")],
          "10:00", total=("4.00",)),
    "total_cost": taxed("4.00", ("5", "0.20"), ("9.975", "0.399")),
}  # fmt: skip


def test_a_rate_may_be_that_of_several_taxes() -> None:
    assert found(QUEBEC).verdict is Verdict.RIGHT
    assert found({**QUEBEC, "total_cost": taxed("4.00", ("9.975", "0.20"), ("5", "0.399"))}).causes == (Cause.TAX,)
    assert found({**QUEBEC, "total_cost": taxed("4.00", ("5", "0.20"), ("9", "0.399"))}).causes == (Cause.TAX,)


def test_of_a_total_that_a_limit_has_moved_only_one_rate_is_told() -> None:
    """20 kWh for 10.00 at 19 %, at most 8.00 and 9.52; with a fee of 1.00 at 7 % no text says which rate has how much.

    Nor does one say which rate the tax of a limit has whose two bounds do not fit each other.
    """
    limit = {"before_taxes": D(8), "after_taxes": D("9.52")}
    for fee, limited, taxes, verdict in (
        (None, limit, ("19", "1.52"), Verdict.RIGHT),
        (None, limit, ("7", "1.52"), Verdict.WRONG),
        ("7", limit, ("19", "1.52"), Verdict.RIGHT),
        (None, {"before_taxes": D(8), "after_taxes": D("9.60")}, ("20", "1.60"), Verdict.RIGHT),
    ):
        prices = [component("ENERGY", "0.50")] + ([component("FLAT", "1.00", vat=fee)] if fee else [])
        record = cdr([tariff(element(*prices), max_price=limited)], [period("09:00", energy="20", time="1")], "10:00",
                     total=("8.00",))  # fmt: skip
        assert found({**record, "total_cost": taxed("8.00", taxes)}).verdict is verdict


def test_a_limit_that_moves_nothing_leaves_the_rates_as_they_are() -> None:
    high = [{**TWO_RATES["tariffs"][0], "max_price": {"before_taxes": D(50), "after_taxes": D(60)}}]
    limited = {**TWO_RATES, "tariffs": high}
    assert found(limited).verdict is Verdict.RIGHT
    assert found({**limited, "total_cost": taxed("9.45", ("19", "1.5555"))}).causes == (Cause.TAX,)


def in_cents(price: dict[str, Any]) -> dict[str, Any]:
    """A Price with each tax rounded on its own, in the opposite order, and the last made to fit the amount after."""
    cent, tax = D("0.01"), sum((line["amount"] for line in price["taxes"]), D(0))
    before, after = (
        amount.quantize(cent, ROUND_HALF_UP) for amount in (price["before_taxes"], price["before_taxes"] + tax)
    )
    lines = [{**line, "amount": line["amount"].quantize(cent, ROUND_HALF_UP)} for line in reversed(price["taxes"])]
    largest = max(lines, key=lambda line: abs(line["amount"]))
    largest["amount"] += after - before - sum((line["amount"] for line in lines), D(0))
    return {"before_taxes": before, "taxes": lines}


rates = st.sampled_from([None, D("5.5"), D(7), D(19), D(20)])
prices = st.decimals("0.01", 9, places=3)


@st.composite
def charges(draw: st.DrawFn, version: str = "2.3.0") -> dict[str, Any]:
    """A right CDR of some hours of charging and parking, whose tariff has a rate for each price, and maybe a limit."""
    kinds = ("ENERGY", "TIME", "PARKING_TIME", "FLAT")
    parts = [component(kind, str(draw(prices)), draw(st.sampled_from([1, 300]))) for kind in kinds]
    for part in parts:
        part["vat"] = None if version == "2.1.1" else draw(rates)
    dear = {"before_taxes": D(draw(st.integers(1, 60))), "after_taxes": D(draw(st.integers(1, 72)))}
    limits = draw(st.sampled_from([{}, {"min_price": dear}, {"max_price": dear}])) if version != "2.1.1" else {}
    included = draw(st.sampled_from(["NO", "YES"])) if version == "2.3.0" else "NO"
    prices_of_all = tariff(element(*parts), tax_included=included, **limits)
    energy, parked = draw(st.decimals(1, 40, places=3)), draw(st.sampled_from(["0.25", "1.3333"]))
    periods = [period("09:00", energy=str(energy), time="1"), period("10:00", parking_time=parked)]
    record = cdr([prices_of_all], periods, "10:15" if parked == "0.25" else "11:20", total=("0",))
    case = Case(version, BERLIN, [prices_of_all], record["start_date_time"], record["end_date_time"], periods)
    priced = price(case)
    costs = {"total": priced.total, **{part: getattr(priced, part) for part in PARTS}}
    return {**record, **{FIELDS[name]: money.tree() for name, money in costs.items() if money is not None}}


@BOUNDED
@given(sessions())
def test_true_taxes_of_ours_are_right_in_any_order_and_in_cents(facts: SessionFacts) -> None:
    ours = build(facts)
    cents = {field: in_cents(ours[field]) for field in COSTS if ours.get(field, {}).get("taxes")}
    result = check(claim_of(facts, {**ours, **cents}))
    assert result.is_sound, result


@BOUNDED
@given(charges())
def test_true_taxes_are_right_in_any_order_and_in_cents(record: dict[str, Any]) -> None:
    assert found(record).verdict is Verdict.RIGHT
    cents = {field: in_cents(record[field]) for field in COSTS if record.get(field, {}).get("taxes")}
    assert found({**record, **cents}).is_sound


@pytest.mark.parametrize("version", VERSIONS)
@BOUNDED
@given(data=st.data())
def test_a_true_cdr_of_any_version_is_right(data: st.DataObject, version: str) -> None:
    """One that was written in an older version has one tax without a rate, or none at all."""
    result = checked(data.draw(charges(version)), version)
    assert (result.verdict, result.deviations) == (Verdict.RIGHT, ())


Taxes = list[dict[str, Any]]
CHANGES: dict[str, Callable[[Taxes], Taxes]] = {
    "a rate that nobody has": lambda taxes: [{**taxes[0], "percentage": D("17.3")}, *taxes[1:]],
    "no rate": lambda taxes: [*taxes[:-1], {**taxes[-1], "percentage": D(0)}],
    "all at the lowest": lambda taxes: [{**taxes[0], "amount": sum(tax["amount"] for tax in taxes)}],
    "all at the highest": lambda taxes: [{**taxes[-1], "amount": sum(tax["amount"] for tax in taxes)}],
    "turned round": lambda taxes: [
        {**tax, "percentage": other["percentage"]} for tax, other in zip(taxes, reversed(taxes), strict=True)
    ],
}


@BOUNDED
@given(charges(), st.sampled_from(COSTS), st.sampled_from(sorted(CHANGES)))
def test_taxes_that_are_changed_by_rate_are_found(record: dict[str, Any], field: str, name: str) -> None:
    taxes = record.get(field, {}).get("taxes")
    assume(taxes and all(tax.get("percentage") for tax in taxes))
    changed = CHANGES[name](copy.deepcopy(taxes))
    assume(moved(taxes, changed) > D("0.1"))
    assume(field != "total_cost" or LIMITED not in found(record).warnings)
    result = found({**record, field: {**record[field], "taxes": changed}})
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.TAX,)), result


def moved(taxes: Taxes, changed: Taxes) -> Decimal:
    """How much stands at another rate than before, at the rate of which most does."""
    by_rate: dict[Decimal, Decimal] = {}
    for sign, lines in ((1, taxes), (-1, changed)):
        for tax in lines:
            by_rate[tax["percentage"]] = by_rate.get(tax["percentage"], D(0)) + sign * tax["amount"]
    return max(map(abs, by_rate.values()))
