"""What every request of the management API passes first: one ASGI layer, no framework middleware.

Paths are matched as they came, percent-encoded, so that an id may hold a slash (`%2F`); repeated and trailing slashes
mean nothing, and nobody is redirected. What nobody caught is logged, and answered without a word about itself.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.errors import refusal
from hub.core import trace
from hub.core.errors import HeaderFault

log = structlog.get_logger()

AREAS: Final = frozenset({"api", "files", "health", "metrics"})
_ONCE: Final = frozenset({b"authorization", b"content-type", b"content-length", b"host"})


class Front:
    """See the module. `answered` counts answers by area (`AREAS`), method and status."""

    def __init__(self, app: ASGIApp, answered: Counter[tuple[str, str, int]]) -> None:
        self._app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _area(scope) not in AREAS:
            await self._app(scope, receive, send)
            return
        started = False

        async def counting(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._answered[_area(scope), scope["method"], message["status"]] += 1
            await send(message)

        trace.begin()
        try:
            _check_headers(scope)
            await self._app(_plain(scope), receive, counting)
        except ClientDisconnect:
            return
        except HeaderFault as fault:
            await refusal(fault)(scope, receive, counting)
        except Exception as error:  # the caller still gets an answer, in our form
            log.exception("request failed", area=_area(scope), error=type(error).__name__)
            if not started:
                await refusal(error)(scope, receive, counting)


def _area(scope: Scope) -> str:
    """The first word of the path."""
    return str(scope["path"]).lstrip("/").split("/", 1)[0]


def _plain(scope: Scope) -> dict[str, Any]:
    """The scope with the path as it is matched: still encoded, without empty segments."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    segments = raw.split(b"?", 1)[0].decode("latin-1").split("/")
    return {**scope, "path": "/" + "/".join(segment for segment in segments if segment)}


def _check_headers(scope: Scope) -> None:
    """Raises: HeaderFault, when two readers could read two different requests."""
    names = [name for name, _ in scope["headers"] if name in _ONCE]
    if len(set(names)) != len(names):
        raise HeaderFault("a header is repeated that may stand once")
