"""CDRs, as their sender and as their receiver. OCPI mod_cdrs.

The owner of the token pulls its own; there is no GET of one CDR. Other CPOs post theirs, and may look at what they
posted, at the address that the answer told or below the endpoint by its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hub.core.answers import Answer, ok, ok_bytes
from hub.core.delivery import entitled_to
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest, NotFound
from hub.core.operations import CPO_LIKE, EMSP_LIKE, LARGE, RECEIVER, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.parties import Party
from hub.core.renditions import Rendition, up_to
from hub.core.store import Store
from hub.core.units import Document
from modules.cdrs import received
from modules.cdrs.model import CDR as OUR_CDR
from modules.cdrs.place import location_of
from modules.cdrs.store import CDRS
from modules.cdrs.wire import CDR

operations = Operations("cdrs", callers=EMSP_LIKE, keeps=True)


async def _embedded(store: Store, document: Document) -> Mapping[str, Any]:
    return {"location": await location_of(store, document)}


rendition = Rendition(CDR, context=_embedded)
_listing = Listing(CDRS, rendition)
_received = Rendition(CDR)


@operations("GET", SENDER, answer=CDR, listed=True, query=QUERY)
async def list_cdrs(call: Call) -> Answer:
    """The CDRs of the caller's tokens. OCPI mod_cdrs_get_method."""
    return await _listing.page(call, {**entitled_to(call.partner, EMSP_LIKE), "lowest": up_to(call.version)})


@operations("POST", RECEIVER, body=CDR, limit=LARGE, callers=CPO_LIKE)
async def post_cdr(call: Call, body: OUR_CDR) -> Answer:
    """Keep a CDR of the caller; it is never changed. OCPI mod_cdrs_post_method."""
    owner = Party.of(body.country_code, body.party_id)
    if not call.caller.speaks_for(owner, CPO_LIKE):
        raise InvalidRequest("the CDR is of a party that is not yours")
    whence = {"partner": call.partner.name, "version": call.version, "to": call.to}
    created = await received.take(call.hub, body, **whence, original=call.received, raw=call.raw)
    answer = ok(created=created)
    answer.headers.append((b"location", _address(call, owner, body.id).encode()))
    return answer


@operations("GET", RECEIVER, "{country_code}/{party_id}/{cdr_id}", answer=CDR, callers=CPO_LIKE)
async def get_cdr(call: Call, country_code: str, party_id: str, cdr_id: str) -> Answer:
    """A CDR that the caller has posted, at the address that it was told. OCPI mod_cdrs_get_method."""
    owner = call.as_party(country_code, party_id, CPO_LIKE)
    return await _shown(call, await received.get(call.hub, owner, cdr_id))


@operations("GET", RECEIVER, "{cdr_id}", answer=CDR, callers=CPO_LIKE)
async def find_cdr(call: Call, cdr_id: str) -> Answer:
    """A CDR that the caller has posted, by its id alone."""
    owners = [claim.party for claim in call.partner.claims if claim.role in CPO_LIKE]
    return await _shown(call, await received.find(call.hub, owners, cdr_id))


def _address(call: Call, owner: Party, cdr_id: str) -> str:
    segments = (owner.country_code, owner.party_id, quote(cdr_id, safe=""))
    return f"{call.hub.settings.base_url}/ocpi/{call.version}/receiver/cdrs/{'/'.join(segments)}"


async def _shown(call: Call, document: Document) -> Answer:
    """As it came, in the version in which it came; else translated. Raises: NotFound, where that cannot be."""
    if document.columns["ocpi"] == call.version:
        return ok_bytes(await received.original(call.hub, document))
    rendered = await _received.answer(call, document)
    if rendered is None:
        raise NotFound("this CDR cannot be said in this version")
    return ok_bytes(rendered)
