"""How a party stands, on its way to those who have to do with it: always PUT. OCPI mod_hub_client_info_push_model."""

from __future__ import annotations

from hub.core.behind import Status
from hub.core.inbound import encode, parse
from hub.core.lane_partner import ONLY
from hub.core.operations import ANYBODY, RECEIVER, SMALL
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Change, Document
from modules.hubclientinfo.routes import rendition
from modules.hubclientinfo.sight import is_hidden, may_see
from modules.hubclientinfo.store import MODULE, body_of, find, role_in
from modules.hubclientinfo.wire import CLIENT_INFO


class ClientInfoPublication:
    """See `hub.core.delivery.Publication`."""

    module = MODULE
    readers = ANYBODY

    def concerns(self, hub: Hub, partner: Partner, change: Change) -> bool:
        """See `hub.core.lane_partner.Choosy`: is there an endpoint, and has the partner to do with that party?"""
        if partner.endpoint(MODULE, "RECEIVER") is None:
            return False
        return change.what.startswith(ONLY) or hub.agreements.meets(partner, change.owner, role_in(change.key))

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """PUT the client info as it is now; as SUSPENDED, if the partner saw it before and may not any more."""
        version = partner.version or ""
        if partner.endpoint(MODULE, "RECEIVER") is None or version not in CLIENT_INFO:
            return
        document = await find(hub.store, key)
        if document is None:
            return
        if may_see(hub, partner, document):
            body = await rendition.of(hub.store, document, version)
        elif await is_hidden(hub.store, partner, key):
            body = _suspended(document, version)
        else:
            return
        await hub.peers.send(partner, "PUT", MODULE, RECEIVER, tuple(document.owner.split("*")), body=body)
        hub.losses.note(partner.name, "out", MODULE, rendition.lost(document, version))


def _suspended(document: Document, version: str) -> bytes:
    role = PartyRole(document.columns["role"])
    ours = body_of(Party.parse(document.owner), role, Status.SUSPENDED, document.last_updated)
    return encode(CLIENT_INFO[version].write(parse(ours, limit=SMALL), context={"role": role.value})[0])
