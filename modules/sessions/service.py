"""Sessions of our own chargers: reserved, begun, progressing, ended. OCPI mod_sessions.

Each function returns a `Unit` and commits nothing: who reports the fact (the charger's gateway) adds its own records
and commits all of it at once, before the charger is answered. So a stop that was acknowledged always has its session
and its CDR; or, when it cannot be priced, a charge that is *held* until it can (`bill_held`). One that claims more
energy than its connector can give is held until an operator has looked at it (`release`).

COMPLETED is final (REQ-144): only a correction of the bill itself comes after it. `last_updated` is by our clock and
always moves on, whatever the charger's clock says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import uuid4

import structlog

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub, Place
from hub.core.units import ABSENT, ANY, Audit, Unit
from modules.bookings import service as bookings
from modules.cdrs import service as cdrs
from modules.cdrs.build import running
from modules.locations import service as locations
from modules.sessions import store as sessions
from modules.sessions.charge import Charge, State, held_sessions, load, load_held, put_of, raw
from modules.sessions.facts import facts_of, without_tariffs
from modules.sessions.plausible import first_kwh, judge
from modules.tariffs import service as tariffs
from modules.tariffs.pricing import PricingFault
from modules.tokens.authorize import Decision

log = structlog.get_logger()

_MILLISECOND: Final = timedelta(milliseconds=1)
_AT_ONCE: Final = 1000

TOLD_EVERY: Final = timedelta(seconds=60)
"""A partner hears of meter values at most this often, by the charger's clock; of everything else at once."""


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
    _tell(hub, charge, unit, "ACTIVE", begun.at)
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
    _tell(hub, charge, unit, "RESERVATION", at)
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
        _tell(hub, charge, unit, "ACTIVE", max(at, charge.start, charge.told_until or at))
        unit.put(put_of(charge))
    return unit


def end(hub: Hub, charge: Charge, *, at: datetime, meter_kwh: Decimal | None, remark: str = "") -> Unit:
    """The charge is over: the session COMPLETED and its CDR, in one unit."""
    charge.meter_stop_kwh = meter_kwh
    if remark:
        charge.remark = f"{charge.remark}; {remark}" if charge.remark else remark
    return _completed(hub, charge, at)


def _completed(hub: Hub, charge: Charge, at: datetime) -> Unit:
    unit = _over(hub, charge, at)
    if not _is_doubted(charge, unit):
        facts, optional = facts_of(hub, charge), charge.reservation_only
        charge.held = not cdrs.issue(hub, facts, charge.owner, unit, only_if_it_costs=optional)
    return unit.put(put_of(charge))


def _over(hub: Hub, charge: Charge, at: datetime) -> Unit:
    """It has ended at `at`, and its Session says so."""
    charge.end = max(at, charge.start)
    judge(charge)
    unit = Unit()
    _tell(hub, charge, unit, "COMPLETED", charge.end)
    return unit


def _is_doubted(charge: Charge, unit: Unit) -> bool:
    """Is there to be no CDR before an operator has seen it? Then it is held, and that is recorded. Nobody pays for a
    charge without an owner, so there is nothing to hold."""
    if not charge.doubt or not charge.owner:
        return False
    charge.held = True
    unit.audited(Audit("busbar", "cdr.held", charge.session_id, charge.doubt))
    log.error("cdr held", session=charge.session_id, why=charge.doubt)
    return True


async def correct(hub: Hub, charge: Charge, *, at: datetime, meter_kwh: Decimal | None, remark: str = "") -> Unit:
    """It had ended by our estimate, and now the charger has said how: the CDR is credited and issued anew (R24)."""
    charge.meter_stop_kwh = meter_kwh
    charge.remark = remark
    unit = _over(hub, charge, at)
    if not _is_doubted(charge, unit):  # else what was issued stands until it is released
        charge.held = not await cdrs.reissue(hub, facts_of(hub, charge), charge.owner, unit)
    return unit.put(put_of(charge))


async def bill_held(hub: Hub, session_id: str) -> bool:
    """Issue the CDR of a charge that is held, now that its tariffs are at hand. Commits.

    What was frozen at the start is used as far as it can be; a tariff that was missing then is taken as it is now, and
    if that is not enough, all are. Returns: False, while it cannot be priced or is doubted, or when it is not held.
    Raises: Conflict.
    """
    found = await load_held(hub.store, session_id)
    if found is None or found[0].doubt:
        return False
    return await _billed(hub, *found)


async def release(hub: Hub, session_id: str, *, actor: str, kwh: Decimal | None = None) -> None:
    """An operator lets a held charge be billed: with `kwh`, or with what the charger said. Commits.

    Raises: NotFound; InvalidRequest, when it is not held, or cannot be priced; Conflict.
    """
    found = await load_held(hub.store, session_id)
    if found is None:
        if await load(hub.store, session_id) is None:
            raise NotFound("there is no such session")
        raise InvalidRequest("the bill of this session is not held")
    charge, version = found
    doubt, charge.doubt, charge.counted_kwh = charge.doubt, "", None
    if kwh is not None:
        _count(charge, kwh)
    figure = f"{kwh} kWh" if kwh is not None else "as the charger said"
    audit = Audit(actor, "cdr.released", session_id, f"{figure}; was held: {doubt or 'it could not be priced'}")
    if not await _billed(hub, charge, version, released=audit):
        raise InvalidRequest("this session cannot be priced yet: are its tariffs there?")


