"""Net, gross and what lies between, line by line, and their sums.

2.1.1 knows no tax: what comes on top is not known. In 2.2.1 a component without `vat` has none. In 2.3.0 the
tariff says whether the tax is in the price (mod_tariffs_taxincluded_enum); a tariff that names no rate at all
leaves the gross (NO) or the net (YES) unknown. A contract may doubt that a net price without `vat` has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.verifier.case import Component, Tariff
from tests.verifier.numbers import HOUR_S
from tests.verifier.walk import Line

_TIMED = ("TIME", "PARKING_TIME", "RESERVATION_TIME")
BUCKETS: Mapping[str, tuple[str, ...]] = {
    "energy": ("ENERGY",),
    "time": ("TIME",),
    "parking": ("PARKING_TIME",),
    "fixed": ("FLAT",),
    "reservation": ("RESERVATION_TIME", "RESERVATION_FLAT"),
}


@dataclass(frozen=True)
class Sum:
    """Exact. `after`: None if nobody knows it. `taxes`: by rate; None is no known rate."""

    before: Fraction = Fraction(0)
    after: Fraction | None = Fraction(0)
    taxes: Mapping[Fraction | None, Fraction] = field(default_factory=dict)

    def __add__(self, other: Sum) -> Sum:
        taxes = dict(self.taxes)
        for rate, tax in other.taxes.items():
            taxes[rate] = taxes.get(rate, Fraction(0)) + tax
        after = None if self.after is None or other.after is None else self.after + other.after
        return Sum(self.before + other.before, after, taxes)


def added(sums: Iterable[Sum]) -> Sum:
    return sum(sums, Sum())


def names_a_rate(tariff: Tariff) -> bool:
    return any(component.vat is not None for element in tariff.elements for component in element.components)


def rate(tariff: Tariff, component: Component, version: str) -> Fraction | None:
    """The percentage that applies to a component; None: none does."""
    return None if version == "2.1.1" or tariff.tax_included == "N/A" else component.vat


def amount(line: Line, version: str, policy: Mapping[str, Any]) -> Sum:
    """What a line costs. On nothing there is no tax, known or not."""
    if line.active is None or line.tariff is None:
        return Sum()
    component, tariff = line.active.component, line.tariff
    quoted = component.price * line.billed / (HOUR_S if line.dimension in _TIMED else 1)
    percent = rate(tariff, component, version)
    if percent is None:
        in_doubt = policy["missing_vat"] == "unknown" and version != "2.1.1" and tariff.tax_included == "NO"
        return Sum(quoted, None if quoted and (in_doubt or not_known(tariff, version)) else quoted)
    net = quoted / (1 + percent / 100) if tariff.tax_included == "YES" else quoted
    tax = quoted - net if tariff.tax_included == "YES" else net * percent / 100
    return Sum(net, net + tax, {percent: tax})


def not_known(tariff: Tariff, version: str) -> bool:
    """Is there a tax of which nobody knows how much?"""
    return version == "2.1.1" or (version != "2.2.1" and tariff.tax_included == "NO" and not names_a_rate(tariff))


def only_gross(tariff: Tariff, version: str) -> bool:
    """Is the tax in the price, and nobody knows how much of it?"""
    return version not in ("2.1.1", "2.2.1") and tariff.tax_included == "YES" and not names_a_rate(tariff)


def subtotals(lines: Iterable[Line], version: str, policy: Mapping[str, Any]) -> dict[str, Sum]:
    """Per bucket; a bucket in which nothing had a component is absent."""
    priced = [line for line in lines if line.active]
    return {
        name: added(amount(line, version, policy) for line in priced if line.dimension in dimensions)
        for name, dimensions in BUCKETS.items()
        if any(line.dimension in dimensions for line in priced)
    }
