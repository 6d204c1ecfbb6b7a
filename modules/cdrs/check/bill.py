"""The right price of a CDR, and other prices of it: under another policy, of another case, or summed in another way.

Each further pricing takes from a budget, so that no CDR makes a diagnosis endless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from modules.cdrs.check.amounts import (
    NOTHING,
    PARTS,
    Amount,
    Figures,
    Scale,
    Stated,
    claimed_by,
    figures_of,
    placed_as,
    scale_of,
)
from modules.cdrs.check.claim import Claim, kinds_of
from modules.cdrs.check.rates import rates_of
from modules.cdrs.check.size import BUDGET, size_of
from modules.tariffs.pricing import (
    Case,
    Code,
    Compiled,
    Exact,
    Policy,
    Priced,
    PricingFault,
    at_hand,
    price,
    rounded,
)
from modules.tariffs.pricing.compile import Dimension, Phase
from modules.tariffs.pricing.limits import Bounded, bounded

if TYPE_CHECKING:
    from modules.tariffs.pricing.steps import Segment

_PLACES: Final = 10
_A_SUM: Final = 2
"""The work of a line in a sum, in the unit of `size`."""
_PART_OF: Final = {"ENERGY": "energy", "TIME": "time", "PARKING_TIME": "parking", "FLAT": "fixed"}

Billed = Callable[["Segment"], Exact]
"""How much of a segment is billed, in its units."""


class BudgetSpent(PricingFault):
    """No further price is tried."""


@dataclass(frozen=True, slots=True)
class Line:
    """A priced quantity with what it costs before taxes and in taxes, exactly."""

    part: str
    excl: Fraction
    tax: Fraction


def part_of(segment: Segment) -> str:
    return "reservation" if segment.reserved else _PART_OF[segment.dimension.name]


class Bill:
    """A claim with its right price. `figures` are the amounts as they should be, placed as the claim places them."""

    def __init__(self, claim: Claim, case: Case) -> None:
        """Raises: PricingFault."""
        self.claim = claim
        self.case = case
        self.compiled = [t if isinstance(t, Compiled) else at_hand(t, case.version) for t in case.tariffs]
        self.scale: Scale = scale_of(claim.currency, claim.tolerance)
        self.priced: Priced = price(replace(case, tariffs=self.compiled), claim.fine_policy)
        self.claimed: Stated = claimed_by(claim.cdr, claim.version, rates_of(self.priced, PARTS))
        self.segments: list[Segment] = [s for s in self.priced.segments if s.component and s.tariff]
        self.parts = frozenset(map(part_of, self.segments))
        codes = {warning.code for warning in self.priced.warnings}
        self.codes = frozenset(codes)
        self.is_gross = Code.TAX_NOT_SPLITTABLE in codes
        self.exact: Figures = self._known(figures_of(self.priced))
        if self.is_gross:
            self.claimed = self.claimed.gross()
        self._cost = size_of(claim.cdr, claim.tariffs)
        self._budget = BUDGET

    @property
    def figures(self) -> Figures:
        return self.placed(self.exact)

    def placed(self, figures: Figures) -> Figures:
        """The figures, with a FLAT of parking where the claim has it."""
        return placed_as(self.claimed, figures, self.scale)

    def _known(self, figures: Mapping[str, Amount]) -> Figures:
        """Where only the gross amount is known, there is one amount."""
        return {name: Amount(amount.excl) for name, amount in figures.items()} if self.is_gross else figures

    def again(self, *, policy: Policy | None = None, **changes: Any) -> Figures:
        """The price under another policy, or of the case with changes. Raises: PricingFault."""
        self._spend(self._cost)
        case = replace(self.case, **{"tariffs": self.compiled, **changes})
        return self._known(figures_of(price(case, policy or self.claim.fine_policy)))

    def _spend(self, work: int) -> None:
        self._budget -= work
        if self._budget < 0:
            raise BudgetSpent

    def with_tariffs(self, change: Callable[[dict[str, Any]], object]) -> Figures:
        """The price with each tariff changed, in a copy. Raises: PricingFault."""
        self._spend(self._cost)
        tariffs = [deepcopy(dict(tariff)) for tariff in self.case.tariffs if isinstance(tariff, Mapping)]
        for tariff in tariffs:
            change(tariff)
        return self.again(tariffs=tariffs)

    def with_periods(self, change: Callable[[dict[str, Any]], object]) -> Figures:
        """The price with each period changed, in a copy; one without dimensions falls away. Raises: PricingFault."""
        return self.again(periods=self._changed(change))

    def segments_with(self, change: Callable[[dict[str, Any]], object]) -> list[Segment]:
        """What is priced then, with its components. Raises: PricingFault."""
        return self.segments_of(periods=self._changed(change))

    def segments_of(self, **changes: Any) -> list[Segment]:
        """What is priced of the case with changes, with its components. Raises: PricingFault."""
        self._spend(self._cost)
        case = replace(self.case, **{"tariffs": self.compiled, **changes})
        return [s for s in price(case, self.claim.fine_policy).segments if s.component and s.tariff]

    def _changed(self, change: Callable[[dict[str, Any]], object]) -> list[dict[str, Any]]:
        self._spend(self._cost)
        periods = [deepcopy(dict(period)) for period in self.case.periods]
        for period in periods:
            change(period)
        return [period for period in periods if period.get("dimensions")]

    def billed_as(self, billed: Billed) -> Figures:
        """The amounts, had other quantities been billed with the same components. Raises: BudgetSpent."""
        self._spend(_A_SUM * len(self.segments))
        sums: dict[tuple[str, int], list[Exact]] = {}
        for segment in self.segments:
            component, tariff, quantity = segment.component, segment.tariff, billed(segment)
            if component is not None and tariff is not None:
                pair = sums.setdefault((part_of(segment), tariff.denominator), [0, 0])
                pair[0] += quantity * component.net
                pair[1] += quantity * component.tax
        return self.summed(Line(part, Fraction(net) / n, Fraction(tax) / n) for (part, n), (net, tax) in sums.items())

    def line(self, segment: Segment, quantity: Exact) -> Line:
        """What `quantity` of a segment costs. Raises: BudgetSpent."""
        self._spend(_A_SUM)
        assert segment.component is not None  # noqa: S101 - narrows the type; `segments` holds no other
        assert segment.tariff is not None  # noqa: S101
        per_one = segment.tariff.denominator
        net, tax = (Fraction(quantity * part) / per_one for part in (segment.component.net, segment.component.tax))
        return Line(part_of(segment), net, tax)

    def summed(self, lines: Iterable[Line]) -> Figures:
        """Lines as amounts; the total within the limits of the tariff that rules."""
        sums: dict[str, tuple[Fraction, Fraction]] = {}
        for line in lines:
            excl, tax = sums.get(line.part, (Fraction(0), Fraction(0)))
            sums[line.part] = (excl + line.excl, tax + line.tax)
        excl = sum((pair[0] for pair in sums.values()), Fraction(0))
        incl = excl + sum((pair[1] for pair in sums.values()), Fraction(0))
        figures: dict[str, Amount] = {part: self._amount(net, net + tax) for part, (net, tax) in sums.items()}
        return {"total": self._amount(*self._within_limits(excl, incl)), **figures}

    def _amount(self, excl: Fraction, incl: Fraction | None) -> Amount:
        known = incl is not None and not self.is_gross and self.exact["total"].incl is not None
        return Amount(rounded(excl, 1, _PLACES), rounded(incl, 1, _PLACES) if incl is not None and known else None)

    def _within_limits(self, excl: Fraction, incl: Fraction) -> tuple[Fraction, Fraction | None]:
        if self.ruling is None:
            return excl, incl
        unstated = self.claim.policy.limit_without_after_taxes
        minimum, maximum = self.ruling.minimum, self.ruling.maximum
        within = bounded(Bounded(excl, incl), minimum, maximum, gross_only=self.is_gross, unstated=unstated)
        return within.before, within.after

    @property
    def unstated(self) -> frozenset[str]:
        """The parts for which the tariff has a price in a session, and of which no period states anything."""
        stated = {_PART_OF[kind] for period in self.case.periods for kind in kinds_of(period) if kind in _PART_OF}
        priced = {
            _PART_OF[dimension.name]
            for tariff in {id(segment.tariff): segment.tariff for segment in self.priced.segments}.values()
            for dimension in (Dimension.ENERGY, Dimension.TIME, Dimension.PARKING_TIME)
            if tariff is not None and tariff.phases[Phase.SESSION][dimension]
        }
        return frozenset(priced - stated)

    @property
    def states_all_parts(self) -> bool:
        """Does the CDR state every part that costs anything?"""
        return all(part in self.claimed for part, amount in self.figures.items() if part in PARTS and amount.excl)

    @property
    def is_sum_of_parts(self) -> bool:
        """Is the claimed total the sum of the claimed parts, of which none is left out?"""
        parts = [self.claimed[part].excl for part in PARTS if part in self.claimed]
        if "total" not in self.claimed:
            return False
        off = abs(sum(parts, NOTHING) - self.claimed["total"].excl)
        return bool(parts) and self.states_all_parts and off <= self.scale.snug

    @property
    def ruling(self) -> Compiled | None:
        """The tariff whose limits hold: that of the first session period; a reservation alone has none here."""
        return next((segment.tariff for segment in self.segments if not segment.reserved), None)
