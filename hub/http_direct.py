"""The usual requests without the detour of ASGI: from uvicorn's parser to the dispatcher and back.

An OCPI request that came in one piece needs no queue of events, no scope and no middleware: the dispatcher is called
with what the parser found. What is in memory is answered before the next byte is read (`Dispatcher.at_once`); all else
is a task. Whatever is unusual takes uvicorn's own way, with the same answers: a body that comes in parts, chunks,
`Expect`, an upgrade, HTTP/1.0, a forwarded client, and what is asked before the answer to the request before it.

    parser   on_headers_complete   usual: hold it, else uvicorn starts its cycle
             on_message_complete   held: answer at once, or start a task
    end of   data_received         still held: the rest has not come yet, so uvicorn starts its cycle after all

Leans on uvicorn's internals like `http_guard`; `tests/hub/test_http_guard.py` holds the behaviour of both ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hub.core.dispatch import COPIED, Dispatcher, Reply
from hub.core.request import PEER, Asked, body_at_hand
from hub.http_cork import CorkedHttp

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

_OURS: Final = b"/ocpi/"
_UNUSUAL: Final = frozenset({b"expect", b"transfer-encoding", b"upgrade", b"x-forwarded-for", b"x-forwarded-proto"})


class _Exchange:
    """What uvicorn looks at in the request that is being answered, where we answer it."""

    __slots__ = ("body", "disconnected", "keep_alive", "message_event", "more_body", "response_complete")

    def __init__(self) -> None:
        self.body = bytearray()
        self.disconnected = False
        self.keep_alive = True
        self.more_body = False
        self.response_complete = False
        self.message_event = _NOBODY_WAITS


class _Nobody:
    """An event that nobody waits for."""

    def set(self) -> None:
        pass


_NOBODY_WAITS: Final = _Nobody()


class DirectHttp(CorkedHttp):
    """One connection."""

    _held = False
    _early = b""
    _receiving = False

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._dispatcher: Dispatcher = config.app  # type: ignore[assignment]
        self._defaults: tuple[object, bytes] = (None, b"")
        self._idle_since = 0.0

    def data_received(self, data: bytes) -> None:
        self._receiving = True
        super().data_received(data)
        self._receiving = False
        if self._held and not self._over:
            self._let_go()

    def on_message_begin(self) -> None:
        """As uvicorn's, without the scope, which only its own way needs."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._begin_head()

    def on_headers_complete(self) -> None:
        if not self._is_usual():
            self._make_scope()
            super().on_headers_complete()
        elif self._is_head_fit():
            self._held, self._early = True, b""

    def on_body(self, body: bytes) -> None:
        if self._held:
            self._early += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self._held:
            super().on_message_complete()
        elif not self._over:
            self._held = False
            self._serve()

    def _is_usual(self) -> bool:
        """May we answer this ourselves, if all of it is here?"""
        if self._over or not self.url.startswith(_OURS) or b"#" in self.url or not self.url.isascii():
            return False
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        if self.flow.write_paused or not _UNUSUAL.isdisjoint([name for name, _ in self.headers]):
            return False
        return self.parser.should_keep_alive() and self.parser.get_http_version() == "1.1"

    def _let_go(self) -> None:
        """Uvicorn is to receive the rest, and to answer."""
        early, self._held, self._early = self._early, False, b""
        self._make_scope()
        super().on_headers_complete()
        if early and self.cycle is not None:
            super().on_body(early)

    def _make_scope(self) -> None:
        url, headers, expected = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)
        self.url, self.expect_100_continue = url, expected
        self.headers += headers  # the list that the scope has
        self.scope[PEER] = self.client  # type: ignore[typeddict-unknown-key]

    def _serve(self) -> None:
        path, _, query = self.url.partition(b"?")
        method = self.parser.get_method().decode()
        address = self.client[0] if self.client else "?"
        asked = Asked(method, path, query, self.headers, address, body_at_hand(self._early), self._early)
        self.cycle = exchange = _Exchange()  # type: ignore[assignment]
        reply = self._dispatcher.at_once(asked)
        if reply is not None:
            self._finish(exchange, reply)
            return
        task = self.loop.create_task(self._answer(asked, exchange))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _answer(self, asked: Asked, exchange: _Exchange) -> None:
        reply = await self._dispatcher.answer(asked)
        if self.flow.write_paused:
            await self.flow.drain()
        if not exchange.disconnected:
            self._finish(exchange, reply, bodiless=asked.method == "HEAD")

    def _finish(self, exchange: _Exchange, reply: Reply, *, bodiless: bool = False) -> None:
        out = [STATUS_LINE[reply.status], self._default_headers()]
        for name, value in reply.headers:
            out += (name, b": ", value, b"\r\n")
        out.append(b"\r\n" if exchange.keep_alive else b"connection: close\r\n\r\n")
        if bodiless:
            self.cork.write_whole(b"".join(out))
        elif reply.rest or len(reply.tail) > COPIED:
            out.append(reply.head)
            self.cork.write_whole(b"".join(out), reply.tail, *reply.rest)
        else:
            out += (reply.head, reply.tail)
            self.cork.write_whole(b"".join(out))
        exchange.response_complete = True
        if not exchange.keep_alive:
            self.transport.close()
        self._done()

    def _done(self) -> None:
        """As `on_response_complete`; where nothing else waits, without a new timer each time."""
        if self.pipeline or self._last_words is not None:
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self._wait_for_more(self.timeout_keep_alive)

    def _wait_for_more(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def on_response_complete(self) -> None:
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def _unset_keepalive_if_required(self) -> None:
        """Bytes that come leave the timer alone: it looks for itself how long nothing was asked."""
        if not self._receiving:
            super()._unset_keepalive_if_required()

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if self._in_head or (self.cycle is not None and not self.cycle.response_complete):
            left = max(left, 1.0)
        if left > 0:
            self._wait_for_more(left)
        else:
            super().timeout_keep_alive_handler()

    def _default_headers(self) -> bytes:
        """Uvicorn's, which it makes anew each second."""
        headers = self.server_state.default_headers
        if self._defaults[0] is not headers:
            self._defaults = (headers, b"".join(b"%b: %b\r\n" % pair for pair in headers))
        return self._defaults[1]
