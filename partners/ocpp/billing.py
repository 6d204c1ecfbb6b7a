"""What an effect of the ledger means for sessions and CDRs: one unit, which the ledger's own records join.

    opened     a session begins (not for a refused token, nor at a place that is on no record)
    grew       its readings grow
    ended      the session is over and its CDR is issued
    revised    it was over by our estimate, and the charger has now said how it really was: credit and new CDR
    reopened   as revised, but the real end is still to come: nothing is told until it does (COMPLETED is final)
    doubted    the bill stands; the operator sees what is odd about it

Energy is the ledger's (meterStop - meterStart, and its rules for when that is not to be had), so the last register
reading handed on is the first one plus that energy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from msgspec.structs import astuple

from hub.core.errors import UnknownLocation
from hub.core.ports import Hub, Place
from hub.core.units import Unit
from modules.sessions import service as sessions
from modules.sessions.charge import Charge, State
from modules.sessions.charge import Reading as Kept
from modules.tokens.authorize import Decision
from partners.ocpp import signed_values, weighing
from partners.ocpp.events import Flag, Transaction
from partners.ocpp.readings import Reading


@dataclass(frozen=True, slots=True)
class Opening:
    """What a start brings beside the event: where, what the token was answered, and the reservation it takes up."""

    place: Place | None
    decision: Decision
    reserved: Charge | None = None
    unit: Unit | None = None
    correlation_id: str = ""
    spent: Unit | None = None
    """Uses up what was remembered of the token; written even where no session can be."""

    @property
    def is_billable(self) -> bool:
        return self.place is not None and self.decision.accepted


async def begin(hub: Hub, charge: Transaction, opening: Opening) -> tuple[Charge, Unit]:
    """The session of a new charge. Raises: UnknownLocation."""
    place = opening.place
    if place is None:
        raise UnknownLocation
    begun = sessions.Begun(place, opening.decision, charge.start, _kwh(charge.meter_start_wh))
    session, unit = await sessions.begin(hub, begun, reserved=opening.reserved)
    return session, joined(unit, opening.unit, grow(hub, session, charge))


def grow(hub: Hub, session: Charge, charge: Transaction, states: Sequence[State] = ()) -> Unit:
    """Readings and states that are new."""
    states = [*states, *(State(at, state) for at, state in charge.states)]
    if charge.otherwise is not None:
        charge = weighing.shown(session, charge)
        session.meter_start_kwh, session.readings = _kwh(charge.meter_start_wh), []
    grew = _read(session, charge.readings)
    known = {state.at for state in session.states}
    fresh = [state for state in states if state.at not in known and state.at >= session.start]
    if not grew and not fresh:
        return Unit()
    at = max([session.start, *(reading.at for reading in session.readings[-1:]), *(state.at for state in fresh)])
    return sessions.progress(hub, session, fresh, at=at)


def is_settled(session: Charge, charge: Transaction) -> bool:
    """Is the session over, with the very beginning, end and energy that the ledger has now?"""
    if session.doubt.startswith(weighing.UNMEASURED) and weighing.doubted(session, charge) is None:
        return False  # what was measured has come, be it nothing
    charge = weighing.billed(session, charge)
    are_states = not charge.states or session.states == _states(session, charge)
    is_begin = session.start <= charge.start and session.meter_start_kwh == _last(charge) - charge.energy_kwh
    is_end = session.end == charge.end and session.meter_stop_kwh == _last(charge)
    return not session.is_open and is_begin and is_end and are_states


def end(hub: Hub, session: Charge, charge: Transaction) -> Unit:
    """The session is over, as the charger said, or as it must have been."""
    doubted, charge = weighing.doubted(session, charge), weighing.billed(session, charge)
    _complete(session, charge)
    at = charge.end or session.start
    meter_kwh, remark, longest = _last(charge), charge.remark, charge.longest
    return sessions.end(hub, session, at=at, meter_kwh=meter_kwh, remark=remark, doubted=doubted, longest=longest)


async def correct(hub: Hub, session: Charge, charge: Transaction, *, version: int) -> Unit:
    """The end was estimated and is known now; or what was taken for it is another charge's (`used_again.py`), and
    nothing else was ever measured.

    `version` is that of the session as it was read.
    """
    doubted, charge = weighing.doubted(session, charge), weighing.billed(session, charge)
    _complete(session, charge)
    return await sessions.correct(
        hub,
        session,
        at=charge.end or session.start,
        meter_kwh=_last(charge),
        remark=charge.remark,
        doubted=doubted,
        longest=charge.longest,
        groundless=charge.ending == "estimated" and Flag.NOT_MEASURED in charge.flags,
        version=version,
    )


def joined(*units: Unit | None) -> Unit:
    """One unit of several."""
    whole = Unit()
    for unit in units:
        if unit is not None:
            whole.writes += unit.writes
            whole.changes += unit.changes
            whole.audits += unit.audits
    return whole


def _complete(session: Charge, charge: Transaction) -> None:
    sessions.date_back(session, charge.start)
    if charge.states:
        session.states = _states(session, charge)
    session.meter_start_kwh = _last(charge) - charge.energy_kwh
    session.signed = [signed_values.kept(value) for value in charge.signed]
    session.readings = []  # all of them are read again: their unit may have been another while it went on
    _read(session, charge.readings)


def _states(session: Charge, charge: Transaction) -> list[State]:
    """Those that the charger told with the charge, whatever order they came in."""
    told = [State(at, state) for at, state in charge.states if at > session.start]
    before = [state for at, state in charge.states if at <= session.start]
    return [State(session.start, before[-1] if before else "CHARGING"), *told]


def _last(charge: Transaction) -> Decimal:
    """The register at the end, in kWh, such that the first reading and the energy make it up."""
    first, last = _kwh(charge.meter_start_wh), _kwh(charge.meter_stop_wh)
    if first is not None:
        return first + charge.energy_kwh
    return last if last is not None else charge.energy_kwh


def _read(session: Charge, readings: Sequence[Reading]) -> bool:
    """Let `session` have the readings of the ledger. Returns: were there others?"""
    before, count = session.readings, len(session.readings)
    if 0 < count < len(readings) and readings[count - 1].at == before[-1].at and not _has_steps(readings[count:]):
        session.readings = [*before, *_kept(readings[count:], Decimal(0))]
        return True
    session.readings = _kept(readings, session.meter_start_kwh or Decimal(0))
    return session.readings != before


def _kept(readings: Sequence[Reading], total: Decimal) -> list[Kept]:
    """As the session keeps them. What was told of one moment in several messages is one reading."""
    kept: dict[datetime, Kept] = {}
    for reading in readings:
        total += reading.step_kwh or 0
        if reading.at is None:
            continue
        kwh = reading.energy_kwh if reading.energy_kwh is not None or reading.step_kwh is None else total
        told = Kept(reading.at, kwh, reading.power_kw, reading.current_a, reading.soc)
        known = kept.get(reading.at)
        kept[reading.at] = told if known is None else _both(known, told)
    return list(kept.values())


def _both(first: Kept, second: Kept) -> Kept:
    values = (a if b is None else b for a, b in zip(astuple(first)[1:], astuple(second)[1:], strict=True))
    return Kept(first.at, *values)


def _has_steps(readings: Sequence[Reading]) -> bool:
    return any(reading.step_kwh is not None for reading in readings)


def _kwh(meter_wh: Decimal | None) -> Decimal | None:
    return None if meter_wh is None else meter_wh / 1000
