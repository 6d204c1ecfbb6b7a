"""OICP as partners meet it: one ASGI application over the table of operations.

The road of a request: path -> operation; certificate -> connection; may this partner ask this, as the id of the path;
has it asked too often; the body, read under a limit; path and body name the same id; the handler; its message. What
ends in an error is answered by the tables of `answers.py`: with the operation's own message, and never with 5xx; a hub
gets HTTP 200 also then.

Served on a TLS port of its own, and below /oicp on the main port for proxies that end TLS (BUSBAR_OICP_PROXIES).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

import structlog

from hub.core import trace
from hub.core.errors import MethodNotAllowed, TooManyRequests, WrongMediaType
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.limits import RateLimiter
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.request import Receive, body_from, check_media_type, collect, query_of
from partners.oicp import answers
from partners.oicp.answers import Code, Refused
from partners.oicp.callers import Callers, Scope, check_body, check_path
from partners.oicp.connections import Connection, Connections
from partners.oicp.operations import SMALL, Operation, PartnerKind
from partners.oicp.paths import find
from partners.oicp.wire.faults import Finding, Unfit

log = structlog.get_logger()

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGE_S: Final = 120.0
"""Seconds in which a push of data must be here."""
_IN_A_THREAD: Final = 1024 * 1024
"""A message of more bytes is read beside the event loop: others are served meanwhile."""
_LEFT_S: Final = 5.0
"""Seconds in which the rest of a small body must be here, for the connection to go on."""
_NOTHING: Final = "other"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as a handler sees it: who asks what."""

    hub: Hub = field(repr=False)
    connection: Connection
    partner: Partner
    operation: Operation
    id: str
    """The operator or provider that asks, as it stands in the path; else in the body; "" where it stands in neither."""
    query: Mapping[str, str]
    message: Tree = field(repr=False)
    """The body as it came. That its id is the caller's is checked, nothing else."""


Handler: TypeAlias = Callable[[Call], Awaitable[Mapping[str, Any]]]
"""Answers one operation with its message. Raises: `answers.Refused`, any error of the hub, `wire.Unfit`."""


_PLAIN: Final = (b"", b"identity")
"""What Content-Encoding may say: we read no body that is packed."""


class _Reply(NamedTuple):
    http: int
    tree: Mapping[str, Any]
    body: bytes
    headers: list[tuple[bytes, bytes]]


class _Body:
    """What comes of a request, and whether all of it came: what is left unread ends the connection."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def __call__(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self._ended = not message.get("more_body")
        return message

    async def is_gone(self, scope: Scope) -> bool:
        """A small body is read also where the request was refused before: the client may go on asking."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if self._ended or not declared.isdigit() or int(declared[:20]) > SMALL:
            return self._ended
        try:
            async with asyncio.timeout(_LEFT_S):
                while not self._ended:
                    await self()
        except TimeoutError:
            return False
        return True


