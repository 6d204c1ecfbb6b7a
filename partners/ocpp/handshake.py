"""Who may open a websocket, decided before the upgrade. OCPP-J 1.6 section 3 and 6, security whitepaper section 3.

    identity      the last segment of the path, percent-decoded, one slash at the end allowed       unknown: 404
    profile 0     nothing is asked; a station must be registered so
    profile 1     Basic, user = identity                                                            wrong: 401
    profile 2     the same, and only over TLS                                                       plain: 403
    profile 3     a client certificate whose common name is the identity, over TLS                  else: 403
    protocol      the first of the client's list that we speak; none: upgrade, then close;
                  no list: refused (400), unless the station is registered as one that sends none

A station may always use a better transport than its profile asks for. Too many failures: 429, counted by address
for identities that are unknown, by address and identity for the others: nobody locks out a neighbour behind one proxy.
What costs nothing to check is checked whatever the count says, so the right credentials pass: the count bounds what
guesses cost, and not guessing. Against that a password is long, and of many wrong ones an alert opens
(`watch/rules.py`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ssl
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from hub.core.clock import Clock
from hub.core.limits import RateLimiter, address_key
from hub.core.logins import FailedLogins
from partners.ocpp.passwords import Passwords
from partners.ocpp.register import PROTOCOLS, Password, Station
from partners.ocpp.stations import Stations

_DEFLATE: Final = (ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True),)
_LONGEST_PATH: Final = 1024


class Refusal(Exception):
    """The upgrade is refused with this status and text."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Handshake:
    """The door. `admit` is websockets' process_request, `choose` its select_subprotocol."""

    def __init__(
        self,
        stations: Stations,
        passwords: Passwords,
        logins: FailedLogins,
        clock: Clock,
        *,
        at_once: int,
        failures_per_min: int,
        compression: bool,
        frame_bytes_2: int,
    ) -> None:
        self._stations = stations
        self._passwords = passwords
        self._logins = logins
        self._clock = clock
        self._places = asyncio.Semaphore(at_once)
        self._failures = RateLimiter(rate_per_s=failures_per_min / 60, burst=failures_per_min)
        self._strangers = RateLimiter(rate_per_s=failures_per_min / 60, burst=failures_per_min)
        self._compression = compression
        self._frame_bytes_2 = frame_bytes_2

    async def admit(self, socket: ServerConnection, request: Request) -> Response | None:
        """None lets the upgrade go on; `socket.username` is the station's identity then."""
        async with self._places:
            try:
                station = await self._known(request.path, _address(socket))
                await self._check(station, socket, request.headers)
                _check_protocol(station, request.headers)
            except Refusal as refusal:
                return _refused(socket, refusal)
        socket.username = station.identity
        self._furnish(socket, station, _spoken(station, request.headers))
        return None

    def _furnish(self, socket: ServerConnection, station: Station, protocol: str) -> None:
        """Size of frames, and compression, which a back end of 2.x has to offer (rules R28, R29)."""
        is_2 = protocol not in ("", "ocpp1.6")
        wanted = station.switches.compression
        offers = (self._compression or is_2) if wanted is None else wanted
        socket.protocol.available_extensions = _DEFLATE if offers else None
        if is_2:
            socket.protocol.max_message_size = self._frame_bytes_2

    async def _known(self, path: str, address: str) -> Station:
        identity = identity_in(path)
        live = self._stations.find(identity) if identity is not None else None
        are_too_many = live is None and self._strangers.take(address) > 0
        if live is None and identity is not None and not are_too_many:
            live = await self._stations.look_up(identity)
        if live is None:
            self._logins.failed("ocpp", address, "unknown identity", identity=identity or "")
            if are_too_many:
                raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many unknown stations")
            raise Refusal(HTTPStatus.NOT_FOUND, "no such station")
        return live.station

    async def _check(self, station: Station, socket: ServerConnection, headers: Headers) -> None:
        tls: ssl.SSLObject | None = socket.transport.get_extra_info("ssl_object")
        if station.security_profile == 0:
            return
        if station.security_profile >= 2 and tls is None:
            raise Refusal(HTTPStatus.FORBIDDEN, "this station's security profile asks for TLS")
        if station.security_profile == 3:
            if not hmac.compare_digest(_common_name(tls).casefold().encode(), station.identity.casefold().encode()):
                self._failed(station, _address(socket), "wrong certificate")
                raise Refusal(HTTPStatus.FORBIDDEN, "a client certificate of this station is asked for")
            return
        await self._check_password(station, _address(socket), headers)

    async def _check_password(self, station: Station, address: str, headers: Headers) -> None:
        user, presented = basic_in(headers.get_all("Authorization"))
        valid = [each for each in (station.password, station.previous_password) if each is not None]
        if user.casefold() != station.identity.casefold():
            valid = []
        right = next((each for each in valid if self._passwords.is_known(presented, each)), None)
        if right is None:
            right = await self._found_slowly(station, address, presented, valid)
        if right is station.password:
            await self._stations.logged_in(station)

    async def _found_slowly(
        self, station: Station, address: str, presented: bytes, valid: Sequence[Password]
    ) -> Password:
        """Which of them it is. Counted before it is known: guesses that come at once are as many. Raises: Refusal."""
        if self._failures.take(f"{address} {station.identity.casefold()}") > 0:
            self._failed(station, address, "too many wrong passwords")
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many wrong passwords")
        for each in valid:
            if await self._passwords.is_right(presented, each):
                return each
        self._failed(station, address, "wrong password")
        raise Refusal(HTTPStatus.UNAUTHORIZED, "wrong user or password")

    def _failed(self, station: Station, address: str, why: str) -> None:
        """Counted for the operator: of the address, and of the station that it wanted to be."""
        self._logins.failed("ocpp", address, why, identity=station.identity)
        live = self._stations.find(station.identity)
        if live is not None:
            live.rejects(self._clock.monotonic())


