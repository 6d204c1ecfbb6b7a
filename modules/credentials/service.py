"""Registration, rotation and its end, as the receiver of credentials calls.

What holds always: a partner may claim only the roles it was invited as; a party belongs to one platform at a time; on
any failure nothing changes and token A stays good; the call-backs are made before anything is written; both tokens die
with DELETE. Tokens that we issue are kept as fingerprints.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import structlog

from hub.core.delivery import lane_from_now_on
from hub.core.dialect import VERSIONS
from hub.core.errors import BusbarError, Conflict, EndpointsMissing, InvalidRequest, RegistrationState, Unauthorized
from hub.core.jsontypes import Tree
from hub.core.operations import CPO
from hub.core.parties import Party, PartyRole
from hub.core.ports import Found, Hub
from hub.core.registry import Caller, Claim, IssuedToken, Partner, State, TokenUse
from hub.core.secrets import mint_token
from hub.core.units import Audit, Unit
from modules.credentials.claims import (
    as_claimed,
    check_claims,
    claims_left,
    claims_of,
    have_come,
    is_hub_unasked,
    up_to,
)
from modules.credentials.model import Credentials
from modules.credentials.told import heard, roles_in

log = structlog.get_logger()

_ROLES: Final = frozenset(PartyRole) - {PartyRole.HUB}
"""Roles that a Credentials object of 2.3.0 has."""
PAYMENTS: Final = "payments"
"""The module by which a partner shows that it knows the payments edition."""
NEEDED: Final = {PartyRole.EMSP: (("tokens", "SENDER"),)}
"""What our side needs of a partner in a role (REQ-077): without its tokens we can authorize no driver of an eMSP."""


_STILL: Final = {
    TokenUse.REGISTRATION: {TokenUse.REGISTRATION},
    TokenUse.LIVE: {TokenUse.LIVE, TokenUse.OVERLAP, TokenUse.PROBE},
    TokenUse.OVERLAP: {TokenUse.OVERLAP},
    TokenUse.RENEWAL: {TokenUse.OVERLAP},
}
"""What the token of a caller may be on record as when the call-backs have been made, by what it was good for before."""


def ours(hub: Hub, partner: Partner, token: str, version: str) -> Tree:
    """Our Credentials object for `partner`, with the token it is to use. OCPI credentials, Credentials object.

    We are a CPO and a hub: HUB is a role of its own in 2.2.1; in 2.3.0 the hub is named, and who is reached through it
    stands beside us. 2.1.1 knows one party, and so does a connection that stands for one.
    """
    settings = hub.settings
    own = (_role(PartyRole.CPO, settings.own_party, settings.business_name),)
    tree: Tree = {"token": token, "url": settings.base_url + _path(partner, version)}
    if partner.represents and partner.represents != settings.party:
        return {**tree, "roles": _represented(hub, partner)}
    if partner.represents or version == VERSIONS[0]:
        return {**tree, "roles": [*own]}
    itself = Party.parse(settings.hub)
    if version == VERSIONS[-1]:
        peers = [claim for claim in hub.agreements.peers(partner) if claim.role in _ROLES]
        through = (_role(_said(c.role, partner), c.party, c.business_name) for c in peers)
        return {**tree, "hub_party_id": f"{itself.country_code}{itself.party_id}", "roles": _once((*own, *through))}
    return {**tree, "roles": [*own, _role(PartyRole.HUB, itself, settings.business_name)]}


def _path(partner: Partner, version: str) -> str:
    """2.1.1 tells what we are to it by position."""
    if version != VERSIONS[0]:
        return "/ocpi/versions"
    return f"/ocpi/{'emsp' if partner.roles == CPO else 'cpo'}/versions"


def _said(role: PartyRole, partner: Partner) -> PartyRole:
    """Role is a closed list in 2.3.0, and PTP a word of the payments edition alone: who has no payments reads OTHER."""
    is_known = role is not PartyRole.PTP or any(has.identifier == PAYMENTS for has in partner.endpoints)
    return role if is_known else PartyRole.OTHER


def _represented(hub: Hub, partner: Partner) -> list[Tree]:
    """The roles of the only party that a connection stands for. Raises: InvalidRequest, when it is not connected."""
    party = partner.represents
    roles = [
        _role(_said(claim.role, partner), claim.party, claim.business_name)
        for other in hub.registry.connected()
        for claim in other.claims
        if str(claim.party) == party and claim.role in _ROLES
    ]
    if not roles:
        raise InvalidRequest(f"{party}, which this connection stands for, is not connected")
    return _once(roles)


def _role(role: PartyRole, party: Party, name: str) -> Tree:
    return {
        "role": role.value,
        "party_id": party.party_id,
        "country_code": party.country_code,
        "business_details": {"name": name or str(party)},
    }


def _once(roles: Iterable[Tree]) -> list[Tree]:
    """The triple of role, country code and party id stands once (REQ-080)."""
    by_triple: dict[tuple[str, str, str], Tree] = {}
    for role in roles:
        by_triple.setdefault((role["role"], role["country_code"], role["party_id"]), role)
    return list(by_triple.values())


async def register(hub: Hub, caller: Caller, theirs: Credentials, version: str) -> Tree:
    """POST: the first exchange. Token A is consumed when the answer is ready.

    Raises: RegistrationState (registered already), InvalidRequest (claims), ClientApiUnusable, VersionNotOffered,
    EndpointsMissing.
    """
    if caller.use is not TokenUse.REGISTRATION:
        raise RegistrationState("this platform is registered; PUT updates", allow=("GET", "PUT", "DELETE"))
    found = await _examine(hub, caller.partner, theirs, version)
    token = mint_token()
    name = caller.partner.name
    lane = await lane_from_now_on(hub.store, name)

    def registered(partner: Partner) -> Partner:
        _check_again(hub, caller, partner, theirs, version)
        return _with(hub, partner, theirs, found, (_issued(hub, token, TokenUse.LIVE),))

    def recorded(unit: Unit) -> Unit:
        partner = hub.registry.get(name)
        for opened in hub.agreements.opened_by(partner, claims_of(hub, theirs, partner, version)):
            unit.put(opened.put())
        return unit.put(lane).audited(Audit(name, "credentials.registered", name, f"version {version}"))

    await hub.registry.change(name, registered, recorded)
    await hubs_give_way(hub)
    return await _answer(hub, name, token, version)


async def update(hub: Hub, caller: Caller, theirs: Credentials, version: str) -> Tree:
    """PUT: new credentials both ways, and perhaps another version. The old token answers until the new one is seen, and
    may renew for longer (`TokenUse.RENEWAL`).

    Raises: as `register`; RegistrationState when not registered.
    """
    _must_be_registered(caller, TokenUse.RENEWAL)
    _must_be_known_there(caller, theirs)
    found = await _examine(hub, caller.partner, theirs, version)
    token = mint_token()
    until = hub.clock.now() + timedelta(minutes=hub.settings.token_overlap_min)
    old = IssuedToken(fingerprint=caller.fingerprint, use=TokenUse.OVERLAP, until=until, renews=True)
    name = caller.partner.name

    def rotated(partner: Partner) -> Partner:
        _check_again(hub, caller, partner, theirs, version)
        others = partner.our_tokens if caller.use is TokenUse.RENEWAL else (old,)
        return _with(hub, partner, theirs, found, (_issued(hub, token, TokenUse.LIVE), *others))

    def recorded(unit: Unit) -> Unit:
        return unit.audited(Audit(name, "credentials.rotated", name, f"version {version}"))

    await hub.registry.change(name, rotated, recorded)
    await hubs_give_way(hub)
    return await _answer(hub, name, token, version)


async def hubs_give_way(hub: Hub) -> None:
    """Take the parties of hubs that are connected by themselves now, and give back whose own platform has left."""

    def as_left(partner: Partner) -> Partner:
        claims = claims_left(hub, partner)
        if claims == partner.claims:
            return partner
        left = as_claimed(hub, partner, claims)
        # it is asked again who is behind it: else it would not say anew what left soon after
        return left if have_come(claims, partner.claims) else left.model_copy(update={"told": ()})

    for partner in hub.registry.connected():
        if partner.is_hub:
            await hub.registry.change(partner.name, as_left)


async def _answer(hub: Hub, name: str, token: str, version: str) -> Tree:
    """Our credentials. What cannot be written down of it now, that it is told, is told once more."""
    tree = ours(hub, hub.registry.get(name), token, version)
    try:
        await hub.registry.change(name, lambda partner: heard(partner, roles_in(tree)))
    except BusbarError as fault:
        log.warning("what a partner was told is not on disk", partner=name, why=fault.message)
    return tree


async def unregister(hub: Hub, caller: Caller) -> None:
    """DELETE: both sides' tokens are void at once. Raises: RegistrationState."""
    _must_be_registered(caller)
    await forget(hub, caller.partner, actor=caller.partner.name)


