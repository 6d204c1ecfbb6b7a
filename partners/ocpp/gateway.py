"""The chargers' websockets: a server of its own, on its own port.

    gateway = Gateway(hub)                     # hub.core.ports.Hub, with store, registry, settings, clock, background
    hub.chargers = Reach(hub, gateway.stations)  # implements hub.core.ports.Chargers; also what the API asks
    await gateway.start("127.0.0.1", 9000)     # port 0 takes a free one; TLS beside it, when a certificate is set
    gateway.port, gateway.tls_port
    await gateway.stop()                       # closes all sockets in waves (1012), then returns

The store must know the kinds of `partners.ocpp.gateway.KINDS`.

One socket a station: the newest that authenticated wins, the one before is closed, and a closing socket only removes
itself (rule R3). A socket costs one task, which reads what is not answered at once (`sockets.py`, `brief.py`); pings,
deadlines and whatever waits for its time are looked after by one ticker for all. A charger that hurries is read more
slowly, and nothing of it is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from hub.core.ports import Hub
from hub.core.settings import Settings
from hub.core.units import Audit, Kind, Unit
from partners.ocpp.apart.errands import ERRANDS
from partners.ocpp.apart.held import GATEWAYS, SOCKETS
from partners.ocpp.brief import BRIEF
from partners.ocpp.care.kinds import CARE_KINDS
from partners.ocpp.certificates import CERTIFICATE_REQUESTS
from partners.ocpp.desired.rows import TEMPLATES
from partners.ocpp.handshake import Handshake, choose
from partners.ocpp.journal import OCPP_EVENTS, TRANSACTIONS
from partners.ocpp.live import Link, Live
from partners.ocpp.passwords import Passwords
from partners.ocpp.pnc import NOBODY, Contracts
from partners.ocpp.quirks import QUIRKS
from partners.ocpp.register import LEARNED, PROTOCOLS, STATIONS
from partners.ocpp.reported import OCPP_REPORTED
from partners.ocpp.rpc import POLICY, Brief, Connection, LateAnswer, Limits
from partners.ocpp.samples import OCPP_SAMPLE_LISTS, OCPP_SAMPLES
from partners.ocpp.sequence import SEQUENCES
from partners.ocpp.sites.rows import KINDS as SITE_KINDS
from partners.ocpp.sites.steered import SteeredOrders
from partners.ocpp.sockets import ChargerSocket
from partners.ocpp.ticker import Ticker
from partners.ocpp.transactions import Transactions
from partners.ocpp.v2 import Version2
from partners.ocpp.v16 import Version16
from partners.ocpp.watch.outages import KINDS as OUTAGE_KINDS
from partners.ocpp.watch.rows import KINDS as WATCH_KINDS
from partners.ocpp.watch.watcher import Watcher

log = structlog.get_logger()

KINDS: Final[tuple[Kind, ...]] = (
    STATIONS,
    LEARNED,
    OCPP_EVENTS,
    OCPP_SAMPLES,
    OCPP_SAMPLE_LISTS,
    TRANSACTIONS,
    SEQUENCES,
    CERTIFICATE_REQUESTS,
    OCPP_REPORTED,
    TEMPLATES,
    QUIRKS,
    GATEWAYS,
    SOCKETS,
    ERRANDS,
    *SITE_KINDS,
    *CARE_KINDS,
    *WATCH_KINDS,
    *OUTAGE_KINDS,
)

NOT_TEXT: Final = 1003
NO_PROTOCOL: Final = 1002
RESTART: Final = 1012
REPLACED: Final = 4001

_WAITING_ROOM: Final = 4_096
"""Connections that the system may hold until they are taken in. A region's chargers come back within one second; in a
smaller room they are turned away without a word, and try again after 1, 3, 7, ... seconds."""
_WAVE: Final = 50
_WAVE_PAUSE_S: Final = 0.1
_LAST_HANDLER_S: Final = 10.0
"""How long the message that is being handled may take after its socket is gone."""


class Gateway:
    """The server. `tick_s`: how often it looks what is due; `contracts`: who is asked about those of ISO 15118."""

    def __init__(self, hub: Hub, *, tick_s: float = 0.5, contracts: Contracts = NOBODY) -> None:
        self.hub = hub
        settings = hub.settings
        self._passwords = Passwords(hub.registry.fingerprint, hub.clock)
        self.transactions = Transactions(hub)
        self.stations = SteeredOrders(hub, self._passwords, self.transactions)
        self.sites = self.stations.sites
        self._v16 = Version16(self.stations, self.transactions)
        self._v2 = Version2(self.stations, self.transactions, contracts)
        self._ticker = Ticker(hub, self.stations, self.transactions, tick_s=tick_s)
        self._watcher = Watcher(hub, self.stations, self.transactions)
        self._handshake = Handshake(
            self.stations,
            self._passwords,
            hub.logins,
            hub.clock,
            at_once=settings.ocpp_handshakes,
            failures_per_min=settings.failed_logins_per_min,
            compression=settings.ocpp_compression,
            frame_bytes_2=settings.ocpp_frame_2,
        )
        self._servers: list[Server] = []
        self._generation = 0
        self.socket_changed: Callable[[str], None] = lambda identity: None
        """Told of each station whose socket came or went."""

    @property
    def port(self) -> int:
        """Of the plain listener."""
        return _port_of(self._servers[0])

    @property
    def tls_port(self) -> int | None:
        """Of the TLS listener; None without a certificate."""
        return _port_of(self._servers[1]) if len(self._servers) > 1 else None

    async def start(self, host: str, port: int) -> None:
        """Read the register and what was going on, then listen. Raises: OSError, ssl.SSLError."""
        await self.stations.load()
        await self.transactions.load()
        await self.stations.display.begin(self.stations)
        await self.stations.work.start()
        self._servers.append(await self._listen(host, port, None))
        settings = self.hub.settings
        if settings.ocpp_tls_cert:
            self._servers.append(await self._listen(host, settings.ocpp_tls_port, self._tls()))
        self._ticker.start()
        self._watcher.start()
        log.info("chargers may connect", host=host, port=self.port, tls_port=self.tls_port)

    async def stop(self) -> None:
        """Let nobody in, close the sockets in waves, and wait until what was under way is answered or dropped."""
        await self._watcher.stop()
        await self._ticker.stop()
        await self.stations.work.stop()
        for server in self._servers:
            server.server.close()
        links = [live.link for live in self.stations if live.link is not None]
        for first in range(0, len(links), _WAVE):
            wave = links[first : first + _WAVE]
            await asyncio.gather(*(link.socket.close(RESTART, "restart") for link in wave))
            for link in wave:
                link.rpc.closed()
            if first + _WAVE < len(links):
                await asyncio.sleep(_WAVE_PAUSE_S)
        for server in self._servers:
            server.close(code=RESTART)
            await server.wait_closed()
        self._servers.clear()
        await self.transactions.quirks.write(self.stations.make_of)

    async def _listen(self, host: str, port: int, tls: ssl.SSLContext | None) -> Server:
        return await serve(
            self._serve,
            host,
            port,
            backlog=_WAITING_ROOM,
            ssl=tls,
            process_request=self._handshake.admit,
            select_subprotocol=choose,
            compression=None,
            max_size=self.hub.settings.ocpp_frame_16,
            ping_interval=None,
            open_timeout=10,
            close_timeout=2,
            server_header=None,
            create_connection=ChargerSocket,
        )

    async def _serve(self, socket: ServerConnection) -> None:
        if not isinstance(socket, ChargerSocket):
            raise TypeError("the server makes sockets of another kind")
        live = self.stations.find(socket.username)
        protocol = socket.subprotocol or (live.station.switches.assume_protocol if live is not None else "")
        if live is None or (socket.subprotocol is None and _offered(socket)) or protocol not in PROTOCOLS:
            await socket.close(NO_PROTOCOL, "no common subprotocol")
            return
        link = self._connected(live, socket, PROTOCOLS[protocol])
        try:
            await self._read(link)
        finally:
            link.rpc.closed()
            if link.rpc.worker is not None:
                await asyncio.wait({link.rpc.worker}, timeout=_LAST_HANDLER_S)
            if live.lost(link, self.hub.clock.monotonic()):
                log.info("station left", station=live.identity, code=socket.close_code)
                self.socket_changed(live.identity)
                self.stations.work.stirred(live)

    async def _read(self, link: Link) -> None:
        socket, clock, frames = link.socket, self.hub.clock, link.live.frames
        with contextlib.suppress(ConnectionClosed):
            while True:
                text = await socket.recv()
                link.heard_at = clock.monotonic()
                if isinstance(text, bytes):
                    await socket.close(NOT_TEXT, "text frames only")
                    return
                frames.keep(clock.now(), "in", text)
                await link.rpc.received(text)
                socket.unread -= 1

    def _connected(self, live: Live, socket: ChargerSocket, version: str) -> Link:
        """The station's socket from now on is this one."""
        now = self.hub.clock.monotonic()
        self._generation += 1
        link = Link(live, socket, version, self._generation, now)
        link.opened = self.hub.clock.now()
        link.settle_at = now + self.hub.settings.ocpp_settle_s
        link.waits = not live.station.is_configured
        link.rpc = Connection(
            _sender(link, self.hub),
            self.stations.work.listening(
                live, partial(self._v16.handle if version == "1.6" else self._v2.handle, link)
            ),
            self.hub.clock,
            version,
            _limits(self.hub.settings, version),
            close=_closer(link, self.hub),
            on_late=lambda late: self._late(live, late),
            brief=self.stations.work.unhurried(live, self._brief(link)),
            send_now=_sender_now(link, self.hub),
            odd=partial(self.transactions.quirks.count, live.identity),
        )
        socket.listener, socket.unread = _listener(link, self.hub), 0
        before, live.link = live.link, link
        live.told_gone = False
        if before is None and now - live.offline_since > self.hub.settings.offline_grace_s:
            live.connectors = {}
        log.info("station connected", station=live.identity, version=version, took_over=before is not None)
        self.socket_changed(live.identity)
        self.stations.work.stirred(live)
        live.connected(now)
        if before is not None:
            self._take_over(live, before)
        return link

    def _brief(self, link: Link) -> Mapping[str, Brief]:
        """What is answered at once: of 1.6 only."""
        if link.version != "1.6":
            return {}
        return {action: partial(answer, self._v16, link) for action, answer in BRIEF.items()}

    def _take_over(self, live: Live, before: Link) -> None:
        before.rpc.closed()
        hang_up = before.socket.close(REPLACED, "replaced by a newer connection")
        self.hub.background.start(hang_up, name=f"hang up {live.identity}")

    def _late(self, live: Live, late: LateAnswer) -> None:
        self.hub.background.start(self.stations.heard_late(live, late), name=f"late answer {live.identity}")

    def _tls(self) -> ssl.SSLContext:
        settings = self.hub.settings
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(settings.ocpp_tls_cert, settings.ocpp_tls_key or None)
        if settings.ocpp_client_ca:
            context.load_verify_locations(settings.ocpp_client_ca)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


