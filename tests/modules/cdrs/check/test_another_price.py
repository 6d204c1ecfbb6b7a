"""An amount is called that of another price only where such a price gives just that amount."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from modules.cdrs.check import Cause
from tests.modules.cdrs.check.records import cdr, checked, component, element, period, tariff

D = Decimal


def charge(kwh: str, amount: str, price: str = "0.45", currency: str = "EUR") -> dict[str, Any]:
    """An hour of charging, for some amount before taxes."""
    prices = [tariff(element(component("ENERGY", price, 1, None)), currency=currency)]
    return cdr(
        prices, [period("09:00", energy=kwh, time="1")], "10:00", currency=currency, total=(amount,), energy=(amount,)
    )


def causes(*charge_of: str) -> tuple[Cause, ...]:
    return checked(charge(*charge_of)).causes


@pytest.mark.parametrize(
    ("kwh", "amount", "price", "currency"),
    [
        ("10", "6.10", "0.45", "EUR"),
        ("4", "2.24", "0.45", "EUR"),
        ("11.234", "6.85274", "0.45", "EUR"),
        ("11.234", "6.8527", "0.45", "EUR"),
        ("11.234", "6.85", "0.45", "EUR"),
        ("10", "610", "45", "JPY"),
        ("100", "12.30", "0.045", "KWD"),
    ],
)
def test_a_price_in_whole_coins_that_gives_the_amount_is_another_price(
    kwh: str, amount: str, price: str, currency: str
) -> None:
    assert causes(kwh, amount, price, currency) == (Cause.STALE_TARIFF,)


@pytest.mark.parametrize(
    ("kwh", "amount", "price", "currency"),
    [
        ("10", "1234", "45", "JPY"),
        ("4", "2.2343", "0.45", "EUR"),
        ("4", "2.23", "0.45", "EUR"),
        ("11.234", "6.8529", "0.45", "EUR"),
        ("3", "2.10", "0.45", "EUR"),
        ("100", "12.345", "0.045", "KWD"),
    ],
)
def test_an_amount_that_no_such_price_gives_is_none(kwh: str, amount: str, price: str, currency: str) -> None:
    assert causes(kwh, amount, price, currency) == (Cause.ARITHMETIC,)


@pytest.mark.parametrize("kwh", ["4", "6", "12", "30"])
def test_of_random_amounts_in_four_decimals_hardly_any_is_another_price(kwh: str) -> None:
    some = random.Random(4)
    found = [causes(kwh, str(D(some.randint(5000, 60000)) / 10000)) for _ in range(60)]
    assert sum(Cause.STALE_TARIFF in each for each in found) <= 1


def test_of_random_amounts_in_yen_as_few_are_as_prices_lie_apart() -> None:
    some = random.Random(9)
    found = [causes("20", str(some.randint(1000, 3000)), "45", "JPY") for _ in range(60)]
    assert sum(Cause.STALE_TARIFF in each for each in found) <= 6


def test_right_amounts_of_a_period_that_was_not_split_have_one_class() -> None:
    """40 minutes at 0.30 and 1.20, and 20 at 0.20 and 0.60, stated as one hour with 12 kWh."""
    prices = tariff(
        element(component("ENERGY", "0.30", 1, None), component("TIME", "1.20", 1, None), end_time="12:40"),
        element(component("ENERGY", "0.20", 1, None), component("TIME", "0.60", 1, None)),
    )
    record = cdr(
        [prices], [period("10:00", energy="12", time="1")], "11:00", total=("4.20",), energy=("3.20",), time=("1.00",)
    )
    record |= {"total_energy_cost": {"before_taxes": D("3.24")}, "total_cost": {"before_taxes": D("4.24")}}
    assert checked(record).causes == (Cause.UNSPLIT_PERIOD,)


def test_a_period_that_was_not_billed_is_a_matter_of_the_periods() -> None:
    """10 kWh and then 7 at 0.45; the second was forgotten."""
    prices = tariff(element(component("ENERGY", "0.45", 1, None), component("FLAT", "1.00", 1, None)))
    periods = [period("09:00", energy="10", time="0.5"), period("09:30", energy="7", time="0.5")]
    record = cdr([prices], periods, "10:00", total=("5.50",), energy=("4.50",), fixed=("1.00",))
    assert checked(record).causes == (Cause.PERIODS,)
