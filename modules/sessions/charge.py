"""A charge at one of our chargers: all facts of it, from which the Session and the CDR are made.

What is frozen at the start (REQ-159): the token, the location, the tariffs. What grows: meter readings and charging
states. Readings come by the thousand; who reports them keeps them, and hands them in when a session or a CDR is made.
Here they are at hand as long as the charge is, and on record only where its CDR is still to be made (`held`).
Everything is by the charger's own time, which may come late and out of order.
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

OPEN: Final = "open"
CLOSED: Final = "closed"
HELD: Final = "held"

CORRECTED: Final = "corrected"
DROPPED: Final = "dropped"

UNPRICED: Final = "it could not be priced"
"""Why a bill is held whose energy nobody doubts, where no more is on record."""

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
    booking_id: str = ""
    """The booking under which it began."""
    reserved_from: datetime | None = None
    reservation_only: bool = False
    end: datetime | None = None
    meter_start_kwh: Decimal | None = None
    meter_stop_kwh: Decimal | None = None
    states: list[State] = []
    signed: list[SignedValue] = []
    remark: str = ""
    reservation_expired: bool = False
    held: bool = False
    """It has ended, and its CDR could not be priced yet, or is doubted; see `why_held`."""
    held_since: datetime | None = None
    """When it began to be held, by our clock."""
    doubt: str = ""
    """Why its energy is not billed before an operator has seen it; see `plausible.py`."""
    unpriced: str = ""
    """Why it could not be priced, and which tariffs are missing, if that is why; as the pricing says it."""
    kept_active: bool = False
    """It has ended, and its Session is ACTIVE still, or RESERVATION: what will be billed of it is not known."""
    decided: str = ""
    """What an operator decided of its bill for good: `corrected`, for a figure of theirs, or `dropped`."""
    counted_kwh: Decimal | None = None
    """The register that counts at its end, in kWh, where it is not the charger's `meter_stop_kwh`."""
    told_until: datetime | None = None
    """Up to when the partner has been told, by the charger's clock; updates between are thinned."""
    told_at: datetime | None = None
    """The last `last_updated` of its Session, by ours."""
    readings: list[Reading] = []
    """In order of their time. In this document only when it is held."""

    @property
    def is_open(self) -> bool:
        return self.end is None

    @property
    def state(self) -> str:
        """The column that charges are found by."""
        if self.is_open:
            return OPEN
        return HELD if self.held else CLOSED

    @property
    def why_held(self) -> str:
        """Why its bill is held; empty, when it is not."""
        return (self.doubt or self.unpriced or UNPRICED) if self.held else ""

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
    """The write of a charge."""
    readings, charge.readings = charge.readings, charge.readings if charge.held else []
    try:
        body = msgspec.json.encode(charge)
    finally:
        charge.readings = readings
    return Put(
        CHARGES,
        charge.session_id,
        body,
        audience=charge.owner,
        columns=(charge.state, charge.station),
        expect=expect,
    )


async def load(store: Store, session_id: str) -> Charge | None:
    """A charge; without its readings, unless it is held."""
    document = await store.get(CHARGES, session_id)
    return msgspec.json.decode(document.body, type=Charge) if document is not None else None


async def held_sessions(store: Store, *, limit: int) -> list[str]:
    """The ids of the oldest charges whose CDRs could not be priced; without those that an operator must look at."""
    found: list[str] = []
    after = 0
    while len(found) < limit:
        held = await store.select(CHARGES, equal={"state": HELD}, limit=limit, after_seq=after)
        found += [document.key for document in held if not charge_in(document).doubt]
        if len(held) < limit:
            break
        after = held[-1].seq
    return found[:limit]


def charge_in(document: Document) -> Charge:
    """The charge of a document, with its readings where it is held."""
    return msgspec.json.decode(document.body, type=Charge)


async def load_latest(store: Store, session_id: str) -> tuple[Charge, int] | None:
    """A charge as `load` gives it, and the version of its document."""
    document = await store.get(CHARGES, session_id)
    return (charge_in(document), document.version) if document is not None else None


async def held_at(store: Store, station: str, *, limit: int) -> list[Charge]:
    """The newest charges at a station whose bills are held."""
    where = {"state": HELD, "station": station}
    return [charge_in(each) for each in await store.select(CHARGES, equal=where, descending=True, limit=limit)]


async def how_many_held(store: Store) -> int:
    """How many charges are held, of all stations."""
    page = await store.page(CHARGES, date_from=None, date_to=None, offset=0, limit=0, among={"state": (HELD,)})
    return page.total


class _Ended(msgspec.Struct):
    end: datetime | None = None
    held_since: datetime | None = None


async def held_since(store: Store, *, limit: int) -> list[datetime]:
    """Since when charges are held, by our clock; of the oldest `limit`."""
    found = await store.select(CHARGES, equal={"state": HELD}, limit=limit)
    held = [msgspec.json.decode(document.body, type=_Ended) for document in found]
    return [at for at in (one.held_since or one.end for one in held) if at is not None]


async def load_held(store: Store, session_id: str) -> tuple[Charge, int] | None:
    """A charge whose CDR is held, and the version of its document; None, when it is not such a one."""
    document = await store.get(CHARGES, session_id)
    if document is None or document.columns["state"] != HELD:
        return None
    return charge_in(document), document.version


async def frozen_location(store: Store, session_id: str) -> Tree:
    """The location as it was when the charge began, with the one EVSE; empty when the charge is not on record."""
    document = await store.get(CHARGES, session_id)
    return msgspec.json.decode(document.body, type=Charge).tree_of_location() if document is not None else {}
