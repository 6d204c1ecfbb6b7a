"""A session told as a timeline, cut into the charging periods that a CDR would have. For whoever asks what if.

The states are those of a connector (`PARKED`), and before them RESERVED. Before the first state the EVSE offers
energy. The tariff is the first that is in force at the beginning, and stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from hub.core.parties import Party
from modules.cdrs.build.bill import charging_periods
from modules.cdrs.build.course import whole_ms
from modules.cdrs.build.facts import Sample, SessionFacts, State
from modules.tariffs.pricing import Code, Compiled, UnfitSession, Warned, in_force

RESERVED: Final = "RESERVED"


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
        register=timeline.register,
        states=started,
        power=timeline.power,
        current=timeline.current,
        reservation_start=timeline.start if reserved else None,
        reservation_expired=not started if expired is None else expired,
    )
    return Pieces(charging_periods(facts, tariff, begin, end), tariff)


def doubts_of(timeline: Timeline) -> Iterator[Warned]:
    """Why the register of a timeline may not say what was charged. It is billed all the same: last less first."""
    shown = [kwh for _, kwh in sorted(timeline.register, key=lambda reading: reading.at)]
    if len(shown) == 1:
        yield Warned(Code.SINGLE_METER_READING, subject="ENERGY")
    if any(later < earlier for earlier, later in pairwise(shown)):
        yield Warned(Code.METER_RUNS_BACKWARDS, subject="ENERGY")


def _session_start(timeline: Timeline, reserved: Sequence[State], started: Sequence[State]) -> datetime | None:
    """When charging began; None for a reservation of which nothing came."""
    if not reserved:
        return timeline.start
    return max(started[0].at, timeline.start) if started else None
