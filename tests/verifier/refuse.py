"""A receipt held against what the case says it must be, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.verifier.case import BY_THE_TEXT, Refused
from tests.verifier.recompute import recompute


def refuse(receipt: object, case: Mapping[str, Any], policy: Mapping[str, Any] = BY_THE_TEXT) -> list[str]:
    """Each field that is not what it should be, by its place. The switches are those of the contract, for a
    receipt that could choose its own would excuse itself."""
    try:
        expected = recompute(case, policy)
    except Refused as why:
        return [f"there is no price: {why}"]
    return [] if _are_the_same_text(expected, receipt) else list(differences(expected, receipt))


def _are_the_same_text(expected: object, found: object) -> bool:
    """Then nothing differs, not even the order of the fields, and nobody need look at each."""
    try:
        return json.dumps(expected) == json.dumps(found)
    except (TypeError, ValueError):
        return False


def differences(expected: object, found: object, place: str = "receipt") -> Iterator[str]:
    """The same values of the same kinds, in the same order: 1 is neither "1" nor true."""
    if isinstance(expected, dict) and isinstance(found, dict):
        yield from _of_fields(expected, found, place)
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{place}: {len(found)} entries instead of {len(expected)}"
        for at, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from differences(one, other, f"{place}/{at}")
    elif type(expected) is not type(found) or expected != found:
        yield f"{place}: {found!r} instead of {expected!r}"


def _of_fields(expected: Mapping[str, Any], found: Mapping[str, Any], place: str) -> Iterator[str]:
    yield from (f"{place}/{name} is missing" for name in expected if name not in found)
    yield from (f"{place}/{name} does not belong there" for name in found if name not in expected)
    if expected.keys() == found.keys() and list(expected) != list(found):
        yield f"{place}: the fields stand in another order"
    for name in [name for name in expected if name in found]:
        yield from differences(expected[name], found[name], f"{place}/{name}")
