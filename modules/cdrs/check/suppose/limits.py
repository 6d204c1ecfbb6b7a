"""Mistakes with min_price and max_price."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from modules.cdrs.check.amounts import NONE, NOTHING, PARTS, Amount, Figures
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions
from modules.tariffs.pricing import Code

LIMITS = Suppositions()

_BOTH = ("min_price", "max_price")


def _has_limits(bill: Bill) -> bool:
    return any(isinstance(t, dict) and t.get(field) is not None for t in bill.case.tariffs for field in _BOTH)


def _unlimited(bill: Bill, fields: tuple[str, ...] = _BOTH) -> Figures:
    """The price without some of the limits. Raises: PricingFault."""

    def without(tariff: dict[str, Any]) -> None:
        for field in fields:
            tariff.pop(field, None)

    return bill.with_tariffs(without)


@LIMITS(Cause.LIMIT)
def no_limit(bill: Bill) -> Iterator[Figures]:
    """The least or the highest price of the tariff was not applied."""
    for fields in (_BOTH, *((field,) for field in _BOTH)) if _has_limits(bill) else ():
        yield _unlimited(bill, fields)


@LIMITS(Cause.LIMIT)
def tax_without_limit(bill: Bill) -> Iterator[Figures]:
    """The limit was applied before taxes only: the tax is that of the price without it."""
    total = bill.exact["total"]
    if not _has_limits(bill) or total.incl is None:
        return
    excl, incl = _unlimited(bill)["total"]
    if excl != total.excl and incl is not None:
        yield {**bill.exact, "total": Amount(total.excl, incl)}
        yield {**bill.exact, "total": Amount(total.excl, total.excl + incl - excl)}


@LIMITS(Cause.LIMIT)
def one_bound(bill: Bill) -> Iterator[Figures]:
    """Only one of the bounds of the limit was applied, that before or that after taxes."""
    for bound in ("before_taxes", "after_taxes") if _has_limits(bill) else ():

        def without(tariff: dict[str, Any], bound: str = bound) -> None:
            for field in _BOTH:
                tariff[field] = {name: v for name, v in (tariff.get(field) or {}).items() if name != bound} or None

        yield bill.with_tariffs(without)


@LIMITS(Cause.LIMIT)
def limit_of_parts(bill: Bill) -> Iterator[Figures]:
    """The limit was applied to the parts of the price instead of the total."""
    tariff = bill.ruling
    if tariff is None or (tariff.minimum is None and tariff.maximum is None):
        return
    minimum, maximum = ((limit.before if limit else None) for limit in (tariff.minimum, tariff.maximum))
    for parts in (PARTS, ("energy",)):
        clipped = {}
        for name in PARTS:
            if name in bill.exact:
                clipped[name] = _clipped(bill.exact[name], minimum, maximum) if name in parts else bill.exact[name]
        total = Amount(Decimal(0), Decimal(0))
        for amount in clipped.values():
            total = total.plus(amount)
        yield {**clipped, "total": total}


@LIMITS(Cause.LIMIT)
def limit_in_a_part(bill: Bill) -> Iterator[Figures]:
    """What the limit of the tariff moves the total by stands in a part of the price too."""
    if Code.PRICE_LIMIT_APPLIED not in bill.codes:
        return
    total, summed = bill.exact["total"], NONE
    for part in PARTS:
        summed = summed.plus(bill.exact.get(part, NONE))
    known = total.incl is not None and summed.incl is not None
    moved = Amount(total.excl - summed.excl, (total.incl or NOTHING) - (summed.incl or NOTHING) if known else None)
    for part in PARTS:
        if part in bill.exact:
            yield {**bill.exact, part: bill.exact[part].plus(moved)}


def _clipped(amount: Amount, minimum: Any, maximum: Any) -> Amount:
    """An amount within the bounds before taxes; its tax moves along."""
    excl = amount.excl
    for bound, pick in ((minimum, max), (maximum, min)):
        if bound is not None:
            excl = pick(excl, Decimal(bound.numerator) / bound.denominator)
    if amount.incl is None or not amount.excl:
        return Amount(excl, amount.incl)
    return Amount(excl, amount.incl * excl / amount.excl)
