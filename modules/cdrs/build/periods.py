"""Our own sessions, cut into charging periods. OCPI mod_cdrs_chargingperiod_class.

A period begins at every moment at which the price may change: a change between charging and parking, a
time of day, a change of the clocks, a midnight where weekdays or dates matter, a duration, the moment at
which the register passes a threshold in kWh, a sample that takes power or current over a threshold. Then
neighbours that cost the same are joined again, so that a plain tariff gives plain periods.

Figures are published with four decimals. What is rounded is not the share of a period but the sum so far,
so the shares always add up to the whole, and what rounding left over is in the last. Prices are looked up
with the published figures, because that is what the far end has when it checks the bill. A threshold has no more
decimals than they have (`restrictions`), so a period that begins where it was reached says that it was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from hub.core.clock import timestamp
from modules.cdrs.build.course import PLACES, SCALE, Course, whole_ms
from modules.cdrs.build.facts import PARKED, Sample, SessionFacts
from modules.cdrs.build.register import Register
from modules.tariffs.pricing import (
    HOUR,
    KWH,
    Compiled,
    Exact,
    UnfitSession,
    active_components,
    cut_instants,
    cuts_of,
    in_units,
    moment_of,
    rounded,
)
from modules.tariffs.pricing.compile import Component
from modules.tariffs.pricing.periods import Period
from modules.tariffs.pricing.restrictions import ENERGY, MEASURED
from modules.tariffs.pricing.spans import Way, changes_within

_JOINED: Final = 48 * HOUR
"""How long a period may become by joining, where it has to be looked at from its start to its end each time."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a session between two cuts. Energies are published sums so far, in kWh."""

    start: int
    end: int
    parked: bool
    energy_before: Decimal
    energy_after: Decimal
    measures: tuple[Exact | None, ...]


class Cutter:
    """Cuts one session from `start` to `end` (instants in whole milliseconds) for one tariff, or for none."""

    def __init__(self, facts: SessionFacts, tariff: Compiled | None, start: int, end: int) -> None:
        self._tariff = tariff
        self._zone: str | None = facts.location.get("time_zone")
        self._start, self._end = start, end
        self.register = Register(_read_until(facts, end), start, end)
        self._power = Course(facts.power, "a power sample")
        self._current = Course(facts.current, "a current sample")
        self._states = _states(facts, start)

    def spans(self) -> list[Span]:
        """The periods, neighbours that cost the same joined. Raises: UnfitSession."""
        joined: list[Span] = []
        for span in self._pieces():
            union = self._union(joined[-1], span) if joined else None
            if union:
                joined[-1] = union
            else:
                joined.append(span)
        return joined

    def _pieces(self) -> list[Span]:
        crossings = self._crossings()
        inner = {at for at, _ in self._states} | crossings.keys() | self._changes()
        edges = [self._start, *sorted(at for at in inner if self._start < at < self._end), self._end]
        inside = [rounded(crossings.get(at, self.register.charged(at)), KWH, PLACES) for at in edges[1:-1]]
        sums = [Decimal(0), *inside, rounded(self.register.total, KWH, PLACES)]
        return [
            Span(
                edges[n],
                edges[n + 1],
                self._parked(edges[n]),
                sums[n],
                sums[n + 1],
                self._measures(edges[n], edges[n + 1]),
            )
            for n in range(len(edges) - 1)
        ]

    def _crossings(self) -> dict[int, Exact]:
        """When the register passes which threshold: the energy there is exact, the instant is rounded."""
        found: dict[int, Exact] = {}
        for energy in cuts_of(self._tariff).energies if self._tariff else ():
            at = self.register.reaches(energy)
            if at is not None:
                found[at] = energy
        return found

    def _changes(self) -> set[int]:
        if self._tariff is None:
            return set()
        cuts = cuts_of(self._tariff)
        sampled = self._power.crossings(cuts.powers) | self._current.crossings(cuts.currents)
        return sampled | cut_instants(self._tariff, self._zone, self._start, self._end)

    def _parked(self, at: int) -> bool:
        now = bisect_right(self._states, at, key=lambda state: state[0]) - 1
        return self._states[max(now, 0)][1]

    def _measures(self, start: int, end: int) -> tuple[Exact | None, ...]:
        return (*self._current.extremes(start, end), *self._power.extremes(start, end))

    def _union(self, left: Span, right: Span) -> Span | None:
        """Both as one, if they and their union cost the same."""
        if left.parked != right.parked:
            return None
        union = replace(
            left,
            end=right.end,
            energy_after=right.energy_after,
            measures=self._measures(left.start, right.end),
        )
        if self._tariff and len({self._active(span) for span in (left, right, union)}) > 1:
            return None
        return None if self._may_change_inside(left, right, union) else union

    def _may_change_inside(self, left: Span, right: Span, union: Span) -> bool:
        """Does what the union states make a price active on its way that was active in neither?

        What was measured at one end may meet a condition that holds at the other, and energy that is told of the whole
        passes a threshold at another time. Beyond `_JOINED` this is not looked into any more: then they stay apart.
        """
        tariff = self._tariff
        if tariff is None or tariff.axes.isdisjoint({ENERGY, *MEASURED}):
            return False
        if ENERGY not in tariff.axes and left.measures == right.measures:
            return False
        if union.end - union.start > _JOINED:
            return True
        before, after = (in_units(kwh, KWH, "energy") for kwh in (union.energy_before, union.energy_after))
        period = Period(0, union.start, union.end, None, [after - before, 0, 0, 0], union.measures, 0)
        way = Way(period, self._start, before, after - before)
        return changes_within(tariff, self._zone, way, parked=union.parked, active=self._active(union))

    def _active(self, span: Span) -> tuple[Component | None, ...]:
        if self._tariff is None:
            return ()
        return active_components(
            self._tariff,
            self._zone,
            span.start,
            parked=span.parked,
            energy=in_units(span.energy_before, KWH, "energy"),
            elapsed=span.start - self._start,
            measures=span.measures,
        )


