"""Locations as they are kept: the whole tree as one document, and an index from EVSE to location."""

from __future__ import annotations

from typing import Final

from hub.core.addressed import key_of
from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.renditions import lowest_version
from hub.core.store import Store
from hub.core.types import timestamp_of
from hub.core.units import ANY, Document, Kind, Put
from modules.locations.wire import LOCATION

__all__ = ["EVSES", "LOCATIONS", "find", "index_put", "key_of", "location_of_evse", "put_of"]

LOCATIONS: Final = Kind("locations", columns=("lowest", "id"), copied=True)
EVSES: Final = Kind("evses", columns=("location",))


def put_of(
    owner: Party, tree: Tree, *, audience: str = "", lowest: str = "", expect: int = ANY, arrived: str = ""
) -> Put:
    """The write of one location. `lowest`: the oldest version that can say it, where that is known.

    arrived: when a change came whose time its owner did not tell.
    """
    updated = max(timestamp_of(tree["last_updated"]), arrived)
    columns = (lowest or lowest_version(LOCATION, tree), tree["id"])
    key = key_of(owner, tree["id"], audience)
    return Put(LOCATIONS, key, encode(tree), str(owner), audience, updated, columns, expect)


def index_put(owner: Party, evse_uid: str, location: str) -> Put:
    """The write that says: this EVSE is at the location of this key."""
    return Put(EVSES, key_of(owner, evse_uid), b"", str(owner), columns=(location,))


async def find(store: Store, key: str) -> Document | None:
    return await store.get(LOCATIONS, key)


async def location_of_evse(store: Store, owner: Party | str, evse_uid: str) -> str | None:
    """The key of the location that has this EVSE."""
    document = await store.get(EVSES, key_of(owner, evse_uid))
    return document.columns["location"] if document is not None else None
