"""Mistakes in what was billed: other quantities than the periods state."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from modules.cdrs.check.amounts import Figures
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.claim import volume_of
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions

QUANTITIES = Suppositions()


def _scaled(bill: Bill, kind: str, field: str) -> Figures | None:
    """The price, had the periods stated what `field` says; None where they do, or either is silent."""
    claimed = bill.claim.cdr.get(field)
    if claimed is None:
        return None
    total = Decimal(claimed)
    stated = sum((volume_of(period, kind) for period in bill.case.periods), Decimal(0))
    if not stated or stated == total:
        return None

    def scale(period: dict[str, Any]) -> None:
        period["dimensions"] = [
            {**d, "volume": Decimal(d["volume"]) * total / stated} if d["type"] == kind else d
            for d in period["dimensions"]
        ]

    return bill.with_periods(scale)


@QUANTITIES(Cause.ENERGY)
def total_energy(bill: Bill) -> Iterator[Figures]:
    """The energy of total_energy was billed, which is not that of the periods."""
    figures = _scaled(bill, "ENERGY", "total_energy")
    if figures is not None:
        yield figures


@QUANTITIES(Cause.TOTAL_TIME)
def total_time(bill: Bill) -> Iterator[Figures]:
    """The time of total_time was billed as charging time, which is not that of the periods."""
    figures = _scaled(bill, "TIME", "total_time")
    if figures is not None:
        yield figures


@QUANTITIES(Cause.PARKING_TIME)
def total_parking_time(bill: Bill) -> Iterator[Figures]:
    """The time of total_parking_time was billed, which is not that of the periods."""
    figures = _scaled(bill, "PARKING_TIME", "total_parking_time")
    if figures is not None:
        yield figures


@QUANTITIES(Cause.PERIODS)
def a_period_less(bill: Bill) -> Iterator[Figures]:
    """A period was not billed."""
    for index in range(min(len(bill.case.periods), 10)) if len(bill.case.periods) > 1 else ():
        yield bill.billed_as(lambda s, index=index: 0 if s.period.index == index else s.billed)  # type: ignore[misc]
