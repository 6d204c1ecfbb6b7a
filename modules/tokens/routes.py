"""Tokens: eMSPs push theirs, CPO platforms pull those they may have, and ask about one. OCPI mod_tokens."""

from __future__ import annotations

from hub.core.answers import Answer, ok, ok_bytes
from hub.core.dialect import VERSIONS
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.operations import CPO_LIKE, EMSP_LIKE, RECEIVER, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.renditions import Rendition
from hub.core.routing import EVERYBODY, Receiver, destination
from modules.tokens import asked, service
from modules.tokens.model import LocationReferences, Token
from modules.tokens.store import TOKENS
from modules.tokens.wire import AUTHORIZATION_INFO, LOCATION_REFERENCES, TOKEN

operations = Operations("tokens", callers=EMSP_LIKE)
rendition = Rendition(TOKEN)
_listing = Listing(TOKENS, rendition)

_SHAPE = "{country_code}/{party_id}/{uid}"


@operations("GET", RECEIVER, _SHAPE, answer=TOKEN, query=("type",))
async def get_token(call: Call, country_code: str, party_id: str, uid: str) -> Answer:
    """The token as we keep it. OCPI mod_tokens_get_method."""
    owner = call.as_party(country_code, party_id, EMSP_LIKE)
    document = await service.get(call.hub.store, owner, uid, _type(call))
    rendered = await rendition.answer(call, document)
    return ok_bytes(rendered if rendered is not None else document.body)


@operations("PUT", RECEIVER, _SHAPE, body=TOKEN, query=("type",))
async def put_token(call: Call, country_code: str, party_id: str, uid: str, body: Token) -> Answer:
    """Keep a new or changed token. OCPI mod_tokens_put_method."""
    owner = call.as_party(country_code, party_id, EMSP_LIKE)
    if "type" in call.query and call.version != VERSIONS[0] and body.type != _type(call):
        raise InvalidRequest("the URL and the object name different types")
    hub = call.hub
    return ok(created=await service.put(hub.store, owner, uid, body, now=hub.clock.now(), audience=_audience(call)))


@operations("PATCH", RECEIVER, _SHAPE, body=TOKEN, patch=True, query=("type",))
async def patch_token(call: Call, country_code: str, party_id: str, uid: str, body: Tree) -> Answer:
    """Change a part of a token. OCPI mod_tokens_patch_method."""
    owner = call.as_party(country_code, party_id, EMSP_LIKE)
    hub = call.hub
    await service.patch(hub.store, owner, uid, _type(call), body, now=hub.clock.now(), arrived=call.arrived(body))
    return ok()


@operations("GET", SENDER, answer=TOKEN, listed=True, query=QUERY, callers=CPO_LIKE)
async def list_tokens(call: Call) -> Answer:
    """The tokens of all eMSPs that the caller may have. OCPI mod_tokens_sender_get_method."""
    audiences = ["", *sorted(call.partner.parties)]
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


def _audience(call: Call) -> str:
    """The only CPO that may have what is pushed, where OCPI-to names one. Raises: as `destination`."""
    goes = destination(call, shared=True, roles=CPO_LIKE)
    if isinstance(goes, Receiver):
        return goes.party
    return "" if goes is EVERYBODY else call.hub.settings.party


def _type(call: Call) -> str:
    """The token type of the query; "" when it names none (mod_tokens, Request Parameters)."""
    return call.query.get("type") or call.query.get("token_type") or ""
