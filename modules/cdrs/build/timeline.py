"""A session told as a timeline, cut into the charging periods that a CDR would have. For whoever asks what if.

The states are those of a connector (`PARKED`), and before them RESERVED. Before the first state the EVSE offers
energy. The tariff is the first that is in force at the beginning, and stays.

Readings of the meter need not lie within the timeline: what it showed at an edge is interpolated between the last
reading before it and the first after it. Within `AT_THE_EDGE` of an edge, on either side, one counts as taken there, as
in a charge of ours, whose charger's clock and ours are never quite the same; then nothing is interpolated there.

What the meter gained while the EVSE was reserved is not the driver's: where a reservation came first, the edge is where
the charge began, and a reading from before that counts as one from before a start.
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
        start=_session_start(timeline),
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
    if _outside(timeline, _charge_start(timeline)):
        yield Warned(Code.METER_READ_OUTSIDE, subject="ENERGY")
    if len(_within(timeline)) == 1:
        yield Warned(Code.SINGLE_METER_READING, subject="ENERGY")
    if any(later < earlier for earlier, later in pairwise(shown)):
        yield Warned(Code.METER_RUNS_BACKWARDS, subject="ENERGY")


def _outside(timeline: Timeline, begun: datetime) -> list[Sample]:
    """Readings of so long before the charge began or after it ended that no clock explains it, in order of time."""
    readings = sorted(timeline.register, key=lambda reading: reading.at)
    return [each for each in readings if max(begun - each.at, each.at - timeline.end) > AT_THE_EDGE]


def _within(timeline: Timeline) -> list[Sample]:
    """The readings of the charge; those outside only as what they say of an edge of it. Raises: UnfitSession."""
    begun = _charge_start(timeline)
    outside = _outside(timeline, begun)
    before = [reading for reading in outside if reading.at < begun]
    after = [reading for reading in outside if reading.at > timeline.end]
    readings = sorted(timeline.register, key=lambda reading: reading.at)
    inside = readings[len(before) : len(readings) - len(after)]
    if not inside and bool(before) != bool(after):
        side = "before the charge began" if before else "after the end"
        raise UnfitSession(
            f"every meter reading was taken more than a minute {side}, so that nothing is known of what was charged"
        )
    edges = []
    if before:
        edges += _at_edge(begun, before[-1], (inside or after)[0])
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


def _session_start(timeline: Timeline) -> datetime | None:
    """When charging began; None for a reservation of which nothing came."""
    started = [state.at for state in timeline.states if state.state != RESERVED]
    if len(started) == len(timeline.states):
        return timeline.start
    return max(min(started), timeline.start) if started else None


def _charge_start(timeline: Timeline) -> datetime:
    """From when on what the meter gains is charged; the start, where there is only a reservation."""
    begun = _session_start(timeline)
    return timeline.start if begun is None else min(begun, timeline.end)
