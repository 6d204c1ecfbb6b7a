"""Sites whose power is shared, in the operator's hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from modules.locations.store import EVSES
from modules.locations.store import key_of as evse_key
from partners.ocpp.sites.register import Sites

if TYPE_CHECKING:
    from hub.app import Program


async def register(program: Program) -> Sites:
    """All sites as they are now: another process may have written to them."""
    await program.sites.refresh()
    return program.sites


async def listed(program: Program) -> Tree:
    """All sites, by name."""
    sites = await register(program)
    items = [sites.view(known.name) for known in sites.all()]
    return {"items": items, "total": len(items)}


async def put(program: Program, name: str, tree: Tree, *, actor: str) -> Tree:
    """Make a site, or change it. Raises: InvalidRequest, also for an EVSE that no location of ours has."""
    evses = tree.get("evses")
    uids = {uid: evse_key(program.settings.party, uid) for uid in evses} if isinstance(evses, dict) else {}
    known = await program.store.versions(EVSES, list(uids.values()))
    for uid, key in uids.items():
        if key not in known:
            raise InvalidRequest(f"/evses/{uid}: no location of ours has this EVSE; add it there first")
    return await (await register(program)).put(name, tree, actor=actor)
