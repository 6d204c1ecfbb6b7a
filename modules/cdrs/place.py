"""Where a charge was, for the volts and amperes that a CDR of 2.1.1 carries and later ones do not.

In this order: the location as it was at the start, of a charge of ours; the one with which another CPO's CDR of 2.1.1
came; the one that its CPO has told us of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.dialect import VERSIONS
from hub.core.errors import UnknownLocation
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.units import Document
from modules.cdrs.store import original_in
from modules.locations import service as locations
from modules.locations.wire import LOCATION
from modules.sessions.charge import frozen_location

_LIMIT: Final = 8 * 1024 * 1024
_EMBEDS: Final = VERSIONS[0]
"""The version whose CDRs carry their location."""


async def location_of(store: Store, document: Document) -> Mapping[str, Any]:
    """The location of a CDR, in our form; empty where none is on record."""
    frozen = await frozen_location(store, document.columns["session"])
    if frozen:
        return frozen
    brought = await original_in(store, document, _EMBEDS)
    if brought is not None:
        owner = Party.parse(document.owner)
        given = {"country_code": owner.country_code, "party_id": owner.party_id}
        whole: Tree = LOCATION[_EMBEDS].read(parse(brought, limit=_LIMIT)["location"], given=given).tree()
        return whole
    tree: Tree = parse(document.body, limit=_LIMIT)
    try:
        return await locations.get_tree(store, f"{document.owner}/{tree['cdr_location']['id'].upper()}")
    except UnknownLocation:
        return {}
