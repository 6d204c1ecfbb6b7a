"""Records that came before their CDRs: for nobody yet, and looked at again until their CDRs tell whom they are for."""

from __future__ import annotations

from typing import Final

from hub.core import trace
from hub.core.errors import Conflict
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from modules.invoicereconciliation import store as records
from modules.invoicereconciliation.service import LIMIT, NEW, payer

_A_STEP: Final = 200


async def look_again(hub: Hub) -> None:
    """Send on the records whose CDRs are there now."""
    after = 0
    while found := await records.nobodys(hub.store, after_seq=after, limit=_A_STEP):
        after = found[-1].seq
        for document in found:
            tree: Tree = parse(document.body, limit=LIMIT)
            audience = await payer(hub, Party.parse(document.owner), tree)
            if not audience:
                continue
            put = records.put_of(tree, audience, expect=document.version)
            unit = Unit().put(put).tells(records.change_of(put, trace.correlation(), NEW))
            try:
                await hub.store.commit(unit.audited(Audit("busbar", "invoice.addressed", put.key, audience)))
            except Conflict:
                continue  # its owner has told it anew meanwhile, and so it was decided
