"""What a charge detail record must be to be acknowledged: what is wrong is refused while its CPO can still mend it.

What nobody can bill, or write to an EMP, would be held here for ever after a yes. A hub has looked at its CPOs' records
itself; of its records is asked what we need to bill them, of those of CPOs all that a hub asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from hub.core.parties import PartyRole
from hub.core.types import parse_datetime
from partners.oicp import ids
from partners.oicp.answers import Code, Refused
from partners.oicp.connections import Connection, Connections
from partners.oicp.identifying import NUMBERS, in_capitals, number_compared
from partners.oicp.ledger import OicpSession
from partners.oicp.mapping import times
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.tokens import without_pins
from partners.oicp.wire import REQUESTS, write

Message = Mapping[str, Any]

_MOST_KWH: Final = 1000
_ENERGY: Final = ("ConsumedEnergy", "ConsumedEnergyProgress")
_MOST_SIGNED: Final = 10
AHEAD: Final = timedelta(minutes=5)
"""Clocks differ; more than that is no end of a charge that is over."""
IN_ORDER: Final = ("SessionStart", "ChargingStart", "ChargingEnd", "SessionEnd")


def put_right(message: Message) -> dict[str, Any]:
    """Without PINs, and with its ids in the capitals that a hub writes them in."""
    record = dict(without_pins(message))
    record["EvseID"] = ids.written(record["EvseID"])
    record["Identification"] = in_capitals(record["Identification"])
    return record


def check_evse(connections: Connections, connection: Connection, row: OicpSession, message: Message) -> None:
    """Is it at the EVSE of the session, which is one of the operator's? Raises: Refused."""
    evse = ids.EvseID.parse(message["EvseID"])
    if _is_anothers(connections, connection, evse):
        raise Refused(Code.FOREIGN_EVSE, info=message["EvseID"])
    if not row.evse_id:
        return
    allowed = ids.EvseID.parse(row.evse_id)
    if evse.operator.canonical != allowed.operator.canonical:
        raise Refused(Code.FOREIGN_EVSE, info="the session is at an EVSE of another operator")
    if evse.canonical != allowed.canonical:
        raise Refused(Code.DATA_ERROR, info="EvseID: the session is at another EVSE")


def _is_anothers(connections: Connections, connection: Connection, evse: ids.EvseID) -> bool:
    """A CPO has EVSEs under its own ids alone. Behind a hub is anybody but us, and who is connected by himself."""
    if connection.kind == "cpo":
        return evse.operator.canonical not in {ids.OperatorID.parse(each).canonical for each in connection.operator_ids}
    try:
        operator = evse.operator.party(connection.countries)
    except ids.InvalidId:
        return False
    return connections.is_elsewhere(connection, PartyRole.CPO, operator)


def check(
    connections: Connections, connection: Connection, row: OicpSession, record: Message, *, now: datetime
) -> None:
    """Raises: Refused (B5 of the hub's rules)."""
    check_evse(connections, connection, row, record)
    check_energy(record)
    told = {name: _moment(record, name) for name in IN_ORDER}
    check_order(told)
    if told["SessionEnd"] > now + AHEAD:
        raise Refused(Code.DATA_ERROR, info="SessionEnd lies in the future")
    if len(record.get("SignedMeteringValues") or ()) > _MOST_SIGNED:
        raise Refused(Code.DATA_ERROR, info=f"SignedMeteringValues: more than {_MOST_SIGNED}")
    if connection.kind == "cpo":
        _check_driver(row, record)
        _check_signed(record)
    if row.emp:
        _check_writable(record)


def check_promise(record: Message, evse: Message) -> None:
    """An EVSE whose data says that signed values come from elsewhere owes them. Raises: Refused."""
    is_promised = evse.get("CalibrationLawDataAvailability") == "External"
    if is_promised and not record.get("SignedMeteringValues"):
        raise Refused(Code.DATA_ERROR, info="SignedMeteringValues: its EVSE promises them (External)")


def check_order(told: Mapping[str, datetime]) -> None:
    """Do those times of a charge that are told follow each other? Raises: Refused."""
    for begin, end in pairwise(name for name in IN_ORDER if name in told):
        if told[end] < told[begin]:
            raise Refused(Code.DATA_ERROR, info=f"{end} lies before {begin}")


def check_energy(message: Message) -> None:
    """Can energies and meter values that are told be those of a charge? Raises: Refused."""
    for name in _ENERGY:
        if not 0 <= message.get(name, 0) <= _MOST_KWH:
            raise Refused(Code.DATA_ERROR, info=f"{name} is below 0 or above 1,000 kWh")
    begin, end = message.get("MeterValueStart"), message.get("MeterValueEnd")
    if begin is not None and end is not None and end < begin:
        raise Refused(Code.DATA_ERROR, info="MeterValueEnd is below MeterValueStart")


def _check_signed(record: Message) -> None:
    if record.get("SignedMeteringValues") and not record.get("CalibrationLawVerificationInfo"):
        raise Refused(Code.DATA_ERROR, info="CalibrationLawVerificationInfo: signed values need it")


def _check_driver(row: OicpSession, record: Message) -> None:
    known = _names(row.identification) | {number_compared(row.token.get(name) or "") for name in ("uid", "contract_id")}
    told = _names(record["Identification"])
    if told and row.identification and told.isdisjoint(known):
        raise Refused(Code.DATA_ERROR, info="Identification: the session is another driver's")


def _names(identification: Message) -> set[str]:
    """The numbers and contracts that it names."""
    named = [each for each in identification.values() if isinstance(each, Mapping)]
    return {number_compared(each[name]) for each in named for name in NUMBERS if each.get(name)}


def _check_writable(record: Message) -> None:
    try:
        write(REQUESTS["ChargeDetailRecord"], record)
    except NotSayable as fault:
        raise Refused(Code.DATA_ERROR, info=str(fault)) from None


def _moment(record: Message, name: str) -> datetime:
    return parse_datetime(times.to_ocpi(str(record[name])))
