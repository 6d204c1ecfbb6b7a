"""CDRs as they are kept, each forever as it was issued; and how far the delivery of each has come."""

from __future__ import annotations

from typing import Final

from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.renditions import lowest_version
from hub.core.store import Store
from hub.core.units import ABSENT, Change, Document, Kind, Put
from modules.cdrs.wire import CDR

CDRS: Final = Kind("cdrs", columns=("lowest", "id", "session", "reference"), indexed=("id", "session", "reference"))
"""`reference`: its authorization_reference in upper case, by which payments are matched; "" for none."""
DELIVERIES: Final = Kind("cdr_deliveries", columns=("state", "cdr"), indexed=("state", "cdr"))


def key_of(owner: Party | str, cdr_id: str) -> str:
    return f"{owner}/{cdr_id.upper()}"


def put_of(tree: Tree, audience: str, location: Tree, *, session: str, least: str = "") -> Put:
    """The write of a new CDR: it must not exist yet, and is never written again (REQ-155).

    `location` is that of the start; `session` is ours, also where the CDR names none; partners below the version
    `least` do not get it.
    """
    owner = f"{tree['country_code']}*{tree['party_id']}"
    reference = str(tree.get("authorization_reference") or "").upper()
    columns = (max(lowest_version(CDR, tree, {"location": location}), least), tree["id"], session, reference)
    key = key_of(owner, tree["id"])
    return Put(CDRS, key, encode(tree), owner, audience, tree["last_updated"], columns, ABSENT)


def change_of(put: Put, correlation_id: str) -> Change:
    return Change("cdrs", put.key, put.owner, put.audience, correlation_id=correlation_id)


async def find(store: Store, key: str) -> Document | None:
    return await store.get(CDRS, key)


async def of_session(store: Store, session_id: str) -> list[Document]:
    return await store.select(CDRS, equal={"session": session_id})


async def with_id(store: Store, cdr_id: str) -> list[Document]:
    """The CDRs of this id, of whatever owner."""
    return await store.select(CDRS, equal={"id": cdr_id})


async def by_reference(store: Store, reference: str) -> list[Document]:
    """The CDRs of charges that were allowed under this authorization_reference."""
    return await store.select(CDRS, equal={"reference": reference.upper()}) if reference else []
