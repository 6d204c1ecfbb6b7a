"""Tokens, as their receiver: eMSPs push theirs to us. OCPI mod_tokens_receiver_interface."""

from __future__ import annotations

from hub.core.answers import Answer, ok, ok_bytes
from hub.core.dialect import VERSIONS
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE, RECEIVER, Operations
from hub.core.renditions import Rendition
from modules.tokens import service
from modules.tokens.model import Token
from modules.tokens.wire import TOKEN

operations = Operations("tokens", callers=EMSP_LIKE)
rendition = Rendition(TOKEN)

_SHAPE = "{country_code}/{party_id}/{uid}"


@operations("GET", RECEIVER, _SHAPE, answer=TOKEN, query=("type",))
async def get_token(call: Call, country_code: str, party_id: str, uid: str) -> Answer:
    """The token as we keep it. OCPI mod_tokens_get_method."""
    owner = call.as_party(country_code, party_id, EMSP_LIKE)
    document = await service.get(call.hub.store, owner, uid, _type(call))
    rendered = await rendition.of(call.hub.store, document, call.version)
    return ok_bytes(rendered if rendered is not None else document.body)


@operations("PUT", RECEIVER, _SHAPE, body=TOKEN, query=("type",))
async def put_token(call: Call, country_code: str, party_id: str, uid: str, body: Token) -> Answer:
    """Keep a new or changed token. OCPI mod_tokens_put_method."""
    owner = call.as_party(country_code, party_id, EMSP_LIKE)
    if "type" in call.query and call.version != VERSIONS[0] and body.type != _type(call):
        raise InvalidRequest("the URL and the object name different types")
    return ok(created=await service.put(call.hub.store, owner, uid, body))


@operations("PATCH", RECEIVER, _SHAPE, body=TOKEN, patch=True, query=("type",))
async def patch_token(call: Call, country_code: str, party_id: str, uid: str, body: Tree) -> Answer:
    """Change a part of a token. OCPI mod_tokens_patch_method."""
    owner = call.as_party(country_code, party_id, EMSP_LIKE)
    await service.patch(call.hub.store, owner, uid, _type(call), call.timed(body))
    return ok()


def _type(call: Call) -> str:
    """The token type of the query; "" when it names none (mod_tokens, Request Parameters)."""
    return call.query.get("type") or call.query.get("token_type") or ""
