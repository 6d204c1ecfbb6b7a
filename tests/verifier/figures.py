"""The published amounts: each rounded once, from its exact value. The rounded taxes add up to what lies between
the rounded net and gross; what is missing or too much goes to the largest of them. They stand in the order of their
rates; a tax of no rate is told only if there is any.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tests.verifier.numbers import exact, maybe_exact, places, rounded
from tests.verifier.taxes import Sum


def round_sum(value: Sum, policy: Mapping[str, Any]) -> Sum:
    """The amount as published."""
    decimals, mode = policy["decimals"], policy["rounding"]
    before = rounded(value.before, decimals, mode)
    if value.after is None:
        return Sum(before, None)
    after = rounded(value.after, decimals, mode)
    in_order = sorted(value.taxes.items(), key=lambda tax: (tax[0] is None, tax[0] or 0))
    taxes = {rate: rounded(tax, decimals, mode) for rate, tax in in_order}
    rest = after - before - sum(taxes.values())
    if rest:
        largest = max(taxes, key=lambda rate: abs(taxes[rate])) if taxes else None
        taxes[largest] = taxes.get(largest, Fraction(0)) + rest
    return Sum(before, after, {rate: tax for rate, tax in taxes.items() if tax or rate is not None})


def figure(name: str, value: Sum, policy: Mapping[str, Any]) -> dict[str, Any]:
    published, decimals = round_sum(value, policy), policy["decimals"]
    return {
        "name": name,
        "before_taxes": {"exact": exact(value.before), "rounded": places(published.before, decimals)},
        "after_taxes": None
        if value.after is None or published.after is None
        else {"exact": exact(value.after), "rounded": places(published.after, decimals)},
        "taxes": [
            {"name": policy["tax_name"], "percentage": maybe_exact(rate), "amount": places(tax, decimals)}
            for rate, tax in published.taxes.items()
        ],
    }
