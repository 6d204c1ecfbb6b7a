"""Confirmations that came before the CDR of their charge: for nobody yet, and looked at again until it is there."""

from __future__ import annotations

from typing import Final

from hub.core import trace
from hub.core.errors import Conflict
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from modules.payments import store as payments
from modules.payments.service import LIMIT, charged_by

_A_STEP: Final = 200


async def look_again(hub: Hub) -> None:
    """Send on the confirmations whose CDRs are there now."""
    after = 0
    while found := await payments.nobodys(hub.store, after_seq=after, limit=_A_STEP):
        after = found[-1].seq
        for document in found:
            tree: Tree = parse(document.body, limit=LIMIT)
            audience = await charged_by(hub, document.owner, tree)
            if not audience:
                continue
            put = payments.confirmation_put(document.owner, tree, audience, expect=document.version)
            unit = Unit().put(put).tells(payments.change_of(put, trace.correlation()))
            try:
                await hub.store.commit(unit.audited(Audit("busbar", "payment.addressed", put.key, audience)))
            except Conflict:
                continue  # its provider has told it anew meanwhile, and so it was decided
