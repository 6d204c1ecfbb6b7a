"""Records on their way to who pays: POST when new, PUT when changed, DELETE when withdrawn.

OCPI mod_invoice_reconciliation_push_model. A receiver that has a new one already (a POST whose answer was lost) gets
it as PUT, and one that lacks what was changed gets it as POST.
"""

from __future__ import annotations

from hub.core import by_name, kept_back
from hub.core.answers import is_passing, says_unknown_object
from hub.core.delivery import entitled
from hub.core.errors import PeerRefused
from hub.core.operations import ANYBODY, RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Document
from modules.invoicereconciliation.service import DELETED, NEW
from modules.invoicereconciliation.store import MODULE, find, kept_for


class InvoicePublication:
    """See `hub.core.delivery.Publication`."""

    module = MODULE
    readers = ANYBODY

    async def running(self, hub: Hub, partner: Partner) -> list[str]:
        """Its records: they may have come when it was elsewhere, and not everybody pulls them."""
        return [document.key for document in await kept_for(hub.store, partner.parties)]

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """Send the record as it is, or withdraw it where it is no more."""
        if partner.endpoint(MODULE, "RECEIVER") is None:
            return
        if by_name.keeps(hub, partner, key.split("/", 1)[0], MODULE):
            gone = [word for word in what if word.startswith(DELETED) and NEW not in what]
            await kept_back.keep(hub, partner, self.module, key, gone)
            return
        document = await find(hub.store, key)
        if document is None:
            await self._withdraw(hub, partner, key, what)
        elif document.audience and entitled(partner, audience=document.audience):
            await self._send(hub, partner, document, "POST" if NEW in what else "PUT")

    async def _send(self, hub: Hub, partner: Partner, document: Document, method: str) -> None:
        try:
            await self._call(hub, partner, document, method)
        except PeerRefused as refused:
            new = method == "POST" and not is_passing(refused.http, refused.status_code)
            if not new and not (method == "PUT" and says_unknown_object(refused.http, refused.status_code)):
                raise
            await self._call(hub, partner, document, "PUT" if new else "POST")

    async def _call(self, hub: Hub, partner: Partner, document: Document, method: str) -> None:
        path = () if method == "POST" else (*document.owner.split("*"), document.columns["id"])
        await hub.peers.send(
            partner, method, MODULE, RECEIVER, path, body=document.body, sender=document.owner, to=document.audience
        )

    async def _withdraw(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """Under the id as it was spelled; who never had it is content."""
        spelled = [word.removeprefix(DELETED) for word in what if word.startswith(DELETED)]
        if not spelled or NEW in what:
            return
        owner = key.split("/", 1)[0]
        path = (*owner.split("*"), spelled[0])
        try:
            await hub.peers.send(partner, "DELETE", MODULE, RECEIVER, path, sender=owner)
        except PeerRefused as refused:
            if not says_unknown_object(refused.http, refused.status_code):
                raise
