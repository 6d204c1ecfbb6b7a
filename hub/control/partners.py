"""Partners in the operator's hands: invited, connected, looked at, blocked, and let go. OCPI credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

import structlog

from hub.control.asks import Connect, Invite, PartnerSwitches
from hub.core.delivery import REFUSED
from hub.core.errors import BusbarError, Conflict, InvalidRequest, NotFound, RegistrationState
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.registry import Claim, IssuedToken, Partner, State, TokenUse
from hub.core.secrets import mint_token
from hub.core.units import Audit, Document, Kind
from modules.credentials import service as credentials
from modules.credentials.claims import claims_left
from modules.locations.store import LOCATIONS
from modules.tariffs.store import TARIFFS
from partners.ocpi import handshake, rotation, turn

if TYPE_CHECKING:
    from hub.app import Program

log = structlog.get_logger()

_PUSHED: Final[tuple[tuple[str, Kind], ...]] = (("tariffs", TARIFFS), ("locations", LOCATIONS))
"""Module and kind, in the order in which a partner can use them: a location names its tariffs."""
_READ: Final = 500
_MOST_REFUSED: Final = 1_000
_REFUSED_LIMIT: Final = 64 * 1024


async def invite(program: Program, ask: Invite, *, actor: str) -> Tree:
    """Token A and where to begin; shown this once. An unused or ended invitation is replaced.

    Raises: Conflict, when the partner is connected or blocked, or a party belongs to another one; InvalidRequest.
    """
    registry = program.hub.registry
    known = registry.find(ask.name)
    if known is not None and known.state in (State.CONNECTED, State.BLOCKED):
        raise Conflict(f"{ask.name} is {known.state}; unregister it first")
    if known is not None and known.is_busy(program.hub.clock.now()):
        raise turn.under_way(ask.name)
    represents = _represented(ask.represents) or (known.represents if known is not None else "")
    claims = _claims(program, ask.name, tuple(role.claim for role in ask.roles), known, represents)
    await program.oicp.connections.release(claims, to=ask.name, actor=actor)
    token = mint_token()
    issued = IssuedToken(fingerprint=registry.fingerprint(token), use=TokenUse.REGISTRATION)
    partner = Partner(
        name=ask.name,
        invited=claims,
        our_tokens=(issued,),
        since=program.hub.clock.now().isoformat(),
        switches=known.switches if known is not None else {},
        represents=represents,
    )
    unit = registry.unit(partner, new=known is None).audited(Audit(actor, "partner.invited", ask.name))
    await registry.commit(partner, unit)
    return {"name": ask.name, **_addresses(program, claims), "token_a": token}


def _represented(party: str) -> str:
    return str(Party.parse(party)) if party else ""


def _claims(
    program: Program, name: str, asked: tuple[Claim, ...], known: Partner | None, represents: str
) -> tuple[Claim, ...]:
    claims = asked or (known.invited if known is not None else ())
    if not claims:
        raise InvalidRequest("/roles: an invitation names at least one role")
    if len({claim.pair for claim in claims}) != len(claims):
        raise InvalidRequest("/roles: the same role of the same party stands twice")
    _must_be_free(program, name, claims, represents)
    return claims


def _must_be_free(program: Program, name: str, claims: tuple[Claim, ...], represents: str) -> None:
    """Raises: Conflict."""
    partner = Partner(name=name, invited=claims, represents=represents)
    for claim in claims:
        if claim.party == program.settings.own_party:
            raise Conflict(f"{claim.party} is our own party")
        for rival in program.oicp.connections.rivals(partner, claim):
            raise Conflict(f"{claim.role} {claim.party} is connected as {rival.name}")


def _addresses(program: Program, claims: tuple[Claim, ...]) -> Tree:
    """Where the partner begins: by version, or for 2.1.1 alone at the position it needs."""
    base = program.settings.base_url
    position = "emsp" if all(claim.role.value == "CPO" for claim in claims) else "cpo"
    return {"versions_url": f"{base}/ocpi/versions", "versions_url_2_1_1": f"{base}/ocpi/{position}/versions"}


async def connect(program: Program, name: str, ask: Connect, *, actor: str) -> Partner:
    """Register with a partner that invited us. Without roles, it is taken for what it says it is.

    Raises: Conflict; ClientApiUnusable, VersionNotOffered, EndpointsMissing, PeerFault's children.
    """
    known = program.hub.registry.find(name)
    if known is not None and known.state in (State.CONNECTED, State.BLOCKED):
        raise Conflict(f"{name} is {known.state}; unregister it first")
    claims = tuple(role.claim for role in ask.roles)
    represents = _represented(ask.represents)
    _must_be_free(program, name, claims, represents)
    await program.oicp.connections.release(claims, to=name, actor=actor)
    return await handshake.connect(
        program.hub,
        program.handshake,
        program.seal,
        name,
        claims,
        versions_url=ask.versions_url,
        token=ask.token,
        actor=actor,
        represents=represents,
    )


async def block(program: Program, name: str, *, actor: str) -> Partner:
    """Refuse its calls and stop its lane; nothing is forgotten. Raises: NotFound, Conflict."""
    return await _move(program, name, State.BLOCKED, (State.CONNECTED,), actor=actor, action="partner.blocked")


async def unblock(program: Program, name: str, *, actor: str) -> Partner:
    """Go on where it was blocked; its lane sends what changed meanwhile. Raises: NotFound, Conflict."""
    return await _move(program, name, State.CONNECTED, (State.BLOCKED,), actor=actor, action="partner.unblocked")


async def _move(
    program: Program, name: str, to: State, allowed: tuple[State, ...], *, actor: str, action: str
) -> Partner:
    def moved(partner: Partner) -> Partner:
        if partner.state not in allowed:
            raise Conflict(f"{name} is {partner.state}")
        claims = claims_left(program.hub, partner) if partner.is_hub and to is State.CONNECTED else partner.claims
        return partner.model_copy(update={"state": to, "claims": claims})

    return await program.hub.registry.change(name, moved, lambda unit: unit.audited(Audit(actor, action, name)))


async def switch(program: Program, name: str, ask: PartnerSwitches, *, actor: str) -> Partner:
    """Set what holds for this partner alone. Raises: NotFound, Conflict."""
    switches = ask.switches()
    detail = " ".join(f"{key}={value}" for key, value in switches.items())

    def switched(partner: Partner) -> Partner:
        return partner.model_copy(update={"switches": switches}) if partner.switches != switches else partner

    return await program.hub.registry.change(
        name, switched, lambda unit: unit.audited(Audit(actor, "partner.switched", name, detail))
    )


async def unregister(program: Program, name: str, *, actor: str) -> Tree:
    """End the registration here, and tell the partner if it can be reached. Both sides' tokens are void.

    Returns: whether it was told. Raises: NotFound, Conflict (unregistered already).
    """
    partner = program.hub.registry.get(name)
    if partner.state is State.UNREGISTERED:
        raise Conflict(f"{name} is unregistered already")
    told, why = False, ""
    if partner.their_token:
        try:
            await rotation.part(program.handshake, program.seal, partner)
            told = True
        except BusbarError as fault:
            why = fault.message
            log.warning("partner was not told of the end", partner=name, error=why)
    await credentials.forget(program.hub, program.hub.registry.get(name), actor=actor)
    return {"name": name, "state": State.UNREGISTERED.value, "told": told, **({"why_not": why} if why else {})}


async def rotate(program: Program, name: str, *, version: str | None, actor: str) -> Partner:
    """New tokens on both sides. Raises: NotFound, RegistrationState, PeerFault's children."""
    _must_speak_ocpi(program, name)
    return await rotation.rotate(program.hub, program.handshake, program.seal, name, version=version, actor=actor)


