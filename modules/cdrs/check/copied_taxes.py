"""The taxes that a credit CDR gives back, each at its rate, against those that were billed. OCPI types_taxamount_class.

Their order does not matter, nor into how many lines those of one rate are cut. A tax that names no rate may be any of
them: beside one there may be less at a rate than was billed, and more where one was billed, by no more than it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from modules.cdrs.check.amounts import FIELDS, NOTHING
from modules.cdrs.check.claim import Tree
from modules.cdrs.check.rates import ByRate, Lines, by_rate, places_of, unnamed
from modules.cdrs.check.result import Cause, Deviation


def not_at_its_rate(cdr: Tree, original: Tree, tolerance: Decimal) -> Iterator[Deviation]:
    """The taxes of a rate that are not those of `original`; `tolerance` is what those of a rate may be off."""
    for name, field in FIELDS.items():
        ours, stood = (tree[field] if tree.get(field) is not None else {} for tree in (cdr, original))
        lines, billed = ours.get("taxes") or (), stood.get("taxes") or ()
        if not lines or not billed:
            continue
        is_turned = name == "total" or (Decimal(ours["before_taxes"]) < 0) != (Decimal(stood["before_taxes"]) < 0)
        due = {rate: -amount if is_turned else amount for rate, amount in by_rate(billed).items()}
        yield from _odd(field, lines, due, Slack(tolerance, unnamed(lines), unnamed(billed)))


class Slack(NamedTuple):
    """What the taxes of a rate may be off, either way. ours, billed: what names no rate, and may be of any."""

    tolerance: Decimal
    ours: Decimal
    billed: Decimal

    def allows(self, stated: Decimal, due: Decimal) -> bool:
        hidden = self.ours if abs(stated) < abs(due) else self.billed
        return abs(stated - due) <= self.tolerance + hidden


def _odd(field: str, lines: Lines, due: ByRate, slack: Slack) -> Iterator[Deviation]:
    """Told are the rates that the credit CDR states; those that it leaves out only where nothing else is odd."""
    stated = by_rate(lines)
    rates = sorted({*stated, *due})
    odd = [rate for rate in rates if not slack.allows(stated.get(rate, NOTHING), due.get(rate, NOTHING))]
    places = places_of(lines)
    told = [rate for rate in odd if rate in stated] or odd
    for rate in sorted(told, key=lambda rate: places.get(rate, len(lines))):
        figure = f"{field}.taxes/{places[rate]}" if rate in places else f"{field}.taxes"
        why = f"it is not the tax at {rate} % in the CDR that it takes back"
        yield Deviation(figure, stated.get(rate, NOTHING), due.get(rate, NOTHING), Cause.TAX, why)
