"""What may happen to tokens, whoever asks. OCPI mod_tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from msgspec import structs

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS
from hub.core.errors import CommandForForeignToken, Conflict, InvalidRequest, UnknownToken
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree
from hub.core.operations import EMSP_LIKE
from hub.core.parties import Party
from hub.core.recency import is_outdated
from hub.core.registry import Partner
from hub.core.store import Store
from hub.core.units import ABSENT, Audit, Change, Document, Put, Unit
from modules.tokens import store as tokens
from modules.tokens.model import Token
from modules.tokens.wire import TOKEN

log = structlog.get_logger()

_LIMIT = 64 * 1024
_ATTEMPTS = 5
_USUAL_TYPE = "RFID"


async def get(store: Store, owner: Party, uid: str, token_type: str) -> Document:
    """One token. Without a type the RFID one is meant, else the only one of that uid. Raises: UnknownToken."""
    document = await tokens.find(store, owner, uid, token_type or _USUAL_TYPE)
    if document is not None:
        return document
    same = [] if token_type else [each for each in await tokens.by_uid(store, uid) if each.owner == str(owner)]
    if len(same) != 1:
        raise UnknownToken
    return same[0]


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
    audience: str = "",
    audit: Audit | None = None,
) -> bool:
    """Keep a token that its eMSP pushed; `audience` is the only CPO that may have it. An older copy changes nothing.

    `audit` is written with the change, if there is one.
    Returns: True if it was not known before. Raises: InvalidRequest, when the URL names another token.
    """
    same = token.uid == uid or tokens.folded(token.uid) == tokens.folded(uid)
    if not same or Party.of(token.country_code, token.party_id) != owner:
        raise InvalidRequest("the URL and the object name different tokens")
    new = tokens.put_of(owner, token, token.json_bytes(), audience=audience)
    for _ in range(_ATTEMPTS):
        namesakes = await tokens.by_uid(store, uid)
        known = next((each for each in namesakes if each.key == new.key), None)
        if known is not None and (is_outdated(new.last_updated, known, now) or _is_same(known, new)):
            return False
        try:
            unit = _unit(structs.replace(new, expect=known.version if known else ABSENT))
            await store.commit(unit.audited(audit))
        except Conflict:
            continue
        if not any(each.owner == new.owner for each in namesakes):  # of another type of the same uid it was said before
            _warn_of_others(new.owner, uid, namesakes)
        return known is None
    raise Conflict


async def patch(
    store: Store, owner: Party, uid: str, token_type: str, part: Tree, *, now: datetime, arrived: str = ""
) -> None:
    """Change a part of a token; `arrived` stands in for a time that is not told.

    Raises: UnknownToken (the eMSP is then to PUT it), InvalidRequest.
    """
    if "last_updated" not in part and not arrived:
        raise InvalidRequest("a PATCH carries last_updated")
    for _ in range(_ATTEMPTS):
        known = await get(store, owner, uid, token_type)
        merged = TOKEN[VERSIONS[-1]].read(_merged(parse(known.body, limit=_LIMIT), part))
        if is_outdated(timestamp(merged.last_updated), known, now):
            return
        key = tokens.key_of(owner, merged.uid, merged.type)
        if Party.of(merged.country_code, merged.party_id) != owner or key != known.key:
            raise InvalidRequest("a token keeps its party, uid and type")
        body = encode(merged.tree())
        if body == known.body:
            return
        put = tokens.put_of(owner, merged, body, audience=known.audience, expect=known.version, arrived=arrived)
        try:
            await store.commit(_unit(put))
        except Conflict:
            continue
        return
    raise Conflict


def _warn_of_others(owner: str, uid: str, namesakes: Sequence[Document]) -> None:
    """Two partners have given out the same card: both are kept, and an operator should know whose taps it decides."""
    if namesakes:
        others = sorted({each.owner for each in namesakes})
        log.warning("card uid of two partners", uid=tokens.folded(uid), owner=owner, others=others)


def _merged(tree: Tree, part: Tree) -> Tree:
    """Top-level replacement; null removes (REQ-023)."""
    merged: dict[str, Json] = {**tree, **part}
    return {name: value for name, value in merged.items() if value is not None}


def _is_same(known: Document, new: Put) -> bool:
    return (known.body, known.audience) == (new.body, new.audience)


def _unit(put: Put) -> Unit:
    return Unit().put(put).tells(Change("tokens", put.key, put.owner, put.audience, correlation_id=trace.correlation()))