async def forget(hub: Hub, partner: Partner, *, actor: str) -> None:
    """End a registration; the partner needs a new invitation."""
    gone = {
        "state": State.UNREGISTERED,
        "our_tokens": (),
        "their_token": "",
        "endpoints": (),
        "claims": (),
        "told": (),
        "newly_told": (),
        "untold": "",
        "busy_until": None,
        "unsettled": False,
    }
    await hub.registry.change(
        partner.name,
        lambda known: known.model_copy(update=gone),
        lambda unit: unit.audited(Audit(actor, "credentials.unregistered", partner.name)),
    )


def _must_be_registered(caller: Caller, *also: TokenUse) -> None:
    if caller.use not in (TokenUse.LIVE, TokenUse.OVERLAP, *also):
        raise RegistrationState("this platform is not registered; POST registers", allow=("GET", "POST"))


def _must_be_known_there(caller: Caller, theirs: Credentials) -> None:
    """A token that was replaced renews for the platform that we know alone, which the call-backs ask. Whoever else got
    hold of it cannot answer there. Raises: InvalidRequest.
    """
    if caller.use is TokenUse.RENEWAL and str(theirs.url) != caller.partner.versions_url:
        raise InvalidRequest("/url: this token was replaced, and may renew for the versions URL on record alone")


