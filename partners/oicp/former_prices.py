"""Tariffs of OICP's operators as they were: a charge has the price that held when it was allowed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hub.core.clock import timestamp
from hub.core.forgetting import forget_all
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.units import Kind, Put, Unit
from modules.tariffs.service import LIMIT
from modules.tariffs.store import find

OICP_FORMER_PRICES: Final = Kind("oicp_former_prices", columns=("tariff",), indexed=("tariff",))
"""By key of the tariff and the moment until which it was so, which is `last_updated`."""

_KEPT: Final = timedelta(days=400)
"""As long as a session."""
_NEXT: Final = timedelta(milliseconds=1)
"""Until a moment is before it."""


async def keep_former(hub: Hub, key: str, becomes: Tree | None) -> None:
    """To be called before a tariff `becomes` another, or none. Raises: NotReady, Conflict."""
    known = await find(hub.store, key)
    if known is None:
        return
    was: Tree = parse(known.body, limit=LIMIT)
    if becomes is not None and {**becomes, "last_updated": ""} == {**was, "last_updated": ""}:
        return
    until = timestamp(hub.clock.now())
    put = Put(OICP_FORMER_PRICES, f"{key}/{until}", encode(was), last_updated=until, columns=(key,))
    await hub.store.commit(Unit().put(put))


async def price_at(store: Store, key: str, moment: datetime) -> Tree | None:
    """The tariff as it was at `moment`; as it is, where it has not changed since or was not there yet."""
    page = await store.page(
        OICP_FORMER_PRICES,
        date_from=timestamp(moment + _NEXT),
        date_to=None,
        offset=0,
        limit=1,
        among={"tariff": [key]},
    )
    then = page.documents[0] if page.documents else await find(store, key)
    if then is None:
        return None
    tree: Tree = parse(then.body, limit=LIMIT)
    return tree


async def forget(hub: Hub) -> None:
    """What no charge can have begun with any more goes."""
    await forget_all(hub.store, OICP_FORMER_PRICES, timestamp(hub.clock.now() - _KEPT))
