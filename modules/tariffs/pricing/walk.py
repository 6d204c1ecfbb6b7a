"""One pass over the periods: what each quantity costs, by which component.

Kept while walking: the energy charged before the period, and the two clocks. The session clock starts with
the first period of the session, the reservation has its own; both run in absolute time. Everything is
looked up as it stands at the start of a period, since whoever makes the periods must begin a new one when
a price changes; where the end of a period would find another component, that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from modules.tariffs.pricing.compile import Compiled, Component, Dimension, Phase
from modules.tariffs.pricing.faults import UnfitSession
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.periods import Period
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.restrictions import (
    DATE,
    ELAPSED,
    ENERGY,
    LOCAL,
    MEASURED,
    OF_DAY,
    WEEKDAY,
    Standing,
    holds,
)
from modules.tariffs.pricing.steps import Segment
from modules.tariffs.pricing.times import wall_at

_CHANGING: Final = frozenset({OF_DAY, DATE, WEEKDAY, ENERGY, ELAPSED})
_CONSUMED: Final = (Dimension.ENERGY, Dimension.TIME, Dimension.PARKING_TIME)
_NOWHERE: Final[Standing] = (None,) * 9


def component_for(tariff: Compiled, phase: Phase, dimension: Dimension, standing: Standing) -> Component | None:
    """The component that is active for a dimension, None if that quantity is free."""
    for ranges, component in tariff.phases[phase][dimension]:
        if not ranges or holds(ranges, standing):
            return component
    return None


def standing_at(
    tariff: Compiled,
    zone: str | None,
    at: int,
    *,
    energy: Exact,
    elapsed: Exact,
    measures: Sequence[Exact | None],
) -> Standing:
    """Where a session stands. Raises: UnfitSession, if the tariff needs local time and there is no zone."""
    if not tariff.axes:
        return _NOWHERE
    measures = _in_pairs(measures)
    if tariff.axes.isdisjoint(LOCAL):
        return (None, None, None, energy, elapsed, *measures)
    if zone is None:
        raise UnfitSession("the tariff is bound to local time, and the location's time zone is not known")
    return (*wall_at(at, zone), energy, elapsed, *measures)


def _in_pairs(measures: Sequence[Exact | None]) -> Sequence[Exact | None]:
    """Where only the lowest or only the highest value is stated, it stands for both."""
    if None not in measures:
        return measures
    low_a, high_a, low_kw, high_kw = measures
    return (
        high_a if low_a is None else low_a,
        low_a if high_a is None else high_a,
        high_kw if low_kw is None else low_kw,
        low_kw if high_kw is None else high_kw,
    )


class Walk:
    """The state of one pass. Use: `Walk(...).over(periods, tariffs)`, once."""

    def __init__(self, zone: str | None, reserved_phase: Phase, policy: Policy, warned: list[Warned]) -> None:
        self._zone = zone
        self._reserved_phase = reserved_phase
        self._policy = policy
        self._warned = warned
        self._energy: Exact = 0
        self._clocks: dict[bool, int] = {}
        self._flat_paid: set[bool] = set()
        self._segments: list[Segment] = []

    def over(self, periods: Sequence[Period], tariffs: Sequence[Compiled | None]) -> list[Segment]:
        """The segments of all periods, in order. Raises: UnfitSession."""
        for period, tariff in zip(periods, tariffs, strict=True):
            if period.states_reserved:
                self._reservation(period, tariff)
            if period.in_session:
                self._session(period, tariff)
                self._energy += period.energy
        return self._segments

    def _reservation(self, period: Period, tariff: Compiled | None) -> None:
        if period.in_session:
            self._warned.append(Warned(Code.RESERVED_AND_CONSUMED_TOGETHER, period.index))
        standing = self._stand(period, tariff, reserved=True)
        self._flat(period, tariff, self._reserved_phase, standing)
        self._record(period, tariff, self._reserved_phase, Dimension.TIME, period.reserved, standing)

    def _session(self, period: Period, tariff: Compiled | None) -> None:
        standing = self._stand(period, tariff, reserved=False)
        if tariff and any(standing[axis] is None for axis in tariff.axes & MEASURED):
            self._warned.append(Warned(Code.MISSING_MEASUREMENT, period.index))
        before = len(self._segments)
        self._flat(period, tariff, Phase.SESSION, standing)
        for dimension in _CONSUMED:
            self._record(period, tariff, Phase.SESSION, dimension, period.quantities[dimension], standing)
        if period.energy < 0:
            self._warned.append(Warned(Code.NEGATIVE_ENERGY, period.index))
        if tariff and not tariff.axes.isdisjoint(_CHANGING):
            self._warn_if_unsplit(period, tariff, self._segments[before:])

    def _stand(self, period: Period, tariff: Compiled | None, *, reserved: bool) -> Standing:
        clock = self._clocks.setdefault(reserved, period.start)
        if tariff is None:
            return _NOWHERE
        elapsed = period.start - clock
        energy = 0 if reserved else self._energy
        return standing_at(tariff, self._zone, period.start, energy=energy, elapsed=elapsed, measures=period.measures)

    def _flat(self, period: Period, tariff: Compiled | None, phase: Phase, standing: Standing) -> None:
        """A FLAT is due once in a phase: the first that becomes active."""
        reserved = phase is not Phase.SESSION
        paid = reserved if self._policy.flat_once_per == "phase" else False
        if tariff is None or paid in self._flat_paid:
            return
        component = component_for(tariff, phase, Dimension.FLAT, standing)
        if component:
            self._flat_paid.add(paid)
            self._keep(period, Dimension.FLAT, reserved, 1, component, tariff, standing)

    def _record(
        self,
        period: Period,
        tariff: Compiled | None,
        phase: Phase,
        dimension: Dimension,
        quantity: Exact,
        standing: Standing,
    ) -> None:
        if not quantity:
            return
        component = component_for(tariff, phase, dimension, standing) if tariff else None
        if component is None and tariff and tariff.phases[phase][dimension]:
            self._warned.append(Warned(Code.UNPRICED_QUANTITY, period.index, dimension.name))
        self._keep(period, dimension, phase is not Phase.SESSION, quantity, component, tariff, standing)

    def _keep(
        self,
        period: Period,
        dimension: Dimension,
        reserved: bool,
        quantity: Exact,
        component: Component | None,
        tariff: Compiled | None,
        standing: Standing,
    ) -> None:
        self._segments.append(
            Segment(
                period,
                dimension,
                reserved,
                quantity,
                quantity,
                component,
                tariff,
                standing,
            )
        )

    def _warn_if_unsplit(self, period: Period, tariff: Compiled, segments: Sequence[Segment]) -> None:
        """Would the last moment of the period find another component than its first?"""
        length = period.end - period.start
        if length <= 0:
            return
        ending = standing_at(
            tariff,
            self._zone,
            period.end - 1,
            energy=self._energy + max(period.energy - 1, 0),
            elapsed=period.end - 1 - self._clocks[False],
            measures=period.measures,
        )
        for segment in segments:
            if segment.dimension == Dimension.FLAT:
                continue
            if component_for(tariff, Phase.SESSION, segment.dimension, ending) is not segment.component:
                self._warned.append(Warned(Code.PERIOD_SPANS_A_PRICE_CHANGE, period.index, segment.dimension.name))
                return
        if False not in self._flat_paid and component_for(tariff, Phase.SESSION, Dimension.FLAT, ending):
            self._warned.append(Warned(Code.PERIOD_SPANS_A_PRICE_CHANGE, period.index, "FLAT"))
