"""/api/v1/webhooks: endpoints of the operator that hear when an alert opens and when it closes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, Operator, program_of
from hub.api.exchange import Segment, answer, asked, gives, takes
from hub.control import webhooks
from hub.control.asks import WebhookAsked

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])


@router.get("", responses=gives("Webhooks"))
async def list_webhooks(request: Request, bearer: Operator) -> Response:
    """All webhooks, with what waits for each; no secret."""
    return answer(await webhooks.listed(program_of(request)))


@router.post("", status_code=201, openapi_extra=takes("WebhookAsked"), responses=gives("WebhookAdded", status=201))
async def add_webhook(request: Request, bearer: Admin) -> Response:
    """From now on it hears of alerts. A secret that we make is shown this once."""
    ask = await asked(request, WebhookAsked)
    return answer(await webhooks.add(program_of(request), ask, actor=bearer.subject), 201)


@router.delete("/{webhook_id}", responses=gives("Deleted"))
async def remove_webhook(request: Request, webhook_id: Segment, bearer: Admin) -> Response:
    """It hears of nothing more; what waits for it is dropped."""
    return answer(await webhooks.remove(program_of(request), webhook_id, actor=bearer.subject))


@router.post("/{webhook_id}/enable", responses=gives("Webhook"))
async def enable_webhook(request: Request, webhook_id: Segment, bearer: Admin) -> Response:
    """It hears of what happens from now on."""
    return answer(await webhooks.switch(program_of(request), webhook_id, enabled=True, actor=bearer.subject))


@router.post("/{webhook_id}/disable", responses=gives("Webhook"))
async def disable_webhook(request: Request, webhook_id: Segment, bearer: Admin) -> Response:
    """It hears of nothing until it is enabled; what waits for it is dropped."""
    return answer(await webhooks.switch(program_of(request), webhook_id, enabled=False, actor=bearer.subject))


@router.post("/{webhook_id}/test", responses=gives("WebhookTested"))
async def test_webhook(request: Request, webhook_id: Segment, bearer: Operator) -> Response:
    """Call it now, signed as always, and say what came back. If it is well, what waits for it is sent at once."""
    return answer(await webhooks.test(program_of(request), webhook_id))
