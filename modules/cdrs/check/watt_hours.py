"""Energy that is written in Wh. OCPI has kWh everywhere: 1000 times as much is priced, and every amount seems wrong.

Which side is in Wh, the periods or total_energy, the amounts tell: they are true ones of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from modules.cdrs.check.amounts import NONE, is_near, pairs
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.claim import volume_of
from modules.cdrs.check.result import Cause, Deviation
from modules.tariffs.pricing import PricingFault

_IN_ONE = 1000
_TELLING = 10
"""So many times the tolerance the energy must cost for its amount to say anything."""


def read_as_kwh(bill: Bill, found: list[Deviation]) -> Bill:
    """The bill, or where its periods are in Wh, the one in kWh. Which side is in Wh is told in `found`."""
    stated = sum((volume_of(period, "ENERGY") for period in bill.case.periods), Decimal(0))
    total = bill.claim.cdr.get("total_energy")
    claimed = None if total is None else Decimal(total)
    disagree = any(told.figure == "total_energy" for told in found)
    if _fits(bill):
        if disagree and _is(claimed, stated * _IN_ONE):
            _tell(found, Deviation("total_energy", claimed, stated, Cause.ENERGY, "it is in Wh, not in kWh"))
        return bill
    other = _scaled(bill) if stated else None
    if other is None or not (_is_told_by_the_amounts(other) or (disagree and _is(claimed, stated / _IN_ONE))):
        return bill
    why = "the ENERGY of the periods is in Wh, not in kWh; it is priced as kWh here"
    _tell(found, Deviation("charging_periods", stated, stated / _IN_ONE, Cause.UNIT, why))
    if _is(claimed, stated):
        found.append(Deviation("total_energy", claimed, stated / _IN_ONE, Cause.UNIT, "it is in Wh, not in kWh"))
    return other


def _tell(found: list[Deviation], told: Deviation) -> None:
    """In place of what was said of total_energy before it was clear which side is right."""
    found[:] = [*(each for each in found if each.figure != "total_energy"), told]


def _is(claimed: object, energy: Decimal) -> bool:
    """The same, give or take what parties round."""
    return isinstance(claimed, Decimal) and abs(claimed - energy) <= max(abs(energy) / 1000, Decimal("0.01"))


def _fits(bill: Bill) -> bool:
    """Is anything claimed of it, and all of that near?"""
    compared = list(pairs(bill.claimed, bill.figures))
    return bool(compared) and all(is_near(pair, bill.scale.tolerance) for pair in compared)


def _is_told_by_the_amounts(other: Bill) -> bool:
    """A thousandth of a price is next to nothing, and so is what a CDR claims that forgot the energy."""
    energy = other.exact.get("energy", NONE).excl
    return energy > _TELLING * max(other.scale.tolerance, other.scale.snug) and _fits(other)


def _scaled(bill: Bill) -> Bill | None:
    periods = [
        {**period, "dimensions": [*map(_dimension, period.get("dimensions") or ())]} for period in bill.case.periods
    ]
    try:
        return Bill(bill.claim, replace(bill.case, periods=periods))
    except PricingFault:
        return None


def _dimension(dimension: Mapping[str, Any]) -> dict[str, Any]:
    if dimension["type"] != "ENERGY":
        return dict(dimension)
    return {**dimension, "volume": Decimal(dimension["volume"]) / _IN_ONE}
