"""The page that a driver is shown."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from modules.tariffs.pricing import Code, Priced, given_back, page_of, receipt_of
from modules.tariffs.pricing.page import NOTES
from tests.modules.tariffs.pricing.cases import bill, component, element, period, tariff
from tests.modules.tariffs.pricing.test_spec_examples import EXAMPLES
from tests.modules.tariffs.pricing.test_spec_examples import priced as priced_example


def page(priced: Priced, currency: str | None = "EUR", **more: str) -> str:
    return page_of(receipt_of(priced, currency=currency), **more)


def test_a_page_tells_a_driver_what_was_charged_and_why() -> None:
    stepped = tariff(
        element(component("FLAT", "0.50", 0, "19")),
        element(component("ENERGY", "0.25", 1000, "19"), component("PARKING_TIME", "5", 900, "19")),
        max_price={"before_taxes": Decimal(4), "after_taxes": Decimal("4.76")},
    )
    periods = (period("09:00", kwh="9.4", time="1"), period("10:00", parking="0.2", kwh="0"))
    shown = page(bill(stepped, *periods, end="10:12"), title="Charge of 15 January 2024")
    assert (
        shown
        == """\
Charge of 15 January 2024
=========================

Times are those of Europe/Amsterdam.

From 2024-01-15 10:00:00
  Fixed fee       +19 %                                               0.50 EUR
  Energy          10 kWh x 0.25 per kWh, +19 %                        2.50 EUR
    measured: 9.4 kWh
  Charging time   1 h                                                     free
From 2024-01-15 11:00:00
  Parking time    15 min x 5 per hour, +19 %                          1.25 EUR
    measured: 12 min

Energy is sold in steps of 1000 Wh: 9400 Wh became 10000 Wh.
The 600 Wh between cost what the last part costs.

Parking time is sold in steps of 15 min: 12 min became 15 min.
The 3 min between cost what the last part costs.

Energy                                                                2.50 EUR
Parking time                                                          1.25 EUR
Fixed fees                                                            0.50 EUR
A charge costs at most, before taxes                                  4.00 EUR
  before taxes: 4.25 EUR becomes                                      4.00 EUR
A charge costs at most, after taxes                                   4.76 EUR
  after taxes: 5.0575 EUR becomes                                     4.76 EUR
------------------------------------------------------------------------------
Total before taxes                                                    4.00 EUR
VAT 19 %                                                              0.76 EUR
Total                                                                 4.76 EUR

Notes
  The total was moved to a price limit of the tariff.
"""
    )


def test_the_page_of_a_credit_says_what_it_takes_back_and_shows_what_is_given_back() -> None:
    stepped = tariff(
        element(component("FLAT", "0.50", 0, "19"), component("ENERGY", "0.25", 0, "19")),
        max_price={"before_taxes": Decimal(2), "after_taxes": Decimal("2.38")},
    )
    receipt = receipt_of(bill(stepped, period("09:00", kwh="10"), end="10:00"), currency="EUR")
    shown = page_of(given_back(receipt, reference="CDR1"), title="Receipt of CDR CDR1-C")
    assert (
        shown
        == """\
Receipt of CDR CDR1-C
=====================

This is a credit. It takes back CDR CDR1, which came about like this.

Times are those of Europe/Amsterdam.

From 2024-01-15 10:00:00
  Fixed fee       +19 %                                               0.50 EUR
  Energy          10 kWh x 0.25 per kWh, +19 %                        2.50 EUR

A charge costs at most, before taxes                                  2.00 EUR
  before taxes: 3.00 EUR becomes                                      2.00 EUR
A charge costs at most, after taxes                                   2.38 EUR
  after taxes: 3.57 EUR becomes                                       2.38 EUR

Given back:
Energy                                                               -2.50 EUR
Fixed fees                                                           -0.50 EUR
------------------------------------------------------------------------------
Total before taxes                                                   -2.00 EUR
VAT 19 %                                                             -0.38 EUR
Total                                                                -2.38 EUR

Notes
  The total was moved to a price limit of the tariff.
