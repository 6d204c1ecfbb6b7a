"""What its owner has addressed to one party: does it go there, and if not, why. One rule for lanes and for who asks."""

from __future__ import annotations

from hub.core.operations import ANYBODY, RECEIVER
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.registry import Partner, State


def keeps_from(hub: Hub, party: str, owner: str, module: str, roles: frozenset[PartyRole] = ANYBODY) -> str:
    """What keeps that of `owner` from `party`, which has it in one of `roles`; "": nothing, or it is for us."""
    if party in hub.settings.own_parties:
        return ""
    known = Party.parse(party)
    partner = hub.registry.holder_of(known, roles) or hub.registry.find_party(known)
    return f"no partner is {party}" if partner is None else keeps(hub, partner, owner, module, roles)


def keeps(hub: Hub, partner: Partner, owner: str, module: str, roles: frozenset[PartyRole] = ANYBODY) -> str:
    """The same of a partner that has the party."""
    verdict = hub.agreements.may_be_sent(partner, owner, module)
    if partner.roles.isdisjoint(roles):
        return f"{partner.name} is here in no role that has {module}"
    if not verdict.allowed:
        return verdict.rule
    if partner.state is not State.CONNECTED:
        return f"{partner.name} is not connected"
    return "" if partner.endpoint(module, RECEIVER.name) is not None else _no_endpoint(hub, partner, module)


def _no_endpoint(hub: Hub, partner: Partner, module: str) -> str:
    if any(partner.version in operation.versions for operation in hub.operations if operation.module == module):
        return f"{partner.name} takes no pushes of {module}; it may pull"
    return f"{partner.name} speaks OCPI {partner.version}, which has no such thing"