def _limits(settings: Settings, version: str) -> Limits:
    """Certificates and reports of 2.x are long (rule R29)."""
    return Limits(
        frame_bytes=settings.ocpp_frame_16 if version == "1.6" else settings.ocpp_frame_2,
        frames_per_s=settings.ocpp_frames_per_s,
        burst=settings.ocpp_frames_burst,
    )


def _sender(link: Link, hub: Hub) -> Callable[[str], Awaitable[None]]:
    async def send(text: str) -> None:
        link.live.frames.keep(hub.clock.now(), "out", text)
        if not link.socket.send_now(text):
            await link.socket.send(text)

    return send


def _sender_now(link: Link, hub: Hub) -> Callable[[str], bool]:
    def send_now(text: str) -> bool:
        is_sent = link.socket.send_now(text)
        if is_sent:
            link.live.frames.keep(hub.clock.now(), "out", text)
        return is_sent

    return send_now


def _listener(link: Link, hub: Hub) -> Callable[[str], bool]:
    def listen(text: str) -> bool:
        is_taken = link.rpc.at_once(text)
        if is_taken:
            link.heard_at = hub.clock.monotonic()
            link.live.frames.keep(hub.clock.now(), "in", text)
        return is_taken

    return listen


def _closer(link: Link, hub: Hub) -> Callable[[int, str], Awaitable[None]]:
    async def close(code: int, reason: str) -> None:
        log.warning("station hung up on", station=link.live.identity, code=code, reason=reason)
        if code == POLICY:
            audit = Audit("busbar", "station.hung_up", link.live.identity, reason)
            hub.background.start(_kept(hub, audit), name=f"audit {link.live.identity}")
        await link.socket.close(code, reason)

    return close


async def _kept(hub: Hub, audit: Audit) -> None:
    await hub.store.commit(Unit().audited(audit))


def _offered(socket: ServerConnection) -> bool:
    """Did the client list any subprotocol?"""
    request = socket.request
    return request is not None and bool(request.headers.get_all("Sec-WebSocket-Protocol"))


def _port_of(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port
