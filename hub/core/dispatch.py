"""The dispatcher: from a request under `/ocpi/` to the answer of one operation, in one look-up.

The road of a request: headers in one pass (repeated ones refused) -> caller by the raw Authorization bytes -> operation
by (version, side, module, number of segments) -> may this caller use it -> body, read under a limit, parsed once and
translated to our form -> handler -> envelope. Every way out is an OCPI envelope; errors travel as exceptions and get
their codes in `answers.py`. Nothing here is a middleware: the dispatcher stands outermost and hands what is not OCPI to
the application behind it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog

from hub.core import answers, trace
from hub.core.answers import Answer
from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS
from hub.core.errors import (
    BusbarError,
    HeaderFault,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    NotYours,
    RoleLacksInterface,
    TooLarge,
    TooManyRequests,
    TooSlow,
    Unauthorized,
    WrongMediaType,
)
from hub.core.inbound import parse
from hub.core.jsontypes import Json
from hub.core.limits import RateLimiter, address_key
from hub.core.operations import CONFIG, Operation, Side
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.registry import REGISTERING, Caller, Partner, TokenUse

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

log = structlog.get_logger()

_ONCE: Final = frozenset(
    {
        b"authorization",
        b"x-request-id",
        b"x-correlation-id",
        b"host",
        b"content-type",
        b"content-length",
        b"ocpi-to-country-code",
        b"ocpi-to-party-id",
        b"ocpi-from-country-code",
        b"ocpi-from-party-id",
    }
)
_CONFIG: Final = CONFIG.value
_SIDES: Final = frozenset({Side.SENDER.value, Side.RECEIVER.value})
_POSITIONS: Final = frozenset({"cpo", "emsp"})
"""On 2.1.1's own addresses of versions: which of its two sides is meant."""
_JSON: Final = b"application/json"
_KEPT: Final = _ONCE | {b"accept-encoding"}
_BODY_DEADLINE_S: Final = 30.0
_MAX_QUERY: Final = 8 * 1024
_MOST_READINGS: Final = 1_000
_NO_QUERY: Final[Mapping[str, str]] = MappingProxyType({})
_LONGEST_SEGMENT: Final = 255
_LONGEST_ID: Final = 200
"""Bytes of a message id that go back to the caller."""
_COPIED: Final = 16 * 1024
"""Up to this size a copy is cheaper than a second write."""


@dataclass(slots=True, eq=False)
class Reading:
    """What the words of a request mean. That of a GET is kept: who asks the same again is spared the reading."""

    caller: Caller
    version: str
    operation: Operation
    query: Mapping[str, str]
    path: str
    parameters: Mapping[str, str]
    routing: list[tuple[bytes, bytes]]
    """The routing headers of the answer."""
    is_admitted: bool = False


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

    def now_text(self) -> str:
        """The time of reception, for objects of 2.1.1 that carry none."""
        return timestamp(self.hub.clock.now())

    def accepts_gzip(self) -> bool:
        return _takes_gzip(self.headers.get(b"accept-encoding", b""))


@dataclass(frozen=True, slots=True)
class _Route:
    operation: Operation
    names: tuple[tuple[int, str], ...]
    literals: tuple[tuple[int, str], ...]

    def fits(self, segments: list[str]) -> bool:
        return not self.literals or all(segments[at] == literal for at, literal in self.literals)


