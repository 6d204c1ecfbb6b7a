"""What may happen to tokens, whoever asks. OCPI mod_tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec import structs

from hub.core import addressed, trace
from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS
from hub.core.errors import CommandForForeignToken, Conflict, InvalidRequest, UnknownToken
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree
from hub.core.operations import EMSP_LIKE
from hub.core.overtaken import Told, check_not_overtaken
from hub.core.parties import Party
from hub.core.recency import is_outdated
from hub.core.registry import Partner
from hub.core.store import Store
from hub.core.units import ABSENT, Audit, Change, Document, Put, Unit, is_newer
from modules.tokens import store as tokens
from modules.tokens.model import Token
from modules.tokens.namesakes import look_for_others
from modules.tokens.wire import TOKEN

_LIMIT = 64 * 1024
_ATTEMPTS = 5
_USUAL_TYPE = "RFID"
_EMAID = "EMAID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """For whom a token is, and how it came."""

    audience: str = ""
    """The only CPO that may have it; "": all that are entitled."""
    is_there: bool = False
    """That CPO took it already, from point to point: no lane brings it."""
    told: Told | None = None
    """It was on its owner's list: what was told since we asked for that. Such a list holds what is addressed to single
    CPOs as well: that is not for all."""


FOR_ALL: Final = Aim()


async def get(store: Store, owner: Party, uid: str, token_type: str, audience: str = "") -> Document:
    """One token. Without a type the RFID one is meant, else the only one of that uid. Raises: UnknownToken."""
    document = await tokens.find(store, owner, uid, token_type or _USUAL_TYPE, audience)
    if document is not None:
        return document
    named = [] if token_type else await tokens.by_uid(store, uid)
    same = [each for each in named if (each.owner, each.audience) == (str(owner), audience)]
    if len(same) != 1:
        raise UnknownToken
    return same[0]


async def can_be_told(store: Store, owner: Party, uid: str, token_type: str, *, version: str) -> bool:
    """May a partner of `version` be told of this token? See `told_among`."""
    key = tokens.key_of(owner, uid, token_type)
    return key in await told_among(store, [key], version=version)


async def told_among(store: Store, keys: Sequence[str], *, version: str) -> frozenset[str]:
    """Those of the tokens with these keys of which a partner of `version` may be told.

    Not an EMAID, which is to be authorized with its issuer, where it would be taken for something else; nor, in 2.1.1,
    whose URL has no type, a second token beside an RFID card of the same uid.
    """
    if version == VERSIONS[-1]:
        return frozenset(keys)
    told = [key for key in keys if tokens.type_in(key) != _EMAID]
    if version != VERSIONS[0]:
        return frozenset(told)
    cards = {key: _card_beside(key) for key in told if tokens.type_in(key) != _USUAL_TYPE}
    here = await store.versions(tokens.TOKENS, list(set(cards.values()))) if cards else {}
    return frozenset(key for key in told if cards.get(key) not in here)


def _card_beside(key: str) -> str:
    """Where the RFID card of the same owner and uid is kept, which everybody may have."""
    uid = key.partition("/")[2].rpartition("/")[0]
    return tokens.key_of(Party.parse(addressed.owner_in(key)), uid, _USUAL_TYPE)


async def find(store: Store, owner: Party, uid: str, token_type: str) -> Document | None:
    """The token of this very type, if it is on the list."""
    return await tokens.find(store, owner, uid, token_type)


async def listed(store: Store, uid: str) -> list[Document]:
    """All tokens with this uid, of whatever owner and type."""
    return await tokens.by_uid(store, uid)


async def owner_claimed(store: Store, partner: Partner, country_code: str, party_id: str, uid: str) -> Party:
    """Whose driver it is, by the partner's word: a uid that only others have on our list is the card of one of theirs.

    Raises: CommandForForeignToken, when the partner does not speak for that party.
    """
    try:
        owner = Party.of(country_code, party_id)
    except InvalidRequest as fault:
        raise CommandForForeignToken from fault
    if not partner.speaks_for(owner, EMSP_LIKE):
        raise CommandForForeignToken
    owners = {known.owner for known in await tokens.by_uid(store, uid)}
    if owners and str(owner) not in owners:
        raise CommandForForeignToken
    return owner


async def put(
    store: Store,
    owner: Party,
    uid: str,
    token: Token,
    *,
    now: datetime,
    aim: Aim = FOR_ALL,
    audit: Audit | None = None,
) -> bool:
    """Keep a token that its eMSP pushed, or has on its list. An older copy changes nothing.

    `audit` is written with the change, if there is one.
    Returns: True if it was not known before.
    Raises: InvalidRequest, when the URL names another token; Overtaken, where it is from a list.
    """
    check(owner, uid, token)
    new = tokens.put_of(owner, token, token.json_bytes(), audience=aim.audience)
    version = await _put_newer(store, new, aim, audit) if aim.told is None else 0
    if version:
        if version == 1:
            look_for_others(store, new)
        return version == 1
    for _ in range(_ATTEMPTS):
        namesakes = await tokens.by_uid(store, uid)
        known = next((each for each in namesakes if each.key == new.key), None)
        if known is not None and (is_outdated(new.last_updated, known, now) or _is_same(known, new)):
            return False
        if aim.told is not None and known is None and any(_is_by_name(each, owner, token) for each in namesakes):
            return False
        if aim.told is not None and known is not None:
            await check_not_overtaken(aim.told, new.key, new.last_updated, known)
        try:
            unit = _unit(structs.replace(new, expect=known.version if known else ABSENT), aim)
            await store.commit(unit.audited(audit))
        except Conflict:
            continue
        if known is None:
            look_for_others(store, new)
        return known is None
    raise Conflict


async def _put_newer(store: Store, new: Put, aim: Aim, audit: Audit | None) -> int:
    """What is plainly newer than what is on record is written without reading that first.

    Returns: its version, 1 for a new one; 0 where nothing was written, and what is on record has to be looked at.
    """
    try:
        versions = await store.commit(_unit(structs.replace(new, over=is_newer), aim).audited(audit))
    except Conflict:
        return 0
    return versions[0]


def check(owner: Party, uid: str, token: Token) -> None:
    """Is it the token that its URL names? Raises: InvalidRequest."""
    same = token.uid == uid or tokens.folded(token.uid) == tokens.folded(uid)
    if not same or Party.of(token.country_code, token.party_id) != owner:
        raise InvalidRequest("the URL and the object name different tokens")


def check_part(part: Tree, arrived: str) -> None:
    """Raises: InvalidRequest."""
    if "last_updated" not in part and not arrived:
        raise InvalidRequest("a PATCH carries last_updated")


async def patch(
    store: Store,
    owner: Party,
    uid: str,
    token_type: str,
    part: Tree,
    *,
    now: datetime,
    aim: Aim = FOR_ALL,
    arrived: str = "",
) -> None:
    """Change a part of a token; `arrived` stands in for a time that is not told.

    Raises: UnknownToken (the eMSP is then to PUT it), InvalidRequest.
    """
    check_part(part, arrived)
    for _ in range(_ATTEMPTS):
        known = await get(store, owner, uid, token_type, aim.audience)
        counts = await _counting(store, known)
        merged = TOKEN[VERSIONS[-1]].read(_merged(parse(counts.body, limit=_LIMIT), part))
        if is_outdated(timestamp(merged.last_updated), counts, now):
            return
        key = tokens.key_of(owner, merged.uid, merged.type, aim.audience)
        if Party.of(merged.country_code, merged.party_id) != owner or key != known.key:
            raise InvalidRequest("a token keeps its party, uid and type")
        body = encode(merged.tree())
        if body == known.body:
            return
        put = tokens.put_of(owner, merged, body, audience=known.audience, expect=known.version, arrived=arrived)
        try:
            await store.commit(_unit(put, aim))
        except Conflict:
            continue
        return
    raise Conflict


async def _counting(store: Store, known: Document) -> Document:
    """What the CPO has that `known` was addressed to: the copy for everybody, where that is newer."""
    (key,) = addressed.copies_of(known.key, addressed.FOR_ALL)
    shared = await store.get(tokens.TOKENS, key) if known.audience else None
    return known if shared is None else addressed.newest((known, shared)) or known


def _merged(tree: Tree, part: Tree) -> Tree:
    """Top-level replacement; null removes (REQ-023)."""
    merged: dict[str, Json] = {**tree, **part}
    return {name: value for name, value in merged.items() if value is not None}


def _is_by_name(known: Document, owner: Party, token: Token) -> bool:
    """Is it that token of its owner, addressed to one CPO?"""
    return bool(known.audience) and (known.owner, tokens.type_of(known)) == (str(owner), token.type)


def _is_same(known: Document, new: Put) -> bool:
    return (known.body, known.audience) == (new.body, new.audience)


def _unit(put: Put, aim: Aim) -> Unit:
    unit = Unit().put(put)
    if aim.is_there:
        return unit
    return unit.tells(Change("tokens", put.key, put.owner, put.audience, correlation_id=trace.correlation()))
