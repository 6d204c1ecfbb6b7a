"""Which component prices a dimension at a moment: the first element, in list order, that belongs to the phase,
whose restrictions are all true, and that has a component of the dimension (mod_tariffs_tariff_object).

All bounds are half-open. Wall time decides windows, weekdays and dates; seconds that truly passed, durations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from tests.verifier.case import BOUNDS, LOCAL, Component, Element, Period, Tariff
from tests.verifier.clock import Wall, wall

SESSION, RESERVED, EXPIRED = "session", "reserved", "expired"
_PHASES: Final = {SESSION: (None,), RESERVED: ("RESERVATION",), EXPIRED: ("RESERVATION_EXPIRES", "RESERVATION")}
"""The values of the restriction `reservation` that count in a phase, the ones to be asked first in front."""
MEASURES: Final = {"power": "POWER", "current": "CURRENT"}
_DAY = 24 * 3600


@dataclass(frozen=True)
class Moment:
    """Where the session stands: on the wall, in kWh, in seconds since it began; and the period's measurements."""

    at: Fraction
    wall: Wall
    kwh: Fraction
    elapsed: Fraction
    clock: Fraction | None
    period: Period


@dataclass(frozen=True)
class Active:
    element: Element
    component: Component


def moment(
    period: Period, zone: str | None, kwh: Fraction, clock: Fraction | None, at: Fraction | None = None
) -> Moment:
    """At the start of a period, or at an instant in it; `clock`: when time began to count."""
    at = period.start if at is None else at
    elapsed = Fraction(0) if clock is None else at - clock
    return Moment(at, wall(at, zone), kwh, elapsed, clock, period)


def asks_for_local_time(tariff: Tariff) -> bool:
    return any(LOCAL & element.restrictions.keys() for element in _ever_asked(tariff))


def asked(tariff: Tariff) -> set[str]:
    """Which of kwh, duration, power and current some element restricts."""
    stated = {name for element in _ever_asked(tariff) for name in element.restrictions}
    return {name[4:] for name in stated & BOUNDS}


def _ever_asked(tariff: Tariff) -> Iterator[Element]:
    for phase in _PHASES:
        yield from askable(tariff, phase)


def askable(tariff: Tariff, phase: str) -> Iterator[Element]:
    """The elements that are ever asked in a phase: one of their components is not hidden behind the same of an
    element without restrictions."""
    hidden: set[str] = set()
    for element in in_phase(tariff, phase):
        kinds = {component.kind for component in element.components}
        if kinds - hidden:
            yield element
        hidden |= kinds if not element.restrictions.keys() - {"reservation"} else set()


def in_phase(tariff: Tariff, phase: str) -> Iterator[Element]:
    """The elements of a phase, in the order in which they are asked."""
    for kind in _PHASES[phase]:
        for element in tariff.elements:
            if element.restrictions.get("reservation") == kind and not element.strange:
                yield element


def active(tariff: Tariff, kind: str, phase: str, moment: Moment, policy: Mapping[str, Any]) -> Active | None:
    """What prices a component `kind` now; None: nothing does."""
    for element in in_phase(tariff, phase):
        component = next((each for each in element.components if each.kind == kind), None)
        if component is not None and fulfilled(element, moment, policy):
            return Active(element, component)
    return None


def fulfilled(element: Element, now: Moment, policy: Mapping[str, Any]) -> bool:
    """All restrictions are true."""
    stated = element.restrictions
    return (
        _in_window(stated.get("start_time"), stated.get("end_time"), now.wall.seconds)
        and stated.get("start_date", now.wall.date) <= now.wall.date
        and ("end_date" not in stated or now.wall.date < stated["end_date"])
        and now.wall.weekday in stated.get("day_of_week", [now.wall.weekday])
        and _within(element, "kwh", now.kwh, now.kwh)
        and _within(element, "duration", now.elapsed, now.elapsed)
        and all(_measured(element, axis, *now.period.range(name), policy) for axis, name in MEASURES.items())
    )


def unmeasured(element: Element, period: Period) -> list[str]:
    """What the element asks for and the period does not state at all."""
    return [
        axis
        for axis, name in MEASURES.items()
        if {f"min_{axis}", f"max_{axis}"} & element.restrictions.keys() and period.range(name) == (None, None)
    ]


def _in_window(start: str | None, end: str | None, now: Fraction) -> bool:
    """From `start` to `end`, over midnight if need be; 00:00 is the end of the day."""
    begin, until = _clock(start or "00:00"), _clock(end or "00:00") or _DAY
    return begin <= now < until if begin < until else now >= begin or now < until


def _clock(text: str) -> int:
    return int(text[:2]) * 3600 + int(text[3:]) * 60


def _measured(
    element: Element, axis: str, least: Fraction | None, most: Fraction | None, policy: Mapping[str, Any]
) -> bool:
    """One of the two values stands for the other. A range that touches a bound meets it, unless all of it has to
    fit; what nobody measured is not fulfilled, unless the contract says so."""
    if not {f"min_{axis}", f"max_{axis}"} & element.restrictions.keys():
        return True
    least, most = most if least is None else least, least if most is None else most
    if least is None or most is None:
        return bool(policy["missing_measurement"] == "fulfilled")
    return _within(element, axis, *((most, least) if policy["measured_range"] == "touches" else (least, most)))


def _within(element: Element, axis: str, against_low: Fraction, against_high: Fraction) -> bool:
    """min <= value < max, of which either may be absent."""
    low, high = element.restrictions.get(f"min_{axis}"), element.restrictions.get(f"max_{axis}")
    return (low is None or low <= against_low) and (high is None or against_high < high)
