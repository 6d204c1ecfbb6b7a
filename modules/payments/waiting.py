"""Confirmations that came before the CDR of their charge: for nobody yet, and looked at again when such a CDR comes."""

from __future__ import annotations

from typing import Final

from hub.core import trace, unaddressed
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.unaddressed import Addressee, Waiting
from hub.core.units import Audit, Document, Unit
from modules.cdrs.service import ARRIVALS
from modules.payments import store as payments
from modules.payments.service import charged_by
from modules.payments.whose import LIMIT


async def look_again(hub: Hub) -> None:
    """Send on the confirmations whose CDRs are there now."""
    await unaddressed.look_again(hub, _WAITING)


async def whose(hub: Hub, document: Document, tree: Tree) -> Addressee:
    """Whom a confirmation that waits is for, by what is known now."""
    return await charged_by(hub, document.owner, tree)


async def _concerned(hub: Hub, cdr: Document) -> list[Document]:
    reference = cdr.columns["reference"]
    return await payments.nobodys_with(hub.store, reference) if reference else []


def _addressed(document: Document, tree: Tree, audience: str) -> Unit:
    put = payments.confirmation_put(document.owner, tree, audience, expect=document.version)
    unit = Unit().put(put).tells(payments.change_of(put, trace.correlation()))
    return unit.audited(Audit("busbar", "payment.addressed", put.key, audience))


_WAITING: Final = Waiting(
    kind=payments.CONFIRMATIONS,
    arrivals=ARRIVALS,
    concerned=_concerned,
    whose=whose,
    address=_addressed,
    limit=LIMIT,
)
