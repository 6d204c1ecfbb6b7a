"""The only HTTP client: whoever speaks to a partner's server does so here.

What a far end may do to us is bounded: which address it has (`address_guard`), how long the whole exchange
takes (one deadline, so that a byte now and then does not hold us), how many bytes we read, and that those
bytes are what they seem (no decompression). Redirects are answers, not instructions. Plain http is for
allowed networks only.

Which error is raised says whether the request may have had its effect, which matters for what must not
happen twice:

    PeerUnreachable   it never left us
    PeerTimeout       it may have
    PeerNonsense      it may have: the connection broke, or the answer is not HTTP, too large or compressed

Nothing is logged here, and no error holds a header or more of a URL than its host.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from typing import Final, NamedTuple

import aiohttp
from yarl import URL

from hub.core.address_guard import AddressGuard, ForbiddenAddressError, GuardedResolver
from hub.core.errors import PeerNonsense, PeerTimeout, PeerUnreachable

MIB: Final = 1024 * 1024
KEEP_ALIVE_S: Final = 4.0
"""Shorter than the 5 s after which uvicorn and Node close an idle connection: we should be the first."""

_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_LONGEST_VALUE: Final = 8000
_VALUE = re.compile(rf"[\t -~]{{0,{_LONGEST_VALUE}}}")
_URL = re.compile(r"https?://[!-~]{1,2000}", re.IGNORECASE)
_NOT_GUESSED: Final = ("Content-Type",)
"""What aiohttp is not to add by itself; telling it costs more than all headers do, so only where it would add it."""
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


class OutboundAnswer(NamedTuple):
    """What came back. The names in `headers` are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after_s(self) -> float | None:
        """Whole seconds only; a date is left to the lane's own back-off. At most an hour."""
        text = self.headers.get("retry-after", "")
        return min(float(text), 3600.0) if text.isascii() and text.isdigit() else None


