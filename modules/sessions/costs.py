"""What a Session says that it costs, for whoever shows it to the driver."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.store import Store
from modules.sessions.charge import load_held
from modules.sessions.store import by_id

_LIMIT: Final = 8 * 1024 * 1024


async def cost_of(store: Store, session_id: str) -> Decimal | None:
    """The costs of a session of ours, so far or in all, with taxes; None, where it has no price.

    None too while its bill is held, even of one that was told as COMPLETED before: what it comes to is not known, and
    a figure that may be wrong, as 0, would be a promise to its driver.
    """
    found = await by_id(store, session_id)
    tree: Tree = parse(found[0].body, limit=_LIMIT) if len(found) == 1 else {}
    total = tree.get("total_cost")
    if not isinstance(total, dict) or await load_held(store, session_id) is not None:
        return None
    return sum((Decimal(tax["amount"]) for tax in total.get("taxes") or ()), Decimal(total["before_taxes"]))
