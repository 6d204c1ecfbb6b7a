"""A request under `/ocpi/`, as it came, and what its words mean: headers, ids of messages, path, query, body.

Whoever brings it (an ASGI server, or our own protocol) hands over an `Asked`. Everything here is pure but for reading a
body, which is bounded in size and time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Literal
from urllib.parse import unquote_to_bytes

from hub.core.dialect import VERSIONS
from hub.core.errors import HeaderFault, InvalidRequest, NotFound, TooLarge, TooSlow, WrongMediaType
from hub.core.operations import CONFIG, Side
from hub.core.parties import Party
from hub.core.registry import Caller

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

ECHOED: Final = (b"x-request-id", b"x-correlation-id")
"""The message ids go back as they came (REQ-036, REQ-037)."""
LONGEST_ID: Final = 200
"""Bytes of a message id that go back to the caller."""
NO_QUERY: Final[Mapping[str, str]] = MappingProxyType({})
_FROM: Final = (b"ocpi-from-country-code", b"ocpi-from-party-id")
_TO: Final = (b"ocpi-to-country-code", b"ocpi-to-party-id")
ROUTING: Final = (*_FROM, *_TO)
MEANING: Final = (b"authorization", *ROUTING)
"""Headers on which the meaning of a request depends, beside its line."""
PEER: Final = "busbar.peer"
"""In an ASGI scope: who is at the other end of the socket, whatever headers say of it."""
CONFIG_SIDE: Final = CONFIG.value

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
_KEPT: Final = _ONCE | {b"accept-encoding"}
_SIDES: Final = frozenset({Side.SENDER.value, Side.RECEIVER.value})
_POSITIONS: Final = frozenset({"cpo", "emsp"})
"""On 2.1.1's own addresses of versions: which of its two sides is meant."""
_JSON: Final = b"application/json"
_BODY_DEADLINE_S: Final = 30.0
_MAX_QUERY: Final = 8 * 1024
LONGEST_SEGMENT: Final = 255

Body = Callable[[int, bytes | None], Awaitable[bytes]]
"""Reads the body: at most so many bytes, of the length that was declared. Raises: TooLarge, TooSlow."""


@dataclass(slots=True)
class Asked:
    """One request: method, path and query as they were sent, headers with names in lower case, the client's address."""

    method: str
    path: bytes
    query: bytes
    headers: Iterable[tuple[bytes, bytes]]
    address: str
    body: Body
    content: bytes | None = None
    """The body, where it came together with the head."""
    caller: Caller | None = None
    """Who asks, where another protocol has found that out; else the Authorization header says it."""
    known_headers: dict[bytes, bytes] = field(default_factory=dict)
    """Those that mean something to us, once they were collected."""


def collect(raw: Iterable[tuple[bytes, bytes]], into: dict[bytes, bytes]) -> None:
    """The headers that mean something to us. Raises: HeaderFault, when one that may come once is repeated."""
    for name, value in raw:
        if name in _KEPT:
            if name in into and name in _ONCE:
                raise HeaderFault(f"the header {name.decode()} is repeated")
            into[name] = value


@lru_cache(maxsize=256)
def takes_gzip(accepted: bytes) -> bool:
    """By Accept-Encoding: gzip is named, and not with a weight of nought (RFC 9110, 12.5.3)."""
    for coding in accepted[:LONGEST_ID].lower().replace(b" ", b"").split(b","):
        name, _, weight = coding.partition(b";q=")
        if name == b"gzip":
            return not weight or weight.strip(b"0.") != b""
    return False


def is_ours(path: str) -> bool:
    return path.startswith("/ocpi/") or path == "/ocpi"


def split(path: str) -> tuple[str, str, str, list[str]]:
    """(version, side, module, segments below the module). Segments are percent-decoded one by one."""
    parts = path.split("/")
    if "%" in path or len(path) > LONGEST_SEGMENT or not (path.isascii() and path.isprintable()):
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
        return "2.1.1" if position else VERSIONS[-1], CONFIG_SIDE, "versions", leading
    if parts and parts[0] in VERSIONS and not (position and parts[0] != "2.1.1"):
        if len(parts) == 1:
            return parts[0], CONFIG_SIDE, "version_details", leading
        if parts[1] == "credentials":
            return parts[0], CONFIG_SIDE, "credentials", parts[2:]
    raise NotFound("there is no such resource")


