"""/health/live and /health/ready: without a token, for load balancers and supervisors."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.api.access import program_of
from hub.api.exchange import answer, gives
from hub.control.health import Readiness

router = APIRouter(prefix="/health", tags=["health"])


@router.head("/live", include_in_schema=False)
@router.get("/live", responses=gives("Health"))
async def live() -> Response:
    """The process runs and its loop turns."""
    return answer({"status": "live"})


@router.head("/ready", include_in_schema=False)
@router.get("/ready", responses=gives("Health"))
async def ready(request: Request) -> Response:
    """Commits reach the disk; 503 when they do not."""
    readiness: Readiness = request.app.state.readiness
    why_not = await readiness.why_not()
    dev = {"dev": True} if program_of(request).settings.dev else {}
    if why_not:
        return answer({"status": "not ready", "why_not": why_not, **dev}, 503)
    return answer({"status": "ready", **dev})
