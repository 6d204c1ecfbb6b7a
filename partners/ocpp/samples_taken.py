"""How often the meter was heard in a charge, from what is on record of it."""

from __future__ import annotations

from hub.core.store import Store
from partners.ocpp import archive, journal


async def samples_of(store: Store, station: str, session: str) -> int | None:
    """The meter values between start and end of a session's charge; None, where its events are put away by now."""
    records = await store.select(journal.TRANSACTIONS, equal={"session": session}, limit=1)
    charges = (await archive.read(store, station)).book.transactions if records else {}
    for key, charge in charges.items():
        if journal.key_of_start(key) == records[0].key:
            return len(charge.readings)
    return None
