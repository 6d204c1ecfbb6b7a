"""A session told as a timeline, cut into the charging periods that a CDR would have. For whoever asks what if.

The states are those of a connector (`PARKED`), and before them RESERVED. Before the first state the EVSE offers
energy. The tariff is the first that is in force at the beginning, and stays.

Readings of the meter need not lie within the timeline: what it showed at an edge is interpolated between the last
reading before it and the first after it. Within `AT_THE_EDGE` of an edge, on either side, one counts as taken there, as
in a charge of ours, whose charger's clock and ours are never quite the same; then nothing is interpolated there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from hub.core.parties import Party
from modules.cdrs.build.bill import charging_periods
from modules.cdrs.build.course import whole_ms
from modules.cdrs.build.facts import Sample, SessionFacts, State
from modules.tariffs.pricing import KWH, Code, Compiled, UnfitSession, Warned, in_force, in_units, instant, rounded

RESERVED: Final = "RESERVED"
AT_THE_EDGE: Final = timedelta(minutes=1)
_PLACES: Final = 9
"""Decimals of a kWh in what is interpolated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What happened from `start` to `end`; samples as in `SessionFacts`."""

    start: datetime
    end: datetime
    states: Sequence[State] = ()
    register: Sequence[Sample] = ()
    power: Sequence[Sample] = ()
    current: Sequence[Sample] = ()


@dataclass(frozen=True, slots=True)
class Pieces:
    """The ChargingPeriod trees of a timeline, and the tariff that prices them."""

    periods: list[dict[str, Any]]
    tariff: Compiled


def cut(timeline: Timeline, tariffs: Sequence[Compiled], zone: str | None, *, expired: bool | None = None) -> Pieces:
    """Cut a timeline for the tariff that is in force at its start. Raises: PricingFault.

    expired: did the reservation; None where nobody says: then it did if nothing came of it.
    """
    begin, end = whole_ms(timeline.start, "the start"), whole_ms(timeline.end, "the end")
    if end < begin:
        raise UnfitSession("the session ends before it starts")
    tariff = in_force(tariffs, begin, None)
    states = sorted(timeline.states, key=lambda state: state.at)
    reserved = [state for state in states if state.state == RESERVED]
    started = [state for state in states if state.state != RESERVED]
    if reserved and started and reserved[-1].at >= started[0].at:
        raise UnfitSession("a session is not reserved any more once it has begun")
    facts = SessionFacts(
        session_id="",
        party=Party("XX", "XXX"),
        token={},
        location={"time_zone": zone},
        evse_uid="",
        connector_id="",
        tariffs=(),
        currency="",
        auth_method="",
        start=_session_start(timeline, reserved, started),
        end=timeline.end,
        register=_within(timeline),
        states=started,
        power=timeline.power,
        current=timeline.current,
        reservation_start=timeline.start if reserved else None,
        reservation_expired=not started if expired is None else expired,
    )
    return Pieces(charging_periods(facts, tariff, begin, end), tariff)


def doubts_of(timeline: Timeline) -> Iterator[Warned]:
    """Why the register of a timeline may not say what was charged. It is billed all the same: last less first.

    Raises: UnfitSession, as `cut` does.
    """
    shown = [kwh for _, kwh in sorted(timeline.register, key=lambda reading: reading.at)]
    if any(_is_outside(timeline, reading) for reading in timeline.register):
        yield Warned(Code.METER_READ_OUTSIDE, subject="ENERGY")
    if len(_within(timeline)) == 1:
        yield Warned(Code.SINGLE_METER_READING, subject="ENERGY")
    if any(later < earlier for earlier, later in pairwise(shown)):
        yield Warned(Code.METER_RUNS_BACKWARDS, subject="ENERGY")


def _is_outside(timeline: Timeline, reading: Sample) -> bool:
    """Was it taken so long before the start or after the end that no clock explains it?"""
    return max(timeline.start - reading.at, reading.at - timeline.end) > AT_THE_EDGE


def _within(timeline: Timeline) -> list[Sample]:
    """The readings from start to end; those outside only as what they say of an edge. Raises: UnfitSession."""
    readings = sorted(timeline.register, key=lambda reading: reading.at)
    outside = [reading for reading in readings if _is_outside(timeline, reading)]
    if not outside:
        return readings
    inside = [reading for reading in readings if not _is_outside(timeline, reading)]
    before = [reading for reading in outside if reading.at < timeline.start]
    after = [reading for reading in outside if reading.at > timeline.end]
    if not inside and bool(before) != bool(after):
        side = "before the start" if before else "after the end"
        raise UnfitSession(
            f"every meter reading was taken more than a minute {side}, so that nothing is known of what was charged"
        )
    edges = []
    if before:
        edges += _at_edge(timeline.start, before[-1], (inside or after)[0])
    if after:
        edges += _at_edge(timeline.end, (inside or before)[-1], after[0])
    return [*inside, *edges]


def _at_edge(edge: datetime, before: Sample, after: Sample) -> list[Sample]:
    """What the meter showed at an edge between two readings; none, where one of them was taken there."""
    if min(edge - before.at, after.at - edge) <= AT_THE_EDGE:
        return []
    (t0, e0), (t1, e1) = (
        (instant(at, "a meter reading"), in_units(kwh, KWH, "a meter reading")) for at, kwh in (before, after)
    )
    share = Fraction(instant(edge, "an edge") - t0, t1 - t0)
    return [Sample(edge, rounded(e0 + (e1 - e0) * share, KWH, _PLACES))]


def _session_start(timeline: Timeline, reserved: Sequence[State], started: Sequence[State]) -> datetime | None:
    """When charging began; None for a reservation of which nothing came."""
    if not reserved:
        return timeline.start
    return max(started[0].at, timeline.start) if started else None
