"""What the meter said of a charge until now, from what is on record: those samples too that wait for the ledger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from hub.core.store import Store
from partners.ocpp import archive, journal, ledger, samples
from partners.ocpp.events import Event


class Measured(NamedTuple):
    """How many meter values there are between start and end of a charge, and its energy in kWh so far."""

    samples: int
    kwh: Decimal


async def measured(store: Store, station: str, session: str) -> Measured | None:
    """Of the charge of a session; None, where its events are put away by now."""
    records = await store.select(journal.TRANSACTIONS, equal={"session": session}, limit=1)
    if not records:
        return None
    desk = await archive.read(store, station)
    waiting = await _waiting(store, station, desk.last_arrival) if desk.is_open else []
    book = ledger.with_samples(desk.book, waiting) if waiting else desk.book
    for key, charge in book.transactions.items():
        if journal.key_of_start(key) == records[0].key:
            return Measured(len(charge.readings), charge.energy_kwh)
    return None


async def _waiting(store: Store, station: str, since: datetime | None) -> list[Event]:
    """The newest samples of a station that the ledger has not seen, in order."""
    newest = [sample for name, sample in await samples.newest(store) if name == station]
    return [samples.event_of(station, sample) for sample in newest if since is None or sample.arrival > since]
