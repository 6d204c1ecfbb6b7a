"""One eMSP is asked whether a driver may charge. OCPI mod_tokens_real-time_authorization.

An answer is usable when it is about a driver of the one who gives it; that a token is unknown is one too. What is said
and is not usable is mostly a no (`refusals`). Anything else is silence, and counts as that.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hub.core.answers import is_passing, says_no_such_token, says_unknown_token
from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS, Loss
from hub.core.errors import InvalidRequest, PeerFault, PeerNonsense, PeerRefused, UnknownLocation
from hub.core.inbound import encode
from hub.core.jsontypes import Json, Tree
from hub.core.losses import pointers
from hub.core.operations import EMSP_LIKE, SENDER
from hub.core.parties import PartyRole
from hub.core.ports import Hub, Place
from hub.core.registry import Partner
from modules.locations import service as locations
from modules.tokens.decision import By, Decision
from modules.tokens.prefixes import RFID
from modules.tokens.probable import memory
from modules.tokens.refusals import ALLOWED, is_no_answer_of_ocpi, meant_by
from modules.tokens.store import folded
from modules.tokens.wire import AUTHORIZATION_INFO, LOCATION_REFERENCES, TOKEN

_NOT_THE_DRIVERS: Final = frozenset({401, 403, 405})
"""HTTP statuses that say nothing of the driver, whatever the OCPI code beside them."""


async def ask_emsp(
    hub: Hub, partner: Partner, uid: str, token_type: str, place: Place | None, known: Tree | None = None
) -> Decision | None:
    """Ask one eMSP. None: it gave no usable answer in time.

    Without `known` it is a token on no list: what the eMSP did not know of these it is not asked again for a minute.
    """
    version, deadline_s = partner.version or VERSIONS[-1], patience_s(hub, partner)
    unknown, at = memory(hub).unknown, asked_at(partner, uid, token_type)
    if known is None and unknown.holds(hub.clock, at):
        return Decision("NOT_ALLOWED", By.REAL_TIME)
    references = await _references(hub, partner, place)
    try:
        async with asyncio.timeout(deadline_s):
            answer = await hub.peers.send(
                partner,
                "POST",
                "tokens",
                SENDER,
                (uid, "authorize"),
                body=references,
                query=type_query(version, token_type),
                deadline_s=deadline_s,
            )
        stand_in = known or bare(partner, uid, token_type, timestamp(hub.clock.now()))
        try:
            decision = _understood(hub, partner, answer.data, stand_in, place)
            return _of_its_own(hub.registry.find(partner.name) or partner, uid, decision)
        except InvalidRequest as fault:
            return _not_usable(partner, PeerNonsense(fault.message, answered=True, said=answer.data), known)
    except PeerRefused as refused:
        if is_no_answer_of_ocpi(refused):
            return _not_usable(partner, PeerNonsense(refused.message, answered=True), known)
        if not _is_of_the_driver(refused):
            return None
        is_unknown = _says_no_such(refused, version)
        if known is None and is_unknown:
            unknown.note(hub.clock, at)
        return Decision("NOT_ALLOWED", By.REAL_TIME, is_unknown=is_unknown)
    except PeerNonsense as fault:
        return _not_usable(partner, fault, known)
    except (PeerFault, InvalidRequest, TimeoutError):
        return None


def _not_usable(partner: Partner, fault: PeerNonsense, known: Tree | None) -> Decision | None:
    """What an answer that is not as OCPI writes it comes to; None: it is as none."""
    meant = meant_by(fault, partner.name, known)
    if meant is None:
        return None
    if known is None or meant["allowed"] != ALLOWED:
        return Decision(meant["allowed"], By.REAL_TIME)
    return Decision(ALLOWED, By.REAL_TIME, known, _owner_of(known), meant.get("authorization_reference"))


def patience_s(hub: Hub, partner: Partner) -> float:
    """How long it has for its answer. Another hub asks eMSPs itself, and waits for the slowest of them."""
    settings = hub.settings
    return settings.authorize_hub_timeout_s if PartyRole.HUB in partner.roles else settings.authorize_timeout_s


def asked_at(partner: Partner, uid: str, token_type: str) -> tuple[str, ...]:
    """What an eMSP does not know: under this it is remembered."""
    return partner.name, folded(uid), token_type


def _is_of_the_driver(refused: PeerRefused) -> bool:
    """Is it about the token, and no trouble of the eMSP?"""
    of_no_driver = refused.http in _NOT_THE_DRIVERS or is_passing(refused.http, refused.status_code)
    return not of_no_driver and says_unknown_token(refused.http, refused.status_code)


def _says_no_such(refused: PeerRefused, version: str) -> bool:
    return says_no_such_token(refused.http, refused.status_code or 0, has_2004=version != VERSIONS[0])


def type_query(version: str, token_type: str) -> dict[str, str]:
    """The token's type as the version names it; RFID needs no word in 2.1.1."""
    written = TOKEN[version].write({"type": token_type})[0]["type"]
    return {} if (version, written) == (VERSIONS[0], RFID) else {"type": written}


