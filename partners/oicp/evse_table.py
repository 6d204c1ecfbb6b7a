"""The table of EVSEs: one row for each EVSE on record here that OICP can name, whoever's it is.

It is what pulls are answered from and pushes are measured against, and the index from an EvseID to OCPI's location and
back. A row outlives its EVSE as a tombstone, so that a pull of changes can tell of the end. `last_updated` of a row is
when its record changed by our clock; its status has a row of its own, as it changes a hundred times more often.

A row has a source where its record came in OICP: that partner, and the operator in whose name it came. Such a row is
the truth, written by `evse_intake`, and OCPI's location is made of it. All others are made of OCPI's locations by
`evse_follower`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from hub.core.clock import timestamp
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import ANY, Document, Kind, Put
from partners.oicp import ids
from partners.oicp.evse_amends import AS_IT_CAME, Amends, told_with
from partners.oicp.places import EvsePlace

OICP_EVSES: Final = Kind(
    "oicp_evses",
    columns=("gone", "location", "place", "created", "source"),
    indexed=("location", "place", "source"),
)
OICP_STATES: Final = Kind("oicp_states", columns=("status", "location"))
HERE: Final = "0"
GONE: Final = "1"
LIMIT: Final = 256 * 1024


class EvseRow(msgspec.Struct, frozen=True, kw_only=True):
    """An EVSE. `record` is its EvseDataRecord as it came, or was made; of one that is gone, as it was last."""

    place: EvsePlace
    record: dict[str, Any]
    gone: bool = False
    created: str
    changed: str
    source: str = ""
    """`partner/DEABC`: who told of it in OICP; "": made of a location of OCPI."""
    amends: Amends = AS_IT_CAME

    @property
    def key(self) -> str:
        return key_of(self.place.evse_id)

    @property
    def told(self) -> dict[str, Any]:
        """Its EvseDataRecord as EMPs and hubs get it."""
        return told_with(self.record, self.amends.told) if self.amends.told else self.record

    def put(self, *, expect: int = ANY) -> Put:
        """The write of it."""
        place = self.place
        return Put(
            OICP_EVSES,
            self.key,
            encode({"place": msgspec.to_builtins(place), "record": self.record, **_kept(self.amends)}),
            place.owner,
            last_updated=self.changed,
            columns=(
                *(GONE if self.gone else HERE, place.location, spot_of(place.location, place.evse_uid)),
                *(self.created, self.source),
            ),
            expect=expect,
        )


def read(document: Document) -> EvseRow:
    """As it is on disk; numbers exactly as they were."""
    tree: Tree = parse(document.body, limit=LIMIT)
    return EvseRow(
        place=EvsePlace(**tree["place"]),
        record=tree["record"],
        amends=Amends(**tree["amends"]) if "amends" in tree else AS_IT_CAME,
        gone=document.columns["gone"] == GONE,
        created=document.columns["created"],
        changed=document.last_updated,
        source=document.columns["source"],
    )


def told_in(body: Tree) -> dict[str, Any]:
    """The EvseDataRecord of a row as EMPs get it, of its body alone."""
    record: dict[str, Any] = body["record"]
    return told_with(record, body["amends"]["told"]) if "amends" in body else record


def _kept(amends: Amends) -> Tree:
    return {"amends": amends._asdict()} if amends else {}


def key_of(evse_id: str) -> str:
    """Equal for all spellings of an EvseID. Raises: InvalidId."""
    return ids.EvseID.parse(evse_id).canonical


def key_in_oicp(evse: Tree) -> str:
    """The canonical EvseID of an EVSE of a location, if it has the uid that EVSEs get which came in OICP; else ""."""
    try:
        evse_id = ids.EvseID.parse(evse.get("evse_id") or "")
    except ids.InvalidId:
        return ""
    return evse_id.canonical if evse["uid"].upper() == evse_id.uid.upper() else ""


def state_put(evse_id: str, owner: str, location: str, status: str, now: str) -> Put:
    """The write of an EVSE's status, in OICP's words."""
    return Put(OICP_STATES, key_of(evse_id), evse_id.encode(), owner, last_updated=now, columns=(status, location))


def spot_of(location: str, evse_uid: str) -> str:
    """The column `place` of an EVSE: what OCPI calls it."""
    return f"{location}/{evse_uid}".upper()


class EvseTable:
    """Reading the table; it is the port `Places`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def find(self, evse_id: str) -> EvsePlace | None:
        """See `Places`."""
        try:
            key = key_of(evse_id)
        except ids.InvalidId:
            return None
        document = await self._hub.store.get(OICP_EVSES, key)
        row = read(document) if document is not None else None
        return row.place if row is not None and not row.gone else None

    async def record_of(self, evse_id: str) -> dict[str, Any]:
        """See `Places`."""
        key = key_of(evse_id)
        row = (await self.get_many([key])).get(key)
        return row.record if row is not None and not row.gone else {}

    async def named(self, owner: str, location_id: str, evse_uid: str) -> EvsePlace | None:
        """See `Places`."""
        spot = spot_of(f"{owner}/{location_id}", evse_uid)
        found = await self._hub.store.select(OICP_EVSES, equal={"place": spot}, limit=10)
        rows = [row for row in map(read, found) if not row.gone]
        return rows[0].place if rows else None

    async def has_any(self, owner: str) -> bool:
        """See `Places`."""
        return bool(await self._hub.store.select(OICP_EVSES, equal={"owner": owner, "gone": HERE}, limit=1))

    async def at(self, location: str) -> list[EvseRow]:
        """All rows of a location, tombstones too."""
        found = await self._hub.store.select(OICP_EVSES, equal={"location": location}, limit=10_000)
        return [read(document) for document in found]

    async def get_many(self, keys: Iterable[str]) -> dict[str, EvseRow]:
        """By canonical EvseID."""
        found = await self._hub.store.get_many(OICP_EVSES, list(keys))
        return {key: read(document) for key, document in found.items()}

    async def states(self, keys: Iterable[str]) -> dict[str, str]:
        """The status of each, in OICP's words, by canonical EvseID."""
        found = await self._hub.store.get_many(OICP_STATES, list(keys))
        return {key: document.columns["status"] for key, document in found.items()}


def now_of(hub: Hub) -> str:
    """Our clock, as rows hold it."""
    return timestamp(hub.clock.now())
