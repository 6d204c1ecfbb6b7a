"""Net, gross, and what lies between; minimum and maximum prices; rounding."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from modules.tariffs.pricing import Money, Policy, Priced, TaxLine, UnfitTariff
from tests.modules.tariffs.pricing.cases import bill, codes, component, element, period, tariff


def energy(price: str, vat: str | None, kwh: str = "1", version: str = "2.3.0", **more: Any) -> Priced:
    policy = more.pop("policy", Policy())
    return bill(
        tariff(element(component("ENERGY", price, 0, vat)), **more),
        period("09:00", kwh=kwh),
        end="10:00",
        version=version,
        policy=policy,
    )


@pytest.mark.parametrize(
    ("version", "included", "vat", "net", "gross", "warned"),
    [
        ("2.1.1", "NO", None, "12", None, set()),
        ("2.2.1", "NO", None, "12", "12", set()),
        ("2.2.1", "NO", "20", "12", "14.4", set()),
        ("2.3.0", "NO", "20", "12", "14.4", set()),
        ("2.3.0", "NO", None, "12", None, {"tax_rate_unknown"}),
        ("2.3.0", "YES", "20", "10", "12", set()),
        ("2.3.0", "YES", None, "12", "12", {"tax_not_splittable"}),
        ("2.3.0", "N/A", None, "12", "12", set()),
        ("2.3.0", "N/A", "20", "12", "12", {"tax_rate_ignored"}),
    ],
)
def test_what_a_price_of_twelve_means(
    version: str, included: str, vat: str | None, net: str, gross: str | None, warned: set[str]
) -> None:
    priced = energy("12", vat, version=version, tax_included=included)
    assert (priced.total.excl, priced.total.incl) == (Decimal(net), None if gross is None else Decimal(gross))
    assert codes(priced) == warned


def test_where_one_component_names_a_rate_another_without_has_none() -> None:
    mixed = tariff(element(component("FLAT", "1"), component("ENERGY", "1", 0, "10")))
    priced = bill(mixed, period("09:00", kwh="1"), end="10:00", version="2.3.0")
    assert priced.total == Money(Decimal(2), Decimal("2.1"), (TaxLine(Decimal(10), Decimal("0.1")),))


def test_a_rate_of_zero_is_a_line_and_no_rate_is_none() -> None:
    assert energy("1", "0").taxes == (TaxLine(Decimal(0), Decimal(0)),)
    assert energy("1", "0", version="2.1.1").taxes == ()


def test_a_price_on_the_wire_names_its_taxes() -> None:
    assert energy("1", "20").total.tree("USt.") == {
        "before_taxes": Decimal(1),
        "taxes": [{"name": "USt.", "percentage": Decimal(20), "amount": Decimal("0.2")}],
    }


def test_one_tariff_that_tells_no_tax_hides_only_its_own_part() -> None:
    told = tariff(element(component("FLAT", "1", 0, "20")), id="A")
    untold = tariff(element(component("ENERGY", "1")), id="B")
    priced = bill(
        [told, untold], period("09:00", "A", kwh="1"), period("09:30", "B", kwh="1"), end="10:00", version="2.3.0"
    )
    assert priced.fixed == Money(Decimal(1), Decimal("1.2"), (TaxLine(Decimal(20), Decimal("0.2")),))
    assert (priced.energy, priced.total) == (Money(Decimal(1), None), Money(Decimal(2), None))


def test_costs_that_cancel_out_do_not_make_a_tax_known() -> None:
    periods = (period("09:00", kwh="1"), period("09:30", kwh="-1"))
    priced = bill(tariff(element(component("ENERGY", "1"))), *periods, end="10:00", version="2.1.1")
    assert priced.total == Money(Decimal(0), None)


def limits(before: str, after: str | None) -> dict[str, Decimal]:
    return {"before_taxes": Decimal(before), **({} if after is None else {"after_taxes": Decimal(after)})}


def test_each_bound_is_held_against_its_own_total() -> None:
    priced = energy("10", "20", max_price=limits("10", "11"))
    assert (priced.total.excl, priced.total.incl) == (Decimal(10), Decimal(11))
    assert priced.taxes == (TaxLine(Decimal(20), Decimal(1)),)
    assert priced.energy == Money(Decimal(10), Decimal(12), (TaxLine(Decimal(20), Decimal(2)),))
    assert codes(priced) == {"price_limit_applied"}


def test_the_minimum_comes_before_the_maximum() -> None:
    priced = energy("1", "20", min_price=limits("5", "6"), max_price=limits("3", "3.6"))
    assert (priced.total.excl, priced.total.incl) == (Decimal(3), Decimal("3.6"))


def test_a_limit_without_an_amount_after_taxes_moves_the_tax_in_proportion() -> None:
    priced = energy("10", "20", max_price=limits("5", None))
    assert (priced.total.excl, priced.total.incl) == (Decimal(5), Decimal(6))
    assert codes(priced) == {"price_limit_applied", "after_tax_limit_missing"}


def test_where_only_the_gross_is_known_the_gross_bound_counts() -> None:
    priced = energy("10", None, tax_included="YES", max_price=limits("5", "6"))
    assert priced.total == Money(Decimal(6), Decimal(6))


def test_a_free_session_is_raised_to_the_minimum_with_its_tax() -> None:
    priced = energy("0", "20", min_price=limits("1", "1.2"))
    assert priced.total == Money(Decimal(1), Decimal("1.2"), (TaxLine(None, Decimal("0.2")),))


def test_what_a_minimum_comes_to_after_untold_taxes_is_known_only_if_it_says_so() -> None:
    assert energy("0", None, kwh="0", min_price=limits("1", "1.2")).total.incl == Decimal("1.2")
    untold = tariff(element(component("TIME", "3")), min_price=limits("1", None))
    priced = bill(untold, period("09:00", kwh="1"), end="10:00", version="2.3.0")
    assert priced.total == Money(Decimal(1), None)


def test_an_expired_reservation_is_no_session_and_has_no_minimum() -> None:
    reserving = tariff(element(component("TIME", "1"), reservation="RESERVATION"), min_price=limits("5", "6"))
    priced = bill(reserving, period("09:00", reserved="1"), end="10:00", reservation_expired=True)
    assert priced.total.excl == Decimal(1)


def test_a_half_goes_away_from_zero_unless_the_contract_says_even() -> None:
    assert energy("1", None, "0.00005").total.excl == Decimal("0.0001")
    assert energy("1", None, "-0.00005").total.excl == Decimal("-0.0001")
    assert energy("1", None, "0.00005", policy=Policy(rounding="half_even")).total.excl == Decimal(0)


def test_digits_are_kept_until_the_end() -> None:
    tiny = tariff(element(component("ENERGY", "0.3333333333333333")))
    priced = bill(
        tiny, *(period(f"09:0{n}", kwh="1.00000000000001") for n in range(3)), end="10:00", policy=Policy(decimals=12)
    )
    assert priced.total.excl == Decimal("1.000000000000")


def test_parts_may_be_rounded_first() -> None:
    parts = tariff(element(component("ENERGY", "0.125", 0, "20"), component("TIME", "0.125", 0, "10")))
    cents = Policy(decimals=2)
    exact = bill(parts, period("09:00", kwh="1", time="1"), end="10:00", policy=cents)
    first = bill(
        parts, period("09:00", kwh="1", time="1"), end="10:00", policy=Policy(decimals=2, round_parts_first=True)
    )
    assert (exact.total.excl, exact.total.incl) == (Decimal("0.25"), Decimal("0.29"))
    assert (first.total.excl, first.total.incl) == (Decimal("0.26"), Decimal("0.29"))
    assert sum(line.amount for line in first.taxes) == Decimal("0.03")


@pytest.mark.parametrize(
    "wrong",
    [
        tariff(),
        tariff(element({"type": "ENERGY", "price": "cheap"})),
        tariff(element({"type": "ENERGY", "price": True})),
        tariff(element({"type": "ENERGY", "price": 0.25})),
        tariff(element({"type": "ENERGY", "price": Decimal("NaN")})),
        tariff(element({"type": "ENERGY", "price": Decimal("1e999999")})),
        tariff(element({"type": "ENERGY"})),
        tariff(element({"type": "WATER", "price": 1})),
        tariff(element({"type": "ENERGY", "price": 1, "step_size": -1})),
        tariff(element({"type": "ENERGY", "price": 1, "step_size": Decimal("0.5")})),
        tariff(element({"type": "ENERGY", "price": 1, "vat": -1})),
        tariff(element(component("ENERGY", "1")), tax_included="MAYBE"),
        tariff(element(component("ENERGY", "1")), min_price=5),
        tariff(element(component("ENERGY", "1")), start_date_time="soon"),
    ],
)
def test_a_tariff_that_cannot_be_read_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnfitTariff):
        bill(wrong, period("09:00", kwh="1"), end="10:00")


def test_numbers_may_come_as_text() -> None:
    texts = tariff(element({"type": "ENERGY", "price": "0.25", "step_size": "1", "vat": "10"}))
    assert bill(texts, period("09:00", kwh="20"), end="10:00").total.incl == Decimal("5.5")
