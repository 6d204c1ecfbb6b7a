"""A whole hub in one process, as its partners see it: real store, registry and dispatcher; scripted edges.

    async with a_world(database_url, version="2.2.1") as world:
        said = await world.ask("GET", "/ocpi/2.2.1/sender/locations", by="e1")
        assert (said.http, said.code) == (200, 1000)

Every answer that passes `ask` is held against what is true of all answers (`Said.checked`), and `unchanged` shows that
a request had no effect.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import httpx

from hub.app import Program, kinds
from hub.core import trace
from hub.core.background import BackgroundTasks
from hub.core.clock import timestamp
from hub.core.dispatch import Dispatcher
from hub.core.inbound import encode, parse
from hub.core.operations import Operation, Side
from hub.core.parties import Party, PartyRole
from hub.core.ports import Found, Hub, NoChargers, PeerAnswer, Place
from hub.core.registry import Claim, Endpoint, IssuedToken, Partner, Registry, State, TokenUse
from hub.core.secrets import Keys, Seal, mint_token
from hub.core.settings import Settings
from hub.core.store import Store, open_store
from hub.core.units import Kind
from hub.server import Server, bound
from modules import all_operations
from modules.locations import service as locations
from modules.locations.wire import LOCATION
from modules.sessions import service as sessions
from modules.tariffs import service as tariffs
from modules.tariffs.wire import TARIFF
from modules.tokens.authorize import By, Decision

VERSIONS: Final = ("2.1.1", "2.2.1", "2.3.0")
OURS: Final = Party("DE", "BSB")
NOW: Final = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
BASE: Final = "https://busbar.example"
NOT_OURS: Final = "not OCPI"
"""What the application behind the dispatcher says."""
MODULES: Final = ("credentials", "locations", "tariffs", "sessions", "cdrs", "tokens", "commands")
EXTRAS: Final = ("Booking", "payments", "invoicereconciliation")
"""Modules of 2.3.0 alone: partners of that version offer both interfaces of them."""

Headers = Iterable[tuple[str, str | bytes]]


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
    def wakes_at(self) -> float | None:
        """When the next sleeper is due."""
        return min((at for at, sleeper in self._sleepers if not sleeper.done()), default=None)

    def move_to(self, passed_s: float) -> None:
        self.passed_s = passed_s
        for at, sleeper in self._sleepers:
            if at <= passed_s and not sleeper.done():
                sleeper.set_result(None)


@dataclass(frozen=True)
class Sent:
    """A request that the hub made to a partner."""

    partner: str
    method: str
    module: str
    path: tuple[str, ...]
    body: Any
    raw: bytes | None = None
    to: str = ""
    sender: str = ""
    correlation_id: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def brief(self) -> tuple[str, str, str]:
        return (self.method, self.module, "/".join(self.path))


@dataclass
class ScriptedPeers:
    """The port `Peers`: `script` decides per request; it returns an answer's data, or raises."""

    script: Callable[[Sent], Any] = lambda sent: None
    sent: list[Sent] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    """Partners that never answer."""

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
        tree = parse(body, limit=2**24) if body else None
        sent = Sent(partner.name, method, module, path, tree, body, to, sender, trace.correlation(), query or {})
        self.sent.append(sent)
        if partner.name in self.silent:
            await asyncio.Event().wait()
        answer = self.script(sent)
        return answer if isinstance(answer, PeerAnswer) else PeerAnswer(200, 1000, answer)

    async def get(self, partner: Partner, url: str, *, to: str = "", sender: str = "") -> PeerAnswer:
        return await self.send(partner, "GET", url, Side.RECEIVER, to=to, sender=sender)

    async def post_to(self, partner: Partner, url: str, body: bytes, *, to: str = "", sender: str = "") -> PeerAnswer:
        return await self.send(partner, "POST", url, Side.SENDER, body=body, to=to, sender=sender)

    def to(self, name: str) -> list[tuple[str, str, str]]:
        """What one partner was sent, in brief."""
        return [sent.brief for sent in self.sent if sent.partner == name]


