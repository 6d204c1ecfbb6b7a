"""All of a credit CDR but its total is what stands in the CDR that it takes back. OCPI mod_cdrs_credit_cdrs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from modules.cdrs.check import Cause, Result, Verdict
from tests.modules.cdrs.check.records import PLACE, but, cdr, checked, component, element, moment, period, read, tariff
from tests.modules.cdrs.check.test_taken_back import credit_of

D = Decimal


def taxed(before: str, **rates: str) -> dict[str, Any]:
    """A Price of 2.3.0; `r19="0.855"`: a tax of 19 %."""
    taxes = [{"name": "VAT", "percentage": D(name[1:]), "amount": D(amount)} for name, amount in rates.items()]
    return {"before_taxes": D(before), "taxes": taxes}


TARIFF = tariff(element(component("ENERGY", "0.45", vat="19"), component("FLAT", "1.50", vat="7")))
BILL = but(
    cdr([TARIFF], [period("09:00", energy="6", time="0.5"), period("09:30", energy="4", time="0.5")], "10:00",
        total=("6.00",)),
    total_cost=taxed("6.00", r19="0.855", r7="0.105"),
    total_energy_cost=taxed("4.50", r19="0.855"),
    total_fixed_cost=taxed("1.50", r7="0.105"),
)  # fmt: skip
NAMELESS = {"before_taxes": D("-6.00"), "taxes": [{"name": "VAT", "amount": D("-0.96")}]}


def taking_back(version: str = "2.3.0", bill: dict[str, Any] = BILL, **changes: Any) -> Result:
    return checked(credit_of(bill, **changes), version, original=read(bill, version))


def test_a_copy_is_right() -> None:
    assert taking_back().verdict is Verdict.RIGHT


TAXES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "swapped rates": ({"total_cost": taxed("-6.00", r7="-0.855", r19="-0.105")}, [
        "total_cost.taxes/0", "total_cost.taxes/1"]),
    "all of it at 0 %": ({"total_cost": taxed("-6.00", r0="-0.96")}, ["total_cost.taxes/0"]),
    "a rate left out": ({"total_cost": taxed("-6.00", r19="-0.96")}, ["total_cost.taxes/0"]),
    "a part at another rate": ({"total_energy_cost": taxed("4.50", r7="0.855")}, ["total_energy_cost.taxes/0"]),
    "a part at another rate, turned": (
        {"total_energy_cost": taxed("-4.50", r7="-0.855"), "total_fixed_cost": taxed("-1.50", r7="-0.105")}, [
            "total_energy_cost.taxes/0"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TAXES)
def test_each_tax_is_given_back_at_the_rate_at_which_it_was_billed(name: str) -> None:
    changes, figures = TAXES[name]
    result = taking_back(**changes)
    assert result.verdict is Verdict.WRONG
    assert [(each.figure, each.cause) for each in result.deviations] == [(figure, Cause.TAX) for figure in figures]


SAME_TAXES: dict[str, dict[str, Any]] = {
    "in another order": {"total_cost": taxed("-6.00", r7="-0.105", r19="-0.855")},
    "each rounded to cents": {"total_cost": taxed("-6.00", r19="-0.86", r7="-0.11")},
    "without a rate": {"total_cost": NAMELESS},
    "with a rate of which there is nothing": {"total_cost": taxed("-6.00", r19="-0.855", r7="-0.105", r0="0")},
    "its parts turned": {
        "total_energy_cost": taxed("-4.50", r19="-0.855"), "total_fixed_cost": taxed("-1.50", r7="-0.105")},
    "one tax in two lines": {"total_cost": {"before_taxes": D("-6.00"), "taxes": [
        {"name": "A", "percentage": D(19), "amount": D("-0.8")},
        {"name": "B", "percentage": D(19), "amount": D("-0.055")},
        {"name": "C", "percentage": D(7), "amount": D("-0.105")}]}},
}  # fmt: skip


@pytest.mark.parametrize("name", SAME_TAXES)
def test_taxes_may_be_written_otherwise(name: str) -> None:
    assert taking_back(**SAME_TAXES[name]).is_sound


OTHERWISE: dict[str, tuple[dict[str, Any], list[str]]] = {
    "another session": ({"session_id": "OTHER"}, ["session_id"]),
    "another start": ({"start_date_time": moment("08:59:55")}, ["start_date_time"]),
    "another end": ({"end_date_time": moment("10:00:20")}, ["end_date_time"]),
    "another EVSE": ({"cdr_location": {**PLACE, "evse_uid": "9999"}}, ["cdr_location.evse_uid"]),
    "another location": ({"cdr_location": {**PLACE, "id": "PLACE9"}}, ["cdr_location.id"]),
    "another connector": ({"cdr_location": {**PLACE, "connector_id": "2"}}, ["cdr_location.connector_id"]),
    "parking for charging": ({"charging_periods": [
        period("09:00", energy="6", time="0.5"), period("09:30", energy="4", parking_time="0.5")],
        "total_parking_time": D("0.5")}, ["total_parking_time", "charging_periods"]),
    "energy moved to another period": ({"charging_periods": [
        period("09:00", energy="5", time="0.5"), period("09:30", energy="5", time="0.5")]}, ["charging_periods"]),
    "a period at another time": ({"charging_periods": [
        period("09:00", energy="6", time="0.5"), period("09:31", energy="4", time="0.4833")]}, ["charging_periods"]),
    "one period for two": ({"charging_periods": [period("09:00", energy="10", time="1")]}, ["charging_periods"]),
}  # fmt: skip


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_no_copy_of_what_it_takes_back_is_wrong(name: str, version: str) -> None:
    changes, figures = OTHERWISE[name]
    result = taking_back(version, **changes)
    assert result.verdict is Verdict.WRONG
    assert [(each.figure, each.cause) for each in result.deviations] == [(each, Cause.CREDIT) for each in figures]


SAME: dict[str, dict[str, Any]] = {
    "names in small letters": {"session_id": "s1", "cdr_location": {**PLACE, "id": "place1"}},
    "no fractions of a second": {"start_date_time": "2026-05-04T09:00:00.400Z"},
    "an EVSE that it does not tell": {"cdr_location": {**PLACE, "evse_uid": "#NA", "connector_id": "#NA"}},
    "volumes with fewer places": {"charging_periods": [
        period("09:00", energy="6.004", time="0.5"), period("09:30", energy="4", time="0.5")]},
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_a_copy_may_be_written_otherwise(name: str) -> None:
    assert taking_back(**SAME[name]).is_sound


def test_a_credit_without_a_session_is_a_copy_of_one_that_names_it() -> None:
    credit = {name: value for name, value in credit_of(BILL).items() if name != "session_id"}
    assert checked(credit, "2.3.0", original=read(BILL, "2.3.0")).verdict is Verdict.RIGHT
