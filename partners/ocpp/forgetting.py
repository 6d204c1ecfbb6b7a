"""What chargers reported is kept as evidence for some days, and as long as a book rests on it; then it goes.

    events, lists    those that are *done* (`journal.py`) and arrived before then
    samples          those that arrived before then, and before every *live* event of their station

A sample does not say whether a book rests on it, nor is it found by station (`samples.py`). But only samples of a
charge that was begun take the short way, and the event that began it is live as long as a book rests on the charge:
after a restart too, and whether its samples were taken in or wait. So no sample behind a live event goes. Live events
older than these days are few: of charges that go on for so long, or wait for an operator, and of chargers that were
never heard of again. Events are looked at first, as a charge that begins meanwhile is younger than all that goes.

All is looked through in the order in which it came, from the beginning to where all is younger, a step at a time with
a pause after it, so that no other writer waits for long. Records of transactions stay, as do sessions and CDRs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from hub.core.clock import timestamp
from hub.core.ports import Hub
from hub.core.units import Delete, Document, Kind, Unit
from partners.ocpp.journal import DONE, OCPP_EVENTS
from partners.ocpp.samples import OCPP_SAMPLE_LISTS, OCPP_SAMPLES, arrival_in, is_mark

_A_STEP: Final = 500
_PAUSE_S: Final = 0.05


async def forget(hub: Hub) -> None:
    """What arrived more than `ocpp_events_days` ago goes, if no book rests on it. Raises: NotReady, Conflict."""
    before = timestamp(hub.clock.now() - timedelta(days=hub.settings.ocpp_events_days))
    live = await _forget_done(hub, OCPP_EVENTS, before)
    await _forget_samples(hub, before, live)
    await _forget_done(hub, OCPP_SAMPLE_LISTS, before)


async def _forget_done(hub: Hub, kind: Kind, before: str) -> dict[str, str]:
    """Returns: when the first of those that are live arrived, by station, as far as it was before `before`."""
    live: dict[str, str] = {}
    after = 0
    while documents := await hub.store.select(kind, limit=_A_STEP, after_seq=after):
        after = documents[-1].seq
        old = [document for document in documents if document.last_updated < before]
        done = [document for document in old if document.columns["state"] == DONE]
        await _delete(hub, [Delete(kind, document.key, document.version) for document in done])
        for document in old:
            if document.columns["state"] != DONE:
                station = document.columns["station"]
                live[station] = min(document.last_updated, live.get(station, before))
        if not old and not all(map(_is_rewritten, documents)):
            break
    return live


def _is_rewritten(document: Document) -> bool:
    """Does its time say nothing of those behind it?"""
    return is_mark(document.key)


async def _forget_samples(hub: Hub, before: str, live: dict[str, str]) -> None:
    after = 0
    while leaves := await hub.store.leaves(OCPP_SAMPLES, among={}, after_seq=after, limit=_A_STEP, bodies=False):
        after = leaves[-1].seq
        arrivals = [(leaf, *arrival_in(leaf.key)) for leaf in leaves]
        gone = [leaf for leaf, at, station in arrivals if at < min(before, live.get(station, before))]
        await _delete(hub, [Delete(OCPP_SAMPLES, leaf.key, leaf.version) for leaf in gone])
        if all(at >= before for _, at, _ in arrivals):
            break


async def _delete(hub: Hub, deletes: Sequence[Delete]) -> None:
    if deletes:
        await hub.store.commit(Unit(list(deletes)))
        await hub.clock.sleep(_PAUSE_S)
