"""A station's desk on disk: how it is read, and how it is put away."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hub.core.store import Store
from hub.core.units import Unit
from partners.ocpp import journal, ledger, samples
from partners.ocpp.desk import Desk
from partners.ocpp.events import Event
from partners.ocpp.facts import Facts
from partners.ocpp.matching import stop_key

FORGOTTEN_AFTER: Final = timedelta(hours=24)


NOTHING: Final[Mapping[datetime, Event]] = {}


async def read(store: Store, station: str, *, instead: Mapping[datetime, Event] = NOTHING) -> Desk:
    """What is on disk of a station, but for the samples that wait; `instead` of some events, by arrival, others."""
    facts, arrivals = Facts(station), []
    async for documents in journal.live_events(store, station):
        told = map(journal.event_in, documents)
        events = [replace(instead.get(event.arrival, event), raw="") for event in told]
        facts = facts.joined_by(events).thinned()
        arrivals += [event.arrival for event in events]
    lists = [listed for _, listed in await samples.live_lists(store, station)]
    async for events in samples.listed_events(store, lists):
        facts = facts.with_samples(events).thinned()
    arrivals += [listed.until for listed in lists]
    return Desk(facts, max(arrivals, default=None))


async def put_away(store: Store, desk: Desk, now: datetime) -> None:
    """Mark as done what the desk will not rest on when it is read again."""
    waits = await store.select(journal.TRANSACTIONS, equal={"station": desk.station, "state": journal.UNPLACED})
    waiting = {document.key for document in waits}
    still = {key for key in desk.book.transactions if journal.key_of_start(key) in waiting}
    stops = {
        key for key in map(stop_key, desk.book.pairing.orphans) if journal.key_of_stop(desk.station, key) in waiting
    }
    left = ledger.forget(desk.book, before=now - FORGOTTEN_AFTER, but=still, but_stops=stops)
    numbers = {document.columns["number"] for document in waits}
    kept, named = desk.arrivals(left), ({key.named for key in left.facts.starts} | numbers) - {""}
    async for documents in journal.live_events(store, desk.station):
        events = [(document, journal.event_in(document)) for document in documents]
        gone = [document for document, event in events if not (event.arrival in kept or _is_of(event, named))]
        if gone:
            await store.commit(Unit([journal.done_put(document) for document in gone]))
    for key, listed in await samples.live_lists(store, desk.station):
        if kept.isdisjoint(listed.arrivals):
            await store.commit(Unit([samples.done_put(key, listed)]))


def _is_of(event: Event, named: Collection[str]) -> bool:
    """A part of one of these transactions? Each may say something that no other does."""
    return event.part is not None and event.named in named