def is_about(token: Tree, uid: str) -> bool:
    """Is it the token that was asked for, by its uid or by its contract id?"""
    return folded(uid) in (folded(token["uid"]), folded(token["contract_id"]))


def _of_its_own(partner: Partner, uid: str, decision: Decision) -> Decision:
    """An eMSP answers for its own drivers only, and for the one that was asked for: else it could have others billed.

    `partner` as it is now: behind a roaming network that answers in its own protocol an eMSP may have come to light.
    Raises: InvalidRequest.
    """
    if decision.owner not in partner.parties:
        raise InvalidRequest("the authorization names a token of another party")
    if decision.token is not None and not is_about(decision.token, uid):
        raise InvalidRequest("the authorization is about another token than was asked for")
    return decision


async def _references(hub: Hub, partner: Partner, place: Place | None) -> bytes | None:
    """Where it is, with the location's id as we publish it."""
    if place is None:
        return None
    try:
        location_id = (await locations.get(hub.store, place.location)).columns["id"]
    except UnknownLocation:
        location_id = place.location_id
    tree = {"location_id": location_id, "evse_uids": [place.evse_uid]}
    written, losses = LOCATION_REFERENCES[partner.version or VERSIONS[-1]].write(tree)
    hub.losses.note(partner.name, "out", "tokens", pointers(losses))
    return encode(written)


def _understood(hub: Hub, partner: Partner, data: Json, stand_in: Tree, place: Place | None) -> Decision:
    """AuthorizationInfo in our form. 2.1.1's carries no token: the one we know stands in. Raises: InvalidRequest."""
    lost: list[Loss] = []
    wire = AUTHORIZATION_INFO[partner.version or VERSIONS[-1]]
    tree = wire.read(data, given={"token": stand_in}, losses=lost).tree()
    hub.losses.note(partner.name, "in", "tokens", pointers(lost))
    token = tree["token"]
    text = tree.get("info", {}).get("text", "")
    allowed = tree["allowed"] if _covers(tree.get("location"), place) else "NOT_ALLOWED"
    return Decision(allowed, By.REAL_TIME, token, _owner_of(token), tree.get("authorization_reference"), text)


def _owner_of(token: Tree) -> str:
    return f"{token['country_code']}*{token['party_id']}".upper()


def _covers(location: Tree | None, place: Place | None) -> bool:
    """Is `place` among the EVSEs that the eMSP allows? Where it names none, all are (REQ-186)."""
    allowed = (location or {}).get("evse_uids")
    return place is None or not allowed or place.evse_uid.upper() in (uid.upper() for uid in allowed)


def bare(partner: Partner, uid: str, token_type: str, now: str) -> Tree:
    """The least token there can be, for an eMSP of 2.1.1 that accepted a uid and told us nothing more of it."""
    party = next(claim.party for claim in partner.claims if claim.role in EMSP_LIKE)
    return {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "uid": uid,
        "type": token_type,
        "contract_id": uid,
        "issuer": partner.name,
        "valid": True,
        "whitelist": "NEVER",
        "last_updated": now,
    }
