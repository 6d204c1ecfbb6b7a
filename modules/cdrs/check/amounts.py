"""Amounts by name, as a CDR claims them and as they should be, and how far apart two of them are.

The names are those of the parts of a price: total, energy, time, parking, fixed, reservation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from modules.cdrs.check.rates import written_taxes
from modules.tariffs.pricing import Money, Priced

PARTS: Final = ("energy", "time", "parking", "fixed", "reservation")
FIELDS: Final = {"total": "total_cost", **{part: f"total_{part}_cost" for part in PARTS}}
"""Name -> field of the CDR."""
NOTHING: Final = Decimal(0)
CENT: Final = Decimal("0.01")

_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_WITHOUT_CENTS: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
"""Currencies whose smallest coin is one unit (ISO 4217)."""

_IN_THOUSANDTHS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies whose smallest coin is a thousandth (ISO 4217)."""


class Amount(NamedTuple):
    """Before and after taxes; `incl` is None where it is not stated, or not known."""

    excl: Decimal
    incl: Decimal | None = None

    def plus(self, other: Amount) -> Amount:
        incl = self.incl + other.incl if self.incl is not None and other.incl is not None else None
        return Amount(self.excl + other.excl, incl)


Figures: TypeAlias = Mapping[str, Amount]
NONE: Final = Amount(NOTHING, NOTHING)


@dataclass(frozen=True, slots=True)
class Scale:
    """How finely a currency is counted. A tolerance in cents is one in whole units where there are none."""

    places: int
    tolerance: Decimal
    snug: Decimal
    """The difference within which two amounts are taken for the same, whatever an operator tolerates."""


def scale_of(currency: str, tolerance: Decimal) -> Scale:
    """The scale of a currency, with a tolerance that is meant for one with cents."""
    if currency.upper() in _WITHOUT_CENTS:
        return Scale(0, tolerance * 100, CENT * 100)
    return Scale(2, tolerance, CENT)


def coin_of(currency: str) -> Decimal:
    """The smallest coin of a currency, in units of it."""
    name = currency.upper()
    return Decimal(1) if name in _WITHOUT_CENTS else CENT / 10 if name in _IN_THOUSANDTHS else CENT


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), context=_WIDE)


class Stated(dict[str, Amount]):
    """The amounts that a CDR states, by name.

    taxes: of how many amounts the tax of an amount is the sum, where taxes are on the wire and nothing after them.
    """

    def __init__(self, amounts: Mapping[str, Amount], taxes: Mapping[str, int]) -> None:
        super().__init__(amounts)
        self.taxes = taxes

    def among(self, names: Collection[str]) -> Stated:
        """Those of these names alone."""
        return Stated({name: amount for name, amount in self.items() if name in names}, self.taxes)

    def gross(self) -> Stated:
        """Each as one amount: after taxes, where these are known."""
        return Stated({name: Amount(a.excl if a.incl is None else a.incl) for name, a in self.items()}, self.taxes)


def claimed_by(
    cdr: Mapping[str, Any], version: str = "", rates: Mapping[str, Collection[Decimal]] | None = None
) -> Stated:
    """The amounts that a CDR in our form states, those of a credit CDR as they stood in what it takes back.

    `rates`: by name, those at which the amounts are taxed that they are to be compared with.
    """
    found, taxes = {}, {}
    for name, field in FIELDS.items():
        price = cdr.get(field)
        if price is not None:
            amount, turned = amount_of(price), sign_of(cdr, name)
            found[name] = Amount(turned * amount.excl, None if amount.incl is None else turned * amount.incl)
            taxes[name] = written_taxes(price, version, (rates or {}).get(name, ()))
    return Stated(found, taxes)


def sign_of(cdr: Mapping[str, Any], name: str) -> int:
    """-1 where a CDR states an amount with the other sign than in what it takes back.

    Of a credit CDR that is the total. Its parts may stay as they were (mod_cdrs_credit_cdrs), and many turn them too:
    then they add up to the turned total. Where they add up to neither, one below zero is taken for turned.
    """
    if not cdr.get("credit"):
        return 1
    if name == "total":
        return -1
    stated = [amount_of(cdr[FIELDS[part]]).excl for part in PARTS if cdr.get(FIELDS[part]) is not None]
    total = abs(amount_of(cdr["total_cost"]).excl) if cdr.get("total_cost") is not None else NOTHING
    for sign in (1, -1) if total else ():
        if abs(sum(stated, NOTHING) - sign * total) <= CENT * len(stated):
            return sign
    return -1 if amount_of(cdr[FIELDS[name]]).excl < 0 else 1


