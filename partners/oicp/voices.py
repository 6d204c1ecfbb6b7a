"""Under which OICP id we speak to a partner, and which party an id of theirs is.

To an EMP or a CPO we are the hub: the parties behind us speak under ids of their own. To another hub we are an operator
or provider ourselves, under the ids that it has given us: a party whose own id is one of them speaks under that, all
others under the first, as sub-operators and sub-providers of ours.
"""

from __future__ import annotations

from contextlib import suppress

from hub.core.parties import Party
from partners.oicp import ids
from partners.oicp.connections import Connection


def operator(connection: Connection, party: str) -> str:
    """The OperatorID under which CPO `party` speaks there."""
    if connection.kind == "hub":
        return own_operator(connection, party) or connection.operator_ids[0]
    return ids.OperatorID.of(Party.parse(party)).styled(connection.operator_style)


def provider(connection: Connection, party: str) -> str:
    """The ProviderID under which eMSP `party` speaks there."""
    if connection.kind == "hub":
        return _own_provider(connection, party) or connection.provider_ids[0]
    return ids.ProviderID.of(Party.parse(party)).styled(connection.provider_style)


def own_operator(connection: Connection, party: str) -> str:
    """The OperatorID of ours at a hub that is CPO `party` itself; "": none is."""
    for each in connection.operator_ids:
        with suppress(ids.InvalidId):
            if str(ids.OperatorID.parse(each).party(connection.countries)) == party:
                return each
    return ""


def _own_provider(connection: Connection, party: str) -> str:
    for each in connection.provider_ids:
        with suppress(ids.InvalidId):
            if str(ids.ProviderID.parse(each).party()) == party:
                return each
    return ""


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
