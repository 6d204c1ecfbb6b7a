"""In 2.3.0 a price is written as an amount before taxes and each tax: these are compared, and no sum of them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.cdrs.check import Cause, Claim, Result, Verdict, check
from tests.modules.cdrs.check.records import BERLIN, cdr, component, element, period, tariff

D = Decimal
NONE = D(0)
RATES = {"energy": D(19), "fixed": D(7), "parking": D("5.5")}
TARIFF = tariff(
    element(
        component("ENERGY", "0.45"), component("FLAT", "1.50", vat="7"), component("PARKING_TIME", "1.11", vat="5.5")
    )
)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(D("0.01"), ROUND_HALF_UP)


def rounded(kwh: Decimal, parked: Decimal = NONE) -> dict[str, Any]:
    """A charge of which each written amount is rounded to cents, and none made to fit another."""
    exact = {"energy": kwh * D("0.45"), "fixed": D("1.50"), "parking": parked * D("1.11")}
    exact = {name: amount for name, amount in exact.items() if amount}
    lines = {name: amount * RATES[name] / 100 for name, amount in exact.items()}
    prices = {f"total_{name}_cost": priced(amount, {name: lines[name]}) for name, amount in exact.items()}
    periods = [period("09:00", energy=str(kwh), time="1")]
    periods += [period("10:00", parking_time=str(parked))] if parked else []
    end = f"{10 + int(parked)}:{int(parked % 1 * 60):02}"
    total = priced(sum(exact.values(), D(0)), lines)
    return {**cdr([TARIFF], periods, end, total=("0",)), **prices, "total_cost": total}


def priced(before: Decimal, taxes: dict[str, Decimal]) -> dict[str, Any]:
    told = [{"name": "VAT", "percentage": RATES[name], "amount": cents(tax)} for name, tax in taxes.items()]
    return {"before_taxes": cents(before), "taxes": told}


def checked(tree: dict[str, Any], **more: Any) -> Result:
    return check(Claim(cdr=tree, version="2.3.0", time_zone=BERLIN, **more))


def wrong_in(result: Result) -> list[str]:
    return [deviation.figure for deviation in result.deviations if not deviation.tolerable]


def test_who_rounds_each_written_amount_to_cents_is_right() -> None:
    """7.31715 and taxes of 1.1052585 and 0.105, which come to 8.5274: written as 7.32, 1.11 and 0.11."""
    result = checked(rounded(D("12.927")))
    assert (result.verdict, result.deviations) == (Verdict.RIGHT, ())


@settings(max_examples=60)
@given(st.decimals(1, 60, places=3), st.sampled_from([D(0), D("0.25"), D("1.75"), D(2)]))
def test_no_rounding_to_cents_is_ever_wrong(kwh: Decimal, parked: Decimal) -> None:
    tree = rounded(kwh, parked)
    assert checked(tree).verdict in (Verdict.RIGHT, Verdict.WITHIN_TOLERANCE)
    assert checked(credit_of(tree), original=exact(tree)).verdict in (Verdict.RIGHT, Verdict.WITHIN_TOLERANCE)


@pytest.mark.parametrize(("off", "verdict"), [("0.01", Verdict.WITHIN_TOLERANCE), ("0.03", Verdict.WRONG)])
def test_a_tax_may_be_off_by_the_tolerance_of_each_that_is_written(off: str, verdict: Verdict) -> None:
    tree = rounded(D(10))
    tree["total_cost"]["taxes"][0]["amount"] += D(off)
    result = checked(tree)
    assert result.verdict is verdict
    assert {deviation.figure for deviation in result.deviations} == {"total_cost.taxes"}


def test_a_tax_is_not_made_right_by_an_amount_before_it_that_is_off_the_other_way() -> None:
    tree = rounded(D(10))
    for price in (tree["total_cost"], tree["total_energy_cost"]):
        price["before_taxes"] += D("0.01")
        price["taxes"][0]["amount"] -= D("0.02")
    result = checked(tree)
    assert result.verdict is Verdict.WRONG
    assert wrong_in(result) == ["total_energy_cost.taxes"]


def test_in_other_versions_the_amount_after_taxes_is_on_the_wire_and_compared() -> None:
    tree = rounded(D("12.927"))
    result = check(Claim(cdr=tree, version="2.2.1", time_zone=BERLIN))
    assert wrong_in(result) == ["total_cost.after_taxes"]


def exact(tree: dict[str, Any]) -> dict[str, Any]:
    """What was billed, in all its decimals."""
    kwh = tree["total_energy"]
    parked = tree["total_parking_time"]
    amounts = {"energy": kwh * D("0.45"), "fixed": D("1.50"), "parking": parked * D("1.11")}
    lines = {n: {"name": "VAT", "percentage": RATES[n], "amount": a * RATES[n] / 100} for n, a in amounts.items() if a}
    total = {"before_taxes": sum(amounts.values(), D(0)), "taxes": list(lines.values())}
    parts = {f"total_{n}_cost": {"before_taxes": amounts[n], "taxes": [line]} for n, line in lines.items()}
    return {**tree, **parts, "total_cost": total}


def credit_of(tree: dict[str, Any]) -> dict[str, Any]:
    price = tree["total_cost"]
    taxes = [{**tax, "amount": -tax["amount"]} for tax in price["taxes"]]
    total = {"before_taxes": -price["before_taxes"], "taxes": taxes}
    return {**tree, "id": "CDR1-C", "credit": True, "credit_reference_id": "CDR1", "total_cost": total}


def test_a_credit_in_cents_takes_back_a_bill_in_four_decimals() -> None:
    tree = rounded(D("12.927"), D("1.75"))
    result = checked(credit_of(tree), original=exact(tree))
    assert result.verdict is Verdict.WITHIN_TOLERANCE
    assert all(deviation.figure.split(".")[1].startswith(("before", "taxes")) for deviation in result.deviations)


def test_a_credit_of_other_taxes_is_wrong() -> None:
    tree = rounded(D(10))
    credit = credit_of(tree)
    credit["total_cost"]["taxes"][0]["amount"] += D("0.05")
    result = checked(credit, original=tree)
    assert (result.verdict, "total_cost.taxes" in {each.figure for each in result.deviations}) == (Verdict.WRONG, True)


def test_the_right_tax_beside_the_amount_with_tax_in_the_place_of_the_one_before_it_is_a_matter_of_tax() -> None:
    inside = {**TARIFF, "tax_included": "YES", "elements": [element(component("ENERGY", "0.50"))]}
    price = {"before_taxes": D("5.00"), "taxes": [{"name": "VAT", "percentage": D(19), "amount": D("0.80")}]}
    tree = cdr([inside], [period("09:00", energy="10", time="1")], "10:00", total=("5.00",))
    result = checked({**tree, "total_cost": price, "total_energy_cost": price})
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.TAX,))
