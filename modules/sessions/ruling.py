"""What an operator decides of a bill that is held: as measured, for a figure of theirs, or never.

While the bill of a charge is held its Session stays ACTIVE (`service.py`), and ends with the decision: COMPLETED
with what is billed, INVALID when nothing ever is. One that was told as COMPLETED before stays so; then CDRs tell the
rest. A figure and a drop are final: what the charger says later changes neither.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from hub.core.errors import InvalidRequest, NotFound
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from modules.cdrs import service as cdrs
from modules.sessions.charge import CORRECTED, DROPPED, Charge, load, load_held, put_of
from modules.sessions.facts import facts_of
from modules.sessions.held import billed
from modules.sessions.plausible import first_kwh, most_kwh
from modules.sessions.telling import tell

AsMetered = Literal["as metered"]
AS_METERED: Final = "as metered"
"""For whoever lets a held charge be billed: what the charger said, however odd it is."""


async def release(
    hub: Hub, session_id: str, *, actor: str, kwh: Decimal | AsMetered, end: datetime | None = None
) -> None:
    """Bill a held charge for `kwh`, which may be what the charger said, and as ended at `end` if given. Commits.

    Raises: NotFound; InvalidRequest, when it is not held, cannot be priced, or the figures cannot be; Conflict.
    """
    charge, version = await _held(hub, session_id)
    why, charge.doubt, charge.counted_kwh = charge.why_held, "", None
    figure = "as the charger said"
    if kwh != AS_METERED:
        _correct(charge, kwh, end, now=hub.clock.now())
        figure = f"{kwh} kWh" + (f" until {end.isoformat()}" if end is not None else "")
    audit = Audit(actor, "cdr.released", session_id, f"{figure}; was held: {why}")
    why_not = await billed(hub, charge, version, released=audit)
    if why_not:
        raise InvalidRequest(f"this session cannot be priced yet: {why_not}")


async def drop(hub: Hub, session_id: str, *, actor: str) -> None:
    """Never bill a held charge; what was billed of it before is credited. Commits.

    Raises: NotFound; InvalidRequest, when it is not held; Conflict.
    """
    charge, version = await _held(hub, session_id)
    unit = Unit().audited(Audit(actor, "cdr.dropped", session_id, f"was held: {charge.why_held}"))
    await cdrs.credit_all(hub, facts_of(hub, charge), charge.owner, unit)
    if charge.kept_active:
        tell(hub, charge, unit, "INVALID", charge.end or charge.start)
    charge.held, charge.kept_active, charge.decided = False, False, DROPPED
    await hub.store.commit(unit.put(put_of(charge, expect=version)))


async def _held(hub: Hub, session_id: str) -> tuple[Charge, int]:
    """Raises: NotFound; InvalidRequest, when it is not held."""
    found = await load_held(hub.store, session_id)
    if found is None:
        if await load(hub.store, session_id) is None:
            raise NotFound("there is no such session")
        raise InvalidRequest("the bill of this session is not held")
    return found


def _correct(charge: Charge, kwh: Decimal, end: datetime | None, *, now: datetime) -> None:
    """Let the end, and the register there, be such that they make `kwh`. Raises: InvalidRequest."""
    if end is not None:
        if not charge.start <= end <= now:
            raise InvalidRequest(f"end: must lie between the start of the charge, {charge.start.isoformat()}, and now")
        charge.end = end
    most = most_kwh(charge)
    if kwh > most:
        raise InvalidRequest(f"kwh: {kwh} is more than its connector can give in that time, {most:.1f} kWh")
    first = first_kwh(charge) or Decimal(0)
    charge.meter_start_kwh = first
    charge.counted_kwh = first + kwh
    what = "energy and end were" if end is not None else "the energy was"
    charge.remark = "; ".join(filter(None, (f"{what} set by the operator", charge.remark)))
    charge.decided = CORRECTED
