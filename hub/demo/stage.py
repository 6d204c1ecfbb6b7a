"""The stage: a hub, three eMSPs and twenty chargers, started, joined and ended.

    async with a_stage(timeline, stays=False) as stage:    # the processes run, and answer
        await stage.furnish()                              # tariffs, locations, chargers, by the management API
        await stage.join()                                 # the eMSPs register, the chargers connect

Whatever happens, all that was started is ended when the stage is left: chargers first, then the processes.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hub.demo.callers import Caller, Management, together, until
from hub.demo.mailbox import Mailbox
from hub.demo.oicp import Door, Emp
from hub.demo.plugs import Plug, plug
from hub.demo.processes import Child, free_port
from hub.demo.timeline import BUSBAR, Timeline, provider
from hub.demo.world import (
    DRIVES,
    OICP_DRIVE,
    OWN_PARTY,
    PROVIDERS,
    SPARE_EVSE,
    SPARE_STATION,
    Provider,
    locations,
    ocpp_at,
    stations,
    tariffs,
)

_START_S: Final = 30.0
_AT_ONCE: Final = 5
_LOOK_EVERY_S: Final = 0.5
_PASSWORD_BYTES: Final = 20
_OWN: Final = OWN_PARTY.replace("*", "/")


@dataclass(slots=True)
class Emsp:
    """An eMSP in its own process, its own desk, and its receipts."""

    provider: Provider
    child: Child
    desk: Caller
    mailbox: Mailbox


@dataclass(slots=True)
class Stage:
    """Everything that runs."""

    timeline: Timeline
    folder: Path
    hub: Child
    operator: Management
    ocpp_url: str
    emsps: dict[str, Emsp]
    emp: Emp
    plugs: dict[str, Plug] = field(default_factory=dict)

    @property
    def token_file(self) -> Path:
        """The operator's token, as the hub wrote it."""
        return _token_file(self.folder)

    async def furnish(self) -> None:
        """Publish tariffs and locations, and register the chargers with a password each."""
        for tariff in tariffs(datetime.now(UTC)):
            await self.operator.put(f"/api/v1/tariffs/{_OWN}/{tariff['id']}", tariff)
        for location in locations():
            await self.operator.put(f"/api/v1/locations/{_OWN}/{location['id']}", location)
        at = {drive.station: drive for drive in (*DRIVES, OICP_DRIVE)}
        for identity, (location_id, uid) in stations().items():
            password = secrets.token_hex(_PASSWORD_BYTES)
            ocpp = ocpp_at(location_id)
            await self._register(identity, location_id, uid, {"protocol": f"ocpp{ocpp}", "password": password})
            self.plugs[identity] = plug(self.ocpp_url, identity, password, ocpp, at.get(identity))
        await self._register(SPARE_STATION, locations()[-1]["id"], SPARE_EVSE, {"security_profile": 0})
        self.timeline.says(
            BUSBAR, f"publishes {len(tariffs(datetime.now(UTC)))} tariffs and {len(locations())} locations, "
            f"and expects {len(self.plugs)} chargers"
        )  # fmt: skip

    async def join(self) -> None:
        """The eMSPs register and exchange lists with us; meanwhile the chargers connect and boot."""
        joined = self.emp.join(self.operator, self.timeline)
        await together(*(self._register_emsp(emsp) for emsp in self.emsps.values()), joined, self._connect())

    async def close(self) -> None:
        """Hang up all chargers."""
        await asyncio.gather(*(p.charger.__aexit__(None, None, None) for p in self.plugs.values() if p.charger.online))

    async def _register(self, identity: str, location_id: str, uid: str, more: dict[str, object]) -> None:
        entry = {"1": {"evse_uid": uid, "connectors": {"1": "1"}}}
        tree = {"location": location_id, "evses": entry, "protocol": "ocpp1.6", **more}
        await self.operator.put(f"/api/v1/stations/{identity}", tree)

    async def _register_emsp(self, emsp: Emsp) -> None:
        about = emsp.provider
        for card in about.cards:
            given = {"uid": card.uid, "type": card.kind, "whitelist": card.whitelist, "valid": card.valid}
            if not card.pushed:
                await emsp.desk.post("/sandbox/tokens", {**given, "push": False})
        invited = await self.operator.invite(about.name, about.role)
        began = asyncio.get_running_loop().time()
        versions_url = invited["versions_url_2_1_1" if about.version == "2.1.1" else "versions_url"]
        await emsp.desk.post("/sandbox/register", {"versions_url": versions_url, "token": invited["token_a"]})
        took_ms = (asyncio.get_running_loop().time() - began) * 1000
        self.timeline.says(provider(about.label), f"was invited, and has registered over OCPI in {took_ms:.0f} ms")
        await self._exchange_lists(emsp)

    async def _exchange_lists(self, emsp: Emsp) -> None:
        about, actor = emsp.provider, provider(emsp.provider.label)
        got = {name: len(await emsp.desk.post("/sandbox/pull", {"module": name})) for name in ("tariffs", "locations")}
        self.timeline.says(actor, f"pulls our {got['tariffs']} tariffs and {got['locations']} locations")
        for card in (card for card in about.cards if card.pushed):
            await emsp.desk.post("/sandbox/tokens", {"uid": card.uid, "whitelist": card.whitelist})
            self.timeline.says(actor, f"pushes card {card.uid}, whitelist {card.whitelist}")
        pulled = await self.operator.post(f"/api/v1/partners/{about.name}/pull")
        self.timeline.says(BUSBAR, f"pulls the tokens of {about.party}: {pulled['taken']} new")

    async def _connect(self) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(made: Plug) -> None:
            async with slots:
                await made.charger.__aenter__()
                await made.charger.boot()

        await asyncio.gather(*(one(made) for made in self.plugs.values()))
        accepted = sum(made.charger.accepted for made in self.plugs.values())
        self.timeline.says(
            BUSBAR, f"has {accepted} chargers connected over OCPP 1.6, 2.0.1 and 2.1, each on a websocket of its own"
        )

    async def until_one_ends(self) -> None:
        """As long as all processes run. Raises: ChildFailed, when one has ended by itself."""
        children = [self.hub, *(emsp.child for emsp in self.emsps.values()), self.emp.child]
        while True:
            for child in children:
                child.must_live()
            await asyncio.sleep(_LOOK_EVERY_S)