class RouteTable:
    """Operations by (version, side, module, number of segments)."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._table: dict[tuple[str, str, str, int], dict[str, list[_Route]]] = {}
        self.modules: set[tuple[str, str, str]] = set()
        for operation in operations:
            route = _route(operation)
            for version in operation.versions:
                key = (version, operation.side.value, operation.module, len(operation.shape))
                routes = self._table.setdefault(key, {}).setdefault(operation.method, [])
                routes.append(route)
                routes.sort(key=lambda r: -len(r.literals))
                self.modules.add(key[:3])

    def find(self, version: str, side: str, module: str, segments: list[str], method: str) -> _Route:
        """Raises: NotFound, when no operation has this shape; MethodNotAllowed, with what would be allowed."""
        methods = self._table.get((version, side, module, len(segments)))
        if methods is None:
            raise self._missing(version, side, module)
        for route in methods.get(method, ()):
            if route.fits(segments):
                return route
        allow = tuple(sorted(m for m, routes in methods.items() if any(r.fits(segments) for r in routes)))
        if not allow:
            raise NotFound("there is no such resource")
        raise MethodNotAllowed(allow=allow)

    def _missing(self, version: str, side: str, module: str) -> BusbarError:
        if (version, side, module) in self.modules:
            return NotFound("there is no such resource")
        return NotFound("this module has no such interface here")


def _route(operation: Operation) -> _Route:
    names = [(at, part[1:-1]) for at, part in enumerate(operation.shape) if part.startswith("{")]
    literals = [(at, part) for at, part in enumerate(operation.shape) if not part.startswith("{")]
    return _Route(operation, tuple(names), tuple(literals))


class Dispatcher:
    """The ASGI application that serves `/ocpi/` and hands everything else to `behind`."""

    def __init__(self, hub: Hub, operations: Iterable[Operation], behind: App) -> None:
        self._hub = hub
        self._routes = RouteTable(operations)
        self._behind = behind
        settings = hub.settings
        self._readings: dict[tuple[object, ...], Reading] = {}
        self.answered: Counter[tuple[str, str, int]] = Counter()
        """Answers since the start by module, method and HTTP status; `other` where no operation was found."""
        self._per_partner = RateLimiter(rate_per_s=settings.rate_per_partner, burst=settings.burst_per_partner)
        self._failures = RateLimiter(
            rate_per_s=settings.failed_logins_per_min / 60, burst=settings.failed_logins_per_min
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_ours(scope["path"]):
            await self._behind(scope, receive, send)
            return
        headers: dict[bytes, bytes] = {}
        call: Call | None = None
        try:
            _collect(scope["headers"], headers)
            trace.begin(
                request_id=_message_id(headers, b"x-request-id"),
                correlation_id=_message_id(headers, b"x-correlation-id"),
            )
            read = self._read(scope, headers)
            caller = read.caller
            call = Call(self._hub, read.version, read.operation, caller, headers, read.query, read.path, read)
            self._admit(call)
            self._hub.registry.heard(caller.partner.name)
            if self._hub.registry.replaces_another(caller):
                await self._hub.registry.settle(caller)
            answer = await self._perform(call, receive)
        except BusbarError as error:
            answer = answers.refusal(error, version=call.version if call is not None else None)
        except Exception as error:  # the last line: whatever happened, the partner gets an envelope
            log.exception("request failed", path=scope["path"][:80], error=type(error).__name__)
            answer = answers.refusal(error, version=call.version if call is not None else None)
        await self._reply(send, answer, headers, call)

    def _read(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Reading:
        """Raises: Unauthorized, NotFound, MethodNotAllowed, InvalidRequest."""
        if scope["method"] != "GET":
            return self._read_anew(scope, headers)
        words = (scope.get("raw_path") or scope["path"], scope["query_string"], *map(headers.get, _MEANING))
        known = self._readings.get(words)
        if known is not None and known.caller is self._hub.registry.known(headers[b"authorization"]):
            return known
        read = self._read_anew(scope, headers)
        if len(self._readings) >= _MOST_READINGS:
            self._readings.clear()
        self._readings[words] = read
        return read

    def _read_anew(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Reading:
        caller = self._authenticate(scope, headers)
        path = _path(scope)
        version, side, module, segments = _split(path)
        if side != _CONFIG and caller.use in REGISTERING:
            raise Unauthorized
        route = self._routes.find(version, side, module, segments, scope["method"])
        query = _query(scope["query_string"]) if scope["query_string"] else _NO_QUERY
        routing = []
        if route.operation.routed and version != "2.1.1":
            routing = _routing(headers, self._hub.settings.party, caller.partner.party)
        parameters = {name: segments[at] for at, name in route.names}
        return Reading(caller, version, route.operation, query, path, parameters, routing)

    def _authenticate(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Caller:
        header = headers.get(b"authorization")
        try:
            if header is None:
                raise Unauthorized
            registry = self._hub.registry
            return registry.known(header) or registry.caller(header, self._hub.clock.now())
        except Unauthorized:
            client = scope.get("client") or ("?", 0)
            address = address_key(client[0])
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
            _check_origin(call)
        call.reading.is_admitted = True

    async def _perform(self, call: Call, receive: Receive) -> Answer:
        operation, parameters = call.operation, call.reading.parameters
        if operation.body is None:
            return await operation.handler(call, **parameters)
        _check_media_type(call.headers.get(b"content-type"))
        raw = await _read_body(receive, operation.limit, call.headers.get(b"content-length"))
        tree = parse(raw, limit=operation.limit)
        return await operation.handler(call, **parameters, body=self._translate(call, tree, parameters))

    def _translate(self, call: Call, tree: Json, parameters: Mapping[str, str]) -> Any:
        assert call.operation.body is not None  # noqa: S101 - narrows the type; _perform asked
        wire = call.operation.body[call.version]
        if call.operation.patch:
            return wire.read_patch(tree)
        return wire.read(tree, given=_owner(call, parameters))

    async def _reply(self, send: Send, answer: Answer, headers: Mapping[bytes, bytes], call: Call | None) -> None:
        module, method = (call.operation.module, call.operation.method) if call is not None else ("other", "other")
        self.answered[module, method, answer.http] += 1
        if answer.gzip is not None and call is not None and call.accepts_gzip():
            head, tail = answer.gzip(lambda: b"".join(answers.envelope(answer, self._hub.clock))), b""
            answer.headers.append((b"content-encoding", b"gzip"))
        else:
            head, tail = answers.envelope(answer, self._hub.clock)
        out = answer.headers
        out.append((b"content-type", _JSON))
        out.append((b"content-length", b"%d" % (len(head) + len(tail))))
        for name in _ECHOED:
            if name in headers:
                out.append((name, headers[name][:_LONGEST_ID]))
        if call is not None:
            out += call.reading.routing
        await send({"type": "http.response.start", "status": answer.http, "headers": out})
        if len(tail) > _COPIED:
            await send({"type": "http.response.body", "body": head, "more_body": True})
            await send({"type": "http.response.body", "body": tail})
        else:
            await send({"type": "http.response.body", "body": head + tail})


def _owner(call: Call, parameters: Mapping[str, str]) -> Mapping[str, str]:
    """Whose object a body is, for a version that does not say so in it: the URL's party, else the caller's one."""
    if "country_code" in parameters:
        return {"country_code": parameters["country_code"].upper(), "party_id": parameters["party_id"].upper()}
    if call.version != VERSIONS[0] or not call.partner.party:
        return {}
    party = Party.parse(call.partner.party)
    return {"country_code": party.country_code, "party_id": party.party_id}


def _check_origin(call: Call) -> None:
    """FROM must be a party of the platform that the token names. Raises: InvalidRequest."""
    country = call.headers.get(b"ocpi-from-country-code")
    party = call.headers.get(b"ocpi-from-party-id")
    if country is None and party is None:
        return
    if f"{(country or b'').decode('latin-1')}*{(party or b'').decode('latin-1')}".upper() not in call.caller.parties:
        raise InvalidRequest("the OCPI-from headers name a party that is not yours")


def _collect(raw: Iterable[tuple[bytes, bytes]], into: dict[bytes, bytes]) -> None:
    for name, value in raw:
        if name in _KEPT:
            if name in into and name in _ONCE:
                raise HeaderFault(f"the header {name.decode()} is repeated")
            into[name] = value


@lru_cache(maxsize=256)
def _takes_gzip(accepted: bytes) -> bool:
    """By Accept-Encoding: gzip is named, and not with a weight of nought (RFC 9110, 12.5.3)."""
    for coding in accepted[:_LONGEST_ID].lower().replace(b" ", b"").split(b","):
        name, _, weight = coding.partition(b";q=")
        if name == b"gzip":
            return not weight or weight.strip(b"0.") != b""
    return False


def _is_ours(path: str) -> bool:
    return path.startswith("/ocpi/") or path == "/ocpi"


def _path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return (raw.split(b"?", 1)[0] if b"?" in raw else raw).decode("latin-1")


def _split(path: str) -> tuple[str, str, str, list[str]]:
    """(version, side, module, segments below the module). Segments are percent-decoded one by one."""
    parts = path.split("/")
    if "%" in path or len(path) > _LONGEST_SEGMENT or not (path.isascii() and path.isprintable()):
        parts = [_segment(part) for part in parts]
    if parts[-1] == "":
        parts.pop()
    if len(parts) >= 5 and parts[3] in _SIDES and parts[2] not in _POSITIONS:
        if parts[2] not in VERSIONS:
            raise NotFound("this version is not offered")
        return parts[2], parts[3], parts[4], parts[5:]
    if len(parts) >= 3 and parts[2] in _POSITIONS:
        return _config(parts[3:], parts[2])
    return _config(parts[2:], "")


def _config(parts: list[str], position: str) -> tuple[str, str, str, list[str]]:
    """`versions`, `{version}` and `{version}/credentials`; `position` is `cpo` or `emsp` on the 2.1.1 addresses."""
    leading = [position] if position else []
    if parts == ["versions"]:
        return "2.1.1" if position else VERSIONS[-1], _CONFIG, "versions", leading
    if parts and parts[0] in VERSIONS and not (position and parts[0] != "2.1.1"):
        if len(parts) == 1:
            return parts[0], _CONFIG, "version_details", leading
        if parts[1] == "credentials":
            return parts[0], _CONFIG, "credentials", parts[2:]
    raise NotFound("there is no such resource")


def _segment(raw: str) -> str:
    text = raw
    if "%" in raw or not raw.isascii():
        try:
            text = unquote_to_bytes(raw).decode()
        except UnicodeDecodeError:
            raise InvalidRequest("the path is not UTF-8") from None
    if len(text) > _LONGEST_SEGMENT or not text.isprintable():
        raise InvalidRequest("a path segment has characters that no id has")
    return text


def _query(raw: bytes) -> Mapping[str, str]:
    if len(raw) > _MAX_QUERY:
        raise TooLarge("the query is too long")
    query: dict[str, str] = {}
    for pair in raw.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name:
            query[_decoded(name)] = _decoded(value)
    return MappingProxyType(query)


def _decoded(raw: bytes) -> str:
    """A `+` stays a plus: in OCPI's queries it stands in time offsets, never for a space."""
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise InvalidRequest("the query is not UTF-8") from None