def choose(socket: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The first that we speak: the client's order is its preference. None: the upgrade goes on without (rule R27)."""
    return next((name for name in offered if name in PROTOCOLS), None)


def _spoken(station: Station, headers: Headers) -> str:
    """The protocol that is going to be spoken; "" for none."""
    lists = headers.get_all("Sec-WebSocket-Protocol")
    offered = [name.strip() for each in lists for name in each.split(",")]
    return next((name for name in offered if name in PROTOCOLS), "" if lists else station.switches.assume_protocol)


def identity_in(path: str) -> str | None:
    """The identity that a request path names (rule R16), None when it names none."""
    if len(path) > _LONGEST_PATH:
        return None
    last = path.partition("?")[0].removesuffix("/").rpartition("/")[2]
    try:
        identity = unquote(last, errors="strict")
    except UnicodeDecodeError:
        return None
    return identity if identity and identity.isprintable() else None


def basic_in(headers: Sequence[str]) -> tuple[str, bytes]:
    """User and password of HTTP Basic; the password as bytes, as it may be a raw key. Empty when there is none."""
    scheme, _, coded = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    if scheme.casefold() != "basic":
        return "", b""
    try:
        user, _, password = base64.b64decode(coded.strip(), validate=True).partition(b":")
        return unquote(user.decode()), password
    except (binascii.Error, UnicodeDecodeError):
        return "", b""


def _check_protocol(station: Station, headers: Headers) -> None:
    if not headers.get_all("Sec-WebSocket-Protocol") and station.switches.assume_protocol not in PROTOCOLS:
        raise Refusal(HTTPStatus.BAD_REQUEST, "Sec-WebSocket-Protocol is missing")


def _common_name(tls: ssl.SSLObject | None) -> str:
    certificate = tls.getpeercert() if tls is not None else None
    for part in (certificate or {}).get("subject", ()):
        for field in part:
            if field[0] == "commonName":
                return str(field[1])
    return ""


def _address(socket: ServerConnection) -> str:
    remote = socket.remote_address
    return address_key(str(remote[0])) if remote else ""


def _refused(socket: ServerConnection, refusal: Refusal) -> Response:
    response = socket.respond(refusal.status, refusal.text + "\n")
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Basic realm="ocpp", charset="UTF-8"'
    return response
