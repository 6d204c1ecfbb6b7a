"""/api/v1/uptime: how long our EVSEs were up, and which outages do not count."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from hub.api.access import Operator, Viewer, program_of
from hub.api.exchange import Segment, answer, asked, gives, takes
from hub.control import uptime
from hub.control.asks import OutageExcluded

router = APIRouter(prefix="/api/v1/uptime", tags=["uptime"])

Evse = Annotated[str | None, Query(max_length=48, description="Only this EVSE, by its uid.")]


@router.get("", responses=gives("Uptime"))
async def show_uptime(
    request: Request,
    bearer: Viewer,
    since: Annotated[str | None, Query(alias="from", max_length=40, description="At first 365 days before.")] = None,
    until: Annotated[str | None, Query(alias="to", max_length=40, description="At first now.")] = None,
    location: Annotated[str | None, Query(max_length=64, description="Only at this location of ours.")] = None,
    evse: Evse = None,
) -> Response:
    """((T - (outage - excluded)) / T) x 100 in minutes, as 23 CFR 680.116 has it: each EVSE, and all together."""
    return answer(await uptime.report(program_of(request), since=since, until=until, location=location, evse=evse))


@router.get("/outages", responses=gives("Outages"))
async def list_outages(request: Request, bearer: Viewer, evse: Evse = None) -> Response:
    """The newest thousand outages."""
    return answer(await uptime.outages(program_of(request), evse))


@router.post("/outages/{outage_id}/exclude", openapi_extra=takes("OutageExcluded"), responses=gives("Outage"))
async def exclude_outage(request: Request, outage_id: Segment, bearer: Operator) -> Response:
    """Say why an outage does not count (planned maintenance, vandalism, the grid); without a reason it counts again."""
    ask = await asked(request, OutageExcluded)
    return answer(await uptime.exclude(program_of(request), outage_id, ask, actor=bearer.subject))
