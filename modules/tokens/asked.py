"""May this token charge there? Asked by another CPO, answered by whose token it is. OCPI mod_tokens, POST authorize.

    what we know of the token          who answers
    ---------------------------------  ---------------------------------------------------------------------------
    it is of our own drivers           we
    ALWAYS                             we, from the list: its eMSP is never asked (mod_tokens, WhitelistType)
    any other on a list                its eMSP; without an answer in time, the list if it is ALLOWED or ALLOWED_OFFLINE
                                       and valid, else the fault; what cannot be read is mostly a no (`refusals`)
    on the lists of several            the same, one eMSP after the other for as long as they say that it is unknown
    on no list                             its probable owner alone, by what we have learned (`probable`); else nobody

OCPI-to names one eMSP, and then nobody else is asked. What an eMSP did not know it is not asked again for a minute.
Only eMSPs whose tokens the asker may have are asked, and each answers for its own drivers only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from hub.core.answers import Answer, is_passing, ok_bytes, says_no_such_token
from hub.core.clock import timestamp
from hub.core.delivery import entitled
from hub.core.dialect import VERSIONS
from hub.core.dispatch import Call
from hub.core.errors import BusbarError, PassedOn, PeerNonsense, PeerTimeout, PeerUnreachable, UnknownToken
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE, SENDER
from hub.core.parties import Party
from hub.core.relay import Errand, Reply, relay
from hub.core.routing import EVERYBODY, Receiver, destination, receiver
from hub.core.units import Document, Unit
from modules.commands.references import remember
from modules.tokens.asking import asked_at, bare, is_about, patience_s, type_query
from modules.tokens.decision import ranked
from modules.tokens.prefixes import RFID
from modules.tokens.probable import can_be_asked, learned, memory, whom_to_ask
from modules.tokens.refusals import ALLOWED, meant_by
from modules.tokens.store import LEARNED, TOKENS, by_uid, folded, type_of
from modules.tokens.wire import AUTHORIZATION_INFO, LOCATION_REFERENCES, TOKEN

_LIMIT: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Question:
    """`place` is a LocationReferences in our form; `type` is "" where the CPO names none."""

    call: Call
    uid: str
    type: str
    place: Tree | None

    @property
    def at(self) -> tuple[str, ...]:
        """What makes two questions the same."""
        place = encode(self.place).decode() if self.place is not None else ""
        return self.call.partner.name, self.call.asker, self.call.to, folded(self.uid), self.type, place


async def answer(question: Question) -> Answer:
    """AuthorizationInfo. Raises: UnknownToken; as `relay` and `destination`."""
    call, owners = question.call, owners_asked(question.call)
    revision = call.hub.store.revision(TOKENS)
    known = await _listed(question, owners)
    if known:
        return await _of_known(question, known, revision)
    said = await memory(call.hub).flights.share(question.at, partial(_on_no_list, question, owners))
    return said[1].answer(call, said[0], AUTHORIZATION_INFO)


def owners_asked(call: Call) -> tuple[str, ...]:
    """The parties whose tokens are asked for and may be had. Raises: as `destination`."""
    goes = destination(call, shared=True, roles=EMSP_LIKE)
    owners = call.hub.agreements.owners(call.partner, "tokens")
    if goes is EVERYBODY:
        return owners
    party = goes.party if isinstance(goes, Receiver) else call.hub.settings.party
    return (party,) if party in owners else ()


async def _listed(question: Question, owners: Sequence[str]) -> list[Document]:
    """The tokens on lists that are meant, of those that the asker may have: one of each eMSP, the best first."""
    found = await by_uid(question.call.hub.store, question.uid)
    partner = question.call.partner
    visible = [d for d in found if d.owner in owners and entitled(partner, audience=d.audience)]
    return ranked(d for d in visible if not question.type or _type_of(d, question.call.version) == question.type)


def _type_of(document: Document, version: str) -> str:
    """The type of a token, as the version names it."""
    named: str = TOKEN[version].write({"type": type_of(document)})[0]["type"]
    return named


async def _of_known(question: Question, listed: Sequence[Document], revision: int) -> Answer:
    """What is said of a card on lists: the next eMSP that has it is asked where one does not know it (REQ-096)."""
    call, unknown = question.call, UnknownToken()
    for document in listed:
        token = parse(document.body, limit=_LIMIT)
        if document.owner == call.hub.settings.party or token["whitelist"] == "ALWAYS":
            said = _from_the_list(question, document.owner, token)
            if document is listed[0]:
                call.reading.ready = partial(_the_same, revision, said)
            return ok_bytes(said)
        try:
            return await _of_its_emsp(question, document, token)
        except UnknownToken as fault:
            unknown = fault
    raise unknown


async def _of_its_emsp(question: Question, document: Document, token: Tree) -> Answer:
    call, has_offline = question.call, token["valid"] and token["whitelist"] in ("ALLOWED", "ALLOWED_OFFLINE")
    goes = receiver(call.hub, call.partner, document.owner, "tokens", EMSP_LIKE, behind=call.asker)
    try:
        reply = await _ask(question, goes, token)
    except (PeerTimeout, PeerUnreachable, PassedOn) as fault:
        gave_none = not isinstance(fault, PassedOn) or is_passing(fault.http, fault.status_code)
        if not (gave_none and has_offline):
            raise
        return ok_bytes(_from_the_list(question, document.owner, token))
    except PeerNonsense as fault:
        meant = meant_by(fault, goes.partner.name, token)
        if meant is None and not has_offline:
            raise
        info = {**(meant or {"allowed": ALLOWED}), "token": token}
        await _note_reference(question, info)
        return ok_bytes(_said(question, document.owner, info))
    await _note_reference(question, reply.tree)
    return reply.answer(call, goes, AUTHORIZATION_INFO)


def _from_the_list(question: Question, owner: str, token: Tree) -> bytes:
    return _said(question, owner, {"allowed": ALLOWED if token["valid"] else "BLOCKED", "token": token})


def _said(question: Question, owner: str, info: Tree) -> bytes:
    if question.place is not None:
        info = {**info, "location": question.place}
    question.call.answered_by(owner)
    return encode(question.call.written(AUTHORIZATION_INFO, info))


def _the_same(revision: int, body: bytes, call: Call) -> Answer | None:
    """What was said from the list, as long as no token was written."""
    return ok_bytes(body) if call.hub.store.revision(TOKENS) == revision else None


async def _on_no_list(question: Question, owners: Sequence[str]) -> tuple[Receiver, Reply]:
    """Whom we ask for a token on no list, and what is said. Raises: as `_first`."""
    said = await _first(question, await _asked_for(question, owners))
    await _learn(question, said[1])
    await _note_reference(question, said[1].tree)
    return said


async def _asked_for(question: Question, owners: Sequence[str]) -> list[Receiver]:
    """Whom to ask for a token on no list. Raises: as `receiver`, for who is named."""
    call = question.call
    if call.to and call.to not in call.hub.settings.own_parties:
        return [receiver(call.hub, call.partner, call.to, "tokens", EMSP_LIKE, behind=call.asker)]
    return await whom_to_ask(call.hub, question.uid, question.type, list(_candidates(call, owners)))


def _candidates(call: Call, owners: Sequence[str]) -> Iterator[Receiver]:
    """Each eMSP that the asker may reach."""
    for owner in owners:
        if owner == call.hub.settings.party:
            continue
        holder = call.hub.registry.holder_of(Party.parse(owner), EMSP_LIKE, behind=call.asker)
        if holder is None or not can_be_asked(holder):
            continue
        if call.hub.agreements.reach(call.partner, owner, "tokens").allowed:
            yield Receiver(holder, owner)


async def _first(question: Question, receivers: Sequence[Receiver]) -> tuple[Receiver, Reply]:
    """Who allows it first; else who knows it. Raises: UnknownToken; PeerFault's children, where nobody could say."""
    asks = [asyncio.create_task(_tried(question, each)) for each in receivers]
    replies: list[tuple[Receiver, Reply]] = []
    faults: list[BusbarError] = []
    try:
        for ask in asyncio.as_completed(asks):
            said = await ask
            if isinstance(said, BusbarError):
                faults.append(said)
                continue
            if _allows(said[1]):
                return said
            replies.append(said)
    finally:
        for task in asks:
            task.cancel()
    if replies:
        return replies[0]
    silent = [fault for fault in faults if not isinstance(fault, UnknownToken)]
    if len(faults) == 1 or len(silent) == len(faults) > 0:
        raise faults[0]
    raise UnknownToken


