"""What may happen to our own tariffs. OCPI mod_tariffs."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.types import timestamp_of
from hub.core.units import ABSENT, Audit, Change, Document
from modules.tariffs import store as tariffs
from modules.tariffs.model import Tariff
from modules.tariffs.wire import TARIFF
from modules.tariffs.words import word_for

LIMIT: Final = 8 * 1024 * 1024
_ATTEMPTS: Final = 5
DELETED: Final = "deleted/"
"""Prefix of the change word that says: withdrawn; the id as it was spelled follows."""


async def put(
    store: Store, owner: Party, tariff_id: str, tree: Tree, *, now: datetime, audit: Audit | None = None
) -> bool:
    """Keep a tariff of our own; a missing `last_updated`, or one that is no news, is `now`.

    Nobody is told when nothing changed; else `audit` is written with the change. Returns: True if it is new.
    Raises: InvalidRequest.
    """
    given = {"country_code": owner.country_code, "party_id": owner.party_id, "last_updated": timestamp(now)}
    tariff: Tariff = TARIFF["2.3.0"].read({**given, **tree})
    if tariff.id.upper() != tariff_id.upper() or Party.of(tariff.country_code, tariff.party_id) != owner:
        raise InvalidRequest("the URL and the object name different tariffs")
    for _ in range(_ATTEMPTS):
        known = await tariffs.find(store, tariffs.key_of(owner, tariff_id))
        clean = tariff.tree()
        if known is not None and not _moves_on(clean, known, timestamp(now)):
            return False
        put = tariffs.put_of(owner, clean, now=now, expect=known.version if known else ABSENT)
        change = Change("tariffs", put.key, owner=str(owner), what=word_for(known, put))
        try:
            await store.commit(tariffs.unit_of(put, clean, known, now=now).tells(change).audited(audit))
        except Conflict:
            continue
        return known is None
    raise Conflict


def _moves_on(new: Tree, known: Document, now: str) -> bool:
    """Let the time of `new` be later than that of what it replaces. False: it says the same."""
    old = parse(known.body, limit=LIMIT)
    if {**new, "last_updated": ""} == {**old, "last_updated": ""}:
        return False
    if timestamp_of(new["last_updated"]) <= known.last_updated:
        new["last_updated"] = max(now, known.last_updated)
    return True


async def delete(store: Store, owner: Party, tariff_id: str, *, audit: Audit | None = None) -> None:
    """Withdraw a tariff; partners that had it get a DELETE. `audit` is written with it. Raises: NotFound."""
    key = tariffs.key_of(owner, tariff_id)
    known = await tariffs.find(store, key)
    if known is None:
        raise NotFound("there is no such tariff")
    change = Change("tariffs", key, owner=str(owner), what=f"{DELETED}{known.columns['id']}")
    await store.commit(tariffs.gone(known).tells(change).audited(audit))


async def snapshot(store: Store, owner: Party | str, tariff_ids: list[str]) -> list[Tree]:
    """The tariffs as they are now, to be frozen into a session that starts (REQ-159)."""
    found = await tariffs.find_all(store, owner, tariff_ids)
    return [parse(document.body, limit=LIMIT) for document in found]
