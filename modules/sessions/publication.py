"""Our sessions on their way to the owner of the token: always as PUT of the whole. OCPI mod_sessions.

A PATCH would append charging periods, and twice when it is sent again; a PUT may be repeated.
"""

from __future__ import annotations

from hub.core.delivery import entitled
from hub.core.dialect import NotExpressible
from hub.core.errors import EndpointsMissing
from hub.core.operations import EMSP_LIKE, RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Change
from modules.sessions.routes import rendition
from modules.sessions.store import find, running_for


class SessionPublication:
    """See `hub.core.delivery.Publication`."""

    module = "sessions"
    readers = EMSP_LIKE

    async def running(self, hub: Hub, partner: Partner) -> list[str]:
        """The sessions that are running; what has ended meanwhile, the CDR tells."""
        return [session.key for session in await running_for(hub.store, partner.parties)]

    def concerns(self, hub: Hub, partner: Partner, change: Change) -> bool:
        """See `hub.core.lane_partner.Choosy`: who pulls them only has no endpoint."""
        return partner.endpoint("sessions", "RECEIVER") is not None

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """PUT the session as it is now."""
        document = await find(hub.store, key)
        if (
            document is None
            or not document.audience
            or not entitled(partner, audience=document.audience, owner=document.owner, roles=self.readers)
        ):
            return
        if partner.endpoint("sessions", "RECEIVER") is None:
            raise EndpointsMissing(f"{partner.name} takes no sessions")  # before the work of saying it
        body = await rendition.of(hub.store, document, partner.version or "")
        if body is None:
            raise NotExpressible("this session cannot be said in this version")
        path = (*document.owner.split("*"), document.columns["id"])
        await hub.peers.send(
            partner, "PUT", "sessions", RECEIVER, path, body=body, sender=document.owner, to=document.audience
        )
        hub.losses.note(partner.name, "out", self.module, rendition.lost(document, partner.version or ""))
