"""Mistakes with taxes. They need no further pricing: the right amounts say all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from modules.cdrs.check.amounts import Amount, Figures, rounded
from modules.cdrs.check.bill import Bill
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions

TAXES = Suppositions()

_FINE = 10


def _each(bill: Bill, change: Callable[[Decimal, Decimal], tuple[Decimal, Decimal]]) -> Iterator[Figures]:
    """Every amount of which the tax is known, changed; and then the total alone."""
    changed = {}
    for name, (excl, incl) in bill.exact.items():
        changed[name] = Amount(excl, incl) if incl is None else Amount(*change(excl, incl))
    yield changed
    yield {**bill.exact, "total": changed["total"]}


def _factor(excl: Decimal, incl: Decimal) -> Decimal:
    return incl / excl if excl else Decimal(1)


@TAXES(Cause.TAX)
def no_tax(bill: Bill) -> Iterator[Figures]:
    """The tax was not added."""
    yield from _each(bill, lambda excl, incl: (excl, excl))


@TAXES(Cause.TAX)
def gross_as_net(bill: Bill) -> Iterator[Figures]:
    """The amount with tax stands where the amount before taxes belongs."""
    yield from _each(bill, lambda excl, incl: (incl, incl))
    yield from _each(bill, lambda excl, incl: (incl, rounded(incl * _factor(excl, incl), _FINE)))
    yield from _each(bill, lambda excl, incl: (incl, incl + incl - excl))


@TAXES(Cause.TAX)
def taxed_twice(bill: Bill) -> Iterator[Figures]:
    """The tax was added twice."""
    yield from _each(bill, lambda excl, incl: (excl, rounded(incl * _factor(excl, incl), _FINE)))
    yield from _each(bill, lambda excl, incl: (excl, incl + incl - excl))


@TAXES(Cause.TAX)
def net_as_gross(bill: Bill) -> Iterator[Figures]:
    """A price without tax was taken for one with it, and the tax taken out."""
    yield from _each(bill, lambda excl, incl: (rounded(excl / _factor(excl, incl), _FINE) if incl else excl, excl))


@TAXES(Cause.TAX)
def another_rate(bill: Bill) -> Iterator[Figures]:
    """The tax is of another rate than that of the tariff."""
    claimed = max(bill.claimed.values(), key=lambda amount: abs(amount.excl))
    if claimed.incl is not None and claimed.excl:
        rate = rounded((claimed.incl / claimed.excl - 1) * 100, 1)
        yield from _each(bill, lambda excl, incl: (excl, rounded(excl * (1 + rate / 100), _FINE)))


@TAXES(Cause.TAX)
def tax_inside_or_not(bill: Bill) -> Iterator[Figures]:
    """Prices with tax were read as prices without, or the other way round."""
    turned = {"YES": "NO", "NO": "YES"}

    def turn(tariff: dict[str, Any]) -> None:
        tariff["tax_included"] = turned.get(str(tariff.get("tax_included")), "NO")

    yield bill.with_tariffs(turn)


@TAXES(Cause.TAX)
def rate_of_energy_for_all(bill: Bill) -> Iterator[Figures]:
    """One rate was taken for everything, although the tariff has several."""
    rates = {c.get("vat") for t in bill.case.tariffs if isinstance(t, dict) for c in _components(t)}
    for rate in sorted((rate for rate in rates if rate is not None), key=Decimal)[:3] if len(rates) > 1 else ():

        def same(tariff: dict[str, Any], rate: Any = rate) -> None:
            for component in _components(tariff):
                component["vat"] = rate

        yield bill.with_tariffs(same)


def _components(tariff: Any) -> Iterator[dict[str, Any]]:
    for element in tariff.get("elements") or ():
        yield from element.get("price_components") or ()
