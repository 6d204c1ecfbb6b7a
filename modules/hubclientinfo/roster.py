"""How every party stands, worked out of what is known of the partners. OCPI mod_hub_client_info, Scenarios.

    partner                              its parties
    invited                              PLANNED
    connected                            CONNECTED; those that it was invited as and has not claimed: PLANNED
    connected, and does not answer       OFFLINE
    connected, a hub                     the parties behind it: what the hub says of them, if it says anything
    suspended by an operator, or left    SUSPENDED

Our own party is CONNECTED. A party with several connections stands as the best of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hub.core.behind import Status
from hub.core.parties import PartyRole
from hub.core.ports import Hub
from hub.core.registry import Claim, Partner, State
from modules.hubclientinfo.store import Standing

GONE: Final = "no partner of ours speaks for it any more"
SILENT: Final = "does not answer: "
"""Then comes what came of asking."""

_ORDER: Final = tuple(Status)
_NOT_CONNECTED: Final = {
    State.INVITED: (Status.PLANNED, "invited, not registered yet"),
    State.BLOCKED: (Status.SUSPENDED, "suspended by an operator"),
    State.UNREGISTERED: (Status.SUSPENDED, "unregistered"),
}


def standings(hub: Hub) -> dict[str, Standing]:
    """By key, every party in each of its roles."""
    own = Standing(hub.settings.party, PartyRole.CPO, Status.CONNECTED, "", "our own party")
    found = {own.key: own}
    for partner in hub.registry.all():
        for standing in _of(hub, partner):
            known = found.get(standing.key)
            if known is None or _ORDER.index(standing.status) < _ORDER.index(known.status):
                found[standing.key] = standing
    return found


def _of(hub: Hub, partner: Partner) -> Iterator[Standing]:
    """Each role that the partner has, or may claim."""
    claimed = {claim.pair for claim in partner.claims}
    for claim in partner.claims:
        status, why = _claimed(hub, partner, claim)
        yield Standing(str(claim.party), claim.role, status, partner.name, why)
    for claim in partner.invited:
        if claim.pair not in claimed:
            status, why = _NOT_CONNECTED.get(partner.state, (Status.PLANNED, "not registered in this role"))
            yield Standing(str(claim.party), claim.role, status, partner.name, why)


def _claimed(hub: Hub, partner: Partner, claim: Claim) -> tuple[Status, str]:
    if partner.state is not State.CONNECTED:
        return _NOT_CONNECTED[partner.state]
    if hub.pulses.is_silent(partner.name):
        return Status.OFFLINE, SILENT + hub.pulses.why_silent(partner.name)
    if PartyRole.HUB in partner.roles and claim.role is not PartyRole.HUB:
        told = hub.behind.find(partner.name, str(claim.party), claim.role)
        if told is not None:
            return told.status, f"so says the hub {partner.name}"
    return Status.CONNECTED, "registered, and answers"
