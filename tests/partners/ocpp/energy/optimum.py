"""The most energy that any plan could give on a dealt day, as a linear program.

It knows all who are to come, and it is more than any plan can give: a charge may draw less than its least current, but
for when it could not charge even alone (`time_shared.py` knows better). It is built from the day as dealt, without the
product's rows or slots, and solved by HiGHS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import highspy
import numpy as np

from tests.partners.ocpp.energy.referee import Referee
from tests.partners.ocpp.energy.site_days import MORNING, Car, SiteDay

EVENING = MORNING + timedelta(days=1)
LEAST_A = 6.0

Span = tuple[datetime, datetime]
Sum = list[tuple[int, float]]
"""Variables, by number, and their factors."""


def best_kwh(day: SiteDay) -> float:
    """The most energy in kWh."""
    spans = spans_of(day)
    here = [(car, span) for car in day.cars for span in spans if car.here(span[0])]
    number = {(car.charge.id, span[0]): index for index, (car, span) in enumerate(here)}
    energy = [kw_per_ampere(day, car) * (end - begin) / timedelta(hours=1) for car, (begin, end) in here]
    rows = [row for span in spans for row in _limits_in(day, span, here, number)]
    shut = {each for sums, bound in rows for each, factor in sums if bound < factor * LEAST_A}
    for car in day.cars:
        used = [number[car.charge.id, span[0]] for span in spans if (car.charge.id, span[0]) in number]
        rows.append(([(each, energy[each]) for each in used], (car.charge.wanted_wh or 0) / 1000))
    most = [0.0 if index in shut else most_a(day, car) for index, (car, _) in enumerate(here)]
    return solved(energy, most, rows)


def spans_of(day: SiteDay) -> list[Span]:
    """The spans of the day in which nothing changes."""
    cuts = {MORNING, EVENING, *(each for car in day.cars for each in (car.charge.arrival, car.leaves))}
    cuts.update(moment for steps in (*day.limits.values(), *day.loads.values()) for moment, _ in steps.changes)
    return list(pairwise(sorted(cuts)))


def kw_per_ampere(day: SiteDay, car: Car) -> float:
    """The power of one ampere on its phases."""
    wiring = day.site.evse[car.charge.evse].wiring
    return sum(day.site.volts_mv[wiring[own - 1] - 1] for own in car.phases) / 10**6


def most_a(day: SiteDay, car: Car) -> float:
    """The most that it can draw on each phase."""
    return min(day.site.evse[car.charge.evse].most_ma, car.charge.most_ma or 10**9) / 1000


def limits_at(day: SiteDay, at: datetime, cars: Sequence[Car]) -> Iterator[tuple[Sum, float]]:
    """Every limit at `at`: which of `cars`, by number, load it by how much an ampere, and what the building leaves."""
    referee = Referee(day.site)
    for node in day.site.nodes:
        building = np.sum([_building(day, each, at) for each, way in referee.ways.items() if node.id in way], axis=0)
        for limit in (node.limit, *((day.limits[node.id].at(at),) if node.id in day.limits else ())):
            below = [n for n, car in enumerate(cars) if node.id in referee.ways[day.site.evse[car.charge.evse].node]]
            for phase in (1, 2, 3) if limit.ma is not None else ():
                sums = [(number, 1.0) for number in below if _loads(day, cars[number], phase)]
                yield sums, ((limit.ma or (0, 0, 0))[phase - 1] - building[phase - 1]) / 1000
            if limit.mw is not None:
                power = float(np.dot(building, day.site.volts_mv)) / 10**9
                yield [(number, kw_per_ampere(day, cars[number])) for number in below], limit.mw / 10**6 - power


def _limits_in(
    day: SiteDay, span: Span, here: list[tuple[Car, Span]], number: dict[tuple[str, datetime], int]
) -> Iterator[tuple[Sum, float]]:
    cars = [car for car, when in here if when == span]
    for sums, bound in limits_at(day, span[0], cars):
        yield [(number[cars[each].charge.id, span[0]], factor) for each, factor in sums], bound


def _building(day: SiteDay, node: str, at: datetime) -> tuple[int, int, int]:
    return (day.loads[node].at(at) if node in day.loads else None) or (0, 0, 0)


def _loads(day: SiteDay, car: Car, phase: int) -> bool:
    wiring = day.site.evse[car.charge.evse].wiring
    return phase in {wiring[own - 1] for own in car.phases}


def solved(gain: list[float], most: list[float], rows: list[tuple[Sum, float]]) -> float:
    """The largest sum of `gain` under `rows`."""
    if not gain:
        return 0.0
    starts = np.cumsum([0, *(len(sums) for sums, _ in rows)])
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(gain), len(rows)
    program.col_cost_ = -np.array(gain)
    program.col_lower_, program.col_upper_ = np.zeros(len(gain)), np.array(most)
    program.row_lower_ = np.full(len(rows), -np.inf)
    program.row_upper_ = np.array([max(bound, 0.0) for _, bound in rows])
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = starts
    program.a_matrix_.index_ = np.array([each for sums, _ in rows for each, _ in sums], dtype=np.int32)
    program.a_matrix_.value_ = np.array([factor for sums, _ in rows for _, factor in sums])
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.silent()
    solver.passModel(program)
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return -float(solver.getInfo().objective_function_value)
