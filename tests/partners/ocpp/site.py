"""A hub with a real store and a real gateway on loopback, two stations, and chargers that say what a test wants."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from hub.core.background import BackgroundTasks
from hub.core.clock import SystemClock, timestamp
from hub.core.errors import PeerFault, PeerTimeout
from hub.core.inbound import parse
from hub.core.operations import Side
from hub.core.parties import Party, PartyRole
from hub.core.ports import Found, Hub, NoChargers, PeerAnswer
from hub.core.registry import PARTNERS, Claim, Endpoint, Partner, Registry, State
from hub.core.secrets import Keys, Seal
from hub.core.store import open_store
from hub.core.units import Kind
from modules import all_kinds
from modules.cdrs.store import CDRS
from modules.locations import service as locations
from modules.locations.store import LOCATIONS
from modules.sessions.store import SESSIONS
from modules.tariffs import service as tariffs
from modules.tokens import service as tokens
from modules.tokens.model import Token
from partners.ocpp import journal
from partners.ocpp.gateway import KINDS, Gateway
from partners.ocpp.journal import TRANSACTIONS, Record
from partners.ocpp.reach import Reach
from tests.world import chosen_settings

OURS = Party("DE", "BSB")
THEIRS = Party("NL", "EEE")
PASSWORD = "0123456789abcdef0123456789abcdef01234567"
CARD = "04A1B2C3"
"""Whitelisted ALLOWED."""
ASKED_CARD = "04FFFFFF"
"""Whitelisted NEVER: its eMSP is asked each time."""
BLOCKED_CARD = "04B10C4D"
OCPP16 = [Subprotocol("ocpp1.6")]
TALKATIVE = {"ocpp_frames_per_s": 10_000, "ocpp_frames_burst": 2_000}
"""Settings with which a charger that says much is not slowed down."""
Payload = dict[str, Any]


def all_of_them() -> tuple[Kind, ...]:
    """Every kind that a hub with chargers needs."""
    return tuple({kind.name: kind for kind in (PARTNERS, *all_kinds(), *KINDS)}.values())


@dataclass
class Emsp:
    """The port to partners, scripted: `says` answers real-time authorization; None is silence."""

    says: Payload | None = None
    asked: list[tuple[tuple[str, ...], Payload | None]] = field(default_factory=list)
    fault: PeerFault | None = None

    async def send(
        self,
        partner: Partner,
        method: str,
        module: str,
        side: Side,
        path: tuple[str, ...] = (),
        *,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        to: str = "",
        sender: str = "",
        deadline_s: float | None = None,
    ) -> PeerAnswer:
        self.asked.append((path, parse(body, limit=65_536) if body else None))
        if self.fault is not None:
            raise self.fault
        if self.says is None:
            await asyncio.sleep(deadline_s or 0)
            raise PeerTimeout
        return PeerAnswer(200, 1000, self.says)

    async def get(self, partner: Partner, url: str, *, to: str = "", sender: str = "") -> PeerAnswer:
        raise AssertionError("nobody looks anything up here")

    async def post_to(self, partner: Partner, url: str, body: bytes, *, to: str = "", sender: str = "") -> PeerAnswer:
        raise AssertionError("nobody posts here")


class NoDiscovery:
    """Nobody registers."""

    async def discover(self, versions_url: str, token: str, *, version: str | None) -> Found:
        raise AssertionError("nobody registers here")


class Point:
    """A charger of which every frame is written by the test. CALLs of the hub are answered by `answers`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.answers: dict[str, Payload | tuple[str, str] | Callable[[Payload], Payload] | None] = {}
        self.asked: list[tuple[str, Payload]] = []
        self.stray: list[Any] = []
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._reader = asyncio.create_task(self._read())

    async def call(self, action: str, payload: Payload, *, message_id: str = "") -> Payload:
        """The CALLRESULT's payload. Raises AssertionError for a CALLERROR."""
        frame = await self.exchange([2, message_id or f"m{next(self._ids)}", action, payload])
        assert frame[0] == 3, frame
        answer: Payload = frame[2]
        return answer

    async def exchange(self, frame: list[Any]) -> list[Any]:
        """Whatever comes back under the id of `frame`."""
        return await self.exchange_text(frame[1], json.dumps(frame))

    async def exchange_text(self, message_id: str, text: str) -> list[Any]:
        """Whatever comes back under the id for `text`, sent as it is."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = future
        await self.socket.send(text)
        answer: list[Any] = await asyncio.wait_for(future, 30)
        return answer

    async def boot(self) -> str:
        answer = await self.call("BootNotification", {"chargePointVendor": "Acme", "chargePointModel": "Two"})
        return str(answer["status"])

    async def status(self, connector: int, status: str, at: datetime | None = None) -> None:
        when = {"timestamp": timestamp(at)} if at is not None else {}
        await self.call(
            "StatusNotification", {"connectorId": connector, "errorCode": "NoError", "status": status, **when}
        )

    async def start(
        self, at: datetime, *, tag: str = CARD, connector: int = 1, meter: int = 1000, **more: Any
    ) -> Payload:
        payload = {"connectorId": connector, "idTag": tag, "meterStart": meter, "timestamp": timestamp(at), **more}
        return await self.call("StartTransaction", payload)

    async def meter(self, at: datetime, wh: int, number: int | None = None, connector: int = 1) -> None:
        named = {"transactionId": number} if number is not None else {}
        sample = {"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        values = [{"timestamp": timestamp(at), "sampledValue": [sample]}]
        await self.call("MeterValues", {"connectorId": connector, **named, "meterValue": values})

    async def stop(self, at: datetime, number: int, meter: int, **more: Any) -> Payload:
        payload = {"transactionId": number, "meterStop": meter, "timestamp": timestamp(at), **more}
        return await self.call("StopTransaction", payload)

    async def close_code(self) -> int | None:
        """Wait until the hub hangs up."""
        await asyncio.wait_for(self.socket.wait_closed(), 30)
        return self.socket.close_code

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _read(self) -> None:
        try:
            while True:
                frame = json.loads(await self.socket.recv())
                if frame[0] == 2:
                    await self._answer(frame)
                elif frame[1] in self._waiting:
                    self._waiting.pop(frame[1]).set_result(frame)
                else:
                    self.stray.append(frame)
        except ConnectionClosed:
            for future in self._waiting.values():
                future.cancel()

    async def _answer(self, frame: list[Any]) -> None:
        _, message_id, action, payload = frame
        self.asked.append((action, payload))
        answer = self.answers.get(action, ("NotImplemented", ""))
        if callable(answer):
            answer = answer(payload)
        if answer is None:
            return
        if isinstance(answer, tuple):
            await self.socket.send(json.dumps([4, message_id, *answer, {}]))
        else:
            await self.socket.send(json.dumps([3, message_id, answer]))


@dataclass
class Site:
    """The hub and its gateway."""

    hub: Hub
    gateway: Gateway
    emsp: Emsp
    tasks: BackgroundTasks

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.gateway.port}"

    async def point(self, identity: str = "CP1", **how: Any) -> Point:
        """A charger that has connected, as `connected` says."""
        return Point(await self.connected(identity, **how))

    async def connected(
        self,
        identity: str = "CP1",
        *,
        path: str = "",
        password: str | bytes | None = PASSWORD,
        protocols: list[str] | None = None,
        **more: Any,
    ) -> ClientConnection:
        """The socket of a charger. Raises websockets' InvalidStatus when it was refused."""
        names = ["ocpp1.6"] if protocols is None else protocols
        return await connect(
            f"{self.url}{path}/{identity}",
            subprotocols=[Subprotocol(name) for name in names] or None,
            additional_headers=basic(identity, password),
            proxy=None,
            compression=more.pop("compression", None),
            ping_interval=None,
            **more,
        )

    async def sessions(self) -> list[Payload]:
        return [parse(d.body, limit=10**7) for d in await self.hub.store.select(SESSIONS)]

    async def cdrs(self) -> list[Payload]:
        return [parse(d.body, limit=10**7) for d in await self.hub.store.select(CDRS)]

    async def records(self) -> list[Record]:
        return [journal.record_in(d) for d in await self.hub.store.select(TRANSACTIONS)]

    async def doubts(self, station: str) -> list[Payload]:
        """What an operator is shown as odd of a station."""
        found: list[Payload] = (await Reach(self.hub, self.gateway.stations).view(station))["doubts"]
        return found

    async def evse_status(self, evse_uid: str) -> str:
        (document,) = await self.hub.store.select(LOCATIONS)
        evses = parse(document.body, limit=10**7)["evses"]
        return str(next(evse["status"] for evse in evses if evse["uid"] == evse_uid))

    async def settled(self, identity: str = "CP1") -> None:
        """A charger has been left in peace for long enough, and was asked for all that is unknown of it."""
        link = self.gateway.stations.get(identity).link
        assert link is not None
        if link.settle_at is not None:
            link.settle_at = self.hub.clock.monotonic()
        await until(lambda: link.settle_at is None and not self.gateway._ticker._work)

    async def restart(self) -> None:
        """A new gateway over the same store; nothing in memory survives."""
        await self.gateway.stop()
        self.gateway = Gateway(self.hub, tick_s=0.02)
        self.hub.chargers = Reach(self.hub, self.gateway.stations)
        await self.gateway.start("127.0.0.1", 0)


