"""Locations as they are kept: the whole tree as one document, and an index from EVSE to location."""

from __future__ import annotations

from typing import Final

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.renditions import lowest_version
from hub.core.store import Store
from hub.core.units import ANY, Document, Kind, Put
from modules.locations.model import Location
from modules.locations.wire import LOCATION

LOCATIONS: Final = Kind("locations", columns=("lowest", "id"))
EVSES: Final = Kind("evses", columns=("location",))


def key_of(owner: Party | str, location_id: str) -> str:
    """`DE*BSB/LOC1`; ids compare without case (CiString)."""
    return f"{owner}/{location_id.upper()}"


def puts_of(owner: Party, location: Location, tree: Tree, body: bytes, *, expect: int = ANY) -> list[Put]:
    """The writes of one location and of its EVSEs' index."""
    key = key_of(owner, location.id)
    lowest = lowest_version(LOCATION, tree)
    updated = timestamp(location.last_updated)
    puts = [Put(LOCATIONS, key, body, str(owner), "", updated, (lowest, location.id), expect)]
    puts += [
        Put(EVSES, key_of(owner, evse.uid), b"", str(owner), columns=(key,)) for evse in location.evses or ()
    ]
    return puts


async def find(store: Store, key: str) -> Document | None:
    return await store.get(LOCATIONS, key)


async def location_of_evse(store: Store, owner: Party | str, evse_uid: str) -> str | None:
    """The key of the location that has this EVSE."""
    document = await store.get(EVSES, key_of(owner, evse_uid))
    return document.columns["location"] if document is not None else None
