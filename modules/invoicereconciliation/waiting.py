"""Records that came before their CDRs, or before the party they are for: looked at again when one of these comes."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from hub.core import trace, unaddressed
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.unaddressed import Addressee, Waiting
from hub.core.units import Audit, Document, Unit
from modules.cdrs.service import ARRIVALS
from modules.invoicereconciliation import store as records
from modules.invoicereconciliation.service import LIMIT, NEW
from modules.invoicereconciliation.whose import addressee, once_it_is_here


async def look_again(hub: Hub) -> None:
    """Send on the records whose CDRs are there now."""
    await unaddressed.look_again(hub, _WAITING)


async def whose(hub: Hub, document: Document, tree: Tree) -> Addressee:
    """Whom a record that waits is for, by what is known now."""
    goes = await addressee(hub, document.owner, tree["cdrs"], document.columns["named"])
    return once_it_is_here(hub, goes)


def _addressed(document: Document, tree: Tree, audience: str) -> Unit:
    named = document.columns["named"]
    put = records.put_of(tree, audience, named=named, expect=document.version)
    unit = Unit().put(put).tells(records.change_of(put, trace.correlation(), NEW))
    return unit.audited(Audit("busbar", "invoice.addressed", put.key, audience))


class _Awaited:
    """The records that wait, by the ids of their CDRs in capitals; read once for as long as no record changes."""

    def __init__(self) -> None:
        self._store: Store | None = None
        self._revision = -1
        self._by_cdr: dict[str, list[Document]] = {}

    async def by(self, hub: Hub, cdr: Document) -> list[Document]:
        """Those that this CDR is on."""
        store, revision = hub.store, hub.store.revision(records.RECORDS)
        if store is not self._store or revision != self._revision:
            self._store, self._revision, self._by_cdr = store, revision, await _by_cdr(store)
        return self._by_cdr.get(cdr.columns["id"].upper(), [])


async def _by_cdr(store: Store) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = defaultdict(list)
    for document in await records.nobodys(store):
        for cdr_id in parse(document.body, limit=LIMIT)["cdrs"]:
            found[cdr_id.upper()].append(document)
    return found


_WAITING: Final = Waiting(
    kind=records.RECORDS,
    arrivals=ARRIVALS,
    concerned=_Awaited().by,
    whose=whose,
    address=_addressed,
    limit=LIMIT,
)
