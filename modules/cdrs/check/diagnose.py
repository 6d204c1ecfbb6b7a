"""Which mistake explains the amounts of a CDR.

Each supposition of the table makes the amounts that its mistake leads to. The first that makes all the claimed ones is
the cause: to the last digit if there is one, else give or take a cent. Where none does, each deviating figure is
explained on its own, by the supposition that explains most of them and that no right part disproves; what is left has
the class that its place among the others gives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from modules.cdrs.check.amounts import (
    FIELDS,
    NONE,
    NOTHING,
    PARTS,
    Figures,
    Pair,
    fits,
    is_copy,
    is_near,
    pairs,
    side_of,
)
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose import SUPPOSED, Supposition
from modules.tariffs.pricing import Code, PricingFault

Reason = tuple[Cause, str]

_STATED: Final = {"energy": "energy", "time": "charging time", "parking": "parking time"}
_NO_LIMIT: Final = "it is the sum of parts that are not right, and the limit of the tariff was not applied"
_MOST: Final = 500
"""Sets of amounts that are made for one CDR."""


def reasons(bill: Bill, far: Sequence[Pair]) -> Mapping[str, Reason]:
    """Figure -> cause and words, for each of the deviating figures `far`."""
    tried: list[tuple[Supposition, Figures]] = []
    fitting: Supposition | None = None
    for supposition, figures in _made(bill):
        if not fits(bill.claimed, figures, bill.scale):
            tried.append((supposition, figures))
            continue
        fitting = fitting or supposition
        if all(is_copy(pair, bill.scale) for pair in pairs(bill.claimed, figures)):
            fitting = supposition
            break
    if fitting is not None:
        return {pair.figure: (fitting.cause, fitting.why) for pair in far}
    found = _one_by_one(bill, far, tried)
    for pair in sorted(far, key=lambda pair: pair.name == "total"):  # a total may be wrong for what its parts are
        if pair.name == "total" and (reason := _of_total(bill, pair, far, found)):
            found[pair.figure] = reason
        elif pair.figure not in found:
            found[pair.figure] = _by_its_place(bill, pair, far, found)
        if (before := _before_it(bill, pair, far)) is not None:
            found[pair.figure] = found[before.figure]
    return found


def _before_it(bill: Bill, pair: Pair, far: Sequence[Pair]) -> Pair | None:
    """For taxes or an amount after them the one before, where that is wrong by as much: one cause has one class."""
    before = next((p for p in far if (p.name, p.side) == (pair.name, "before_taxes")), None)
    if pair.side == "before_taxes" or before is None:
        return None
    off = before.claimed - before.computed
    taxed = off * pair.computed / before.computed if before.computed else off
    low, high = sorted((off if pair.side == "after_taxes" else NOTHING, taxed))
    slack = bill.scale.snug * pair.written
    return before if low - slack <= pair.claimed - pair.computed <= high + slack else None


def _of_total(bill: Bill, total: Pair, far: Sequence[Pair], found: Mapping[str, Reason]) -> Reason | None:
    """Why a total is wrong that has wrong parts beside it; None where the CDR does not state all of them.

    Where it is their sum, nothing is wrong with it but them: it has the class of the part that is furthest off, and
    names what is wrong with each. Where it is not, that is one more mistake.
    """
    stated = [pair for pair in pairs(bill.claimed, bill.figures) if pair.name in PARTS and pair.side == total.side]
    parts = [pair for pair in stated if pair in far]
    if total.side != "before_taxes" and len(stated) < sum(part in bill.claimed for part in PARTS):
        return found.get(f"{FIELDS['total']}.before_taxes") if bill.is_sum_of_parts else None
    if not parts or not bill.states_all_parts:
        return None
    off = total.claimed - total.computed - sum((pair.claimed - pair.computed for pair in stated), NOTHING)
    if abs(off) > bill.scale.snug * sum(pair.written for pair in (total, *stated)):
        if Code.PRICE_LIMIT_APPLIED not in bill.codes:
            return Cause.ARITHMETIC, "it is not the sum of its parts, of which some are not right either"
        return (Cause.LIMIT, _NO_LIMIT) if bill.is_sum_of_parts else None
    parts.sort(key=lambda pair: -abs(pair.claimed - pair.computed))
    words = dict.fromkeys(found[pair.figure][1] for pair in parts)
    cause, why = found[parts[0].figure]
    return cause, why if len(words) == 1 else f"it is the sum of parts that are not right: {'; '.join(words)}"


def _made(bill: Bill) -> Iterator[tuple[Supposition, Figures]]:
    """What each mistake leads to. One that cannot be made with this tariff and these periods is passed over.

    So is one that leads to the right amounts: it explains nothing.
    """
    right, count = _priced(bill.figures), 0
    for supposition in SUPPOSED:
        try:
            for made in supposition.amounts(bill):
                figures = bill.placed(made)
                if _priced(figures) != right:
                    yield supposition, figures
                count += 1
                if count >= _MOST:
                    return
        except PricingFault:
            continue


def _priced(figures: Figures) -> Figures:
    """Those that are not nothing."""
    return {name: amount for name, amount in figures.items() if amount != NONE}


def _one_by_one(bill: Bill, far: Sequence[Pair], tried: Sequence[tuple[Supposition, Figures]]) -> dict[str, Reason]:
    """The figures that some mistake makes, where no single one makes them all."""
    explained = [
        (supposition, {pair.figure for pair in far if _makes(bill, figures, pair)})
        for supposition, figures in tried
        if not _is_disproved(bill, figures, far)
    ]
    explained.sort(key=lambda entry: -len(entry[1]))
    found: dict[str, Reason] = {}
    for supposition, figures in explained:
        for figure in figures:
            found.setdefault(figure, (supposition.cause, supposition.why))
    return found


def _is_disproved(bill: Bill, figures: Figures, far: Sequence[Pair]) -> bool:
    """Does a part that is right say that this mistake was not made?"""
    wrong = {pair.figure for pair in far}
    parts = (pair for pair in pairs(bill.claimed, figures) if pair.name in PARTS and pair.figure not in wrong)
    return any(not is_near(pair, bill.scale.snug) for pair in parts)


def _makes(bill: Bill, figures: Figures, pair: Pair) -> bool:
    """Does a mistake lead to a claimed figure? One that leaves it as it should be does not."""
    made = side_of(figures.get(pair.name, NONE), pair.side)
    return made is not None and made != pair.computed and is_near(pair._replace(computed=made), bill.scale.snug)


def _by_its_place(bill: Bill, pair: Pair, far: Sequence[Pair], found: Mapping[str, Reason]) -> Reason:
    """The class of a figure that no mistake of the table makes."""
    names = {(other.name, other.side) for other in far}
    if pair.side != "before_taxes" and (pair.name, "before_taxes") not in names:
        other = "the one after is not" if pair.side == "after_taxes" else "its taxes are not"
        return Cause.TAX, f"the amount before taxes is right, {other}"
    has_parts = any(part in bill.claimed for part in PARTS)
    if pair.name == "total" and has_parts and bill.states_all_parts and not any(name in PARTS for name, _ in names):
        return Cause.ARITHMETIC, "each part is right, and the total is not their sum"
    if pair.name in bill.unstated or (pair.name == "total" and bill.unstated and pair.claimed > pair.computed):
        kinds = " and ".join(_STATED[part] for part in PARTS if part in bill.unstated)
        return Cause.PERIODS, f"the tariff has a price for {kinds}, and no period states any, so that none is due"
    if Code.PERIOD_SPANS_A_PRICE_CHANGE in bill.codes:
        return Cause.UNSPLIT_PERIOD, "a period spans a price change, so its amount cannot be told from it"
    if pair.name != "total" and not pair.computed:
        return Cause.WRONG_ELEMENT, "no element of the tariff has a price for it"
    if pair.name != "total" and not pair.claimed:
        return Cause.LEFT_OUT, "it is left out, and the tariff has a price for it"
    return Cause.ARITHMETIC, "no reading of the tariff that is known here gives this amount"
