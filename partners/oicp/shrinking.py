"""The guard of what is kept in step with others: much of it is never taken back without a word of an operator."""

from __future__ import annotations

from typing import Final

SHARE: Final = (1, 5)
"""More than this part, as (numerator, denominator), is much."""


def is_much(gone: int, had: int) -> bool:
    """Are so many of so many more than may go by themselves?"""
    part, of = SHARE
    return gone * of > had * part