async def _tried(question: Question, goes: Receiver) -> tuple[Receiver, Reply] | BusbarError:
    """What one eMSP says; what it did not know a moment ago it is not asked again."""
    hub, token_type = question.call.hub, question.type or RFID
    unknown, at = memory(hub).unknown, asked_at(goes.partner, question.uid, token_type)
    if unknown.holds(hub.clock, at):
        return UnknownToken()
    try:
        return goes, await _ask(
            question, goes, bare(goes.partner, question.uid, token_type, timestamp(hub.clock.now()))
        )
    except BusbarError as fault:
        if isinstance(fault, UnknownToken):
            unknown.note(hub.clock, at)
        return fault


async def _ask(question: Question, goes: Receiver, token: Tree) -> Reply:
    """Ask one eMSP; `token` stands in where its version names none. Raises: UnknownToken, PeerFault's children."""
    call = question.call
    errand = Errand(
        method="POST",
        module="tokens",
        side=SENDER,
        path=(token["uid"], "authorize"),
        query=type_query(goes.partner.version or VERSIONS[-1], token["type"]),
        body=question.place,
        raw=call.raw or None,
        wires=LOCATION_REFERENCES,
        answers=AUTHORIZATION_INFO,
        given={"token": token},
        deadline_s=patience_s(call.hub, goes.partner),
    )
    try:
        reply = await relay(call, goes, errand)
    except PassedOn as fault:
        has_2004 = goes.partner.version != VERSIONS[0]
        is_unknown = says_no_such_token(fault.http, fault.status_code, has_2004=has_2004)
        raise _unknown_to(goes.party) if is_unknown else fault from None
    why = _unusable(call, goes, reply, token)
    if why:
        raise PeerNonsense(why, answered=True, said=reply.theirs)
    return reply


