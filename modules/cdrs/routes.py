"""CDRs, as their sender: the owner of the token pulls its own. There is no GET of one CDR. OCPI mod_cdrs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.core.answers import Answer
from hub.core.dispatch import Call
from hub.core.operations import EMSP_LIKE, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.renditions import Rendition, up_to
from hub.core.store import Store
from hub.core.units import Document
from modules.cdrs.store import CDRS
from modules.cdrs.wire import CDR
from modules.sessions.charge import frozen_location

operations = Operations("cdrs", callers=EMSP_LIKE)


async def _embedded(store: Store, document: Document) -> Mapping[str, Any]:
    return {"location": await frozen_location(store, document.columns["session"])}


rendition = Rendition(CDR, context=_embedded)
_listing = Listing(CDRS, rendition)


@operations("GET", SENDER, answer=CDR, listed=True, query=QUERY)
async def list_cdrs(call: Call) -> Answer:
    """The CDRs of the caller's tokens. OCPI mod_cdrs_get_method."""
    return await _listing.page(call, {"audience": sorted(call.partner.parties), "lowest": up_to(call.version)})
