"""/api/v1/campaigns: one firmware for many chargers, a few first."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, Operator, Viewer, program_of
from hub.api.exchange import Limit, Segment, answer, asked, gives, takes
from hub.control.asks import CampaignAsked
from hub.core.jsontypes import Tree
from hub.core.operations import MEDIUM
from hub.core.ports import Hub
from partners.ocpp.care import campaigns, updates
from partners.ocpp.care.campaigns import Campaign, Rules

router = APIRouter(prefix="/api/v1/campaigns", tags=["firmware"])

_SHOWN: Final = gives("CampaignShown")


@router.get("", responses=gives("Campaigns"))
async def list_campaigns(request: Request, bearer: Viewer, limit: Limit = 50) -> Response:
    """Campaigns, the newest first."""
    hub = program_of(request).hub
    found = await campaigns.listed(hub, limit)
    items = [each.shown(await updates.of_campaign(hub, each.id)) for each in found]
    return answer({"items": items, "total": len(items)})


@router.post("", status_code=201, openapi_extra=takes("CampaignAsked"), responses=gives("CampaignShown", status=201))
async def start_campaign(request: Request, bearer: Admin) -> Response:
    """Give a firmware to the chargers of its model: canaries first, and no further when it goes wrong."""
    hub, ask = program_of(request).hub, await asked(request, CampaignAsked, limit=MEDIUM)
    rules = Rules(**ask.model_dump(exclude={"firmware", "model", "stations"}))
    made = await campaigns.start(hub, ask.firmware, ask.model, ask.stations, rules, actor=bearer.subject)
    return answer(await _whole(hub, made), 201)


@router.get("/{campaign}", responses=_SHOWN)
async def show_campaign(request: Request, campaign: Segment, bearer: Viewer) -> Response:
    """A campaign, and how far each charger is."""
    hub = program_of(request).hub
    return answer(await _whole(hub, await campaigns.get(hub, campaign)))


@router.post("/{campaign}/pause", responses=_SHOWN)
async def pause_campaign(request: Request, campaign: Segment, bearer: Operator) -> Response:
    """Tell no further charger; what is under way goes on."""
    hub = program_of(request).hub
    return answer(await _whole(hub, await campaigns.steer(hub, campaign, "pause", actor=bearer.subject)))


@router.post("/{campaign}/resume", responses=_SHOWN)
async def resume_campaign(request: Request, campaign: Segment, bearer: Admin) -> Response:
    """Go on with a campaign that was paused, or that stopped by itself: what failed so far is forgiven."""
    hub = program_of(request).hub
    return answer(await _whole(hub, await campaigns.steer(hub, campaign, "resume", actor=bearer.subject)))


@router.post("/{campaign}/abort", responses=_SHOWN)
async def abort_campaign(request: Request, campaign: Segment, bearer: Operator) -> Response:
    """End a campaign; chargers that were not told are dropped, those under way cannot be called back."""
    hub = program_of(request).hub
    return answer(await _whole(hub, await campaigns.steer(hub, campaign, "abort", actor=bearer.subject)))


async def _whole(hub: Hub, campaign: Campaign) -> Tree:
    of_it = await updates.of_campaign(hub, campaign.id)
    return {**campaign.shown(of_it), "stations": [update.shown() for update in of_it]}
