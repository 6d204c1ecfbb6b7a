"""A charge at one of our chargers: all facts of it, from which the Session and the CDR are made.

What is frozen at the start (REQ-159): the token, the location, the tariffs. What grows: meter readings and charging
states. Readings are kept one document each, as they come by the thousand; the rest is one document, written again when
the state changes. Everything is by the charger's own time, which may come late and out of order.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.units import ANY, Document, Kind, Put

CHARGES: Final = Kind("charges", columns=("state", "station"), indexed=("state", "station"))
READINGS: Final = Kind("readings", columns=("session",), indexed=("session",))

_LIMIT: Final = 8 * 1024 * 1024


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the meter said: the register in kWh, power in kW, current in A (sum of phases), state of charge in %."""

    at: datetime
    kwh: Decimal | None = None
    kw: Decimal | None = None
    ampere: Decimal | None = None
    soc: Decimal | None = None


class State(msgspec.Struct, frozen=True):
    """From `at` on the car was CHARGING, SUSPENDED_EVSE, SUSPENDED_EV or FINISHING."""

    at: datetime
    state: str


class SignedValue(msgspec.Struct, frozen=True):
    """A signed meter value as the charger gave it, untouched."""

    nature: str
    plain_data: str
    signed_data: str
    encoding_method: str = ""
    public_key: str = ""


class Charge(msgspec.Struct, omit_defaults=True):
    """The facts. Trees are kept as the bytes of their JSON, so that no number passes through binary."""

    session_id: str
    station: str
    connector: int
    location: str
    evse_uid: str
    connector_id: str
    owner: str
    auth_method: str
    token: msgspec.Raw
    location_tree: msgspec.Raw
    tariffs: msgspec.Raw
    start: datetime
    reference: str | None = None
    reserved_from: datetime | None = None
    reservation_only: bool = False
    end: datetime | None = None
    meter_start_kwh: Decimal | None = None
    meter_stop_kwh: Decimal | None = None
    states: list[State] = []
    signed: list[SignedValue] = []
    remark: str = ""
    told_until: datetime | None = None
    """Up to when the partner has been told; updates between are thinned."""
    readings: list[Reading] = []
    """Not in this document: one document each."""

    @property
    def is_open(self) -> bool:
        return self.end is None

    def tree_of_token(self) -> Tree:
        return _tree(self.token)

    def tree_of_location(self) -> Tree:
        return _tree(self.location_tree)

    def tariff_trees(self) -> list[Tree]:
        trees: list[Tree] = parse(bytes(self.tariffs), limit=_LIMIT)
        return trees


def _tree(raw: msgspec.Raw) -> Tree:
    tree: Tree = parse(bytes(raw), limit=_LIMIT)
    return tree


def raw(tree: Any) -> msgspec.Raw:
    """A tree as it is kept in a `Charge`."""
    return msgspec.Raw(encode(tree))


def put_of(charge: Charge, *, expect: int = ANY) -> Put:
    """The write of a charge, without its readings."""
    readings, charge.readings = charge.readings, []
    try:
        body = msgspec.json.encode(charge)
    finally:
        charge.readings = readings
    return Put(
        CHARGES,
        charge.session_id,
        body,
        audience=charge.owner,
        columns=("open" if charge.is_open else "closed", charge.station),
        expect=expect,
    )


def reading_put(session_id: str, reading: Reading) -> Put:
    """The write of one reading; the same reading twice is one."""
    key = f"{session_id}/{reading.at.isoformat()}"
    return Put(READINGS, key, msgspec.json.encode(reading), columns=(session_id,))


def add_readings(charge: Charge, readings: list[Reading]) -> list[Put]:
    """Let `charge` have more readings, in order of their time. Returns: their writes."""
    charge.readings = sorted([*charge.readings, *readings], key=lambda reading: reading.at)
    return [reading_put(charge.session_id, reading) for reading in readings]


async def load(store: Store, session_id: str) -> Charge | None:
    """A charge with its readings in order of their time."""
    document = await store.get(CHARGES, session_id)
    return await _complete(store, document) if document is not None else None


async def load_open(store: Store) -> list[Charge]:
    """All charges that have not ended; after a restart."""
    documents = await store.select(CHARGES, equal={"state": "open"}, limit=100_000)
    return [await _complete(store, document) for document in documents]


async def _complete(store: Store, document: Document) -> Charge:
    charge = msgspec.json.decode(document.body, type=Charge)
    rows = await store.select(READINGS, equal={"session": charge.session_id}, limit=1_000_000)
    charge.readings = sorted(
        (msgspec.json.decode(row.body, type=Reading) for row in rows), key=lambda reading: reading.at
    )
    return charge


async def frozen_location(store: Store, session_id: str) -> Tree:
    """The location as it was when the charge began, with the one EVSE; empty when the charge is not on record."""
    document = await store.get(CHARGES, session_id)
    return msgspec.json.decode(document.body, type=Charge).tree_of_location() if document is not None else {}
