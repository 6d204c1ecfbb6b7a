"""From segments to money: sums that stay exact, and one rounding of each published figure.

A tax line is one rate, and the lowest comes first. The lines are rounded each, and the largest takes the
residue, so that together they are exactly the difference between the amounts after and before taxes. OCPI
types_price_class, types_taxamount_class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any, Final, NamedTuple, TypeAlias

from modules.tariffs.pricing.compile import Compiled
from modules.tariffs.pricing.numbers import LAST_PLACE, Exact, decimal_from, exactly, whole_of
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.steps import Segment

RESERVATION: Final = 4
"""The bucket after those of the dimensions: reserved time and the FLAT of a reservation."""


class TaxLine(NamedTuple):
    """One tax on an amount: `rate` in percent (None: no rate of the tariff), `amount` in the currency."""

    rate: Decimal | None
    amount: Decimal

    def tree(self, name: str) -> dict[str, Any]:
        """As a TaxAmount of OCPI 2.3.0."""
        percentage = {} if self.rate is None else {"percentage": self.rate}
        return {"name": name, **percentage, "amount": self.amount}


class Money(NamedTuple):
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


@dataclass(slots=True)
class Tally:
    """The exact sums of a session, by bucket and rate. All amounts are over `denominator`.

    buckets: those of the dimensions, then that of the reservation; None where nothing has a component.
    untold: the buckets in which something costs money of which nobody says what comes after taxes.
    """

    denominator: int
    buckets: list[Sums | None]
    untold: set[int]
    gross_only: bool


def tally(segments: Iterable[Segment], used: Sequence[Compiled], policy: Policy) -> Tally:
    """Sum the priced segments. `used`: the tariffs of the session."""
    denominator = lcm(*(tariff.denominator for tariff in used))
    buckets: list[Sums | None] = [None] * (RESERVATION + 1)
    untold: set[int] = set()
    doubted = {id(tariff) for tariff in used if not tariff.taxes_known or _doubts(tariff, policy)}
    for segment in segments:
        component, tariff = segment.component, segment.tariff
        if component is None or tariff is None:
            continue
        quantity, rate = segment.billed, component.rate
        if tariff.denominator != denominator:
            quantity *= denominator // tariff.denominator
        bucket: int = RESERVATION if segment.reserved else segment.dimension
        if doubted and rate is None and id(tariff) in doubted and component.net and quantity:
            untold.add(bucket)
        sums = buckets[bucket]
        if sums is None:
            buckets[bucket] = {rate: [component.net * quantity, component.tax * quantity]}
        elif (pair := sums.get(rate)) is None:
            sums[rate] = [component.net * quantity, component.tax * quantity]
        else:
            pair[0] += component.net * quantity
            pair[1] += component.tax * quantity
    return Tally(denominator, buckets, untold, bool(used) and all(tariff.gross_only for tariff in used))


def _doubts(tariff: Compiled, policy: Policy) -> bool:
    """Does the contract doubt that a component without `vat` has none? A price that holds its tax leaves no doubt."""
    return policy.missing_vat == "unknown" and tariff.rates_are_added


def joined(buckets: Iterable[Sums | None]) -> Sums:
    """The sums of several buckets as one."""
    total: Sums = {}
    for sums in buckets:
        for rate, (net, tax) in sums.items() if sums else ():
            pair = total.get(rate)
            if pair is None:
                total[rate] = [net, tax]
            else:
                pair[0] += net
                pair[1] += tax
    return total


def money(sums: Sums, denominator: int, policy: Policy, *, known: bool) -> Money:
    """The sums of a bucket, rounded. known: is the amount after taxes?"""
    if len(sums) == 1:
        return _of_one_rate(sums, denominator, policy, known=known)
    taxes = {rate: tax for rate, (_, tax) in sums.items()}
    return _money(_net(sums), taxes, denominator, known, policy)


def _of_one_rate(sums: Sums, per_one: int, policy: Policy, *, known: bool) -> Money:
    """As most are: the only tax line is all that lies between the amounts."""
    ((rate, (net, tax)),) = sums.items()
    places, rounding = policy.decimals, policy.rounding
    last_place = LAST_PLACE[places]
    excl = whole_of(net, per_one, places, rounding)
    before = exactly(excl, last_place)
    if not known:
        return Money(before, None)
    if rate is None:
        return Money(before, before)
    incl = whole_of(net + tax, per_one, places, rounding)
    return Money(before, exactly(incl, last_place), (TaxLine(rate, exactly(incl - excl, last_place)),))


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


def to_add_up(counted: Tally, policy: Policy) -> Tally:
    """The sums that make the total: with each bucket rounded first, for contracts that add up rounded sub-totals."""
    if not policy.round_parts_first:
        return counted
    scale = 10**policy.decimals
    buckets: list[Sums | None] = []
    for bucket, sums in enumerate(counted.buckets):
        if sums is None:
            buckets.append(None)
            continue
        part = money(sums, counted.denominator, policy, known=bucket not in counted.untold)
        taxes = {line.rate: int(line.amount * scale) for line in part.taxes}
        parts: Sums = {rate: [0, taxes.get(rate, 0)] for rate in sums}
        next(iter(parts.values()))[0] = int(part.excl * scale)
        buckets.append(parts)
    return Tally(scale, buckets, counted.untold, counted.gross_only)