def _count(charge: Charge, kwh: Decimal) -> None:
    """Let the register at the end be such that it makes `kwh`."""
    first = first_kwh(charge) or Decimal(0)
    charge.meter_start_kwh = first
    charge.counted_kwh = first + kwh


async def _billed(hub: Hub, charge: Charge, version: int, *, released: Audit | None = None) -> bool:
    """Returns: False, when it cannot be priced; then nothing is kept. Raises: Conflict."""
    frozen, today = charge.tariff_trees(), await _tariffs_today(hub, charge)
    known = {tree["id"].upper() for tree in frozen}
    for trees in ([*frozen, *(tree for tree in today if tree["id"].upper() not in known)], today):
        charge.tariffs, unit = raw(trees), Unit()
        if released is not None:
            _tell(hub, charge, unit, "COMPLETED", charge.end or charge.start)
            unit.audited(released)
        facts, optional = facts_of(hub, charge), charge.reservation_only
        if await cdrs.reissue(hub, facts, charge.owner, unit, only_if_it_costs=optional):
            charge.held = False
            await hub.store.commit(unit.put(put_of(charge, expect=version)))
            return True
    return False


async def bill_all_held(hub: Hub) -> int:
    """Try again with all charges that are held. Returns: how many were billed. To be called every few minutes."""
    billed = 0
    for session_id in await held_sessions(hub.store, limit=_AT_ONCE):
        try:
            billed += await bill_held(hub, session_id)
        except Conflict:
            log.info("held charge was changed meanwhile", session=session_id)
    return billed


async def _tariffs_today(hub: Hub, charge: Charge) -> list[Tree]:
    location = charge.tree_of_location()
    connector = locations.connector_in(locations.evse_in(location, charge.evse_uid), charge.connector_id)
    return await tariffs.snapshot(hub.store, location_party(location), connector.get("tariff_ids") or [])


def _state_before(charge: Charge, at: datetime) -> str:
    earlier = [state.state for state in charge.states if state.at <= at]
    return earlier[-1] if earlier else ""


async def _new_charge(hub: Hub, begun: Begun) -> Charge:
    place, decision = begun.place, begun.decision
    location = await locations.get_tree(hub.store, place.location)
    evse = locations.evse_in(location, place.evse_uid)
    connector = locations.connector_in(evse, place.connector_id)
    frozen = await tariffs.snapshot(hub.store, location_party(location), connector.get("tariff_ids") or [])
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


def location_party(location: Tree) -> str:
    return f"{location['country_code']}*{location['party_id']}"


def _tell(hub: Hub, charge: Charge, unit: Unit, status: str, at: datetime) -> None:
    """Write the Session as it is at `at` and say that it changed; nobody is told of a charge without a known token."""
    is_new, charge.told_until = charge.told_until is None, at
    if not charge.owner:
        return
    now = hub.clock.now()
    charge.told_at = now if charge.told_at is None else max(now, charge.told_at + _MILLISECOND)
    so_far = _running(hub, charge, at)
    if so_far.total_cost is None and is_new:
        unit.audited(Audit("busbar", "session.unpriced", charge.session_id))
    put = sessions.put_of(_tree(hub, charge, status, so_far), charge.owner)
    unit.put(put).tells(sessions.change_of(put, trace.correlation()))


class _SoFar(NamedTuple):
    """Energy in kWh, ChargingPeriod trees, and a Price tree; no price where there is none."""

    kwh: Decimal
    charging_periods: list[Tree]
    total_cost: Tree | None


def _running(hub: Hub, charge: Charge, at: datetime) -> _SoFar:
    facts = facts_of(hub, charge)
    try:
        priced = running(facts, at)
    except PricingFault as fault:
        log.warning("session cannot be priced", session=charge.session_id, why=fault.message)
    else:
        return _SoFar(priced.kwh, priced.charging_periods, priced.total_cost)
    try:
        measured = running(without_tariffs(facts), at)
    except PricingFault:
        return _SoFar(Decimal(0), [], None)
    return _SoFar(measured.kwh, measured.charging_periods, None)


def _tree(hub: Hub, charge: Charge, status: str, so_far: _SoFar) -> Tree:
    token = charge.tree_of_token()
    party = Party.parse(charge.location.split("/", 1)[0])
    tree: Tree = {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "id": charge.session_id,
        "start_date_time": timestamp(charge.start),
        "end_date_time": timestamp(charge.end) if charge.end is not None else None,
        "kwh": so_far.kwh,
        "cdr_token": {name: token[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")},
        "auth_method": charge.auth_method,
        "authorization_reference": charge.reference,
        "location_id": charge.tree_of_location()["id"],
        "evse_uid": charge.evse_uid,
        "connector_id": charge.connector_id,
        "currency": _currency(hub, charge),
        "charging_periods": so_far.charging_periods or None,
        "total_cost": so_far.total_cost,
        "status": status,
        "last_updated": timestamp(charge.told_at or hub.clock.now()),
    }
    return {name: value for name, value in tree.items() if value is not None}


def _currency(hub: Hub, charge: Charge) -> str:
    trees = charge.tariff_trees()
    return str(trees[0]["currency"]) if trees else hub.settings.currency