def endpoints(
    version: str, *, host: str = "partner.example", leave_out: str = "", cpo: bool = False
) -> tuple[Endpoint, ...]:
    """Version details of an eMSP, or a CPO, that offers everything."""
    senders = {"tokens", "commands"} ^ (set(MODULES) if cpo else set()) | {"credentials"}
    usual = tuple(
        Endpoint(
            identifier=module,
            role="" if version == "2.1.1" else "SENDER" if module in senders else "RECEIVER",
            url=f"https://{host}/ocpi/{version}/{module}",
        )
        for module in MODULES
        if module != leave_out
    )
    extras = EXTRAS if version == "2.3.0" else ()
    clients = Endpoint(identifier="hubclientinfo", role="RECEIVER", url=f"https://{host}/ocpi/{version}/clients")
    return (
        usual
        + (() if version == "2.1.1" else (clients,))
        + tuple(
            Endpoint(identifier=module, role=side, url=f"https://{host}/ocpi/{version}/{side.lower()}/{module}")
            for module in extras
            for side in ("SENDER", "RECEIVER")
        )
    )


@dataclass
class ScriptedDiscovery:
    """The port `Discovery`: what a versions URL leads to. `gate` holds every call until it is set."""

    found: Found | Exception | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def discover(self, versions_url: str, token: str, *, version: str | None) -> Found:
        self.asked.append((versions_url, token))
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.found, Exception):
            raise self.found
        chosen = version or "2.2.1"
        return self.found or Found(chosen, endpoints(chosen), "base64")


@dataclass(frozen=True)
class Said:
    """An answer of the hub."""

    http: int
    headers: httpx.Headers
    body: bytes
    tree: Any

    @property
    def code(self) -> int | None:
        return self.tree.get("status_code") if isinstance(self.tree, dict) else None

    @property
    def data(self) -> Any:
        return self.tree.get("data")

    @property
    def message(self) -> str:
        return str(self.tree.get("status_message", ""))

    def checked(self) -> Said:
        """What holds for every answer: rule R8 of the answers, and the envelope (transport_and_format)."""
        assert self.http < 500, (self.http, self.body[:300])
        assert self.headers["content-type"] == "application/json"
        assert isinstance(self.code, int), self.body[:300]
        assert 1000 <= self.code < 5000
        assert set(self.tree) <= {"data", "status_code", "status_message", "timestamp"}
        moment = self.tree["timestamp"]
        assert moment.endswith("Z")
        assert len(moment) <= 25
        assert len(self.message) <= 200
        assert "Traceback" not in self.message
        if self.http >= 400:
            assert self.code >= 2000
        return self


