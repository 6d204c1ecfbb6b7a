"""Tariffs, as their sender: partners pull ours. There is no GET of one tariff. OCPI mod_tariffs_sender_interface."""

from __future__ import annotations

from hub.core.answers import Answer
from hub.core.dispatch import Call
from hub.core.operations import READERS, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.renditions import Rendition, up_to
from modules.tariffs.store import TARIFFS
from modules.tariffs.wire import TARIFF

operations = Operations("tariffs", callers=READERS)
rendition = Rendition(TARIFF)
_listing = Listing(TARIFFS, rendition)


@operations("GET", SENDER, answer=TARIFF, listed=True, query=QUERY)
async def list_tariffs(call: Call) -> Answer:
    """Our tariffs, a page at a time. OCPI mod_tariffs_get_method."""
    return await _listing.page(call, {"owner": (call.hub.settings.party,), "lowest": up_to(call.version)})
