"""Locations: partners pull those that they may see, CPOs push theirs. OCPI mod_locations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from hub.core import point_to_point
from hub.core.answers import Answer, ok, ok_bytes
from hub.core.dialect import NO_CONTEXT
from hub.core.dispatch import Call
from hub.core.errors import UnknownLocation
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import ADDRESSEES, CPO, LARGE, MEDIUM, READERS, RECEIVER, SENDER, SMALL, Operations
from hub.core.paging import QUERY, Listing
from hub.core.renditions import Rendition, up_to
from hub.core.routing import OURS, Destination, Receiver, audience_of, destination
from hub.core.sharing import SharedObjects, visible
from modules.locations import foreign, service
from modules.locations.foreign import Spot
from modules.locations.store import LOCATIONS, find
from modules.locations.wire import CONNECTOR, EVSE, LOCATION
from modules.tariffs.sendable import SENDABLE

operations = Operations("locations", callers=READERS)
rendition = Rendition(LOCATION, context=SENDABLE.context)
_as_owned = Rendition(LOCATION)
"""For who wrote it: the tariff that its connector named stays its tariff."""
_listing = Listing(LOCATIONS, rendition)
_objects = SharedObjects(LOCATIONS, rendition, owners=CPO, missing=UnknownLocation)

Aim = tuple[Spot, Destination]
"""What is written, and to whom it goes."""

_LOCATION: Final = "{country_code}/{party_id}/{location_id}"
_EVSE: Final = f"{_LOCATION}/{{evse_uid}}"
_CONNECTOR: Final = f"{_EVSE}/{{connector_id}}"


@operations("GET", SENDER, answer=LOCATION, listed=True, query=QUERY)
async def list_locations(call: Call) -> Answer:
    """All locations that the caller may see, a page at a time. OCPI mod_locations_get_list_method."""
    return await _listing.page(call, await visible(call, CPO))


@operations("GET", SENDER, "{location_id}", answer=LOCATION)
async def get_location(call: Call, location_id: str) -> Answer:
    """One location. OCPI mod_locations_get_object_method."""
    return await _objects.answer(call, location_id)


@operations("GET", SENDER, "{location_id}/{evse_uid}", answer=EVSE)
async def get_evse(call: Call, location_id: str, evse_uid: str) -> Answer:
    """One EVSE, REMOVED ones too. OCPI mod_locations_get_object_method."""
    tree, context = await _visible(call, location_id)
    return ok(call.written(EVSE, service.evse_in(tree, evse_uid), context))


@operations("GET", SENDER, "{location_id}/{evse_uid}/{connector_id}", answer=CONNECTOR)
async def get_connector(call: Call, location_id: str, evse_uid: str, connector_id: str) -> Answer:
    """One connector. OCPI mod_locations_get_object_method."""
    tree, context = await _visible(call, location_id)
    evse = service.evse_in(tree, evse_uid)
    return ok(call.written(CONNECTOR, service.connector_in(evse, connector_id), context))


async def _visible(call: Call, location_id: str) -> tuple[Tree, Mapping[str, Any]]:
    """The location, and what its connectors may name."""
    document = await _objects.find(call, location_id)
    return parse(document.body, limit=service.LIMIT), await SENDABLE.context(call.hub.store, document)


@operations("GET", RECEIVER, _LOCATION, answer=LOCATION, callers=CPO)
async def get_own_location(call: Call, country_code: str, party_id: str, location_id: str) -> Answer:
    """The caller's location as we keep it, or as a party has it. OCPI mod_locations_client_owned_get."""
    spot, goes = _spot(call, country_code, party_id, location_id)
    if isinstance(goes, Receiver):
        return await point_to_point.ask(call, goes)
    document = await foreign.get(call.hub, spot)
    body = await _as_owned.answer(call, document)
    return ok_bytes(document.body if body is None else body)


@operations("GET", RECEIVER, _EVSE, answer=EVSE, callers=CPO)
async def get_own_evse(call: Call, country_code: str, party_id: str, location_id: str, evse_uid: str) -> Answer:
    """The caller's EVSE as we keep it, or as a party has it. OCPI mod_locations_client_owned_get."""
    spot, goes = _spot(call, country_code, party_id, location_id)
    if isinstance(goes, Receiver):
        return await point_to_point.ask(call, goes)
    return ok(call.written(EVSE, service.evse_in(await _kept(call, spot), evse_uid)))


@operations("GET", RECEIVER, _CONNECTOR, answer=CONNECTOR, callers=CPO)
async def get_own_connector(
    call: Call, country_code: str, party_id: str, location_id: str, evse_uid: str, connector_id: str
) -> Answer:
    """The caller's connector as we keep it, or as a party has it. OCPI mod_locations_client_owned_get."""
    spot, goes = _spot(call, country_code, party_id, location_id)
    if isinstance(goes, Receiver):
        return await point_to_point.ask(call, goes)
    evse = service.evse_in(await _kept(call, spot), evse_uid)
    return ok(call.written(CONNECTOR, service.connector_in(evse, connector_id)))


