"""Under which OICP id we speak to a partner, and which party an id of theirs is.

To an EMP or a CPO we are the hub: the parties behind us speak under ids of their own. To another hub we are one
operator or provider ourselves, under the id that it has given us.
"""

from __future__ import annotations

from hub.core.parties import Party
from partners.oicp import ids
from partners.oicp.connections import Connection


def operator(connection: Connection, party: str) -> str:
    """The OperatorID under which CPO `party` speaks there."""
    if connection.kind == "hub":
        return connection.operator_ids[0]
    return ids.OperatorID.of(Party.parse(party)).styled(connection.operator_style)


def provider(connection: Connection, party: str) -> str:
    """The ProviderID under which eMSP `party` speaks there."""
    if connection.kind == "hub":
        return connection.provider_ids[0]
    return ids.ProviderID.of(Party.parse(party)).styled(connection.provider_style)


def styled_provider(connection: Connection, provider_id: str) -> str:
    """A ProviderID as this partner wants it written."""
    return ids.ProviderID.parse(provider_id).styled(connection.provider_style)


def party_of_operator(connection: Connection, operator_id: str, evse_id: str = "") -> Party:
    """The CPO that is meant: whose EVSE it is, where the EvseID says so; else the operator. Raises: InvalidId."""
    if evse_id:
        try:
            return ids.EvseID.parse(evse_id).operator.party(connection.countries)
        except ids.InvalidId:
            pass  # a sub-operator's id in a form of its own says nothing of whose it is
    return ids.OperatorID.parse(operator_id).party(connection.countries)
