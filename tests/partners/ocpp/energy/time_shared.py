"""The most energy that any plan could give on a dealt day when no charge draws less than its least current.

Cars that cannot charge together take turns. So each span is divided among *crowds*, the sets of cars that charge
together, and the linear program says for how long there is which crowd, and what each of it draws meanwhile: its least
at least. No plan can give more than that, however often it changes; it need not even keep to steps of a tenth ampere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations

from tests.partners.ocpp.energy.optimum import LEAST_A, Span, Sum, kw_per_ampere, limits_at, most_a, solved, spans_of
from tests.partners.ocpp.energy.site_days import Car, SiteDay


@dataclass(slots=True)
class Program:
    """Variables by number: hours of each crowd, and ampere hours of each car in it."""

    gain: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    rows: list[tuple[Sum, float]] = field(default_factory=list)

    def variable(self, gain: float, most: float) -> int:
        """A new one; `gain` is what one of it is worth."""
        self.gain.append(gain)
        self.most.append(most)
        return len(self.gain) - 1


def best_time_shared_kwh(day: SiteDay) -> float:
    """The most energy in kWh."""
    program, energy = Program(), dict[str, Sum]()
    for span in spans_of(day):
        cars = [car for car in day.cars if car.here(span[0])]
        hours = (span[1] - span[0]) / timedelta(hours=1)
        crowds = [_hours_of(program, day, crowd, limits, hours, energy) for crowd, limits in _crowds(day, span, cars)]
        program.rows.append(([(each, 1.0) for each in crowds], hours))
    for car in day.cars:
        program.rows.append((energy.get(car.charge.id, []), (car.charge.wanted_wh or 0) / 1000))
    return solved(program.gain, program.most, program.rows)


def _crowds(day: SiteDay, span: Span, cars: list[Car]) -> Iterator[tuple[tuple[Car, ...], list[tuple[Sum, float]]]]:
    """Who can charge together, and the limits for them."""
    for count in range(1, len(cars) + 1):
        for crowd in combinations(cars, count):
            limits = [each for each in limits_at(day, span[0], crowd) if each[0]]
            if all(sum(factor * LEAST_A for _, factor in sums) <= bound + 1e-9 for sums, bound in limits):
                yield crowd, limits


def _hours_of(
    program: Program,
    day: SiteDay,
    crowd: tuple[Car, ...],
    limits: list[tuple[Sum, float]],
    hours: float,
    energy: dict[str, Sum],
) -> int:
    """The variable for how long there is this crowd."""
    long = program.variable(0.0, hours)
    drawn = [program.variable(kw_per_ampere(day, car), most_a(day, car) * hours) for car in crowd]
    for car, each in zip(crowd, drawn, strict=True):
        energy.setdefault(car.charge.id, []).append((each, kw_per_ampere(day, car)))
        program.rows.append(([(each, 1.0), (long, -most_a(day, car))], 0.0))
        program.rows.append(([(each, -1.0), (long, LEAST_A)], 0.0))
    for sums, bound in limits:
        program.rows.append(([*((drawn[number], factor) for number, factor in sums), (long, -bound)], 0.0))
    return long