@operations("PUT", RECEIVER, _LOCATION, body=LOCATION, as_tree=True, callers=CPO, limit=LARGE)
async def put_location(call: Call, country_code: str, party_id: str, location_id: str, body: Tree) -> Answer:
    """Keep a location, and pass it on. OCPI mod_locations_put_method."""
    spot, goes = await _aim(call, _spot(call, country_code, party_id, location_id), body, whole=True)
    foreign.check(spot, (), body)
    keep = partial(foreign.put, call.hub, spot, body)
    return await point_to_point.push(call, goes, body, keep, context=await _context(call, spot, goes))


@operations("PUT", RECEIVER, _EVSE, body=EVSE, as_tree=True, callers=CPO, limit=MEDIUM)
async def put_evse(call: Call, country_code: str, party_id: str, location_id: str, evse_uid: str, body: Tree) -> Answer:
    """Keep an EVSE of a location. OCPI mod_locations_put_method."""
    aim = _spot(call, country_code, party_id, location_id)
    return await _put_below(call, aim, (evse_uid,), body)


@operations("PUT", RECEIVER, _CONNECTOR, body=CONNECTOR, as_tree=True, callers=CPO, limit=SMALL)
async def put_connector(
    call: Call, country_code: str, party_id: str, location_id: str, evse_uid: str, connector_id: str, body: Tree
) -> Answer:
    """Keep a connector of an EVSE. OCPI mod_locations_put_method."""
    aim = _spot(call, country_code, party_id, location_id)
    return await _put_below(call, aim, (evse_uid, connector_id), body)


@operations("PATCH", RECEIVER, _LOCATION, body=LOCATION, patch=True, callers=CPO, limit=LARGE)
async def patch_location(call: Call, country_code: str, party_id: str, location_id: str, body: Tree) -> Answer:
    """Change a part of a location. OCPI mod_locations_patch_method."""
    return await _patch(call, _spot(call, country_code, party_id, location_id), (), body)


@operations("PATCH", RECEIVER, _EVSE, body=EVSE, patch=True, callers=CPO, limit=MEDIUM)
async def patch_evse(
    call: Call, country_code: str, party_id: str, location_id: str, evse_uid: str, body: Tree
) -> Answer:
    """Change a part of an EVSE, such as its status. OCPI mod_locations_patch_method."""
    return await _patch(call, _spot(call, country_code, party_id, location_id), (evse_uid,), body)


@operations("PATCH", RECEIVER, _CONNECTOR, body=CONNECTOR, patch=True, callers=CPO, limit=SMALL)
async def patch_connector(
    call: Call, country_code: str, party_id: str, location_id: str, evse_uid: str, connector_id: str, body: Tree
) -> Answer:
    """Change a part of a connector. OCPI mod_locations_patch_method."""
    return await _patch(call, _spot(call, country_code, party_id, location_id), (evse_uid, connector_id), body)


async def _put_below(call: Call, aim: Aim, path: foreign.Path, tree: Tree) -> Answer:
    spot, goes = await _aim(call, aim, tree)
    foreign.check(spot, path, tree)
    keep = partial(foreign.put_below, call.hub, spot, path, tree)
    return await point_to_point.push(call, goes, tree, keep, context=await _context(call, spot, goes))


async def _patch(call: Call, aim: Aim, path: foreign.Path, part: Tree) -> Answer:
    (spot, goes), arrived = await _aim(call, aim, part), call.arrived(part)
    foreign.check_part(part, arrived)
    keep = partial(foreign.patch, call.hub, spot, path, part, arrived=arrived)
    return await point_to_point.push(call, goes, part, keep, context=await _context(call, spot, goes))


async def _context(call: Call, spot: Spot, goes: Destination) -> Mapping[str, Any]:
    """What connectors may name where it goes; where it goes to nobody by name, nothing is asked."""
    if not isinstance(goes, Receiver):
        return NO_CONTEXT
    return await SENDABLE.of(call.hub.store, str(spot.owner), spot.audience)


async def _kept(call: Call, spot: Spot) -> Tree:
    tree: Tree = parse((await foreign.get(call.hub, spot)).body, limit=service.LIMIT)
    return tree


async def _aim(call: Call, aim: Aim, tree: Tree, *, whole: bool = False) -> Aim:
    """Where it goes at once: to us alone, where its lane must find words for what the receiver's version has none for.

    That is so where the receiver has the location, and this, or the rest of it, cannot be said there.
    """
    spot, goes = aim
    if not isinstance(goes, Receiver) or goes.partner.version == call.version:
        return aim
    known = await find(call.hub.store, spot.key)
    is_said = point_to_point.can_say(call, goes, tree, await _context(call, spot, goes))
    if known is None or (is_said and (whole or known.columns["lowest"] in up_to(goes.partner.version or ""))):
        return aim
    call.answered_by(call.hub.settings.hub)
    return replace(spot, is_there=False), OURS


def _spot(call: Call, country_code: str, party_id: str, location_id: str) -> Aim:
    """Raises: NotYours; UnknownReceiver, PeerUnreachable."""
    owner = call.as_party(country_code, party_id, CPO)
    goes = destination(call, owner=str(owner), shared=True, brought=True, roles=ADDRESSEES)
    return Spot(owner, location_id, audience_of(call.hub, goes), isinstance(goes, Receiver)), goes
