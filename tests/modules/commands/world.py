"""A hub with scripted chargers and partners at its edges; everything between is real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from hub.core.addressed import ADDRESSED
from hub.core.background import BackgroundTasks
from hub.core.callbacks import CALLBACKS
from hub.core.clock import timestamp
from hub.core.dispatch import Dispatcher
from hub.core.errors import PeerFault
from hub.core.inbound import encode, parse
from hub.core.operations import Side
from hub.core.parties import Party, PartyRole
from hub.core.ports import Found, Hub, NoChargers, Outcome, PeerAnswer, Place
from hub.core.registry import PARTNERS, Claim, Endpoint, IssuedToken, Partner, Registry, State, TokenUse
from hub.core.secrets import Keys, Seal
from hub.core.store import Store, open_store
from modules import all_kinds
from modules.commands import results
from modules.commands import store as commands
from modules.commands.routes import operations
from modules.commands.store import COMMANDS, RESERVATIONS, Command, Reservation
from modules.locations import service as locations
from modules.sessions import service as sessions
from modules.sessions.charge import load
from modules.sessions.store import SESSIONS
from modules.tokens.authorize import By, Decision
from tests.world import chosen_settings

OURS = Party("DE", "BSB")
NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
KINDS = (PARTNERS, ADDRESSED, CALLBACKS, *all_kinds())
TIMEOUT_S = 30


class ManualClock:
    """Time that stands until a test moves it."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return self.passed_s

    async def sleep(self, seconds: float) -> None:
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self.passed_s + seconds, sleeper)
        self._sleepers.append(entry)
        try:
            await sleeper
        finally:
            self._sleepers.remove(entry)

    @property
    def sleeping(self) -> int:
        return sum(not sleeper.done() for _, sleeper in self._sleepers)

    def next_wake(self) -> float | None:
        return min((at for at, sleeper in self._sleepers if not sleeper.done()), default=None)

    def move_to(self, passed_s: float) -> None:
        self.passed_s = passed_s
        for at, sleeper in self._sleepers:
            if at <= passed_s and not sleeper.done():
                sleeper.set_result(None)


@dataclass(frozen=True)
class After:
    """An answer that a charger takes its time for, longer than the port allows."""

    seconds: float
    outcome: Outcome


@dataclass
class Chargers(NoChargers):
    """The port, scripted: `answers` by method, ACCEPTED by default; None is silence."""

    clock: ManualClock
    places: dict[str, Place] = field(default_factory=dict)
    offline: set[str] = field(default_factory=set)
    features: set[str] = field(default_factory=lambda: {"Core", "Reservation"})
    answers: dict[str, Outcome | After | Exception | None] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    token_types: list[str] = field(default_factory=list)

    def place(self, evse_uid: str, connector_id: str | None = None) -> Place | None:
        return self.places.get(evse_uid)

    async def reachable(self, station: str) -> bool:
        return station not in self.offline

    async def supports(self, station: str, feature: str) -> bool:
        return feature in self.features

    async def remote_start(self, place: Place, *, id_tag: str, token_type: str = "", timeout_s: float) -> Outcome:
        self.token_types.append(token_type)
        return await self._called("remote_start", timeout_s, place=place, id_tag=id_tag)

    async def remote_stop(self, station: str, *, transaction: str, timeout_s: float) -> Outcome:
        return await self._called("remote_stop", timeout_s, station=station, transaction=transaction)

    async def unlock(self, place: Place, *, timeout_s: float) -> Outcome:
        return await self._called("unlock", timeout_s, place=place)

    async def reserve(
        self,
        place: Place,
        *,
        reservation: int,
        id_tag: str,
        token_type: str = "",
        parent_tag: str | None,
        expiry: str,
        timeout_s: float,
    ) -> Outcome:
        self.token_types.append(token_type)
        told = {"reservation": reservation, "id_tag": id_tag, "parent_tag": parent_tag, "expiry": expiry}
        return await self._called("reserve", timeout_s, place=place, **told)

    async def cancel_reservation(self, station: str, *, reservation: int, timeout_s: float) -> Outcome:
        return await self._called("cancel_reservation", timeout_s, station=station, reservation=reservation)

    async def _called(self, method: str, timeout_s: float, **told: Any) -> Outcome:
        self.calls.append((method, told))
        answer = self.answers.get(method, Outcome.ACCEPTED)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            await self.clock.sleep(timeout_s)
            return Outcome.TIMEOUT
        if isinstance(answer, After):
            await self.clock.sleep(answer.seconds)
            return answer.outcome
        return answer


