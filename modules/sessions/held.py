"""Bills that could not be made with the end of their charge, tried again.

A charge whose tariffs were missing is *held* until it can be priced; one whose energy is doubted is held until an
operator has looked at it, and has said what is to become of it (`ruling.py`).
"""

from __future__ import annotations

from typing import Final

import structlog

from hub.core.errors import Conflict
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from modules.cdrs import service as cdrs
from modules.locations import service as locations
from modules.sessions.charge import Charge, held_sessions, load_held, put_of, raw
from modules.sessions.facts import facts_of, party_of
from modules.sessions.telling import tell
from modules.tariffs import service as tariffs

log = structlog.get_logger()

_AT_ONCE: Final = 1000


async def bill_held(hub: Hub, session_id: str) -> bool:
    """Issue the CDR of a charge that is held, now that its tariffs are at hand. Commits.

    What was frozen at the start is used as far as it can be; a tariff that was missing then is taken as it is now, and
    if that is not enough, all are. Returns: False, while it cannot be priced or is doubted, or when it is not held.
    Raises: Conflict.
    """
    found = await load_held(hub.store, session_id)
    if found is None or found[0].doubt:
        return False
    charge, version = found
    why_not = await billed(hub, charge, version)
    if why_not and why_not != charge.unpriced:
        charge.unpriced = why_not
        await hub.store.commit(Unit().put(put_of(charge, expect=version)))
    return not why_not


async def billed(hub: Hub, charge: Charge, version: int, *, released: Audit | None = None) -> str:
    """Issue the CDR of a held charge, and end its Session if that waits for it. Commits.

    Returns: why it cannot be priced, and then nothing is kept or changed; empty, when it is billed. Raises: Conflict.
    """
    kept, frozen, today = charge.tariffs, charge.tariff_trees(), await _tariffs_today(hub, charge)
    known = {tree["id"].upper() for tree in frozen}
    why_not = []
    for trees in ([*frozen, *(tree for tree in today if tree["id"].upper() not in known)], today):
        charge.tariffs, bill = raw(trees), Unit()
        facts, optional = facts_of(hub, charge), charge.reservation_only
        why_not.append(await cdrs.reissue(hub, facts, charge.owner, bill, only_if_it_costs=optional))
        if not why_not[-1]:
            unit = Unit().audited(released)
            if charge.kept_active:
                tell(hub, charge, unit, "COMPLETED", charge.end or charge.start)
            charge.held, charge.kept_active, charge.unpriced = False, False, ""
            await hub.store.commit(unit.joins(bill).put(put_of(charge, expect=version)))
            return ""
    charge.tariffs = kept
    return why_not[0]


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
