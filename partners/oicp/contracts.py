"""Contracts of OICP are agreements here. Where a message names whom it is for, OICP has a code for each reason why not.

300  nobody here has that id
210  there is somebody, and no agreement lets the asker reach it

OCPI has one answer for both, since who may not reach a party is to learn nothing of it. In OICP whoever asks has named
an EVSE or a contract of that party, and looks for the contract that is missing.
"""

from __future__ import annotations

from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.registry import Partner, State
from partners.oicp import ids
from partners.oicp.answers import Code, Refused
from partners.oicp.connection import Connection


def is_known(hub: Hub, party: Party) -> bool:
    """Is it ours, or that of a partner?"""
    return str(party) in hub.settings.own_parties or hub.registry.find_party(party) is not None


def check_contract(hub: Hub, asker: Partner, party: Party, module: str) -> None:
    """Raises: Refused, where `party` is connected, and no agreement lets `asker` reach it in `module`."""
    holder = hub.registry.find_party(party)
    is_there = holder is not None and holder.state is State.CONNECTED and holder.name != asker.name
    if is_there and not hub.agreements.reach(asker, str(party), module).allowed:
        raise Refused(Code.NO_CONTRACT)


def is_connected(hub: Hub, name: str) -> bool:
    """Is the partner there, and not blocked? What it is owed waits as long as it is not."""
    partner = hub.registry.find(name)
    return partner is not None and partner.state is State.CONNECTED


def may_have(hub: Hub, viewer: str, owner: str, module: str) -> bool:
    """Do agreements let partner `viewer` have of `module` what is told it of a charge of party `owner`?

    `owner` need not be connected any more: what it told while it was is for whoever might have it then.
    """
    partner = hub.registry.get(viewer)
    rule = hub.agreements.by_rule(partner, owner, module)
    return rule.allowed if rule is not None else hub.settings.sharing != "closed"


def is_contract_of(connection: Connection, evco_id: str) -> bool:
    """Is it a contract of the provider that a partner is? What is no EvcoID is nobody's."""
    try:
        contract = ids.EvcoID.parse(evco_id)
    except ids.InvalidId:
        return False
    return any(
        ids.ProviderID.parse(each).canonical == contract.country + contract.provider for each in connection.provider_ids
    )
