"""A credit CDR against itself, and against what it takes back. OCPI mod_cdrs_credit_cdrs.

The text has the total with the other sign and all else as it was. Many turn the parts too, which is let pass where they
turn all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from modules.cdrs.check.amounts import FIELDS, PARTS, amount_of
from modules.cdrs.check.claim import Claim, volume_of
from modules.cdrs.check.result import Cause, Deviation


def of_credit(claim: Claim) -> Iterator[Deviation]:
    """A credit CDR names what it takes back, and its total is that total with the other sign."""
    if claim.cdr.get("credit"):
        yield from _signs(claim)
    if claim.cdr.get("total_cost") is None:
        return
    total, gross = amount_of(claim.cdr["total_cost"])
    figure = "total_cost.before_taxes"
    if not claim.cdr.get("credit"):
        if total < 0:
            yield Deviation(figure, total, None, Cause.CREDIT, "it is negative, and this is no credit CDR")
        return
    if not claim.cdr.get("credit_reference_id"):
        yield Deviation("credit_reference_id", None, None, Cause.CREDIT, "a credit CDR names what it takes back")
    if total > 0:
        yield Deviation(figure, total, -total, Cause.CREDIT, "the total of a credit CDR is negative")
    elif gross is not None and gross > 0:
        after = "total_cost.after_taxes"
        yield Deviation(after, gross, -gross, Cause.CREDIT, "the total of a credit CDR is negative after taxes too")
    elif claim.original is not None:
        yield from _taken_back(claim.cdr["total_cost"], claim.original["total_cost"])


def _taken_back(total: Mapping[str, Any], billed: Mapping[str, Any]) -> Iterator[Deviation]:
    """Before taxes and after them, where both say what that is."""
    for side, ours, stood in zip(("before_taxes", "after_taxes"), amount_of(total), amount_of(billed), strict=True):
        if ours is not None and stood is not None and ours != -stood:
            yield Deviation(f"total_cost.{side}", ours, -stood, Cause.CREDIT, "it does not take back what was billed")


def _signs(claim: Claim) -> Iterator[Deviation]:
    """The parts stay as they were, or all of them have the other sign: the fewer ones are told."""
    amounts = {field: amount_of(claim.cdr[field]).excl for field in _costs(claim.cdr)}
    stood = {field: amount_of(claim.original[field]).excl for field in _costs(claim.original or {}) if claim.original}
    if not stood and _may_be_negative(claim):
        return
    signed = {field for field, amount in amounts.items() if amount}
    turned = {field for field in signed if (amounts[field] < 0) != (stood.get(field, Decimal(0)) < 0)}
    odd = min(turned, signed - turned, key=len)
    for field in sorted(odd):
        why = "it has another sign than the other parts of the credit CDR"
        yield Deviation(f"{field}.before_taxes", amounts[field], -amounts[field], Cause.CREDIT, why)


def _costs(cdr: Mapping[str, Any]) -> list[str]:
    return [FIELDS[part] for part in PARTS if cdr.get(FIELDS[part]) is not None]


def _may_be_negative(claim: Claim) -> bool:
    """Might a part have been below zero before: was energy given back, or is there a price that pays the driver?"""
    elements = (element for tariff in claim.embedded for element in tariff["elements"])
    prices = (component["price"] for element in elements for component in element["price_components"])
    return any(volume_of(period, "ENERGY") < 0 for period in claim.periods) or any(price < 0 for price in prices)
