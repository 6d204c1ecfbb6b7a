"""Registration, rotation and its end, as the receiver of credentials calls.

What holds always: a partner may claim only the roles it was invited as; a party belongs to one platform at a time; on
any failure nothing changes and token A stays good; the call-backs are made before anything is written; both tokens die
with DELETE. Tokens that we issue are kept as fingerprints.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from hub.core.delivery import lane_from_now_on
from hub.core.errors import Conflict, EndpointsMissing, RegistrationState, Unauthorized
from hub.core.jsontypes import Tree
from hub.core.parties import PartyRole
from hub.core.ports import Found, Hub
from hub.core.registry import Caller, Claim, IssuedToken, Partner, State, TokenUse
from hub.core.secrets import mint_token
from hub.core.units import Audit, Unit
from modules.credentials.claims import check_claims, claims_of
from modules.credentials.model import Credentials

NEEDED: Final = {PartyRole.EMSP: (("tokens", "SENDER"),)}
"""What our side needs of a partner in a role (REQ-077): without its tokens we can authorize no driver of an eMSP."""


def ours(hub: Hub, token: str, version: str) -> Tree:
    """Our Credentials object, with the token its reader is to use. OCPI credentials, Credentials object."""
    settings = hub.settings
    party = settings.own_party
    path = "/ocpi/cpo/versions" if version == "2.1.1" else "/ocpi/versions"
    return {
        "token": token,
        "url": settings.base_url + path,
        "roles": [
            {
                "role": "CPO",
                "party_id": party.party_id,
                "country_code": party.country_code,
                "business_details": {"name": settings.business_name},
            }
        ],
    }


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
        return unit.put(lane).audited(Audit(name, "credentials.registered", name, f"version {version}"))

    await hub.registry.change(name, registered, recorded)
    return ours(hub, token, version)


async def update(hub: Hub, caller: Caller, theirs: Credentials, version: str) -> Tree:
    """PUT: new credentials both ways, and perhaps another version. The old token answers until the new one is seen.

    Raises: as `register`; RegistrationState when not registered.
    """
    _must_be_registered(caller)
    found = await _examine(hub, caller.partner, theirs, version)
    token = mint_token()
    until = hub.clock.now() + timedelta(minutes=hub.settings.token_overlap_min)
    old = IssuedToken(fingerprint=caller.fingerprint, use=TokenUse.OVERLAP, until=until)
    name = caller.partner.name

    def rotated(partner: Partner) -> Partner:
        _check_again(hub, caller, partner, theirs, version)
        return _with(hub, partner, theirs, found, (_issued(hub, token, TokenUse.LIVE), old))

    def recorded(unit: Unit) -> Unit:
        return unit.audited(Audit(name, "credentials.rotated", name, f"version {version}"))

    await hub.registry.change(name, rotated, recorded)
    return ours(hub, token, version)


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
        "busy_until": None,
    }
    await hub.registry.change(
        partner.name,
        lambda known: known.model_copy(update=gone),
        lambda unit: unit.audited(Audit(actor, "credentials.unregistered", partner.name)),
    )


def _must_be_registered(caller: Caller) -> None:
    if caller.use not in (TokenUse.LIVE, TokenUse.OVERLAP):
        raise RegistrationState("this platform is not registered; POST registers", allow=("GET", "POST"))


def _check_again(hub: Hub, caller: Caller, partner: Partner, theirs: Credentials, version: str) -> None:
    """What may have changed during the call-backs.

    Raises: Unauthorized, for a void token; Conflict, when we have begun an exchange too; InvalidRequest (claims).
    """
    good = (caller.use, TokenUse.OVERLAP) if caller.use is TokenUse.LIVE else (caller.use,)
    held = any(token.fingerprint == caller.fingerprint and token.use in good for token in partner.our_tokens)
    if partner.state is State.BLOCKED or not held:
        raise Unauthorized
    _must_be_their_turn(hub, partner)
    check_claims(hub, partner, claims_of(theirs, partner, version))


def _must_be_their_turn(hub: Hub, partner: Partner) -> None:
    """Raises: Conflict."""
    if partner.is_busy(hub.clock.now()):
        raise Conflict("we are exchanging credentials with you at this moment; try again in a minute")


async def _examine(hub: Hub, partner: Partner, theirs: Credentials, version: str) -> Found:
    _must_be_their_turn(hub, partner)
    claims = claims_of(theirs, partner, version)
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
    return partner.model_copy(
        update={
            "state": State.CONNECTED,
            "claims": claims_of(theirs, partner, found.version),
            "version": found.version,
            "versions_url": str(theirs.url),
            "endpoints": found.endpoints,
            "our_tokens": tokens,
            "their_token": hub.registry.sealed(theirs.token),
            "token_form": found.token_form,
            "since": hub.clock.now().isoformat(),
            "busy_until": None,
        }
    )
