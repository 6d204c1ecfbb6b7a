"""What an operator decides of a bill that is held, or was taken back: as measured, for a figure of theirs, or never.

While the bill of a charge is held its Session stays ACTIVE (`service.py`), and ends with the decision: COMPLETED
with what is billed, INVALID when nothing ever is. One that was told as COMPLETED before stays so; then CDRs tell the
rest. A figure and a drop are final: what the charger says later changes neither.

A charge whose CDR an operator has credited is decided of in the same way (`anew.py`), and gets a CDR with a new id. As
long as a CDR of it stands there is nothing to decide: no charge has two bills.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from hub.core.errors import InvalidRequest
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from modules.cdrs import service as cdrs
from modules.sessions.anew import WHY, load_credited
from modules.sessions.charge import CORRECTED, DROPPED, Charge, load_held, put_of
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

    One whose CDR was credited, too: as measured it then is what that CDR said.

    Raises: NotFound; InvalidRequest, when it is neither, cannot be priced, or the figures cannot be; Conflict.
    """
    charge, version, why = await _undecided(hub, session_id)
    charge.doubt = ""
    figure = "as the charger said"
    if kwh != AS_METERED:
        _correct(charge, kwh, end, now=hub.clock.now())
        figure = f"{kwh} kWh" + (f" until {end.isoformat()}" if end is not None else "")
    elif charge.decided == CORRECTED:
        raise InvalidRequest("it was billed for a figure of an operator's, so say the figure: kwh")
    else:
        charge.counted_kwh = None
    audit = Audit(actor, "cdr.released", session_id, f"{figure}; {why}")
    why_not = await billed(hub, charge, version, released=audit)
    if why_not:
        raise InvalidRequest(f"this session cannot be priced yet: {why_not}")


async def drop(hub: Hub, session_id: str, *, actor: str) -> None:
    """Never bill a charge that is held, or whose CDR was credited; what was billed of it before is credited. Commits.

    Raises: NotFound; InvalidRequest, when it is neither; Conflict.
    """
    charge, version, why = await _undecided(hub, session_id)
    unit = Unit().audited(Audit(actor, "cdr.dropped", session_id, why))
    await cdrs.credit_all(hub, facts_of(hub, charge), charge.owner, unit)
    if charge.kept_active:
        tell(hub, charge, unit, "INVALID", charge.end or charge.start)
    charge.held, charge.kept_active, charge.decided = False, False, DROPPED
    await hub.store.commit(unit.put(put_of(charge, expect=version)))


async def _undecided(hub: Hub, session_id: str) -> tuple[Charge, int, str]:
    """The charge, its version, and why it is to be decided of. Raises: NotFound; InvalidRequest, when it is not."""
    found = await load_held(hub.store, session_id)
    if found is not None:
        return *found, f"was held: {found[0].why_held}"
    return *await load_credited(hub.store, session_id), WHY


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
    said = (f"{what} set by the operator", *charge.remark.split("; "))
    charge.remark = "; ".join(dict.fromkeys(filter(None, said)))
    charge.decided = CORRECTED
