"""CDRs as they are kept, each forever as it was issued or received.

`CDRS` are those for eMSPs, with `DELIVERIES`, how far each has come: ours, and a copy of each CDR of another CPO that
its check lets through; without an audience while nobody may be sent it. `RECEIVED` are those that came, with
`ORIGINALS`, the words in which each came, and `CHECKS`, what came of checking it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.renditions import lowest_version
from hub.core.store import Store
from hub.core.types import parse_datetime, timestamp_of
from hub.core.units import ABSENT, Change, Document, Kind, Put
from modules.cdrs.bills import COLUMNS as MARKS
from modules.cdrs.bills import marks_of
from modules.cdrs.wire import CDR

CDRS: Final = Kind("cdrs", columns=("lowest", "id", "session", "reference"), indexed=("id", "session", "reference"))
"""`reference`: its authorization_reference in upper case, by which payments are matched; "" for none."""
RECEIPTS: Final = Kind("cdr_receipts")
"""Why a CDR of ours costs what it does, under the key of the CDR. For us and our drivers: no partner is sent it."""
DELIVERIES: Final = Kind("cdr_deliveries", columns=("state", "cdr"), indexed=("state", "cdr"))
"""How far a CDR has come at a partner; its owner is that partner, by name."""

RECEIVED: Final = Kind(
    "received_cdrs",
    columns=("id", "ocpi", "partner", "state", "verdict", "credits", "reference", *MARKS),
    indexed=("id", "state", "verdict", "credits", "reference", *MARKS),
)
"""`ocpi`: the version in which it came. `verdict`: "" until it was checked. `credits`: key of what it takes back.
The marks are those by which the bills of one charge are found, see `bills`."""
ORIGINALS: Final = Kind("received_originals")
CHECKS: Final = Kind("cdr_checks")


_MOST: Final = 1_000
CREDITS_SINCE: Final = "2.2.1"
"""The oldest version that has credit CDRs."""


class Passing(StrEnum):
    """May a received CDR be passed on to whom it concerns? Only `FREE` and `RELEASED` may."""

    WAITING = "waiting"
    """It was not checked yet."""
    FREE = "free"
    HELD = "held"
    """Until an operator releases it, or what it lacks has come."""
    RELEASED = "released"


def key_of(owner: Party | str, cdr_id: str) -> str:
    return f"{owner}/{cdr_id.upper()}"


def credited_key(tree: Tree) -> str:
    """The key of what a credit CDR takes back; "" for a bill."""
    credited = tree.get("credit_reference_id") if tree.get("credit") else None
    return key_of(f"{tree['country_code']}*{tree['party_id']}".upper(), credited) if credited else ""


def put_of(tree: Tree, audience: str, location: Tree, *, session: str, least: str = "", expect: int = ABSENT) -> Put:
    """The write of a new CDR: it must not exist yet, and is never written again (REQ-155), once it has an audience.

    `location` is that of the start; `session` is ours, also where the CDR names none; partners below the version
    `least` do not get it.
    """
    owner = f"{tree['country_code']}*{tree['party_id']}".upper()
    reference = str(tree.get("authorization_reference") or "").upper()
    columns = (max(lowest_version(CDR, tree, {"location": location}), least), tree["id"], session, reference)
    key = key_of(owner, tree["id"])
    updated = timestamp_of(tree["last_updated"])
    return Put(CDRS, key, encode(tree), owner, audience, updated, columns, expect)


def receipt_put(cdr: Put, receipt: Tree) -> Put:
    """The write of the receipt of a new CDR, for the same unit."""
    return Put(RECEIPTS, cdr.key, encode(receipt), cdr.owner, last_updated=cdr.last_updated, expect=ABSENT)


def change_of(put: Put, correlation_id: str) -> Change:
    return Change("cdrs", put.key, put.owner, put.audience, correlation_id=correlation_id)


async def find(store: Store, key: str) -> Document | None:
    return await store.get(CDRS, key)


async def nobodys(store: Store, *, after_seq: int = 0) -> list[Document]:
    """CDRs that are for nobody yet, the oldest first, a part at a time."""
    return await store.select(CDRS, equal={"audience": ""}, after_seq=after_seq, limit=500)


async def how_many_are_nobodys(store: Store) -> int:
    """How many CDRs are for nobody yet."""
    return (await store.page(CDRS, date_from=None, date_to=None, offset=0, limit=0, audiences=("",))).total


async def how_many_are_held(store: Store) -> int:
    """How many received CDRs are held."""
    held = {"state": (Passing.HELD.value,)}
    return (await store.page(RECEIVED, date_from=None, date_to=None, offset=0, limit=0, among=held)).total


async def not_passed_on(store: Store, *, ours: str) -> list[datetime]:
    """The dates of CDRs of others that are held by their check, or are for nobody yet; of the oldest of each."""
    held = await in_state(store, Passing.HELD, after_seq=0)
    withheld = [document for document in await nobodys(store) if document.owner != ours]
    return [parse_datetime(document.last_updated) for document in (*held, *withheld)]


async def find_receipt(store: Store, key: str) -> Document | None:
    return await store.get(RECEIPTS, key)


async def original_in(store: Store, document: Document, version: str) -> bytes | None:
    """The bytes in which a CDR of another CPO came, where it came in `version`."""
    came = await store.get(RECEIVED, document.key)
    if came is None or came.columns["ocpi"] != version:
        return None
    kept = await store.get(ORIGINALS, document.key)
    return kept.body if kept is not None else None


async def of_session(store: Store, session_id: str) -> list[Document]:
    return await store.select(CDRS, equal={"session": session_id})


async def with_ids(store: Store, cdr_ids: Sequence[str]) -> list[Document]:
    """The CDRs of these ids, ours and received ones."""
    return await _of_all(store, {"id": cdr_ids})


async def by_reference(store: Store, reference: str) -> list[Document]:
    """The CDRs of charges that were allowed under this authorization_reference, ours and received ones."""
    if not reference:
        return []
    return await _of_all(store, {"reference": [reference.upper()]})


async def _of_all(store: Store, among: Mapping[str, Sequence[str]]) -> list[Document]:
    """Each CDR once: one that was passed on is what stands among ours."""
    found: dict[str, Document] = {}
    for kind in (CDRS, RECEIVED):
        page = await store.page(kind, date_from=None, date_to=None, offset=0, limit=_MOST, among=among)
        found = {**{document.key: document for document in page.documents}, **found}
    return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a received CDR stands: what may change of it, while the CDR never does."""

    state: Passing = Passing.WAITING
    verdict: str = ""


