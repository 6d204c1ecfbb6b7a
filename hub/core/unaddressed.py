"""Objects that came before what tells whom they are for: for nobody yet, and looked at again until it is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from hub.core.errors import Conflict
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Document, Kind, Unit

_A_STEP: Final = 200

Whose = Callable[[Hub, str, Tree], Awaitable[str]]
"""Whom an object of this owner is for; "" as long as nothing tells."""
Address = Callable[[Document, Tree, str], Unit]
"""What writes it for this party, and tells of it."""


async def look_again(hub: Hub, kind: Kind, whose: Whose, address: Address, *, limit: int) -> None:
    """Address the objects of `kind` that can be now. `limit`: the most bytes that one may have."""
    after = 0
    while found := await hub.store.select(kind, equal={"audience": ""}, after_seq=after, limit=_A_STEP):
        after = found[-1].seq
        for document in found:
            tree: Tree = parse(document.body, limit=limit)
            audience = await whose(hub, document.owner, tree)
            if not audience:
                continue
            try:
                await hub.store.commit(address(document, tree, audience))
            except Conflict:
                continue  # its owner has told it anew meanwhile, and so it was decided
