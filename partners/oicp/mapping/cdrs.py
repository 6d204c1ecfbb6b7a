"""What a charge came to: OCPI's CDR and OICP's ChargeDetailRecord.

OICP's has no money in it, OCPI's is nothing without. So what comes from OICP is turned into the facts of a session,
which our own engine prices like those of our own chargers (`facts_of`); what goes to OICP leaves its price here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.types import parse_datetime
from modules.cdrs.build import Sample, SessionFacts, State
from partners.oicp.mapping import times
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.sessions import charging_span

Message = Mapping[str, Any]

LOST: Final = (
    *("currency", "total_cost", "total_fixed_cost", "total_energy_cost", "total_time_cost", "total_parking_cost"),
    *("total_reservation_cost", "tariffs", "remark", "invoice_reference_id", "home_charging_compensation", "meter_id"),
    *("booking_id", "cdr_location", "total_time", "total_parking_time", "auth_method"),
)
"""Fields of a CDR that OICP has no word for."""
_NATURES: Final = {"Start": "Start", "Progress": "Intermediate", "End": "End"}
_STATES: Final = {nature: status for status, nature in _NATURES.items()}
_LONGEST_VALUE: Final = 3000
_MOST_VALUES: Final = 10
_KWH: Final = Decimal("0.001")
_ENCODING: Final = 36
_KEY: Final = 512


@dataclass(frozen=True, slots=True)
class Said:
    """A CDR in the other protocol, what of it was lost (JSON pointers), and what an operator should know."""

    message: dict[str, Any]
    lost: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def record_of(cdr: Tree, ids: Message, *, time_zone: str) -> Said:
    """The ChargeDetailRecord of a CDR; `ids` are SessionID, EvseID, Identification and what else names it.

    Raises: NotSayable, for a credit: a session has one record, which is never taken back.
    """
    if cdr.get("credit"):
        raise NotSayable("OICP has no credit: settle this one by hand")
    begun, ended = charging_span(cdr)
    signed, warnings = _signed_out(cdr.get("signed_data"))
    message = {
        **ids,
        "SessionStart": times.to_oicp(cdr["start_date_time"], time_zone),
        "SessionEnd": times.to_oicp(cdr["end_date_time"], time_zone),
        "ChargingStart": times.to_oicp(begun, time_zone),
        "ChargingEnd": times.to_oicp(ended or cdr["end_date_time"], time_zone),
        "ConsumedEnergy": Decimal(cdr["total_energy"]).quantize(_KWH, ROUND_HALF_UP),
        **signed,
    }
    lost = tuple(f"/{name}" for name in LOST if cdr.get(name) not in (None, [], ""))
    return Said(message, lost, warnings)


def _signed_out(signed: Tree | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Signed values are sent whole or not at all; of too many, those in the middle stay."""
    if signed is None:
        return {}, ()
    values = [_value_out(each) for each in signed["signed_values"]]
    if any(value is None for value in values):
        return {}, ("signed values are longer than OICP takes: they stay here",)
    kept = [value for value in values if value is not None]
    warnings: tuple[str, ...] = ()
    if len(kept) > _MOST_VALUES:
        kept, warnings = [*kept[: _MOST_VALUES - 1], kept[-1]], ("signed values in the middle are left out",)
    info = {
        "PublicKey": signed.get("public_key"),
        "MeteringSignatureUrl": signed.get("url"),
        "MeteringSignatureEncodingFormat": signed["encoding_method"],
    }
    told = {name: value for name, value in info.items() if value}
    return {"SignedMeteringValues": kept, "CalibrationLawVerificationInfo": told}, warnings


def _value_out(value: Tree) -> dict[str, str] | None:
    text = _decoded(value["signed_data"])
    if len(text) > _LONGEST_VALUE:
        return None
    return {"SignedMeteringValue": text, "MeteringStatus": _STATES.get(value["nature"], "Progress")}


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text


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
) -> SessionFacts:
    """The facts of a session as the record tells them, to be priced. Raises: NotSayable, where they cannot be so."""
    start, charging, stopped, end = (
        _moment(record, name) for name in ("SessionStart", "ChargingStart", "ChargingEnd", "SessionEnd")
    )
    if not start <= charging <= stopped <= end:
        raise NotSayable("the times of the record contradict each other")
    energy = Decimal(record["ConsumedEnergy"])
    if energy < 0:
        raise NotSayable("the record tells of energy below zero")
    meter = Decimal(record.get("MeterValueStart") or 0)
    return SessionFacts(
        session_id=session_id,
        party=party,
        token=token,
        location=location,
        evse_uid=evse_uid,
        connector_id=connector_id,
        tariffs=tariffs,
        currency=tariffs[0]["currency"] if tariffs else "",
        auth_method=auth_method,
        start=start,
        end=end,
        register=(Sample(charging, meter), Sample(stopped, meter + energy)),
        states=(State(start, "SUSPENDED_EV"), State(charging, "CHARGING"), State(stopped, "FINISHED")),
        authorization_reference=reference,
        signed_data=signed_in(record),
    )


def _moment(record: Message, name: str) -> datetime:
    try:
        return parse_datetime(times.to_ocpi(str(record[name])))
    except (KeyError, ValueError):
        raise NotSayable(f"{name} is no moment") from None


def signed_in(record: Message) -> Tree | None:
    """signed_data; None where there is none, or where OCPI would have to cut it."""
    values = record.get("SignedMeteringValues") or ()
    info: Message = record.get("CalibrationLawVerificationInfo") or {}
    encoding = str(info.get("MeteringSignatureEncodingFormat") or "")
    key, url = str(info.get("PublicKey") or ""), str(info.get("MeteringSignatureUrl") or "")
    signed = [_value_in(each) for each in values]
    too_long = len(encoding) > _ENCODING or len(key) > _KEY or len(url) > _KEY
    if not signed or not encoding or too_long or any(len(each["signed_data"]) > 5000 for each in signed):
        return None
    tree: Tree = {"encoding_method": encoding, "signed_values": signed}
    return tree | ({"public_key": key} if key else {}) | ({"url": url} if url else {})


def _value_in(value: Message) -> Tree:
    text = str(value["SignedMeteringValue"])
    return {
        "nature": _NATURES.get(str(value.get("MeteringStatus")), "Intermediate"),
        "plain_data": text,
        "signed_data": base64.b64encode(text.encode()).decode(),
    }
