"""Prices, taxes and steps, component by component. OCPI mod_tariffs_pricecomponent_class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from modules.tariffs.lint.findings import Finding, LintCode, finding

UNIT_DIMENSIONS: Final = ("ENERGY", "TIME", "PARKING_TIME")
RESERVABLE: Final = ("TIME", "FLAT")
_FINEST: Final = 10_000
"""Parts of a unit that OCPI has numbers for. OCPI types_number_type."""
_SO: Final = {
    "YES": "what is before taxes is not known",
    "NO": "what is after taxes is not known",
}


def components(tariff: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Each component with its pointer and its element."""
    for at, element in enumerate(tariff["elements"]):
        for place, component in enumerate(element["price_components"]):
            yield f"/elements/{at}/price_components/{place}", component, element


def of_components(tariff: Mapping[str, Any]) -> Iterator[Finding]:
    """What is odd in one component alone, and in the taxes of all."""
    yield from _duplicates(tariff)
    yield from _taxes(tariff)
    for pointer, component, element in components(tariff):
        yield from _step(pointer, component)
        if component["price"] < 0:
            yield finding(LintCode.NEGATIVE_PRICE, f"{pointer}/price")
        if _FINEST % Fraction(component["price"]).denominator:
            yield finding(LintCode.PRICE_TOO_FINE, f"{pointer}/price")
        reserved = (element.get("restrictions") or {}).get("reservation")
        if reserved and component["type"] not in RESERVABLE:
            yield finding(LintCode.RESERVATION_DIMENSION, pointer, dimension=component["type"])


def _duplicates(tariff: Mapping[str, Any]) -> Iterator[Finding]:
    for at, element in enumerate(tariff["elements"]):
        seen = set()
        for place, component in enumerate(element["price_components"]):
            if component["type"] in seen:
                pointer = f"/elements/{at}/price_components/{place}"
                yield finding(LintCode.DUPLICATE_COMPONENT, pointer, dimension=component["type"])
            seen.add(component["type"])


def _step(pointer: str, component: Mapping[str, Any]) -> Iterator[Finding]:
    step, by_unit = component["step_size"], component["type"] in UNIT_DIMENSIONS
    if step < 0:
        yield finding(LintCode.NEGATIVE_STEP, f"{pointer}/step_size")
    elif step == 0 and by_unit:
        yield finding(LintCode.STEP_ZERO, f"{pointer}/step_size")
    elif step > 1:
        yield finding(LintCode.STEP_ABOVE_ONE if by_unit else LintCode.STEP_ON_FLAT, f"{pointer}/step_size")


def _taxes(tariff: Mapping[str, Any]) -> Iterator[Finding]:
    """tax_included and the rates together. OCPI mod_tariffs_tax_included_enum."""
    reading = tariff.get("tax_included", "NO")
    each = list(components(tariff))
    rated = [pointer for pointer, component, _ in each if component.get("vat") is not None]
    if not rated and reading in _SO and any(component["price"] for _, component, _ in each):
        yield finding(LintCode.RATE_UNKNOWN, "/tax_included", reading=reading, so=_SO[reading])
    for pointer, component, _ in each:
        vat = component.get("vat")
        if vat is None:
            if rated and reading != "N/A" and component["price"]:
                yield finding(LintCode.COMPONENT_WITHOUT_RATE, pointer)
        elif not 0 <= vat <= 100:
            yield finding(LintCode.VAT_OUT_OF_RANGE, f"{pointer}/vat")
        elif reading == "N/A":
            yield finding(LintCode.VAT_IGNORED, f"{pointer}/vat")
