"""From the payload of a 1.6 transaction message to an `Event`: leniently, whatever it is (rule R1).

A field that cannot be read is left out and flagged; a number as text is a number; a card number is text however it was
sent. Nothing here raises.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from hub.core.jsontypes import Json, Tree
from partners.ocpp.events import Event, Flag
from partners.ocpp.meter import read
from partners.ocpp.readings import parse_decimal
from partners.ocpp.rpc import Incoming

_LONGEST_TAG: Final = 255
_LONGEST_WORD: Final = 64
_MOST_WH: Final = Decimal(10**11)
"""A register that no charger reaches in its life: 30 years at 380 kW."""


def start(station: str, incoming: Incoming, arrival: datetime) -> Event:
    """StartTransaction.req."""
    payload = incoming.payload
    register = parse_decimal(payload.get("meterStart"))
    return Event(
        station,
        "start",
        arrival,
        connector=integer(payload.get("connectorId")),
        id_tag=tag(payload.get("idTag")),
        timestamp=word(payload.get("timestamp")),
        meter_wh=register,
        flags=schema_flags(incoming) | flags_of_register(register),
        raw=incoming.raw,
    )


def stop(station: str, incoming: Incoming, arrival: datetime) -> Event:
    """StopTransaction.req."""
    payload = incoming.payload
    metered = read(payload.get("transactionData"))
    register = parse_decimal(payload.get("meterStop"))
    return Event(
        station,
        "stop",
        arrival,
        id_tag=tag(payload.get("idTag")) or None,
        timestamp=word(payload.get("timestamp")),
        meter_wh=register,
        transaction=integer(payload.get("transactionId")),
        reason=word(payload.get("reason")),
        readings=metered.readings,
        signed=metered.signed,
        flags=schema_flags(incoming) | flags_of_register(register) | metered.flags,
        raw=incoming.raw,
    )


def meter(station: str, incoming: Incoming, arrival: datetime) -> Event:
    """MeterValues.req."""
    payload = incoming.payload
    metered = read(payload.get("meterValue"))
    return Event(
        station,
        "meter",
        arrival,
        connector=integer(payload.get("connectorId")),
        transaction=integer(payload.get("transactionId")),
        readings=metered.readings,
        signed=metered.signed,
        flags=schema_flags(incoming) | metered.flags,
        raw=incoming.raw,
    )


def status(station: str, payload: Tree, arrival: datetime, raw: str) -> Event:
    """StatusNotification.req."""
    return Event(
        station,
        "status",
        arrival,
        connector=integer(payload.get("connectorId")),
        timestamp=word(payload.get("timestamp")),
        status=word(payload.get("status")),
        raw=raw,
    )


def boot(station: str, arrival: datetime) -> Event:
    """BootNotification.req, as far as a transaction cares."""
    return Event(station, "boot", arrival)


def integer(value: Json) -> int | None:
    """A whole number of at most 18 digits, also as text."""
    number = parse_decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def tag(value: Json) -> str:
    """An idTag as it was sent; chargers have been seen to send numbers."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text[:_LONGEST_TAG]


def word(value: Json) -> str | None:
    """A short text, or nothing."""
    return value[:_LONGEST_WORD] if isinstance(value, str) else None


def schema_flags(incoming: Incoming) -> frozenset[Flag]:
    """Did the message break its schema?"""
    return frozenset({Flag.SCHEMA_BROKEN} if incoming.finding is not None else ())


def flags_of_register(*registers: Decimal | None) -> frozenset[Flag]:
    """Can they be?"""
    odd = any(register is not None and not 0 <= register <= _MOST_WH for register in registers)
    return frozenset({Flag.METER_ABSURD} if odd else ())
