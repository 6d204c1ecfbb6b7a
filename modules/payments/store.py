"""Terminals and financial advice confirmations as they are kept: by owner, the PTP, and by whom they are for, a CPO."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.types import timestamp_of
from hub.core.units import ANY, Change, Document, Kind, Put

MODULE: Final = "payments"
TERMINALS: Final = Kind("terminals", columns=("id", "decided_by"), indexed=("id",))
"""`audience`: the CPO that has it; "" for nobody yet. `decided_by`: what says so, in words for an operator."""
CONFIRMATIONS: Final = Kind("advice_confirmations", columns=("id", "reference"), indexed=("id", "reference"))
"""`reference`: its authorization_reference in upper case."""

PATHS: Final = {TERMINALS: "terminals", CONFIRMATIONS: "financial-advice-confirmations"}
"""Where each is below the module's endpoint."""
KINDS: Final = {path: kind for kind, path in PATHS.items()}
_MOST: Final = 100
_MOST_KEPT: Final = 100_000


def key_of(owner: str, object_id: str) -> str:
    return f"{owner}/{object_id.upper()}"


def terminal_put(owner: str, tree: Tree, audience: str, *, decided_by: str = "", expect: int = ANY) -> Put:
    """The write of one terminal, in our form."""
    updated, key = timestamp_of(tree["last_updated"]), key_of(owner, tree["terminal_id"])
    columns = (str(tree["terminal_id"]).upper(), decided_by)
    return Put(TERMINALS, key, encode(tree), owner, audience, updated, columns, expect)


def confirmation_put(owner: str, tree: Tree, audience: str, *, expect: int = ANY) -> Put:
    """The write of one financial advice confirmation, in our form."""
    updated, key = timestamp_of(tree["last_updated"]), key_of(owner, tree["id"])
    columns = (str(tree["id"]).upper(), str(tree["authorization_reference"]).upper())
    return Put(CONFIRMATIONS, key, encode(tree), owner, audience, updated, columns, expect)


def change_of(put: Put, correlation_id: str) -> Change:
    """The key says which of the two it is: `terminals/NL*PTP/T1`."""
    return Change(MODULE, f"{PATHS[put.kind]}/{put.key}", put.owner, put.audience, correlation_id=correlation_id)


async def kept_for(store: Store, kind: Kind, parties: Collection[str]) -> list[Document]:
    """What of this kind is for these parties, the oldest first."""
    found = await store.page(kind, date_from=None, date_to=None, offset=0, limit=_MOST_KEPT, audiences=sorted(parties))
    return list(found.documents)


async def find(store: Store, kind: Kind, key: str) -> Document | None:
    return await store.get(kind, key)


async def seen_by(store: Store, kind: Kind, object_id: str, audiences: Sequence[str]) -> list[Document]:
    """Those with this id that are for one of `audiences`; ids are unique for a PTP only."""
    found = await store.select(kind, equal={"id": object_id.upper()}, limit=_MOST)
    return [document for document in found if document.audience in audiences]


async def nobodys_with(store: Store, reference: str) -> list[Document]:
    """The confirmations under this authorization_reference that are for nobody yet."""
    return await store.select(CONFIRMATIONS, equal={"reference": reference.upper(), "audience": ""}, limit=_MOST)


async def nobodys_terminals(store: Store, *, after_seq: int) -> list[Document]:
    """The terminals that no CPO has yet."""
    return await store.select(TERMINALS, equal={"audience": ""}, after_seq=after_seq, limit=_MOST)
