"""Parties behind other hubs, as those hubs tell it: which of them can be reached. OCPI mod_hub_client_info.

A hub that is a partner of ours speaks for parties of its own. What it says of them decides only over the way through
that hub: a party that is connected here itself, and our own, are not its to speak of. What it says is kept, each as
that hub's word, and known in memory, as every routed request asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from hub.core.parties import PartyRole
from hub.core.recency import is_older
from hub.core.store import Store
from hub.core.units import Change, Document, Kind, Put, Unit

BEHIND: Final = Kind("behind", columns=("partner", "role", "status", "spelled"), indexed=("partner",))
"""`role` is that of our form; `spelled` as the hub writes it (HUB in 2.2.1)."""
TOLD: Final = "behind"
"""The change that wakes whoever follows what hubs say; no lane has anything to send of it."""


class Status(StrEnum):
    """ConnectionStatus (mod_hub_client_info_hub_connection_type_enum), the best first."""

    CONNECTED = "CONNECTED"
    OFFLINE = "OFFLINE"
    PLANNED = "PLANNED"
    SUSPENDED = "SUSPENDED"


class Told(NamedTuple):
    """One word of a hub. `partner` is that hub, `at` the timestamp it gave, `body` the object in our form."""

    partner: str
    party: str
    role: PartyRole
    status: Status
    at: str
    body: bytes
    spelled: str

    @property
    def key(self) -> str:
        return f"{self.partner}/{self.party}/{self.role}"


class Behind:
    """All that hubs have told, in memory, written through to the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[str, Told] = {}
        self._revision = -1
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back whenever a hub's word may be another one than before."""
        self._listeners.append(callback)

    async def load(self) -> None:
        """Read everything. Called at the start, and when another process has written."""
        revision = self._store.revision(BEHIND)
        found = [_read(document) for document in await self._store.select(BEHIND, limit=1_000_000)]
        self._told = {told.key: told for told in found}
        self._revision = revision
        self._tell()

    async def refresh(self) -> None:
        """Read again, if another process wrote."""
        if self._revision != self._store.revision(BEHIND):
            await self.load()

    def all(self) -> list[Told]:
        """In order of the hubs' names, then of the parties."""
        return [self._told[key] for key in sorted(self._told)]

    def find(self, partner: str, party: str, role: PartyRole) -> Told | None:
        """What that hub says of a party in a role."""
        return self._told.get(f"{partner}/{party}/{role}")

    def of_party(self, partner: str, party: str) -> list[Told]:
        """What that hub says of a party in all roles, the latest word first."""
        said = (self.find(partner, party, role) for role in PartyRole)
        return sorted((told for told in said if told is not None), key=lambda told: told.at, reverse=True)

    def is_cut_off(self, partner: str, party: str, roles: Iterable[PartyRole]) -> bool:
        """Does that hub say that the party cannot be reached in any of these roles? False, where it says nothing."""
        told = [self._told.get(f"{partner}/{party}/{role}") for role in roles] if self._told else []
        known = [each for each in told if each is not None]
        return bool(known) and all(each.status is not Status.CONNECTED for each in known)

    async def put(self, told: Iterable[Told], *, now: datetime) -> int:
        """Keep what a hub says; what is older than what we have changes nothing. Returns: how many are new."""
        fresh = [each for each in told if self._is_fresh(each, now)]
        if not fresh:
            return 0
        await self._store.commit(Unit(writes=[_put(each) for each in fresh]).tells(Change(TOLD, fresh[0].partner)))
        new = sum(each.key not in self._told for each in fresh)
        self._told.update({each.key: each for each in fresh})
        self._revision = self._store.revision(BEHIND)
        self._tell()
        return new

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _is_fresh(self, told: Told, now: datetime) -> bool:
        known = self._told.get(told.key)
        return known is None or (told != known and not is_older(told.at, known.at, now))


def _put(told: Told) -> Put:
    columns = (told.partner, told.role.value, told.status.value, told.spelled)
    return Put(BEHIND, told.key, told.body, owner=told.party, last_updated=told.at, columns=columns)


def _read(document: Document) -> Told:
    columns = document.columns
    return Told(
        columns["partner"],
        document.owner,
        PartyRole(columns["role"]),
        Status(columns["status"]),
        document.last_updated,
        document.body,
        columns["spelled"],
    )
