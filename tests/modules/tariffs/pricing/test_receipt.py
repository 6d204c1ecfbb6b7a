"""The receipt: every quantity, what priced it and where the session stood, in exact numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given

from hub.core.inbound import encode
from modules.tariffs.pricing import Case, Policy, Priced, compile_tariff, price, receipt_of
from tests.modules.tariffs.pricing.cases import bill, component, element, period, tariff
from tests.modules.tariffs.pricing.test_laws import BOUNDED, PARTS, cases

NIGHT = tariff(
    element(component("FLAT", "1")),
    element(component("TIME", "3"), component("ENERGY", "0.250", 1000, "20.0"), start_time="20:00"),
)


def receipt(priced: Priced) -> dict[str, Any]:
    return receipt_of(priced, currency="EUR")


def test_a_line_says_which_component_priced_what_and_why() -> None:
    flat, energy, parking = receipt(bill(NIGHT, period("19:30", kwh="1.5", parking="0.5"), end="20:00"))["lines"]
    assert energy == {
        "period": 0,
        "start": "2024-01-15T19:30:00Z",
        "local_time": "2024-01-15T20:30:00+01:00",
        "dimension": "ENERGY",
        "tariff_id": "T",
        "element": 1,
        "component": 1,
        "unit": "kWh",
        "quantity": "1.5",
        "billed": "2",
        "price": "0.25",
        "vat": "20",
        "before_taxes": "0.5",
        "tax": "0.1",
        "energy_before_kwh": None,
        "elapsed_s": None,
        "power_kw": None,
        "current_a": None,
    }
    assert (flat["dimension"], flat["unit"], flat["quantity"], flat["vat"]) == ("FLAT", "1", "1", None)
    assert (parking["quantity"], parking["unit"], parking["before_taxes"]) == ("1800", "s", "0")
    assert (parking["element"], parking["component"], parking["price"]) == (None, None, None)


def test_the_head_names_the_currency_the_zone_and_every_switch() -> None:
    policy = Policy(decimals=2, rounding="half_even")
    tree = receipt(bill(NIGHT, period("19:30", kwh="1"), end="20:00", policy=policy))
    assert list(tree) == [
        "format",
        "currency",
        "time_zone",
        "policy",
        "lines",
        "steps",
        "limits",
        "figures",
        "warnings",
    ]
    assert (tree["format"], tree["currency"], tree["time_zone"]) == (1, "EUR", "Europe/Amsterdam")
    assert tree["policy"] == {field.name: getattr(policy, field.name) for field in fields(Policy)}


def test_where_the_session_stood_is_said_on_the_axes_that_the_tariff_asks_for() -> None:
    asks = tariff(
        element(component("ENERGY", "1"), min_kwh=5, min_duration=60, min_power=11),
        element(component("ENERGY", "2"), max_current=16),
    )
    periods = (period("09:00", kwh="2.5", max_kw="7"), period("09:30", kwh="1", min_a="6", max_a="32"))
    first, second = receipt(bill(asks, *periods, end="10:00"))["lines"]
    assert (first["energy_before_kwh"], first["elapsed_s"], first["power_kw"]) == ("0", "0", [None, "7"])
    assert (second["energy_before_kwh"], second["elapsed_s"]) == ("2.5", "1800")
    assert (second["power_kw"], second["current_a"]) == ([None, None], ["6", "32"])


def test_the_time_is_utc_where_no_zone_is_known_and_has_a_fraction_only_where_there_is_one() -> None:
    plain = tariff(element(component("ENERGY", "1")))
    periods = (period("09:00", kwh="1"), period("09:30:00.250", kwh="1"))
    first, second = receipt(bill(plain, *periods, end="10:00", zone=None))["lines"]
    assert (first["start"], first["local_time"]) == ("2024-01-15T09:00:00Z", "2024-01-15T09:00:00+00:00")
    assert (second["start"], second["local_time"]) == ("2024-01-15T09:30:00.25Z", "2024-01-15T09:30:00.25+00:00")


def test_a_reservation_has_dimensions_of_its_own() -> None:
    reserving = tariff(element(component("FLAT", "1"), component("TIME", "2"), reservation="RESERVATION"))
    lines = receipt(bill(reserving, period("09:00", reserved="0.5"), end="09:30"))["lines"]
    assert [(line["dimension"], line["quantity"]) for line in lines] == [
        ("RESERVATION_FLAT", "1"),
        ("RESERVATION_TIME", "1800"),
    ]


def test_a_step_says_what_it_added_and_to_which_line() -> None:
    stepped = tariff(element(component("ENERGY", "1", 100), component("TIME", "1", 900)))
    tree = receipt(bill(stepped, period("09:00", kwh="0.3", time="0.25"), period("09:15", kwh="0.11"), end="09:16"))
    assert tree["steps"] == [
        {
            "dimension": "ENERGY",
            "line": 2,
            "step_size": 100,
            "unit": "Wh",
            "sum": "410",
            "raised_to": "500",
            "surplus": "90",
        }
    ]
    assert tree["lines"][2]["billed"] == "0.2"


def test_an_amount_whose_digits_never_end_is_a_fraction() -> None:
    gross = tariff(element(component("TIME", "1", 0, "21")), tax_included="YES")
    line = receipt(bill(gross, period("09:00", time="0.0167"), end="09:01", version="2.3.0"))["lines"][0]
    assert (line["before_taxes"], line["tax"]) == ("5/363", "7/2420")


def test_a_limit_says_what_it_moved_from_where_to_where() -> None:
    limited = tariff(
        element(component("ENERGY", "1", 0, "20")),
        min_price={"before_taxes": Decimal(5)},
        max_price={"before_taxes": Decimal(4), "after_taxes": Decimal("4.5")},
    )
    tree = receipt(bill(limited, period("09:00", kwh="2"), end="10:00"))
    assert tree["limits"] == [
        {"limit": "min_price", "figure": "before_taxes", "bound": "5", "from": "2", "to": "5"},
        {"limit": "min_price", "figure": "after_taxes", "bound": None, "from": "2.4", "to": "6"},
        {"limit": "max_price", "figure": "before_taxes", "bound": "4", "from": "5", "to": "4"},
        {"limit": "max_price", "figure": "after_taxes", "bound": "4.5", "from": "6", "to": "4.5"},
    ]
    energy, total = tree["figures"]
    assert (energy["name"], energy["after_taxes"]["exact"]) == ("energy", "2.4")
    assert total == {
        "name": "total",
        "before_taxes": {"exact": "4", "rounded": "4.0000"},
        "after_taxes": {"exact": "4.5", "rounded": "4.5000"},
        "taxes": [{"name": "VAT", "percentage": "20", "amount": "0.5000"}],
    }


def test_an_amount_after_taxes_that_nobody_knows_is_null() -> None:
    old = bill(tariff(element(component("ENERGY", "1"))), period("09:00", kwh="1"), end="10:00", version="2.1.1")
    assert [figure["after_taxes"] for figure in receipt(old)["figures"]] == [None, None]


def test_a_warning_names_its_subject() -> None:
    half_free = tariff(element(component("ENERGY", "1"), max_kwh=1))
    tree = receipt(bill(half_free, period("09:00", kwh="1"), period("09:30", kwh="1"), end="10:00"))
    assert tree["warnings"] == [{"code": "unpriced_quantity", "period": 1, "subject": "ENERGY"}]


def numbers(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict | list):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from numbers(value)
    else:
        yield tree


@BOUNDED
@given(cases(limited=True))
def test_a_receipt_adds_up_and_the_same_case_gives_the_same_bytes(case: Case) -> None:
    priced = price(case)
    tree = receipt(priced)
    assert encode(tree) == encode(receipt(price(case)))
    assert json.loads(encode(tree)) == tree
    lines = sum((Fraction(line["before_taxes"]) for line in tree["lines"]), Fraction(0))
    assert tree["limits"] or lines == Fraction(tree["figures"][-1]["before_taxes"]["exact"])
    shown = {figure["name"]: figure for figure in tree["figures"]}
    assert list(shown) == [*(part for part in PARTS if getattr(priced, part) is not None), "total"]
    for name, figure in shown.items():
        money = getattr(priced, name)
        assert Decimal(figure["before_taxes"]["rounded"]) == money.excl
        if figure["after_taxes"]:
            taxes = sum((Decimal(tax["amount"]) for tax in figure["taxes"]), Decimal(0))
            assert money.excl + taxes == Decimal(figure["after_taxes"]["rounded"]) == money.incl
    assert not [value for value in numbers(tree) if isinstance(value, float | Decimal)]


def test_what_a_reader_changes_in_a_receipt_is_in_no_other_receipt_of_the_tariff() -> None:
    ready = compile_tariff(NIGHT, "2.2.1")
    first, second = (receipt(bill([ready], period("19:30", kwh="1.5"), end="20:00")) for _ in range(2))
    before = encode(second)
    for line in first["lines"]:
        line.update(dict.fromkeys(line, "altered"))
    first["policy"].clear()
    assert encode(second) == encode(receipt(bill([ready], period("19:30", kwh="1.5"), end="20:00"))) == before


def test_the_mean_time_of_a_place_long_ago_is_told_to_the_second() -> None:
    priced = bill(NIGHT, period("1930-06-01T12:00:50", kwh="1"), end="1930-06-01T13:00", zone="Europe/Amsterdam")
    assert receipt(priced)["lines"][0]["local_time"] == "1930-06-01T13:20:22+01:19:32"
