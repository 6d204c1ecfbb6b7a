"""What of a tariff OCPI 2.1.1 and 2.2.1 lose, and what OICP pricing cannot say.

For the versions the wire itself is asked: what it refuses is not sent, what it loses is told here, with what that
does to a price. An element that goes with its condition leaves what it priced to the next one.

OICP has a product with one price (for a kWh, an hour or a minute), fees beside it, and times of a week in which it
can be had; a tariff that needs more has no product.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hub.core.dialect import Loss, NotExpressible
from modules.tariffs.lint.components import components
from modules.tariffs.lint.conditions import restrictions_of
from modules.tariffs.lint.findings import Finding, LintCode, finding
from modules.tariffs.wire import ROUNDED, TARIFF

_OLDER: Final = ("2.1.1", "2.2.1")
_ELEMENT: Final = re.compile(r"/elements/(\d+)")
_UNTOLD: Final = frozenset({"/tariff_alt_text"})
"""Follows from what is told anyway."""
_BASE: Final = frozenset({"ENERGY", "TIME"})
_AVAILABILITY: Final = frozenset({"start_time", "end_time", "day_of_week"})


def of_versions(tariff: Mapping[str, Any]) -> Iterator[Finding]:
    """What is lost or changes its meaning on the way to the older versions."""
    for version in _OLDER:
        try:
            _, losses = TARIFF[version].write(tariff)
        except NotExpressible as refusal:
            yield finding(LintCode.NOT_SENT, "", version=version, why=refusal.reason)
        except ArithmeticError:
            yield finding(LintCode.NOT_SENT, "", version=version, why="its prices without tax are no numbers")
        else:
            gone = {int(match[1]) for loss in losses if (match := _ELEMENT.fullmatch(loss.pointer))}
            yield from _of_losses(tariff, version, losses, gone)
            if version == "2.1.1":
                yield from _not_in_cdrs(tariff, version, gone)


def _not_in_cdrs(tariff: Mapping[str, Any], version: str, gone: set[int]) -> Iterator[Finding]:
    """2.1.1 has conditions on power, and in its CDRs only current (mod_cdrs_cdrdimensiontype_enum)."""
    for at, element in enumerate(tariff["elements"]):
        for field in ("min_power", "max_power"):
            if at not in gone and restrictions_of(element).get(field) is not None:
                pointer = f"/elements/{at}/restrictions/{field}"
                yield finding(LintCode.POWER_NOT_IN_CDRS, pointer, version=version, field=field)


def _of_losses(tariff: Mapping[str, Any], version: str, losses: tuple[Loss, ...], gone: set[int]) -> Iterator[Finding]:
    for pointer, reason in losses:
        words = {"version": version, "why": reason}
        field = pointer.rsplit("/", 1)[-1]
        match = _ELEMENT.match(pointer)
        if pointer in _UNTOLD or (match and int(match[1]) in gone and field != match[1]):
            continue
        if match and field == match[1]:
            yield _left_out(tariff, version, int(match[1]), gone, reason)
        elif field in ("min_price", "max_price"):
            yield finding(LintCode.LIMIT_LOST, pointer, field=field, **words)
        elif field in ("start_date_time", "end_date_time"):
            yield finding(LintCode.VALIDITY_LOST, pointer, field=field, **words)
        elif reason == ROUNDED:
            yield finding(LintCode.PRICE_ROUNDED, pointer, **words)
        elif field in ("vat", "tax_included", "price"):
            yield finding(LintCode.TAX_LOST, pointer, **words)
        else:
            yield finding(LintCode.FIELD_LOST, pointer, **words)


def _left_out(tariff: Mapping[str, Any], version: str, at: int, gone: set[int], reason: str) -> Finding:
    """A reservation without its element is only not priced; else a later element takes over what this one priced."""
    pointer, element = f"/elements/{at}", tariff["elements"][at]
    if restrictions_of(element).get("reservation"):
        return finding(LintCode.ELEMENT_LEFT_OUT, pointer, version=version, why="reservations look free there")
    priced = {component["type"] for component in element["price_components"]}
    for later, other in enumerate(tariff["elements"]):
        takes = priced & {component["type"] for component in other["price_components"]}
        if later > at and later not in gone and takes and not restrictions_of(other).get("reservation"):
            instead = f"element {later} prices its {_and(takes)} as well"
            return finding(LintCode.OTHER_PRICE, pointer, version=version, instead=instead)
    return finding(LintCode.ELEMENT_LEFT_OUT, pointer, version=version, why=f"{_and(priced)} looks free there")


def _and(names: set[str]) -> str:
    return " and ".join(sorted(names))


def of_oicp(tariff: Mapping[str, Any]) -> Iterator[Finding]:
    """What keeps a tariff from being an OICP pricing product, and what a product leaves out."""
    for at, element in enumerate(tariff["elements"]):
        yield from _product(f"/elements/{at}", element)
    for pointer, component, _ in components(tariff):
        if component["type"] != "FLAT" and component["step_size"] > 1:
            yield finding(LintCode.NO_OICP_FORM, f"{pointer}/step_size", why="a product has no step")
        if component.get("vat"):
            yield finding(LintCode.OICP_LOSES, f"{pointer}/vat", why="prices are without tax, and no rate is told")
    if tariff.get("tax_included") == "YES":
        yield finding(LintCode.OICP_LOSES, "/tax_included", why="prices are without tax")
    for field in ("min_price", "max_price"):
        if (tariff.get(field) or {}).get("after_taxes") is not None:
            yield finding(LintCode.OICP_LOSES, f"/{field}/after_taxes", why="a fee is without tax")
    for field in ("start_date_time", "end_date_time"):
        if field in tariff:
            yield finding(LintCode.OICP_LOSES, f"/{field}", why="a product has no validity; push and delete it in time")


def _product(pointer: str, element: Mapping[str, Any]) -> Iterator[Finding]:
    restrictions = restrictions_of(element)
    for field in sorted(restrictions.keys() - _AVAILABILITY):
        why = "a product is not bound to " + ("a reservation" if field == "reservation" else field)
        yield finding(LintCode.NO_OICP_FORM, f"{pointer}/restrictions/{field}", why=why)
    priced = {component["type"] for component in element["price_components"]}
    if len(priced & _BASE) > 1:
        yield finding(LintCode.NO_OICP_FORM, pointer, why="a product has one price, for energy or for time")
    elif not priced & _BASE:
        yield finding(LintCode.NO_OICP_FORM, pointer, why="a product needs a price for energy or for time")
