"""Exact numbers: read once, counted in whole units, rounded once.

Quantities are counted in units so small that nearly every wire number is a whole one: energy in 1e-9 kWh,
time in microseconds. A number with still more digits becomes a `Fraction`, so no digit is ever lost; the
arithmetic below works on both. Nothing here is a float.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import Final, Literal, TypeAlias

from modules.tariffs.pricing.faults import PricingFault, UnfitSession

Exact: TypeAlias = int | Fraction
Rounding: TypeAlias = Literal["half_up", "half_even"]

KWH: Final = 10**9
"""Units of energy in one kWh."""
WH: Final = 10**6
"""Units of energy in one Wh."""
SECOND: Final = 10**6
"""Units of time in one second."""
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR

_WIDE: Final = Context(prec=120)
exactly: Final = _WIDE.multiply
"""The product of two numbers, of which one may be an int; nothing is rounded."""
_quotient: Final = Context(prec=60, traps=[Inexact]).divide
"""A quotient that ends, with the digits that it needs. Raises: Inexact, if these are more than usual."""
less: Final = _WIDE.subtract
"""The difference of two numbers; nothing is rounded."""
_TENS: Final = tuple(10**places for places in range(13))
_TWICE_TENS: Final = tuple(2 * 10**places for places in range(13))
LAST_PLACE: Final = tuple(Decimal(1).scaleb(-places) for places in range(13))
"""One unit of the last place, by the number of places."""
_LARGEST_EXPONENT: Final = 40
_NUMERIC: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
"""What Python takes for more than that (`1_0`, digits of other scripts, spaces) is no number of a tariff or a CDR."""
_EXPONENTS: Final = frozenset(range(-_LARGEST_EXPONENT, _LARGEST_EXPONENT + 1))


def decimal_of(value: object, what: str, *, fault: type[PricingFault] = UnfitSession) -> Decimal:
    """`value` as a Decimal: from an int, a Decimal or a numeric string, as JSON spells numbers.

    Raises: `fault`, naming `what`.
    """
    if type(value) is Decimal:
        number = value
    elif isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise fault(f"{what} is not a number")
    else:
        number = _written(value, what, fault)
    if not number.is_finite() or (number and abs(number.adjusted()) > _LARGEST_EXPONENT):
        raise fault(f"{what} is out of range")
    return number


def _written(value: int | str | Decimal, what: str, fault: type[PricingFault]) -> Decimal:
    try:
        if not isinstance(value, str) or _NUMERIC.fullmatch(value):
            return Decimal(value)
    except InvalidOperation:
        pass
    raise fault(f"{what} is not a number")


def in_units(value: object, per_one: int, what: str, *, fault: type[PricingFault] = UnfitSession) -> Exact:
    """`value` counted in units of which `per_one` make one. Whole where possible. Raises: `fault`."""
    if type(value) is not Decimal or value.adjusted() not in _EXPONENTS:
        if type(value) is int and -(10**20) < value < 10**20:
            return value * per_one
        value = decimal_of(value, what, fault=fault)
    try:
        p, q = value.as_integer_ratio()
    except (ValueError, OverflowError):
        raise fault(f"{what} is out of range") from None
    p *= per_one
    return Fraction(p, q) if p % q else p // q


def whole_of(amount: Exact, per_one: int, decimals: int, rounding: Rounding = "half_up") -> int:
    """`amount` of units (`per_one` make one), rounded, in units of the last of `decimals` places."""
    if rounding == "half_even":
        return round(Fraction(amount * _TENS[decimals]) / per_one)
    twice = _TWICE_TENS[decimals] * amount
    whole: int = (
        (twice + per_one) // (per_one + per_one) if amount >= 0 else -((per_one - twice) // (per_one + per_one))
    )
    return whole


def decimal_from(whole: int, decimals: int) -> Decimal:
    """`whole` units of the last of `decimals` places, as a number with that many places."""
    return exactly(whole, LAST_PLACE[decimals])


def rounded(amount: Exact, per_one: int, decimals: int, rounding: Rounding = "half_up") -> Decimal:
    """`amount` of units (`per_one` make one) with `decimals` places. `half_up` is away from zero."""
    return decimal_from(whole_of(amount, per_one, decimals, rounding), decimals)


def exact_text(amount: Exact, per_one: int = 1) -> str:
    """`amount` of units (`per_one` make one) as a decimal with all its digits, or as "p/q" where these never end."""
    return writing(per_one)(amount)


@lru_cache(maxsize=1024)
def writing(per_one: int) -> Callable[[Exact], str]:
    """`exact_text` for amounts in one unit, with all made ready that can be."""
    odd, divisor = _odd_of(per_one), Decimal(per_one)

    def text(amount: Exact) -> str:
        if type(amount) is not int:
            return exact_text(amount.numerator, amount.denominator * per_one)
        if odd > 1 and amount % odd:
            common = gcd(amount, per_one)
            return f"{amount // common}/{per_one // common}"
        try:
            written = str(_quotient(amount, divisor))
        except Inexact:
            room = amount.bit_length() + per_one.bit_length()
            written = str(Context(prec=room).divide(amount, divisor))
        return written if "E" not in written else f"{Decimal(written):f}"

    return text


def _odd_of(q: int) -> int:
    """What is left of a denominator without its twos and fives: the multiples of that have a decimal that ends."""
    for prime in (2, 5):
        while q % prime == 0:
            q //= prime
    return q


def plain_text(number: Decimal) -> str:
    """A number with the zeros that it has, without an exponent."""
    text = str(number)
    return f"{number:f}" if "E" in text else text


def decimal_text(number: Decimal) -> str:
    """A number as it was written, without an exponent and trailing zeros."""
    text = plain_text(number) if number else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text
