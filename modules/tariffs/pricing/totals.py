"""From segments to money: sums that stay exact, and one rounding of each published figure.

A tax line is one rate; the lines are rounded each, and the largest takes the residue, so that together
they are exactly the difference between the amounts after and before taxes. OCPI types_price_class,
types_taxamount_class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any, Final, TypeAlias

from modules.tariffs.pricing.compile import Compiled
from modules.tariffs.pricing.numbers import Exact, rounded
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.steps import Segment

RESERVATION: Final = 4
"""The bucket after those of the dimensions: reserved time and the FLAT of a reservation."""


@dataclass(frozen=True, slots=True)
class TaxLine:
    """One tax on an amount: `rate` in percent (None: no rate of the tariff), `amount` in the currency."""

    rate: Decimal | None
    amount: Decimal

    def tree(self, name: str) -> dict[str, Any]:
        """As a TaxAmount of OCPI 2.3.0."""
        percentage = {} if self.rate is None else {"percentage": self.rate}
        return {"name": name, **percentage, "amount": self.amount}


@dataclass(frozen=True, slots=True)
class Money:
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
    """The exact sums of a session, by bucket and rate. All amounts are over `denominator`."""

    denominator: int
    buckets: dict[int, Sums]
    known: bool
    gross_only: bool


def tally(segments: Iterable[Segment], tariffs: Iterable[Compiled]) -> Tally:
    """Sum the priced segments. `tariffs`: those that the session uses."""
    used = list(tariffs)
    denominator = lcm(*(tariff.denominator for tariff in used))
    buckets: dict[int, Sums] = {}
    for segment in segments:
        component, tariff = segment.component, segment.tariff
        if component is None or tariff is None:
            continue
        bucket = RESERVATION if segment.reserved else int(segment.dimension)
        sums = buckets.setdefault(bucket, {}).setdefault(component.rate, [0, 0])
        scale = segment.billed * (denominator // tariff.denominator)
        sums[0] += component.net * scale
        sums[1] += component.tax * scale
    gross_only = bool(used) and all(tariff.gross_only for tariff in used)
    return Tally(denominator, buckets, all(tariff.taxes_known for tariff in used), gross_only)


def joined(buckets: Iterable[Sums]) -> Sums:
    """The sums of several buckets as one."""
    total: Sums = {}
    for sums in buckets:
        for rate, (net, tax) in sums.items():
            pair = total.setdefault(rate, [0, 0])
            pair[0] += net
            pair[1] += tax
    return total


def money(sums: Sums, counted: Tally, policy: Policy) -> Money:
    """The sums of a bucket, rounded. On an amount of nothing the tax is nothing, known or not."""
    net: Exact = 0
    taxes: dict[Decimal | None, Exact] = {}
    for rate, (before, tax) in sums.items():
        net += before
        taxes[rate] = tax
    return _money(net, taxes, counted.denominator, counted.known or not net, policy)


def exact_amounts(sums: Sums, counted: Tally) -> tuple[Exact, Exact | None]:
    """The sums of a bucket before and after taxes, over the denominator; None where the tax is not known."""
    net = sum(pair[0] for pair in sums.values())
    return net, net + sum(pair[1] for pair in sums.values()) if counted.known or not net else None


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


def _money(net: Exact, taxes: Taxes, per_one: int, known: bool, policy: Policy) -> Money:
    excl = rounded(net, per_one, policy.decimals, policy.rounding)
    if not known:
        return Money(excl, None)
    incl = rounded(net + sum(taxes.values()), per_one, policy.decimals, policy.rounding)
    if len(taxes) == 1:
        amounts = dict.fromkeys(taxes, incl - excl)
    else:
        amounts = {rate: rounded(tax, per_one, policy.decimals, policy.rounding) for rate, tax in taxes.items()}
    residue = incl - excl - sum(amounts.values())
    if residue:
        largest = max(amounts, key=lambda rate: (abs(amounts[rate]), rate is not None))
        amounts[largest] += residue
    lines = (TaxLine(rate, amount) for rate, amount in amounts.items() if rate is not None or amount)
    return Money(excl, incl, tuple(lines))


def to_add_up(counted: Tally, policy: Policy) -> Tally:
    """The sums that make the total: with each bucket rounded first, for contracts that add up rounded sub-totals."""
    if not policy.round_parts_first:
        return counted
    scale = 10**policy.decimals
    buckets: dict[int, Sums] = {}
    for bucket, sums in counted.buckets.items():
        part = money(sums, counted, policy)
        taxes = {line.rate: int(line.amount * scale) for line in part.taxes}
        rates = list(sums)
        buckets[bucket] = {rate: [0, taxes.get(rate, 0)] for rate in rates}
        buckets[bucket][rates[0]][0] = int(part.excl * scale)
    return Tally(scale, buckets, counted.known, counted.gross_only)
