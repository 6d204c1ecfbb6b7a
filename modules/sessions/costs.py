"""What a Session says that it costs, for whoever shows it to the driver."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.store import Store
from modules.cdrs import service as cdrs
from modules.sessions.charge import load_held
from modules.sessions.store import by_id

_LIMIT: Final = 8 * 1024 * 1024


async def cost_of(store: Store, session_id: str) -> Decimal | None:
    """The costs of a session of ours, so far or in all, with taxes; None, where it has no price.

    Once it is billed that is what its bill comes to: a Session that was told as COMPLETED keeps the figure it was told
    with, also where its CDR was credited and made anew (completed-sessions-stay.md).

    None too while its bill is held, even of one that was told as COMPLETED before: what it comes to is not known, and
    a figure that may be wrong, as 0, would be a promise to its driver.
    """
    found = await by_id(store, session_id)
    if len(found) != 1 or await load_held(store, session_id) is not None:
        return None
    bills = await cdrs.bills_of(store, session_id)
    trees: list[Tree] = [parse(found[0].body, limit=_LIMIT)] if bills is None else bills
    totals = [total for tree in trees if isinstance(total := tree.get("total_cost"), dict)]
    return sum(map(_with_taxes, totals), Decimal(0)) if totals else None


def _with_taxes(total: Tree) -> Decimal:
    return sum((Decimal(tax["amount"]) for tax in total.get("taxes") or ()), Decimal(total["before_taxes"]))
