"""Short ways to write tariffs, periods and cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from modules.tariffs.pricing import BY_THE_TEXT, Case, Code, Compiled, Policy, Priced, price

SHORT = {
    "kwh": "ENERGY",
    "time": "TIME",
    "parking": "PARKING_TIME",
    "reserved": "RESERVATION_TIME",
    "min_a": "MIN_CURRENT",
    "max_a": "MAX_CURRENT",
    "min_kw": "MIN_POWER",
    "max_kw": "MAX_POWER",
}

BESIDE_THE_ENGINE = frozenset(
    {
        Code.METER_READ_OUTSIDE,
        Code.METER_RUNS_BACKWARDS,
        Code.SINGLE_METER_READING,
        Code.RESERVATION_TAKEN_FOR_CANCELLED,
    }
)
"""Warnings of whoever asks for a price; the engine itself takes a case as it is told."""


def component(kind: str, amount: str, step: int = 0, vat: str | None = None) -> dict[str, Any]:
    tree = {"type": kind, "price": Decimal(amount), "step_size": step}
    return tree if vat is None else {**tree, "vat": Decimal(vat)}


def element(*components: dict[str, Any], **restrictions: Any) -> dict[str, Any]:
    return {"price_components": list(components), "restrictions": restrictions or None}


def tariff(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "T", "currency": "EUR", "tax_included": "NO", "elements": list(elements), **more}


def period(start: str, tariff_id: str | None = None, **volumes: str) -> dict[str, Any]:
    """A period from `start` (HH:MM[:SS] on Monday 2024-01-15 UTC, or date and time) with volumes by short name."""
    dimensions = [{"type": SHORT[name], "volume": Decimal(volume)} for name, volume in volumes.items()]
    tree = {"start_date_time": moment(start).isoformat(), "dimensions": dimensions}
    return tree if tariff_id is None else {**tree, "tariff_id": tariff_id}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text if "T" in text else f"2024-01-15T{text}").replace(tzinfo=UTC)


def bill(
    tariffs: Mapping[str, Any] | Sequence[Mapping[str, Any] | Compiled],
    *periods: dict[str, Any],
    end: str,
    version: str = "2.2.1",
    zone: str | None = "Europe/Amsterdam",
    policy: Policy = BY_THE_TEXT,
    **more: Any,
) -> Priced:
    trees = [tariffs] if isinstance(tariffs, Mapping) else tariffs
    start = periods[0]["start_date_time"] if periods else moment(end)
    return price(Case(version, zone, trees, start, moment(end), periods, **more), policy)


def excl(priced: Priced) -> Decimal:
    return priced.total.excl


def codes(priced: Priced) -> set[str]:
    return {warning.code.value for warning in priced.warnings}
