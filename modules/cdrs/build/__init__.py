"""The CDR of a session of ours, its credit, and what a running session costs so far. OCPI
mod_cdrs_cdr_object.

Pure: facts in, trees in our form out. Everything in a CDR is as it was at the start of the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from hub.core.clock import timestamp
from modules.cdrs.build.bill import Bill, bill
from modules.cdrs.build.facts import Sample, SessionFacts, State
from modules.cdrs.build.place import place_of
from modules.tariffs.pricing import PricingFault, UnfitSession, Warned, receipt_of

__all__ = ["Made", "Running", "Sample", "SessionFacts", "State", "build", "credit", "make", "running"]

NOT_APPLICABLE: Final = "#NA"
"""Stands for an EVSE or connector that a reservation never reached, and for an EVSE without an evse_id."""

_TOKEN_FIELDS: Final = ("country_code", "party_id", "uid", "type", "contract_id")
_LOCATION_FIELDS: Final = {
    "id": 36,
    "name": 255,
    "address": 45,
    "city": 45,
    "postal_code": 10,
    "state": 20,
    "country": 3,
}
"""Field of a CdrLocation -> its length there. An address of a Location may be longer: it is cut."""


@dataclass(frozen=True, slots=True)
class Running:
    """A session so far: energy in kWh, ChargingPeriod trees and a Price tree for its next update."""

    kwh: Decimal
    charging_periods: list[dict[str, Any]]
    total_cost: dict[str, Any]
    warnings: tuple[Warned, ...]


class AlreadyCredited(PricingFault):
    """A credit CDR cannot be credited itself."""


def running(facts: SessionFacts, now: datetime) -> Running:
    """What the session came to until `now`, or until its end if that is earlier. Raises: PricingFault.

    At the end of the session this is what the CDR says.
    """
    until = now if facts.end is None else min(now, facts.end)
    so_far = bill(facts, until)
    return Running(so_far.kwh, so_far.charging_periods, so_far.priced.total.tree(), so_far.priced.warnings)


class Made(NamedTuple):
    """A CDR in our form, and the receipt of its price, which stays with us."""

    cdr: dict[str, Any]
    receipt: dict[str, Any]


def make(facts: SessionFacts, *, now: datetime | None = None) -> Made:
    """The CDR of a session that has ended, with its receipt. `now` is its last_updated, by default the end.

    Raises: PricingFault; UnfitSession, if the session has not ended or the location has no such connector.
    """
    if facts.end is None:
        raise UnfitSession("the session has not ended")
    done = bill(facts, facts.end)
    tree = _cdr(facts, done, now or facts.end)
    return Made(tree, receipt_of(done.priced, currency=done.currency, place=place_of(tree["cdr_location"])))


def build(facts: SessionFacts, *, now: datetime | None = None) -> dict[str, Any]:
    """As `make`, without the receipt."""
    return make(facts, now=now).cdr


def _cdr(facts: SessionFacts, done: Bill, now: datetime) -> dict[str, Any]:
    return {
        "country_code": facts.party.country_code,
        "party_id": facts.party.party_id,
        "id": facts.cdr_id or facts.session_id,
        "start_date_time": timestamp(done.start),
        "end_date_time": timestamp(done.end),
        "cdr_token": {field: _needed(facts.token, field, "token") for field in _TOKEN_FIELDS},
        "auth_method": facts.auth_method,
        "cdr_location": _cdr_location(facts),
        "currency": done.currency,
        "charging_periods": done.charging_periods,
        "total_cost": done.priced.total.tree(),
        "total_energy": done.kwh,
        "total_time": done.hours,
        "last_updated": timestamp(now),
        **_optional(facts, done),
    }


def credit(cdr: Mapping[str, Any], *, now: datetime | None = None) -> dict[str, Any]:
    """The credit CDR that takes `cdr` back: all is copied, only the values of total_cost are negative.

    Its id is that of the original with "-C" behind it. Raises: AlreadyCredited, for a credit CDR.
    """
    if cdr.get("credit"):
        raise AlreadyCredited
    total = cdr["total_cost"]
    negative: dict[str, Any] = {**total, "before_taxes": -total["before_taxes"]}
    if total.get("taxes"):
        negative["taxes"] = [{**tax, "amount": -tax["amount"]} for tax in total["taxes"]]
    return {
        **cdr,
        "id": f"{cdr['id']}-C",
        "credit": True,
        "credit_reference_id": cdr["id"],
        "total_cost": negative,
        **({"last_updated": timestamp(now)} if now else {}),
    }


def _optional(facts: SessionFacts, done: Bill) -> dict[str, Any]:
    """What a CDR says only if there is something to say."""
    fields = {
        "session_id": facts.session_id if facts.start is not None else None,
        "authorization_reference": facts.authorization_reference,
        "booking_id": facts.booking_id,
        "meter_id": facts.meter_id,
        "tariffs": [done.tariff] if done.tariff else None,
        "signed_data": dict(facts.signed_data) if facts.signed_data else None,
        "total_parking_time": done.parked_hours,
        "remark": facts.remark,
        **_sub_totals(done),
    }
    return {field: value for field, value in fields.items() if value is not None}


def _needed(tree: Mapping[str, Any], field: str, of: str) -> Any:
    """A field without which there is no CDR. Raises: UnfitSession."""
    value = tree.get(field)
    if value is None:
        raise UnfitSession(f"the {of} has no {field}")
    return value


def _sub_totals(done: Bill) -> dict[str, Any]:
    parts = {
        "total_fixed_cost": done.priced.fixed,
        "total_energy_cost": done.priced.energy,
        "total_time_cost": done.priced.time,
        "total_parking_cost": done.priced.parking,
        "total_reservation_cost": done.priced.reservation,
    }
    return {field: part.tree() for field, part in parts.items() if part is not None}


def _cdr_location(facts: SessionFacts) -> dict[str, Any]:
    """The place as a flat CdrLocation. Raises: UnfitSession. OCPI mod_cdrs_cdr_location_class."""
    place, connector = _evse_and_connector(facts)
    location = facts.location
    return {
        **{
            field: location[field][:length]
            for field, length in _LOCATION_FIELDS.items()
            if location.get(field) is not None
        },
        "coordinates": _needed(location, "coordinates", "location"),
        "evse_uid": facts.evse_uid,
        "evse_id": place.get("evse_id") or NOT_APPLICABLE,
        "connector_id": facts.connector_id,
        "connector_standard": _needed(connector, "standard", "connector"),
        "connector_format": _needed(connector, "format", "connector"),
        "connector_power_type": _needed(connector, "power_type", "connector"),
    }


def _evse_and_connector(facts: SessionFacts) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The EVSE and connector; where a reservation reached none, any connector fills the required fields."""
    anywhere = facts.evse_uid == NOT_APPLICABLE
    for evse in facts.location.get("evses") or ():
        if anywhere or str(evse.get("uid")).lower() == facts.evse_uid.lower():
            for connector in evse.get("connectors") or ():
                if anywhere or str(connector.get("id")).lower() == facts.connector_id.lower():
                    return ({} if anywhere else evse), connector
    raise UnfitSession("the location has no such EVSE and connector")
