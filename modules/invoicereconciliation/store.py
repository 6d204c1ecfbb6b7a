"""Invoice reconciliation records as they are kept, and which of our CDRs are on an invoice already."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from hub.core.inbound import encode
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.types import timestamp_of
from hub.core.units import ABSENT, ANY, Change, Delete, Document, Kind, Put

RECORDS: Final = Kind("invoice_records", columns=("id", "named"))
"""`owner` made the invoice, `audience` pays it; "" as long as no CDR tells whom it is for. `named`: the party that its
owner says it is for (OCPI-to); "" for none."""
INVOICED: Final = Kind("invoiced_cdrs", columns=("record",), indexed=("record",))
"""One for each CDR of ours that is on an invoice: there is no second one for it."""

MODULE: Final = "invoicereconciliation"
_MOST: Final = 100_000


def key_of(owner: Party | str, record_id: str) -> str:
    return f"{owner}/{record_id.upper()}"


def put_of(tree: Tree, audience: str, *, named: str = "", expect: int = ANY) -> Put:
    """The write of one record, in our form."""
    owner = f"{tree['country_code']}*{tree['party_id']}".upper()
    updated = timestamp_of(tree["last_updated"])
    key = key_of(owner, tree["id"])
    return Put(RECORDS, key, encode(tree), owner, audience, updated, (tree["id"], named), expect)


def change_of(put: Put | Document, correlation_id: str, what: str = "") -> Change:
    return Change(MODULE, put.key, put.owner, put.audience, what, correlation_id)


async def nobodys(store: Store) -> list[Document]:
    """Records that are for nobody yet."""
    return await store.select(RECORDS, equal={"audience": ""}, limit=_MOST)


async def kept_for(store: Store, parties: Collection[str]) -> list[Document]:
    """The records that these parties pay, the oldest first."""
    found = await store.page(RECORDS, date_from=None, date_to=None, offset=0, limit=_MOST, audiences=sorted(parties))
    return list(found.documents)


async def find(store: Store, key: str) -> Document | None:
    return await store.get(RECORDS, key)


def invoiced(owner: Party, cdr_ids: Iterable[str], record: str) -> list[Put | Delete]:
    """The writes that put CDRs on the invoice of `record`; each fails where the CDR is on one."""
    return [Put(INVOICED, key_of(owner, cdr_id), b"", columns=(record,), expect=ABSENT) for cdr_id in cdr_ids]


def taken_off(owner: Party, cdr_ids: Iterable[str]) -> list[Put | Delete]:
    return [Delete(INVOICED, key_of(owner, cdr_id)) for cdr_id in cdr_ids]


async def on_invoices(store: Store, owner: Party, cdr_ids: Iterable[str]) -> dict[str, str]:
    """Those of the CDRs that are on an invoice: id (upper case) -> key of the record."""
    keys = {key_of(owner, cdr_id): cdr_id.upper() for cdr_id in cdr_ids}
    found = await store.get_many(INVOICED, list(keys))
    return {keys[key]: document.columns["record"] for key, document in found.items()}
