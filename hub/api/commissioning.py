"""/api/v1/stations/{identity}/commissioning: a new charger on its way into service."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.api.access import Operator, Viewer, program_of
from hub.api.exchange import Segment, answer, asked, gives, takes
from hub.control import commissioning
from hub.control.asks import Commission, CommissionStep
from hub.core.operations import MEDIUM

router = APIRouter(prefix="/api/v1/stations/{identity}/commissioning", tags=["stations"])


@router.get("", responses=gives("Commissioning"))
async def show_commissioning(request: Request, identity: Segment, bearer: Viewer) -> Response:
    """How far it is: each step with what was seen and what to do, worked out anew."""
    return answer(await commissioning.show(program_of(request), identity))


@router.put("", openapi_extra=takes("Commission"), responses=gives("Commissioning"))
async def begin_commissioning(request: Request, identity: Segment, bearer: Operator) -> Response:
    """Begin it, or go on. A password that we make is shown this once."""
    ask = await asked(request, Commission, limit=MEDIUM, optional=True)
    return answer(await commissioning.begin(program_of(request), identity, ask, actor=bearer.subject))


@router.post("", openapi_extra=takes("CommissionStep"), responses=gives("Commissioning"))
async def act_for_commissioning(request: Request, identity: Segment, bearer: Operator) -> Response:
    """Do something for a step: ask the charger, start or stop the test charge, skip, publish."""
    ask = await asked(request, CommissionStep)
    return answer(await commissioning.act(program_of(request), identity, ask, actor=bearer.subject))


@router.delete("", responses=gives("Deleted"))
async def abandon_commissioning(request: Request, identity: Segment, bearer: Operator) -> Response:
    """Give it up: EVSEs that partners have not seen are forgotten."""
    await commissioning.abandon(program_of(request), identity, actor=bearer.subject)
    return answer({"deleted": identity})
