"""Amounts in cents where OCPI has whole units of the currency, in a CDR or in the prices of its tariff."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from modules.cdrs.check.amounts import Amount, Figures, rounded
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions

COINS = Suppositions()

_IN_ONE: Final = 100
_TELLING: Final = 100
"""So many times what two amounts may differ a hundredth must be, to be told from an amount of nothing."""


@COINS(Cause.UNIT)
def cents_for_units(bill: Bill) -> Iterator[Figures]:
    """Amounts are 100 times what they should be, as if they were in cents."""
    if bill.scale.places == 0:
        return
    for places in (None, 0):
        scaled = {name: _times(amount, Decimal(_IN_ONE), places) for name, amount in bill.exact.items()}
        yield scaled
        yield {**bill.exact, "total": scaled["total"]}


@COINS(Cause.UNIT)
def prices_in_cents(bill: Bill) -> Iterator[Figures]:
    """Amounts are a hundredth of what they should be, as if the prices of the tariff were in cents."""
    if abs(bill.exact["total"].excl) > _TELLING * _IN_ONE * bill.scale.snug and bill.scale.places:
        yield {name: _times(amount, Decimal(1) / _IN_ONE, None) for name, amount in bill.exact.items()}


def _times(amount: Amount, factor: Decimal, places: int | None) -> Amount:
    """An amount in another unit; `places` where it is rounded there."""
    excl, incl = amount.excl * factor, None if amount.incl is None else amount.incl * factor
    if places is None:
        return Amount(excl, incl)
    return Amount(rounded(excl, places), None if incl is None else rounded(incl, places))
