"""/api/v1/templates: how chargers of a model should be configured."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from hub.api.access import Operator, Viewer, program_of
from hub.api.exchange import Segment, answer, asked, gives, object_body, takes
from hub.control import templates
from hub.control.asks import TemplateApplied
from hub.core.operations import MEDIUM
from partners.ocpp.desired import rows

router = APIRouter(prefix="/api/v1/templates", tags=["templates"])

Station = Annotated[str, Query(min_length=1, max_length=48, description="The charger's identity.")]


@router.get("", responses=gives("Templates"))
async def list_templates(request: Request, bearer: Viewer) -> Response:
    """All templates."""
    items = await templates.listed(program_of(request))
    return answer({"items": items, "total": len(items)})


@router.get("/{name}", responses=gives("TemplateShown"))
async def show_template(request: Request, name: Segment, bearer: Viewer) -> Response:
    """One template, and the chargers that it is for."""
    return answer(await templates.show(program_of(request), name))


@router.put(
    "/{name}",
    openapi_extra=takes("TemplateAsked"),
    responses=gives("TemplateShown") | gives("TemplateShown", status=201),
)
async def put_template(request: Request, name: Segment, bearer: Operator) -> Response:
    """Keep a template."""
    tree = await object_body(request, limit=MEDIUM)
    created, kept = await templates.put(program_of(request), name, tree, actor=bearer.subject)
    return answer(kept, 201 if created else 200)


@router.delete("/{name}", responses=gives("Deleted"))
async def delete_template(request: Request, name: Segment, bearer: Operator) -> Response:
    """Forget a template; chargers stay as they are."""
    await rows.delete(program_of(request).hub, name, actor=bearer.subject)
    return answer({"deleted": name})


@router.get("/{name}/drift", responses=gives("Drifts"))
async def show_drift(request: Request, name: Segment, bearer: Viewer, station: Station) -> Response:
    """Where a charger differs. Of OCPP 1.6 it is asked; of 2.x, it is what it last told."""
    return answer(await templates.drift(program_of(request), name, station))


@router.post("/{name}/apply", openapi_extra=takes("TemplateApplied"), responses=gives("Drifts"))
async def apply_template(request: Request, name: Segment, bearer: Operator) -> Response:
    """Set what differs at a charger, and read each value back."""
    ask = await asked(request, TemplateApplied)
    return answer(await templates.apply(program_of(request), name, ask.station, actor=bearer.subject))
