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
from hub.core.registry import Partner


def is_told(partner: Partner) -> bool:
    """Does what `partner` may do through us hang on the roles in our credentials?"""
    return partner.is_hub and partner.version == VERSIONS[-1] and not partner.represents


def roles_in(ours: Mapping[str, Any]) -> tuple[str, ...]:
    """The roles of a Credentials object of ours, as `Partner.told` holds them; sorted."""
    parties = ((role["role"], Party.of(role["country_code"], role["party_id"])) for role in ours["roles"])
    return tuple(sorted(f"{role} {party}" for role, party in parties))


def heard(partner: Partner, roles: tuple[str, ...]) -> Partner:
    """Once it has heard of these roles; the same partner, where that is nothing new."""
    if not is_told(partner) or (roles == partner.told and not partner.untold):
        return partner
    came = _parties(roles) - _parties(partner.told)
    newly_told = tuple(sorted(came.union(partner.newly_told)))
    return partner.model_copy(update={"told": roles, "newly_told": newly_told, "untold": ""})


def _parties(roles: Iterable[str]) -> set[str]:
    return {role.partition(" ")[2] for role in roles}
