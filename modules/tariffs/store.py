"""Tariffs as they are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.core.addressed import key_of
from hub.core.clock import timestamp
from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.renditions import lowest_version
from hub.core.store import Store
from hub.core.types import timestamp_of
from hub.core.units import ANY, Delete, Document, Kind, Put, Unit
from modules.tariffs.validity import UNDATED, lowest_now, next_turn
from modules.tariffs.wire import TARIFF

__all__ = [
    "SHIFTED",
    "SINCE",
    "TARIFFS",
    "TURNS",
    "find",
    "find_all",
    "gone",
    "key_of",
    "put_of",
    "shift_of",
    "turn_of",
    "unit_of",
]

TARIFFS: Final = Kind("tariffs", columns=("lowest", "id", "since", "heard"), copied=True)
"""`since`: from when on it says what it says, as its owner tells it; `last_updated` may move on without that. `heard`:
when it was first told here that it says so."""
SINCE: Final = TARIFFS.columns.index("since")
TURNS: Final = Kind("tariff_turns")
"""By key of a tariff: the moment at which it begins to hold, or ends, is `last_updated`."""
SHIFTED: Final = Kind("tariff_shifts", columns=("id",))
"""By key of a tariff: it came or went, or partners of 2.1.1 can have it since then, or cannot any more. They are still
to be told of the locations that name it."""


def put_of(
    owner: Party,
    tree: Tree,
    *,
    now: datetime,
    audience: str = "",
    expect: int = ANY,
    arrived: str = "",
    same: Document | None = None,
) -> Put:
    """The write of one tariff. `arrived`: when a change came whose time its owner did not tell. `same`: what is there,
    where the tariff says the same already."""
    updated = max(timestamp_of(tree["last_updated"]), arrived)
    said = (updated, timestamp(now)) if same is None else (same.columns["since"], same.columns["heard"])
    columns = (lowest_now(lowest_version(TARIFF, tree), tree, now), tree["id"], *said)
    key = key_of(owner, tree["id"], audience)
    return Put(TARIFFS, key, encode(tree), str(owner), audience, updated, columns, expect)


def turn_of(key: str, tree: Tree, *, now: datetime, expect: int = ANY) -> Put | None:
    """The write that says when this tariff next begins to hold, or ends; None: it does neither."""
    moment = next_turn(tree, now)
    return Put(TURNS, key, b"", last_updated=moment, expect=expect) if moment else None


def shift_of(known: Document | None, put: Put | None) -> Put | None:
    """The write that says so where the tariff comes or goes, or 2.1.1 can say it now and could not, or the other way.

    `known`: what is replaced, if there is something; `put`: by what, None where the tariff goes.
    """
    before = None if known is None else known.columns["lowest"] == UNDATED
    after = None if put is None else put.columns[0] == UNDATED
    if before == after:
        return None
    if put is not None:
        return Put(SHIFTED, put.key, b"", put.owner, columns=put.columns[1:2])
    return None if known is None else Put(SHIFTED, known.key, b"", known.owner, columns=(known.columns["id"],))


def unit_of(put: Put, tree: Tree, known: Document | None, *, now: datetime) -> Unit:
    """What writes a tariff in place of `known`, when it turns next, and if it shifts."""
    beside = (turn_of(put.key, tree, now=now), shift_of(known, put))
    return Unit([put, *(each for each in beside if each is not None)])


def gone(known: Document) -> Unit:
    """What removes a tariff."""
    shift = shift_of(known, None)
    unit = Unit().delete(Delete(TARIFFS, known.key, known.version))
    return unit if shift is None else unit.put(shift)


async def find(store: Store, key: str) -> Document | None:
    return await store.get(TARIFFS, key)


async def find_all(store: Store, owner: Party | str, tariff_ids: list[str]) -> list[Document]:
    """The tariffs of these ids that exist, in the order asked for."""
    keys = [key_of(owner, tariff_id) for tariff_id in tariff_ids]
    found = await store.get_many(TARIFFS, keys)
    return [found[key] for key in keys if key in found]
