"""A credit CDR is held against what it takes back, right or wrong. OCPI mod_cdrs_credit_cdrs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from modules.cdrs.check import TOLERANCE, Cause, Result, Verdict
from tests.modules.cdrs.check.records import LATER, but, cdr, checked, component, element, period, read, tariff
from tests.modules.cdrs.check.test_mistakes import EVENING, MISTAKES

D = Decimal
TURNED = {"energy": ("-10.00", "-11.90"), "parking": ("-3.00", "-3.57"), "fixed": ("-1.00", "-1.19")}
"""The parts of `EVENING`."""


def credit_of(bill: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What takes a CDR in our form back: a copy with the negative amounts in its total_cost."""
    total = bill["total_cost"]
    turned = {"before_taxes": -total["before_taxes"]}
    if "taxes" in total:
        turned["taxes"] = [{**tax, "amount": -tax["amount"]} for tax in total["taxes"]]
    more = {"credit": True, "credit_reference_id": bill["id"], "total_cost": turned}
    return but({**bill, "id": f"{bill['id']}-C", **more}, **changes)


def taking_back(
    bill: dict[str, Any], version: str = "2.2.1", *, tolerance: Decimal = TOLERANCE, **changes: Any
) -> Result:
    """Of the check of a credit of `bill`, with changes."""
    return checked(credit_of(bill, **changes), version, original=read(bill, version), tolerance=tolerance)


BILLS = [
    pytest.param(seeded.cdr, version, id=f"{seeded.name} {version}")
    for seeded in MISTAKES
    for version in seeded.versions
    if version in LATER and not seeded.cdr.get("credit")
]


@pytest.mark.parametrize(("bill", "version"), BILLS)
def test_the_credit_of_a_wrong_cdr_is_right(bill: dict[str, Any], version: str) -> None:
    """Whatever the mistake was: that is what it takes back, and it says so with the other sign."""
    assert checked(bill, version).verdict is Verdict.WRONG
    result = taking_back(bill, version)
    assert (result.verdict, result.deviations) == (Verdict.RIGHT, ())


def test_a_credit_of_what_should_have_been_billed_leaves_the_rest_billed() -> None:
    """Billed were 15.00 for 14.00, and 17.85 for 16.66; what is given back are the 14.00."""
    result = taking_back(but(EVENING, total=("15.00", "17.85")), total=("-14.00", "-16.66"))
    assert result.verdict is Verdict.WRONG
    assert [(each.figure, each.cause, each.claimed, each.computed) for each in result.deviations] == [
        ("total_cost.before_taxes", Cause.CREDIT, D("-14.00"), D("-15.00")),
        ("total_cost.after_taxes", Cause.CREDIT, D("-16.66"), D("-17.85")),
    ]


