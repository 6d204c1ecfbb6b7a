"""A credit CDR against what it takes back, where that is at hand. OCPI mod_cdrs_credit_cdrs.

All is copied, and only the total has the other sign. What was billed may have been wrong: that is why it is credited.
So the credit CDR is held against it and not against the tariff, and what is odd in both is no fault of the credit.
What is no amount is held against it in `copied`, and taxes in `copied_taxes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from modules.cdrs.check.amounts import FIELDS, NOTHING, PARTS, Amount, amount_of, scale_of, side_of
from modules.cdrs.check.claim import Claim, Tree
from modules.cdrs.check.copied import not_as_it_was
from modules.cdrs.check.copied_taxes import not_at_its_rate
from modules.cdrs.check.rates import by_rate, rates_in, written_taxes
from modules.cdrs.check.result import Cause, Deviation


def against_original(claim: Claim, original: Tree) -> list[Deviation]:
    """What a credit CDR has otherwise than the CDR `original` that it takes back.

    An amount may differ by the tolerance: one of the two may be rounded. The parts may be turned too, or be left out.
    """
    found = [*_reference(claim.cdr, original), *_total(claim, original), *_untaxed(claim.cdr, original)]
    found += [*_parts(claim, original)]
    odd = list(not_at_its_rate(claim.cdr, original, _tolerance(claim)))
    found = [*_of_taxes(found, odd), *odd]
    found += not_as_it_was(claim.cdr, original)
    currency = str(original["currency"])
    if claim.currency.upper() != currency.upper():
        why = "what it takes back was billed in another currency"
        found.append(Deviation("currency", claim.currency, currency, Cause.CURRENCY, why))
    return found


def _of_taxes(found: Iterable[Deviation], odd: Iterable[Deviation]) -> Iterator[Deviation]:
    """`found`, with one class for what is wrong with taxes; `odd`: those that are not as they were at their rate.

    A sum of taxes beside an amount that is right is a matter of tax. That it is off by a little is not told beside why.
    """
    fields = {deviation.figure.partition(".")[0] for deviation in odd}
    found = list(found)
    far = {deviation.figure for deviation in found if not deviation.tolerable}
    for each in found:
        field, _, side = each.figure.partition(".")
        if side != "taxes" or not (each.tolerable or f"{field}.before_taxes" not in far):
            yield each
        elif not each.tolerable:
            yield replace(each, cause=Cause.TAX)
        elif field not in fields:
            yield each


def tells_no_more(cdr: Tree, original: Tree) -> bool:
    """Does a credit CDR state no amount that what it takes back does not state?"""
    ours, stood = _stated(cdr), _stated(original)
    return all(
        field in stood and (amount.incl is None or stood[field].incl is not None) for field, amount in ours.items()
    )


def not_copied(found: Iterable[Deviation], original: Iterable[Deviation]) -> list[Deviation]:
    """Of what was found in a credit CDR by itself, that which was not found in what it takes back."""
    copied = {(each.figure, each.cause) for each in original if each.cause is not Cause.CREDIT}
    return [each for each in found if (each.figure, each.cause) not in copied]


def _stated(cdr: Tree) -> dict[str, Amount]:
    """The amounts of a CDR as they stand, by field."""
    return {field: amount_of(cdr[field]) for field in FIELDS.values() if cdr.get(field) is not None}


def _reference(cdr: Tree, original: Tree) -> Iterator[Deviation]:
    if original.get("credit"):
        reference = str(cdr["credit_reference_id"])
        why = "it names a credit CDR, and that cannot be taken back"
        yield Deviation("credit_reference_id", reference, None, Cause.CREDIT, why)


def _total(claim: Claim, original: Tree) -> Iterator[Deviation]:
    """Before taxes and after them, where both say what that is."""
    field = FIELDS["total"]
    for side, ours, stood, written in _both(claim, original, field):
        why = "it does not take back what was billed"
        yield from _differing(_of_several(claim, written), f"{field}.{side}", ours, -stood, why)


def _parts(claim: Claim, original: Tree) -> Iterator[Deviation]:
    """Without their signs, of which `credits` tells whether all are turned or none."""
    for field in (FIELDS[part] for part in PARTS):
        for side, ours, stood, written in _both(claim, original, field):
            why = "it is another amount than in the CDR that it takes back"
            due = abs(stood).copy_sign(ours)
            yield from _differing(_of_several(claim, written), f"{field}.{side}", ours, due, why)


def _both(claim: Claim, original: Tree, field: str) -> Iterator[tuple[str, Decimal, Decimal, int]]:
    """Side, the amounts of it that both state, and of how many that are on the wire it is the sum."""
    if claim.cdr.get(field) is None or original.get(field) is None:
        return
    taxes = written_taxes(claim.cdr[field], claim.version, _billed_rates(claim, original[field]))
    for side in ("before_taxes", "taxes" if taxes else "after_taxes"):
        ours, stood = (side_of(amount_of(cdr[field]), side) for cdr in (claim.cdr, original))
        if ours is not None and stood is not None:
            yield side, ours, stood, taxes if side == "taxes" else 1


def _billed_rates(claim: Claim, price: Tree) -> set[Decimal]:
    """The rates of the tariff at which more than the tolerance was billed: less is no amount of its own."""
    billed = by_rate(price.get("taxes") or ())
    return {rate for rate in billed.keys() & rates_in(claim.at_hand) if abs(billed[rate]) > _tolerance(claim)}


def _of_several(claim: Claim, written: int) -> Claim:
    """The claim, with the tolerance of a sum of so many amounts."""
    return claim if written == 1 else replace(claim, tolerance=claim.tolerance * written)


def _differing(claim: Claim, figure: str, ours: Decimal, due: Decimal, why: str) -> Iterator[Deviation]:
    off = abs(ours - due)
    if not off:
        return
    if off <= _tolerance(claim):
        why = "it is what was billed, give or take the tolerance"
        yield Deviation(figure, ours, due, Cause.ROUNDING, why, tolerable=True)
    else:
        yield Deviation(figure, ours, due, Cause.CREDIT, why)


def _tolerance(claim: Claim) -> Decimal:
    return scale_of(claim.currency, claim.tolerance).tolerance


def _untaxed(cdr: Tree, original: Tree) -> Iterator[Deviation]:
    """Who was billed taxes is told of them again: in 2.3.0 silence would say that none are given back."""
    if cdr.get("total_cost") is None or amount_of(cdr["total_cost"]).incl is not None:
        return
    stood = amount_of(original["total_cost"])
    if stood.incl is not None and stood.incl != stood.excl:
        why = "what it takes back states taxes, and it has none"
        yield Deviation("total_cost.taxes", NOTHING, stood.excl - stood.incl, Cause.TAX, why)
