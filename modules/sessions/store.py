"""Sessions as they are kept and shown to the owner of the token; the facts behind them are in `charge.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.types import timestamp_of
from hub.core.units import ANY, Change, Document, Kind, Over, Put

SESSIONS: Final = Kind("sessions", columns=("status", "evse", "id"), indexed=("status", "evse", "id"))
RUNNING: Final = ("ACTIVE", "PENDING", "RESERVATION")
_MOST_RUNNING: Final = 100_000
PLACES: Final = Kind("session_places")
"""The location that a session of another CPO came with (2.1.1), under the key of the session."""


def key_of(owner: Party | str, session_id: str) -> str:
    return f"{owner}/{session_id.upper()}"


def put_of(tree: Tree, audience: str, *, expect: int = ANY, arrived: str = "", over: Over | None = None) -> Put:
    """The write of one session; `tree` is a Session in our form.

    arrived: when a change came whose time its owner did not tell.
    """
    owner = f"{tree['country_code']}*{tree['party_id']}".upper()
    columns = (tree["status"], tree["evse_uid"].upper(), tree["id"])
    key = key_of(owner, tree["id"])
    updated = max(timestamp_of(tree["last_updated"]), arrived)
    return Put(SESSIONS, key, encode(tree), owner, audience, updated, columns, expect, over)


def place_put(session: Put, location: Tree) -> Put:
    """The write of the location that a session came with, for the same unit."""
    return Put(PLACES, session.key, encode(location), session.owner)


def change_of(put: Put, correlation_id: str) -> Change:
    return Change("sessions", put.key, put.owner, put.audience, correlation_id=correlation_id)


async def find(store: Store, key: str) -> Document | None:
    return await store.get(SESSIONS, key)


async def active_at(store: Store, evse_uid: str) -> list[Document]:
    """The sessions that are running at an EVSE."""
    return await store.select(SESSIONS, equal={"evse": evse_uid.upper(), "status": "ACTIVE"})


async def running_for(store: Store, parties: Iterable[str]) -> list[Document]:
    """The sessions of these parties' drivers that have not ended, the oldest first."""
    found = await store.page(
        SESSIONS,
        date_from=None,
        date_to=None,
        offset=0,
        limit=_MOST_RUNNING,
        audiences=sorted(parties),
        among={"status": RUNNING},
    )
    return list(found.documents)


async def nobodys(store: Store, *, after_seq: int = 0) -> list[Document]:
    """The sessions that are for nobody, the oldest first, a part at a time."""
    return await store.select(SESSIONS, equal={"audience": ""}, after_seq=after_seq, limit=500)


async def by_id(store: Store, session_id: str) -> list[Document]:
    """The sessions of this id, of whatever CPO."""
    return await store.select(SESSIONS, equal={"id": session_id})
