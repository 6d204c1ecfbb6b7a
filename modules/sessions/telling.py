"""The Session of a charge, as the owner of its token is told: made from the facts, priced as far as it has come.

While its bill is held it says no `total_cost`: 0 would say that it is free, and leaving it out does not
(mod_sessions_session_object).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

import structlog

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from modules.cdrs.build import running
from modules.sessions import store as sessions
from modules.sessions.charge import Charge
from modules.sessions.facts import facts_of, without_tariffs
from modules.tariffs.pricing import PricingFault

log = structlog.get_logger()

RUNNING: Final = frozenset({"ACTIVE", "RESERVATION"})
"""Such a Session has no end yet, whatever its charger said."""
INVALID: Final = "INVALID"
"""It is billed to nobody, so it costs nothing."""

_MILLISECOND: Final = timedelta(milliseconds=1)


def tell(hub: Hub, charge: Charge, unit: Unit, status: str, at: datetime) -> None:
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
        "end_date_time": timestamp(charge.end) if charge.end is not None and status not in RUNNING else None,
        "kwh": so_far.kwh,
        "cdr_token": {name: token[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")},
        "auth_method": charge.auth_method,
        "authorization_reference": charge.reference,
        "location_id": charge.tree_of_location()["id"],
        "evse_uid": charge.evse_uid,
        "connector_id": charge.connector_id,
        "currency": _currency(hub, charge),
        "charging_periods": so_far.charging_periods or None,
        "total_cost": so_far.total_cost if _has_cost(charge, status) else None,
        "status": status,
        "last_updated": timestamp(charge.told_at or hub.clock.now()),
    }
    return {name: value for name, value in tree.items() if value is not None}


def _has_cost(charge: Charge, status: str) -> bool:
    return status != INVALID and not (charge.held and status in RUNNING)


def _currency(hub: Hub, charge: Charge) -> str:
    trees = charge.tariff_trees()
    return str(trees[0]["currency"]) if trees else hub.settings.currency