def _read_until(facts: SessionFacts, end: int) -> list[Sample]:
    """The readings that count at `end`: those until then, and once the session is over also the late ones."""
    if facts.end is not None and whole_ms(facts.end, "the end") <= end:
        return list(facts.register)
    return [sample for sample in facts.register if whole_ms(sample.at, "a meter reading") <= end]


def _states(facts: SessionFacts, start: int) -> list[tuple[int, bool]]:
    """From when on the vehicle was parked, or not. Before the first state the EVSE offers energy: TIME."""
    found = [(start, False)]
    for at, state in sorted(facts.states, key=lambda entry: entry.at):
        if state not in PARKED:
            raise UnfitSession(f"{state[:30]!r} is not a state of a session")
        found.append((max(whole_ms(at, "a state"), start), PARKED[state]))
    return found


def period_trees(spans: Sequence[Span], *, metered: bool, tariff_id: str | None) -> list[dict[str, Any]]:
    """The spans as ChargingPeriods. `metered`: state the energy, also where it is 0."""
    trees = []
    so_far = {True: 0, False: 0}
    for span in spans:
        before = so_far[span.parked]
        so_far[span.parked] += span.end - span.start
        hours = rounded(so_far[span.parked], HOUR, PLACES) - rounded(before, HOUR, PLACES)
        volumes: dict[str, Decimal] = {}
        if metered:
            volumes["ENERGY"] = span.energy_after - span.energy_before
        volumes["PARKING_TIME" if span.parked else "TIME"] = hours
        for name, value in zip(("MIN_CURRENT", "MAX_CURRENT", "MIN_POWER", "MAX_POWER"), span.measures, strict=True):
            if value is not None:
                volumes[name] = rounded(value, SCALE, PLACES)
        trees.append(period_tree(span.start, volumes, tariff_id))
    return trees


def period_tree(start: int, volumes: Mapping[str, Decimal], tariff_id: str | None) -> dict[str, Any]:
    """One ChargingPeriod in our form."""
    return {
        "start_date_time": timestamp(moment_of(start)),
        "dimensions": [{"type": name, "volume": volume} for name, volume in volumes.items()],
        **({"tariff_id": tariff_id} if tariff_id else {}),
    }
