"""What is kept of transactions: every event a charger reported, and one record a transaction, for people and restarts.

Events are the truth: the ledger is worked out from the *live* ones after a restart. When a charge is long over its
events are *done*: kept as evidence for a time (`forgetting.py`), read no more. A record says what became of a start
(its number, its session, what the driver was answered, what is odd), and of a stop that nobody can place yet.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from hub.core.clock import timestamp
from hub.core.store import Store
from hub.core.units import ANY, Document, Kind, Put
from partners.ocpp.events import Begun, Event, StartKey, Transaction, TransactionId
from partners.ocpp.matching import StopKey
from partners.ocpp.surroundings import DAWN, dated

OCPP_EVENTS: Final = Kind("ocpp_events", columns=("station", "state"), indexed=("station",))
TRANSACTIONS: Final = Kind(
    "ocpp_transactions",
    columns=("station", "state", "session", "number"),
    indexed=("station", "state", "session"),
)

LIVE: Final = "live"
DONE: Final = "done"

OPEN: Final = "open"
ENDED: Final = "ended"
REFUSED: Final = "refused"
ORPHAN: Final = "orphan"
UNPLACED: Final = "unplaced"
DROPPED: Final = "dropped"
_MOST: Final = 100_000
_AT_ONCE: Final = 500


class Lack(StrEnum):
    """What keeps a charge from having a session, though it gave energy, or may have."""

    EVSE = "evse"
    """Its charger never said at which EVSE (2.x)."""
    LOCATION = "location"
    """Its connector is on no location."""
    BEGIN = "begin"
    """Only its end was reported, so nobody's token began it (2.x)."""
    TOKEN = "token"  # noqa: S105
    """Nobody's token was told with it, but perhaps with its end (2.x)."""
    CONSENT = "consent"
    """Its token was refused."""
    START = "start"
    """Only its stop was reported (1.6)."""


class Record(msgspec.Struct, omit_defaults=True):
    """A transaction. `state`: open, ended (by a stop, or estimated), refused (the token was), orphan (a lone stop),
    unplaced (over, and without a session for want of something, see `unplaced.py`), dropped (that, and an operator
    never wants it billed).

    `allowed` is a value of AllowedType; `session` is the session's id, "" when there is none. `trouble` says why not.
    `heard_at` is when we heard of it first, by our clock, whatever the charger's says.
    `lacks` is what a session is wanting for, `held_since` when it was found so, by our clock. `begun` is how a charger
    of 2.x told that it begins: by that a replay is known when all else was put away.
    """

    key: str
    station: str
    state: str
    connector: int = 0
    id_tag: str = ""
    number: TransactionId | None = None
    allowed: str = ""
    session: str = ""
    correlation_id: str = ""
    start: datetime | None = None
    end: datetime | None = None
    ending: str = ""
    energy_kwh: Decimal | None = None
    meter_start_wh: Decimal | None = None
    meter_stop_wh: Decimal | None = None
    reason: str | None = None
    flags: list[str] = []
    trouble: str = ""
    heard_at: datetime | None = None
    lacks: Lack | None = None
    held_since: datetime | None = None
    begun: list[Begun] = []

    @property
    def is_refused(self) -> bool:
        """Was the token refused, whatever became of the charge?"""
        return self.allowed not in ("", "ALLOWED")


def key_of_start(key: StartKey) -> str:
    """The key of a start's record."""
    return f"{key.station}/{_digest(key.text)}"


def key_of_stop(station: str, key: StopKey) -> str:
    """The key of a lone stop's record."""
    return f"{station}/stop/{_digest('|'.join((station, *key)))}"


def record_put(record: Record, *, expect: int = ANY) -> Put:
    """The write of a record."""
    number = "" if record.number is None else str(record.number)
    updated = timestamp(record.end or record.start) if record.start else ""
    columns = (record.station, record.state, record.session, number)
    return Put(TRANSACTIONS, record.key, msgspec.json.encode(record), "", "", updated, columns, expect)