def _segment(raw: str) -> str:
    text = raw
    if "%" in raw or not raw.isascii():
        try:
            text = unquote_to_bytes(raw).decode()
        except UnicodeDecodeError:
            raise InvalidRequest("the path is not UTF-8") from None
    if len(text) > LONGEST_SEGMENT or not text.isprintable():
        raise InvalidRequest("a path segment has characters that no id has")
    return text


def query_of(raw: bytes) -> Mapping[str, str]:
    if len(raw) > _MAX_QUERY:
        raise TooLarge("the query is too long")
    if b"%" not in raw and raw.isascii():
        plain = [pair.partition("=") for pair in raw.decode().split("&")]
        return MappingProxyType({name: value for name, _, value in plain if name})
    pairs = [pair.partition(b"=") for pair in raw.split(b"&")]
    return MappingProxyType({_decoded(name): _decoded(value) for name, _, value in pairs if name})


def _decoded(raw: bytes) -> str:
    """A `+` stays a plus: in OCPI's queries it stands in time offsets, never for a space."""
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise InvalidRequest("the query is not UTF-8") from None


def check_media_type(value: bytes | None) -> None:
    if value is None or value == _JSON:
        return
    if value.split(b";", 1)[0].strip().lower() != _JSON:
        raise WrongMediaType


def body_from(receive: Receive, *, deadline_s: float | None = None) -> Body:
    """The body of an ASGI request, which is here within `deadline_s`, or within what is enough for an object."""

    async def read(limit: int, declared: bytes | None) -> bytes:
        if declared is not None and declared.isdigit() and int(declared[:20]) > limit:
            raise TooLarge
        try:
            async with asyncio.timeout(_BODY_DEADLINE_S if deadline_s is None else deadline_s):
                return await _parts(receive, limit)
        except TimeoutError:
            raise TooSlow from None

    return read


def body_at_hand(body: bytes) -> Body:
    """A body that has come already."""

    async def read(limit: int, declared: bytes | None) -> bytes:
        if len(body) > limit:
            raise TooLarge
        return body

    return read


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


def message_id(headers: Mapping[bytes, bytes], name: bytes) -> str:
    """As it is passed on to other partners; "" for one that no header may carry, which gets a new one instead."""
    value = headers.get(name)
    if value is None:
        return ""
    text = value[:LONGEST_ID].decode("latin-1")
    return text if text.isascii() and text.isprintable() else ""


def addressed(headers: Mapping[bytes, bytes], direction: Literal["from", "to"]) -> str:
    """The party of the OCPI-from or the OCPI-to headers (`NL*EEE`), "" where both are left out.

    Raises: InvalidRequest, for half a party.
    """
    country, party = map(headers.get, _FROM if direction == "from" else _TO)
    if country is None and party is None:
        return ""
    try:
        return _party_in(country or b"", party or b"")
    except InvalidRequest:
        raise InvalidRequest(f"the OCPI-{direction} headers name no party") from None


@lru_cache(maxsize=4096)
def _party_in(country: bytes, party: bytes) -> str:
    return str(Party.of(country.decode("latin-1"), party.decode("latin-1")))


@lru_cache(maxsize=4096)
def routing(sender: str, receiver: str) -> list[tuple[bytes, bytes]]:
    """The routing headers of a message between two parties."""
    own, theirs = Party.parse(sender), Party.parse(receiver)
    return [
        (b"ocpi-from-country-code", own.country_code.encode()),
        (b"ocpi-from-party-id", own.party_id.encode()),
        (b"ocpi-to-country-code", theirs.country_code.encode()),
        (b"ocpi-to-party-id", theirs.party_id.encode()),
    ]
