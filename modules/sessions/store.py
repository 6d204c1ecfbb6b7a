"""Sessions as they are kept and shown to the owner of the token; the facts behind them are in `charge.py`."""

from __future__ import annotations

from typing import Final

from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.units import ANY, Change, Document, Kind, Put

SESSIONS: Final = Kind("sessions", columns=("status", "evse", "id"), indexed=("status", "evse"))


def key_of(owner: Party | str, session_id: str) -> str:
    return f"{owner}/{session_id.upper()}"


def put_of(tree: Tree, audience: str, *, expect: int = ANY) -> Put:
    """The write of one session; `tree` is a Session in our form, `last_updated` in stored form."""
    owner = f"{tree['country_code']}*{tree['party_id']}"
    columns = (tree["status"], tree["evse_uid"].upper(), tree["id"])
    key = key_of(owner, tree["id"])
    return Put(SESSIONS, key, encode(tree), owner, audience, tree["last_updated"], columns, expect)


def change_of(put: Put, correlation_id: str) -> Change:
    return Change("sessions", put.key, put.owner, put.audience, correlation_id=correlation_id)


async def find(store: Store, key: str) -> Document | None:
    return await store.get(SESSIONS, key)


async def active_at(store: Store, evse_uid: str) -> list[Document]:
    """The sessions that are running at an EVSE."""
    return await store.select(SESSIONS, equal={"evse": evse_uid.upper(), "status": "ACTIVE"})
