"""What may happen to our own tariffs. OCPI mod_tariffs."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest, NotFound
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.units import Change, Delete, Unit
from modules.tariffs import store as tariffs
from modules.tariffs.model import Tariff
from modules.tariffs.wire import TARIFF

LIMIT: Final = 8 * 1024 * 1024


async def put(store: Store, owner: Party, tariff_id: str, tree: Tree, *, now: datetime) -> bool:
    """Keep a tariff of our own; a missing `last_updated` is `now`. Returns: True if it is new. Raises: InvalidRequest."""
    given = {"country_code": owner.country_code, "party_id": owner.party_id, "last_updated": timestamp(now)}
    tariff: Tariff = TARIFF["2.3.0"].read({**given, **tree})
    if tariff.id.upper() != tariff_id.upper() or Party.of(tariff.country_code, tariff.party_id) != owner:
        raise InvalidRequest("the URL and the object name different tariffs")
    known = await tariffs.find(store, tariffs.key_of(owner, tariff_id))
    clean = tariff.tree()
    put = tariffs.put_of(owner, tariff, clean, encode(clean))
    await store.commit(Unit().put(put).tells(Change("tariffs", put.key, owner=str(owner))))
    return known is None


async def delete(store: Store, owner: Party, tariff_id: str) -> None:
    """Withdraw a tariff; partners that had it get a DELETE. Raises: NotFound."""
    key = tariffs.key_of(owner, tariff_id)
    known = await tariffs.find(store, key)
    if known is None:
        raise NotFound("there is no such tariff")
    change = Change("tariffs", key, owner=str(owner), what=f"deleted/{known.columns['id']}")
    await store.commit(Unit().delete(Delete(tariffs.TARIFFS, key, known.version)).tells(change))


async def snapshot(store: Store, owner: Party | str, tariff_ids: list[str]) -> list[Tree]:
    """The tariffs as they are now, to be frozen into a session that starts (REQ-159)."""
    found = await tariffs.find_all(store, owner, tariff_ids)
    return [parse(document.body, limit=LIMIT) for document in found]
