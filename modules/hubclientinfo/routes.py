"""Who is connected: partners pull our list, and hubs tell us of theirs. Configuration: never routed.

OCPI mod_hub_client_info.
"""

from __future__ import annotations

from typing import Any, Final

from hub.core.answers import Answer, ok
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest
from hub.core.inbound import parse
from hub.core.operations import RECEIVER, SENDER, SMALL, Operations
from hub.core.paging import QUERY, Listing
from hub.core.parties import Party, PartyRole
from hub.core.renditions import Rendition
from hub.core.store import Store
from hub.core.units import Document
from modules.hubclientinfo import service
from modules.hubclientinfo.model import ClientInfoTold
from modules.hubclientinfo.sight import visible
from modules.hubclientinfo.store import CLIENTS, MODULE
from modules.hubclientinfo.wire import CLIENT_INFO, CLIENT_INFO_TOLD, VERSIONS

HUBS: Final = frozenset({PartyRole.HUB})
"""Who may tell us of others, in every version (`Partner.roles`)."""


async def _real_role(store: Store, document: Document) -> dict[str, Any]:
    return {"role": document.columns["role"]}


operations = Operations(MODULE, routed=False)
rendition = Rendition(CLIENT_INFO, context=_real_role)
_listing = Listing(CLIENTS, rendition)

_SHAPE: Final = "{country_code}/{party_id}"


@operations("GET", SENDER, answer=CLIENT_INFO, listed=True, query=QUERY, versions=VERSIONS)
async def list_clients(call: Call) -> Answer:
    """The parties that the caller can communicate with. OCPI mod_hub_client_info_hub_get."""
    return await _listing.page(call, {"key": await visible(call.hub, call.partner)})


@operations("GET", RECEIVER, _SHAPE, answer=CLIENT_INFO, callers=HUBS, versions=VERSIONS)
async def get_client(call: Call, country_code: str, party_id: str) -> Answer:
    """What the calling hub said last of a party. OCPI mod_hub_client_info_client_get."""
    told = service.told_by(call.hub, call.partner, Party.of(country_code, party_id))
    tree = parse(told.body, limit=SMALL)
    return ok(CLIENT_INFO[call.version].write(tree, context={"role": told.spelled})[0])


@operations("PUT", RECEIVER, _SHAPE, body=CLIENT_INFO_TOLD, callers=HUBS, versions=VERSIONS)
async def put_client(call: Call, country_code: str, party_id: str, body: ClientInfoTold) -> Answer:
    """Keep what the calling hub says of a party. OCPI mod_hub_client_info_client_put."""
    if Party.of(country_code, party_id) != Party.of(body.country_code, body.party_id):
        raise InvalidRequest("the URL and the object name different parties")
    spelled = call.received["role"] if isinstance(call.received, dict) else body.role
    return ok(created=await service.take(call.hub, call.partner, body, spelled))
