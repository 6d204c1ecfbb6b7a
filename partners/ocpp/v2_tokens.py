"""Tokens in 2.x: Authorize, and the IdTokenInfo of whatever is answered about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.core import trace
from hub.core.jsontypes import Tree
from modules.tokens.authorize import By, Decision, authorize
from modules.tokens.contract_ids import EMAID
from modules.tokens.prefixes import RFID
from partners.ocpp import answers, contracts, maintenance, reports2
from partners.ocpp.answers import Contract
from partners.ocpp.live import Link
from partners.ocpp.openings import likely_place
from partners.ocpp.rpc import Incoming

if TYPE_CHECKING:
    from partners.ocpp.v2 import Version2

_LONGEST_GROUP = 36


async def authorize_token(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """May this token charge here (C01 to C07)? Begins the journey that a transaction goes on with."""
    payload, live = incoming.payload, link.live
    token = reports2.id_token(payload.get("idToken"))
    if token is None:
        return {"idTokenInfo": id_token_info("NOT_ALLOWED", "")}
    live.begin_journey(token.text, trace.correlation(), v2.hub.clock.monotonic())
    found = None
    if token.is_contract:
        found = await contracts.found_of(payload, token.text, v2.hub.clock.now(), v2.contracts)
    told = {} if found is None else {"certificateStatus": str(found)}
    if found is Contract.REVOKED:
        return {"idTokenInfo": id_token_info("NOT_ALLOWED", ""), **told}
    decision = await _decided(v2, link, token)
    return {"idTokenInfo": id_token_info(decision.allowed, group_of(decision)), **told}


async def _decided(v2: Version2, link: Link, token: reports2.IdToken) -> Decision:
    live, revisions = link.live, v2.cards.revisions()
    kind = EMAID if token.is_contract else RFID
    is_brief = kind == RFID and live.station.is_for_everybody
    known = v2.cards.answer(token.text, live.identity) if is_brief else None
    if known is not None:
        return Decision(known.allowed, By.WHITELIST, {"group_id": known.group_id})
    place = likely_place(link)
    decision = await authorize(v2.hub, token.text, place, at=live.identity, token_type=kind)
    if is_brief:
        v2.cards.learn(token.text, live.identity, decision, revisions)
    return maintenance.decided(live.station, place, decision, ours=v2.hub.settings.party)


def group_of(decision: Decision) -> str:
    """The group of a token, "" for one without."""
    return str((decision.token or {}).get("group_id") or "")


def id_token_info(allowed: str, group_id: str) -> Tree:
    """IdTokenInfoType of an AllowedType."""
    info: Tree = {"status": answers.token_status(allowed)}
    if group_id and len(group_id) <= _LONGEST_GROUP:
        info["groupIdToken"] = {"idToken": group_id, "type": "Central"}
    return info