def _check_media_type(value: bytes | None) -> None:
    if value is None or value == _JSON:
        return
    if value.split(b";", 1)[0].strip().lower() != _JSON:
        raise WrongMediaType


async def _read_body(receive: Receive, limit: int, declared: bytes | None) -> bytes:
    if declared is not None and declared.isdigit() and int(declared[:20]) > limit:
        raise TooLarge
    try:
        async with asyncio.timeout(_BODY_DEADLINE_S):
            return await _parts(receive, limit)
    except TimeoutError:
        raise TooSlow from None


async def _parts(receive: Receive, limit: int) -> bytes:
    message = await _next(receive)
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(body) > limit:
            raise TooLarge
        return body
    parts = [body]
    size = len(body)
    while message.get("more_body") and size <= limit:
        message = await _next(receive)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
    if size > limit:
        raise TooLarge
    return b"".join(parts)


async def _next(receive: Receive) -> Mapping[str, Any]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise TooSlow
    return message


_ECHOED: Final = (b"x-request-id", b"x-correlation-id")
"""The message ids go back as they came (REQ-036, REQ-037)."""


def _message_id(headers: Mapping[bytes, bytes], name: bytes) -> str:
    """As it is passed on to other partners; "" for one that no header may carry, which gets a new one instead."""
    value = headers.get(name)
    if value is None:
        return ""
    text = value[:_LONGEST_ID].decode("latin-1")
    return text if text.isascii() and text.isprintable() else ""


_ROUTING: Final = (
    *(b"ocpi-from-country-code", b"ocpi-from-party-id"),
    *(b"ocpi-to-country-code", b"ocpi-to-party-id"),
)
_MEANING: Final = (b"authorization", *_ROUTING)
"""Headers on which the meaning of a request depends, beside its line."""
_BACK: Final = (*_ROUTING[2:], *_ROUTING[:2])


def _routing(headers: Mapping[bytes, bytes], own: str, theirs: str) -> list[tuple[bytes, bytes]]:
    """The routing headers of a response: who was asked answers the asker (Message Routing Headers)."""
    if all(name in headers for name in _ROUTING):
        return [(back, headers[name]) for name, back in zip(_ROUTING, _BACK, strict=True)]
    return _addressed(own, theirs)


@lru_cache(maxsize=1024)
def _addressed(sender: str, receiver: str) -> list[tuple[bytes, bytes]]:
    own, theirs = Party.parse(sender), Party.parse(receiver)
    return [
        (b"ocpi-from-country-code", own.country_code.encode()),
        (b"ocpi-from-party-id", own.party_id.encode()),
        (b"ocpi-to-country-code", theirs.country_code.encode()),
        (b"ocpi-to-party-id", theirs.party_id.encode()),
    ]
