"""Tariffs on their way to partners: PUT, and DELETE when withdrawn. OCPI mod_tariffs_receiver_interface.

A partner that could have a tariff, and cannot any more in its version, is sent a DELETE as well; of 2.1.1 this is so
when a tariff ends (`turning.py`).
"""

from __future__ import annotations

from collections.abc import Collection

from hub.core import kept_back
from hub.core.addressed import audience_in, owner_in
from hub.core.answers import says_unknown_object
from hub.core.delivery import may_have, parties
from hub.core.dialect import NotExpressible
from hub.core.errors import PeerRefused
from hub.core.inbound import parse
from hub.core.operations import READERS, RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Document
from modules.tariffs import service
from modules.tariffs.routes import rendition
from modules.tariffs.store import TARIFFS
from modules.tariffs.validity import UNDATED, holds
from modules.tariffs.words import concerns, may_be_there


class TariffPublication:
    """See `hub.core.delivery.Publication`."""

    module = "tariffs"
    readers = READERS

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """PUT the tariff as it is, or DELETE it where it is no more, or cannot be said any more."""
        if partner.endpoint("tariffs", "RECEIVER") is None:
            return
        if not may_have(hub, partner, "tariffs", key):
            await kept_back.keep(hub, partner, self.module, key, _losing(what, partner.version or ""))
            return
        audiences = await hub.addressed.audiences(partner, "tariffs")
        document, is_news, _ = await hub.addressed.standing(TARIFFS, key, audiences)
        if not is_news:
            return
        if document is None:
            spelled = [word.removeprefix(service.DELETED) for word in what if word.startswith(service.DELETED)]
            await self._withdraw(hub, partner, key, spelled[0] if spelled else key.split("/", 1)[1])
        elif concerns(what, partner.version or ""):
            await self._tell(hub, partner, document, what)

    async def _tell(self, hub: Hub, partner: Partner, document: Document, what: frozenset[str]) -> None:
        version = partner.version or ""
        in_force = version != UNDATED or holds(parse(document.body, limit=service.LIMIT), hub.clock.now())
        body = await rendition.of(hub.store, document, version) if in_force else None
        if body is None and may_be_there(what, version):
            await self._withdraw(hub, partner, document.key, document.columns["id"])
        if body is None and in_force:
            raise NotExpressible("the tariff's kind or taxes cannot be said in this version")
        if body is None:
            return
        path = (*document.owner.split("*"), document.columns["id"])
        between = parties(hub, document.owner, document.audience)
        await hub.peers.send(partner, "PUT", "tariffs", RECEIVER, path, body=body, **between)
        hub.losses.note(partner.name, "out", self.module, rendition.lost(document, version))

    async def _withdraw(self, hub: Hub, partner: Partner, key: str, tariff_id: str) -> None:
        """DELETE under the id as it was spelled, where that is still known; a partner that has none is content."""
        owner = owner_in(key)
        path = (*owner.split("*"), tariff_id)
        try:
            await hub.peers.send(partner, "DELETE", "tariffs", RECEIVER, path, **parties(hub, owner, audience_in(key)))
        except PeerRefused as refused:
            if not says_unknown_object(refused.http, refused.status_code):
                raise


def _losing(what: Collection[str], version: str) -> list[str]:
    """Those of these words by which a partner of `version` is to lose the tariff."""
    return [word for word in what if word.startswith(service.DELETED) or may_be_there({word}, version)]
