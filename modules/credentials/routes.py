"""The credentials endpoint: GET, POST, PUT, DELETE (credentials). Configuration: never routed."""

from __future__ import annotations

from hub.core.answers import Answer, ok
from hub.core.dispatch import Call
from hub.core.operations import CONFIG, Operations
from modules.credentials import service
from modules.credentials.model import Credentials
from modules.credentials.wire import CREDENTIALS

operations = Operations("credentials", routed=False)


@operations("GET", CONFIG, answer=CREDENTIALS, pending=True)
async def show(call: Call) -> Answer:
    """Our credentials, with the token that the caller uses. OCPI credentials_get_method."""
    return _answer(call, service.ours(call.hub, call.partner, call.caller.token, call.version))


@operations("POST", CONFIG, body=CREDENTIALS, answer=CREDENTIALS, pending=True)
async def register(call: Call, body: Credentials) -> Answer:
    """Register. OCPI credentials_post_method."""
    return _answer(call, await service.register(call.hub, call.caller, body, call.version))


@operations("PUT", CONFIG, body=CREDENTIALS, answer=CREDENTIALS, pending=True)
async def update(call: Call, body: Credentials) -> Answer:
    """Update the registration, with new tokens. OCPI credentials_put_method."""
    return _answer(call, await service.update(call.hub, call.caller, body, call.version))


@operations("DELETE", CONFIG, pending=True)
async def unregister(call: Call) -> Answer:
    """End the registration. OCPI credentials_delete_method."""
    await service.unregister(call.hub, call.caller)
    return ok()


def _answer(call: Call, tree: dict[str, object]) -> Answer:
    return ok(call.written(CREDENTIALS, tree))
