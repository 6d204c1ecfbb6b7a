"""Sessions of our own chargers: reserved, begun, progressing, ended. OCPI mod_sessions.

Each function returns a `Unit` and commits nothing: who reports the fact (the charger's gateway) adds its own records
and commits all of it at once, before the charger is answered. So a stop that was acknowledged always has its session
and its CDR; or, when it cannot be priced, a charge that is *held* until it can (`bill_held`). One that claims more
energy than its connector can give is held until an operator has looked at it (`ruling.py`). Until it is billed or
dropped the Session of a held charge stays ACTIVE, with the energy of the last reading that can be.

COMPLETED is final (mod_sessions_sessionstatus_enum): a Session that was told as COMPLETED is never written again,
neither for those we push to nor for those who pull. What is found out later is said by CDRs alone: credit, and a new
one. `last_updated` is by our clock and always moves on, whatever the charger's clock says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import uuid4

import structlog

from hub.core.ports import Hub, Place
from hub.core.units import ABSENT, ANY, Audit, Unit
from modules.bookings import service as bookings
from modules.cdrs import service as cdrs
from modules.locations import service as locations
from modules.sessions.charge import Charge, State, put_of, raw
from modules.sessions.facts import facts_of, party_of
from modules.sessions.held import bill_all_held, bill_held
from modules.sessions.plausible import Doubted, could_give, judge
from modules.sessions.ruling import AS_METERED, AsMetered, drop, release
from modules.sessions.telling import tell
from modules.tariffs import service as tariffs
from modules.tokens.authorize import Decision

__all__ = [
    "AS_METERED",
    "TOLD_EVERY",
    "AsMetered",
    "Begun",
    "Doubted",
    "begin",
    "bill_all_held",
    "bill_held",
    "correct",
    "could_give",
    "date_back",
    "drop",
    "end",
    "end_reservation",
    "progress",
    "release",
    "reserve",
]

log = structlog.get_logger()

TOLD_EVERY: Final = timedelta(seconds=60)
"""A partner hears of meter values at most this often, by the charger's clock; of everything else at once."""

_CREDITED: Final = "its CDR was credited, as nothing that it was made of is of this charge"


@dataclass(frozen=True, slots=True)
class Begun:
    """A transaction that a charger began. `at` is the charger's time, as billing takes it."""

    place: Place
    decision: Decision
    at: datetime
    meter_kwh: Decimal | None
    remark: str = ""


async def begin(hub: Hub, begun: Begun, *, reserved: Charge | None = None) -> tuple[Charge, Unit]:
    """A charge begins; with `reserved`, the one that was reserved becomes active (REQ-146).

    Raises: UnknownLocation, when the place is not on record.
    """
    charge = await _taken_up(hub, begun, reserved) if reserved else await _new_charge(hub, begun)
    charge.reservation_only = False
    charge.start = begun.at
    charge.meter_start_kwh = begun.meter_kwh
    charge.states = [State(begun.at, "CHARGING")]
    charge.remark = begun.remark
    unit = Unit()
    token = begun.decision.token or {}
    used = await bookings.used_by(hub, charge.location, charge.evse_uid, token, at=begun.at)
    if used is not None:
        charge.booking_id, charge.reference = used.booking_id, used.reference
        unit.put(used.begun(charge.session_id, charge.station, charge.evse_uid, begun.at))
    tell(hub, charge, unit, "ACTIVE", begun.at)
    return charge, unit.put(put_of(charge, expect=ANY if reserved else ABSENT))


async def _taken_up(hub: Hub, begun: Begun, reserved: Charge) -> Charge:
    """The reserved charge; where its driver plugged in elsewhere, that place counts from now on."""
    here = (begun.place.location, begun.place.evse_uid, begun.place.connector_id)
    if here != (reserved.location, reserved.evse_uid, reserved.connector_id):
        moved = await _new_charge(hub, begun)
        moved.session_id, moved.reserved_from = reserved.session_id, reserved.reserved_from
        moved.told_until, moved.told_at = reserved.told_until, reserved.told_at
        reserved = moved
    if reserved.reserved_from is not None:  # a charger whose clock is slow may begin before we reserved
        reserved.reserved_from = min(reserved.reserved_from, begun.at)
    return reserved


async def reserve(hub: Hub, place: Place, decision: Decision, *, at: datetime) -> tuple[Charge, Unit]:
    """A reservation was accepted: a Session of status RESERVATION (REQ-146). Raises: UnknownLocation."""
    charge = await _new_charge(hub, Begun(place, decision, at, None))
    charge.reserved_from = at
    charge.reservation_only = True
    unit = Unit()
    tell(hub, charge, unit, "RESERVATION", at)
    return charge, unit.put(put_of(charge, expect=ABSENT))


def end_reservation(hub: Hub, charge: Charge, *, at: datetime, expired: bool) -> Unit:
    """An unused reservation is over: its session is COMPLETED, and a CDR follows where it costs anything."""
    charge.reservation_expired = expired
    return _completed(hub, charge, at)


def progress(hub: Hub, charge: Charge, states: list[State], *, at: datetime) -> Unit:
    """New readings, which `charge` has, or states. The partner hears of a state at once, of readings now and then."""
    unit = Unit()
    if not charge.is_open:
        return unit
    news = [state for state in states if _state_before(charge, state.at) != state.state]
    if news:
        charge.states = sorted([*charge.states, *news], key=lambda state: state.at)
    due = charge.told_until is None or at - charge.told_until >= TOLD_EVERY
    if news or due:
        tell(hub, charge, unit, "ACTIVE", max(at, charge.start, charge.told_until or at))
        unit.put(put_of(charge))
    return unit


