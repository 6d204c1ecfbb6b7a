"""However many lines a CPO cuts its taxes into, they may be off no further than their rates in the tariff allow."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modules.cdrs.check import Cause, Claim, Result, Verdict, check
from modules.cdrs.check.amounts import FIELDS
from tests.modules.cdrs.check.records import BERLIN, cdr, component, element, period, tariff
from tests.modules.cdrs.check.test_laws import BOUNDED, COSTS
from tests.modules.cdrs.check.test_tax_lines import charges

D = Decimal
CENT = D("0.01")
TOTAL, PART = "total_cost", "total_energy_cost"
Lines = list[dict[str, Any]]


def tax(rate: str | None, amount: str, name: str = "VAT") -> dict[str, Any]:
    return {"name": name, **({} if rate is None else {"percentage": D(rate)}), "amount": D(amount)}


# 10 kWh at 0.45 with 19 %, and 1.50 with 7 %: 4.50 and 0.855, 1.50 and 0.105.
BILL = {
    **cdr([tariff(element(component("ENERGY", "0.45"), component("FLAT", "1.50", vat="7")))],
          [period("09:00", energy="10", time="1")], "10:00", total=("6.00",)),
    TOTAL: {"before_taxes": D("6.00"), "taxes": [tax("19", "0.855"), tax("7", "0.105")]},
    PART: {"before_taxes": D("4.50"), "taxes": [tax("19", "0.855")]},
}  # fmt: skip
MORE: dict[str, Lines] = {
    "at a rate of the tariff": [tax("19", "0.01")] * 60,
    "at one that it has not": [tax("3", "0.01", "City")] * 60,
    "at sixty that it has not": [tax(str(D(at) / 8), "0.01") for at in range(81, 141)],
    "at none": [tax(None, "0.01", "City")] * 60,
    "at 0 %": [tax("0", "0.009")] * 60,
    "of some each": [tax("19", "0.01"), tax("7", "0.01"), tax("0", "0.01"), tax(None, "0.01"), tax("3", "0.01")] * 3,
}


def found(tree: dict[str, Any], **more: Any) -> Result:
    return check(Claim(cdr=tree, version="2.3.0", time_zone=BERLIN, **more))


def with_more(tree: dict[str, Any], field: str, lines: Lines) -> dict[str, Any]:
    price = tree[field]
    return {**tree, field: {**price, "taxes": [*(price.get("taxes") or ()), *deepcopy(lines)]}}


def credit_of(tree: dict[str, Any]) -> dict[str, Any]:
    price = tree[TOTAL]
    taxes = [{**line, "amount": -line["amount"]} for line in price["taxes"]]
    total = {"before_taxes": -price["before_taxes"], "taxes": taxes}
    return {**tree, "id": "CDR1-C", "credit": True, "credit_reference_id": "CDR1", TOTAL: total}


def lines_of(result: Result, field: str) -> list[Cause]:
    return [each.cause for each in result.deviations if each.figure.startswith(f"{field}.")]


@pytest.mark.parametrize("field", [TOTAL, PART])
@pytest.mark.parametrize("name", MORE)
def test_more_lines_of_taxes_are_wrong_and_a_matter_of_tax_alone(name: str, field: str) -> None:
    assert found(BILL).verdict is Verdict.RIGHT
    result = found(with_more(BILL, field, MORE[name]))
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.TAX,)), result


@pytest.mark.parametrize("name", MORE)
def test_so_are_they_in_a_credit_where_they_keep_back_what_was_billed(name: str) -> None:
    assert found(credit_of(BILL), original=BILL).verdict is Verdict.RIGHT
    result = found(with_more(credit_of(BILL), TOTAL, MORE[name]), original=BILL)
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.TAX,)), result


def test_a_tax_that_is_off_at_its_rate_is_told_once_where_the_sum_is_off_a_little() -> None:
    """The credit gives back 0.015 less of what is taxed at 19 %: two rates may be off by that together, one may not."""
    less = credit_of(BILL)
    less[TOTAL]["taxes"][0]["amount"] += D("0.015")
    result = found(less, original=BILL)
    assert [(each.figure, each.cause) for each in result.deviations] == [("total_cost.taxes/0", Cause.TAX)]


def test_a_tax_at_0_percent_is_nothing_also_where_the_sum_is_right() -> None:
    moved = {**BILL, TOTAL: {"before_taxes": D("6.00"), "taxes": [
        tax("19", "0.845"), tax("7", "0.105"), tax("0", "0.01")]}}  # fmt: skip
    result = found(moved)
    assert [(each.figure, each.cause, each.why) for each in result.deviations] == [
        ("total_cost.taxes/2", Cause.TAX, "a tax at 0 % is nothing")
    ]


@pytest.mark.parametrize("lines", [["0.5", "0.355"], ["0.29", "0.29", "0.275"], ["0.285"] * 3, ["0.855", "0"]])
def test_the_tax_of_a_rate_may_be_cut_into_lines(lines: list[str]) -> None:
    taxes = [*(tax("19", amount) for amount in lines), tax("7", "0.105")]
    cut = {**BILL, TOTAL: {"before_taxes": D("6.00"), "taxes": taxes}}
    assert found(cut).verdict is Verdict.RIGHT
    assert found(credit_of(cut), original=BILL).verdict is Verdict.RIGHT


def test_a_tax_of_the_only_rate_in_lines_is_one_amount_where_nothing_can_be_priced() -> None:
    """The period names a tariff that is not at hand."""
    one = tariff(element(component("ENERGY", "0.45")))
    tree = cdr([one], [period("09:00", "T2", energy="10", time="1")], "10:00", total=("4.50",))
    tree[TOTAL] = {"before_taxes": D("4.50"), "taxes": [tax("19", "0.855"), *MORE["at a rate of the tariff"]]}
    result = found(tree)
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.TAX, Cause.MISSING_TARIFF))


def test_where_only_the_amount_with_tax_is_known_it_may_be_off_by_one_tolerance() -> None:
    inside = tariff(element(component("ENERGY", "0.45", vat=None)), tax_included="YES")
    tree = cdr([inside], [period("09:00", energy="10", time="1")], "10:00", total=("4.50",))
    tree[TOTAL] = {"before_taxes": D("3.78"), "taxes": [tax(None, "0.72")]}
    assert found(tree).verdict is Verdict.RIGHT
    assert found(with_more(tree, TOTAL, [tax(None, "0.005")] * 2)).verdict is Verdict.WITHIN_TOLERANCE
    assert found(with_more(tree, TOTAL, [tax(None, "0.005")] * 3)).verdict is Verdict.WRONG


some_lines = st.lists(
    st.builds(
        lambda rate, amount: {"name": "VAT", **({} if rate is None else {"percentage": rate}), "amount": amount},
        st.sampled_from([None, D(0), D("5.5"), D(7), D(19), D(20), D("17.3"), D(3)]),
        st.decimals("-0.002", "0.02", places=3),
    ),
    min_size=1,
    max_size=30,
)


def rates_of(record: dict[str, Any]) -> set[Decimal]:
    """The rates that the tariff has."""
    elements = record["tariffs"][0]["elements"]
    return {part["vat"] for each in elements for part in each["price_components"]} - {None}


@BOUNDED
@given(charges(), st.sampled_from(COSTS), some_lines)
def test_no_more_lines_move_what_is_accepted_by_more_than_the_tolerance_of_each_rate(
    record: dict[str, Any], field: str, lines: Lines
) -> None:
    assume(field in record and rates_of(record))  # without any rate the tariff leaves open what the taxes are
    off = sum((line["amount"] for line in lines), D(0))
    result = found(with_more(record, field, lines))
    if abs(off) > CENT * max(1, len(rates_of(record))):
        assert result.verdict is Verdict.WRONG, (off, result)


@BOUNDED
@given(charges(), some_lines)
def test_nor_do_they_in_a_credit(record: dict[str, Any], lines: Lines) -> None:
    assume(record[TOTAL].get("taxes"))
    off = sum((line["amount"] for line in lines), D(0))
    result = found(with_more(credit_of(record), FIELDS["total"], lines), original=record)
    if abs(off) > CENT * max(1, len(rates_of(record))):
        assert result.verdict is Verdict.WRONG, (off, result)
