"""From the payload of a message of 2.x to an `Event`: leniently, whatever it is (rules R1, R11).

What a TransactionEvent does not name stays unknown: no EVSE is not EVSE 1. What cannot be read is left out and flagged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from hub.core.jsontypes import Json, Tree
from partners.ocpp.events import Event, Part
from partners.ocpp.meter import read
from partners.ocpp.numbering import number_of
from partners.ocpp.reports import flags_of_register, integer, schema_flags, tag, word
from partners.ocpp.rpc import Incoming

_TYPES: Final[Mapping[str, Literal["Started", "Updated", "Ended"]]] = {
    "Started": "Started",
    "Updated": "Updated",
    "Ended": "Ended",
}
_BEGIN: Final = "Transaction.Begin"
_END: Final = "Transaction.End"
STOPS: Final = frozenset({"StopAuthorized", "Deauthorized"})
"""Reasons of a message with a token that stops."""
CONTRACT: Final = "emaid"
"""idToken.type of the eMAID of a contract, however it is written."""
NOBODY: Final = "noauthorization"
"""idToken.type of no token at all."""
_LONGEST_ID: Final = 255


@dataclass(frozen=True, slots=True)
class IdToken:
    """An idToken as it was sent: its text, and its type in small letters."""

    text: str
    type: str

    @property
    def is_contract(self) -> bool:
        return self.type == CONTRACT


def id_token(value: Json) -> IdToken | None:
    """None, where there is none, or where it says that there is none."""
    told = value if isinstance(value, dict) else {}
    text, kind = tag(told.get("idToken")), (word(told.get("type")) or "").casefold()
    return IdToken(text, kind) if text and kind != NOBODY else None


def part(station: str, incoming: Incoming, arrival: datetime) -> Event:
    """TransactionEventRequest. Without an id it belongs to no transaction, and is what its meter says."""
    payload = incoming.payload
    told = _tree(payload.get("transactionInfo"))
    transaction = tag(told.get("transactionId"))[:_LONGEST_ID]
    metered, token, evse = read(payload.get("meterValue")), id_token(payload.get("idToken")), _tree(payload.get("evse"))
    event_type = _TYPES.get(word(payload.get("eventType")) or "", "Updated")
    registers = _registers(payload.get("meterValue"), event_type)
    return Event(
        station,
        "part" if transaction else "meter",
        arrival,
        connector=_number(evse),
        id_tag=token.text if token is not None else None,
        timestamp=word(payload.get("timestamp")),
        transaction=transaction or None,
        reason=word(told.get("stoppedReason")),
        readings=metered.readings,
        signed=metered.signed,
        flags=schema_flags(incoming) | metered.flags | flags_of_register(*registers.values()),
        raw=incoming.raw,
        part=Part(
            event_type,
            seq=_count(payload.get("seqNo")),
            state=word(told.get("chargingState")),
            pays=event_type != "Ended" and word(payload.get("triggerReason")) not in STOPS,
            first_wh=registers.get(_BEGIN, registers.get("first")),
            last_wh=registers.get(_END, registers.get("last")),
            marked=_marked(registers),
            socketed=integer(evse.get("connectorId")) is not None,
            remote=integer(told.get("remoteStartId")),
            reservation=integer(payload.get("reservationId")),
            is_contract=token is not None and token.is_contract,
        )
        if transaction
        else None,
    )


def meter(station: str, incoming: Incoming, arrival: datetime) -> Event:
    """MeterValuesRequest: of an EVSE, whatever goes on at it."""
    metered = read(incoming.payload.get("meterValue"))
    evse = integer(incoming.payload.get("evseId"))
    return Event(
        station,
        "meter",
        arrival,
        connector=number_of(evse) if evse is not None else None,
        readings=metered.readings,
        signed=metered.signed,
        flags=schema_flags(incoming) | metered.flags,
        raw=incoming.raw,
    )


def status(station: str, connector: int, status: str, timestamp: str | None, arrival: datetime, raw: str) -> Event:
    """What a connector is said to be."""
    return Event(station, "status", arrival, connector=connector, timestamp=timestamp, status=status, raw=raw)


def _number(evse: Tree) -> int | None:
    """None, where it names no EVSE that a station can have."""
    number = integer(evse.get("id"))
    return (number_of(number, integer(evse.get("connectorId"))) or None) if number is not None else None


def _registers(values: Json, event_type: str) -> dict[str, Decimal]:
    """The register at the begin and at the end, as the charger called them; and else the first of a Started, the last
    of an Ended."""
    begin = _read_registers(_only(values, lambda word: word == _BEGIN))
    end = _read_registers(_only(values, lambda word: word == _END))
    found: dict[str, Decimal] = {}
    if begin:
        found[_BEGIN] = begin[0]
    elif event_type == "Started" and (first := _read_registers(_only(values, lambda word: word != _END))):
        found["first"] = first[0]
    if end:
        found[_END] = end[-1]
    elif event_type == "Ended" and (last := _read_registers(_only(values, lambda word: word != _BEGIN))):
        found["last"] = last[-1]
    return found


def _marked(registers: Mapping[str, Decimal]) -> frozenset[Literal["first", "last"]]:
    names: tuple[tuple[str, Literal["first", "last"]], ...] = ((_BEGIN, "first"), (_END, "last"))
    return frozenset(name for context, name in names if context in registers)


def _read_registers(values: Json) -> list[Decimal]:
    """Of all moments in order of their time, in Wh."""
    readings = [reading for reading in read(values).readings if reading.energy_kwh is not None]
    readings.sort(key=lambda reading: (reading.at is not None, str(reading.at)))
    return [reading.energy_kwh * 1000 for reading in readings if reading.energy_kwh is not None]


def _only(values: Json, fits: Callable[[Json], bool]) -> Json:
    """The moments, with those of their samples whose context fits."""
    found: list[Json] = []
    for moment in values if isinstance(values, list) else []:
        samples = moment.get("sampledValue") if isinstance(moment, dict) else None
        each = samples if isinstance(samples, list) else []
        own: list[Json] = [sample for sample in each if isinstance(sample, dict) and fits(sample.get("context"))]
        if own:
            found.append({**moment, "sampledValue": own})
    return found


def _count(value: Json) -> int | None:
    number = integer(value)
    return number if number is not None and 0 <= number < 2**31 else None


def _tree(value: Json) -> Tree:
    return value if isinstance(value, dict) else {}
