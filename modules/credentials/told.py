"""What another hub knows of the parties that are reached through us: the roles of the credentials that it has of us.

OCPI has no other word that makes a party usable: by HubClientInfo a hub hears that one is there, by `roles` that it is
ours to speak for. So what a hub was told last is kept with it, and who brings it up to date is in
`partners/ocpi/telling.py`. A hub of 2.2.1 reads of no party but ourselves, and nobody but a hub asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.core.dialect import VERSIONS
from hub.core.parties import Party
from hub.core.registry import Partner, State


def is_told(partner: Partner) -> bool:
    """Does what `partner` may do through us hang on the roles in our credentials?"""
    return partner.is_hub and partner.version == VERSIONS[-1] and not partner.represents


def roles_in(ours: Mapping[str, Any]) -> tuple[str, ...]:
    """The roles of a Credentials object of ours, as `Partner.told` holds them; sorted."""
    parties = ((role["role"], Party.of(role["country_code"], role["party_id"])) for role in ours["roles"])
    return tuple(sorted(f"{role} {party}" for role, party in parties))


def heard(partner: Partner, roles: tuple[str, ...]) -> Partner:
    """Once it has heard of these roles; the same partner, where that is nothing new."""
    if not is_told(partner) or roles == partner.told:
        return without_complaint(partner)
    came = _parties(roles) - _parties(partner.told)
    newly_told = tuple(sorted(came.union(partner.newly_told)))
    return partner.model_copy(update={"told": roles, "newly_told": newly_told, "untold": ""})


def without_complaint(partner: Partner) -> Partner:
    """There is nothing that it was not told; the same partner, where nobody said so."""
    return partner.model_copy(update={"untold": ""}) if partner.untold else partner


def is_up_to_date(partner: Partner, roles: tuple[str, ...], partners: Iterable[Partner]) -> bool:
    """Does it know the roles that our credentials have now?

    Who is blocked is SUSPENDED by HubClientInfo, which is no reason to be told of it by credentials.
    """
    gone = _parties(set(partner.told).difference(roles))
    blocked = {party for other in partners if other.state is State.BLOCKED for party in other.parties}
    return set(roles) <= set(partner.told) and gone <= blocked


def _parties(roles: Iterable[str]) -> set[str]:
    return {role.partition(" ")[2] for role in roles}
