"""Taxes of a CDR of 2.3.0 may be cut into any lines that are true, and into no others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modules.cdrs.check import Cause, Claim, Result, Verdict, check
from modules.cdrs.check.amounts import FIELDS
from tests.modules.cdrs.check.records import BERLIN, cdr, component, element, period, tariff
from tests.modules.cdrs.check.test_laws import BOUNDED, COSTS
from tests.modules.cdrs.check.test_tax_lines import LIMITED, charges, taxed
from tests.modules.cdrs.check.test_tax_tolerance import CENT, credit_of, rates_of

D = Decimal
TOTAL = FIELDS["total"]
Split = list[tuple[str | None, str]]


def billed(vat: str | None, *taxes: tuple[str | None, str], tariff_id: str = "") -> dict[str, Any]:
    """10 kWh for 3.00 by a tariff with that rate, and the total with these taxes."""
    prices = tariff(element(component("ENERGY", "0.30", vat=vat)))
    tree = cdr([prices], [period("09:00", *([tariff_id] if tariff_id else []), energy="10", time="1")], "10:00",
               total=("3.00",))  # fmt: skip
    return {**tree, TOTAL: taxed("3.00", *taxes)}


def found(tree: dict[str, Any], **more: Any) -> Result:
    return check(Claim(cdr=tree, version="2.3.0", time_zone=BERLIN, **more))


TRUE: dict[str, tuple[str, Split]] = {
    "CGST and SGST": ("18", [("9", "0.27"), ("9", "0.27")]),
    "two halves": ("20", [("10", "0.3"), ("10", "0.3")]),
    "two of one rate and two of another": ("18", [("5", "0.15"), ("5", "0.15"), ("4", "0.12"), ("4", "0.12")]),
    "three of one rate": ("18", [("6", "0.18")] * 3),
    "two of one rate, each in the lines of two parts": ("18", [("9", "0.07"), ("9", "0.2")] * 2),
    "one whole and one in lines": ("18", [("9", "0.27"), ("9", "0.1"), ("9", "0.1"), ("9", "0.07")]),
    "two of one rate that overlap": ("18", [("9", "0.2"), ("9", "0.2"), ("9", "0.14")]),
    "one of two without its rate": ("18", [("9", "0.27"), (None, "0.27")]),
    "a part without its rate": ("14.975", [("5", "0.15"), (None, "0.29925")]),
    "two parts of three without theirs": ("27", [("9", "0.27"), ("9", "0.27"), (None, "0.27")]),
    "some of the rate without it": ("20", [("20", "0.4"), (None, "0.2")]),
    "a rate that is nothing": ("20", [("20", "0.6"), ("7", "0")]),
}
UNTRUE: dict[str, tuple[str, Split]] = {
    "another rate": ("20", [("7", "0.6")]),
    "another rate beside next to nothing without one": ("20", [("7", "0.5999"), (None, "0.0001")]),
    "another rate beside what takes it back": ("20", [("7", "5"), (None, "-4.4")]),
    "another rate, less than all of it": ("20", [("7", "0.05"), (None, "0.55")]),
    "another rate in lines": ("20", [("7", "0.2")] * 3),
    "another rate in lines beside one without": ("20", [("7", "0.2"), ("7", "0.2"), ("7", "0.1"), (None, "0.1")]),
    "more than twice the rate in three lines": ("21", [("9", "0.21")] * 3),
    "twice a rate where one line is more than once": ("18", [("9", "0.5"), ("9", "0.04")]),
    "twice a rate that is not half": ("20", [("9", "0.3"), ("9", "0.3")]),
    "the rate twice": ("9", [("9", "0.27"), ("9", "0.27")]),
    "the sum in one line of half the rate": ("18", [("9", "0.54")]),
    "more at the rate beside one that takes it back": ("20", [("20", "0.7"), (None, "-0.1")]),
    "too little at its only rate beside a rate that is nothing": ("20", [("20", "0.5"), ("7", "0")]),
}


@pytest.mark.parametrize("name", TRUE)
def test_lines_that_are_each_a_tax_of_what_is_taxed_are_right(name: str) -> None:
    vat, lines = TRUE[name]
    result = found(billed(vat, *lines))
    assert (result.verdict, result.deviations) == (Verdict.RIGHT, ()), result


@pytest.mark.parametrize("name", UNTRUE)
def test_lines_that_are_no_tax_of_it_are_wrong_whatever_they_add_up_to(name: str) -> None:
    vat, lines = UNTRUE[name]
    result = found(billed(vat, *lines))
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.TAX,)), result


@pytest.mark.parametrize("lines", [[("9", "0.27")] * 2, [("9", "0.54"), (None, "0.06")], [("20", "0.5"), ("7", "0")]])
def test_they_are_held_against_the_amount_also_where_nothing_can_be_priced(lines: Split) -> None:
    """The period names a tariff that is not at hand."""
    result = found(billed("20", *lines, tariff_id="T2"))
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.TAX, Cause.MISSING_TARIFF))
    true = found(billed("20", ("10", "0.3"), ("10", "0.3"), tariff_id="T2"))
    assert true.verdict is Verdict.CANNOT_BE_CHECKED


@pytest.mark.parametrize(
    ("amount", "verdict"), [("0.6", Verdict.RIGHT), ("1.5", Verdict.RIGHT), ("300", Verdict.WRONG)]
)
@pytest.mark.parametrize("cuts", [1, 3])
def test_where_no_rate_is_known_a_tax_is_no_more_than_half_of_the_amount(
    amount: str, verdict: Verdict, cuts: int
) -> None:
    lines = [(None, str(D(amount) / cuts))] * cuts
    assert found(billed(None, *lines)).verdict is verdict


def test_six_hundred_lines_of_half_a_rate_are_no_more_than_the_rate() -> None:
    """Of 6.00 at 18 % 1.08 are due, and not the 6.00 that these are."""
    result = found(billed("18", *[("9", "0.01")] * 600))
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.TAX,))


def test_a_tax_in_two_rates_with_two_of_one_is_right_beside_another_rate() -> None:
    """3.00 at 18 % and a fee of 1.00 at 28 %: each half for the state and half for the union."""
    prices = tariff(element(component("ENERGY", "0.30", vat="18"), component("FLAT", "1.00", vat="28")))
    tree = cdr([prices], [period("09:00", energy="10", time="1")], "10:00", total=("4.00",))
    halves = [("9", "0.27"), ("14", "0.14")] * 2
    assert found({**tree, TOTAL: taxed("4.00", *halves)}).verdict is Verdict.RIGHT
    swapped = [("14", "0.27"), ("9", "0.14")] * 2
    assert found({**tree, TOTAL: taxed("4.00", *swapped)}).causes == (Cause.TAX,)


CREDITED: dict[str, tuple[Split, Split, bool]] = {
    "in other lines": ([("9", "0.27"), ("9", "0.27")], [("9", "0.1"), ("9", "0.17"), ("9", "0.27")], True),
    "without its rate": ([("20", "0.6")], [(None, "0.6")], True),
    "with a rate that was not named": ([(None, "0.6")], [("20", "0.6")], True),
    "some of it without its rate": ([("20", "0.6")], [("20", "0.4"), (None, "0.2")], True),
    "another rate beside next to nothing without one": ([("20", "0.6")], [("7", "0.55"), (None, "0.05")], False),
    "another rate beside two that are nothing": ([("20", "0.6")], [("7", "0.6"), (None, "5"), (None, "-5")], False),
    "more than was not named": ([("20", "0.3"), (None, "0.3")], [("7", "0.6")], False),
}


@pytest.mark.parametrize("name", CREDITED)
def test_a_credit_may_leave_out_rates_and_name_no_others(name: str) -> None:
    was, given_back, is_right = CREDITED[name]
    original = billed("20", *was)
    credit = credit_of({**original, TOTAL: taxed("3.00", *given_back)})
    result = found(credit, original=original)
    expected = (Verdict.RIGHT, ()) if is_right else (Verdict.WRONG, (Cause.TAX,))
    assert (result.verdict, result.causes) == expected, result


@st.composite
def honest(draw: st.DrawFn, taxes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same taxes: a rate as several of one rate, or of two, or as itself; each cut into lines; in any order."""
    lines: list[dict[str, Any]] = []
    for tax in taxes:
        rate = tax.get("percentage")
        shares = draw(st.sampled_from([[1], [1, 1], [1, 1, 2], [1, 3], [2, 3], [1] * 5])) if rate else [1]
        for share in shares:
            part = D(share) / sum(shares)
            known = {} if rate is None else {"percentage": rate * part}
            lines += [{"name": "Tax", **known, "amount": each} for each in draw(cut(tax["amount"] * part))]
    return draw(st.permutations(lines))


