"""The door to partners that speak OICP: who they are, how they are called, and where they call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from hub.core.outbound import Outbound
from hub.core.ports import Hub
from hub.core.secrets import Seal
from hub.core.units import Kind
from partners.oicp.certificates import OICP_CERTIFICATES, Certificates
from partners.oicp.client import Client
from partners.oicp.connections import OICP_CONNECTIONS, Connections
from partners.oicp.expiry import Expiry
from partners.oicp.face import Face
from partners.oicp.tls import ClientContexts, FaceTls

DOOR_KINDS: Final[tuple[Kind, ...]] = (OICP_CONNECTIONS, OICP_CERTIFICATES)


class Door:
    """Put together; `refresh` before use. The face serves nothing until it is told who answers (`Face.serve`)."""

    def __init__(self, hub: Hub, outbound: Outbound, seal: Seal) -> None:
        self._hub = hub
        self.connections = Connections(hub)
        self.certificates = Certificates(hub, seal)
        self.client = Client(hub, outbound, ClientContexts(self.certificates))
        self.face = Face(hub, self.connections)
        self.expiry = Expiry(hub, self.connections, self.certificates)
        self._tls: FaceTls | None = None

    async def refresh(self) -> None:
        """Know what is in the store; at the start, and when another process has written."""
        await self.connections.refresh()
        await self.certificates.refresh()

    async def last_ends(self) -> Mapping[str, datetime]:
        """See `Expiry.last_ends`; of what other processes wrote, too."""
        await self.refresh()
        return self.expiry.last_ends()

    def tls(self) -> FaceTls:
        """How the TLS port speaks. Raises: OSError, ssl.SSLError, for files that cannot be used."""
        if self._tls is None:
            self._tls = FaceTls(self._hub.settings, self.connections)
            self.expiry.on_look(self._tls.renew)
        return self._tls
