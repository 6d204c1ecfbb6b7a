"""Whose EVSEs we push to a hub where we are a CPO, and whose we do not.

Of a CPO that is connected here, by OCPI or OICP, we are the operator at that hub, or the hub operator above it. Of one
that we know through another hub we are a provider only: nobody has made us its operator, see
`hub/decisions/evses-of-another-hub-stay-there.md`. Its EVSEs go on where its own OperatorID is one of ours.
"""

from __future__ import annotations

from hub.core.operations import CPO_LIKE
from hub.core.parties import Party
from hub.core.ports import Hub
from partners.oicp import voices
from partners.oicp.connection import Connection
from partners.oicp.connections import Connections


class OnwardEvses:
    """See the module."""

    def __init__(self, hub: Hub, connections: Connections) -> None:
        self._hub = hub
        self._connections = connections

    def owners(self, connection: Connection) -> tuple[str, ...]:
        """The parties whose EVSEs are pushed there: those that an agreement shares, without those kept back."""
        return tuple(owner for owner in self._shared(connection) if not self._known_through(connection, owner))

    def kept_back(self, connection: Connection) -> dict[str, str]:
        """Of the parties that are shared there, why the EVSEs of some are not pushed."""
        sources = {owner: self._known_through(connection, owner) for owner in self._shared(connection)}
        why = f"not told to {connection.partner}: it has none of our OperatorIDs there, and is known to us through "
        return {owner: f"{why}{source} alone" for owner, source in sources.items() if source}

    def _known_through(self, connection: Connection, owner: str) -> str:
        """The other hub of OICP through which we know CPO `owner`, if it has no OperatorID at this one; else ""."""
        holder = self._hub.registry.holder_of(Party.parse(owner), CPO_LIKE)
        source = self._connections.of(holder.name) if holder is not None else None
        if source is None or source.kind != "hub" or voices.own_operator(connection, owner):
            return ""
        return source.partner

    def _shared(self, connection: Connection) -> tuple[str, ...]:
        return self._hub.agreements.owners(self._hub.registry.get(connection.partner), "locations")
