"""How a party stands, on its way to those who have to do with it: always PUT. OCPI mod_hub_client_info_push_model."""

from __future__ import annotations

from hub.core.operations import ANYBODY, RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Change
from modules.hubclientinfo.routes import rendition
from modules.hubclientinfo.service import may_see
from modules.hubclientinfo.store import MODULE, find, role_in
from modules.hubclientinfo.wire import CLIENT_INFO


class ClientInfoPublication:
    """See `hub.core.delivery.Publication`."""

    module = MODULE
    readers = ANYBODY

    def concerns(self, hub: Hub, partner: Partner, change: Change) -> bool:
        """See `hub.core.lane.Choosy`: is there an endpoint, and has the partner to do with that party?"""
        if partner.endpoint(MODULE, "RECEIVER") is None:
            return False
        return hub.agreements.meets(partner, change.owner, role_in(change.key))

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """PUT the client info as it is now."""
        version = partner.version or ""
        if partner.endpoint(MODULE, "RECEIVER") is None or version not in CLIENT_INFO:
            return
        document = await find(hub.store, key)
        if document is None or not may_see(hub, partner, document):
            return
        body = await rendition.of(hub.store, document, version)
        await hub.peers.send(partner, "PUT", MODULE, RECEIVER, tuple(document.owner.split("*")), body=body)
        hub.losses.note(partner.name, "out", MODULE, rendition.lost(document, version))
