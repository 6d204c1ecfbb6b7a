"""/api/v1: what this hub is, and who is asking."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub import __version__
from hub.api.access import Viewer, program_of
from hub.api.exchange import answer, gives

router = APIRouter(tags=["hub"])


@router.get("/api/v1", responses=gives("About"))
async def about(request: Request, bearer: Viewer) -> Response:
    """This hub, and the role of the token."""
    settings = program_of(request).settings
    return answer(
        {
            "version": __version__,
            "party": settings.party,
            "business_name": settings.business_name,
            "currency": settings.currency,
            "base_url": settings.base_url,
            "versions_url": f"{settings.base_url}/ocpi/versions",
            "dev": settings.dev,
            "subject": bearer.subject,
            "role": bearer.role.value,
        }
    )
