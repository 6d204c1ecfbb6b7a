"""The past is kept for a time only: alerts that closed, outages that ended, and EVSEs that are no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from hub.core.clock import timestamp
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.units import Delete, Document, Kind, Unit
from partners.ocpp.watch.outages import OUTAGES, WATCHED, outage_in, watched_in
from partners.ocpp.watch.rows import ALERTS, CLOSED, alert_in

_A_STEP: Final = 500

Ended = Callable[[Document], datetime | None]


async def forget(hub: Hub) -> None:
    """What ended longer ago than the history is kept goes. Raises: Conflict, NotReady."""
    before = hub.clock.now() - timedelta(days=hub.settings.history_days)
    await _forget(hub.store, ALERTS, lambda document: alert_in(document).closed, before)
    await _forget(hub.store, OUTAGES, lambda document: outage_in(document).ended, before)
    await _forget(hub.store, WATCHED, lambda document: watched_in(document).until, before)


async def _forget(store: Store, kind: Kind, ended: Ended, before: datetime) -> None:
    """In the order in which they were made: the first that began since then ends it, if it has a date."""
    equal = {"state": CLOSED} if "state" in kind.columns else {}
    begun, after = timestamp(before), 0
    while documents := await store.select(kind, equal=equal, after_seq=after, limit=_A_STEP):
        after = documents[-1].seq
        over = [document for document in documents if (end := ended(document)) is not None and end < before]
        if over:
            await store.commit(Unit([Delete(kind, each.key, each.version) for each in over]))
        if documents[-1].last_updated >= begun:
            return