class Outbound:
    """Connections to partners, kept alive; at most `per_host` to one server, however slow it is."""

    def __init__(
        self,
        *,
        allow_networks: Sequence[str],
        total_timeout_s: float = 30,
        connect_timeout_s: float = 5,
        object_cap: int = MIB,
        page_cap: int = 10 * MIB,
        per_host: int = 8,
        tls: ssl.SSLContext | None = None,
        plain: bool = False,
    ) -> None:
        """Sizes in bytes. `plain`: http may go to the world too, for answers that are signed.

        Raises: ValueError, for text in `allow_networks` that is not a network.
        """
        self.object_cap = object_cap
        self.page_cap = page_cap
        self._total_timeout_s = total_timeout_s
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s)
        self._per_host = per_host
        self._tls = tls
        self._guards = {
            "https": AddressGuard(allow_networks),
            "http": AddressGuard(allow_networks, only_listed=not plain),
        }
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._open = AsyncExitStack()
        self._closed = False

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        deadline_s: float | None = None,
        cap: int | None = None,
        tls: ssl.SSLContext | None = None,
        reads: bool = True,
    ) -> OutboundAnswer:
        """One exchange, within `deadline_s` seconds all told; of the answer at most `cap` bytes are read.

        `tls`: how to speak to this server, where it wants to see a certificate of ours or has an authority of its own.
        Connections are kept for each context by itself. `reads`: the body of the answer counts; else, whatever it is,
        it is none of our business, and empty.

        Raises: PeerUnreachable, PeerTimeout, PeerNonsense (see above). Nothing else.
        """
        target = _checked(method, url, headers)
        if self._closed:
            raise PeerUnreachable("we are shutting down")
        session = self._session(target.scheme)
        try:
            async with (
                asyncio.timeout(self._total_timeout_s if deadline_s is None else deadline_s),
                session.request(
                    *(method, target),
                    headers=headers,
                    skip_auto_headers=None if "Content-Type" in headers else _NOT_GUESSED,
                    data=_payload(body),
                    allow_redirects=False,
                    ssl=tls or self._tls or True,
                ) as answer,
            ):
                content = await _read(answer, self.object_cap if cap is None else cap) if reads else b""
                return OutboundAnswer(answer.status, answer.headers, content)
        except _NEVER_SENT as error:
            raise PeerUnreachable(f"{target.host}: {_reason(error)}") from None
        except TimeoutError:
            raise PeerTimeout(f"{target.host} did not answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PeerNonsense(f"{target.host} broke off: {type(error).__name__}") from None

    async def close(self) -> None:
        """Close all connections, for good. Requests under way and later ones fail."""
        self._closed = True
        self._sessions.clear()
        await self._open.aclose()

    def _session(self, scheme: str) -> aiohttp.ClientSession:
        if scheme not in self._sessions:
            self._sessions[scheme] = self._new_session(self._guards[scheme])
        return self._sessions[scheme]

    def _new_session(self, guard: AddressGuard) -> aiohttp.ClientSession:
        resolver = GuardedResolver(guard)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=resolver,
                socket_factory=guard.socket_for,
                limit=0,
                limit_per_host=self._per_host,
                keepalive_timeout=KEEP_ALIVE_S,
            ),
            timeout=self._timeout,
            headers={"Accept-Encoding": "identity", "User-Agent": "Busbar"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        self._open.push_async_callback(resolver.close)
        self._open.push_async_callback(session.close)
        return session


def _checked(method: str, url: str, headers: Mapping[str, str]) -> URL:
    """The URL, not normalised: partners compare and sign theirs. Raises: PeerUnreachable."""
    if method not in _METHODS:
        raise PeerUnreachable("not a method that OCPI or OICP uses")
    if not (_are_names(tuple(headers)) and _is_value("".join(headers.values()))):
        for name, value in headers.items():
            if not _is_name(name) or not _is_value(value):
                raise PeerUnreachable(f"the header {name[:40]!r} cannot be sent as it is stored")
    return _target(url)


@lru_cache(maxsize=256)
def _are_names(names: tuple[str, ...]) -> bool:
    return all(map(_is_name, names))


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _is_value(value: str) -> bool:
    """Nearly all are told by two functions in C: even all values of a request as one, which then each could be sent."""
    plain = value.isascii() and value.isprintable() and len(value) <= _LONGEST_VALUE
    return plain or _VALUE.fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _target(url: str) -> URL:
    if not _URL.fullmatch(url):
        raise PeerUnreachable("the URL is not an absolute http(s) URL in ASCII")
    try:
        target = URL(url, encoded=True)
        usable = bool(target.host) and target.port is not None and target.user is target.password is None
    except ValueError:
        usable = False
    if not usable:
        raise PeerUnreachable("the URL cannot be used")
    return target


def _payload(body: bytes | None) -> aiohttp.BytesPayload | None:
    """What aiohttp would make of it, after asking itself what it is."""
    return None if body is None else aiohttp.BytesPayload(body)


async def _read(answer: aiohttp.ClientResponse, cap: int) -> bytes:
    """The body. Raises: PeerNonsense, when it is larger than `cap`, or compressed though we refused that."""
    if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise PeerNonsense("the receiver compressed its answer, which we do not accept")
    if (answer.content_length or 0) > cap:
        raise PeerNonsense(f"the receiver's answer is larger than {cap} bytes")
    if answer.content.is_eof():
        body: bytes = answer.content.read_nowait()
        if len(body) > cap:
            raise PeerNonsense(f"the receiver's answer is larger than {cap} bytes")
        return body
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > cap:
            raise PeerNonsense(f"the receiver's answer is larger than {cap} bytes")
        parts.append(part)
    return b"".join(parts)


def _reason(error: Exception) -> str:
    """Why no connection came about, for the operator; without addresses, as partners may read it too."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, ForbiddenAddressError):
        return "its address is not public, or https is missing; BUSBAR_ALLOW_NETWORKS lists exceptions"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "no such host"
    if isinstance(error, aiohttp.ClientSSLError):
        return "TLS failed"
    return "no connection"
