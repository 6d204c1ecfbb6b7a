"""Webhooks in the operator's hands. A secret goes in, and is shown once if we made it; it never comes out again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from msgspec.structs import replace

from hub.control.asks import WebhookAsked
from hub.control.partner_view import lane_of, refused_count
from hub.core.clock import timestamp
from hub.core.delivery import REFUSED
from hub.core.errors import InvalidRequest, PeerFault, PeerRefused
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.targets import target_of
from hub.core.units import Audit
from partners.ocpp.watch.alerts import BY_NAME
from partners.webhooks import signing
from partners.webhooks.events import of_test
from partners.webhooks.model import Webhook
from partners.webhooks.target import check_target

if TYPE_CHECKING:
    from hub.app import Program

_REFUSED_LIMIT: Final = 64 * 1024


async def listed(program: Program) -> Tree:
    """All, with what waits for each and what it did not take."""
    items = [await _view(program, webhook) for webhook in await program.webhooks.all()]
    return {"items": items, "total": len(items)}


async def add(program: Program, ask: WebhookAsked, *, actor: str) -> Tree:
    """From now on it hears of alerts. Returns: its view; with `secret`, if we made one.

    Raises: InvalidRequest, Conflict.
    """
    check_target(program.settings, ask.url)
    unknown = [rule for rule in ask.rules if rule not in BY_NAME]
    if unknown:
        raise InvalidRequest(f"/rules: there is no rule {unknown[0]}; there are {', '.join(BY_NAME)}")
    if ask.secret and ask.sign:
        raise InvalidRequest("/sign: a secret is given already")
    if ask.secret:
        signing.key_of(ask.secret)
    minted = signing.minted() if ask.sign else ""
    webhook = _asked(program, ask, ask.secret or minted, actor)
    await program.webhooks.add(webhook, audit=Audit(actor, "webhook.added", webhook.id, _host(webhook)))
    view = await _view(program, webhook)
    return {**view, "secret": minted} if minted else view


async def remove(program: Program, webhook_id: str, *, actor: str) -> Tree:
    """Raises: NotFound."""
    webhook = await program.webhooks.get(webhook_id)
    await program.webhooks.remove(webhook, audit=Audit(actor, "webhook.removed", webhook.id, _host(webhook)))
    return {"deleted": webhook.id}


async def switch(program: Program, webhook_id: str, *, enabled: bool, actor: str) -> Tree:
    """What happens while it is disabled it never hears of. Raises: NotFound, Conflict."""
    webhook = await program.webhooks.get(webhook_id)
    audit = Audit(actor, "webhook.enabled" if enabled else "webhook.disabled", webhook.id, _host(webhook))
    return await _view(program, await program.webhooks.switch(webhook, enabled=enabled, audit=audit))


async def test(program: Program, webhook_id: str) -> Tree:
    """Call it now, and say what came back. If it is well, what waits for it is sent at once. Raises: NotFound."""
    webhook = await program.webhooks.get(webhook_id)
    event = of_test(f"evt_{uuid4()}_test", webhook.id, program.hub.clock.now())
    began, status, error = time.monotonic(), None, ""
    try:
        status = await program.caller.call(webhook, event)
    except PeerFault as fault:
        status, error = fault.http if isinstance(fault, PeerRefused) else None, fault.message
    else:
        await program.webhooks.may_be_tried(webhook)
    took_ms = round((time.monotonic() - began) * 1000)
    return {"delivered": not error, "status": status, "error": error, "took_ms": took_ms, "event": event.id}


def _asked(program: Program, ask: WebhookAsked, secret: str, actor: str) -> Webhook:
    webhook = Webhook(
        id=str(uuid4()),
        url=ask.url,
        created=program.hub.clock.now(),
        created_by=actor,
        rules=tuple(dict.fromkeys(ask.rules)),
        severities=tuple(dict.fromkeys(severity.value for severity in ask.severities)),
        enabled=ask.enabled,
    )
    sealed = program.seal.seal(secret, about=webhook.about) if secret else ""
    return replace(webhook, secret=sealed)


async def _view(program: Program, webhook: Webhook) -> Tree:
    refused = await program.store.select(REFUSED, equal={"partner": webhook.lane}, descending=True, limit=1)
    return {
        "id": webhook.id,
        "url": webhook.url,
        "signed": bool(webhook.secret),
        "rules": list(webhook.rules),
        "severities": list(webhook.severities),
        "enabled": webhook.enabled,
        "created": timestamp(webhook.created),
        "created_by": webhook.created_by,
        "lane": await lane_of(program, webhook.lane),
        "refused": await refused_count(program, webhook.lane),
        "last_refused": parse(refused[0].body, limit=_REFUSED_LIMIT)["reason"] if refused else "",
    }


def _host(webhook: Webhook) -> str:
    """What an audit row may say: the rest of a URL can be as secret as a password."""
    return target_of(webhook.url, "the URL").host
