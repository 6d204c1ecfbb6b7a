"""The dispatcher: from a request under `/ocpi/` to the answer of one operation, in one look-up.

The road of a request: headers in one pass (repeated ones refused) -> caller by the raw Authorization bytes -> operation
by (version, side, module, number of segments) -> may this caller use it -> body, read under a limit, parsed once and
translated to our form -> handler -> envelope. Every way out is an OCPI envelope; errors travel as exceptions and get
their codes in `answers.py`. Nothing here is a middleware: the dispatcher stands outermost and hands what is not OCPI to
the application behind it.

It is an ASGI application; `hub/http_direct.py` spares the usual requests that detour and calls `at_once` and `answer`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, NamedTuple

import structlog

from hub.core import answers, trace
from hub.core.answers import Answer
from hub.core.clock import timestamp
from hub.core.dialect import NO_CONTEXT, VERSIONS, Loss
from hub.core.errors import (
    BusbarError,
    InvalidRequest,
    NotYours,
    RoleLacksInterface,
    TooManyRequests,
    Unauthorized,
)
from hub.core.inbound import parse
from hub.core.jsontypes import Json, Tree
from hub.core.limits import RateLimiter, address_key
from hub.core.losses import pointers
from hub.core.operations import Operation, Wires
from hub.core.own_words import in_own_words, speaks_of_its_own
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.reading import PUSHES, Patterns, Reading, pattern_of
from hub.core.registry import REGISTERING, Caller, Partner, TokenUse
from hub.core.request import (
    CONFIG_SIDE,
    ECHOED,
    LONGEST_ID,
    MEANING,
    NO_QUERY,
    Asked,
    Receive,
    addressed,
    body_from,
    check_media_type,
    collect,
    is_ours,
    message_id,
    query_of,
    routing,
    split,
    takes_gzip,
)
from hub.core.route_table import RouteTable
from hub.core.routing import known_receiver

Scope = Mapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

log = structlog.get_logger()

COPIED: Final = 16 * 1024
"""Up to this size a copy is cheaper than a second write."""
_JSON: Final = b"application/json"
_MOST_READINGS: Final = 1_000
_LARGEST_KEPT: Final = 1024
"""Bytes of a body that counts among the words of a request."""


class Reply(NamedTuple):
    """What goes back: the HTTP status, the headers, and the body in two parts, or in many."""

    status: int
    headers: Headers
    head: bytes
    tail: bytes
    rest: Sequence[bytes] = ()

    @property
    def body(self) -> bytes:
        return b"".join((self.head, self.tail, *self.rest))


@dataclass(slots=True)
class Call:
    """One request, as a handler sees it."""

    hub: Hub
    version: str
    operation: Operation
    caller: Caller
    headers: Mapping[bytes, bytes]
    query: Mapping[str, str]
    path: str
    """Below the base URL, as it came, for `Link`."""
    reading: Reading
    """The same object for the same words, as long as it is kept."""
    raw: bytes = b""
    """The body as it came, where there is one."""
    received: Json = None
    """The body as it came, in the form of `version`, where the operation takes one."""
    missed: tuple[str, ...] = ()
    """What of the body our form cannot hold (`losses.pointers`); counted, unless it goes on as it came."""

    @property
    def partner(self) -> Partner:
        return self.caller.partner

    def as_party(self, country_code: str, party_id: str, roles: frozenset[PartyRole]) -> Party:
        """The party of the URL, once it is clear that the caller speaks for it in one of `roles`. Raises: NotYours."""
        try:
            party = Party.of(country_code, party_id)
        except InvalidRequest:
            raise NotYours from None
        if not self.caller.speaks_for(party, roles):
            raise NotYours
        return party

    @property
    def to(self) -> str:
        """The party that the request is for (OCPI-to); "" where that is left to us."""
        return self.reading.to

    @property
    def asker(self) -> str:
        """The party that asks."""
        return self.reading.asker or self.partner.party

    def answered_by(self, party: str) -> None:
        """The answer comes from `party`, not from the hub (Message Routing Headers, OCPI-from of a response)."""
        if self.reading.asker:
            self.reading.routing = routing(party, self.reading.asker)

    def written(self, wires: Wires, tree: Mapping[str, Any], context: Mapping[str, Any] = NO_CONTEXT) -> Tree:
        """Our `tree` in the words of the caller; what they cannot say is counted. Raises: NotExpressible.

        `context`: what an older version is to know beside it (`Wire.write`).
        """
        written, losses = wires[self.version].write(tree, context=context)
        self.lose(pointers(losses))
        return written

    def lose(self, fields: Collection[str]) -> None:
        """The answer goes without `fields` (see `Losses.note`)."""
        self.hub.losses.note(self.partner.name, "out", self.operation.module, fields)

    def in_version(self, version: str) -> Call:
        """The same call as one of `version`: for what has editions that OCPI does not number."""
        return self if version == self.version else replace(self, version=version)

    def arrived(self, part: Tree) -> str:
        """When a PATCH of 2.1.1 arrived that does not say when it changed something; "" for all others."""
        if self.version != VERSIONS[0] or "last_updated" in part:
            return ""
        return timestamp(self.hub.clock.now())

    def accepts_gzip(self) -> bool:
        return takes_gzip(self.headers.get(b"accept-encoding", b""))


class Dispatcher:
    """The ASGI application that serves `/ocpi/` and hands everything else to `behind`."""

    def __init__(self, hub: Hub, operations: Iterable[Operation], behind: App) -> None:
        self._hub = hub
        self._routes = RouteTable(operations)
        self._behind = behind
        settings = hub.settings
        self._readings: dict[tuple[object, ...], Reading] = {}
        self._patterns = Patterns()
        self.answered: Counter[tuple[str, str, int]] = Counter()
        """Answers since the start by module, method and HTTP status; `other` where no operation was found."""
        self._per_partner = RateLimiter(rate_per_s=settings.rate_per_partner, burst=settings.burst_per_partner)
        self._failures = RateLimiter(
            rate_per_s=settings.failed_logins_per_min / 60, burst=settings.failed_logins_per_min
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_ours(scope["path"]):
            await self._behind(scope, receive, send)
            return
        reply = await self.answer(_asked(scope, receive))
        await send({"type": "http.response.start", "status": reply.status, "headers": reply.headers})
        if len(reply.tail) > COPIED and not reply.rest:
            await send({"type": "http.response.body", "body": reply.head, "more_body": True})
            await send({"type": "http.response.body", "body": reply.tail})
        else:
            await send({"type": "http.response.body", "body": reply.body})

    async def answer(self, asked: Asked) -> Reply:
        """Serve one request. Raises nothing."""
        headers = asked.known_headers
        call: Call | None = None
        try:
            if not headers:
                collect(asked.headers, headers)
            trace.begin(
                request_id=message_id(headers, b"x-request-id"),
                correlation_id=message_id(headers, b"x-correlation-id"),
            )
            read = self._read(asked, headers)
            caller = read.caller
            call = Call(self._hub, read.version, read.operation, caller, headers, read.query, read.path, read)
            self._admit(call)
            self._hub.registry.heard(caller.partner.name)
            if self._hub.registry.replaces_another(caller):
                await self._hub.registry.settle(caller)
            answer = await self._perform(call, asked)
        except BusbarError as error:
            answer = _refusal(error, call)
        except Exception as error:  # the last line: whatever happened, the partner gets an envelope
            log.exception("request failed", path=asked.path[:80], error=type(error).__name__)
            answer = _refusal(error, call)
        return self._reply(answer, headers, call)

    def at_once(self, asked: Asked) -> Reply | None:
        """The answer to what was asked before, if it is in memory. None: nothing was done, `answer` is to."""
        if not _may_repeat(asked):
            return None
        headers: dict[bytes, bytes] = {}
        try:
            collect(asked.headers, headers)
        except BusbarError:
            return None
        asked.known_headers = headers
        read = self._known(_words(asked, headers), headers)
        if read is None or read.ready is None or not read.is_admitted:
            return None
        caller, registry = read.caller, self._hub.registry
        call = Call(self._hub, read.version, read.operation, caller, headers, read.query, read.path, read)
        answer = read.ready(call)
        if answer is None or registry.replaces_another(caller) or self._per_partner.take(caller.partner.name) > 0:
            return None
        registry.heard(caller.partner.name)
        return self._reply(answer, headers, call)

    def _known(self, words: tuple[object, ...], headers: Mapping[bytes, bytes]) -> Reading | None:
        """What the same words meant before, if they still do."""
        known = self._readings.get(words)
        if known is None or known.caller is not self._hub.registry.known(headers[b"authorization"]):
            return None
        return known

    def _read(self, asked: Asked, headers: Mapping[bytes, bytes]) -> Reading:
        """Raises: Unauthorized, NotFound, MethodNotAllowed, InvalidRequest."""
        if not _may_repeat(asked):
            return self._patterns.find(asked, headers, self._hub.registry) or self._read_anew(asked, headers)
        words = _words(asked, headers)
        known = self._known(words, headers)
        if known is not None:
            return known
        read = self._patterns.find(asked, headers, self._hub.registry) or self._read_anew(asked, headers)
        if asked.method != "GET" and not read.operation.repeats:
            return read
        if len(self._readings) >= _MOST_READINGS:
            self._readings.clear()
        self._readings[words] = read
        return read

    def _read_anew(self, asked: Asked, headers: Mapping[bytes, bytes]) -> Reading:
        caller = self._authenticate(asked, headers)
        path = asked.path.decode("latin-1")
        version, side, module, segments = split(path)
        if side != CONFIG_SIDE and caller.use in REGISTERING:
            raise Unauthorized
        route = self._routes.find(version, side, module, segments, asked.method)
        query = query_of(asked.query) if asked.query else NO_QUERY
        parameters = {name: segments[at] for at, name in route.names}
        reading = Reading(caller, version, route.operation, query, path, parameters)
        if route.operation.routed and version != "2.1.1":
            self._address(reading, headers)
        if route.operation.listed or (
            asked.method in PUSHES and self._routes.is_open_ended(version, side, module, segments, asked.method)
        ):
            reading.like = pattern_of(asked, headers)
        return reading

    def _address(self, reading: Reading, headers: Mapping[bytes, bytes]) -> None:
        """Who asks whom. Raises: InvalidRequest."""
        reading.to = addressed(headers, "to")
        reading.asker = addressed(headers, "from") or reading.caller.partner.party
        settings = self._hub.settings
        by_us = reading.operation.kept and reading.to not in settings.own_parties
        reading.routing = routing(settings.hub if by_us else reading.to or settings.hub, reading.asker)

    def _authenticate(self, asked: Asked, headers: Mapping[bytes, bytes]) -> Caller:
        if asked.caller is not None:
            return asked.caller
        header = headers.get(b"authorization")
        try:
            if header is None:
                raise Unauthorized
            registry = self._hub.registry
            return registry.known(header) or registry.caller(header, self._hub.clock.now())
        except Unauthorized:
            address = address_key(asked.address)
            self._hub.logins.failed("ocpi", address, "no token" if header is None else "unknown token")
            wait_s = self._failures.take(address)
            if wait_s > 0:
                raise TooManyRequests(retry_after_s=max(1, round(wait_s))) from None
            raise

    def _admit(self, call: Call) -> None:
        operation, caller = call.operation, call.caller
        if not (caller.is_registered or operation.pending):
            raise Unauthorized
        wait_s = self._per_partner.take(caller.partner.name)
        if wait_s > 0:
            raise TooManyRequests(retry_after_s=max(1, round(wait_s)))
        if call.reading.is_admitted:
            return
        if caller.use is not TokenUse.PROBE and operation.callers.isdisjoint(caller.roles):
            raise RoleLacksInterface
        if operation.routed and call.version != "2.1.1":
            _check_addresses(call)
        call.reading.is_admitted = True
        self._patterns.keep(call.reading)

    async def _perform(self, call: Call, asked: Asked) -> Answer:
        if call.operation.body is not None:
            await self._receive(call, asked)
        if speaks_of_its_own(call):
            return await in_own_words(call, partial(self._carry_out, call))
        return await self._carry_out(call, call.reading.parameters)

    async def _receive(self, call: Call, asked: Asked) -> None:
        operation = call.operation
        if not operation.bodiless:
            check_media_type(call.headers.get(b"content-type"))
        call.raw = raw = await asked.body(operation.limit, call.headers.get(b"content-length"))
        if operation.bodiless:
            if not raw:
                return
            check_media_type(call.headers.get(b"content-type"))
        call.received = parse(raw, limit=operation.limit)

    async def _carry_out(self, call: Call, parameters: Mapping[str, str]) -> Answer:
        operation = call.operation
        if operation.body is None:
            return await operation.handler(call, **parameters)
        if operation.bodiless and not call.raw:
            return await operation.handler(call, **parameters, body=None)
        answer = await operation.handler(call, **parameters, body=self._translate(call, call.received, parameters))
        self._hub.losses.note(call.partner.name, "in", operation.module, call.missed)
        return answer

    def _translate(self, call: Call, tree: Json, parameters: Mapping[str, str]) -> Any:
        assert call.operation.body is not None  # noqa: S101 - narrows the type; _perform asked
        wire = call.operation.body[call.version]
        lost: list[Loss] = []
        if call.operation.patch:
            read: Any = wire.read_patch(tree, losses=lost)
        elif call.operation.as_tree:
            read = wire.read_tree(tree, given=_owner(call, parameters), losses=lost)
        else:
            read = wire.read(tree, given=_owner(call, parameters), losses=lost)
        call.missed = pointers(lost)
        return read

    def _reply(self, answer: Answer, headers: Mapping[bytes, bytes], call: Call | None) -> Reply:
        module, method = (call.operation.module, call.operation.method) if call is not None else ("other", "other")
        self.answered[module, method, answer.http] += 1
        rest, rest_length = answer.rest, answer.rest_length
        if answer.gzip is not None and call is not None and call.accepts_gzip():
            head, tail = answer.gzip(lambda: b"".join((*answers.envelope(answer, self._hub.clock), *answer.rest))), b""
            rest, rest_length = (), 0
            answer.headers.append((b"content-encoding", b"gzip"))
        else:
            head, tail = answers.envelope(answer, self._hub.clock)
        out = answer.headers
        out.append((b"content-type", _JSON))
        out.append((b"content-length", b"%d" % (len(head) + len(tail) + rest_length)))
        for name in ECHOED:
            if name in headers:
                out.append((name, headers[name][:LONGEST_ID]))
        if call is not None:
            out += call.reading.routing if answer.routing is None else answer.routing
        return Reply(answer.http, out, head, tail, rest)


def _refusal(error: Exception, call: Call | None) -> Answer:
    """It comes from the party that refuses: from us, unless an answer is passed on. We are who is named of ours."""
    answer = answers.refusal(error, version=call.version if call is not None else None)
    if call is not None and call.reading.asker:
        settings = call.hub.settings
        ours = call.to if call.to in settings.own_parties else settings.hub
        by = error.by if isinstance(error, BusbarError) else ""
        answer.routing = routing(by or ours, call.reading.asker)
    return answer


def _asked(scope: Scope, receive: Receive) -> Asked:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    client = scope.get("client") or ("?", 0)
    path = raw.split(b"?", 1)[0] if b"?" in raw else raw
    return Asked(scope["method"], path, scope["query_string"], scope["headers"], client[0], body_from(receive))


def _words(asked: Asked, headers: Mapping[bytes, bytes]) -> tuple[object, ...]:
    if asked.method == "GET":
        return (asked.path, asked.query, *map(headers.get, MEANING))
    body = (asked.method, headers.get(b"content-type"), asked.content)
    return (asked.path, asked.query, *map(headers.get, MEANING), *body)


def _may_repeat(asked: Asked) -> bool:
    """Is it a GET, or a POST with a small body that is at hand?"""
    if asked.caller is not None:
        return False
    if asked.method == "GET":
        return True
    return asked.method == "POST" and asked.content is not None and len(asked.content) <= _LARGEST_KEPT


def _owner(call: Call, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Whose object a body is, for a version that does not say so in it: the URL's party, else the caller's one."""
    if "country_code" in parameters:
        return {"country_code": parameters["country_code"].upper(), "party_id": parameters["party_id"].upper()}
    if call.version != VERSIONS[0] or not call.partner.party:
        return {}
    party = Party.parse(call.partner.party)
    return {"country_code": party.country_code, "party_id": party.party_id}


def _check_addresses(call: Call) -> None:
    """FROM must be a party of the platform that the token names, TO one that is known here.

    Raises: InvalidRequest, UnknownReceiver.
    """
    if call.asker not in call.caller.parties:
        raise InvalidRequest("the OCPI-from headers name a party that is not yours")
    if call.to and call.to not in call.hub.settings.own_parties:
        known_receiver(call.hub.registry, call.to)
