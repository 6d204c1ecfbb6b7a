"""What a CDR claims, read out of JSON of any version, whole or not: into our form, or told why not.

Whoever keeps CDRs has them read by `wire`, which takes only whole ones. A price is asked of less: of times and periods,
and any claims beside them. Each claim is read on its own, so that one that cannot be read hides no other, and is itself
a deviation: a check that passes it over would call it right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from hub.core.jsontypes import Json, Tree
from modules.cdrs.check.amounts import FIELDS
from modules.cdrs.check.result import Cause, Deviation

_LARGEST_EXPONENT: Final = 40
_SHOWN: Final = 80
_TOTALS: Final = ("total_energy", "total_time", "total_parking_time")
_BEFORE: Final = ("before_taxes", "excl_vat")


class Stated(NamedTuple):
    """The claims in our form, and those that cannot be read."""

    claims: Tree
    unreadable: tuple[Deviation, ...]

    @property
    def says_anything(self) -> bool:
        return bool(self.claims or self.unreadable)


class _Unreadable(Exception):
    """The claim, or the part of it named `part`, is not what it should be."""

    def __init__(self, why: str, value: Json, part: str = "") -> None:
        super().__init__(why)
        self.why, self.value, self.part = why, value, part


def number_or_none(value: Json) -> Decimal | None:
    """A number, or one that is written as a text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _LARGEST_EXPONENT else None


def stated_by(cdr: Mapping[str, Json], fields: Mapping[str, Callable[[Json], Json]] | None = None) -> Stated:
    """The claims of a CDR; `fields`: only these, with how each is read. What is null is not claimed."""
    claims: Tree = {}
    unreadable: list[Deviation] = []
    for field, read in (CLAIMS if fields is None else fields).items():
        value = cdr.get(field)
        if value is None:
            continue
        try:
            claims[field] = read(value)
        except _Unreadable as fault:
            unreadable.append(_deviation(field, fault))
    return Stated(claims, tuple(unreadable))


def _deviation(field: str, fault: _Unreadable) -> Deviation:
    return Deviation(f"{field}{fault.part}", str(fault.value)[:_SHOWN], None, Cause.UNREADABLE, fault.why)


def _number(value: Json, part: str = "") -> Decimal:
    number = number_or_none(value)
    if number is None:
        raise _Unreadable("it is not a number", value, part)
    return number


def _price(value: Json) -> Tree:
    """A Price of ours: from one of 2.3.0, from one with VAT, or from the number that 2.1.1 has."""
    if not isinstance(value, dict):
        return {"before_taxes": _number(value)}
    before = next((value[name] for name in _BEFORE if value.get(name) is not None), None)
    if before is None:
        raise _Unreadable("it is a price without an amount before taxes", value)
    excl = _number(before, ".before_taxes")
    taxes = list(_taxes(value.get("taxes")))
    if not taxes and value.get("incl_vat") is not None:
        taxes = [{"name": "VAT", "amount": _number(value["incl_vat"], ".after_taxes") - excl}]
    return {"before_taxes": excl, **({"taxes": taxes} if taxes else {})}


def _taxes(value: Json) -> Iterator[Tree]:
    if value is None:
        return
    if not isinstance(value, list):
        raise _Unreadable("it is not a list of taxes", value, ".taxes")
    for at, tax in enumerate(value):
        part = f".taxes/{at}"
        if not isinstance(tax, dict):
            raise _Unreadable("it is not a tax with an amount", tax, part)
        rate = tax.get("percentage")
        known = {} if rate is None else {"percentage": _number(rate, part)}
        yield {"name": str(tax.get("name", "VAT")), **known, "amount": _number(tax.get("amount"), part)}


def _currency(value: Json) -> str:
    if not isinstance(value, str) or len(value) != 3 or not value.isalpha():
        raise _Unreadable("it is not the code of a currency", value)
    return value


def _flag(value: Json) -> bool:
    if not isinstance(value, bool):
        raise _Unreadable("it is neither true nor false", value)
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise _Unreadable("it is not a text", value)
    return value


COSTS: Final[Mapping[str, Callable[[Json], Json]]] = {"currency": _currency, **dict.fromkeys(FIELDS.values(), _price)}
"""What a session claims too."""
CLAIMS: Final[Mapping[str, Callable[[Json], Json]]] = {
    **COSTS,
    **dict.fromkeys(_TOTALS, _number),
    "credit": _flag,
    "credit_reference_id": _text,
}
"""Field of a CDR -> how it is read."""
