"""A CDR of another CPO on to whose driver it was, once its check lets it through. OCPI mod_cdrs.

Beside what was received, a copy is put where our own CDRs are: from there it is listed, delivered and shown like them.
"""

from __future__ import annotations

from typing import Final

from hub.core import trace
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from modules.cdrs import store as cdrs
from modules.cdrs.store import Passing, Standing
from modules.commands.references import with_reference
from modules.tokens.whose import addressed

PASSES: Final = frozenset({Passing.FREE, Passing.RELEASED})


async def passed_on(hub: Hub, tree: Tree, standing: Standing, unit: Unit) -> None:
    """Add to `unit` what lets the token's owner have the CDR, unless it is held or nobody's; that is recorded."""
    if standing.state not in PASSES:
        return
    owner = str(Party.of(tree["country_code"], tree["party_id"]))
    tree, audience = await addressed(hub, owner, "cdrs", tree)
    key = cdrs.key_of(owner, tree["id"])
    if await cdrs.find(hub.store, key) is not None:
        return
    if not audience:
        unit.audited(Audit("busbar", "cdr.unaddressed", key))
        return
    tree = await with_reference(hub, owner, tree)
    put = cdrs.put_of(tree, audience, {}, session="")
    unit.put(put).tells(cdrs.change_of(put, trace.correlation()))
