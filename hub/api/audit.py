"""/api/v1/audit: who did what to what, in a chain that shows whether a row was changed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from hub.api.access import Viewer, program_of
from hub.api.exchange import Limit, answer, gives
from hub.control import records

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])


@router.get("", responses=gives("AuditRows"))
async def list_audit(
    request: Request,
    bearer: Viewer,
    after: Annotated[int | None, Query(ge=0, le=2**62, description="Go on after this number.")] = None,
    limit: Limit = 50,
) -> Response:
    """The audit log in its order: its newest part, or what follows `after`."""
    return answer({"items": await records.audit(program_of(request), after=after, limit=limit)})


@router.get("/verify", responses=gives("AuditCheck"))
async def verify_audit(request: Request, bearer: Viewer) -> Response:
    """Walk the whole chain."""
    return answer(await records.verify_audit(program_of(request)))
