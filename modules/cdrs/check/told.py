"""A tariff in a CDR against what was told of it before: it is to be as it was at the start. OCPI mod_cdrs_cdr_object.

What was told, and in force at the start, rules where the CDR holds an older version: its own party replaced that. Where
the CDR holds a newer one that was never told, it is believed: nothing that its party said is against it, and many tell
a change late or not at all; but a note names both prices. Where it holds the very version in another text, its party
says two things of one version, and nobody can tell which of them held: what is right by the held text, and not by the
told one, cannot be checked.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from modules.cdrs.check.amounts import side_of
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.claim import Age, Otherwise
from modules.cdrs.check.result import Cause, Deviation, published
from modules.tariffs.pricing import PricingFault

NEVER_TOLD: Final = "tariff_never_told"
"""It is priced with a tariff of its own that is newer than what was told, and that comes to another price."""
NOT_AS_TOLD: Final = "tariff_not_as_told"
"""It is priced with what was told, and the tariff that it holds comes to another price."""


class Note(NamedTuple):
    """That two tariffs come to two prices, as a code and in words. held, told: the total by either."""

    code: str
    why: str
    held: Decimal
    told: Decimal

    def deviation(self) -> Deviation:
        """As what keeps a CDR from being checked."""
        return Deviation("tariffs", self.held, self.told, Cause.STALE_TARIFF, self.why, tolerable=True)


def note_of(bill: Bill) -> Note | None:
    """What is to be said of the tariffs of a CDR; None where it would come to the same by what was told."""
    otherwise = bill.claim.told_otherwise
    if not otherwise:
        return None
    is_believed = all(each.age is Age.NEWER for each in otherwise)
    try:
        other = bill.again(tariffs=bill.claim.believing(*(() if is_believed else Age)))
    except PricingFault:
        return None
    by_held, by_told = (bill.exact, other) if is_believed else (other, bill.exact)
    for side in ("before_taxes", "after_taxes"):
        held, told = (side_of(figures["total"], side) for figures in (by_held, by_told))
        if held is not None and told is not None and held != told:
            why = _in_words(bill, otherwise[0], side.replace("_", " "), held, told)
            return Note(NEVER_TOLD if is_believed else NOT_AS_TOLD, why, held, told)
    return None


def _in_words(bill: Bill, otherwise: Otherwise, side: str, held: Decimal, told: Decimal) -> str:
    tariff, currency = str(otherwise.held["id"])[:36], bill.claim.currency
    of = f"of {otherwise.held.get('last_updated')}"
    fault = {
        Age.NEWER: f"{of} was never told",
        Age.SAME: f"{of} was told with other prices",
        Age.OLDER: f"{of} was replaced before the start",
    }[otherwise.age]
    prices = f"the total {side} is {published(held)} {currency} by it, {published(told)} by what was told"
    return f"its tariff {tariff} {fault}: {prices}"
