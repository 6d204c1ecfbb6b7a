"""Locations, as their sender: partners pull ours. OCPI mod_locations_sender_interface."""

from __future__ import annotations

from hub.core.answers import Answer, ok
from hub.core.dispatch import Call
from hub.core.errors import UnknownLocation
from hub.core.jsontypes import Tree
from hub.core.operations import READERS, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.renditions import Objects, Rendition, up_to
from modules.locations import service
from modules.locations.store import LOCATIONS, key_of
from modules.locations.wire import CONNECTOR, EVSE, LOCATION

operations = Operations("locations", callers=READERS)
rendition = Rendition(LOCATION)
_listing = Listing(LOCATIONS, rendition)
_objects = Objects(LOCATIONS, rendition)


@operations("GET", SENDER, answer=LOCATION, listed=True, query=QUERY)
async def list_locations(call: Call) -> Answer:
    """Our locations, a page at a time. OCPI mod_locations_get_list_method."""
    return await _listing.page(call, {"owner": (call.hub.settings.party,), "lowest": up_to(call.version)})


@operations("GET", SENDER, "{location_id}", answer=LOCATION)
async def get_location(call: Call, location_id: str) -> Answer:
    """One location. OCPI mod_locations_get_object_method."""
    return await _objects.answer(call, key_of(call.hub.settings.party, location_id), UnknownLocation)


@operations("GET", SENDER, "{location_id}/{evse_uid}", answer=EVSE)
async def get_evse(call: Call, location_id: str, evse_uid: str) -> Answer:
    """One EVSE, REMOVED ones too. OCPI mod_locations_get_object_method."""
    evse = service.evse_in(await _visible(call, location_id), evse_uid)
    return ok(EVSE[call.version].write(evse)[0])


@operations("GET", SENDER, "{location_id}/{evse_uid}/{connector_id}", answer=CONNECTOR)
async def get_connector(call: Call, location_id: str, evse_uid: str, connector_id: str) -> Answer:
    """One connector. OCPI mod_locations_get_object_method."""
    evse = service.evse_in(await _visible(call, location_id), evse_uid)
    return ok(CONNECTOR[call.version].write(service.connector_in(evse, connector_id))[0])


async def _visible(call: Call, location_id: str) -> Tree:
    document = await service.get(call.hub.store, key_of(call.hub.settings.party, location_id))
    if document.columns["lowest"] not in up_to(call.version):
        raise UnknownLocation
    return await service.get_tree(call.hub.store, document.key)
