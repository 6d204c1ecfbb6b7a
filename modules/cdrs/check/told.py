"""A tariff in a CDR against what was told of it before: it is to be as it was at the start. OCPI mod_cdrs_cdr_object.

What was told, and in force at the start, rules where the CDR holds an older version: its own party replaced that. Where
the CDR holds a newer one that was never told, it is believed: nothing that its party said is against it, and many tell
a change late or not at all; but a note names both prices. So it is with one that was told only after the start, of
whatever moment it says it is: until then nobody could be shown it. Where it holds the very version in another text, its
party says two things of one version, and nobody can tell which of them held: what is right by the held text, and not by
the told one, cannot be checked. Where the two are in different currencies that is said, and no sum, whatever they come
to.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from modules.cdrs.check.amounts import side_of
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.claim import BELIEVED, Age, Otherwise
from modules.cdrs.check.result import Cause, Deviation, published
from modules.tariffs.pricing import PricingFault

NEVER_TOLD: Final = "tariff_never_told"
"""It is priced with a tariff of its own that is newer than what was told, and that comes to another price."""
TOLD_LATE: Final = "tariff_told_late"
"""The same, but it was told after the start."""
UNTOLD: Final = frozenset({NEVER_TOLD, TOLD_LATE})
"""No driver could be shown its prices."""
NOT_AS_TOLD: Final = "tariff_not_as_told"
"""It is priced with what was told, and the tariff that it holds comes to another price."""

_FAULTS: Final = {
    Age.OLDER: "was replaced before the start",
    Age.SAME: "was told with other prices",
    Age.NEWER: "was never told",
    Age.LATE: "was told only after the start",
}
"""The gravest first."""


class Note(NamedTuple):
    """That two tariffs come to two prices, as a code and in words.

    held, told: the total by either; or its currency, where that differs.
    """

    code: str
    why: str
    held: Decimal | str
    told: Decimal | str

    def deviation(self) -> Deviation:
        """As what keeps a CDR from being checked."""
        return Deviation("tariffs", self.held, self.told, Cause.STALE_TARIFF, self.why, tolerable=True)


def note_of(bill: Bill) -> Note | None:
    """What is to be said of the tariffs of a CDR; None where it would come to the same by what was told."""
    otherwise = bill.claim.told_otherwise
    if not otherwise:
        return None
    gravest = min(otherwise, key=lambda each: list(_FAULTS).index(each.age))
    code = {Age.NEWER: NEVER_TOLD, Age.LATE: TOLD_LATE}.get(gravest.age, NOT_AS_TOLD)
    exchanged = _in_another_currency(bill, otherwise)
    if exchanged is not None:
        ours, theirs = (str(tariff.get("currency")) for tariff in (exchanged.held, exchanged.told))
        return Note(code, f"{_fault(exchanged)}: it is in {ours}, and what was told in {theirs}", ours, theirs)
    is_believed = gravest.age in BELIEVED
    try:
        other = bill.again(tariffs=bill.claim.believing(*(() if is_believed else Age)))
    except PricingFault:
        return None
    by_held, by_told = (bill.exact, other) if is_believed else (other, bill.exact)
    for side in ("before_taxes", "after_taxes"):
        held, told = (side_of(figures["total"], side) for figures in (by_held, by_told))
        if held is not None and told is not None and held != told:
            currency, of = bill.claim.currency, side.replace("_", " ")
            prices = f"the total {of} is {published(held)} {currency} by it, {published(told)} by what was told"
            return Note(code, f"{_fault(gravest)}: {prices}", held, told)
    return None


def _in_another_currency(bill: Bill, otherwise: Iterable[Otherwise]) -> Otherwise | None:
    """A tariff that prices the CDR, and was told in another currency."""
    pricing = {str(tariff.get("id")).lower() for tariff in bill.claim.pricing}
    ours = (each for each in otherwise if str(each.held.get("id")).lower() in pricing)
    return next((each for each in ours if each.is_exchanged), None)


def _fault(otherwise: Otherwise) -> str:
    tariff = otherwise.held
    return f"its tariff {str(tariff['id'])[:36]} of {tariff.get('last_updated')} {_FAULTS[otherwise.age]}"
