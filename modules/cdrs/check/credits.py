"""A credit CDR by itself: its signs and its driver. OCPI mod_cdrs_credit_cdrs.

The text has the total with the other sign and all else as it was. Many turn the parts too, which is let pass where they
turn all of them. Its amounts are held against what it takes back in `taken_back`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from modules.cdrs.check.amounts import FIELDS, PARTS, amount_of
from modules.cdrs.check.claim import Claim, volume_of
from modules.cdrs.check.result import Cause, Deviation

_NOT_TOLD: Final = "#NA"
_SEPARATORS: Final = re.compile(r"[^0-9A-Z]")


def of_credit(claim: Claim) -> Iterator[Deviation]:
    """A credit CDR names what it takes back, and has its driver, and a total with the other sign."""
    if claim.cdr.get("credit"):
        yield from _signs(claim)
        yield from _driver(claim)
    if claim.cdr.get("total_cost") is None:
        return
    total, gross = amount_of(claim.cdr["total_cost"])
    figure = "total_cost.before_taxes"
    if not claim.cdr.get("credit"):
        if total < 0:
            yield Deviation(figure, total, None, Cause.CREDIT, "it is negative, and this is no credit CDR")
        return
    if not claim.cdr.get("credit_reference_id"):
        yield Deviation("credit_reference_id", None, None, Cause.CREDIT, "a credit CDR names what it takes back")
    if claim.original is not None:
        return  # which tells what the total is to be
    if total > 0:
        yield Deviation(figure, total, -total, Cause.CREDIT, "the total of a credit CDR is negative")
    elif gross is not None and gross > 0:
        after = "total_cost.after_taxes"
        yield Deviation(after, gross, -gross, Cause.CREDIT, "the total of a credit CDR is negative after taxes too")


def is_anothers(claim: Claim) -> bool:
    """Is it a credit CDR for the drivers of another party than that of the CDR which it takes back?

    Where one of them was written in 2.1.1, which names a contract alone, nothing is said of parties.
    """
    if not claim.cdr.get("credit") or claim.original is None:
        return False
    parties = {_party_of(tree) for tree in (claim.cdr, claim.original)}
    return len(parties) > 1 and "" not in parties


def _driver(claim: Claim) -> Iterator[Deviation]:
    """All but the total is copied, so its driver is the one who was billed. No card stands in what is told."""
    if claim.original is None:
        return
    if is_anothers(claim):
        why = "its driver is of another party than the one that was billed"
        yield Deviation("cdr_token.party_id", _party_of(claim.cdr), _party_of(claim.original), Cause.CREDIT, why)
    elif _is_another_card(claim.cdr, claim.original):
        why = "neither its card nor its contract is the one that was billed"
        yield Deviation("cdr_token.contract_id", None, None, Cause.CREDIT, why)


def _party_of(cdr: Mapping[str, Any]) -> str:
    """Of the driver, as `NL*TNM`; "" where it is not told."""
    token = cdr.get("cdr_token") or {"uid": _NOT_TOLD}
    if str(token["uid"]).startswith(_NOT_TOLD):
        return ""
    return f"{token['country_code']}*{token['party_id']}".upper()


def _is_another_card(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Do both tell card or contract, and is none of it the same? Separators do not count."""
    both = [(this, that) for this, that in zip(_names_of(one), _names_of(other), strict=True) if this and that]
    return bool(both) and all(this != that for this, that in both)


def _names_of(cdr: Mapping[str, Any]) -> list[str]:
    """Card and contract of the driver, "" for what is not told."""
    token = cdr.get("cdr_token") or {}
    told = [str(token.get(name, "")).upper() for name in ("uid", "contract_id")]
    return ["" if name.startswith(_NOT_TOLD) else _SEPARATORS.sub("", name) for name in told]


def _signs(claim: Claim) -> Iterator[Deviation]:
    """The parts stay as they were, or all of them have the other sign: the fewer ones are told."""
    amounts = {field: amount_of(claim.cdr[field]).excl for field in _costs(claim.cdr)}
    stood = {field: amount_of(claim.original[field]).excl for field in _costs(claim.original or {}) if claim.original}
    if not stood and _may_be_negative(claim):
        return
    signed = {field for field, amount in amounts.items() if amount}
    turned = {field for field in signed if (amounts[field] < 0) != (stood.get(field, Decimal(0)) < 0)}
    odd = min(turned, signed - turned, key=len)
    for field in sorted(odd):
        why = "it has another sign than the other parts of the credit CDR"
        yield Deviation(f"{field}.before_taxes", amounts[field], -amounts[field], Cause.CREDIT, why)


def _costs(cdr: Mapping[str, Any]) -> list[str]:
    return [FIELDS[part] for part in PARTS if cdr.get(FIELDS[part]) is not None]


def _may_be_negative(claim: Claim) -> bool:
    """Might a part have been below zero before: was energy given back, or is there a price that pays the driver?"""
    elements = (element for tariff in claim.embedded for element in tariff["elements"])
    prices = (component["price"] for element in elements for component in element["price_components"])
    return any(volume_of(period, "ENERGY") < 0 for period in claim.periods) or any(price < 0 for price in prices)
