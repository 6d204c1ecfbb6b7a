"""May this token charge here? The one decision behind every face: OCPP of any version, OCPI, OICP.

The whitelist says who is asked (mod_tokens, WhitelistType; `valid=false` never cancels the duty to ask):

    what we know of the token      then
    -----------------------------  ------------------------------------------------------------------
    a command brought it here      accepted, nobody is asked (within 15 minutes, mod_commands), unless the token was
                                   made invalid since
    NEVER                          ask; no answer: refused
    ALLOWED_OFFLINE                ask; no answer: accepted if valid
    ALLOWED, valid                 accepted
    ALLOWED, not valid             ask; no answer: refused
    ALWAYS                         valid or not, as it is; never asked
    whatever, of a partner gone    refused: nobody would pay (our own drivers' tokens excepted)
    nothing                        ask the eMSPs that gave us no token list (setting `ask_unknown_tokens`); else refused

Silence is counted after `authorize_timeout_s`. A partner that is blocked or gone is as silent. What an eMSP said is
kept for 15 minutes, so that the start of the transaction which follows finds the token and the authorization reference
without asking again; unless the eMSP has changed the token meanwhile. That start uses it up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from hub.core.answers import is_passing, says_unknown_token
from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS
from hub.core.errors import InvalidRequest, PeerFault, PeerRefused, UnknownLocation
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree
from hub.core.operations import EMSP_LIKE, SENDER
from hub.core.parties import Party
from hub.core.ports import Hub, Place
from hub.core.registry import Partner
from hub.core.units import Delete, Document, Put, Unit
from modules.locations import service as locations
from modules.tokens.aliases import behind, by_alias
from modules.tokens.store import AUTHORIZATIONS, TOKENS, by_uid, find, folded
from modules.tokens.wire import AUTHORIZATION_INFO, LOCATION_REFERENCES, TOKEN

REMEMBERED: Final = timedelta(minutes=15)
RFID: Final = "RFID"
_LIMIT: Final = 64 * 1024
_NOT_THE_DRIVERS: Final = frozenset({401, 403, 405})
"""HTTP statuses that say nothing of the driver, whatever the OCPI code beside them."""


class By(StrEnum):
    """What the decision rests on."""

    COMMAND = "command"
    WHITELIST = "whitelist"
    REAL_TIME = "real_time"
    OFFLINE = "offline"
    """The eMSP gave no answer, and the whitelist says what then."""
    UNKNOWN = "unknown"


AUTH_METHOD: Final = {
    By.COMMAND: "COMMAND",
    By.WHITELIST: "WHITELIST",
    By.REAL_TIME: "AUTH_REQUEST",
    By.OFFLINE: "WHITELIST",
    By.UNKNOWN: "AUTH_REQUEST",
}
"""AuthMethod of the session and the CDR (mod_cdrs)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `allowed` is a value of AllowedType; `token` is in our own form, None when nobody knows it."""

    allowed: str
    by: By
    token: Tree | None = None
    owner: str = ""
    reference: str | None = None
    info: str = ""
    seen: int = 0
    """Which writing of the token on record it rests on; 0 for none."""

    @property
    def accepted(self) -> bool:
        return self.allowed == "ALLOWED"

    @property
    def auth_method(self) -> str:
        return AUTH_METHOD[self.by]


_REFUSED: Final = Decision("NOT_ALLOWED", By.UNKNOWN)


async def authorize(hub: Hub, uid: str, place: Place | None, *, at: str) -> Decision:
    """May the token `uid` charge at `place`? OCPI mod_tokens_real-time_authorization.

    `at` names where the card was shown (a station), and keys what is remembered. Never raises for a partner's fault.
    """
    remembered = await recall(hub, uid, at=at)
    if remembered is not None and remembered.by is By.COMMAND and await _still_rests(hub, uid, remembered):
        return remembered
    known = await _on_record(hub, uid)
    if known is not None:
        return await _by_whitelist(hub, known, uid, place, at)
    return _REFUSED if await by_alias(hub.store, uid) is not None else await _ask_strangers(hub, uid, place, at)


async def for_start(hub: Hub, uid: str, place: Place | None, *, at: str) -> Decision:
    """The decision that a transaction starts on: the one just taken for this card at this station, else a new one.

    A refusal is not held against the driver, and a consent not against an eMSP that has changed the token since.
    """
    remembered = await recall(hub, uid, at=at)
    if remembered is not None and remembered.accepted and await _still_rests(hub, uid, remembered):
        return remembered
    return await authorize(hub, uid, place, at=at)


async def _still_rests(hub: Hub, uid: str, decision: Decision) -> bool:
    """Is the token on record the one that was decided on?

    What a command allowed rests on none (REQ-198), unless its sender has made the token invalid since.
    """
    if decision.by is By.COMMAND and decision.token is not None:
        token = decision.token
        own = await find(hub.store, Party.parse(decision.owner), token["uid"], token["type"])
        return own is None or own.version == decision.seen or bool(parse(own.body, limit=_LIMIT)["valid"])
    known = await _on_record(hub, uid)
    return decision.seen == (known.version if known is not None else 0)


def remember(decision: Decision, uid: str, *, at: str, now: datetime, command: str = "") -> Put:
    """The write that keeps `decision` for the start that follows; a command (its id) puts it into its own unit."""
    expires = timestamp(now + REMEMBERED)
    kept = {"decision": encode(_as_tree(decision)).decode(), "expires": expires, "command": command}
    body = msgspec.json.encode(kept)
    return Put(AUTHORIZATIONS, _key(uid, at), body, last_updated=expires)


async def recall(hub: Hub, uid: str, *, at: str) -> Decision | None:
    """What was decided for this card at this station in the last 15 minutes."""
    document = await hub.store.get(AUTHORIZATIONS, _key(uid, at))
    if document is None or document.last_updated < timestamp(hub.clock.now()):
        return None
    tree = parse(msgspec.json.decode(document.body)["decision"].encode(), limit=_LIMIT)
    return Decision(**{**tree, "by": By(tree["by"])})


async def used_up(hub: Hub, uids: Iterable[str], *, at: str) -> Unit:
    """The unit in which a transaction starts takes this along: what was decided at this station is for one charge."""
    keys = list(dict.fromkeys(_key(uid, at) for uid in uids))
    kept = await hub.store.get_many(AUTHORIZATIONS, keys)
    return Unit([Delete(AUTHORIZATIONS, key) for key in keys if key in kept])


def _as_tree(decision: Decision) -> Tree:
    return {
        "allowed": decision.allowed,
        "by": decision.by.value,
        "token": decision.token,
        "owner": decision.owner,
        "reference": decision.reference,
        "info": decision.info,
        "seen": decision.seen,
    }


def _key(uid: str, at: str) -> str:
    return f"{at}/{folded(uid)}"


async def _on_record(hub: Hub, uid: str) -> Document | None:
    """The token with this uid, or behind this alias; of several the best."""
    known = [each for each in await by_uid(hub.store, uid) if each.audience in ("", hub.settings.party)]
    if known:
        return known[0] if len(known) == 1 else min(known, key=rank)
    return await behind(hub.store, uid)


def rank(document: Document) -> tuple[bool, bool, int]:
    """RFID before others, as it was a card that was shown; valid before not, as cards change hands; then the oldest."""
    return (not document.key.endswith("/RFID"), not parse(document.body, limit=_LIMIT)["valid"], document.seq)


async def _by_whitelist(hub: Hub, document: Document, uid: str, place: Place | None, at: str) -> Decision:
    token = parse(document.body, limit=_LIMIT)
    whitelist, valid = token["whitelist"], token["valid"]
    holder = hub.registry.holder_of(Party.parse(document.owner), EMSP_LIKE)
    if holder is None and document.owner != hub.settings.party:
        return Decision("NOT_ALLOWED", By.OFFLINE, token, document.owner)
    if whitelist == "ALWAYS" or (whitelist == "ALLOWED" and valid):
        return Decision("ALLOWED" if valid else "BLOCKED", By.WHITELIST, token, document.owner)
    asked = await _ask(hub, holder, token["uid"], token["type"], place, token) if holder is not None else None
    if asked is None:
        offline = "ALLOWED" if whitelist == "ALLOWED_OFFLINE" and valid else "NOT_ALLOWED"
        return Decision(offline, By.OFFLINE, token, document.owner)
    owner = asked.owner or document.owner
    decision = replace(asked, token=asked.token or token, owner=owner, seen=document.version)
    await hub.store.commit(Unit().put(remember(decision, uid, at=at, now=hub.clock.now())))
    return decision


async def _ask_strangers(hub: Hub, uid: str, place: Place | None, at: str) -> Decision:
    """Nobody has told us of this token: ask those who tell us of none, all at once, until one of them allows it.

    Where none does, the first answer of one that knows the token counts.
    """
    if hub.settings.ask_unknown_tokens == "none":
        return _REFUSED
    partners = [partner for partner in hub.registry.connected() if await may_be_asked(hub, partner)]
    asks = [asyncio.create_task(_ask(hub, partner, uid, RFID, place)) for partner in partners]
    decision = None
    try:
        for ask in asyncio.as_completed(asks):
            answer = await ask
            if answer is not None and answer.token is not None and (decision is None or answer.accepted):
                decision = answer
            if decision is not None and decision.accepted:
                break
    finally:
        for task in asks:
            task.cancel()
    if decision is None:
        return _REFUSED
    await hub.store.commit(Unit().put(remember(decision, uid, at=at, now=hub.clock.now())))
    return decision


async def may_be_asked(hub: Hub, partner: Partner) -> bool:
    """May an eMSP be asked for a token that nobody told us of? By the setting `ask_unknown_tokens`."""
    if not partner.roles & EMSP_LIKE or partner.endpoint("tokens", "SENDER") is None:
        return False
    if hub.settings.ask_unknown_tokens == "all":
        return True
    lists = [await hub.store.select(TOKENS, equal={"owner": party}, limit=1) for party in partner.parties]
    return not any(lists)


async def _ask(
    hub: Hub, partner: Partner, uid: str, token_type: str, place: Place | None, known: Tree | None = None
) -> Decision | None:
    """Ask one eMSP. None: it gave no usable answer in time."""
    version, deadline_s = partner.version or VERSIONS[-1], hub.settings.authorize_timeout_s
    references = await _references(hub, version, place)
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
        return _of_its_own(partner, _understood(version, answer.data, stand_in, place))
    except PeerRefused as refused:
        of_no_driver = refused.http in _NOT_THE_DRIVERS or is_passing(refused.http, refused.status_code)
        unknown = not of_no_driver and says_unknown_token(refused.http, refused.status_code)
        return Decision("NOT_ALLOWED", By.REAL_TIME) if unknown else None
    except (PeerFault, InvalidRequest, TimeoutError):
        return None


def type_query(version: str, token_type: str) -> dict[str, str]:
    """The token's type as the version names it; RFID needs no word in 2.1.1."""
    written = TOKEN[version].write({"type": token_type})[0]["type"]
    return {} if (version, written) == (VERSIONS[0], RFID) else {"type": written}