def amount_of(price: Mapping[str, Any]) -> Amount:
    before, taxes = Decimal(price["before_taxes"]), price.get("taxes")
    return Amount(before, before + sum(Decimal(tax["amount"]) for tax in taxes) if taxes else None)


def figures_of(priced: Priced) -> dict[str, Amount]:
    """The amounts of a price; a part of which nothing was priced is not among them."""
    parts: dict[str, Money | None] = {"total": priced.total, **{part: getattr(priced, part) for part in PARTS}}
    return {name: Amount(money.excl, money.incl) for name, money in parts.items() if money is not None}


class Pair(NamedTuple):
    """A claimed figure and the one it should be; `side` is before_taxes, after_taxes, or taxes.

    written: of how many amounts it is the sum (`rates`). Each may be rounded, and may be off by the tolerance.
    whole: of taxes, the amount after them, which they may have been made to fit.
    """

    name: str
    side: str
    claimed: Decimal
    computed: Decimal
    written: int = 1
    whole: Pair | None = None

    @property
    def figure(self) -> str:
        """`total_cost.before_taxes`"""
        return f"{FIELDS[self.name]}.{self.side}"


def pairs(claimed: Stated, computed: Figures) -> Iterator[Pair]:
    """What can be compared: every claimed amount, with the computed one; that is nothing where there is none.

    Beside what an amount is before taxes that is what it is after them, or where taxes are on the wire, these.
    """
    for name, amount in claimed.items():
        other, taxes = computed.get(name, NONE), claimed.taxes.get(name, 0)
        yield Pair(name, "before_taxes", amount.excl, other.excl)
        side = "taxes" if taxes else "after_taxes"
        ours, theirs = side_of(amount, side), side_of(other, side)
        if ours is not None and theirs is not None:
            whole = Pair(name, "after_taxes", amount.incl, other.incl) if taxes and amount.incl and other.incl else None
            yield Pair(name, side, ours, theirs, taxes or 1, whole)


def side_of(amount: Amount, side: str) -> Decimal | None:
    """What an amount is before taxes or after them, or its taxes; None where that is not known."""
    if side == "before_taxes":
        return amount.excl
    if amount.incl is None or side == "after_taxes":
        return amount.incl
    return amount.incl - amount.excl


def is_near(pair: Pair, within: Decimal) -> bool:
    return abs(pair.claimed - pair.computed) <= within * pair.written


def finest(claimed: Decimal, scale: Scale) -> Decimal:
    """The last place in which an amount is claimed, cents at least."""
    exponent = claimed.as_tuple().exponent
    return Decimal(1).scaleb(-min(max(scale.places, -exponent if isinstance(exponent, int) else 0), 10))


def is_copy(pair: Pair, scale: Scale) -> bool:
    """Is the claimed figure the other one, rounded to as many places as it has, cents at least?

    A sum may be of amounts that were each rounded.
    """
    unit = finest(pair.claimed, scale)
    if pair.written == 1:
        is_rounded = pair.claimed == pair.computed.quantize(unit, context=_WIDE)
    else:
        is_rounded = is_near(pair, unit / 2)
    return is_rounded or (pair.whole is not None and is_copy(pair.whole, scale))


def fits(claimed: Stated, computed: Figures, scale: Scale) -> bool:
    """Are all claimed amounts the computed ones, give or take a rounding?"""
    return all(is_near(pair, scale.snug) for pair in pairs(claimed, computed))


def placed_as(claimed: Stated, computed: Figures, scale: Scale) -> Figures:
    """`computed`, with a FLAT standing where the CDR has it: in the fixed cost, or as one "of parking" in that.

    OCPI mod_cdrs_cdr_object keeps fixed prices of parking out of total_fixed_cost, and no tariff says which they are.
    """
    if "fixed" not in computed or not {"fixed", "parking"} & claimed.keys():
        return computed
    parked = {**computed, "fixed": NONE, "parking": computed["fixed"].plus(computed.get("parking", NONE))}
    either = claimed.among(("fixed", "parking"))
    return parked if fits(either, parked, scale) and not fits(either, computed, scale) else computed