def basic(user: str, password: str | bytes | None) -> dict[str, str]:
    """The Authorization header of HTTP Basic."""
    if password is None:
        return {}
    secret = password.encode() if isinstance(password, str) else password
    return {"Authorization": "Basic " + base64.b64encode(user.encode() + b":" + secret).decode()}


async def until(condition: Callable[[], Awaitable[bool] | bool], *, seconds: float = 30.0) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(seconds):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.005)


def recently(seconds_ago: float = 7200) -> datetime:
    """A moment in the past, on a whole second."""
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).replace(microsecond=0)


def station(*evses: str, **more: Any) -> Payload:
    """A registration at LOC1 with one connector for each EVSE."""
    entries = {str(n): {"evse_uid": uid, "connectors": {str(n): "1"}} for n, uid in enumerate(evses, 1)}
    return {"location": "LOC1", "evses": entries, "password": PASSWORD, **more}


def token(uid: str, **more: Any) -> Payload:
    return {
        "country_code": THEIRS.country_code,
        "party_id": THEIRS.party_id,
        "uid": uid,
        "type": "RFID",
        "contract_id": f"NL-EEE-{uid}",
        "issuer": "Eee",
        "valid": True,
        "whitelist": "ALLOWED",
        "last_updated": "2026-01-01T00:00:00Z",
        **more,
    }