def note(record: Record, charge: Transaction) -> None:
    """Bring `record` up to what the ledger says of the charge."""
    if record.is_refused and not record.session and record.state != DROPPED:
        record.state = REFUSED
    elif record.state not in (REFUSED, DROPPED):
        record.state = OPEN if charge.ending == "open" else ENDED
    record.number, record.id_tag, record.connector = charge.id, charge.id_tag, charge.connector
    record.start, record.end, record.ending = charge.start, charge.end, charge.ending
    record.energy_kwh, record.reason = charge.energy_kwh, charge.reason
    record.meter_start_wh, record.meter_stop_wh = charge.meter_start_wh, charge.meter_stop_wh
    record.flags = sorted(flag.name for flag in charge.flags)
    record.begun = list(charge.begun)


def orphan(event: Event, key: StopKey) -> Record:
    """The record of a stop without a start."""
    return Record(
        key_of_stop(event.station, key),
        event.station,
        ORPHAN,
        id_tag=event.id_tag or "",
        number=event.transaction,
        end=dated(event)[0],
        meter_stop_wh=event.meter_wh,
        reason=event.reason,
        flags=sorted(flag.name for flag in event.flags),
        trouble="a stop of no charge that is known here; it ended nothing",
    )


async def is_repeated(store: Store, event: Event) -> bool:
    """Is this lone stop that of a charge that was put away, or one that was kept before?"""
    if not await is_news(store, event):
        return True
    where = {"station": event.station, "number": str(event.transaction)}
    documents = await store.select(TRANSACTIONS, equal=where, descending=True, limit=_AT_ONCE)
    of_number = [record_in(document) for document in documents]
    return any(record.ending == "stop" and record.meter_stop_wh == event.meter_wh for record in of_number)


async def is_news(store: Store, event: Event) -> bool:
    """Is it none that was kept before, as the charger wrote it? Only the newest are looked at."""
    newest = await store.select(OCPP_EVENTS, equal={"station": event.station}, descending=True, limit=_AT_ONCE)
    return all(_said(event_in(document)) != _said(event) for document in newest)


def _said(event: Event) -> Event:
    part = replace(event.part, refused=False) if event.part is not None else None
    return replace(event, arrival=DAWN, raw="", assigned=None, part=part)


def record_in(document: Document) -> Record:
    return msgspec.json.decode(document.body, type=Record)


def event_key(event: Event) -> str:
    """The key of an event; no two of a station arrive at the same microsecond (`Desk.stamped`)."""
    return f"{event.station}/{event.arrival.isoformat(timespec='microseconds')}"


def event_put(event: Event, state: str = LIVE) -> Put:
    """The write of an event, with the frame as it came."""
    columns = (event.station, state)
    return Put(OCPP_EVENTS, event_key(event), msgspec.json.encode(event), "", "", timestamp(event.arrival), columns)


async def live_events(store: Store, station: str) -> AsyncIterator[list[Document]]:
    """The events from which the ledger of a station is worked out, in parts; others may work in between."""
    after = 0
    while documents := await store.select(
        OCPP_EVENTS, equal={"station": station, "state": LIVE}, limit=_AT_ONCE, after_seq=after
    ):
        yield documents
        after = documents[-1].seq
        await asyncio.sleep(0)


def done_put(document: Document) -> Put:
    """The write of an event that no book rests on any more."""
    columns = (document.columns["station"], DONE)
    return Put(OCPP_EVENTS, document.key, document.body, "", "", document.last_updated, columns)


def event_in(document: Document) -> Event:
    return msgspec.json.decode(document.body, type=Event)


async def find_record(store: Store, key: str) -> Record | None:
    document = await store.get(TRANSACTIONS, key)
    return record_in(document) if document is not None else None


async def open_records(store: Store) -> list[Record]:
    """What was going on when we stopped."""
    return [record_in(document) for document in await store.select(TRANSACTIONS, equal={"state": OPEN}, limit=_MOST)]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
