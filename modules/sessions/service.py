"""Sessions of our own chargers: reserved, begun, progressing, ended; and what partners may ask of them. OCPI mod_sessions.

Each function returns a `Unit` and commits nothing: who reports the fact (the charger's gateway) adds its own records and
commits all of it at once, before the charger is answered. So a stop that was acknowledged always has its session and
its CDR. COMPLETED is final (REQ-144).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import uuid4

import structlog

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub, Place
from hub.core.units import ABSENT, Audit, Unit
from modules.cdrs import service as cdrs
from modules.cdrs.build import Running, Sample, SessionFacts, running
from modules.cdrs.build import State as FactState
from modules.locations import service as locations
from modules.sessions import store as sessions
from modules.sessions.charge import Charge, Reading, State, add_readings, put_of, raw
from modules.tariffs import service as tariffs
from modules.tariffs.pricing import PricingFault
from modules.tokens.authorize import Decision

log = structlog.get_logger()

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
    charge = reserved or await _new_charge(hub, begun.place, begun.decision, begun.at)
    reserved_from = reserved.reserved_from if reserved is not None else None
    # a charger whose clock is slow may begin before we reserved
    charge.reserved_from = min(reserved_from, begun.at) if reserved_from is not None else None
    charge.reservation_only = False
    charge.start = begun.at
    charge.meter_start_kwh = begun.meter_kwh
    charge.states = [State(begun.at, "CHARGING")]
    charge.remark = begun.remark
    unit = Unit().put(put_of(charge, expect=ABSENT if reserved is None else -1))
    _tell(hub, charge, unit, "ACTIVE", begun.at)
    return charge, unit


async def reserve(hub: Hub, place: Place, decision: Decision, *, at: datetime) -> tuple[Charge, Unit]:
    """A reservation was accepted: a Session of status RESERVATION (REQ-146). Raises: UnknownLocation."""
    charge = await _new_charge(hub, place, decision, at)
    charge.reserved_from = at
    charge.reservation_only = True
    unit = Unit().put(put_of(charge, expect=ABSENT))
    _tell(hub, charge, unit, "RESERVATION", at)
    return charge, unit


def end_reservation(hub: Hub, charge: Charge, *, at: datetime, expired: bool) -> Unit:
    """An unused reservation is over: its session is COMPLETED, and a CDR follows where it costs anything."""
    charge.end = max(at, charge.start)
    unit = Unit().put(put_of(charge))
    facts = facts_of(hub, charge, expired=expired)
    _tell(hub, charge, unit, "COMPLETED", charge.end)
    cdrs.issue(hub, facts, charge.owner, unit, only_if_it_costs=True)
    return unit


def progress(
    hub: Hub, charge: Charge, readings: list[Reading], states: list[State], *, at: datetime
) -> Unit:
    """Meter values and changes of state. The partner is told of a change of state at once, of the meter now and then."""
    unit = Unit(list(add_readings(charge, readings)))
    news = [state for state in states if _state_before(charge, state.at) != state.state]
    if news:
        charge.states = sorted([*charge.states, *news], key=lambda state: state.at)
    due = charge.told_until is None or at - charge.told_until >= TOLD_EVERY
    if news or due:
        _tell(hub, charge, unit, "ACTIVE", max(at, charge.start))
        unit.put(put_of(charge))
    return unit


def end(
    hub: Hub, charge: Charge, *, at: datetime, meter_kwh: Decimal | None, remark: str = ""
) -> Unit:
    """The charge is over: the session COMPLETED and its CDR, in one unit."""
    charge.end = max(at, charge.start)
    charge.meter_stop_kwh = meter_kwh
    if remark:
        charge.remark = f"{charge.remark}; {remark}" if charge.remark else remark
    unit = Unit().put(put_of(charge))
    _tell(hub, charge, unit, "COMPLETED", charge.end)
    cdrs.issue(hub, facts_of(hub, charge), charge.owner, unit)
    return unit


async def correct(hub: Hub, charge: Charge, *, at: datetime, meter_kwh: Decimal | None, remark: str = "") -> Unit:
    """It had ended by our estimate, and now the charger has said how: the CDR is credited and issued anew (R24)."""
    charge.end = max(at, charge.start)
    charge.meter_stop_kwh = meter_kwh
    charge.remark = remark
    unit = Unit().put(put_of(charge))
    _tell(hub, charge, unit, "COMPLETED", charge.end)
    await cdrs.reissue(hub, facts_of(hub, charge), charge.owner, unit)
    return unit


def facts_of(hub: Hub, charge: Charge, *, expired: bool = False) -> SessionFacts:
    """The charge as the CDR's maker wants it."""
    return SessionFacts(
        session_id=charge.session_id,
        party=Party.parse(charge.location.split("/", 1)[0]),
        token=charge.tree_of_token(),
        location=charge.tree_of_location(),
        evse_uid=charge.evse_uid,
        connector_id=charge.connector_id,
        tariffs=charge.tariff_trees(),
        currency=hub.settings.currency,
        auth_method=charge.auth_method,
        start=None if charge.reservation_only else charge.start,
        end=charge.end,
        register=_register(charge),
        states=[FactState(state.at, state.state) for state in charge.states],
        power=[Sample(r.at, r.kw) for r in charge.readings if r.kw is not None],
        current=[Sample(r.at, r.ampere) for r in charge.readings if r.ampere is not None],
        reservation_start=charge.reserved_from,
        reservation_expired=expired,
        authorization_reference=charge.reference,
        remark=charge.remark or None,
        signed_data=_signed(charge),
    )


