"""The short way of MeterValues: a sample of a charge that goes on is written once, as it came, and looked at later.

    frame -> one document -> commit -> answer                       for every sample
    waiting samples -> ledger -> session, record, *list*: one unit  once a minute, or when something needs them

A sample is kept as its frame, and read again from that: whoever takes it in, now or after a crash, reads the same. Its
key begins with the time of its arrival, so that the newest lie side by side in the database, whatever station they are
from; an index by station would cost more than all the rest. So a list says which samples of a station were taken in,
and is found by station. What no list names is younger than the station's last list or event, and a restart reads the
samples from there on (`tail`); that is never far back, as a station where a charge goes on writes a list every hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from hub.core.clock import exact_timestamp, timestamp
from hub.core.store import Store
from hub.core.units import UNUSED, Document, Kind, Put
from partners.ocpp import frames, reports, schemas
from partners.ocpp.events import Event, Flag
from partners.ocpp.journal import DONE, LIVE
from partners.ocpp.rpc import Incoming

OCPP_SAMPLES: Final = Kind("ocpp_samples", log=True)
OCPP_SAMPLE_LISTS: Final = Kind("ocpp_sample_lists", columns=("station", "state"), indexed=("station",))

_VERSION: Final = "1.6"
_AT_ONCE: Final = 500
_NEWEST: Final = 1_000
_MARK: Final = "mark"


class Glimpse(NamedTuple):
    """Of a sample with one moment of one plain register in Wh: of which connector, of when, and how high."""

    connector: int
    at: datetime
    register: Decimal | int


class Sample(NamedTuple):
    """A MeterValues on disk: when it arrived (no two of a station at the same microsecond), and its frame.

    `glimpse` is what was seen of it at once; None, when it must be read to know.
    """

    arrival: datetime
    raw: str
    glimpse: Glimpse | None = None


class SampleList(msgspec.Struct, frozen=True):
    """The samples of a station that were taken in together, by arrival. None arrived before `until` and was not."""

    station: str
    until: datetime
    arrivals: tuple[datetime, ...] = ()


def put_of(station: str, sample: Sample) -> Put:
    """The write of a sample."""
    arrival = exact_timestamp(sample.arrival)
    last_updated = _in_milliseconds(arrival)
    return Put(OCPP_SAMPLES, f"{arrival}/{station}", sample.raw.encode(), last_updated=last_updated, expect=UNUSED)


def event_of(station: str, sample: Sample) -> Event:
    """What the ledger makes of it."""
    frame = frames.read(sample.raw, _VERSION)
    if not isinstance(frame, frames.Call):  # beyond our limit of depth
        return Event(station, "meter", sample.arrival, flags=frozenset({Flag.SCHEMA_BROKEN}))
    finding = schemas.check(_VERSION, frame.action, frame.payload)
    return reports.meter(station, Incoming(frame.action, frame.payload, "", finding), sample.arrival)


def list_put(station: str, waiting: Sequence[Sample]) -> Put:
    """The write that says that these were taken in."""
    listed = SampleList(station, waiting[-1].arrival, tuple(sample.arrival for sample in waiting))
    return _list_put(f"{station}/{exact_timestamp(listed.until)}", listed, LIVE)


def mark_put(station: str, until: datetime) -> Put:
    """The write that says that of what arrived until then nothing waits. It replaces the one before."""
    return _list_put(f"{station}/{_MARK}", SampleList(station, until), LIVE)


def is_mark(key: str) -> bool:
    """Is this the key of a list that is replaced again and again?"""
    return key.endswith(f"/{_MARK}")


def arrival_in(key: str) -> tuple[str, str]:
    """Of the key of a sample: when it arrived, as the text of `timestamp`, and the station."""
    arrival, _, station = key.partition("/")
    return _in_milliseconds(arrival), station


def done_put(key: str, listed: SampleList) -> Put:
    """The write of a list that no book rests on any more."""
    return _list_put(key, listed, DONE)


async def live_lists(store: Store, station: str) -> list[tuple[str, SampleList]]:
    """The lists of a station that a book rests on, with their keys."""
    found: list[tuple[str, SampleList]] = []
    after = 0
    while documents := await store.select(
        OCPP_SAMPLE_LISTS, equal={"station": station, "state": LIVE}, limit=_AT_ONCE, after_seq=after
    ):
        found += [(document.key, msgspec.json.decode(document.body, type=SampleList)) for document in documents]
        after = documents[-1].seq
    return found


async def listed_events(store: Store, lists: Sequence[SampleList]) -> AsyncIterator[list[Event]]:
    """What was told by the samples that these lists name, in parts; others may work in between."""
    named = [(listed.station, arrival) for listed in lists for arrival in listed.arrivals]
    for first in range(0, len(named), _AT_ONCE):
        keys = [f"{exact_timestamp(at)}/{name}" for name, at in named[first : first + _AT_ONCE]]
        documents = await store.get_many(OCPP_SAMPLES, keys)
        yield [event_of(*_sample_in(document)) for document in documents.values()]
        await asyncio.sleep(0)


async def tail(store: Store, since: datetime) -> AsyncIterator[tuple[str, Sample]]:
    """Station and sample of everything that arrived from `since` on, in order of commits."""
    first = await store.page(OCPP_SAMPLES, date_from=timestamp(since), date_to=None, offset=0, limit=1)
    after = first.documents[0].seq - 1 if first.documents else None
    while after is not None and (documents := await store.select(OCPP_SAMPLES, limit=_AT_ONCE, after_seq=after)):
        for document in documents:
            yield _sample_in(document)
        after = documents[-1].seq
        await asyncio.sleep(0)


async def newest(store: Store) -> list[tuple[str, Sample]]:
    """Station and sample of what arrived last, at most 1,000 samples of all stations, in order of commits."""
    documents = await store.select(OCPP_SAMPLES, descending=True, limit=_NEWEST)
    return [_sample_in(document) for document in reversed(documents)]


def _in_milliseconds(exact: str) -> str:
    return f"{exact[:23]}Z"


def _list_put(key: str, listed: SampleList, state: str) -> Put:
    columns = (listed.station, state)
    return Put(OCPP_SAMPLE_LISTS, key, msgspec.json.encode(listed), "", "", timestamp(listed.until), columns)


def _sample_in(document: Document) -> tuple[str, Sample]:
    arrival, _, station = document.key.partition("/")
    return station, Sample(datetime.fromisoformat(arrival), document.body.decode())
