"""Who is asked about a contract with a PIN: the provider that the contract names, if it speaks OICP and may be asked.

the provider                                       who is asked
-------------------------------------------------  -----------------------------------------------------------
is a connected EMP of OICP, or behind a hub of it  it, or that hub
is nobody's                                        the one hub at which we are a CPO, if there is no second one
is ours, or an eMSP's of OCPI, or not connected    nobody

Where no agreement lets the CPO reach a provider that speaks OICP, it hears of that (210), as with any other contract.
"""

from __future__ import annotations

from hub.core.errors import PeerUnreachable, UnknownReceiver
from hub.core.operations import EMSP_LIKE
from hub.core.registry import Partner, State
from hub.core.routing import receiver
from partners.oicp.answers import Code, Refused
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.contracts import check_contract
from partners.oicp.ids import EvcoID


def provider_asked(bridge: Bridge, sender: Partner, contract: EvcoID, asker: str) -> Connection:
    """Where a question of `sender`, as CPO `asker`, goes. Raises: Refused, also where no agreement lets it through."""
    party, registry = contract.party(), bridge.hub.registry
    if str(party) in bridge.hub.settings.own_parties:
        raise Refused(Code.WRONG_PIN)
    claims = [claim for partner in registry.all() for claim in partner.claims if claim.party == party]
    if not any(claim.role in EMSP_LIKE for claim in claims):
        return _only_hub(bridge, sender)
    if bridge.interpreted(party):
        check_contract(bridge.hub, sender, party, "tokens")
    if str(party) not in bridge.hub.agreements.owners(sender, "tokens"):
        raise Refused(Code.WRONG_PIN)
    try:
        goes = receiver(bridge.hub, sender, str(party), "tokens", EMSP_LIKE, behind=asker)
    except (UnknownReceiver, PeerUnreachable):
        raise Refused(Code.WRONG_PIN) from None
    connection = bridge.connections.of(goes.partner.name) if goes.partner.interpreter else None
    if connection is None:
        raise Refused(Code.WRONG_PIN)
    return connection


def _only_hub(bridge: Bridge, sender: Partner) -> Connection:
    """Raises: Refused."""
    found = [each for each in bridge.connections.all() if _may_be_asked(bridge, sender, each)]
    if len(found) != 1 or bridge.hub.settings.ask_unknown_tokens == "none":
        raise Refused(Code.WRONG_PIN)
    return found[0]


def _may_be_asked(bridge: Bridge, sender: Partner, connection: Connection) -> bool:
    """Is it a hub that routes for our CPOs, and may this one's questions go there?"""
    if connection.kind != "hub" or not connection.operator_ids or not connection.base_url:
        return False
    partner = bridge.hub.registry.find(connection.partner)
    is_there = partner is not None and partner.state is State.CONNECTED and partner.name != sender.name
    return is_there and bridge.hub.agreements.reach(sender, connection.party, "tokens").allowed
