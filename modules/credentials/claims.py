"""What a partner claims to be, and whether that was agreed. OCPI credentials, CredentialsRole and Role.

The versions say it differently, and a claim is one thing: a role of a party.

    2.1.1   one party and no role: it claims what that party was invited as
    2.2.1   roles; a hub shows itself as HUB and nobody else: what else it was invited as is behind it, and claimed too
    2.3.0   roles without HUB: a hub is who gives its `hub_party_id`, and lists whoever can be reached through it. Of
            these the agreed ones count; the others are no concern of ours, and no reason to refuse the hub

Nor is a party behind a hub that another platform speaks for already: it counts there. A hub loses a party that
registers by itself, so one that left, and that hubs in a ring take to be behind one another, can come home. Of any
platform that is no hub only what was agreed is let in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from hub.core.errors import InvalidRequest
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.registry import Claim, Partner
from modules.credentials.model import Credentials, CredentialsRole

_FLAT: Final = "2.1.1"
_HUB_IS_A_ROLE: Final = "2.2.1"


def claims_of(hub: Hub, theirs: Credentials, partner: Partner, version: str) -> tuple[Claim, ...]:
    """The roles of a Credentials object that was read from `version`.

    Raises: InvalidRequest, for a role of a party that stands twice.
    """
    hub_party = _hub_party(theirs, partner, version)
    claims = tuple(
        Claim(role=role, party=party, business_name=entry.business_details.name)
        for entry in theirs.roles
        for party in (Party.of(entry.country_code, entry.party_id),)
        for role in _roles(entry, party, partner, version, hub_party)
    )
    if len({claim.pair for claim in claims}) != len(claims):
        raise InvalidRequest("the same role of the same party stands twice")
    if hub_party is None:
        return claims
    of_hub = _of_a_hub(hub_party, claims, partner, version)
    return tuple(c for c in of_hub if c.role is PartyRole.HUB or not hub.registry.rivals(partner, c))


def _hub_party(theirs: Credentials, partner: Partner, version: str) -> Party | None:
    """The party as which this platform is a hub to us; None, where it is none."""
    if theirs.hub_party_id is None:
        return None
    party = Party.parse(theirs.hub_party_id)
    agreed = any(claim.role is PartyRole.HUB and claim.party == party for claim in partner.invited)
    return party if agreed or version == _HUB_IS_A_ROLE or not partner.invited else None


def is_hub_unasked(theirs: Credentials, partner: Partner, version: str) -> bool:
    """Does it say that it is a hub, and is taken for none, as that was not agreed?"""
    return theirs.hub_party_id is not None and _hub_party(theirs, partner, version) is None


def _roles(
    entry: CredentialsRole, party: Party, partner: Partner, version: str, hub_party: Party | None
) -> tuple[PartyRole, ...]:
    if version == _FLAT:
        return tuple(claim.role for claim in partner.invited if claim.party == party) or (PartyRole.OTHER,)
    role = PartyRole(entry.role)
    return (PartyRole.HUB,) if party == hub_party and role is PartyRole.OTHER else (role,)


def _of_a_hub(party: Party, claims: tuple[Claim, ...], partner: Partner, version: str) -> Iterator[Claim]:
    """Itself first, then whoever is behind it."""
    own = [claim for claim in claims if claim.role is PartyRole.HUB]
    yield from own or (Claim(role=PartyRole.HUB, party=party, business_name=claims[0].business_name),)
    shown = [claim for claim in claims if claim.role is not PartyRole.HUB]
    if version == _HUB_IS_A_ROLE:
        pairs = {claim.pair for claim in shown}
        shown += [claim for claim in partner.invited if claim.role is not PartyRole.HUB and claim.pair not in pairs]
        yield from shown
        return
    agreed = {claim.pair for claim in partner.invited}
    yield from (claim for claim in shown if not agreed or claim.pair in agreed)


def claims_left(hub: Hub, partner: Partner) -> tuple[Claim, ...]:
    """Those of a connected hub, but for the parties that are connected by themselves now.

    What one of 2.2.1 was invited as is behind it again when nobody else is it any more: it would not say so anew.
    """
    kept = tuple(
        claim
        for claim in partner.claims
        if claim.role is PartyRole.HUB or not any(other.is_direct for other in hub.registry.rivals(partner, claim))
    )
    if partner.version != _HUB_IS_A_ROLE:
        return kept
    held = {claim.pair for claim in partner.claims}
    back = (claim for claim in partner.invited if claim.pair not in held and claim.role is not PartyRole.HUB)
    return (*kept, *(claim for claim in back if not hub.registry.rivals(partner, claim)))


def up_to(partner: Partner, claims: Iterable[Claim]) -> dict[str, str]:
    """`Partner.pulled` once it is connected as `claims`: nothing, if a role is among them that was not there before.

    What a party that came has is older than the last pull, which passed it over as nobody's.
    """
    return {} if have_come(claims, partner.claims) else partner.pulled


def as_claimed(hub: Hub, partner: Partner, claims: tuple[Claim, ...]) -> Partner:
    """`partner` with these claims. Where a role came that was not there before, that is a registration of it."""
    since = hub.clock.now().isoformat() if have_come(claims, partner.claims) else partner.since
    return partner.model_copy(update={"claims": claims, "pulled": up_to(partner, claims), "since": since})


def have_come(claims: Iterable[Claim], before: Iterable[Claim]) -> bool:
    """Is a role among `claims` that was not there before?"""
    return not {claim.pair for claim in claims} <= {claim.pair for claim in before}


def check_claims(hub: Hub, partner: Partner, claims: Iterable[Claim]) -> None:
    """Only what was invited, and nobody else's party. Raises: InvalidRequest."""
    invited = {claim.pair for claim in partner.invited}
    for claim in claims:
        if claim.party == hub.settings.own_party:
            raise InvalidRequest(f"{claim.party} is our own party")
        if claim.pair not in invited:
            raise InvalidRequest(f"{claim.role} {claim.party} was not agreed for this platform")
        if hub.registry.rivals(partner, claim):
            raise InvalidRequest(f"{claim.role} {claim.party} is registered by another platform")
