"""uvicorn's HTTP protocol with the deadlines and limits it lacks.

By default a connection that sends nothing, or half a header, stays open for ever, and nothing bounds the headers. Here
a request line and its headers must be complete within `HEADERS_DEADLINE_S`, within 32 KiB and 100 headers, and what is
not HTTP at all is answered with an OCPI envelope too.

An answer may leave before the body of its request was read, as a refusal mostly does. Where the rest is known to be
small it is read and dropped, and the connection kept. Else the answer says `Connection: close` (RFC 9112, 9.6), and the
client is left the time to read it.

Leans on uvicorn's internals, so the version is pinned and `tests/hub/test_http_guard.py` holds each of these.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hub.core.answers import CLIENT_ERROR
from hub.core.clock import SystemClock, timestamp
from hub.core.operations import LARGE

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HEADERS_DEADLINE_S: Final = 10.0
LINGER_S: Final = 2.0
REST_DEADLINE_S: Final = 10.0
"""For what is left of a body that nobody reads."""
MOST_HEADER_BYTES: Final = 32 * 1024
MOST_HEADERS: Final = 100
MOST_URL_BYTES: Final = 8 * 1024
MOST_DROPPED_BYTES: Final = LARGE
"""A longer body than any operation takes is not worth the connection."""
_TIMED_OUT: Final = 408


class GuardedHttp(HttpToolsProtocol):
    """One connection."""

    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _chunk = 0
    _pending = 0
    """Bytes of chunks that came after the one in which the present request began, until its headers are complete."""
    _over = False
    _last_words: tuple[int, str] | None = None
    """The refusal that goes out after the answers that are under way."""
    _dropping = False
    """The request has its answer, and the rest of its body is still to come."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._unset_keepalive_if_required()  # it may run since the rest of a body was dropped
        super().on_message_begin()
        self._begin_head()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MOST_URL_BYTES:
            self._refuse(431, "the URL is too long")

    def on_headers_complete(self) -> None:
        if self._is_head_fit():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._dropping:
            self._dropped()
        elif not self._over:
            super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Headers are counted by chunks and not one by one, as that would cost a tenth of a small request.

        So do deadlines: those that come in one piece, as nearly all do, never need one.
        """
        if self._over:
            return
        self._chunk = len(data)
        self._pending += self._chunk
        super().data_received(data)
        if self._in_head and not self._over:
            if self._pending > MOST_HEADER_BYTES + MOST_URL_BYTES:
                self._refuse(431, "the headers are too large")
            elif self._deadline is None:
                self._start_deadline()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "this is not HTTP")

    def _begin_head(self) -> None:
        self._pending = 0
        self._in_head = True

    def _is_head_fit(self) -> bool:
        """The headers are complete. False: they were refused."""
        self._in_head = False
        self._stop_deadline()
        if len(self.headers) > MOST_HEADERS or self._are_headers_large():
            self._refuse(431, "the headers are too large")
        return not self._over

    def _are_headers_large(self) -> bool:
        if self._chunk + self._pending <= MOST_HEADER_BYTES:
            return False
        return sum(len(name) + len(value) for name, value in self.headers) > MOST_HEADER_BYTES

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(HEADERS_DEADLINE_S, self._too_slow)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        self._refuse(408, "the request did not arrive in time")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        async def announced(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
            async def sent(message: ASGISendEvent) -> None:
                if cycle.more_body and message["type"] == "http.response.start" and cycle.keep_alive:
                    cycle.keep_alive = message["status"] != _TIMED_OUT and _is_rest_small(cycle)
                await send(message)

            await app(scope, receive, sent)

        super()._start_asgi_task(cycle, announced)

    def on_response_complete(self) -> None:
        unread = self.cycle.more_body
        super().on_response_complete()
        if self._last_words is not None and self.cycle.response_complete:
            self._say(*self._last_words)
        elif unread and not self._over:
            self._drop_the_rest()

    def _drop_the_rest(self) -> None:
        """Answered before its body was here. There is no next request before the body is complete."""
        self._dropping = True
        self._deadline = self.loop.call_later(REST_DEADLINE_S, self.transport.close)

    def _dropped(self) -> None:
        """The next request may come."""
        self._dropping = self.cycle.more_body = False
        self._stop_deadline()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _lingers(self) -> bool:
        """The connection is to end with this answer. True: not before the client could read it."""
        if self._over or self.cycle is None or not self.cycle.more_body:
            return False
        self._give_up()
        return True

    def _give_up(self) -> None:
        """What is left of the body is not waited for: it may be endless. The client can read the answer."""
        self._over = True
        self._stop_deadline()
        self.loop.call_soon(self._linger)

    def _refuse(self, status: int, why: str) -> None:
        """Answer and close, once the requests before this one have their answers. Nothing that was sent is echoed."""
        if self._over or self.transport is None or self.transport.is_closing():
            return
        self._over = True
        self._stop_deadline()
        if self.cycle is None or self.cycle.response_complete:
            self._say(status, why)
        elif self.cycle.more_body:  # it is this request's own body that cannot be read: nobody need wait for it
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._say(status, why)
        else:
            self._last_words = (status, why)

    def _say(self, status: int, why: str) -> None:
        if self.transport.is_closing():
            return
        self._last_words = None
        body = self._worded(why)
        self.transport.write(
            STATUS_LINE[status]
            + b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
            + body
        )
        self.loop.call_soon(self._linger)  # after what was written in this turn

    def _worded(self, why: str) -> bytes:
        """A refusal in the form of the protocol that is served here."""
        return b'{"status_code":%d,"status_message":"%b","timestamp":"%b"}' % (CLIENT_ERROR, why.encode(), _now())

    def _linger(self) -> None:
        """Close our side now, theirs a little later: closed with bytes unread, a reset may outrun the reply."""
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER_S, self.transport.close)


def _is_rest_small(cycle: RequestResponseCycle) -> bool:
    """Is it known to be? A client that waits to be told to continue may as well send none of it."""
    if cycle.waiting_for_100_continue:
        return False
    declared = next((value for name, value in cycle.scope["headers"] if name == b"content-length"), None)
    return declared is not None and int(declared) <= MOST_DROPPED_BYTES


def _now() -> bytes:
    return timestamp(SystemClock().now()).encode()
