"""The periods in order of time: what each consumed, and what prices it by the state at its start.

Four minutes are written as 0.0667 hours. Where the only time of a period agrees with its timestamps to within
0.0001 h, the timestamps say how long it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

from tests.verifier import active
from tests.verifier.active import Active, Moment
from tests.verifier.case import TIMES, Period, Tariff, has_expired
from tests.verifier.choice import Choice
from tests.verifier.clock import instant
from tests.verifier.numbers import HOUR_S

_AGREEMENT_S: Final = Fraction(HOUR_S, 10_000)
FLATS: Final = ("FLAT", "RESERVATION_FLAT")


@dataclass(frozen=True)
class Line:
    """One quantity of a period (kWh, seconds, or one FLAT). `billed` is what it is after step_size."""

    dimension: str
    moment: Moment
    tariff: Tariff | None
    active: Active | None
    quantity: Fraction
    billed: Fraction


@dataclass(frozen=True)
class Stop:
    """One period on the way: what it consumed, and where session and reservation stood at its start."""

    period: Period
    tariff: Tariff | None
    consumed: Mapping[str, Fraction]
    session: Moment
    reservation: Moment
    lines: tuple[Line, ...] = ()
    due: tuple[str, ...] = ()

    def standing(self, dimension: str) -> Moment:
        """A reservation counts its own time, from its own start, and no energy."""
        return self.reservation if dimension.startswith("RESERVATION") else self.session


def walk(periods: Sequence[Period], choice: Choice, case: Mapping[str, Any], policy: Mapping[str, Any]) -> list[Stop]:
    """`due`: the FLATs that have not fallen due by the end of the period's lines."""
    session = next((period.start for period in periods if period.in_session), None)
    if policy["duration_from"] == "start":
        session = instant(case["start"])
    reservation = next((period.start for period in periods if period.reserves), None)
    kwh, flats, stops = Fraction(0), set[str](), list[Stop]()
    for period in periods:
        stop = Stop(
            period,
            choice[period.index],
            consumed := quantities(period, policy),
            active.moment(period, case.get("time_zone"), kwh, session),
            active.moment(period, case.get("time_zone"), Fraction(0), reservation),
        )
        lines = tuple(_lines(stop, case, flats, policy))
        due = tuple(name for name in FLATS if not _already(name, flats, policy))
        stops.append(replace(stop, lines=lines, due=due))
        kwh += consumed.get("ENERGY", Fraction(0))
    return stops


def quantities(period: Period, policy: Mapping[str, Any]) -> dict[str, Fraction]:
    """What a period consumed, by dimension, zeros included where they are stated."""
    consumed = dict(period.stated)
    times = [name for name in TIMES if consumed.get(name)]
    if policy["timestamps_over_volumes"] and len(times) == 1 and agrees(period, times[0]):
        consumed[times[0]] = period.end - period.start
    if policy["unstated_time"] == "period" and not any(name in consumed for name in TIMES):
        consumed["TIME"] = period.end - period.start
    return consumed


def agrees(period: Period, name: str) -> bool:
    """Is the stated time that of the timestamps, but for its last decimal?"""
    return abs(period.stated[name] - (period.end - period.start)) <= _AGREEMENT_S


def lookups(stop: Stop, case: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What is looked up for a period: the dimension, the kind of component, the phase. What was reserved comes
    first; beside consumption it alone is looked up among the reservation's prices."""
    if stop.period.reserves:
        phase = active.EXPIRED if has_expired(case) else active.RESERVED
        yield "RESERVATION_FLAT", "FLAT", phase
        yield "RESERVATION_TIME", "TIME", phase
    if stop.period.in_session:
        for kind in ("FLAT", "ENERGY", "TIME", "PARKING_TIME"):
            yield kind, kind, active.SESSION


def _lines(stop: Stop, case: Mapping[str, Any], flats: set[str], policy: Mapping[str, Any]) -> Iterator[Line]:
    """Zeros are no lines, but where they may be the last, the steps want to see them."""
    for dimension, kind, phase in lookups(stop, case):
        now = stop.standing(dimension)
        found = active.active(stop.tariff, kind, phase, now, policy) if stop.tariff else None
        if kind == "FLAT":
            if found and not _already(dimension, flats, policy):
                yield Line(dimension, now, stop.tariff, found, Fraction(1), Fraction(1))
                flats.add(dimension)
            continue
        quantity = stop.consumed.get(dimension)
        if quantity is not None and quantity < 0 and policy["negative_energy"] == "free":
            found = None
        if quantity or (quantity is not None and policy["step_counts_zero"]):
            yield Line(dimension, now, stop.tariff, found, quantity, quantity)


def _already(dimension: str, flats: set[str], policy: Mapping[str, Any]) -> bool:
    """Once in the reservation and once in the session, or once in all."""
    return bool(flats) if policy["flat_once_per"] == "session" else dimension in flats
