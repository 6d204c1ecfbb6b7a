"""EVSEs of a CPO of OICP that has told of none: whether it has the one that is ordered, it says itself.

A hub answers 603 only to what is not among the EVSEs that a CPO has uploaded. One that has uploaded none at all gets
every order for an EvseID of its own (eRoamingAuthorizeRemoteStart, functional description).
"""

from __future__ import annotations

from hub.core.parties import Party
from partners.oicp import ids
from partners.oicp.bridge import Bridge
from partners.oicp.places import EvsePlace


async def untold_place(bridge: Bridge, operator: Party | None, evse_id: str) -> EvsePlace | None:
    """The EVSE, under names that stand for it in OCPI; None, where its operator has told of others."""
    if operator is None or bridge.interpreted(operator) == "":
        return None
    connection, owner = bridge.connections.of(bridge.interpreted(operator)), str(operator)
    if connection is None or connection.kind != "cpo" or await bridge.places.has_any(owner):
        return None
    name = ids.fitting(evse_id)
    return EvsePlace(evse_id=evse_id, owner=owner, location=f"{owner}/{name}", location_id=name, evse_uid=name)