def _check_again(hub: Hub, caller: Caller, partner: Partner, theirs: Credentials, version: str) -> None:
    """What may have changed during the call-backs.

    Raises: Unauthorized, for a void token; Conflict, when we have begun an exchange too; InvalidRequest (claims).
    """
    held = any(
        token.fingerprint == caller.fingerprint and token.use in _STILL[caller.use] for token in partner.our_tokens
    )
    if partner.state is State.BLOCKED or not held:
        raise Unauthorized
    _must_be_their_turn(hub, partner)
    check_claims(hub, partner, claims_of(hub, theirs, partner, version))


def _must_be_their_turn(hub: Hub, partner: Partner) -> None:
    """Raises: Conflict."""
    if partner.is_busy(hub.clock.now()):
        raise Conflict("we are exchanging credentials with you at this moment; try again in a minute")


async def _examine(hub: Hub, partner: Partner, theirs: Credentials, version: str) -> Found:
    _must_be_their_turn(hub, partner)
    if is_hub_unasked(theirs, partner, version):
        log.warning(
            "taken for no hub, as it was invited without the role HUB",
            partner=partner.name,
            hub_party_id=theirs.hub_party_id,
        )
    claims = claims_of(hub, theirs, partner, version)
    check_claims(hub, partner, claims)
    found = await hub.discovery.discover(str(theirs.url), theirs.token, version=version)
    check_endpoints(found, claims)
    return found


def check_endpoints(found: Found, claims: Iterable[Claim]) -> None:
    """Raises: EndpointsMissing, naming the first one."""
    for claim in claims:
        for identifier, side in NEEDED.get(claim.role, ()):
            if not any(e.identifier == identifier and e.role in ("", side) for e in found.endpoints):
                raise EndpointsMissing(f"version details list no {identifier} {side}")


def _issued(hub: Hub, token: str, use: TokenUse) -> IssuedToken:
    return IssuedToken(fingerprint=hub.registry.fingerprint(token), use=use)


def _with(hub: Hub, partner: Partner, theirs: Credentials, found: Found, tokens: tuple[IssuedToken, ...]) -> Partner:
    claims = claims_of(hub, theirs, partner, found.version)
    return partner.model_copy(
        update={
            "state": State.CONNECTED,
            "claims": claims,
            "pulled": up_to(partner, claims),
            "version": found.version,
            "versions_url": str(theirs.url),
            "endpoints": found.endpoints,
            "our_tokens": tokens,
            "their_token": hub.registry.sealed(theirs.token),
            "token_form": found.token_form,
            "since": hub.clock.now().isoformat(),
            "busy_until": None,
            "unsettled": False,
        }
    )
