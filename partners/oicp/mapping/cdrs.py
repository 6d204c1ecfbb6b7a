"""What a charge came to: OCPI's CDR and OICP's ChargeDetailRecord.

OICP's has no money in it, OCPI's is nothing without. So what comes from OICP is turned into the facts of a session,
which our own engine prices like those of our own chargers (`facts_of`); what goes to OICP leaves its price here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from modules.cdrs.build import Sample, SessionFacts, State
from modules.cdrs.model import CDR
from partners.oicp.mapping import times
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.sessions import charging_span, energy_of
from partners.oicp.mapping.signed_values import read_signed, said_signed
from partners.oicp.mapping.strangers import strangers
from partners.oicp.mapping.terms import Mapped, Notes, Terms
from partners.oicp.wire.cdrs import ChargeDetailRecord
from partners.oicp.wire.message import strangers as their_strangers

Message = Mapping[str, Any]

LOST: Final = (
    *("currency", "total_cost", "total_fixed_cost", "total_energy_cost", "total_time_cost", "total_parking_cost"),
    *("total_reservation_cost", "tariffs", "remark", "invoice_reference_id", "home_charging_compensation", "meter_id"),
    *("booking_id", "cdr_location", "total_time", "total_parking_time", "auth_method"),
)
"""Fields of a CDR that OICP has no word for."""
_NOT_OF_OCPI: Final = (
    *("MeterValueStart", "MeterValueEnd", "MeterValueInBetween", "PartnerProductID"),
    *("CPOPartnerSessionID", "EMPPartnerSessionID", "HubOperatorID", "HubProviderID"),
)
_NEAR: Final = Decimal("0.001")
"""kWh by which energy and meter may differ."""


def record_of(cdr: Tree, ids: Message, *, time_zone: str, terms: Terms | None = None) -> Mapped[dict[str, Any]]:
    """The ChargeDetailRecord of a CDR; `ids` are SessionID, EvseID, Identification and what else names it.

    Raises: NotSayable, for a credit, as a session has one record, which is never taken back; and for a record without
    signed values where the terms promise them.
    """
    if cdr.get("credit"):
        raise NotSayable("OICP has no credit: settle this one by hand")
    notes = Notes()
    begun, ended = charging_span(cdr)
    signed = said_signed(cdr.get("signed_data"), notes)
    if terms is not None and terms.calibration_law == "External" and not signed:
        raise NotSayable("its EVSE promises signed values, and there are none that OICP takes")
    energy = energy_of(cdr["total_energy"])
    if energy != cdr["total_energy"]:
        notes.lose("/total_energy")
    message = {
        **ids,
        "SessionStart": times.to_oicp(cdr["start_date_time"], time_zone),
        "SessionEnd": times.to_oicp(cdr["end_date_time"], time_zone),
        "ChargingStart": times.to_oicp(begun, time_zone),
        "ChargingEnd": times.to_oicp(ended or cdr["end_date_time"], time_zone),
        "ConsumedEnergy": energy,
        **signed,
    }
    notes.lose_all(cdr, LOST)
    _lose_periods(cdr, notes)
    notes.lose(*strangers(CDR, cdr))
    return notes.mapped(message)


def _lose_periods(cdr: Tree, notes: Notes) -> None:
    """Of all periods OICP tells when the first and the last with energy were."""
    dimensions = [each["type"] for period in cdr["charging_periods"] for each in period["dimensions"]]
    if len(cdr["charging_periods"]) > 1 or set(dimensions) - {"ENERGY"}:
        notes.lose("/charging_periods/0/dimensions")
    if any(period.get("tariff_id") for period in cdr["charging_periods"]):
        notes.lose("/charging_periods/0/tariff_id")


def lost_in(record: Message) -> tuple[str, ...]:
    """What a CDR does not say of a record."""
    notes = Notes()
    notes.lose_all(record, _NOT_OF_OCPI)
    read_signed(record, notes)
    notes.lose(*their_strangers(ChargeDetailRecord, record))
    return tuple(notes.lost)


def oddities(record: Message) -> tuple[str, ...]:
    """What people should look at, though the record can be billed."""
    notes = Notes()
    read_signed(record, notes)
    begin, end = record.get("MeterValueStart"), record.get("MeterValueEnd")
    if begin is not None and end is not None:
        difference = Decimal(end) - Decimal(begin)
        if abs(difference - Decimal(record["ConsumedEnergy"])) > _NEAR:
            notes.warn("ConsumedEnergy is not the difference of the meter values")
    return tuple(notes.warnings)


def facts_of(
    record: Message,
    *,
    party: Party,
    session_id: str,
    token: Tree,
    location: Tree,
    evse_uid: str,
    connector_id: str,
    tariffs: Sequence[Tree],
    auth_method: str,
    reference: str,
    reserved: bool = False,
) -> SessionFacts:
    """The facts of a session as the record tells them, to be priced by the first of `tariffs` that is in force.

    `reserved`: it began as a reservation. One without energy was given up: OICP has no price for that, and no charge
    took place. Raises: NotSayable, where they cannot be so.
    """
    start, charging, stopped, end = (
        _moment(record, name) for name in ("SessionStart", "ChargingStart", "ChargingEnd", "SessionEnd")
    )
    if not start <= charging <= stopped <= end:
        raise NotSayable("the times of the record contradict each other")
    energy, meter = _kwh(record, "ConsumedEnergy"), _kwh(record, "MeterValueStart")
    if energy < 0:
        raise NotSayable("the record tells of energy below zero")
    return SessionFacts(
        session_id=session_id,
        party=party,
        token=token,
        location=_without_tariffs(location),
        evse_uid=evse_uid,
        connector_id=connector_id,
        tariffs=() if reserved and energy == 0 else tariffs,
        currency=tariffs[0]["currency"] if tariffs else "",
        auth_method=auth_method,
        start=start,
        end=end,
        register=(Sample(charging, meter), Sample(stopped, meter + energy)),
        states=(State(start, "SUSPENDED_EV"), State(charging, "CHARGING"), State(stopped, "FINISHED")),
        authorization_reference=reference,
        signed_data=read_signed(record, Notes()),
    )


def _without_tariffs(location: Tree) -> Tree:
    """What its connectors would name: the tariffs are chosen already."""
    evses = [
        {
            **evse,
            "connectors": [
                {name: value for name, value in connector.items() if name != "tariff_ids"}
                for connector in evse.get("connectors") or ()
            ],
        }
        for evse in location.get("evses") or ()
    ]
    return {**location, "evses": evses}


def _moment(record: Message, name: str) -> datetime:
    try:
        return times.instant(str(record[name]))
    except (KeyError, ValueError, OverflowError):
        raise NotSayable(f"{name} is no moment") from None


def _kwh(record: Message, name: str) -> Decimal:
    try:
        return Decimal(record.get(name) or 0)
    except (ArithmeticError, ValueError, TypeError):
        raise NotSayable(f"{name} is no number") from None