def _evse(uid: str) -> Payload:
    power = {"max_voltage": 230, "max_amperage": 32, "power_type": "AC_3_PHASE"}
    connector = {"id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "tariff_ids": ["T1"], **power}
    return {"uid": uid, "evse_id": f"DE*BSB*{uid}", "connectors": [connector]}


_LOCATION: Payload = {
    "id": "LOC1",
    "publish": True,
    "address": "Rail 1",
    "city": "Berlin",
    "country": "DEU",
    "coordinates": {"latitude": "52.520008", "longitude": "13.404954"},
    "time_zone": "Europe/Berlin",
    "evses": [_evse("E1"), _evse("E2"), _evse("E3"), _evse("E4")],
}
_TARIFF: Payload = {
    "id": "T1",
    "currency": "EUR",
    "tax_included": "NO",
    "elements": [{"price_components": [{"type": "ENERGY", "price": parse(b"0.30", limit=9), "step_size": 1}]}],
}


async def _furnish(hub: Hub) -> None:
    registry = hub.registry
    if await hub.store.select(LOCATIONS):
        return
    partner = Partner(
        name="eee",
        state=State.CONNECTED,
        claims=(Claim(role=PartyRole.EMSP, party=THEIRS),),
        version="2.2.1",
        endpoints=(Endpoint(identifier="tokens", role="SENDER", url="https://eee.example.com/tokens"),),
        their_token=registry.sealed("theirs"),
    )
    await registry.commit(partner, registry.unit(partner, new=True))
    now = hub.clock.now()
    await tariffs.put(hub.store, OURS, "T1", _TARIFF, now=now)
    await locations.put(hub.store, OURS, "LOC1", _LOCATION, now=now)
    cards = (token(CARD), token(ASKED_CARD, whitelist="NEVER"), token(BLOCKED_CARD, valid=False, whitelist="ALWAYS"))
    for card in cards:
        await tokens.put(hub.store, THEIRS, card["uid"], Token.model_validate(card), now=hub.clock.now())


@cache
def _furnished() -> bytes:
    """The database file of a furnished site: made once, as making it takes longer than most tests."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "busbar.db"

        async def furnish() -> None:
            async with a_site_on(f"sqlite:///{path}"):
                pass

        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, furnish()).result()
        return path.read_bytes()


@asynccontextmanager
async def a_site(directory: Path, **settings: Any) -> AsyncIterator[Site]:
    """A site with a SQLite file in `directory`: CP1 has E1 and E2, CP2 has E3; all at LOC1, 0.30 EUR a kWh."""
    path = directory / "busbar.db"
    path.write_bytes(_furnished())
    async with a_site_on(f"sqlite:///{path}", **settings) as made:
        yield made


@asynccontextmanager
async def a_site_on(database_url: str, **settings: Any) -> AsyncIterator[Site]:
    """The same in a database of either sort."""
    chosen = {"ocpp_status_debounce_s": 0, "ocpp_settle_s": 3600, "authorize_timeout_s": 0.3, **settings}
    tasks = BackgroundTasks()
    store = await open_store(database_url, all_of_them())
    keys = Keys.from_secret(b"x" * 32)
    emsp = Emsp()
    hub = Hub(
        store=store,
        clock=SystemClock(),
        settings=chosen_settings(party=str(OURS), **{"ocpp_late_stop_s": 0, **chosen}),
        registry=Registry(store, keys.pepper, Seal(keys.seal)),
        peers=emsp,
        discovery=NoDiscovery(),
        chargers=NoChargers(),
        background=tasks,
    )
    await _furnish(hub)
    await hub.registry.load()
    gateway = Gateway(hub, tick_s=0.02)
    hub.chargers = Reach(hub, gateway.stations)
    await gateway.start("127.0.0.1", 0)
    if gateway.stations.find("CP1") is None:
        await gateway.stations.put("CP1", station("E1", "E2"))
        await gateway.stations.put("CP2", station("E3"))
    site = Site(hub, gateway, emsp, tasks)
    try:
        yield site
    finally:
        await site.gateway.stop()
        await tasks.stop()
        await store.close()