class World:
    """The hub, and its partners by name: see `a_world`."""

    def __init__(self, hub: Hub, version: str, clock: ManualClock, peers: ScriptedPeers) -> None:
        self.hub = hub
        self.version = version
        self.clock = clock
        self.peers = peers
        self.discovery = ScriptedDiscovery()
        hub.discovery = self.discovery
        self.secrets: dict[str, str] = {}
        self.app = Dispatcher(hub, hub.operations, _nothing_behind)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://hub")

    @classmethod
    def around(cls, hub: Hub) -> World:
        """For a hub that runs already, with edges of its own."""
        world = cls.__new__(cls)
        world.hub, world.version, world.secrets = hub, "2.2.1", {}
        world.clock = cast("ManualClock", hub.clock)
        return world

    @property
    def store(self) -> Store:
        return self.hub.store

    @property
    def registry(self) -> Registry:
        return self.hub.registry

    def partner(self, name: str) -> Partner:
        return self.registry.get(name)

    async def join(
        self,
        name: str,
        party: str,
        role: PartyRole,
        *,
        state: State = State.CONNECTED,
        use: TokenUse = TokenUse.LIVE,
        version: str | None = None,
    ) -> Partner:
        """A partner that stands where `state` says, with one token of ours of that `use`, kept in `secrets`."""
        claim = Claim(role=role, party=Party.parse(party))
        version = version or self.version
        self.secrets[name] = secret_of(name)
        registered = use is TokenUse.LIVE
        partner = Partner(
            name=name,
            state=state,
            invited=(claim,),
            claims=(claim,) if registered else (),
            version=version if registered else None,
            versions_url=f"https://{name}.example/versions" if registered else "",
            endpoints=endpoints(version, host=f"{name}.example", cpo=role is PartyRole.CPO) if registered else (),
            our_tokens=(IssuedToken(fingerprint=self.registry.fingerprint(self.secrets[name]), use=use),),
            their_token=self.registry.sealed(f"theirs-{name}") if registered else "",
        )
        return await self.registry.commit(partner, self.registry.unit(partner, new=True))

    def authorization(self, token: str) -> str:
        """The header in this version's form."""
        return f"Token {token}" if self.version == "2.1.1" else f"Token {b64encode(token.encode()).decode()}"

    async def ask(
        self,
        method: str,
        path: str,
        *,
        by: str | None = None,
        token: str | None = None,
        body: Any = None,
        headers: Headers = (),
    ) -> Said:
        """One request. `path` goes out as it stands; `body` is bytes, or a tree. The answer is `checked`."""
        sent: list[tuple[str, str | bytes]] = list(headers)
        given = self.secrets.get(by, by) if by is not None else token
        if given is not None:
            sent.append(("Authorization", self.authorization(given)))
        content = body if isinstance(body, bytes) or body is None else encode(body)
        if content is not None and not any(name.lower() == "content-type" for name, _ in sent):
            sent.append(("Content-Type", "application/json"))
        url = httpx.URL("http://hub").copy_with(raw_path=path.encode())
        raw = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in sent]
        request = httpx.Request(method, url, headers=raw, content=content)
        answer = await self.http.send(request)
        return Said(answer.status_code, answer.headers, answer.content, _tree(answer.content)).checked()

    def at(self, rest: str, *, version: str | None = None) -> str:
        """A path below this version."""
        return f"/ocpi/{version or self.version}/{rest}"

    async def dump(self) -> dict[str, Any]:
        """Everything on disk."""
        found: dict[str, Any] = {"changes": await self.store.last_change()}
        for kind in kinds():
            found[kind.name] = [(d.key, d.version, d.body) for d in await self.documents(kind)]
        found["audit"] = len(await self.store.audit_rows(after=0, limit=10_000))
        return found

    async def documents(self, kind: Kind) -> list[Any]:
        return await self.store.select(kind, limit=100_000)

    @asynccontextmanager
    async def unchanged(self) -> AsyncIterator[None]:
        """Nothing on disk differs afterwards, and no partner was called."""
        before, sent = await self.dump(), len(self.peers.sent)
        yield
        after = await self.dump()
        differing = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
        assert not differing, differing
        assert len(self.peers.sent) == sent, self.peers.sent[sent:]

    async def furnish(self) -> None:
        """LOC1 with E1 (tariff T1) and E2 of ours."""
        await tariffs.put(self.store, OURS, "T1", tariff(), now=self.clock.now())
        await locations.put(self.store, OURS, "LOC1", location(), now=self.clock.now())

    async def charge(self, owner: str, *, kwh: str = "10", at: datetime | None = None, end: bool = True) -> str:
        """A charge at E1 by a driver of `owner`; with `end` its CDR is issued too. Returns: the session id."""
        begun_at = at or self.clock.now()
        decision = Decision("ALLOWED", By.WHITELIST, stored_token(owner), owner)
        begun = sessions.Begun(Place("CP1", 1, f"{OURS}/LOC1", "E1", "1"), decision, begun_at, Decimal(0))
        charge, unit = await sessions.begin(self.hub, begun)
        await self.store.commit(unit)
        if end:
            ended = sessions.end(self.hub, charge, at=begun_at + timedelta(hours=1), meter_kwh=Decimal(kwh))
            await self.store.commit(ended)
        return charge.session_id

    async def close(self) -> None:
        await self.http.aclose()
        await self.store.close()


def secret_of(name: str) -> str:
    """The token of ours that a partner presents."""
    return f"bb_{name}_" + "0123456789" * 3


