"""The worked examples of the specification: 81 bills whose result is printed or follows from the text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from modules.tariffs.pricing import Case, Money, Priced, price

_DATA: Final = Path(__file__).parents[3] / "data" / "tariffs_spec_examples.json"
EXAMPLES: Final[list[dict[str, Any]]] = json.loads(_DATA.read_text(), parse_float=Decimal)
NOT_YET: Final[frozenset[str]] = frozenset()
"""Examples the engine does not reproduce yet, by name. Nothing may hide elsewhere."""

_BUCKETS: Final = {
    "total_energy_cost": "energy",
    "total_time_cost": "time",
    "total_parking_cost": "parking",
    "total_fixed_cost": "fixed",
    "total_reservation_cost": "reservation",
}


def in_our_form(tariff: Mapping[str, Any]) -> dict[str, Any]:
    """A tariff of any version: the limits of 2.2.1 are named as in 2.3.0, a missing tax_included is NO."""
    names = {"excl_vat": "before_taxes", "incl_vat": "after_taxes"}
    limits = {
        field: {names.get(name, name): value for name, value in tariff[field].items()}
        for field in ("min_price", "max_price")
        if field in tariff
    }
    return {"tax_included": "NO", **tariff, **limits}


def priced(example: Mapping[str, Any]) -> Priced:
    cdr = example["cdr"]
    return price(
        Case(
            version=example["ocpi_version"],
            time_zone=example["timezone"],
            tariffs=[in_our_form(tariff) for tariff in example["tariffs"]],
            start=cdr["start_date_time"],
            end=cdr.get("end_date_time") or cdr["stop_date_time"],
            periods=cdr["charging_periods"],
            reservation_expired=example.get("reservation_expired", False),
        )
    )


def differences(example: Mapping[str, Any]) -> list[str]:
    """Where our bill is not the expected one. A null within an amount is not asserted, a null amount is."""
    ours, expected, tolerance = priced(example), example["expected"], Decimal(example["tolerance"])
    found = _amounts("total_cost", ours.total, expected["total_cost"], tolerance)
    for field, bucket in _BUCKETS.items():
        found += _amounts(field, getattr(ours, bucket), expected[field], tolerance)
    for quantity, value in expected.get("billed", {}).items():
        if getattr(ours.billed, quantity) != Decimal(value):
            found.append(f"{quantity}: {getattr(ours.billed, quantity)} instead of {value}")
    missing = set(expected.get("warnings", ())) - {warning.code.value for warning in ours.warnings}
    return found + [f"no warning {code}" for code in sorted(missing)]


def _amounts(field: str, ours: Money | None, expected: Mapping[str, Any] | None, tolerance: Decimal) -> list[str]:
    if ours is None or expected is None:
        return [] if ours is None and expected is None else [f"{field}: {ours} instead of {expected}"]
    return [
        f"{field}.{name}: {getattr(ours, name)} instead of {value}"
        for name, value in expected.items()
        if value is not None and (getattr(ours, name) is None or abs(getattr(ours, name) - Decimal(value)) > tolerance)
    ]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["name"]))
def test_an_example_of_the_specification_costs_what_it_says(example: dict[str, Any]) -> None:
    assert bool(differences(example)) == (example["name"] in NOT_YET), differences(example)


def test_no_example_is_left_out() -> None:
    assert len(EXAMPLES) == 81
    assert {example["name"] for example in EXAMPLES} >= NOT_YET
