"""What a limit moves the total by, in a part of it: one cause, one class."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from modules.cdrs.check import Cause, Claim, check
from tests.modules.cdrs.check.records import BERLIN, LATER, but, cdr, checked, component, element, period, tariff

D = Decimal
LEAST = {"before_taxes": D(6), "after_taxes": D(7)}

# 10 kWh at 0.50 and 19 %, at least 6.00 and 7.00.
MINIMUM = cdr(
    [tariff(element(component("ENERGY", "0.50")), min_price=LEAST)],
    [period("09:00", energy="10", time="1")],
    "10:00",
    total=("6.00", "7.00"),
    energy=("5.00", "5.95"),
)
# The same with a fee of 0.40, and 0.476 with its tax.
WITH_A_FEE = cdr(
    [tariff(element(component("ENERGY", "0.50"), component("FLAT", "0.40")), min_price=LEAST)],
    MINIMUM["charging_periods"],
    "10:00",
    total=("6.00", "7.00"),
    energy=("5.00", "5.95"),
    fixed=("0.40", "0.476"),
)


def taxed(before: str, tax: str) -> dict[str, Any]:
    return {"before_taxes": D(before), "taxes": [{"name": "VAT", "percentage": D(19), "amount": D(tax)}]}


def test_a_tax_of_2_3_0_that_is_moved_with_its_amount_is_no_second_fault() -> None:
    wrong = {**MINIMUM, "total_energy_cost": taxed("6.00", "1.00"), "total_cost": taxed("6.00", "1.00")}
    result = check(Claim(cdr=wrong, version="2.3.0", time_zone=BERLIN))
    assert result.causes == (Cause.LIMIT,)
    assert {deviation.figure.split(".")[0] for deviation in result.deviations} == {"total_energy_cost"}


@pytest.mark.parametrize("version", LATER)
@pytest.mark.parametrize(
    "wrong",
    [
        but(MINIMUM, energy=("6.00", "7.00")),
        but(WITH_A_FEE, energy=("5.60", "6.524")),
        but(WITH_A_FEE, fixed=("1.00", "1.05")),
    ],
)
def test_it_is_a_matter_of_the_limit_whatever_the_part(version: str, wrong: dict[str, Any]) -> None:
    assert checked(wrong, version).causes == (Cause.LIMIT,)


def test_another_tax_that_no_limit_explains_stays_one() -> None:
    wrong = {**MINIMUM, "total_energy_cost": taxed("5.00", "1.05"), "total_cost": taxed("6.00", "1.00")}
    assert check(Claim(cdr=wrong, version="2.3.0", time_zone=BERLIN)).causes == (Cause.TAX,)