def date_back(charge: Charge, start: datetime) -> None:
    """It began before we heard of it, as is known only with its end: its charger was offline and its clock wrong."""
    if start >= charge.start:
        return
    charge.states = [State(start, each.state) if each.at == charge.start else each for each in charge.states]
    charge.start = start
    if charge.reserved_from is not None:
        charge.reserved_from = min(charge.reserved_from, start)


def end(
    hub: Hub,
    charge: Charge,
    *,
    at: datetime,
    meter_kwh: Decimal | None,
    remark: str = "",
    doubted: Doubted | None = None,
    longest: timedelta | None = None,
) -> Unit:
    """The charge is over: the session COMPLETED and its CDR, in one unit; or, where it is held, neither yet.

    `longest`: how long it can have gone on at the most; None, where nobody can say.
    """
    charge.meter_stop_kwh = meter_kwh
    if remark:
        charge.remark = f"{charge.remark}; {remark}" if charge.remark else remark
    return _completed(hub, charge, at, doubted, longest)


def _completed(
    hub: Hub, charge: Charge, at: datetime, doubted: Doubted | None = None, longest: timedelta | None = None
) -> Unit:
    unit, bill = Unit(), Unit()
    _over(charge, at, doubted, longest)
    if not _is_doubted(hub, charge, unit):
        facts, optional = facts_of(hub, charge), charge.reservation_only
        charge.unpriced = cdrs.issue(hub, facts, charge.owner, bill, only_if_it_costs=optional)
        _hold(hub, charge, held=bool(charge.unpriced))
    _tell_its_end(hub, charge, unit, at)
    return unit.joins(bill).put(put_of(charge))


def _tell_its_end(hub: Hub, charge: Charge, unit: Unit, at: datetime) -> None:
    """COMPLETED with what is billed; or, while that is not known, as it was, without an end."""
    charge.kept_active = charge.held
    running = "RESERVATION" if charge.reservation_only else "ACTIVE"
    tell(hub, charge, unit, running if charge.held else "COMPLETED", charge.end or at)


def _over(charge: Charge, at: datetime, doubted: Doubted | None, longest: timedelta | None) -> None:
    """It has ended at `at`."""
    charge.end = max(at, charge.start)
    judge(charge, longest=longest)
    if doubted is not None:
        charge.doubt, charge.counted_kwh = doubted


def _is_doubted(hub: Hub, charge: Charge, unit: Unit) -> bool:
    """Is there to be no CDR before an operator has seen it? Then it is held, and that is recorded. Nobody pays for a
    charge without an owner, so there is nothing to hold."""
    if not charge.doubt or not charge.owner:
        return False
    _hold(hub, charge, held=True)
    unit.audited(Audit("busbar", "cdr.held", charge.session_id, charge.doubt))
    log.error("cdr held", session=charge.session_id, why=charge.doubt)
    return True


def _hold(hub: Hub, charge: Charge, *, held: bool) -> None:
    since = charge.held_since if charge.held else None
    charge.held, charge.held_since = held, (since or hub.clock.now()) if held else None


async def correct(
    hub: Hub,
    charge: Charge,
    *,
    at: datetime,
    meter_kwh: Decimal | None,
    remark: str = "",
    doubted: Doubted | None = None,
    longest: timedelta | None = None,
    groundless: bool = False,
    version: int = ANY,
) -> Unit:
    """It had ended by our estimate, and now the charger has said how: the CDR is credited and issued anew (R24).

    A Session that was told as COMPLETED stays as it was told. `longest`: as in `end`. Where it is doubted, what was
    billed stands until an operator has seen it; unless that is `groundless`, nothing it rested on being of this charge.
    `version` is that of the charge as it was read.
    """
    unit = Unit()
    if charge.decided:
        return unit.audited(Audit("busbar", "cdr.kept", charge.session_id, f"as the operator {charge.decided} it"))
    charge.meter_stop_kwh = meter_kwh
    charge.remark = remark
    _over(charge, at, doubted, longest)
    if _is_doubted(hub, charge, unit):
        if groundless and await cdrs.credit_all(hub, facts_of(hub, charge), charge.owner, unit):
            charge.doubt = f"{charge.doubt}; {_CREDITED}"
    else:
        bill = Unit()
        charge.unpriced = await cdrs.reissue(hub, facts_of(hub, charge), charge.owner, bill)
        _hold(hub, charge, held=bool(charge.unpriced))
        if charge.kept_active:
            _tell_its_end(hub, charge, unit, at)
        unit.joins(bill)
    return unit.put(put_of(charge, expect=version))


def _state_before(charge: Charge, at: datetime) -> str:
    earlier = [state.state for state in charge.states if state.at <= at]
    return earlier[-1] if earlier else ""


async def _new_charge(hub: Hub, begun: Begun) -> Charge:
    place, decision = begun.place, begun.decision
    location = await locations.get_whole(hub.store, place.location)
    evse = locations.evse_in(location, place.evse_uid)
    connector = locations.connector_in(evse, place.connector_id)
    frozen = await tariffs.snapshot(hub.store, party_of(location), connector.get("tariff_ids") or [])
    return Charge(
        session_id=str(uuid4()),
        station=place.station,
        connector=place.connector,
        location=place.location,
        evse_uid=place.evse_uid,
        connector_id=place.connector_id,
        owner=decision.owner,
        auth_method=decision.auth_method,
        token=raw(decision.token or {}),
        location_tree=raw({**location, "evses": [evse]}),
        tariffs=raw(frozen),
        start=begun.at,
        reference=decision.reference,
    )
