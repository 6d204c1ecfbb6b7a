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
from hub.core.types import parse_datetime
from hub.core.units import ANY, Document, Kind, Put, Unit
from modules.tariffs.validity import lowest_now, next_turn
from modules.tariffs.wire import TARIFF

__all__ = ["TARIFFS", "TURNS", "find", "find_all", "key_of", "put_of", "turn_of", "unit_of"]

TARIFFS: Final = Kind("tariffs", columns=("lowest", "id"), copied=True)
TURNS: Final = Kind("tariff_turns")
"""By key of a tariff: the moment at which it begins to hold, or ends, is `last_updated`."""


def put_of(owner: Party, tree: Tree, *, now: datetime, audience: str = "", expect: int = ANY, arrived: str = "") -> Put:
    """The write of one tariff. `arrived`: when a change came whose time its owner did not tell."""
    columns = (lowest_now(lowest_version(TARIFF, tree), tree, now), tree["id"])
    updated = max(timestamp(parse_datetime(tree["last_updated"])), arrived)
    key = key_of(owner, tree["id"], audience)
    return Put(TARIFFS, key, encode(tree), str(owner), audience, updated, columns, expect)


def turn_of(key: str, tree: Tree, *, now: datetime, expect: int = ANY) -> Put | None:
    """The write that says when this tariff next begins to hold, or ends; None: it does neither."""
    moment = next_turn(tree, now)
    return Put(TURNS, key, b"", last_updated=moment, expect=expect) if moment else None


def unit_of(put: Put, tree: Tree, *, now: datetime) -> Unit:
    """What writes a tariff, and when it turns next."""
    turn = turn_of(put.key, tree, now=now)
    return Unit([put] if turn is None else [put, turn])


async def find(store: Store, key: str) -> Document | None:
    return await store.get(TARIFFS, key)


async def find_all(store: Store, owner: Party | str, tariff_ids: list[str]) -> list[Document]:
    """The tariffs of these ids that exist, in the order asked for."""
    keys = [key_of(owner, tariff_id) for tariff_id in tariff_ids]
    found = await store.get_many(TARIFFS, keys)
    return [found[key] for key in keys if key in found]
