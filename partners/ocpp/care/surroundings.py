"""Whom campaigns ask, and whether a station may be troubled now."""

from __future__ import annotations

from typing import Final, Protocol

from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from partners.ocpp.journal import OPEN, TRANSACTIONS
from partners.ocpp.stations import Called

_CHARGING: Final = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})


class Stations(Protocol):
    """The stations, wherever their sockets are (`partners.ocpp.reach.Reach`)."""

    async def views(self) -> list[Tree]: ...

    async def view(self, identity: str) -> Tree: ...

    async def call(self, identity: str, action: str, payload: Tree, *, timeout_s: float, force: bool) -> Called: ...


async def is_free(hub: Hub, view: Tree) -> bool:
    """Is it there, and does nobody charge at it? The ledger is asked too: a new socket has heard of nothing yet."""
    if not view["connected"]:
        return False
    if any(connector["status"] in _CHARGING for connector in view["connectors"].values()):
        return False
    equal = {"station": str(view["identity"]), "state": OPEN}
    return not await hub.store.select(TRANSACTIONS, equal=equal, limit=1)
