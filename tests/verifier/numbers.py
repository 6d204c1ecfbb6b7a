"""Exact numbers: read from what is given, written as the receipt writes them, rounded once."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import floor

HOUR_S = 3600
KWH_WH = 1000


def number(value: object) -> Fraction:
    """The number that a tariff or period states; it may stand as text."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal | Fraction):
        raise TypeError(f"{value!r} is no exact number")
    return _read(value)


@lru_cache(maxsize=4096, typed=True)
def _read(value: int | str | Decimal | Fraction) -> Fraction:
    return Fraction(value)


def maybe(value: object) -> Fraction | None:
    return None if value is None else number(value)


def exact(value: Fraction) -> str:
    """The decimal expansion where it ends, otherwise the reduced fraction."""
    rest = value.denominator
    if rest == 1:
        return str(value.numerator)
    twos = fives = 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    return places(value, max(twos, fives))


def maybe_exact(value: Fraction | None) -> str | None:
    return None if value is None else exact(value)


def places(value: Fraction, decimals: int) -> str:
    """`value` with exactly so many decimals; it has no more of them."""
    scaled = value * 10**decimals
    if scaled.denominator != 1:
        raise ValueError(f"{value} has more than {decimals} decimals")
    digits = str(abs(scaled.numerator)).rjust(decimals + 1, "0")
    sign = "-" if scaled < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else f"{sign}{digits}"


def rounded(value: Fraction, decimals: int, mode: str) -> Fraction:
    """To `decimals` places: a half goes away from zero, or to the even neighbour."""
    scaled = abs(value) * 10**decimals
    below = floor(scaled)
    rest = scaled - below
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and (mode == "half_up" or below % 2 == 1))
    whole = Fraction(below + up, 10**decimals)
    return -whole if value < 0 else whole
