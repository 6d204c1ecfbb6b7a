"""Received tariffs as they were: a CDR is billed by the version that was in force at the start of its session.

OCPI mod_cdrs_cdr_object. A CDR may name its tariff alone, and its CPO may have changed that since, so what a change or
an end takes away is kept, written with what takes it away. A version holds from the `last_updated` that its owner gave
it until that of the next one which says anything else; who sends the same again begins no version. After
`history_days` it is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hub.core.clock import timestamp
from hub.core.forgetting import forget_all
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.units import Document, Kind, Put
from modules.tariffs.store import TARIFFS, key_of

FORMER: Final = Kind("former_tariffs", columns=("tariff", "since"), indexed=("tariff",))
"""By key of the tariff and since when it was so, which is `since`; until when, is `last_updated`."""

_LIMIT: Final = 8 * 1024 * 1024
_NEXT: Final = timedelta(milliseconds=1)
"""Until a moment is before it."""


class Versions(NamedTuple):
    """Tariffs as they were at a moment, and later. `last_updated` of each says since when it is so.

    then: in force at that moment, or where nothing so old is known, the first that is. now: what became of these.
    """

    then: list[Tree]
    now: list[Tree]


def since_of(tree: Tree, known: Document | None) -> str:
    """From when on a tariff says the same as `known`, which it is to replace; "": it says anything else."""
    if known is None:
        return ""
    before: Tree = parse(known.body, limit=_LIMIT)
    same = {**tree, "last_updated": ""} == {**before, "last_updated": ""}
    return known.columns["since"] if same else ""


def former_of(known: Document, *, until: str) -> Put | None:
    """The write that keeps `known`, which is replaced or withdrawn; None, where it never held (timestamps)."""
    since = known.columns["since"]
    if since >= until:
        return None
    return Put(
        FORMER,
        f"{known.key}/{since}",
        known.body,
        known.owner,
        known.audience,
        last_updated=until,
        columns=(known.key, since),
    )


async def versions_at(
    store: Store, owner: Party | str, tariff_ids: Iterable[str], moment: datetime, *, audience: str = ""
) -> Versions:
    """What is known of these tariffs, for everybody or addressed to the party `audience`. Raises: NotReady."""
    at = timestamp(moment)
    copies = [[key_of(owner, tariff_id, to) for to in dict.fromkeys(("", audience))] for tariff_id in tariff_ids]
    current = await store.get_many(TARIFFS, [key for keys in copies for key in keys])
    then, now = [], []
    for keys in copies:
        held = [document for key in keys if (document := current.get(key)) is not None]
        past = [await _former(store, key, moment) for key in keys if key not in current or _since(current[key]) > at]
        known = [*held, *(document for document in past if document is not None)]
        if not known:
            continue
        chosen = _in_force(known, at)
        then.append(_told(chosen))
        now += [_told(document) for document in held if document is not chosen]
    return Versions(then, now)


def _in_force(known: Sequence[Document], at: str) -> Document:
    """The newest that is not after the moment; of two of one time the one that is addressed. Else the oldest of all."""
    before = [document for document in known if _since(document) <= at]
    if before:
        return max(before, key=lambda document: (_since(document), document.audience))
    return min(known, key=_since)


async def _former(store: Store, key: str, moment: datetime) -> Document | None:
    """The version at a moment, else the first after it, of those that hold no longer."""
    page = await store.page(
        FORMER, date_from=timestamp(moment + _NEXT), date_to=None, offset=0, limit=1, among={"tariff": [key]}
    )
    return page.documents[0] if page.documents else None


def _since(document: Document) -> str:
    return document.columns["since"]


def _told(document: Document) -> Tree:
    tree: Tree = parse(document.body, limit=_LIMIT)
    return {**tree, "last_updated": _since(document)}


async def forget(hub: Hub) -> None:
    """What no session of these days can have begun with goes. Raises: NotReady, Conflict."""
    before = hub.clock.now() - timedelta(days=hub.settings.history_days)
    await forget_all(hub.store, FORMER, timestamp(before))
