"""One pass over the periods: what each quantity costs, by which component.

Kept while walking: the energy charged before the period, and the two clocks. The session clock starts with
the first period of the session, the reservation has its own; both run in absolute time. Everything is
looked up as it stands at the start of a period, since whoever makes the periods must begin a new one when
a price changes; where the end of a period would find another component, that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from modules.tariffs.pricing.compile import Compiled, Dimension, Phase
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.periods import ENERGY, RESERVED, Period
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.restrictions import MEASURED, Standing
from modules.tariffs.pricing.standing import CHANGING, NOWHERE, component_for, measured, standing_at
from modules.tariffs.pricing.steps import Segment

_CONSUMED: Final = (Dimension.ENERGY, Dimension.TIME, Dimension.PARKING_TIME)
_RESERVED: Final = 1 << RESERVED


class Ground(NamedTuple):
    """What a walk needs besides the periods. `start` is that of the CDR, `reserved` the phase of a reservation."""

    zone: str | None
    start: int
    reserved: Phase
    policy: Policy


class Walk:
    """The state of one pass. Use: `Walk(...).over(periods, tariffs)`, once."""

    def __init__(self, ground: Ground, warned: list[Warned]) -> None:
        self._ground = ground
        self._policy = ground.policy
        self._warned = warned
        self._keeps_zeros = ground.policy.step_counts_zero
        self._credits = ground.policy.negative_energy == "credit"
        self._energy: Exact = 0
        self._began: int | None = ground.start if ground.policy.duration_from == "start" else None
        self._reserved_from: int | None = None
        self._flat_paid: set[bool] = set()
        self._segments: list[Segment] = []

    def over(self, periods: Sequence[Period], tariffs: Sequence[Compiled | None]) -> list[Segment]:
        """The segments of all periods, in order. Raises: UnfitSession."""
        for period, tariff in zip(periods, tariffs, strict=True):
            if period.stated & _RESERVED:
                self._reservation(period, tariff)
            if period.stated != _RESERVED:
                self._session(period, tariff)
                self._energy += period.quantities[ENERGY]
        return self._segments

    def _reservation(self, period: Period, tariff: Compiled | None) -> None:
        if period.stated != _RESERVED:
            self._warned.append(Warned(Code.RESERVED_AND_CONSUMED_TOGETHER, period.index))
        if self._reserved_from is None:
            self._reserved_from = period.start
        standing, phase = NOWHERE, self._ground.reserved
        if tariff and tariff.axes:
            standing = self._standing(period, tariff, period.start, 0, self._reserved_from)
        self._flat(period, tariff, phase, standing)
        self._record(period, tariff, phase, Dimension.TIME, period.quantities[RESERVED], standing)

    def _session(self, period: Period, tariff: Compiled | None) -> None:
        if self._began is None:
            self._began = period.start
        standing, before = NOWHERE, len(self._segments)
        if tariff and tariff.axes:
            standing = self._standing(period, tariff, period.start, self._energy, self._began)
            self._warn_of_measures(period, tariff)
        self._flat(period, tariff, Phase.SESSION, standing)
        if period.quantities[ENERGY] < 0:
            self._warned.append(Warned(Code.NEGATIVE_ENERGY, period.index))
        for dimension in _CONSUMED:
            quantity = period.quantities[dimension]
            if quantity or self._keeps_zeros:
                self._record(period, tariff, Phase.SESSION, dimension, quantity, standing)
        if tariff and tariff.axes and not tariff.axes.isdisjoint(CHANGING):
            self._warn_if_unsplit(period, tariff, self._began, self._segments[before:])

    def _standing(self, period: Period, tariff: Compiled, at: int, energy: Exact, began: int) -> Standing:
        measures = measured(period.measures, self._policy)
        return standing_at(tariff, self._ground.zone, at, energy=energy, elapsed=at - began, measures=measures)

    def _flat(self, period: Period, tariff: Compiled | None, phase: Phase, standing: Standing) -> None:
        """A FLAT is due once in a phase: the first that becomes active."""
        reserved = phase is not Phase.SESSION
        paid = reserved and self._policy.flat_once_per == "phase"
        if tariff is None or paid in self._flat_paid:
            return
        component = component_for(tariff.phases[phase], Dimension.FLAT, standing)
        if component:
            self._flat_paid.add(paid)
            self._segments.append(Segment(period, Dimension.FLAT, reserved, 1, 1, component, tariff, standing))

    def _record(
        self,
        period: Period,
        tariff: Compiled | None,
        phase: Phase,
        dimension: Dimension,
        quantity: Exact,
        standing: Standing,
    ) -> None:
        component = None
        if tariff:
            candidates = tariff.phases[phase]
            if quantity >= 0 or self._credits:
                component = component_for(candidates, dimension, standing)
            if component is None and quantity and candidates[dimension]:
                self._warned.append(Warned(Code.UNPRICED_QUANTITY, period.index, dimension.name))
        reserved = phase is not Phase.SESSION
        self._segments.append(Segment(period, dimension, reserved, quantity, quantity, component, tariff, standing))

    def _warn_of_measures(self, period: Period, tariff: Compiled) -> None:
        if not tariff.axes.isdisjoint(MEASURED):
            found = measured(period.measures, None)
            if any(found[axis - min(MEASURED)] is None for axis in tariff.axes & MEASURED):
                self._warned.append(Warned(Code.MISSING_MEASUREMENT, period.index))

    def _warn_if_unsplit(self, period: Period, tariff: Compiled, began: int, segments: Sequence[Segment]) -> None:
        """Would the last moment of the period find another component than its first?"""
        last = period.end - 1
        if last < period.start:
            return
        energy = self._energy + max(period.quantities[ENERGY] - 1, 0)
        ending, candidates = self._standing(period, tariff, last, energy, began), tariff.phases[Phase.SESSION]
        for segment in segments:
            dimension = segment.dimension
            if dimension == Dimension.FLAT or segment.quantity < 0:
                continue
            if component_for(candidates, dimension, ending) is not segment.component:
                self._warned.append(Warned(Code.PERIOD_SPANS_A_PRICE_CHANGE, period.index, dimension.name))
                return
        if False not in self._flat_paid and component_for(candidates, Dimension.FLAT, ending):
            self._warned.append(Warned(Code.PERIOD_SPANS_A_PRICE_CHANGE, period.index, "FLAT"))
