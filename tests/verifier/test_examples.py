"""The second reading against the worked examples of the specification, by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest

from tests.verifier import recompute

_DATA: Final = Path(__file__).parent.parent / "data" / "tariffs_spec_examples.json"
EXAMPLES: Final[list[dict[str, Any]]] = json.loads(_DATA.read_text(), parse_float=Decimal)
_LIMITS: Final = {"excl_vat": "before_taxes", "incl_vat": "after_taxes"}
_FIGURES: Final = ("energy", "time", "parking", "fixed", "reservation")
_BILLED: Final = {
    "energy_kwh": "ENERGY",
    "time_s": "TIME",
    "parking_s": "PARKING_TIME",
    "reservation_s": "RESERVATION_TIME",
}


def case_of(example: Mapping[str, Any]) -> dict[str, Any]:
    """An example as a case: 2.2.1 names the bounds of a limit differently."""
    cdr = example["cdr"]
    return {
        "version": example["ocpi_version"],
        "time_zone": example["timezone"],
        "tariffs": [_in_our_form(tariff) for tariff in example["tariffs"]],
        "start": cdr["start_date_time"],
        "end": cdr.get("end_date_time") or cdr["stop_date_time"],
        "periods": cdr["charging_periods"],
        "reservation_expired": example.get("reservation_expired", False),
    }


def _in_our_form(tariff: Mapping[str, Any]) -> dict[str, Any]:
    limits = {
        name: {_LIMITS.get(bound, bound): value for bound, value in tariff[name].items()}
        for name in ("min_price", "max_price")
        if name in tariff
    }
    return {**tariff, **limits}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["name"]))
def test_an_example_costs_what_the_specification_says(example: dict[str, Any]) -> None:
    receipt, expected = recompute(case_of(example)), example["expected"]
    figures = {figure["name"]: figure for figure in receipt["figures"]}
    wanted = {name: expected[f"total_{name}_cost"] for name in _FIGURES} | {"total": expected["total_cost"]}
    assert set(figures) == {name for name, price in wanted.items() if price is not None}
    for name, figure in figures.items():
        for bound, ours in (("excl", "before_taxes"), ("incl", "after_taxes")):
            if wanted[name].get(bound) is not None:
                off = Decimal(figure[ours]["rounded"]) - Decimal(wanted[name][bound])
                assert abs(off) <= Decimal(example["tolerance"]), (name, bound)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["name"]))
def test_an_example_bills_and_warns_as_the_specification_says(example: dict[str, Any]) -> None:
    receipt, expected = recompute(case_of(example)), example["expected"]
    for name, value in expected.get("billed", {}).items():
        priced = (line for line in receipt["lines"] if line["dimension"] == _BILLED[name] and line["price"] is not None)
        assert sum(Fraction(line["billed"]) for line in priced) == Fraction(value)
    assert set(expected.get("warnings", ())) <= {warning["code"] for warning in receipt["warnings"]}
