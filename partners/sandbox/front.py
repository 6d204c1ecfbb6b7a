"""The front door of a partner: the receipt log and the mode, around the program that answers.

The order is the promise: read, process, write the receipt, then answer. A process killed at any point
therefore leaves either no effect, or an effect with its receipt.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from partners.sandbox.modes import Temper
from partners.sandbox.receipts import Receipt, Receipts, masked_body, masked_headers
from partners.sandbox.wire import encode, envelope, now_text

CERTIFICATE: Final = "partner.certificate"
"""Where in the scope the fingerprint of the sender's certificate stands."""
MODE: Final = "partner.mode"
"""Where in the scope the mode stands that the request meets."""

_Headers = list[tuple[bytes, bytes]]
_PAGE = b"<html><head><title>Forbidden</title></head><body><h1>The request was blocked</h1></body></html>"


@dataclass
class _Reply:
    status: int = 500
    headers: _Headers = field(default_factory=list)
    body: bytes = b""

    async def take(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")


def ocpi_refusal(temper: Temper) -> bytes:
    """What a bad mode says in OCPI."""
    return encode(envelope(code=3000 if temper.mode.refused_status >= 500 else 2000, message=temper.name))


class Front:
    """An ASGI application that treats what is `under` a path as the mode says, and lets the admin routes through."""

    def __init__(
        self,
        app: ASGIApp,
        receipts: Receipts,
        temper: Temper,
        *,
        under: str = "/ocpi",
        refusal: Callable[[Temper], bytes] = ocpi_refusal,
    ) -> None:
        self._app = app
        self._receipts = receipts
        self._temper = temper
        self._under = under
        self._refused = refusal
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Let go of the requests that a silent mode holds."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._under):
            await self._app(scope, receive, send)
            return
        scope[CERTIFICATE] = shown_certificate(send)
        temper = self._temper.towards(scope["path"])
        scope[MODE] = temper.mode
        body = await _whole_body(receive)
        await asyncio.sleep(temper.delay_s())
        if temper.mode.silent:
            self._note(scope, body, "silent", None)
            await self._until_gone(receive)
            _drop(send)
        elif temper.refuses():
            reply = self._refusal(temper)
            self._note(scope, body, "refused", reply)
            await _answer(send, reply)
        else:
            await self._serve(scope, receive, send, body, temper)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, body: bytes, temper: Temper) -> None:
        reply = await self._process(scope, body)
        if temper.mode.loses_reply:
            self._note(scope, body, "lost", reply)
            _drop(send)
            await receive()  # the server must see the connection end, or it would answer in our stead
            return
        self._note(scope, body, "answered", reply)
        reply.body = temper.bend(reply.body)
        await _answer(send, reply)

    async def _process(self, scope: Scope, body: bytes) -> _Reply:
        async def once() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        reply = _Reply()
        await self._app(scope, once, reply.take)
        return reply

    def _refusal(self, temper: Temper) -> _Reply:
        mode = temper.mode
        kind, body = (b"text/html", _PAGE) if mode.html else (b"application/json", self._refused(temper))
        headers = [(b"content-type", kind)]
        if mode.retry_after_s is not None:
            headers.append((b"retry-after", str(mode.retry_after_s).encode()))
        return _Reply(mode.refused_status, headers, body)

    def _note(self, scope: Scope, body: bytes, outcome: str, reply: _Reply | None) -> None:
        path = scope["raw_path"].decode("ascii")
        self._receipts.add(
            Receipt(
                at=now_text(),
                method=scope["method"],
                path=path,
                query=scope["query_string"].decode("latin-1"),
                headers=masked_headers(scope["headers"]),
                body=masked_body(path, body),
                outcome=outcome,
                status=reply.status if reply else None,
                answer=masked_body(path, reply.body) if reply else None,
                certificate=scope[CERTIFICATE],
            )
        )

    async def _until_gone(self, receive: Receive) -> None:
        waits: list[Awaitable[object]] = [receive(), self._closing.wait()]
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _whole_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if not message.get("more_body", False):
            return body


async def _answer(send: Send, reply: _Reply) -> None:
    headers = [(name, value) for name, value in reply.headers if name != b"content-length"]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def shown_certificate(send: Send) -> str | None:
    """The SHA-256 fingerprint of the client's certificate, in hex; None without one. ASGI has no word for it."""
    transport = _transport(send)
    tls = transport.get_extra_info("ssl_object") if transport else None
    shown = tls.getpeercert(binary_form=True) if tls else None
    return hashlib.sha256(shown).hexdigest() if shown else None


def _drop(send: Send) -> None:
    """End the connection without a byte. ASGI has no word for it, so we reach for uvicorn's transport."""
    transport = _transport(send)
    if transport is None:
        raise ConnectionResetError("the partner dropped the connection")
    transport.abort()


def _transport(send: Send) -> asyncio.Transport | None:
    found: asyncio.Transport | None = getattr(getattr(send, "__self__", None), "transport", None)
    return found
