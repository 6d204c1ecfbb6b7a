"""What pricing one case gives, as JSON: exact amounts as text, and how they differ from what the case expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from hub.core.jsontypes import Json, Tree
from hub.core.types import parse_datetime
from modules.cdrs.check.stated import number_or_none
from modules.tariffs.pricing import Money, Priced, TaxLine
from modules.tariffs.pricing.numbers import decimal_text

PARTS: Final[Mapping[str, str]] = {
    "total_cost": "total",
    "total_energy_cost": "energy",
    "total_time_cost": "time",
    "total_parking_cost": "parking",
    "total_fixed_cost": "fixed",
    "total_reservation_cost": "reservation",
}
"""Figure of a CDR -> part of a price."""
_BILLED: Final = ("energy_kwh", "time_s", "parking_s", "reservation_s")
_NO_RATE: Final = "unknown"


def failure(name: str | None, code: str, message: str) -> Tree:
    """The result of a case that cannot be priced."""
    nothing: Tree = dict.fromkeys((*PARTS, "taxes_by_percentage", "billed"))
    return {"name": name, **nothing, "boundaries": [], "warnings": [], "error": {"code": code, "message": message}}


def success(name: str | None, priced: Priced, boundaries: Sequence[str]) -> Tree:
    """The result of a case, without its receipt and without a check."""
    billed = priced.billed
    return {
        "name": name,
        **{figure: _money(getattr(priced, part)) for figure, part in PARTS.items()},
        "taxes_by_percentage": _by_percentage(priced.taxes),
        "billed": {name: decimal_text(getattr(billed, name)) for name in _BILLED},
        "boundaries": list(boundaries),
        "warnings": list(dict.fromkeys(warned.code.value for warned in priced.warnings)),
        "error": None,
    }


def _money(amount: Money | None) -> Tree | None:
    if amount is None:
        return None
    return {"excl": decimal_text(amount.excl), "incl": None if amount.incl is None else decimal_text(amount.incl)}


def _by_percentage(taxes: Sequence[TaxLine]) -> Tree:
    return {_NO_RATE if tax.rate is None else decimal_text(tax.rate): decimal_text(tax.amount) for tax in taxes}


def differences(expected: Tree, result: Tree, tolerance: Decimal) -> list[Tree]:
    """Which figures of a result differ from what its case expects."""
    return [
        *_of_costs(expected, result, tolerance),
        *_of_quantities(expected, result, tolerance),
        *_of_lists(expected, result),
    ]


def _of_costs(stated: Tree, result: Tree, tolerance: Decimal) -> Iterator[Tree]:
    """An amount of null says that there is none; null inside an amount says nothing."""
    for figure in PARTS:
        if figure not in stated:
            continue
        claimed, ours = stated[figure], result[figure]
        if not isinstance(claimed, dict):
            claimed = {"excl": claimed if claimed is not None else 0}
        for name in ("excl", "incl"):
            if claimed.get(name) is not None:
                amount = "0" if ours is None else ours[name]
                yield from _difference(f"{figure}.{name}", claimed[name], amount, tolerance)


def _of_quantities(stated: Tree, result: Tree, tolerance: Decimal) -> Iterator[Tree]:
    for group in ("billed", "taxes_by_percentage"):
        claimed = stated.get(group)
        if isinstance(claimed, dict):
            ours = {_plain(name): value for name, value in result[group].items()}
            for name, value in claimed.items():
                if value is not None:
                    yield from _difference(f"{group}.{name}", value, ours.get(_plain(name), "0"), tolerance)


def _plain(name: str) -> str:
    """A percentage without needless zeros, so that 21.0 is 21."""
    number = number_or_none(name)
    return name if number is None else decimal_text(number)


def _difference(figure: str, stated: Json, computed: str | None, tolerance: Decimal) -> Iterator[Tree]:
    claimed = number_or_none(stated)
    if claimed is None or computed is None:
        yield _differs(figure, stated, computed)
    elif abs(claimed - Decimal(computed)) > tolerance:
        yield _differs(figure, decimal_text(claimed), computed, decimal_text(claimed - Decimal(computed)))


def _differs(figure: str, stated: Json, computed: Json, difference: str | None = None) -> Tree:
    shown = stated if isinstance(stated, list) or stated is None else str(stated)[:80]
    return {"figure": figure, "stated": shown, "computed": computed, "difference": difference}


def _of_lists(stated: Tree, result: Tree) -> Iterator[Tree]:
    """Warnings that are missing, and boundaries that are not the same instants."""
    warnings = stated.get("warnings")
    if isinstance(warnings, list) and not all(each in result["warnings"] for each in warnings):
        yield _differs("warnings", warnings, result["warnings"])
    boundaries = stated.get("boundaries")
    if isinstance(boundaries, list) and _instants(boundaries) != _instants(result["boundaries"]):
        yield _differs("boundaries", boundaries, result["boundaries"])


def _instants(moments: Sequence[Any]) -> list[str]:
    """The moments in one notation."""
    found = []
    for moment in moments:
        try:
            found.append(parse_datetime(str(moment)).isoformat())
        except (ValueError, OverflowError):
            found.append(str(moment))
    return sorted(found)
