"""The taxes that an amount states, each with its rate, against the rates at which what it is made of is taxed.

A rate of a tariff may be several taxes of a CDR: the 14.975 % of Québec are 5 % and 9.975 %, each with its own name,
and the 18 % of India are 9 % twice. So the stated rates may also be parts of which those of the tariff are the sums. A
tax that names no rate may be any of them: beside one there may be less at a rate of the tariff than is due, and parts
may be left out of a rate; but what names a rate that the tariff has not is the whole of such a part. OCPI
types_taxamount_class.

Of a rate that is there several times, no line can be more than that part of all that is taxed with it. Where all keep
to that, and come to what so many taxes are, each is the tax of some of it, however they were cut: laid over it one
behind the other, and around again, they cover all of it so many times.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, combinations_with_replacement, islice, product
from typing import Final

from modules.cdrs.check.amounts import FIELDS, NOTHING, sign_of
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.rates import ByRate, Lines, by_rate, is_unnamed, lines_at, places_of, summed
from modules.cdrs.check.result import Cause, Deviation
from modules.tariffs.pricing import Money

_MOST_RATES: Final = 8
"""So many stated rates are tried as parts of those of a tariff: more would be too many sums."""
_MOST_PARTS: Final = 5
"""And so many taxes as parts of one rate."""
_MOST_SUMS: Final = 200


def odd_lines(bill: Bill, doubted: Collection[str]) -> Iterator[Deviation]:
    """The taxes of a rate that are not what is due of it. `doubted`: the fields of which something is wrong already.

    A credit CDR copies the taxes of what it takes back, whatever they were.
    """
    cdr = bill.claim.cdr
    if bill.claim.original is not None:
        return
    for name in bill.claimed:
        field = FIELDS[name]
        due, stated = _due(bill, name), (cdr[field].get("taxes") or ())
        if not stated or due is None or field in doubted:
            continue
        turned = sign_of(cdr, name)
        roundings = max(1, len(due)) + (len(bill.parts) if name == "total" else 1)
        slack = max(bill.scale.tolerance, bill.scale.snug) * roundings
        yield from _odd(field, Taxes(stated, {rate: turned * amount for rate, amount in due.items()}, slack))


@dataclass(frozen=True, slots=True)
class Taxes:
    """Those that an amount states, and those that are `due` of it.

    slack: what a tax may be off, as each is rounded in each part, and they are then made to fit the amount.
    """

    lines: Lines
    due: ByRate
    slack: Decimal

    @property
    def may_hide(self) -> bool:
        """Might some of a rate be among those that name none?"""
        return any(map(is_unnamed, self.lines))

    def is_as_due(self, rate: Decimal, amount: Decimal, due: Decimal) -> bool:
        """Is what is stated at a rate what is due, or may the rest of it name no rate?"""
        if abs(amount - due) <= self.slack:
            return True
        return self.may_hide and rate in self.due and min(due, NOTHING) <= amount <= max(due, NOTHING)


def _odd(field: str, taxes: Taxes) -> Iterator[Deviation]:
    stated, due = by_rate(taxes.lines), taxes.due
    rates = sorted(stated if taxes.may_hide else {*stated, *due})
    odd = [r for r in rates if not taxes.is_as_due(r, stated.get(r, NOTHING), due.get(r, NOTHING))]
    if not odd or _are_parts(stated, taxes):
        return
    places = places_of(taxes.lines)
    for rate in [rate for rate in odd if rate in stated] or odd:
        figure = f"{field}.taxes/{places[rate]}" if rate in places else f"{field}.taxes"
        why = f"it is not the tax of what is taxed at {rate} %" if rate in due else f"nothing is taxed at {rate} %"
        yield Deviation(figure, stated.get(rate, NOTHING), due.get(rate, NOTHING), Cause.TAX, why)


def _are_parts(stated: ByRate, taxes: Taxes) -> bool:
    """Is each rate that is due the sum of stated ones, and each stated tax what it is of them?"""
    told = {rate: amount for rate, amount in taxes.due.items() if rate and abs(amount) > taxes.slack}
    if len(stated) > _MOST_RATES or min(stated, default=NOTHING) < 0:
        return False
    lines = {rate: lines_at(taxes.lines, rate) for rate in stated}
    largest = {rate: max(map(abs, each)) for rate, each in lines.items()}
    sets = chain.from_iterable(combinations_with_replacement(stated, n) for n in range(_MOST_PARTS + 1))
    parts = [(sum(each, NOTHING), Counter(each)) for each in sets]
    parts = [(made, way) for made, way in parts if all(n <= len(lines[rate]) for rate, n in way.items())]
    is_made = operator.le if taxes.may_hide else operator.eq
    ways = ([way for made, way in parts if is_made(made, rate)] for rate in told)
    for way in islice(product(*ways), _MOST_SUMS):
        chosen = [(amount / rate, each) for (rate, amount), each in zip(told.items(), way, strict=True)]
        made = summed((rate, of * rate * n) for of, each in chosen for rate, n in each.items())
        most = summed((rate, abs(of) * rate) for of, each in chosen for rate in each)
        if all(
            taxes.is_as_due(rate, amount, made.get(rate, NOTHING))
            and largest[rate] <= most.get(rate, NOTHING) + taxes.slack
            for rate, amount in stated.items()
        ):
            return True
    return False


def _due(bill: Bill, name: str) -> ByRate | None:
    """The taxes of an amount; None where they are not known, or a limit leaves open what its taxes are."""
    money = [bill.priced.total] if name == "total" else _parts(bill, name)
    if bill.is_gross or any(each.incl is None for each in money):
        return None
    due = summed((tax.rate or NOTHING, tax.amount) for each in money for tax in each.taxes if tax.amount)
    return None if name == "total" and bill.priced.within is not None and not _is_plain(bill, due) else due


def _parts(bill: Bill, name: str) -> list[Money]:
    """What stands in a part of the price, with a FLAT where the CDR has it."""
    is_parked = bill.figures.get("fixed") != bill.exact.get("fixed")
    names = {"fixed": (), "parking": ("parking", "fixed")}.get(name, (name,)) if is_parked else (name,)
    return [money for money in (getattr(bill.priced, each) for each in names) if money is not None]


def _is_plain(bill: Bill, due: ByRate) -> bool:
    """Is a total within its limit taxed at one rate, as if it had been priced so?

    The two bounds of a limit need not fit each other, and of several rates no text says how they share it.
    """
    excl, near = bill.priced.total.excl, bill.scale.snug
    return len(due) == 1 and all(abs(excl * rate / 100 - amount) <= near for rate, amount in due.items())
