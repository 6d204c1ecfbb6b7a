"""Roundings that come to more than a cent: of quantities, of each line, of prices, of amounts to coarse units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from modules.cdrs.check.amounts import Amount, Figures, rounded
from modules.cdrs.check.bill import Bill, Line, part_of
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions
from modules.tariffs.pricing import KWH, Exact
from modules.tariffs.pricing import rounded as rounded_exact

if TYPE_CHECKING:
    from modules.tariffs.pricing.steps import Segment

ROUNDINGS = Suppositions()


@ROUNDINGS(Cause.ROUNDING)
def coarse_energy(bill: Bill) -> Iterator[Figures]:
    """Energy was rounded before it was priced."""
    for unit in (KWH // 100, KWH // 10, KWH):
        for shift in (unit // 2, unit - 1, 0):  # to the nearest, up, down

            def billed(segment: Segment, unit: int = unit, shift: int = shift) -> Exact:
                return (segment.quantity + shift) // unit * unit if part_of(segment) == "energy" else segment.billed

            yield bill.billed_as(billed)


@ROUNDINGS(Cause.ROUNDING)
def each_line(bill: Bill) -> Iterator[Figures]:
    """The cost of each period was rounded before it was added up."""
    for cut in (_nearest, _up, _down) if _are_in(Decimal(1).scaleb(-bill.scale.places), bill.claimed) else ():
        lines = [bill.line(segment, segment.billed) for segment in bill.segments]
        yield bill.summed(
            Line(line.part, cut(line.excl, bill), cut(line.excl + line.tax, bill) - cut(line.excl, bill))
            for line in lines
        )


def _nearest(amount: Fraction, bill: Bill) -> Fraction:
    return Fraction(rounded_exact(amount, 1, bill.scale.places))


def _up(amount: Fraction, bill: Bill) -> Fraction:
    cents = 10**bill.scale.places
    return Fraction(-(-amount * cents // 1), cents)


def _down(amount: Fraction, bill: Bill) -> Fraction:
    cents = 10**bill.scale.places
    return Fraction(amount * cents // 1, cents)


@ROUNDINGS(Cause.ROUNDING)
def price_with_tax(bill: Bill) -> Iterator[Figures]:
    """The price of a unit with tax was rounded before it was multiplied."""
    for places in (2, 3):
        yield bill.summed(_at_gross_price(bill, segment, places) for segment in bill.segments)


def _at_gross_price(bill: Bill, segment: Segment, places: int) -> Line:
    line = bill.line(segment, segment.billed)
    quoted = segment.component.price if segment.component else Decimal(0)
    if not line.excl or not quoted:
        return line
    gross = Fraction(quoted) * (line.excl + line.tax) / line.excl
    incl = line.excl / Fraction(quoted) * Fraction(rounded_exact(gross, 1, places))
    return Line(line.part, line.excl, incl - line.excl)


@ROUNDINGS(Cause.ROUNDING)
def coarse_amounts(bill: Bill) -> Iterator[Figures]:
    """Amounts were rounded to coarser units than cents."""
    for unit in (Decimal("0.05"), Decimal("0.1"), Decimal("0.5"), Decimal(1)):

        def coarse(value: Decimal, unit: Decimal = unit) -> Decimal:
            return rounded(value / unit, 0) * unit

        made = _each(bill, coarse)
        if _are_in(unit, bill.claimed):
            yield made
        if _are_in(unit, {name: amount for name, amount in bill.claimed.items() if name == "total"}):
            yield {**bill.exact, "total": made["total"]}


def _are_in(unit: Decimal, claimed: Figures) -> bool:
    """Are the claimed amounts whole units? Sums of rounded amounts are, and who states finer ones has rounded none."""
    return not any(value % unit for amount in claimed.values() for value in amount if value is not None)


def _each(bill: Bill, change: Callable[[Decimal], Decimal]) -> Figures:
    return {
        name: Amount(change(excl), None if incl is None else change(incl)) for name, (excl, incl) in bill.exact.items()
    }
