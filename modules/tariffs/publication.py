"""Tariffs on their way to partners: PUT, and DELETE when withdrawn. OCPI mod_tariffs_receiver_interface."""

from __future__ import annotations

from hub.core.addressed import audience_in, owner_in
from hub.core.answers import says_unknown_object
from hub.core.delivery import may_have, parties
from hub.core.dialect import NotExpressible
from hub.core.errors import PeerRefused
from hub.core.operations import READERS, RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from modules.tariffs import service
from modules.tariffs.routes import rendition
from modules.tariffs.store import find


class TariffPublication:
    """See `hub.core.delivery.Publication`."""

    module = "tariffs"
    readers = READERS

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """PUT the tariff as it is, or DELETE it where it is no more."""
        if partner.endpoint("tariffs", "RECEIVER") is None or not may_have(hub, partner, "tariffs", key):
            return
        document = await find(hub.store, key)
        if document is None:
            await self._withdraw(hub, partner, key, what)
            return
        body = await rendition.of(hub.store, document, partner.version or "")
        if body is None:
            raise NotExpressible("the tariff's taxes cannot be said in this version")
        path = (*document.owner.split("*"), document.columns["id"])
        between = parties(hub, document.owner, document.audience)
        await hub.peers.send(partner, "PUT", "tariffs", RECEIVER, path, body=body, **between)
        hub.losses.note(partner.name, "out", self.module, rendition.lost(document, partner.version or ""))

    async def _withdraw(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """DELETE under the id as it was spelled, where a change still says it; a partner that has none is content."""
        owner, folded = owner_in(key), key.split("/", 1)[1]
        spelled = [word.removeprefix(service.DELETED) for word in what if word.startswith(service.DELETED)]
        path = (*owner.split("*"), spelled[0] if spelled else folded)
        try:
            await hub.peers.send(partner, "DELETE", "tariffs", RECEIVER, path, **parties(hub, owner, audience_in(key)))
        except PeerRefused as refused:
            if not says_unknown_object(refused.http, refused.status_code):
                raise