def _of_its_own(partner: Partner, decision: Decision) -> Decision:
    """An eMSP answers for its own drivers only: else it could have others billed. Raises: InvalidRequest."""
    if decision.owner not in partner.parties:
        raise InvalidRequest("the authorization names a token of another party")
    return decision


async def _references(hub: Hub, version: str, place: Place | None) -> bytes | None:
    """Where it is, with the location's id as we publish it."""
    if place is None:
        return None
    try:
        location_id = (await locations.get(hub.store, place.location)).columns["id"]
    except UnknownLocation:
        location_id = place.location_id
    tree = {"location_id": location_id, "evse_uids": [place.evse_uid]}
    return encode(LOCATION_REFERENCES[version].write(tree)[0])


def _understood(version: str, data: Json, stand_in: Tree, place: Place | None) -> Decision:
    """AuthorizationInfo in our form. 2.1.1's carries no token: the one we know stands in. Raises: InvalidRequest."""
    tree = AUTHORIZATION_INFO[version].read(data, given={"token": stand_in}).tree()
    token = tree["token"]
    owner = f"{token['country_code']}*{token['party_id']}".upper()
    text = tree.get("info", {}).get("text", "")
    allowed = tree["allowed"] if _covers(tree.get("location"), place) else "NOT_ALLOWED"
    return Decision(allowed, By.REAL_TIME, token, owner, tree.get("authorization_reference"), text)


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
