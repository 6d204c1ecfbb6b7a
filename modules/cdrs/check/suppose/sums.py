"""Wrong sums of right parts. Many a mistake in the parts makes the same total, so these are tried last."""

from __future__ import annotations

from collections.abc import Iterator

from modules.cdrs.check.amounts import NONE, PARTS, Amount, Figures, fits
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions

SUMS = Suppositions()


@SUMS(Cause.ARITHMETIC)
def counted_twice(bill: Bill) -> Iterator[Figures]:
    """A part of the price was added to the total twice."""
    total = bill.exact["total"]
    if not fits(bill.claimed.among(PARTS), bill.figures, bill.scale):
        return
    for part in PARTS:
        amount = bill.exact.get(part, NONE)
        if amount.excl:
            yield {**bill.exact, "total": Amount(*total).plus(amount)}
