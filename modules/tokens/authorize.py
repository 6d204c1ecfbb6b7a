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
    on the lists of several        the best decides; an eMSP that is asked and does not know it leaves it to the next
    whatever, of a partner gone    refused: nobody would pay (our own drivers' tokens excepted)
    nothing                        ask its probable owner, by what we have learned (`probable`); else refused

Silence is counted after `authorize_timeout_s`, of another hub after `authorize_hub_timeout_s`: chargers give up after
about 30 s, and have their answer by then. A partner that is blocked or gone is as silent; one whose answer cannot be
read is not (`refusals`). What an eMSP said is kept for 15 minutes, so that the start of the transaction which follows
finds the token and the authorization reference without asking again; unless the eMSP has changed the token meanwhile.
That start uses it up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from hub.core.addressed import each_once
from hub.core.inbound import parse
from hub.core.operations import EMSP_LIKE
from hub.core.parties import Party
from hub.core.ports import Hub, Place
from hub.core.routing import Receiver
from hub.core.units import Document, Unit
from modules.tokens.aliases import behind, by_alias
from modules.tokens.asking import ask_emsp
from modules.tokens.contract_ids import EMAID, spellings
from modules.tokens.decision import REMEMBERED, By, Decision, ranked, recall, remember, used_up
from modules.tokens.prefixes import RFID
from modules.tokens.probable import can_be_asked, learned, memory, whom_to_ask
from modules.tokens.store import by_contract, by_uid, find, folded

__all__ = ["REMEMBERED", "By", "Decision", "authorize", "for_start", "recall", "remember", "used_up"]

_LIMIT: Final = 64 * 1024

_REFUSED: Final = Decision("NOT_ALLOWED", By.UNKNOWN)


async def authorize(hub: Hub, uid: str, place: Place | None, *, at: str, token_type: str = RFID) -> Decision:
    """May the token `uid` charge at `place`? OCPI mod_tokens_real-time_authorization.

    `at` names where the card was shown (a station), and keys what is remembered. Of `token_type` EMAID the `uid` is the
    id of a contract, and any token of that contract will do. Never raises for a partner's fault.
    """
    remembered = await recall(hub, uid, at=at)
    if remembered is not None and remembered.by is By.COMMAND and await _still_rests(hub, uid, remembered):
        return remembered
    known = await _on_record(hub, uid, token_type)
    if known:
        return await _of_known(hub, known, uid, place, at)
    if await by_alias(hub.store, uid) is not None:
        return _REFUSED
    where = (place.location, place.evse_uid) if place is not None else ()
    ask = partial(_ask_the_probable, hub, uid, token_type, place, at)
    return await memory(hub).flights.share((at, folded(uid), *where), ask)


async def for_start(hub: Hub, uid: str, place: Place | None, *, at: str, token_type: str = RFID) -> Decision:
    """The decision that a transaction starts on: the one just taken for this card at this station, else a new one.

    A refusal is not held against the driver, and a consent not against an eMSP that has changed the token since.
    """
    remembered = await recall(hub, uid, at=at)
    is_usable = remembered is not None and remembered.accepted
    if remembered is not None and is_usable and await _still_rests(hub, uid, remembered, token_type):
        return remembered
    return await authorize(hub, uid, place, at=at, token_type=token_type)


async def _still_rests(hub: Hub, uid: str, decision: Decision, token_type: str = RFID) -> bool:
    """Is the token on record the one that was decided on?

    What a command allowed rests on none (REQ-198), unless its sender has made the token invalid since.
    """
    if decision.by is By.COMMAND and decision.token is not None:
        token = decision.token
        own = await find(hub.store, Party.parse(decision.owner), token["uid"], token["type"])
        return own is None or own.version == decision.seen or bool(parse(own.body, limit=_LIMIT)["valid"])
    known = await _on_record(hub, uid, token_type)
    decided_by = next((each for each in known if each.owner == decision.owner), known[0] if known else None)
    return decision.seen == (decided_by.version if decided_by is not None else 0)


async def _on_record(hub: Hub, uid: str, token_type: str) -> list[Document]:
    """The tokens with this uid, or behind this alias, or of this contract: one of each owner, the best first."""
    known = each_once(each for each in await by_uid(hub.store, uid) if each.audience in ("", hub.settings.party))
    if token_type == EMAID and not known:
        several = [await by_contract(hub.store, contract_id) for contract_id in spellings(uid)]
        known = each_once(each for found in several for each in found if each.audience in ("", hub.settings.party))
    if known:
        return ranked(known)
    aliased = await behind(hub.store, uid)
    return [aliased] if aliased is not None else []


async def _of_known(hub: Hub, listed: Sequence[Document], uid: str, place: Place | None, at: str) -> Decision:
    """What the first says that knows the card (REQ-096)."""
    decision = _REFUSED
    for document in listed:
        decision = await _by_whitelist(hub, document, uid, place, at)
        if not decision.is_unknown:
            break
    return decision


async def _by_whitelist(hub: Hub, document: Document, uid: str, place: Place | None, at: str) -> Decision:
    token = parse(document.body, limit=_LIMIT)
    whitelist, valid = token["whitelist"], token["valid"]
    holder = hub.registry.holder_of(Party.parse(document.owner), EMSP_LIKE, behind=hub.settings.party)
    if holder is None and document.owner != hub.settings.party:
        return Decision("NOT_ALLOWED", By.OFFLINE, token, document.owner)
    if whitelist == "ALWAYS" or (whitelist == "ALLOWED" and valid):
        return Decision("ALLOWED" if valid else "BLOCKED", By.WHITELIST, token, document.owner)
    asked = await ask_emsp(hub, holder, token["uid"], token["type"], place, token) if holder is not None else None
    if asked is None:
        offline = "ALLOWED" if whitelist == "ALLOWED_OFFLINE" and valid else "NOT_ALLOWED"
        return Decision(offline, By.OFFLINE, token, document.owner)
    owner = asked.owner or document.owner
    decision = replace(asked, token=asked.token or token, owner=owner, seen=document.version)
    await hub.store.commit(Unit().put(remember(decision, uid, at=at, now=hub.clock.now())))
    return decision


async def _ask_the_probable(hub: Hub, uid: str, token_type: str, place: Place | None, at: str) -> Decision:
    """Nobody has told us of this token: ask its probable owner; or several at once, where the setting says so.

    The first that allows it counts. Where none does, the first answer of one that knows the token counts.
    """
    candidates = [
        Receiver(partner, str(claim.party))
        for partner in hub.registry.connected()
        if can_be_asked(partner) and partner.stands_for(hub.settings.party)
        for claim in partner.claims
        if claim.role in EMSP_LIKE
    ]
    receivers = await whom_to_ask(hub, uid, token_type, candidates)
    asks = [asyncio.create_task(ask_emsp(hub, each.partner, uid, token_type, place)) for each in receivers]
    decision = await _first_to_allow(asks)
    if decision is None or decision.token is None:
        return _REFUSED
    unit = Unit().put(remember(decision, uid, at=at, now=hub.clock.now()))
    if decision.accepted:
        unit.put(learned(decision.token))
    await hub.store.commit(unit)
    return decision


async def _first_to_allow(asks: Sequence[asyncio.Task[Decision | None]]) -> Decision | None:
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
    return decision
