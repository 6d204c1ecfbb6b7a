"""Exact sums as amounts of money: one rounding of each published figure.

A tax line is one rate, and the lowest comes first. The lines are rounded each, and the largest takes the
residue, so that together they are exactly the difference between the amounts after and before taxes. OCPI
types_price_class, types_taxamount_class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

from msgspec import Struct

from modules.tariffs.pricing.numbers import (
    LAST_PLACE,
    Exact,
    Rounding,
    decimal_from,
    exactly,
    less,
    rounded,
    whole_of,
)
from modules.tariffs.pricing.policy import Policy


class TaxLine(Struct, frozen=True, gc=False):
    """One tax on an amount: `rate` in percent (None: no rate of the tariff), `amount` in the currency."""

    rate: Decimal | None
    amount: Decimal

    def tree(self, name: str) -> dict[str, Any]:
        """As a TaxAmount of OCPI 2.3.0."""
        percentage = {} if self.rate is None else {"percentage": self.rate}
        return {"name": name, **percentage, "amount": self.amount}


class Money(Struct, frozen=True, gc=False):
    """An amount before taxes and after (`incl` is None where that is not known), and the taxes between."""

    excl: Decimal
    incl: Decimal | None
    taxes: tuple[TaxLine, ...] = ()

    def tree(self, tax_name: str = "VAT") -> dict[str, Any]:
        """As a Price of OCPI 2.3.0."""
        price: dict[str, Any] = {"before_taxes": self.excl}
        if self.taxes:
            price["taxes"] = [line.tree(tax_name) for line in self.taxes]
        return price


Sums: TypeAlias = dict[Decimal | None, list[Exact]]
"""Rate -> [before taxes, tax], in money over the common denominator."""
Taxes: TypeAlias = Mapping[Decimal | None, Exact]


Amounts: TypeAlias = tuple[Money, Money | None, Money | None, Money | None, Money | None, Money | None]
"""The total, then the sub-totals: energy, time, parking, fixed, reservation."""
Pay: TypeAlias = Callable[[Exact, Exact, Decimal | None, bool], Money]
"""The sum before taxes, that of the tax, its rate, and whether it is known -> what is published."""


@lru_cache(maxsize=1024)
def paying(per_one: int, decimals: int, rounding: Rounding) -> Pay:
    """How sums over `per_one` become money where one rate taxes all: the only tax line is all that lies between.

    As most are, and as often as anything is done here, so it rounds by itself where nothing is negative and half of
    the last place is a whole number; what it needs is made ready once.
    """
    last_place = LAST_PLACE[decimals]
    half, rest = divmod(per_one, 2 * 10**decimals)
    one, is_plain = half + half, rounding == "half_up" and not rest

    def pay(net: Exact, tax: Exact, rate: Decimal | None, known: bool) -> Money:
        if is_plain and net >= 0 and tax >= 0:
            before = exactly((net + half) // one, last_place)
            after = before if rate is None else exactly((net + tax + half) // one, last_place)
        else:
            before = rounded(net, per_one, decimals, rounding)
            after = rounded(net + tax, per_one, decimals, rounding)
        if rate is None or not known:
            return Money(before, before if known else None)
        return Money(before, after, (TaxLine(rate, less(after, before)),))

    return pay


def money(sums: Sums, denominator: int, policy: Policy, *, known: bool) -> Money:
    """The sums of a bucket, rounded. known: is the amount after taxes?"""
    if len(sums) != 1:
        taxes = {rate: tax for rate, (_, tax) in sums.items()}
        return _money(_net(sums), taxes, denominator, known, policy)
    ((rate, (net, tax)),) = sums.items()
    return paying(denominator, policy.decimals, policy.rounding)(net, tax, rate, known)


def exact_amounts(sums: Sums, *, known: bool) -> tuple[Exact, Exact | None]:
    """The sums of a bucket before and after taxes, over the denominator; None where the tax is not known."""
    net: Exact = 0
    tax: Exact = 0
    for pair in sums.values():
        net += pair[0]
        tax += pair[1]
    return net, net + tax if known else None


def moved_money(before: Fraction, after: Fraction | None, sums: Sums, policy: Policy) -> Money:
    """A total that a limit has moved: the taxes keep their proportions."""
    if after is None:
        return _money(before, {}, 1, False, policy)
    tax, stated = after - before, {rate: Fraction(pair[1]) for rate, pair in sums.items()}
    known = sum(stated.values())
    if known:
        taxes: dict[Decimal | None, Exact] = {rate: amount * tax / known for rate, amount in stated.items()}
    else:
        taxes = {None: tax}
    return _money(before, taxes, 1, True, policy)


def _net(sums: Sums) -> Exact:
    net: Exact = 0
    for pair in sums.values():
        net += pair[0]
    return net


def _money(net: Exact, taxes: Taxes, per_one: int, known: bool, policy: Policy) -> Money:
    """Round in whole numbers of the last decimal place, and write each as a decimal once."""
    places = policy.decimals
    excl = whole_of(net, per_one, places, policy.rounding)
    if not known:
        return Money(decimal_from(excl, places), None)
    incl = whole_of(net + sum(taxes.values()), per_one, places, policy.rounding)
    in_order = sorted(taxes, key=lambda rate: (rate is None, rate or 0))
    amounts = {rate: whole_of(taxes[rate], per_one, places, policy.rounding) for rate in in_order}
    residue = incl - excl - sum(amounts.values())
    if residue:
        largest = max(amounts, key=lambda rate: (abs(amounts[rate]), rate is not None))
        amounts[largest] += residue
    lines = [
        TaxLine(rate, decimal_from(amount, places)) for rate, amount in amounts.items() if rate is not None or amount
    ]
    return Money(decimal_from(excl, places), decimal_from(incl, places), tuple(lines))
