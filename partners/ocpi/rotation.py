"""What follows on a registration, from our side: new tokens, and the end (credentials, PUT and DELETE)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from hub.core.errors import BusbarError, ClientApiUnusable, Conflict, PeerRefused, PeerUnreachable, RegistrationState
from hub.core.ports import Found, Hub
from hub.core.registry import IssuedToken, Partner, State, TokenUse
from hub.core.secrets import Seal, mint_token
from hub.core.units import Audit
from modules.credentials import service as credentials
from modules.credentials.claims import as_claimed, claims_of
from modules.credentials.told import heard
from partners.ocpi import turn
from partners.ocpi.handshake import Given, Handshake, credentials_url, give

log = structlog.get_logger()

_FIRST_SERVER_ERROR: Final = 500


async def rotate(
    hub: Hub, handshake: Handshake, seal: Seal, name: str, *, version: str | None = None, actor: str = "busbar"
) -> Partner:
    """New tokens both ways, and perhaps another version: PUT credentials at the partner.

    As in `connect`, our new token is on disk before the PUT. Once the partner has agreed, our old one answers until the
    new one is seen. When the partner surely refused, nothing has changed; when its answer was lost, both our tokens are
    good, as it may present either from now on, and `telling.py` tries again.
    Raises: NotFound, RegistrationState; as `connect`.
    """
    partner = hub.registry.get(name)
    if partner.state is not State.CONNECTED:
        raise RegistrationState(f"{name} is not connected")
    token = seal.open(partner.their_token)
    found = await handshake.discover(partner.versions_url, token, version=version or partner.version)
    credentials.check_endpoints(found, partner.claims)
    ours = mint_token()
    fingerprint = hub.registry.fingerprint(ours)
    await hub.registry.change(name, partial(turn.taken, hub, fingerprint))
    try:
        given = await give(hub, handshake, "PUT", partner, found, token, ours)
    except BusbarError as fault:
        kept = None if _is_sure(fault) else TokenUse.LIVE
        log.warning("rotation failed", partner=name, surely=kept is None, why=fault.message)
        await hub.registry.change(name, partial(turn.given_back, fingerprint, kept))
        raise
    audit = Audit(actor, "credentials.rotated", name, f"version {found.version}")
    renewed = partial(_renewed, hub, seal, fingerprint, given, found)
    partner = await hub.registry.change(name, renewed, lambda unit: unit.audited(audit))
    return await _with_details_of_now(hub, handshake, partner, given.theirs.token)


async def _with_details_of_now(hub: Hub, handshake: Handshake, partner: Partner, token: str) -> Partner:
    """What it offers may hang on what we have just told it. To present the new token voids the one before at its side,
    so this is done when the new one is on disk."""
    try:
        found = await handshake.discover(partner.versions_url, token, version=partner.version)
    except BusbarError as fault:
        log.warning("the details of a version could not be read again", partner=partner.name, why=fault.message)
        return partner

    def with_endpoints(known: Partner) -> Partner:
        is_same = known.their_token == partner.their_token and known.endpoints != found.endpoints
        return known.model_copy(update={"endpoints": found.endpoints}) if is_same else known

    return await hub.registry.change(partner.name, with_endpoints)


def _is_sure(fault: BusbarError) -> bool:
    """Is it certain that the partner did not take the new token? A server error says nothing of how far it came."""
    if isinstance(fault, PeerRefused):
        return fault.http < _FIRST_SERVER_ERROR
    return isinstance(fault, PeerUnreachable | ClientApiUnusable)


def _renewed(hub: Hub, seal: Seal, fingerprint: str, given: Given, found: Found, partner: Partner) -> Partner:
    """Roles that were not agreed, or that another platform has, are passed over: without its new token we could not say
    so.

    Raises: Conflict, when the registration was ended meanwhile.
    """
    if not turn.is_held(fingerprint, partner):
        raise Conflict(f"{partner.name} was changed while its tokens were")
    theirs = given.theirs
    until = hub.clock.now() + timedelta(minutes=hub.settings.token_overlap_min)
    older = tuple(
        token.model_copy(update={"use": TokenUse.OVERLAP, "until": min(token.until or until, until), "renews": False})
        for token in partner.our_tokens
        if token.fingerprint != fingerprint
    )
    agreed = {claim.pair for claim in partner.invited}
    shown = claims_of(hub, theirs, partner, found.version)
    claims = tuple(c for c in shown if c.pair in agreed and not hub.registry.rivals(partner, c)) or partner.claims
    renewed = as_claimed(hub, partner, claims).model_copy(
        update={
            "version": found.version,
            "versions_url": str(theirs.url),
            "endpoints": found.endpoints,
            "our_tokens": (IssuedToken(fingerprint=fingerprint, use=TokenUse.LIVE), *older),
            "their_token": seal.seal(theirs.token),
            "token_form": found.token_form,
            "busy_until": None,
            "unsettled": False,
        }
    )
    return heard(renewed, given.told)


async def part(handshake: Handshake, seal: Seal, partner: Partner) -> None:
    """Tell a partner that it is over: DELETE credentials. Raises: ClientApiUnusable, PeerFault's children."""
    url = credentials_url(partner.endpoints)
    await handshake.exchange("DELETE", url, seal.open(partner.their_token), partner.token_form)