def _register(charge: Charge) -> list[Sample]:
    """The register: what Start and Stop say is the bill, the samples between only shape it (rule R14)."""
    first, last = charge.meter_start_kwh, charge.meter_stop_kwh
    samples = [Sample(r.at, r.kwh) for r in charge.readings if r.kwh is not None and r.at > charge.start]
    if charge.end is not None and last is not None:
        samples = [sample for sample in samples if sample.at < charge.end and sample.value <= last]
        samples.append(Sample(charge.end, last))
    if first is not None:
        samples = [Sample(charge.start, first), *(sample for sample in samples if sample.value >= first)]
    return samples


def _signed(charge: Charge) -> Tree | None:
    """SignedData (mod_cdrs_signed_data_class), values untouched."""
    if not charge.signed:
        return None
    first = charge.signed[0]
    optional = {"public_key": first.public_key} if first.public_key else {}
    return {
        "encoding_method": first.encoding_method or "OCMF",
        **optional,
        "signed_values": [
            {"nature": value.nature, "plain_data": value.plain_data, "signed_data": value.signed_data}
            for value in charge.signed
        ],
    }


def _state_before(charge: Charge, at: datetime) -> str:
    earlier = [state.state for state in charge.states if state.at <= at]
    return earlier[-1] if earlier else ""


async def _new_charge(hub: Hub, place: Place, decision: Decision, at: datetime) -> Charge:
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
        start=at,
        reference=decision.reference,
    )


def location_party(location: Tree) -> str:
    return f"{location['country_code']}*{location['party_id']}"


def _tell(hub: Hub, charge: Charge, unit: Unit, status: str, at: datetime) -> None:
    """Write the Session as it is at `at` and say that it changed; nobody is told of a charge without a known token."""
    charge.told_until = at
    if not charge.owner:
        return
    so_far = _running(hub, charge, at, unit)
    put = sessions.put_of(_tree(hub, charge, status, so_far), charge.owner)
    unit.put(put).tells(sessions.change_of(put, trace.correlation()))


def _running(hub: Hub, charge: Charge, at: datetime, unit: Unit) -> Running:
    try:
        return running(facts_of(hub, charge), at)
    except PricingFault as fault:
        unit.audited(Audit("busbar", "session.unpriced", charge.session_id, fault.message))
        log.warning("session cannot be priced", session=charge.session_id, why=fault.message)
        return Running(Decimal(0), [], {}, ())


def _tree(hub: Hub, charge: Charge, status: str, so_far: Running) -> Tree:
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
        "total_cost": so_far.total_cost or None,
        "status": status,
        "last_updated": timestamp(max(hub.clock.now(), charge.start)),
    }
    return {name: value for name, value in tree.items() if value is not None}


def _currency(hub: Hub, charge: Charge) -> str:
    trees = charge.tariff_trees()
    return str(trees[0]["currency"]) if trees else hub.settings.currency
