"""step_size, once for the session (mod_cdrs_step_size): the sum of what has a price is raised to a multiple of
the step of the last component, and the surplus is added to the last quantity. Parking is rounded where it has a
price, and charging time only otherwise. The reservation is rounded on its own.

Contracts differ: `step_over` each tariff by itself, reserved time as charging time, what has no price too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any

from tests.verifier.numbers import KWH_WH
from tests.verifier.walk import FLATS, Line


@dataclass(frozen=True)
class Step:
    """In Wh for energy, in seconds for time. `line`: which line carries the surplus."""

    dimension: str
    line: int
    size: int
    total: Fraction
    raised: Fraction


def raise_to_steps(lines: Sequence[Line], policy: Mapping[str, Any]) -> tuple[list[Line], list[Step]]:
    """The lines with what is billed of them. A line of nothing, to which nothing was added, is gone."""
    steps = [step for sharing in _sharing(lines, policy) for step in _steps(lines, sharing, policy)]
    surplus = {step.line: (step.raised - step.total) / _unit(step.dimension) for step in steps}
    raised = [replace(line, billed=line.quantity + surplus.get(at, 0)) for at, line in enumerate(lines)]
    kept = [at for at, line in enumerate(raised) if line.quantity or line.billed]
    return [raised[at] for at in kept], [replace(step, line=kept.index(step.line)) for step in steps]


def _unit(dimension: str) -> int:
    return KWH_WH if dimension == "ENERGY" else 1


def _sharing(lines: Sequence[Line], policy: Mapping[str, Any]) -> list[list[int]]:
    """Which lines share their roundings: all, or those of one tariff, in the order in which tariffs are met."""
    if policy["step_over"] == "session":
        return [list(range(len(lines)))]
    tariffs = []
    for line in lines:
        if line.tariff not in tariffs:
            tariffs.append(line.tariff)
    return [[at for at, line in enumerate(lines) if line.tariff == tariff] for tariff in tariffs]


def _steps(lines: Sequence[Line], sharing: Sequence[int], policy: Mapping[str, Any]) -> Iterator[Step]:
    sums: dict[str, list[int]] = {"ENERGY": [], "TIME": [], "PARKING_TIME": [], "RESERVATION_TIME": []}
    for at in sharing:
        dimension = lines[at].dimension
        if dimension == "RESERVATION_TIME" and policy["reservation_step"] == "time":
            dimension = "TIME"
        if dimension not in FLATS and (lines[at].active or policy["step_counts_unpriced"]):
            sums[dimension].append(at)
    last = {name: max((at for at in places if lines[at].active), default=None) for name, places in sums.items()}
    time, parking = last["TIME"], last["PARKING_TIME"]
    time_is_last = parking is None or (policy["time_step"] == "last" and time is not None and time > parking)
    for name in ("ENERGY", "TIME" if time_is_last else "PARKING_TIME", "RESERVATION_TIME"):
        carrier = last[name]
        if carrier is not None:
            yield from _step(lines, sums[name], carrier)


def _step(lines: Sequence[Line], places: Sequence[int], carrier: int) -> Iterator[Step]:
    """A sum that is a multiple stays, and so does one that is not positive; a step of zero raises nothing."""
    dimension, found = lines[carrier].dimension, lines[carrier].active
    total = sum((lines[at].quantity for at in places), Fraction(0)) * _unit(dimension)
    if found is None or not found.component.step or total <= 0:
        return
    raised = Fraction(ceil(total / found.component.step) * found.component.step)
    if raised != total:
        yield Step(dimension, carrier, found.component.step, total, raised)
