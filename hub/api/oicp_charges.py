"""/api/v1/oicp/charges: what the ledger of OICP has."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from hub.api.access import Viewer, program_of
from hub.api.exchange import Limit, Offset, Segment, answer, gives
from hub.control import oicp_charges
from hub.control.listing import Filter

States = Literal["pending", "active", "ended", "closed", "refused", "unused"]
"""Those of `partners.oicp.ledger`."""
RecordStates = Literal["new", "held", "waiting", "withheld", "refused", "delivered"]
"""Those of `partners.oicp.record_store`."""

router = APIRouter(prefix="/api/v1/oicp", tags=["oicp"])


@router.get("/charges", responses=gives("OicpCharges"))
async def list_oicp_charges(
    request: Request,
    bearer: Viewer,
    state: Annotated[States | None, Query(description="Only charges in this state.")] = None,
    record: Annotated[RecordStates | None, Query(description="Only those whose record is in this state.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Response:
    """Charges and reservations of partners of OICP, the newest first; `record` goes before `state`."""
    asked = Filter(limit=limit, offset=offset)
    found = await oicp_charges.charges(program_of(request), asked, state=state or "", record=record or "")
    return answer({"items": found[0], "total": found[1]})


@router.get("/charges/{session_id}", responses=gives("OicpCharge"))
async def show_oicp_charge(request: Request, session_id: Segment, bearer: Viewer) -> Response:
    """One, by its SessionID."""
    return answer(await oicp_charges.charge(program_of(request), session_id))
