"""Tariffs: partners pull those that they may see, CPOs push theirs. A sender has no GET of one. OCPI mod_tariffs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from hub.core import point_to_point
from hub.core.answers import Answer, ok, ok_bytes
from hub.core.dialect import VERSIONS
from hub.core.dispatch import Call
from hub.core.jsontypes import Tree
from hub.core.operations import ADDRESSEES, CPO, MEDIUM, READERS, RECEIVER, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.parties import Party
from hub.core.renditions import Rendition, up_to
from hub.core.routing import OURS, Destination, Receiver, audience_of, destination
from hub.core.sharing import visible
from modules.tariffs import foreign
from modules.tariffs.foreign import Spot
from modules.tariffs.store import TARIFFS, find
from modules.tariffs.validity import UNDATED, holds
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
    """The caller's tariff as we keep it, or as a party has it. OCPI mod_tariffs_receiver_get_method."""
    owner, goes = _goes(call, country_code, party_id)
    if isinstance(goes, Receiver):
        return await point_to_point.ask(call, goes)
    document = await foreign.get(call.hub, Spot(owner, tariff_id, audience_of(call.hub, goes)))
    body = await rendition.answer(call, document)
    return ok_bytes(document.body if body is None else body)


@operations("PUT", RECEIVER, _SHAPE, body=TARIFF, as_tree=True, callers=CPO, limit=MEDIUM)
async def put_tariff(call: Call, country_code: str, party_id: str, tariff_id: str, body: Tree) -> Answer:
    """Keep a tariff, and pass it on. OCPI mod_tariffs_put_method."""
    spot, goes = await _aim(call, _goes(call, country_code, party_id), tariff_id, body)
    foreign.check(spot, body)
    return await point_to_point.push(call, goes, body, partial(foreign.put, call.hub, spot, body))


@operations("PATCH", RECEIVER, _SHAPE, body=TARIFF, patch=True, callers=CPO, limit=MEDIUM, versions=VERSIONS[:1])
async def patch_tariff(call: Call, country_code: str, party_id: str, tariff_id: str, body: Tree) -> Answer:
    """Change a part of a tariff; in 2.1.1 alone, which names no receiver. OCPI mod_tariffs_patch_method."""
    owner, goes = _goes(call, country_code, party_id)
    spot = Spot(owner, tariff_id, audience_of(call.hub, goes))
    await foreign.patch(call.hub, spot, body, arrived=call.arrived(body))
    return ok()


@operations("DELETE", RECEIVER, _SHAPE, callers=CPO)
async def delete_tariff(call: Call, country_code: str, party_id: str, tariff_id: str) -> Answer:
    """Withdraw a tariff, here and with all that had it. OCPI mod_tariffs_delete_method."""
    spot, goes = await _aim(call, _goes(call, country_code, party_id), tariff_id, None)
    return await point_to_point.push(call, goes, None, partial(foreign.delete, call.hub, spot))


def _goes(call: Call, country_code: str, party_id: str) -> tuple[Party, Destination]:
    """Whose tariff it is, and to whom it goes. Raises: NotYours; UnknownReceiver, PeerUnreachable."""
    owner = call.as_party(country_code, party_id, CPO)
    return owner, destination(call, owner=str(owner), shared=True, brought=True, roles=ADDRESSEES)


async def _aim(
    call: Call, to: tuple[Party, Destination], tariff_id: str, tree: Tree | None
) -> tuple[Spot, Destination]:
    """What is written, and where it goes at once: to us alone, where its lane is to bring or to withdraw it."""
    owner, goes = to
    spot = Spot(owner, tariff_id, audience_of(call.hub, goes))
    if not isinstance(goes, Receiver):
        return spot, goes
    if await _is_the_lanes(call, spot, goes, tree):
        call.answered_by(call.hub.settings.hub)
        return spot, OURS
    return replace(spot, is_there=True), goes


async def _is_the_lanes(call: Call, spot: Spot, goes: Receiver, tree: Tree | None) -> bool:
    """Is it for the lane? What does not hold yet, where the version cannot say when; what the version has no words for
    any more; and the end (`tree` None) of either."""
    version = goes.partner.version or VERSIONS[-1]
    if tree is not None and point_to_point.can_say(call, goes, tree):
        return version == UNDATED and not holds(tree, call.hub.clock.now())
    known = await find(call.hub.store, spot.key)
    return known is not None and (tree is not None or known.columns["lowest"] not in up_to(version))