@asynccontextmanager
async def a_stage(timeline: Timeline, *, stays: bool) -> AsyncIterator[Stage]:
    """Start the processes. What `stays` takes the default ports, if they are free. Raises: ChildFailed, AskFailed."""
    async with AsyncExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="busbar-demo-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(made))
        http, ocpp = free_port(8000 if stays else None), free_port(9000 if stays else None)
        base_url = f"http://127.0.0.1:{http}"
        children: list[Child] = []
        stack.push_async_callback(_stop, children)
        door = Door(folder)
        hub = await _start_hub(children, folder, http, ocpp, door)
        starting = together(*(_start_emsp(stack, children, folder, each) for each in PROVIDERS))
        emp, emsps = await asyncio.gather(Emp.start(children, folder, door), starting)
        stack.push_async_callback(emp.desk.close)
        await _until_ready(hub, base_url)
        operator = Management(base_url, token=_token_file(folder).read_text().strip())
        stack.push_async_callback(operator.close)
        known = {emsp.provider.name: emsp for emsp in emsps}
        stage = Stage(timeline, folder, hub, operator, f"ws://127.0.0.1:{ocpp}", known, emp)
        stack.push_async_callback(stage.close)
        yield stage


async def _stop(children: list[Child]) -> None:
    await asyncio.gather(*(child.stop() for child in children))


async def _start_hub(children: list[Child], folder: Path, http: int, ocpp: int, door: Door) -> Child:
    words = ("busbar", "serve", "--dev", "--port", str(http), "--ocpp-port", str(ocpp))
    environment = {
        "BUSBAR_DATABASE_URL": f"sqlite:///{folder}/busbar.db",
        "BUSBAR_PARTY": OWN_PARTY,
        **door.environment,
    }
    child = await Child.start("hub", words, folder=folder, environment=environment)
    children.append(child)
    return child


async def _start_emsp(stack: AsyncExitStack, children: list[Child], folder: Path, about: Provider) -> Emsp:
    receipts = folder / f"{about.name}.receipts"
    about_it = ("--version", about.version, "--party", about.party, "--receipts", str(receipts))
    words = ("partners.sandbox", "emsp", *about_it)
    child = await Child.start(about.name, words, folder=folder, environment={})
    children.append(child)
    told = json.loads(await child.first_line(timeout_s=_START_S))
    desk = Caller(told["url"])
    stack.push_async_callback(desk.close)
    return Emsp(about, child, desk, Mailbox(about, receipts))


async def _until_ready(hub: Child, base_url: str) -> None:
    probe = Caller(base_url)

    async def is_ready() -> bool:
        hub.must_live()
        return await probe.answers("/health/ready")

    try:
        await until(is_ready, timeout_s=_START_S, what="the start of the hub")
    finally:
        await probe.close()


def _token_file(folder: Path) -> Path:
    return folder / "busbar.db.operator"