@st.composite
def cut(draw: st.DrawFn, amount: Decimal) -> list[Decimal]:
    """Lines of one sign that come to an amount."""
    shares = draw(st.lists(st.integers(1, 20), min_size=1, max_size=6))
    lines = [amount * share / sum(shares) for share in shares]
    return [*lines[:-1], amount - sum(lines[:-1], D(0))]


splits = st.sampled_from(COSTS)


@BOUNDED
@given(charges(), splits, st.data())
def test_taxes_that_are_honestly_split_are_right(record: dict[str, Any], field: str, data: st.DataObject) -> None:
    taxes = record.get(field, {}).get("taxes")
    assume(taxes)
    lines = data.draw(honest(taxes))
    result = found({**record, field: {**record[field], "taxes": lines}})
    assert result.is_sound, (lines, result)


@BOUNDED
@given(charges(), splits, st.data())
def test_split_taxes_that_come_to_more_or_less_are_not(record: dict[str, Any], field: str, data: st.DataObject) -> None:
    """Whichever lines are changed, or added with a rate or without."""
    taxes = record.get(field, {}).get("taxes")
    assume(taxes and rates_of(record))  # without any rate the tariff leaves open what the taxes are
    lines = data.draw(honest(taxes))
    off = data.draw(st.decimals("0.001", 3, places=3)) * data.draw(st.sampled_from([1, -1]))
    assume(abs(off) > CENT * max(1, len(rates_of(record))))
    for part in data.draw(cut(off)):
        if data.draw(st.booleans()):
            at = data.draw(st.integers(0, len(lines) - 1))
            lines[at] = {**lines[at], "amount": lines[at]["amount"] + part}
        else:
            rate = data.draw(st.sampled_from([None, D(0), D(3), *(line.get("percentage") for line in lines)]))
            lines.append({"name": "Tax", **({} if rate is None else {"percentage": rate}), "amount": part})
    result = found({**record, field: {**record[field], "taxes": lines}})
    assert result.verdict is Verdict.WRONG, (lines, result)


@BOUNDED
@given(charges(), splits, st.sampled_from([D("0.5"), D("0.25"), D("1.5")]), st.data())
def test_nor_are_those_at_a_rate_of_which_they_are_not_whatever_stands_beside_them(
    record: dict[str, Any], field: str, factor: Decimal, data: st.DataObject
) -> None:
    """The highest rate is told as a part or more of itself, and a last bit of its tax without any."""
    taxes = record.get(field, {}).get("taxes")
    assume(taxes and all(tax.get("percentage") for tax in taxes))
    assume(field != TOTAL or LIMITED not in found(record).warnings)
    *others, tax = sorted(taxes, key=lambda tax: tax["percentage"])
    assume(abs(tax["amount"]) > D("0.5") and tax["percentage"] * factor not in rates_of(record))
    told = {**tax, "percentage": tax["percentage"] * factor, "amount": tax["amount"] - D("0.0001")}
    lines = [*others, told, {"name": "Tax", "amount": D("0.0001")}]
    result = found({**record, field: {**record[field], "taxes": data.draw(st.permutations(lines))}})
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.TAX,)), result
