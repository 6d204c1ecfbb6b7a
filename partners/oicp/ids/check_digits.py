"""The last character of a contract id, by ISO 15118 and by DIN SPEC 91286.

ISO: every character is a pair of 2x2 matrices' first rows, one modulo 2 and one modulo 3. Summed up with growing powers
of two fixed matrices, the 14 characters and their check digit give zero. That sees any wrong character, and two
neighbours that changed places.

DIN: a letter is the two digits of its number (A is 10), every digit weighs twice its predecessor, modulo 11.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ISO_LENGTH: Final = 14
"""Country, provider and the nine characters of the instance."""

_DIN_DIGITS: Final = "0123456789X"
Row = tuple[int, int]
_Matrix = tuple[Row, Row]
_BY_TWO: Final[_Matrix] = ((0, 1), (1, 1))
_BY_THREE: Final[_Matrix] = ((0, 1), (1, 2))
# Four figures each: two modulo 2, then two modulo 3, counted up in this order.
_FIGURES: Final[dict[str, tuple[Row, Row]]] = {
    character: ((a, b), (c, d))
    for character, (a, b, c, d) in zip(ALPHABET, product(range(2), range(2), range(3), range(3)), strict=True)
}


def _times(row: Row, matrix: _Matrix, modulus: int) -> Row:
    (a, b), (c, d) = matrix
    return (row[0] * a + row[1] * c) % modulus, (row[0] * b + row[1] * d) % modulus


def _sum(code: str, half: int, matrix: _Matrix, modulus: int) -> Row:
    """The sum over all characters of their row times the matrix to the power of their place, by Horner's rule."""
    total: Row = (0, 0)
    for character in reversed(code):
        row = _FIGURES[character][half]
        total = _times(((total[0] + row[0]) % modulus, (total[1] + row[1]) % modulus), matrix, modulus)
    return total


def iso_check_digit(code: str) -> str:
    """For the 14 characters (A-Z, 0-9) before it. ISO 15118-1, annex H."""
    return next(digit for digit in ALPHABET if _is_zero(code + digit))


def _is_zero(whole: str) -> bool:
    return _sum(whole, 0, _BY_TWO, 2) == (0, 0) == _sum(whole, 1, _BY_THREE, 3)


def din_check_digit(code: str) -> str:
    """For the 11 characters (A-Z, 0-9) before it. DIN SPEC 91286, annex."""
    weighed = (digit << place for place, digit in enumerate(_din_figures(code)))
    return _DIN_DIGITS[sum(weighed) % len(_DIN_DIGITS)]


def _din_figures(code: str) -> Iterator[int]:
    for character in code:
        number = ALPHABET.index(character)
        if number > 9:
            yield number // 10
        yield number % 10