def _must_speak_ocpi(program: Program, name: str) -> None:
    """Raises: NotFound; Conflict, for a partner of another protocol."""
    if program.hub.registry.get(name).interpreter:
        raise Conflict(f"{name} is a partner of OICP: it has certificates, no tokens (busbar oicp csr)")


async def pull(program: Program, name: str, *, full: bool) -> Tree:
    """Pull its lists now: what changed, or everything. Raises: NotFound, RegistrationState, PeerFault's children.

    Of a hub of OICP where we are an EMP: its EVSEs, their status, and the records of our drivers. Raises: Conflict, for
    other partners of OICP, which push.
    """
    partner = program.hub.registry.get(name)
    if partner.state is not State.CONNECTED:
        raise RegistrationState(f"{name} is not connected")
    if partner.interpreter:
        return await _pull_of_oicp(program, name, whole=full)
    pulled = await program.puller.pull(name, full=full)
    return {"taken": pulled.taken, "unchanged": pulled.unchanged, "refused": pulled.refused}


async def _pull_of_oicp(program: Program, name: str, *, whole: bool) -> Tree:
    oicp = program.oicp
    await program.oicp_door.refresh()
    connection = oicp.connections.get(name)
    if connection.kind != "hub" or not connection.provider_ids or not connection.base_url:
        raise Conflict(f"{name} is no hub of OICP with a base_url where we are an EMP: nothing is pulled there")
    await oicp.evse_pull.pull_data(name, whole=whole)
    taken = await oicp.status_pull.pull(name)
    taken += await oicp.record_pull.reconcile(name)
    return {"taken": taken, "unchanged": 0, "refused": 0}


async def push(program: Program, name: str, *, actor: str) -> Tree:
    """Send it all our tariffs and locations, as they are when their turn comes. Raises: NotFound."""
    program.hub.registry.get(name)
    objects = [(module, key) for module, kind in _PUSHED async for key in _keys(program, kind)]
    await program.lanes.mark(name, objects, audit=Audit(actor, "partner.pushed", name))
    return {"waiting": len(objects)}


async def _keys(program: Program, kind: Kind) -> AsyncIterator[str]:
    after = 0
    while documents := await program.store.select(kind, after_seq=after, limit=_READ):
        after = documents[-1].seq
        for document in documents:
            yield document.key


async def refused(program: Program, name: str) -> list[Tree]:
    """What the partner refused for its content, or cannot be told in its version; oldest first. Raises: NotFound."""
    program.hub.registry.get(name)
    found = await program.store.select(REFUSED, equal={"partner": name}, limit=_MOST_REFUSED)
    return [{"id": document.seq, **parse(document.body, limit=_REFUSED_LIMIT)} for document in found]


async def resend(program: Program, name: str, number: int, *, actor: str) -> Tree:
    """Put a refused object back into the partner's lane. Raises: NotFound."""
    document = await _refused_document(program, name, number)
    audit = Audit(actor, "partner.resent", f"{name}/{document.columns['module']}")
    await program.lanes.resend(name, document.key, audit=audit)
    return {"module": document.columns["module"], "object": document.columns["object"]}


async def _refused_document(program: Program, name: str, number: int) -> Document:
    program.hub.registry.get(name)
    found = await program.store.select(REFUSED, equal={"partner": name}, after_seq=number - 1, limit=1)
    if not found or found[0].seq != number:
        raise NotFound(f"{name} has refused nothing of the number {number}")
    return found[0]
