"""Tariffs: partners pull those that they may see, CPOs push theirs. A sender has no GET of one. OCPI mod_tariffs."""

from __future__ import annotations

from typing import Final

from hub.core.answers import Answer, ok, ok_bytes
from hub.core.dialect import VERSIONS
from hub.core.dispatch import Call
from hub.core.jsontypes import Tree
from hub.core.operations import CPO, MEDIUM, READERS, RECEIVER, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.renditions import Rendition
from hub.core.routing import audience
from hub.core.sharing import visible
from modules.tariffs import foreign
from modules.tariffs.foreign import Spot
from modules.tariffs.model import Tariff
from modules.tariffs.store import TARIFFS
from modules.tariffs.wire import TARIFF

operations = Operations("tariffs", callers=READERS)
rendition = Rendition(TARIFF)
_listing = Listing(TARIFFS, rendition)

_SHAPE: Final = "{country_code}/{party_id}/{tariff_id}"


@operations("GET", SENDER, answer=TARIFF, listed=True, query=QUERY)
async def list_tariffs(call: Call) -> Answer:
    """All tariffs that the caller may see, a page at a time. OCPI mod_tariffs_get_method."""
    return await _listing.page(call, await visible(call, CPO))


@operations("GET", RECEIVER, _SHAPE, answer=TARIFF, callers=CPO)
async def get_own_tariff(call: Call, country_code: str, party_id: str, tariff_id: str) -> Answer:
    """The caller's tariff as we keep it. OCPI mod_tariffs_receiver_get_method."""
    document = await foreign.get(call.hub, _spot(call, country_code, party_id, tariff_id))
    body = await rendition.answer(call, document)
    return ok_bytes(document.body if body is None else body)


@operations("PUT", RECEIVER, _SHAPE, body=TARIFF, callers=CPO, limit=MEDIUM)
async def put_tariff(call: Call, country_code: str, party_id: str, tariff_id: str, body: Tariff) -> Answer:
    """Keep a tariff, and pass it on. OCPI mod_tariffs_put_method."""
    return ok(created=await foreign.put(call.hub, _spot(call, country_code, party_id, tariff_id), body.tree()))


@operations("PATCH", RECEIVER, _SHAPE, body=TARIFF, patch=True, callers=CPO, limit=MEDIUM, versions=VERSIONS[:1])
async def patch_tariff(call: Call, country_code: str, party_id: str, tariff_id: str, body: Tree) -> Answer:
    """Change a part of a tariff; in 2.1.1 alone. OCPI mod_tariffs_patch_method."""
    spot = _spot(call, country_code, party_id, tariff_id)
    await foreign.patch(call.hub, spot, body, arrived=call.arrived(body))
    return ok()


@operations("DELETE", RECEIVER, _SHAPE, callers=CPO)
async def delete_tariff(call: Call, country_code: str, party_id: str, tariff_id: str) -> Answer:
    """Withdraw a tariff, here and with all that had it. OCPI mod_tariffs_delete_method."""
    await foreign.delete(call.hub, _spot(call, country_code, party_id, tariff_id))
    return ok()


def _spot(call: Call, country_code: str, party_id: str, tariff_id: str) -> Spot:
    """Raises: NotYours; UnknownReceiver, PeerUnreachable."""
    owner = call.as_party(country_code, party_id, CPO)
    return Spot(owner, tariff_id, audience(call, roles=READERS - CPO))
