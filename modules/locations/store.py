"""Locations as they are kept: the whole tree as one document, and an index from EVSE to location."""

from __future__ import annotations

from typing import Final

from hub.core.clock import timestamp
from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.renditions import lowest_version
from hub.core.store import Store
from hub.core.types import parse_datetime
from hub.core.units import ANY, Document, Kind, Put
from modules.locations.wire import LOCATION

LOCATIONS: Final = Kind("locations", columns=("lowest", "id"))
EVSES: Final = Kind("evses", columns=("location",))


def key_of(owner: Party | str, location_id: str) -> str:
    """`DE*BSB/LOC1`; ids compare without case (CiString)."""
    return f"{owner}/{location_id.upper()}"


def put_of(owner: Party, tree: Tree, *, lowest: str = "", expect: int = ANY) -> Put:
    """The write of one location. `lowest`: the oldest version that can say it, where that is known."""
    updated = timestamp(parse_datetime(tree["last_updated"]))
    columns = (lowest or lowest_version(LOCATION, tree), tree["id"])
    return Put(LOCATIONS, key_of(owner, tree["id"]), encode(tree), str(owner), "", updated, columns, expect)


def index_put(owner: Party, evse_uid: str, location: str) -> Put:
    """The write that says: this EVSE is at the location of this key."""
    return Put(EVSES, key_of(owner, evse_uid), b"", str(owner), columns=(location,))


async def find(store: Store, key: str) -> Document | None:
    return await store.get(LOCATIONS, key)


async def location_of_evse(store: Store, owner: Party | str, evse_uid: str) -> str | None:
    """The key of the location that has this EVSE."""
    document = await store.get(EVSES, key_of(owner, evse_uid))
    return document.columns["location"] if document is not None else None