ROUNDED = {
    "the credit": (("14.0049", "16.6658"), ("-14.00", "-16.67")),
    "the bill": (("14.00", "16.67"), ("-14.0049", "-16.6658")),
    "half a cent, in another way": (("14.00", "16.66"), ("-14.005", "-16.665")),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_a_credit_may_be_rounded_otherwise_than_what_it_takes_back(name: str) -> None:
    """As any amount it may differ by the tolerance; how much of it was taken is told."""
    billed, back = ROUNDED[name]
    bill = but(EVENING, total=billed)
    result = taking_back(bill, total=back)
    assert (result.verdict, result.causes) == (Verdict.WITHIN_TOLERANCE, (Cause.ROUNDING,))
    assert [(each.figure, each.claimed, each.computed) for each in result.deviations] == [
        (f"total_cost.{side}", D(ours), -D(stood))
        for side, ours, stood in zip(("before_taxes", "after_taxes"), back, billed, strict=True)
    ]
    assert taking_back(bill, total=back, tolerance=D("0.0001")).verdict is Verdict.WRONG


def test_a_cent_is_tolerated_in_a_credit_and_two_are_not() -> None:
    for total, verdict in (("-14.01", Verdict.WITHIN_TOLERANCE), ("-14.02", Verdict.WRONG)):
        assert taking_back(EVENING, total=(total, "-16.66")).verdict is verdict
    yen = cdr([tariff(element(component("ENERGY", "30", 1, None)), currency="JPY")],
              [period("09:00", energy="10", time="1")], "10:00", total=("300",), currency="JPY")  # fmt: skip
    for total, verdict in (("-299", Verdict.WITHIN_TOLERANCE), ("-298", Verdict.WRONG)):
        assert taking_back(yen, total=(total,)).verdict is verdict


@pytest.mark.parametrize("version", LATER)
def test_taxes_that_were_billed_are_given_back_in_every_version(version: str) -> None:
    """Without incl_vat nothing is said of taxes in 2.2.1; as it is passed on in 2.3.0 it says that there are none."""
    result = taking_back(EVENING, version, total=("-14.00",))
    assert result.verdict is Verdict.WRONG
    assert [(each.figure, each.cause, each.claimed, each.computed) for each in result.deviations] == [
        ("total_cost.taxes", Cause.TAX, D(0), D("-2.66"))
    ]
    assert taking_back(but(EVENING, total=("14.00",)), version).verdict is Verdict.RIGHT


OTHERWISE: dict[str, tuple[dict[str, Any], dict[str, Cause]]] = {
    "a total that is not turned": ({"total": ("14.00", "16.66")}, {
        "total_cost.before_taxes": Cause.CREDIT, "total_cost.after_taxes": Cause.CREDIT}),
    "another part": ({"energy": ("9.00", "10.71")}, {
        "total_energy_cost.before_taxes": Cause.CREDIT, "total_energy_cost.after_taxes": Cause.CREDIT}),
    "another part, turned": ({**TURNED, "energy": ("-9.00", "-10.71")}, {
        "total_energy_cost.before_taxes": Cause.CREDIT, "total_energy_cost.after_taxes": Cause.CREDIT}),
    "another currency": ({"currency": "JPY"}, {"currency": Cause.CURRENCY}),
    "another time": ({"total_time": D("1.2")}, {"total_time": Cause.CREDIT}),
    "another energy": ({"total_energy": D(20), "charging_periods": [
        period("17:30", energy="10", time="0.5"), period("18:00", energy="10", time="1"),
        period("19:00", parking_time="0.4")]}, {"total_energy": Cause.CREDIT, "charging_periods": Cause.CREDIT}),
    "other periods": ({"charging_periods": [period("17:30", energy="10", time="0.5")]}, {
        "total_energy": Cause.ENERGY, "total_parking_time": Cause.PARKING_TIME, "charging_periods": Cause.CREDIT}),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_a_credit_has_otherwise_than_what_it_takes_back_is_told(name: str) -> None:
    changes, told = OTHERWISE[name]
    result = taking_back(EVENING, **changes)
    assert result.verdict is Verdict.WRONG
    assert {each.figure: each.cause for each in result.deviations} == told


@pytest.mark.parametrize("changes", [TURNED, {"tariffs": []}], ids=["its parts are turned too", "it has no tariff"])
def test_what_may_be_otherwise_in_a_credit_is_right(changes: dict[str, Any]) -> None:
    bill = but(EVENING, total=("15.00", "17.85"))
    assert taking_back(bill, **changes).verdict is Verdict.RIGHT
    less = {name: value for name, value in credit_of(bill).items() if not name.endswith("_cost") or "total_c" in name}
    assert checked(less, original=bill).verdict is Verdict.RIGHT


def test_the_same_mistake_at_the_same_place_may_not_hide_a_worse_one() -> None:
    bill = but(EVENING, total_energy=D(31))
    assert taking_back(bill).verdict is Verdict.RIGHT
    assert taking_back(bill, total_energy=D(45)).causes == (Cause.CREDIT,)


def test_a_credit_of_a_credit_is_wrong_whatever_its_sign() -> None:
    first = credit_of(EVENING)
    for total in (("-14.00", "-16.66"), ("14.00", "16.66")):
        again = but(first, id="CDR1-D", credit_reference_id=first["id"], total=total)
        result = checked(again, original=first)
        assert result.verdict is Verdict.WRONG
        assert ("credit_reference_id", Cause.CREDIT) in [(each.figure, each.cause) for each in result.deviations]


def test_amounts_that_the_bill_did_not_state_are_held_against_the_price() -> None:
    """In 2.1.1 a CDR has a total alone, before taxes."""
    bill = {name: value for name, value in EVENING.items() if not name.endswith("_cost") or name == "total_cost"}
    bill = but(bill, total=("14.00",))
    assert checked(credit_of(EVENING), original=bill).verdict is Verdict.RIGHT
    assert checked(credit_of(EVENING, total=("-14.00", "-17.66")), original=bill).causes == (Cause.TAX,)
    assert checked(credit_of(EVENING, energy=("9.00", "10.71")), original=bill).verdict is Verdict.WRONG


def test_a_bill_below_zero_is_taken_back_by_a_credit_above_it() -> None:
    prices = tariff(element(component("ENERGY", "0.50", 1, None)))
    bill = cdr([prices], [period("09:00", energy="-2", time="1")], "10:00", total=("-1.00",), energy=("-1.00",))
    assert taking_back(bill).verdict is Verdict.RIGHT
    assert taking_back(bill, total=("-1.00",)).verdict is Verdict.WRONG
