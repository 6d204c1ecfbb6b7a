"""Bills that could not be made with the end of their charge: tried again, or let go by an operator.

A charge whose tariffs were missing is *held* until it can be priced; one that claims more energy than its connector can
give is held until an operator has looked at it, and has said for which figure it is to be billed. Its Session stays as
it was told (`service.py`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

import structlog

from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from modules.cdrs import service as cdrs
from modules.locations import service as locations
from modules.sessions.charge import Charge, held_sessions, load, load_held, put_of, raw
from modules.sessions.facts import facts_of, party_of
from modules.sessions.plausible import first_kwh
from modules.tariffs import service as tariffs

log = structlog.get_logger()

_AT_ONCE: Final = 1000

AsMetered = Literal["as metered"]
AS_METERED: Final = "as metered"
"""For whoever lets a held charge be billed: what the charger said, however odd it is."""


async def bill_held(hub: Hub, session_id: str) -> bool:
    """Issue the CDR of a charge that is held, now that its tariffs are at hand. Commits.

    What was frozen at the start is used as far as it can be; a tariff that was missing then is taken as it is now, and
    if that is not enough, all are. Returns: False, while it cannot be priced or is doubted, or when it is not held.
    Raises: Conflict.
    """
    found = await load_held(hub.store, session_id)
    if found is None or found[0].doubt:
        return False
    return await _billed(hub, *found)


async def release(hub: Hub, session_id: str, *, actor: str, kwh: Decimal | AsMetered) -> None:
    """An operator lets a held charge be billed for `kwh`, which may be what the charger said. Commits.

    Raises: NotFound; InvalidRequest, when it is not held, or cannot be priced; Conflict.
    """
    found = await load_held(hub.store, session_id)
    if found is None:
        if await load(hub.store, session_id) is None:
            raise NotFound("there is no such session")
        raise InvalidRequest("the bill of this session is not held")
    charge, version = found
    doubt, charge.doubt, charge.counted_kwh = charge.doubt, "", None
    if kwh != AS_METERED:
        _count(charge, kwh)
    figure = f"{kwh} kWh" if kwh != AS_METERED else "as the charger said"
    audit = Audit(actor, "cdr.released", session_id, f"{figure}; was held: {doubt or 'it could not be priced'}")
    if not await _billed(hub, charge, version, released=audit):
        raise InvalidRequest("this session cannot be priced yet: are its tariffs there?")


def _count(charge: Charge, kwh: Decimal) -> None:
    """Let the register at the end be such that it makes `kwh`."""
    first = first_kwh(charge) or Decimal(0)
    charge.meter_start_kwh = first
    charge.counted_kwh = first + kwh


async def _billed(hub: Hub, charge: Charge, version: int, *, released: Audit | None = None) -> bool:
    """Returns: False, when it cannot be priced; then nothing is kept. Raises: Conflict."""
    frozen, today = charge.tariff_trees(), await _tariffs_today(hub, charge)
    known = {tree["id"].upper() for tree in frozen}
    for trees in ([*frozen, *(tree for tree in today if tree["id"].upper() not in known)], today):
        charge.tariffs, unit = raw(trees), Unit()
        if released is not None:
            unit.audited(released)
        facts, optional = facts_of(hub, charge), charge.reservation_only
        if await cdrs.reissue(hub, facts, charge.owner, unit, only_if_it_costs=optional):
            charge.held = False
            await hub.store.commit(unit.put(put_of(charge, expect=version)))
            return True
    return False


async def bill_all_held(hub: Hub) -> int:
    """Try again with all charges that are held. Returns: how many were billed. To be called every few minutes."""
    billed = 0
    for session_id in await held_sessions(hub.store, limit=_AT_ONCE):
        try:
            billed += await bill_held(hub, session_id)
        except Conflict:
            log.info("held charge was changed meanwhile", session=session_id)
    return billed


async def _tariffs_today(hub: Hub, charge: Charge) -> list[Tree]:
    location = charge.tree_of_location()
    connector = locations.connector_in(locations.evse_in(location, charge.evse_uid), charge.connector_id)
    return await tariffs.snapshot(hub.store, party_of(location), connector.get("tariff_ids") or [])
