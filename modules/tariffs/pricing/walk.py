"""One pass over the periods: what each quantity costs, by which component.

Kept while walking: the energy charged before the period, and the two clocks. The session clock starts with
the first period of the session, the reservation has its own; both run in absolute time. Everything is
looked up as it stands at the start of a period, since whoever makes the periods must begin a new one when
a price changes; where something else would price a quantity later in the period, that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from modules.tariffs.pricing.compile import Compiled, Component, Dimension, Phase
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.periods import ENERGY, PARKING, RESERVED, TIME, Period
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.restrictions import MEASURED, Standing
from modules.tariffs.pricing.spans import Way, later_standings
from modules.tariffs.pricing.standing import NOWHERE, component_for, measured, standing_at
from modules.tariffs.pricing.steps import Segment

_CONSUMED: Final = ((Dimension.ENERGY, ENERGY), (Dimension.TIME, TIME), (Dimension.PARKING_TIME, PARKING))
_QUANTITIES: Final = {False: _CONSUMED, True: ((Dimension.TIME, RESERVED),)}
"""Is it reserved? -> the components that are asked for, and what they price of a period."""
_RESERVED: Final = 1 << RESERVED
_FLAT: Final = int(Dimension.FLAT)
_IN_SESSION: Final = (Phase.SESSION,)


class Ground(Struct, frozen=True):
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
        self._began = {False: ground.start} if ground.policy.duration_from == "start" else {}
        self._flat_paid: set[bool] = set()
        self._segments: list[Segment] = []

    def over(self, periods: Sequence[Period], tariffs: Sequence[Compiled | None]) -> list[Segment]:
        """The segments of all periods, in order. Raises: UnfitSession."""
        for period, tariff in zip(periods, tariffs, strict=True):
            energy = period.quantities[ENERGY]
            if tariff is None or tariff.axes or period.stated & _RESERVED or energy < 0:
                self._look(period, tariff)
            else:
                self._take(period, tariff)
            self._energy += energy
        return self._segments

    def _take(self, period: Period, tariff: Compiled) -> None:
        """An ordinary period under a tariff without restrictions: nothing to look up, and nothing to warn of."""
        self._began.setdefault(False, period.start)
        quantities, segments, plain = period.quantities, self._segments, tariff.plain
        if False not in self._flat_paid and (flat := plain[_FLAT]):
            self._flat_paid.add(False)
            segments.append(Segment(period, Dimension.FLAT, False, 1, 1, flat, tariff, NOWHERE))
        for dimension, place in _CONSUMED:
            quantity = quantities[place]
            if quantity or (self._keeps_zeros and period.stated & 1 << place):
                part = plain[dimension]
                segments.append(Segment(period, dimension, False, quantity, quantity, part, tariff, NOWHERE))

    def _look(self, period: Period, tariff: Compiled | None) -> None:
        """A period in which it may depend on the moment what prices a quantity."""
        phases = self._phases(period)
        if len(phases) > 1:
            self._warned.append(Warned(Code.RESERVED_AND_CONSUMED_TOGETHER, period.index))
        if tariff and tariff.axes:
            self._warn_of_measures(period, tariff, phases)
        if period.quantities[ENERGY] < 0:
            self._warned.append(Warned(Code.NEGATIVE_ENERGY, period.index))
        before = len(self._segments)
        for phase in phases:
            self._price(period, tariff, phase)
        if tariff and tariff.axes:
            for phase in phases:
                self._warn_if_unsplit(period, tariff, phase, self._segments[before:])

    def _phases(self, period: Period) -> tuple[Phase, ...]:
        """What was reserved comes first."""
        if period.stated == _RESERVED:
            return (self._ground.reserved,)
        return (self._ground.reserved, Phase.SESSION) if period.stated & _RESERVED else _IN_SESSION

    def _price(self, period: Period, tariff: Compiled | None, phase: Phase) -> None:
        standing, reserved = NOWHERE, phase is not Phase.SESSION
        began = self._began.setdefault(reserved, period.start)
        if tariff and tariff.axes:
            energy = 0 if reserved else self._energy
            standing = self._standing(period, tariff, period.start, energy, began)
        self._flat(period, tariff, phase, standing)
        for dimension, place in _QUANTITIES[reserved]:
            quantity = period.quantities[place]
            if quantity or (self._keeps_zeros and period.stated & 1 << place):
                self._record(period, tariff, phase, dimension, quantity, standing)

    def _standing(self, period: Period, tariff: Compiled, at: int, energy: Exact, began: int) -> Standing:
        measures = measured(period.measures, self._policy)
        return standing_at(tariff, self._ground.zone, at, energy=energy, elapsed=at - began, measures=measures)

    def _flat(self, period: Period, tariff: Compiled | None, phase: Phase, standing: Standing) -> None:
        """A FLAT is due once in a phase: the first that becomes active."""
        reserved = phase is not Phase.SESSION
        if tariff is None or self._is_paid(reserved):
            return
        component = component_for(tariff.phases[phase], Dimension.FLAT, standing)
        if component:
            self._flat_paid.add(self._flat_of(reserved))
            self._segments.append(Segment(period, Dimension.FLAT, reserved, 1, 1, component, tariff, standing))

    def _flat_of(self, reserved: bool) -> bool:
        return reserved and self._policy.flat_once_per == "phase"

    def _is_paid(self, reserved: bool) -> bool:
        return self._flat_of(reserved) in self._flat_paid

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
                self._warn(Code.UNPRICED_QUANTITY, period, phase, dimension)
        reserved = phase is not Phase.SESSION
        self._segments.append(Segment(period, dimension, reserved, quantity, quantity, component, tariff, standing))

    def _warn_of_measures(self, period: Period, tariff: Compiled, phases: Sequence[Phase]) -> None:
        """Does a phase of the period ask for a power or current of which it states neither bound?"""
        if not tariff.axes.isdisjoint(MEASURED):
            found = measured(period.measures, None)
            if any(found[axis - min(MEASURED)] is None for phase in phases for axis in tariff.measured[phase]):
                self._warned.append(Warned(Code.MISSING_MEASUREMENT, period.index))

    def _warn_if_unsplit(self, period: Period, tariff: Compiled, phase: Phase, segments: Sequence[Segment]) -> None:
        """Would something else price a quantity later in the period, or a FLAT fall due that has not yet?"""
        reserved = phase is not Phase.SESSION
        energy = (0, 0) if reserved else (self._energy, period.quantities[ENERGY])
        later = later_standings(tariff, self._ground.zone, Way(period, self._began[reserved], *energy), self._policy)
        if not later:
            return
        asked: dict[Dimension, Component | None] = {} if self._is_paid(reserved) else {Dimension.FLAT: None}
        for segment in segments:
            has_price = segment.quantity > 0 or (segment.quantity < 0 and self._credits)
            if segment.reserved is reserved and segment.dimension != Dimension.FLAT and has_price:
                asked[segment.dimension] = segment.component
        for dimension, component in asked.items():
            found = (component_for(tariff.phases[phase], dimension, standing) for standing in later)
            if any(each is not component for each in found):
                self._warn(Code.PERIOD_SPANS_A_PRICE_CHANGE, period, phase, dimension)

    def _warn(self, code: Code, period: Period, phase: Phase, dimension: Dimension) -> None:
        subject = dimension.name if phase is Phase.SESSION else f"RESERVATION_{dimension.name}"
        self._warned.append(Warned(code, period.index, subject))