@dataclass
class Peers:
    """The port, scripted: what was POSTed, and the faults that the next POSTs end in."""

    posted: list[tuple[str, str, Any]] = field(default_factory=list)
    tries: int = 0
    faults: list[PeerFault] = field(default_factory=list)

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
        raise AssertionError("a command calls nothing but the response_url")

    async def get(self, partner: Partner, url: str, *, to: str = "", sender: str = "") -> PeerAnswer:
        raise AssertionError("a command looks nothing up")

    async def post_to(self, partner: Partner, url: str, body: bytes, *, to: str = "", sender: str = "") -> PeerAnswer:
        self.tries += 1
        if self.faults:
            raise self.faults.pop(0)
        self.posted.append((partner.name, url, parse(body, limit=65_536)))
        return PeerAnswer(200, 1000, None)

    @property
    def results(self) -> list[Any]:
        return [body for _, _, body in self.posted]


class NoDiscovery:
    async def discover(self, versions_url: str, token: str, *, version: str | None) -> Found:
        raise AssertionError("nobody registers here")


@dataclass
class World:
    """The hub, and what is needed to command it."""

    hub: Hub
    clock: ManualClock
    chargers: Chargers
    peers: Peers
    tasks: BackgroundTasks
    keys: dict[str, str]
    http: httpx.AsyncClient

    @property
    def store(self) -> Store:
        return self.hub.store

    async def command(
        self, name: str, body: Any, *, by: str = "eee", version: str = "2.2.1", headers: Mapping[str, str] = {}
    ) -> httpx.Response:
        """POST a command, and leave what follows to `quiet` or `pass_s`."""
        return await self.http.post(
            f"/ocpi/{version}/receiver/commands/{name}",
            content=encode(body),
            headers={"Authorization": f"Token {self.keys[by]}", "Content-Type": "application/json", **headers},
        )

    async def commanded(self, name: str, body: Any, **how: Any) -> Any:
        """POST a command, wait for all that follows at once, and return the CommandResponse."""
        answer = await self.command(name, body, **how)
        await self.quiet()
        envelope = answer.json()
        assert (answer.status_code, envelope["status_code"]) == (200, 1000), envelope
        return envelope["data"]

    async def quiet(self) -> None:
        """Until all background work has ended, or waits for the clock."""
        async with asyncio.timeout(60):
            while len(self.tasks._tasks) > self.clock.sleeping:  # noqa: ASYNC110 - nobody tells when all sleep
                await asyncio.sleep(0.001)

    async def pass_s(self, seconds: float) -> None:
        """Let time pass; who wakes on the way acts at that moment."""
        until = self.clock.passed_s + seconds
        while (at := self.clock.next_wake()) is not None and at <= until:
            self.clock.move_to(at)
            await self.quiet()
        self.clock.move_to(until)

    async def crash(self) -> None:
        """All work of the process is gone; what is on disk stays."""
        await self.tasks.stop()

    async def restart(self) -> None:
        """A new process on the same database."""
        await self.crash()
        await results.recover(self.hub)
        await self.quiet()

    async def kept_commands(self) -> list[Command]:
        return [commands.command_in(document) for document in await self.store.select(COMMANDS)]

    async def kept_reservations(self) -> list[Reservation]:
        return [commands.reservation_in(document) for document in await self.store.select(RESERVATIONS)]

    async def session_statuses(self) -> list[str]:
        return [document.columns["status"] for document in await self.store.select(SESSIONS)]

    async def running_session(self, owner: str, evse_uid: str = "E1") -> str:
        """A charge of `owner`'s driver that runs at an EVSE. Returns: its session id."""
        country_code, party_id = owner.split("*")
        decision = Decision("ALLOWED", By.WHITELIST, token(country_code, party_id), owner)
        begun = sessions.Begun(self.chargers.places[evse_uid], decision, self.clock.now(), None)
        charge, unit = await sessions.begin(self.hub, begun)
        await self.store.commit(unit)
        return charge.session_id

    async def ended_session(self, session_id: str) -> None:
        charge = await load(self.store, session_id)
        assert charge is not None
        await self.store.commit(sessions.end(self.hub, charge, at=self.clock.now(), meter_kwh=None))


def token(country_code: str = "NL", party_id: str = "EEE", *, version: str = "2.2.1", uid: str = "APP-1") -> Any:
    """A token of an app user, as `version` writes it."""
    own = {"country_code": country_code, "party_id": party_id, "contract_id": "NL-EEE-C1"}
    if version == "2.1.1":
        own = {"auth_id": "NL-EEE-C1"}
    kind = "OTHER" if version == "2.1.1" else "APP_USER"
    common = {"uid": uid, "issuer": "Eee", "valid": True, "whitelist": "NEVER"}
    return {**own, **common, "type": kind, "last_updated": "2026-05-01T10:00:00Z"}


def response_url(command: str = "X", host: str = "eee.example.com") -> str:
    return f"https://{host}/results/{command}/1"


