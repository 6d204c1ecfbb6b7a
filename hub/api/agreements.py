"""/api/v1/agreements and /api/v1/route: who may have whose objects, and where a message goes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, Viewer, program_of
from hub.api.exchange import Segment, answer, asked, gives, takes
from hub.control import agreements
from hub.control.asks import NewRule, RouteAsked, Rule

router = APIRouter(prefix="/api/v1", tags=["agreements"])


@router.get("/agreements", responses=gives("Agreements"))
async def list_agreements(request: Request, bearer: Viewer) -> Response:
    """All agreements, in the order in which they decide."""
    return answer(agreements.listed(program_of(request)))


@router.put("/agreements", openapi_extra=takes("NewRule"), responses=gives("Agreement"))
async def put_agreement(request: Request, bearer: Admin) -> Response:
    """Make an agreement, or change what it says."""
    ask = await asked(request, NewRule)
    return answer(await agreements.put(program_of(request), ask, actor=bearer.subject))


@router.delete("/agreements/{viewer}/{owner}/{module}", responses=gives("Deleted"))
async def remove_agreement(
    request: Request, viewer: Segment, owner: Segment, module: Segment, bearer: Admin
) -> Response:
    """End an agreement: what holds without it holds again."""
    ask = Rule.of({"viewer": viewer, "owner": owner, "module": module})
    return answer(await agreements.remove(program_of(request), ask, actor=bearer.subject))


@router.post("/route", openapi_extra=takes("RouteAsked"), responses=gives("Route"))
async def explain_route(request: Request, bearer: Viewer) -> Response:
    """Where a message would go, who would get it, and which rule says so."""
    return answer(agreements.explain(program_of(request), await asked(request, RouteAsked)))