def _unusable(call: Call, goes: Receiver, reply: Reply, token: Tree) -> str:
    """Why the answer is none; "" where it is one."""
    if reply.tree is None:
        return "the receiver's answer has no data: it says neither yes nor no"
    named = reply.tree["token"]
    partner = call.hub.registry.find(goes.partner.name) or goes.partner
    if _party(named) not in partner.parties:  # as it is now, see `asking`
        return "the authorization names a token of another party"
    if not is_about(named, token["uid"]):
        return "the authorization is about another token than was asked for"
    return ""


def _unknown_to(party: str) -> UnknownToken:
    fault = UnknownToken()
    fault.by = party
    return fault


def _allows(reply: Reply) -> bool:
    return reply.tree is not None and reply.tree["allowed"] == ALLOWED


async def _learn(question: Question, reply: Reply) -> None:
    """A refusal teaches nothing."""
    if reply.tree is None or not _allows(reply):
        return
    put = learned(reply.tree["token"])
    store = question.call.hub.store
    known = await store.get(LEARNED, put.key)
    if known is None or known.columns["contract"] != put.columns[1]:
        await store.commit(Unit().put(put))


async def _note_reference(question: Question, info: Tree | None) -> None:
    """What the asker's version has no field for: the charge that follows has it from us (REQ-147)."""
    call = question.call
    if call.version != VERSIONS[0] or info is None or info["allowed"] != ALLOWED:
        return
    reference = info.get("authorization_reference")
    if reference is not None:
        at = (question.place or {}).get("evse_uids") or ()
        contract_id = info["token"]["contract_id"]
        await call.hub.store.commit(Unit().put(remember(call.hub, call.asker, contract_id, reference, evse_uids=at)))


def _party(token: Mapping[str, Any]) -> str:
    return str(Party.of(token["country_code"], token["party_id"]))
