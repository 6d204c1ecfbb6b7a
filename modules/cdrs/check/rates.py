"""The taxes of an amount by their rates: of how many amounts the sum of them is, whatever the lines are.

OCPI types_taxamount_class. Whoever writes a price may cut a tax into as many lines as he likes, but those of one rate
are one amount, and it is rounded once. A sum of taxes may be off by the tolerance of each amount that there is in what
it is held against: a line of another rate, or of none, is one more way to write it, and none to be off further.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from modules.tariffs.pricing import Money, Priced

Lines: TypeAlias = Sequence[Mapping[str, Any]]
"""The `taxes` of a price in our form."""
ByRate: TypeAlias = Mapping[Decimal, Decimal]
"""Rate in percent -> the tax of it, in the currency."""

_WITH_TAXES: Final = "2.3.0"
"""The version whose prices state each tax, and nothing after them."""
_NOTHING: Final = Decimal(0)


def is_unnamed(tax: Mapping[str, Any]) -> bool:
    """Does a tax that is anything name no rate? It may be any of them."""
    return tax.get("percentage") is None and bool(tax["amount"])


def unnamed(taxes: Lines) -> Decimal:
    """How much of the taxes names no rate, without its sign."""
    return abs(sum((Decimal(tax["amount"]) for tax in taxes if is_unnamed(tax)), _NOTHING))


def summed(lines: Iterable[tuple[Decimal, Decimal]]) -> dict[Decimal, Decimal]:
    """Rates and taxes, those of one rate added up."""
    found: dict[Decimal, Decimal] = {}
    for rate, amount in lines:
        found[rate] = found.get(rate, _NOTHING) + amount
    return found


def by_rate(taxes: Lines) -> dict[Decimal, Decimal]:
    """The taxes that name their rate, without those that are nothing."""
    named = ((Decimal(tax["percentage"]), Decimal(tax["amount"])) for tax in taxes if tax.get("percentage") is not None)
    return {rate: amount for rate, amount in summed(named).items() if amount}


def lines_at(taxes: Lines, rate: Decimal) -> list[Decimal]:
    """The taxes at a rate that are anything, line by line."""
    named = (tax for tax in taxes if tax.get("percentage") is not None and tax["amount"])
    return [Decimal(tax["amount"]) for tax in named if Decimal(tax["percentage"]) == rate]


def places_of(taxes: Lines) -> dict[Decimal, int]:
    """Rate in percent -> where the first tax at it stands that is anything."""
    lines = reversed(list(enumerate(taxes)))
    return {Decimal(tax["percentage"]): at for at, tax in lines if tax["amount"] and tax.get("percentage") is not None}


def written_taxes(price: Mapping[str, Any], version: str, rates: Collection[Decimal]) -> int:
    """Of how many amounts the taxes of a price are the sum, as they are on the wire: of one at least.

    `rates`: those of what the price is held against. 0, where what the amount is after taxes is on the wire instead.
    """
    taxes = price.get("taxes") or ()
    if version != _WITH_TAXES or not taxes:
        return 0
    return max(1, len(by_rate(taxes).keys() & set(rates)))


def rates_of(priced: Priced, parts: Collection[str]) -> dict[str, frozenset[Decimal]]:
    """The rates at which each part of a price is taxed, and the total.

    A FLAT may stand in the cost of parking, and a limit hides at which rates a total is taxed.
    """
    found = {part: _rates(getattr(priced, part)) for part in parts}
    found["parking"] |= found["fixed"]
    return {**found, "total": _rates(priced.total).union(*found.values())}


def _rates(money: Money | None) -> frozenset[Decimal]:
    lines = money.taxes if money is not None else ()
    return frozenset(line.rate for line in lines if line.rate is not None and line.amount)


def rates_in(tariffs: Iterable[Mapping[str, Any]]) -> frozenset[Decimal]:
    """The rates that prices of tariffs in our form name."""
    elements = (element for tariff in tariffs for element in tariff.get("elements") or ())
    components = (component for element in elements for component in element.get("price_components") or ())
    return frozenset(Decimal(each["vat"]) for each in components if each.get("vat") is not None)
