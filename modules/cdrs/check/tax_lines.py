"""The taxes that an amount states, each with its rate, against the rates at which what it is made of is taxed.

A rate of a tariff may be several taxes of a CDR: the 14.975 % of Québec are 5 % and 9.975 %, each with its own name. So
the stated rates may also be parts of which those of the tariff are the sums. A tax that names no rate may be any of
them, and nothing is said of the amount that it belongs to. OCPI types_taxamount_class.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from itertools import chain, combinations, islice, product
from typing import Final

from modules.cdrs.check.amounts import FIELDS, NOTHING, sign_of
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.rates import ByRate, Lines, by_rate, is_unnamed, places_of, summed
from modules.cdrs.check.result import Cause, Deviation
from modules.tariffs.pricing import Money

_MOST_TAXES: Final = 5
"""So many stated rates are tried as parts of those of a tariff: more would be too many sums."""
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
        if not stated or due is None or field in doubted or any(map(is_unnamed, stated)):
            continue
        turned = sign_of(cdr, name)
        roundings = max(1, len(due)) + (len(bill.parts) if name == "total" else 1)
        slack = max(bill.scale.tolerance, bill.scale.snug) * roundings
        yield from _odd(field, stated, {rate: turned * amount for rate, amount in due.items()}, slack)


def _odd(field: str, taxes: Lines, due: ByRate, slack: Decimal) -> Iterator[Deviation]:
    """`slack`: what a tax may be off, as each is rounded in each part, and they are then made to fit the amount."""
    stated = by_rate(taxes)
    odd = [rate for rate in sorted({*stated, *due}) if abs(stated.get(rate, NOTHING) - due.get(rate, NOTHING)) > slack]
    if not odd or _are_parts(stated, due, slack):
        return
    places = places_of(taxes)
    for rate in [rate for rate in odd if rate in stated] or odd:
        figure = f"{field}.taxes/{places[rate]}" if rate in places else f"{field}.taxes"
        why = f"it is not the tax of what is taxed at {rate} %" if rate in due else f"nothing is taxed at {rate} %"
        yield Deviation(figure, stated.get(rate, NOTHING), due.get(rate, NOTHING), Cause.TAX, why)


def _are_parts(stated: ByRate, due: ByRate, slack: Decimal) -> bool:
    """Is each rate that is due the sum of stated ones, and each stated tax what it is of them?"""
    told = {rate: amount for rate, amount in due.items() if rate and abs(amount) > slack}
    if len(stated) > _MOST_TAXES:
        return False
    subsets = list(chain.from_iterable(combinations(stated, n) for n in range(1, len(stated) + 1)))
    ways = ([(rate, subset) for subset in subsets if sum(subset) == rate] for rate in told)
    for way in islice(product(*ways), _MOST_SUMS):
        made = summed((part, told[rate] * part / rate) for rate, subset in way for part in subset)
        if all(abs(amount - made.get(rate, NOTHING)) <= slack for rate, amount in stated.items()):
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