def received_put(tree: Tree, standing: Standing, *, version: str, partner: str) -> Put:
    """The write of a CDR that another CPO has sent: it must not exist yet."""
    owner = f"{tree['country_code']}*{tree['party_id']}".upper()
    reference = str(tree.get("authorization_reference") or "").upper()
    standing_now = (standing.state.value, standing.verdict)
    columns = (tree["id"], version, partner, *standing_now, credited_key(tree), reference, *marks_of(tree))
    updated = timestamp_of(tree["last_updated"])
    return Put(RECEIVED, key_of(owner, tree["id"]), encode(tree), owner, "", updated, columns, ABSENT)


def standing_of(document: Document) -> Standing:
    return Standing(state=Passing(document.columns["state"]), verdict=document.columns["verdict"])


def standing_put(document: Document, standing: Standing) -> Put:
    """The write of how a received CDR stands now; the CDR itself stays as it is."""
    columns = {**document.columns, "state": standing.state.value, "verdict": standing.verdict}
    values = tuple(columns[name] for name in RECEIVED.columns)
    return Put(
        RECEIVED, document.key, document.body, document.owner, "", document.last_updated, values, document.version
    )


async def find_received(store: Store, key: str) -> Document | None:
    return await store.get(RECEIVED, key)


async def waiting(store: Store, limit: int) -> list[Document]:
    """Received CDRs that were not checked yet, the oldest first."""
    return await store.select(RECEIVED, equal={"verdict": ""}, limit=limit)


async def in_state(store: Store, state: Passing, *, after_seq: int) -> list[Document]:
    """Received CDRs that stand so, the oldest first, a part at a time."""
    return await store.select(RECEIVED, equal={"state": state}, after_seq=after_seq, limit=500)


async def credits_of(store: Store, key: str) -> list[Document]:
    """The received credit CDRs that take this one back."""
    return await store.select(RECEIVED, equal={"credits": key})


async def marked(store: Store, column: str, mark: str, *, newest: int) -> list[Document]:
    """The newest received CDRs with this mark, the newest first."""
    return await store.select(RECEIVED, equal={column: mark}, descending=True, limit=newest)


async def deliveries_of(store: Store, key: str) -> list[Document]:
    """How far a CDR is, at each partner that it was ever sent to."""
    return await store.select(DELIVERIES, equal={"cdr": key})


class _Located(msgspec.Struct):
    location: str = ""


async def locations_given(store: Store, partner: str, *, newest: int) -> list[tuple[str, str]]:
    """(Location, id of the CDR) of the last deliveries to a partner for which it gave one; the newest first."""
    of_partner = {"owner": partner, "state": "delivered"}
    found = await store.select(DELIVERIES, equal=of_partner, descending=True, limit=newest)
    read = [(msgspec.json.decode(d.body, type=_Located).location, d.columns["cdr"].rsplit("/", 1)[-1]) for d in found]
    return [(location, cdr_id) for location, cdr_id in read if location]
