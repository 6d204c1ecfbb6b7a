"""Tokens: eMSPs push theirs, CPO platforms pull those they may have, and ask about one. OCPI mod_tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from hub.core import point_to_point
from hub.core.answers import Answer, ok, ok_bytes
from hub.core.dialect import VERSIONS
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.operations import CPO_LIKE, EMSP_LIKE, RECEIVER, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.parties import Party
from hub.core.request import NO_QUERY
from hub.core.routing import OURS, Destination, Receiver, audience_of, destination
from modules.tokens import asked, service
from modules.tokens.listing import ToldTokens
from modules.tokens.model import LocationReferences, Token
from modules.tokens.service import Aim
from modules.tokens.store import TOKENS
from modules.tokens.wire import AUTHORIZATION_INFO, LOCATION_REFERENCES, TOKEN

operations = Operations("tokens", callers=EMSP_LIKE)
rendition = ToldTokens(TOKEN)
_listing = Listing(TOKENS, rendition)

_USUAL_TYPE: Final = "RFID"
_SHAPE: Final = "{country_code}/{party_id}/{uid}"


@operations("GET", RECEIVER, _SHAPE, answer=TOKEN, query=("type",))
async def get_token(call: Call, country_code: str, party_id: str, uid: str) -> Answer:
    """The token as we keep it, or as a party has it. OCPI mod_tokens_get_method."""
    owner, goes = _goes(call, country_code, party_id)
    if isinstance(goes, Receiver):
        return await point_to_point.ask(call, goes, query=await _query(call, goes, owner, uid))
    document = await service.get(call.hub.store, owner, uid, _type(call), audience_of(call.hub, goes))
    rendered = await rendition.answer(call, document)
    return ok_bytes(rendered if rendered is not None else document.body)


@operations("PUT", RECEIVER, _SHAPE, body=TOKEN, query=("type",))
async def put_token(call: Call, country_code: str, party_id: str, uid: str, body: Token) -> Answer:
    """Keep a new or changed token. OCPI mod_tokens_put_method."""
    owner, goes = _goes(call, country_code, party_id)
    if "type" in call.query and call.version != VERSIONS[0] and body.type != _type(call):
        raise InvalidRequest("the URL and the object name different types")
    service.check(owner, uid, body)
    now, aim = call.hub.clock.now(), _aim(call, goes)
    keep = partial(service.put, call.hub.store, owner, uid, body, now=now, aim=aim)
    if not isinstance(goes, Receiver):
        return ok(created=await keep())
    query = await _query(call, goes, owner, uid, body.type)
    return await point_to_point.push(call, goes, body.tree(), keep, query=query)


@operations("PATCH", RECEIVER, _SHAPE, body=TOKEN, patch=True, query=("type",))
async def patch_token(call: Call, country_code: str, party_id: str, uid: str, body: Tree) -> Answer:
    """Change a part of a token. OCPI mod_tokens_patch_method."""
    (owner, goes), arrived = _goes(call, country_code, party_id), call.arrived(body)
    service.check_part(body, arrived)
    store, now, aim = call.hub.store, call.hub.clock.now(), _aim(call, goes)
    query = await _query(call, goes, owner, uid) if isinstance(goes, Receiver) else NO_QUERY
    if isinstance(goes, Receiver) and not point_to_point.can_say(call, goes, body):
        call.answered_by(call.hub.settings.hub)  # the lane brings the whole, which says it
        goes, aim = OURS, replace(aim, is_there=False)
    keep = partial(service.patch, store, owner, uid, _type(call), body, now=now, aim=aim, arrived=arrived)
    return await point_to_point.push(call, goes, body, keep, query=query)


@operations("GET", SENDER, answer=TOKEN, listed=True, query=QUERY, callers=CPO_LIKE)
async def list_tokens(call: Call) -> Answer:
    """The tokens of all eMSPs that the caller may have. OCPI mod_tokens_sender_get_method."""
    audiences = await call.hub.addressed.audiences_in(TOKENS, call.partner)
    return await _listing.page(call, {"owner": asked.owners_asked(call), "audience": audiences})


@operations(
    "POST",
    SENDER,
    "{uid}/authorize",
    body=LOCATION_REFERENCES,
    bodiless=True,
    answer=AUTHORIZATION_INFO,
    query=("type",),
    callers=CPO_LIKE,
    repeats=True,
)
async def authorize_token(call: Call, uid: str, body: LocationReferences | None) -> Answer:
    """May this token charge there? Answered by its eMSP. OCPI mod_tokens_sender_post_method."""
    place = body.tree() if body is not None else None
    return await asked.answer(asked.Question(call, uid, _type(call), place))


def _goes(call: Call, country_code: str, party_id: str) -> tuple[Party, Destination]:
    """Whose token it is, and to whom it goes. Raises: NotYours; UnknownReceiver, PeerUnreachable."""
    owner = call.as_party(country_code, party_id, EMSP_LIKE)
    return owner, destination(call, owner=str(owner), shared=True, brought=True, roles=CPO_LIKE)


def _aim(call: Call, goes: Destination) -> Aim:
    return Aim(audience=audience_of(call.hub, goes), is_there=isinstance(goes, Receiver))


async def _query(call: Call, goes: Receiver, owner: Party, uid: str, token_type: str = "") -> Mapping[str, str]:
    """The type of the token, as the receiver's version has it; as it was asked, where that is the caller's too.

    Raises: InvalidRequest, where the receiver would take the token for another.
    """
    version, named = goes.partner.version or VERSIONS[-1], token_type or _type(call)
    if version == call.version:
        return call.query
    if not await service.can_be_told(call.hub.store, owner, uid, named or _USUAL_TYPE, version=version):
        raise InvalidRequest(f"the receiver speaks OCPI {version}, which has no such type of token")
    if version == VERSIONS[0] or not named:
        return NO_QUERY
    return {"type": TOKEN[version].write({"type": named})[0]["type"]}


def _type(call: Call) -> str:
    """The token type of the query; "" when it names none (mod_tokens, Request Parameters)."""
    return call.query.get("type") or call.query.get("token_type") or ""
