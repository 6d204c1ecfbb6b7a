"""No card number is taken into this module: where text holds what could be one, the object is refused.

A card number (PAN) has 13 to 19 digits, written together or in groups, and the check digit of Luhn. Masked ones
(`**** 1234`) are what EFT data should have, and pass. Identifiers are not looked at: one number in ten passes Luhn, and
a terminal must not be refused for its id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.core.errors import InvalidRequest

_RUN: Final = re.compile(r"[0-9]+(?:[ .-][0-9]+)*")
_GROUP: Final = re.compile(r"[0-9]+")
_SHORTEST: Final = 13
_LONGEST: Final = 19
IDENTIFIERS: Final = frozenset(
    {"terminal_id", "id", "authorization_reference", "location_ids", "evse_uids", "invoice_base_url"}
)
"""Fields that are no free text."""


def refuse_card_numbers(tree: Mapping[str, Any]) -> None:
    """Raises: InvalidRequest, that says where, and not what."""
    for pointer, text in _texts(tree, ""):
        if holds_card_number(text):
            raise InvalidRequest(f"{pointer}: looks like a card number, which must not be sent here")


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Every free text in a tree, the names and values of unknown fields among them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not pointer and name in IDENTIFIERS:
                continue
            yield f"{pointer}/?", name
            yield from _texts(inner, f"{pointer}/{name[:40]}")
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _texts(inner, f"{pointer}/{at}")
    elif isinstance(value, str):
        yield pointer, value
    elif isinstance(value, int) and not isinstance(value, bool):
        yield pointer, str(value)


def holds_card_number(text: str) -> bool:
    """Do some neighbouring groups of digits make up a card number?"""
    for run in _RUN.finditer(text):
        groups = _GROUP.findall(run[0])
        for first in range(len(groups)):
            digits = ""
            for group in groups[first:]:
                digits += group
                if len(digits) > _LONGEST:
                    break
                if len(digits) >= _SHORTEST and passes_luhn(digits):
                    return True
    return False


def passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B. Nothing but noughts is no number."""
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits)))
    total = sum(each - 9 if each > 9 else each for each in doubled)
    return total % 10 == 0 and digits.strip("0") != ""