"""
    )


def test_what_is_given_back_has_the_other_sign_and_nothing_has_none() -> None:
    prices = tariff(element(component("TIME", "1", 0, "0"), component("ENERGY", "-1", 0, "19")))
    for kwh in ("0", "3"):
        billed = receipt(bill(prices, period("09:00", time="0.1667", kwh=kwh), end="09:10"))
        texts = list(zip(told(billed), told(given_back(billed, reference="CDR1")), strict=True))
        assert all(Fraction(one) == -Fraction(other) for one, other in texts)
        assert not [other for _, other in texts if other.startswith("-") and not Fraction(other)]
        assert "1/6" in told(billed)


def receipt(priced: Priced) -> dict[str, Any]:
    return receipt_of(priced, currency="EUR")


def told(receipt: Any) -> list[str]:
    """The amounts of its figures, as they are written."""
    pairs = [pair for figure in receipt["figures"] for pair in (figure["before_taxes"], figure["after_taxes"])]
    taxes = [tax["amount"] for figure in receipt["figures"] for tax in figure["taxes"]]
    return [*(text for pair in pairs for text in pair.values()), *taxes]


def test_the_name_of_a_line_is_apart_from_what_stands_behind_it() -> None:
    reserving = tariff(
        element(component("FLAT", "0.50", 0, "20"), component("TIME", "1", 0, "20"), reservation="RESERVATION")
    )
    shown = page(bill(reserving, period("09:00", reserved="0.5"), end="09:30"))
    assert re.search(r"  Fixed fee of the reservation \+20 % +0.50 EUR\n", shown)
    assert "  Reserved time   30 min x" in shown


def test_a_price_that_holds_its_tax_is_shown_as_it_was_quoted() -> None:
    gross = tariff(element(component("ENERGY", "0.50", 0, "21")), tax_included="YES")
    shown = page(bill(gross, period("09:00", kwh="9.4"), end="10:00", version="2.3.0"))
    assert re.search(r"  Energy +9.4 kWh x 0.5 per kWh, with 21 % +4.70   EUR\n", shown)


def test_a_page_says_that_its_lines_are_rounded_where_they_do_not_add_up() -> None:
    """Six times ten minutes at 1.00 an hour are 1.00, and six times 0.1667 are not."""
    sixths = tariff(element(component("TIME", "1")))
    periods = [period(f"09:{10 * n:02}", time="0.1667") for n in range(6)]
    shown = page(bill(sixths, *periods, end="10:00"))
    assert shown.count("0.1667 EUR") == 6
    assert re.search(r"Charging time +1.00   EUR\n", shown)
    said = "Lines are shown rounded; what they come to is reckoned from exact amounts.\n"
    assert shown.count(said) == 1
    assert shown.index("0.1667") < shown.index(said) < shown.index("Total before taxes")
    assert said not in page(bill(sixths, period("09:00", time="1"), end="10:00"))


def test_the_points_of_all_amounts_stand_below_each_other() -> None:
    thirds = tariff(element(component("ENERGY", "0.3333", 0, "19"), component("FLAT", "12", 0, "19")))
    shown = page(bill(thirds, period("09:00", kwh="1.5"), end="10:00"))
    amounts = [line for line in shown.splitlines() if line.endswith("EUR")]
    assert len(amounts) == 7
    assert len({line.rindex(".") for line in amounts}) == 1


def test_the_place_is_named_as_far_as_it_is_known() -> None:
    priced = bill(tariff(element(component("FLAT", "3"))), period("09:00", kwh="1"), end="10:00")
    place = {"location": "Gent Zuid, F.Rooseveltlaan 3A, 9000 Gent", "evse": "BE*AAA*E041503003"}
    shown = page_of(receipt_of(priced, currency="EUR", place=place))
    assert "Gent Zuid, F.Rooseveltlaan 3A, 9000 Gent\nEVSE BE*AAA*E041503003\nTimes are" in shown
    assert "EVSE" not in page(priced)


@pytest.mark.parametrize(
    ("currency", "amount"), [("EUR", "3.00 EUR"), ("JPY", "3 JPY"), ("KWD", "3.000 KWD"), (None, "3.00")]
)
def test_an_amount_has_the_decimals_that_its_currency_has_coins_for(currency: str | None, amount: str) -> None:
    shown = page(bill(tariff(element(component("FLAT", "3"))), period("09:00", kwh="1"), end="10:00"), currency)
    assert f" {amount}\n" in shown


def test_taxes_that_nobody_knows_are_said_to_be_unknown() -> None:
    old = bill(tariff(element(component("ENERGY", "1"))), period("09:00", kwh="1"), end="10:00", version="2.1.1")
    assert "taxes are not known" in page(old)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["name"]))
def test_every_example_of_the_specification_has_a_page(example: dict[str, Any]) -> None:
    tree = receipt_of(priced_example(example), currency="EUR")
    total = Fraction(tree["figures"][-1]["before_taxes"]["exact"])
    assert tree["limits"] or total == sum((Fraction(line["before_taxes"]) for line in tree["lines"]), Fraction(0))
    assert max(len(line) for line in page_of(tree).splitlines()) <= 100


def test_every_warning_has_words_for_a_driver() -> None:
    assert set(NOTES) == {code.value for code in Code}
