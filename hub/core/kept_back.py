"""What a partner was not told of, as it may not have its owner's objects, and nothing but the words of the change say.

Once it may, its lane is told of all the objects that there are (`catching_up.py`). That a tariff was withdrawn, or that
an EVSE can be said in its version no more, is in none of them: so these words are written down when its lane passes
them over, and told then. A partner that never had the object is told as well; it is content. After `history_days` they
are forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from hub.core.addressed import owner_in
from hub.core.clock import timestamp
from hub.core.delivery import only_for
from hub.core.forgetting import forget_all
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.store import Store
from hub.core.units import Delete, Document, Kind, Put, Unit

KEPT_BACK: Final = Kind("kept_back", columns=("partner", "module", "object", "what"), indexed=("partner",))
"""`owner`: whose object it is; `object` its key, `what` the word."""
_A_STEP: Final = 500


async def keep(hub: Hub, partner: Partner, module: str, key: str, words: Iterable[str]) -> None:
    """Write down that the lane of `partner` has passed over these words of a change."""
    now = timestamp(hub.clock.now())
    puts = [
        Put(
            KEPT_BACK,
            "/".join((partner.name, module, key, word)),
            b"",
            owner_in(key),
            last_updated=now,
            columns=(partner.name, module, key, word),
        )
        for word in sorted(words)
    ]
    if puts:
        await hub.store.commit(Unit([*puts]))


async def of(store: Store, partner: str, *, after_seq: int) -> list[Document]:
    """What was kept from a partner, the oldest first, a part at a time."""
    return await store.select(KEPT_BACK, equal={"partner": partner}, after_seq=after_seq, limit=_A_STEP)


def told(documents: Iterable[Document]) -> Unit:
    """What lets the partner's lane hear of these now."""
    unit = Unit()
    for document in documents:
        columns = document.columns
        change = only_for(columns["partner"], columns["module"], columns["object"], columns["what"])
        unit.delete(Delete(KEPT_BACK, document.key)).tells(change)
    return unit


async def forget(hub: Hub) -> None:
    """What is old goes. Raises: Conflict, NotReady."""
    before = hub.clock.now() - timedelta(days=hub.settings.history_days)
    await forget_all(hub.store, KEPT_BACK, timestamp(before))
