"""Confirmations that came before the CDR of their charge: for nobody yet, and looked at again until it is there."""

from __future__ import annotations

from hub.core import trace, unaddressed
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Audit, Document, Unit
from modules.payments import store as payments
from modules.payments.service import LIMIT, charged_by


async def look_again(hub: Hub) -> None:
    """Send on the confirmations whose CDRs are there now."""
    await unaddressed.look_again(hub, payments.CONFIRMATIONS, charged_by, _addressed, limit=LIMIT)


def _addressed(document: Document, tree: Tree, audience: str) -> Unit:
    put = payments.confirmation_put(document.owner, tree, audience, expect=document.version)
    unit = Unit().put(put).tells(payments.change_of(put, trace.correlation()))
    return unit.audited(Audit("busbar", "payment.addressed", put.key, audience))
