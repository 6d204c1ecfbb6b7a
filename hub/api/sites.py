"""/api/v1/sites: sites within their grid connections: limits, loads, and who may draw what and why."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, Operator, Viewer, program_of
from hub.api.exchange import Segment, answer, gives, object_body, takes
from hub.control import sites
from hub.core.operations import MEDIUM, SMALL

router = APIRouter(prefix="/api/v1/sites", tags=["sites"])


@router.get("", responses=gives("Sites"))
async def list_sites(request: Request, bearer: Viewer) -> Response:
    """All sites whose power is shared."""
    return answer(await sites.listed(program_of(request)))


@router.put("/{name}", openapi_extra=takes("SiteAsked"), responses=gives("Site") | gives("Site", status=201))
async def put_site(request: Request, name: Segment, bearer: Operator) -> Response:
    """Make a site, or change it: its tree of limits, which EVSEs hang where, its policy."""
    tree = await object_body(request, limit=MEDIUM)
    kept = await sites.put(program_of(request), name, tree, actor=bearer.subject)
    return answer(kept, 201 if kept.pop("created") else 200)


@router.get("/{name}", responses=gives("Site"))
async def show_site(request: Request, name: Segment, bearer: Viewer) -> Response:
    """One site, with the limits and measured loads of now."""
    return answer((await sites.register(program_of(request))).view(name))


@router.delete("/{name}", responses=gives("Deleted"))
async def delete_site(request: Request, name: Segment, bearer: Admin) -> Response:
    """Share no more power there; its chargers keep their safe currents until ClearChargingProfile is called."""
    await (await sites.register(program_of(request))).delete(name, actor=bearer.subject)
    return answer({"deleted": name})


@router.put("/{name}/limits", openapi_extra=takes("SiteLimitAsked"), responses=gives("Site"))
async def limit_site(request: Request, name: Segment, bearer: Operator) -> Response:
    """Limit a node for a time, beside its own limit: the lower counts. Without a figure that is withdrawn."""
    tree = await object_body(request, limit=SMALL)
    return answer(await (await sites.register(program_of(request))).limit(name, tree, actor=bearer.subject))


@router.put("/{name}/load", openapi_extra=takes("SiteLoadAsked"), responses=gives("Site"))
async def load_site(request: Request, name: Segment, bearer: Operator) -> Response:
    """What the building draws at a node now; a while later its configured load counts again."""
    tree = await object_body(request, limit=SMALL)
    return answer(await (await sites.register(program_of(request))).measure(name, tree))


@router.get("/{name}/power", responses=gives("SitePower"))
async def show_power(request: Request, name: Segment, bearer: Viewer) -> Response:
    """What each EVSE may draw now and until when, what it draws, and why it is not more."""
    return answer(await (await sites.register(program_of(request))).power(name))
