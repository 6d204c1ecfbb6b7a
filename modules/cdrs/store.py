"""CDRs as they are kept, each forever as it was issued; and how far the delivery of each has come."""

from __future__ import annotations

from typing import Final

import msgspec

from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.renditions import lowest_version
from hub.core.store import Store
from hub.core.units import ABSENT, Change, Document, Kind, Put
from modules.cdrs.wire import CDR

CDRS: Final = Kind("cdrs", columns=("lowest", "id", "session"), indexed=("session",))
DELIVERIES: Final = Kind("cdr_deliveries", columns=("state", "cdr"), indexed=("state", "cdr"))
"""How far a CDR has come at a partner; its owner is that partner, by name."""


def key_of(owner: Party | str, cdr_id: str) -> str:
    return f"{owner}/{cdr_id.upper()}"


def put_of(tree: Tree, audience: str, location: Tree, *, session: str, least: str = "") -> Put:
    """The write of a new CDR: it must not exist yet, and is never written again (REQ-155).

    `location` is that of the start; `session` is ours, also where the CDR names none; partners below the version
    `least` do not get it.
    """
    owner = f"{tree['country_code']}*{tree['party_id']}"
    columns = (max(lowest_version(CDR, tree, {"location": location}), least), tree["id"], session)
    key = key_of(owner, tree["id"])
    return Put(CDRS, key, encode(tree), owner, audience, tree["last_updated"], columns, ABSENT)


def change_of(put: Put, correlation_id: str) -> Change:
    return Change("cdrs", put.key, put.owner, put.audience, correlation_id=correlation_id)


async def find(store: Store, key: str) -> Document | None:
    return await store.get(CDRS, key)


async def of_session(store: Store, session_id: str) -> list[Document]:
    return await store.select(CDRS, equal={"session": session_id})


class _Located(msgspec.Struct):
    location: str = ""


async def locations_given(store: Store, partner: str, *, newest: int) -> list[tuple[str, str]]:
    """(Location, id of the CDR) of the last deliveries to a partner for which it gave one; the newest first."""
    of_partner = {"owner": partner, "state": "delivered"}
    found = await store.select(DELIVERIES, equal=of_partner, descending=True, limit=newest)
    read = [(msgspec.json.decode(d.body, type=_Located).location, d.columns["cdr"].rsplit("/", 1)[-1]) for d in found]
    return [(location, cdr_id) for location, cdr_id in read if location]
