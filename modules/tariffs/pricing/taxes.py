"""How a quoted price divides into what is before taxes and the tax. OCPI mod_tariffs_tax_included_enum,
types_price_class.

2.1.1 knows no tax: only the amount before taxes can be said. In 2.2.1 a component without `vat` has no
VAT. In 2.3.0 `tax_included` rules: NO adds the rate; YES takes the tax out of the quoted price, so that
net and tax are that price again; N/A has no tax. Where a 2.3.0 tariff names no rate at all, NO leaves the
tax unknown, and YES leaves only the gross amount, which then stands before taxes too, as that field must
be there. Where some component names a rate, one without has none. A 2.3.0 tariff without `tax_included`, which it
must have, is read as NO, with a warning: so are the prices of all versions before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from modules.tariffs.pricing.faults import UnfitTariff
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.numbers import decimal_of

_READINGS: Final = ("YES", "NO", "N/A")


class TaxRule(NamedTuple):
    """What a tariff says of taxes.

    known: is an amount after taxes defined? inside: does the price hold the tax? applies: do rates count?
    gross_only: only the amount after taxes is known.
    """

    known: bool
    inside: bool
    applies: bool
    gross_only: bool
    warned: tuple[Warned, ...] = ()


class Split(NamedTuple):
    """The parts of a quoted price that are net and tax, out of `whole`, and the rate in percent between them."""

    net: int
    tax: int
    whole: int
    rate: Decimal | None


_UNTAXED: Final = Split(1, 0, 1, None)


def tax_rule(tariff: Mapping[str, Any], version: str, components: Sequence[Mapping[str, Any]]) -> TaxRule:
    """The rule for a tariff in our form that was written under `version`. Raises: UnfitTariff."""
    said = tariff.get("tax_included")
    reading = "NO" if said is None else said
    if reading not in _READINGS:
        raise UnfitTariff("tax_included is none of YES, NO and N/A")
    rated = any(component.get("vat") is not None for component in components)
    if version == "2.1.1":
        return TaxRule(known=False, inside=False, applies=False, gross_only=False)
    if reading == "N/A":
        ignored = (Warned(Code.TAX_RATE_IGNORED),) if rated else ()
        return TaxRule(known=True, inside=False, applies=False, gross_only=False, warned=ignored)
    if reading == "YES":
        unsplit = () if rated else (Warned(Code.TAX_NOT_SPLITTABLE),)
        return TaxRule(known=True, inside=True, applies=True, gross_only=not rated, warned=unsplit)
    if version == "2.2.1":
        return TaxRule(known=True, inside=False, applies=True, gross_only=False)
    unsaid = () if said is not None else (Warned(Code.TAX_INCLUDED_MISSING, subject=str(tariff.get("id", ""))),)
    if rated:
        return TaxRule(known=True, inside=False, applies=True, gross_only=False, warned=unsaid)
    costs = any(decimal_of(component.get("price"), "price", fault=UnfitTariff) for component in components)
    unknown = (Warned(Code.TAX_RATE_UNKNOWN),) if costs else ()
    return TaxRule(known=False, inside=False, applies=True, gross_only=False, warned=unsaid + unknown)


def split_of(rule: TaxRule, vat: object) -> Split:
    """How a price with this `vat` (percent or None) divides. Raises: UnfitTariff."""
    if vat is None or not rule.applies:
        return _UNTAXED
    rate = decimal_of(vat, "vat", fault=UnfitTariff)
    if rate < 0:
        raise UnfitTariff("vat is below zero")
    return _split(rate, rule.inside)


@lru_cache(maxsize=128)
def _split(rate: Decimal, inside: bool) -> Split:
    p, q = rate.as_integer_ratio()
    whole = 100 * q
    return Split(whole, p, whole + p if inside else whole, rate)
