"""Records that came before their CDRs: for nobody yet, and looked at again until their CDRs tell whom they are for."""

from __future__ import annotations

from hub.core import trace, unaddressed
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Audit, Document, Unit
from modules.invoicereconciliation import store as records
from modules.invoicereconciliation.service import LIMIT, NEW, payer


async def look_again(hub: Hub) -> None:
    """Send on the records whose CDRs are there now."""
    await unaddressed.look_again(hub, records.RECORDS, _whose, _addressed, limit=LIMIT)


async def _whose(hub: Hub, owner: str, tree: Tree) -> str:
    return await payer(hub, Party.parse(owner), tree)


def _addressed(document: Document, tree: Tree, audience: str) -> Unit:
    put = records.put_of(tree, audience, expect=document.version)
    unit = Unit().put(put).tells(records.change_of(put, trace.correlation(), NEW))
    return unit.audited(Audit("busbar", "invoice.addressed", put.key, audience))