async def _nothing_behind(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": NOT_OURS.encode()})


def _tree(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def tariff(tariff_id: str = "T1", price: str = "0.50") -> dict[str, Any]:
    """A tariff by the kWh, in our own form."""
    component = {"type": "ENERGY", "price": Decimal(price), "vat": Decimal(19), "step_size": 1}
    return {"id": tariff_id, "currency": "EUR", "tax_included": "NO", "elements": [{"price_components": [component]}]}


def location(location_id: str = "LOC1", *, evses: tuple[str, ...] = ("E1", "E2"), **fields: Any) -> dict[str, Any]:
    """A location in our own form."""
    power = {"max_voltage": 230, "max_amperage": 32, "power_type": "AC_3_PHASE"}
    connector = {"id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "tariff_ids": ["T1"], **power}
    return {
        "id": location_id,
        "publish": True,
        "name": "Rail",
        "address": "Rail 1",
        "city": "Berlin",
        "postal_code": "10115",
        "country": "DEU",
        "coordinates": {"latitude": "52.520008", "longitude": "13.404954"},
        "time_zone": "Europe/Berlin",
        "evses": [{"uid": uid, "status": "AVAILABLE", "connectors": [dict(connector)]} for uid in evses],
        **fields,
    }


def their_location(
    version: str, owner: str = "BE*AAA", location_id: str = "X1", *, at: datetime = NOW, **fields: Any
) -> dict[str, Any]:
    """A location as a CPO of `version` writes it; every part of it was changed at `at`."""
    moment = _whole_second(at)
    tree = location(location_id, **fields)
    for evse in tree["evses"]:
        evse["last_updated"] = moment
        for connector in evse["connectors"]:
            connector["last_updated"] = moment
    return LOCATION[version].write({**_owned(owner), **tree, "last_updated": moment})[0]


def their_tariff(
    version: str,
    owner: str = "BE*AAA",
    tariff_id: str = "T9",
    price: str = "0.40",
    *,
    at: datetime = NOW,
    **fields: Any,
) -> dict[str, Any]:
    """A tariff as a CPO of `version` writes it."""
    tree = {**_owned(owner), **tariff(tariff_id, price), "last_updated": _whole_second(at), **fields}
    return TARIFF[version].write(tree)[0]


def _whole_second(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _owned(owner: str) -> dict[str, Any]:
    country_code, party_id = owner.split("*")
    return {"country_code": country_code, "party_id": party_id}


def stored_token(owner: str, uid: str = "CARD1") -> dict[str, Any]:
    """A token as the hub keeps it."""
    party = Party.parse(owner)
    return {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "uid": uid,
        "type": "RFID",
        "contract_id": f"{party.country_code}-{party.party_id}-C1",
        "issuer": "Issuer",
        "valid": True,
        "whitelist": "ALLOWED",
        "last_updated": timestamp(NOW),
    }


def token(version: str, owner: str = "NL*EEE", uid: str = "CARD1", **fields: Any) -> dict[str, Any]:
    """A token as an eMSP of `version` writes it."""
    tree = stored_token(owner, uid)
    if version == "2.1.1":
        del tree["country_code"], tree["party_id"]
        tree["auth_id"] = tree.pop("contract_id")
    return {**tree, **fields}


def credentials(
    version: str, party: str = "NL*AAA", *, role: str = "EMSP", token: str = "their-token", **fields: Any
) -> dict[str, Any]:
    """A partner's Credentials object."""
    parsed = Party.parse(party)
    about = {
        "country_code": parsed.country_code,
        "party_id": parsed.party_id,
        "business_details": {"name": "Partner"},
    }
    common = {"token": token, "url": "https://partner.example/versions"}
    if version == "2.1.1":
        return {**common, **about, **fields}
    return {**common, "roles": [{"role": role, **about}], **fields}


PARTNERS: Final = (
    ("e1", "NL*EEE", PartyRole.EMSP, State.CONNECTED, TokenUse.LIVE),
    ("e2", "NL*FFF", PartyRole.EMSP, State.CONNECTED, TokenUse.LIVE),
    ("c1", "BE*AAA", PartyRole.CPO, State.CONNECTED, TokenUse.LIVE),
    ("c2", "BE*BBB", PartyRole.CPO, State.CONNECTED, TokenUse.LIVE),
    ("a", "NL*AAA", PartyRole.EMSP, State.INVITED, TokenUse.REGISTRATION),
    ("p", "NL*PPP", PartyRole.EMSP, State.BLOCKED, TokenUse.LIVE),
)
"""eMSPs e1 and e2, CPOs c1 and c2, the invited a with its token A, the blocked p. `x` is nobody's token any more."""


@cache
def chosen_settings(**chosen: Any) -> Settings:
    """Kept for the next test: they cannot be changed, and to look for each in the environment takes 4 ms."""
    return Settings(_env_file=None, **chosen)


@asynccontextmanager
async def a_world(
    database_url: str,
    version: str = "2.2.1",
    *,
    partners: bool = True,
    operations: Iterable[Operation] | None = None,
    **settings: Any,
) -> AsyncIterator[World]:
    """A hub with the partners of `PARTNERS`, all of one version, and `LOC1`; or with what the database holds."""
    clock, peers = ManualClock(), ScriptedPeers()
    chosen: dict[str, Any] = {
        "party": str(OURS),
        "public_url": BASE,
        "failed_logins_per_min": 1_000_000,
        "rate_per_partner": 1_000_000,
        "burst_per_partner": 1_000_000,
        **settings,
    }
    store = await open_store(database_url, kinds(), clock=clock)
    keys = Keys.from_secret(b"x" * 32)
    hub = Hub(
        store=store,
        clock=clock,
        settings=chosen_settings(**chosen),
        registry=Registry(store, keys.pepper, Seal(keys.seal)),
        peers=peers,
        discovery=ScriptedDiscovery(),
        chargers=NoChargers(),
        background=BackgroundTasks(),
        operations=all_operations() if operations is None else tuple(operations),
    )
    world = World(hub, version, clock, peers)
    world.secrets["x"] = "bb_stale_" + "9876543210" * 3
    try:
        await world.registry.load()
        await hub.agreements.load()
        await hub.behind.load()
        world.secrets.update({partner.name: secret_of(partner.name) for partner in world.registry.all()})
        if partners and not world.registry.all():
            for name, party, role, state, use in PARTNERS:
                await world.join(name, party, role, state=state, use=use)
            await world.furnish()
        yield world
    finally:
        await world.close()


async def a_furnished(furnished: Path, directory: Path, version: str) -> str:
    """The URL of a new file with the partners of `PARTNERS` and `LOC1`, which are made once in `furnished`."""
    made = furnished / f"{version}.db"
    if not made.exists():
        async with a_world(f"sqlite:///{furnished}/new.db", version):
            pass
        (furnished / "new.db").rename(made)
    shutil.copyfile(made, directory / "busbar.db")
    return f"sqlite:///{directory}/busbar.db"


@asynccontextmanager
async def a_program(database_url: str, **settings: Any) -> AsyncIterator[Program]:
    """A whole hub on a port of its own, with its lanes and its puller, for partners over real HTTP."""
    listener = bound("127.0.0.1", 0)
    chosen: dict[str, Any] = {
        "party": str(OURS),
        "port": listener.getsockname()[1],
        "dev": True,
        "secret_key": "x" * 32,
        "pull_check_s": 0.05,
        "lane_first_s": 0.05,
        "lane_cap_s": 0.2,
        **settings,
    }
    program = await Program.open(Settings(_env_file=None, database_url=database_url, **chosen))
    server = Server(program, ("api", "worker"), listener=listener)
    await server.start()
    try:
        yield program
    finally:
        await server.stop()


async def invited(program: Program, name: str, party: str, role: PartyRole = PartyRole.EMSP) -> str:
    """Invite a partner. Returns: its token A."""
    token_a = mint_token()
    registry = program.hub.registry
    issued = IssuedToken(fingerprint=registry.fingerprint(token_a), use=TokenUse.REGISTRATION)
    claim = Claim(role=role, party=Party.parse(party))
    partner = Partner(name=name, invited=(claim,), our_tokens=(issued,))
    await registry.commit(partner, registry.unit(partner, new=True))
    return token_a


async def until(condition: Callable[[], Any], *, timeout_s: float = 30) -> Any:
    """Come back when `condition` holds, with what it gave; it may be a coroutine function."""
    async with asyncio.timeout(timeout_s):
        while True:
            met = condition()
            if asyncio.iscoroutine(met):
                met = await met
            if met:
                return met
            await asyncio.sleep(0.005)