class Face:
    """See the module. Nothing is served before `serve` has said who answers."""

    def __init__(self, hub: Hub, connections: Connections) -> None:
        settings = hub.settings
        self._hub = hub
        self._handlers: Mapping[str, Handler] = {}
        self._callers = Callers(hub, connections)
        self._per_partner = RateLimiter(rate_per_s=settings.rate_per_partner, burst=settings.burst_per_partner)
        self._per_operation: dict[tuple[str, int], RateLimiter] = {}
        self._under_way: set[tuple[str, str]] = set()
        self.answered: Counter[tuple[str, int, str]] = Counter()
        """Answers since the start by operation, HTTP status and code; `other` where no operation was found."""

    def serve(self, handlers: Mapping[str, Handler]) -> None:
        """From now on these answer, each the operation of its name; one without a handler is not offered."""
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        trace.begin()
        body = _Body(receive)
        reply = await self._replied(scope, body)
        may_stay = await body.is_gone(scope)
        headers = [
            *reply.headers,
            *(() if may_stay else ((b"connection", b"close"),)),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(reply.body)).encode()),
            (b"process-id", trace.request_id().encode()),
        ]
        await send({"type": "http.response.start", "status": reply.http, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _replied(self, scope: Scope, receive: Receive) -> _Reply:
        operation: Operation | None = None
        asker: PartnerKind | None = None
        try:
            operation, id_in_path = find(_path(scope))
            if scope["method"] != "POST":
                raise MethodNotAllowed("all of OICP is POST", allow=("POST",))
            connection, partner = self._callers.caller(scope)
            asker = connection.kind
            tree = await self._serve(scope, receive, connection, partner, operation, id_in_path)
            reply = _Reply(200, tree, encode(tree), [])
        except Exception as error:  # the last line: whatever happened, the partner gets a message of OICP
            reply = _refusal(error, operation, asker)
        self._note(reply, operation)
        return reply

    async def _serve(
        self,
        scope: Scope,
        receive: Receive,
        connection: Connection,
        partner: Partner,
        operation: Operation,
        id_in_path: str,
    ) -> Mapping[str, Any]:
        check_path(connection, operation, id_in_path)
        self._admit(connection, operation)
        self._hub.registry.heard(partner.name)
        with self._alone(connection, operation):
            message = await _message(scope, receive, operation)
            asking = check_body(connection, operation, id_in_path, message)
            query = query_of(scope["query_string"])
            call = Call(self._hub, connection, partner, operation, asking, query, message)
            return await self._handler(operation)(call)

    def _handler(self, operation: Operation) -> Handler:
        """Raises: Refused."""
        handler = self._handlers.get(operation.name)
        if handler is None:
            raise Refused(Code.NOT_OFFERED)
        return handler

    @contextmanager
    def _alone(self, connection: Connection, operation: Operation) -> Iterator[None]:
        """A partner's pushes of data to one service come one after the other; that bounds their memory too.

        Raises: Refused, when another one is under way.
        """
        at = (connection.partner, operation.service)
        if operation.limit <= SMALL:
            yield
            return
        if at in self._under_way:
            raise Refused(Code.DATA_TRANSACTION, info="another push to this service is under way")
        self._under_way.add(at)
        try:
            yield
        finally:
            self._under_way.discard(at)

    def _admit(self, connection: Connection, operation: Operation) -> None:
        """Raises: TooManyRequests."""
        wait_s = self._per_partner.take(connection.partner)
        limit = connection.limit_per_min(operation)
        if limit and not wait_s:
            limiter = self._per_operation.get((operation.name, limit))
            if limiter is None:
                limiter = RateLimiter(rate_per_s=limit / 60, burst=limit)
                self._per_operation[operation.name, limit] = limiter
            wait_s = limiter.take(connection.partner)
        if wait_s > 0:
            raise TooManyRequests(f"{operation.name} was asked too often", retry_after_s=max(1, round(wait_s)))

    def _note(self, reply: _Reply, operation: Operation | None) -> None:
        status = reply.tree.get("StatusCode")
        code = str(status.get("Code", "")) if isinstance(status, Mapping) else ""
        name = operation.name if operation is not None else _NOTHING
        self.answered[name, reply.http, code] += 1
        if code != Code.SUCCESS:
            log.info("oicp refused", operation=name, http=reply.http, code=code, process_id=trace.request_id())


def _path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.split(b"?", 1)[0].decode("latin-1")


async def _message(scope: Scope, receive: Receive, operation: Operation) -> Tree:
    """Raises: HeaderFault, WrongMediaType, TooLarge, TooSlow, Unreadable, Unfit."""
    headers: dict[bytes, bytes] = {}
    collect(scope["headers"], headers)
    check_media_type(headers.get(b"content-type"))
    if any(name == b"content-encoding" and value.lower() not in _PLAIN for name, value in scope["headers"]):
        raise WrongMediaType("the body must be sent without a Content-Encoding")
    read = body_from(receive, deadline_s=LARGE_S if operation.limit > SMALL else None)
    body = await read(operation.limit, headers.get(b"content-length"))
    if len(body) > _IN_A_THREAD:
        tree = await asyncio.to_thread(parse, body, limit=operation.limit)
    else:
        tree = parse(body, limit=operation.limit)
    if not isinstance(tree, dict):
        raise Unfit((Finding("", "is no JSON object"),))
    return tree


def _refusal(error: Exception, operation: Operation | None, asker: PartnerKind | None) -> _Reply:
    if answers.row_of(error) is answers.UNEXPECTED and not isinstance(error, Refused):
        log.error("oicp request failed", exc_info=error, operation=operation.name if operation is not None else "")
    http, tree = answers.refusal(error, operation.answer if operation is not None else None, asker)
    headers = []
    if isinstance(error, TooManyRequests):
        headers.append((b"retry-after", str(error.retry_after_s).encode()))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.allow).encode()))
    return _Reply(http, tree, encode(tree), headers)
