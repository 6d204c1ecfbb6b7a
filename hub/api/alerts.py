"""/api/v1/alerts: what is wrong with chargers, sites, partners and bills."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from hub.api.access import Operator, Viewer, program_of
from hub.api.exchange import Limit, Offset, Segment, answer, gives
from hub.api.records import stored
from hub.control import alerts
from hub.control.listing import Filter

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])


@router.get("", responses=gives("Alerts"))
async def list_alerts(
    request: Request,
    bearer: Viewer,
    station: Annotated[str | None, Query(max_length=255, description="Only of this charger.")] = None,
    rule: Annotated[str | None, Query(max_length=64, description="Only of this rule.")] = None,
    open_: Annotated[bool | None, Query(alias="open", description="Only those that are open, or closed.")] = None,
    date_from: Annotated[str | None, Query(max_length=40, description="Only what opened from this time on.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Response:
    """Alerts, the newest first."""
    asked = Filter(station=station, open=open_, date_from=date_from, limit=limit, offset=offset)
    return stored(await alerts.listed(program_of(request), asked, rule))


@router.post("/{alert_id}/acknowledge", responses=gives("Alert"))
async def acknowledge_alert(request: Request, alert_id: Segment, bearer: Operator) -> Response:
    """Say that somebody looks after it; it closes by itself when the fault is over."""
    return answer(await alerts.acknowledge(program_of(request), alert_id, actor=bearer.subject))
