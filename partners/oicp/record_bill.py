"""The CDR of a record by the prices that its charge may have: told for all of it, and the same by each of them.

A product that is to be had at some hours has no price outside of them. The default price does not stand for it: OICP
has that for "undefined EVSEs". Which of several products of an EVSE a charge had, their order does not tell. What an
operator of ours has agreed as a tariff of OCPI is read as OCPI reads it: what it names no price for is free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from hub.core.jsontypes import Tree
from modules.cdrs.build import Made, SessionFacts, make
from modules.tariffs.pricing import NoTariffInForce
from partners.oicp.mapping.faults import NotSayable

_FLAT: Final = "FLAT"


def bill_of(facts: SessionFacts, *, agreed: Sequence[Tree], now: datetime) -> Tree:
    """The CDR. Raises: NotSayable, where a price is missing or several may be meant; PricingFault."""
    if not facts.tariffs:
        return make(facts, now=now).cdr
    found: list[Tree] = []
    for tariff in facts.tariffs:
        try:
            made = make(replace(facts, tariffs=(tariff,)), now=now)
        except NoTariffInForce:
            continue
        if not any(tariff is each for each in agreed):
            _check_whole(tariff, made)
        found.append(made.cdr)
    if not found:
        raise NotSayable("none of its prices was in force")
    if any(_total(cdr) != _total(found[0]) for cdr in found):
        names = ", ".join(str(cdr["tariffs"][0]["id"]) for cdr in found)
        raise NotSayable(f"no product is named, and those of its EVSE differ in price: {names}")
    return found[0]


def _total(cdr: Tree) -> tuple[str, Tree]:
    return cdr["currency"], cdr["total_cost"]


def _check_whole(tariff: Mapping[str, Any], made: Made) -> None:
    """Raises: NotSayable, where a part of the charge has no price that other parts have."""
    priced = {part["type"] for element in tariff["elements"] for part in element["price_components"]}
    lines = made.receipt["lines"]
    for line in lines:
        if line["component"] is None and line["dimension"] in priced and Fraction(line["quantity"]):
            raise NotSayable(f"{tariff['id']} has no price for {line['dimension']} at {line['local_time']}")
    if _FLAT in priced and made.cdr["charging_periods"] and not any(line["dimension"] == _FLAT for line in lines):
        raise NotSayable(f"{tariff['id']} has no price at the time of this charge")
