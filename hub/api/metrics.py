"""/metrics: for Prometheus on this machine; from elsewhere with a viewer's token."""

from __future__ import annotations

from ipaddress import ip_address

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from hub.api.access import authenticated, program_of
from hub.control import gauges

router = APIRouter(tags=["health"])


@router.get("/metrics", responses={200: {"description": "Metrics", "content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """The hub in numbers."""
    if not _is_here(request):
        authenticated(request)
    text = await gauges.exposition(program_of(request), request.app.state.answered)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _is_here(request: Request) -> bool:
    """Does the caller sit on this machine, and not behind a proxy on it?"""
    if request.client is None or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