def start(version: str = "2.2.1", **fields: Any) -> Any:
    return _filled(
        {"response_url": response_url(), "token": token(version=version), "location_id": "LOC1", "evse_uid": "E1"},
        fields,
    )


def stop(session_id: str, **fields: Any) -> Any:
    return _filled({"response_url": response_url(), "session_id": session_id}, fields)


def unlock(**fields: Any) -> Any:
    place = {"location_id": "LOC1", "evse_uid": "E1", "connector_id": "1"}
    return _filled({"response_url": response_url(), **place}, fields)


def reserve(version: str = "2.2.1", **fields: Any) -> Any:
    expiry = timestamp(NOW + timedelta(hours=1))
    own = {"reservation_id": 7 if version == "2.1.1" else "R7", "expiry_date": expiry}
    return {**start(version), **own, "response_url": response_url("RESERVE_NOW"), **fields}


def cancel(reservation_id: str = "R7", **fields: Any) -> Any:
    return _filled({"response_url": response_url("CANCEL"), "reservation_id": reservation_id}, fields)


def _filled(tree: dict[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**tree, **fields}.items() if value is not None}


def _evse(uid: str, status: str = "AVAILABLE", capabilities: tuple[str, ...] = ()) -> dict[str, Any]:
    power = {"max_voltage": 230, "max_amperage": 32, "power_type": "AC_3_PHASE"}
    connector = {"id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", **power}
    own = {"capabilities": list(capabilities)} if capabilities else {}
    return {"uid": uid, "status": status, "connectors": [connector], **own}


def _location(location_id: str, *evses: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": location_id,
        "publish": True,
        "address": "Rail 1",
        "city": "Berlin",
        "country": "DEU",
        "coordinates": {"latitude": "52.520008", "longitude": "13.404954"},
        "time_zone": "Europe/Berlin",
        "evses": list(evses),
    }


_PARTNERS = (
    ("eee", Party("NL", "EEE"), PartyRole.EMSP, "https://eee.example.com"),
    ("fff", Party("FR", "FFF"), PartyRole.EMSP, "https://fff.example.org"),
    ("cpo", Party("BE", "BEC"), PartyRole.CPO, "https://cpo.example.net"),
)


async def _furnish(hub: Hub, keys: Mapping[str, str]) -> None:
    registry = hub.registry
    for name, party, role, site in _PARTNERS:
        live = IssuedToken(fingerprint=registry.fingerprint(keys[name]), use=TokenUse.LIVE)
        partner = Partner(
            name=name,
            state=State.CONNECTED,
            claims=(Claim(role=role, party=party),),
            version="2.2.1",
            versions_url=f"{site}/versions",
            endpoints=(Endpoint(identifier="commands", role="SENDER", url=f"{site}/commands"),),
            our_tokens=(live,),
            their_token=registry.sealed("theirs"),
        )
        await registry.commit(partner, registry.unit(partner, new=True))
    needs_connector = _evse("E3", "CHARGING", ("START_SESSION_CONNECTOR_REQUIRED",))
    loc1 = _location("LOC1", _evse("E1"), _evse("E2"), needs_connector, _evse("BARE"))
    for location in (loc1, _location("LOC2", _evse("BARE2"))):
        await locations.put(hub.store, OURS, location["id"], location, now=NOW)


@asynccontextmanager
async def a_world(database_url: str) -> AsyncIterator[World]:
    """LOC1 has E1 and E2 at the charger CP1, E3 (in use) at CP2, and BARE without a charger; LOC2 has no charger."""
    clock, tasks = ManualClock(), BackgroundTasks()
    settings = chosen_settings(party=str(OURS), command_timeout_s=TIMEOUT_S)
    store = await open_store(database_url, KINDS, clock=clock)
    keys = Keys.from_secret(b"x" * 32)
    registry = Registry(store, keys.pepper, Seal(keys.seal))
    chargers, peers = Chargers(clock), Peers()
    for evse_uid, station, connector in (("E1", "CP1", 1), ("E2", "CP1", 2), ("E3", "CP2", 1)):
        chargers.places[evse_uid] = Place(station, connector, "DE*BSB/LOC1", evse_uid, "1")
    hub = Hub(
        store=store,
        clock=clock,
        settings=settings,
        registry=registry,
        peers=peers,
        discovery=NoDiscovery(),
        chargers=chargers,
        background=tasks,
        operations=tuple(operations.table),
    )
    tokens = {name: f"bb_{name * 14}_" for name in ("eee", "fff", "cpo")}
    await _furnish(hub, tokens)
    app = Dispatcher(hub, hub.operations, _nothing_behind)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as http:
        yield World(hub, clock, chargers, peers, tasks, tokens, http)
    await tasks.stop()
    await store.close()


async def _nothing_behind(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("only OCPI is served here")
