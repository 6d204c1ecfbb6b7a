"""The program, put together: the store, the partners, the modules, the two faces, and the work behind them.

Nothing else joins parts: `hub/core` is handed the modules' table, the modules get their ports, and whoever wants a
whole hub (the server, the tests, the demo) calls `Program.open`.
"""

from __future__ import annotations

import gc
import random
from contextlib import suppress
from typing import Final, Self

import structlog
from fastapi import FastAPI

from hub import __version__, api, worker
from hub.control.health import HEALTH
from hub.control.operators import OPERATORS, Operators
from hub.core import callbacks
from hub.core.addressed import ADDRESSED
from hub.core.agreements import AGREED, AGREEMENTS
from hub.core.background import BackgroundTasks
from hub.core.behind import BEHIND, TOLD
from hub.core.callbacks import CALLBACKS
from hub.core.clock import Clock, SystemClock
from hub.core.delivery import LANES, REFUSED, Lanes
from hub.core.dispatch import Dispatcher
from hub.core.errors import BusbarError
from hub.core.following import Following
from hub.core.kept_back import KEPT_BACK
from hub.core.lane_away import AWAY
from hub.core.losses import LOSSES
from hub.core.opened import OPENED
from hub.core.outbound import Outbound
from hub.core.own_ids import NAMES
from hub.core.ports import Hub, NoChargers
from hub.core.positions import Positions
from hub.core.registry import PARTNERS, Registry
from hub.core.secrets import Keys, Seal
from hub.core.settings import Settings, load_or_create_secret
from hub.core.store import Store, open_store
from hub.core.unaddressed import LOOKED
from hub.core.units import Kind
from modules import all_kinds, all_operations, publications
from modules.chargingprofiles import service as chargingprofiles
from modules.commands import results
from modules.hubclientinfo.keeping import Keeping
from modules.tariffs import turning
from partners.interpreted import InterpretedPeers
from partners.ocpi.alive import StillAlive
from partners.ocpi.handshake import Handshake
from partners.ocpi.peer import OcpiPeers
from partners.ocpi.pull import Puller
from partners.ocpi.telling import Telling
from partners.ocpp.apart.process import Apart
from partners.ocpp.care.driving import Campaigns
from partners.ocpp.care.lists import LocalLists
from partners.ocpp.gateway import KINDS as CHARGER_KINDS
from partners.ocpp.gateway import Gateway
from partners.ocpp.pnc.asking import AskedContracts
from partners.ocpp.reach import Reach
from partners.ocpp.sites.rows import MODULE as SITE_CHANGES
from partners.ocpp.watch.house import HouseWatcher
from partners.oicp.assembly import OICP_KINDS, Oicp
from partners.oicp.connections import INTERPRETER
from partners.oicp.door import DOOR_KINDS, Door
from partners.oicp.record_store import RecordStore
from partners.webhooks.calling import Caller
from partners.webhooks.model import MODULE as WEBHOOK_CHANGES
from partners.webhooks.model import WEBHOOKS
from partners.webhooks.register import Webhooks

log = structlog.get_logger()

CORE_KINDS: Final = (
    *(PARTNERS, AGREEMENTS, ADDRESSED, AWAY, BEHIND, CALLBACKS, KEPT_BACK, LANES, LOOKED),
    *(LOSSES, NAMES, OPENED, REFUSED, OPERATORS, HEALTH, WEBHOOKS),
)


def kinds() -> tuple[Kind, ...]:
    """Every kind of document there is; the migrations are made from it."""
    return (*CORE_KINDS, *all_kinds(), *CHARGER_KINDS, *DOOR_KINDS, *OICP_KINDS)


class Program:
    """A whole hub in one process: opened, run, closed."""

    def __init__(
        self, settings: Settings, hub: Hub, outbound: Outbound, seal: Seal, peers: OcpiPeers, operators: Operators
    ) -> None:
        self.settings = settings
        self.hub = hub
        self.outbound = outbound
        self.seal = seal
        self.operators = operators
        self.handshake = Handshake(outbound)
        self.caller = Caller(outbound, seal, hub.clock)
        self.webhooks = Webhooks(hub.store, self.caller)
        self.lanes = Lanes(hub, publications(), random.Random(), self.webhooks)  # noqa: S311 - jitter, not secrecy
        self.webhooks.on_try = self.lanes.try_now
        self.puller = Puller(hub, peers)
        self.still_alive = StillAlive(hub, self.handshake, seal)
        self.telling = Telling(hub, self.handshake, seal, self.lanes, random.Random())  # noqa: S311 - jitter
        self.clients = Keeping(hub)
        self.tasks = BackgroundTasks()
        hub.background = self.tasks
        hub.discovery = self.handshake
        self.responders = _outbound(settings, plain=True)
        contracts = AskedContracts(settings, hub.clock, responders=self.responders, service=outbound)
        self.gateway = Gateway(hub, contracts=contracts)
        self.sites = self.gateway.sites
        self.apart = Apart(hub, seal, self.gateway) if settings.serves_several_processes else None
        errands = self.apart.errands if self.apart is not None else None
        self.stations = hub.chargers = Reach(hub, self.gateway.stations, errands)
        self.campaigns = Campaigns(hub, self.stations)
        self.local_lists = LocalLists(hub, self.stations)
        self.oicp_door = Door(hub, outbound, seal)
        self.house = HouseWatcher(hub, self.lanes, self.sites, self.oicp_door.last_ends, RecordStore(hub).stuck_since)
        known = (hub.registry, hub.agreements, hub.behind, self.stations, self.webhooks, self.oicp_door)
        refreshes = tuple(each.refresh for each in known)
        wake_for = frozenset({"partners", AGREED, TOLD, "stations", SITE_CHANGES, WEBHOOK_CHANGES})
        self.following = Following(hub.store, refreshes, wake_for=wake_for)
        self.web = web(self)
        self.asgi = Dispatcher(hub, hub.operations, self.web)
        self.oicp = Oicp(hub, self.asgi, self.oicp_door.connections, self.oicp_door.client)
        self.oicp_door.face.serve(self.oicp.handlers)

    @classmethod
    async def open(cls, settings: Settings, *, clock: Clock | None = None) -> Self:
        """Open the store (migrating it), load the partners, join the parts. Raises: DatabaseRefused, ValueError."""
        clock = clock or SystemClock()
        keys = Keys.from_secret(load_or_create_secret(settings))
        store = await open_store(settings.database_url, kinds(), clock=clock, allow_unsafe=settings.dev)
        try:
            return await cls._on(store, settings, keys, clock)
        except BaseException:
            await store.close()
            raise

    @classmethod
    async def _on(cls, store: Store, settings: Settings, keys: Keys, clock: Clock) -> Self:
        seal = Seal(keys.seal)
        operators = await Operators.open(store, settings, keys, clock)
        registry = Registry(store, keys.pepper, seal)
        await registry.load()
        outbound = _outbound(settings)
        operations = all_operations()
        unrouted = frozenset(operation.module for operation in operations if not operation.routed)
        peers = OcpiPeers(outbound, seal, settings, unrouted)
        spoken = InterpretedPeers(peers)
        hub = Hub(
            store=store,
            clock=clock,
            settings=settings,
            registry=registry,
            peers=spoken,
            discovery=Handshake(outbound),
            chargers=NoChargers(),
            background=BackgroundTasks(),
            operations=operations,
            positions=Positions(keys.position),
        )
        for each in (peers, spoken):
            each.answered, each.doubted = hub.pulses.answered, hub.pulses.doubted
        await hub.agreements.load()
        await hub.behind.load()
        program = cls(settings, hub, outbound, seal, peers, operators)
        spoken.join(INTERPRETER, program.oicp.peers)
        return program

    @property
    def store(self) -> Store:
        return self.hub.store

    async def start_following(self) -> None:
        """Know the stations, and go on knowing what other processes make of partners and stations."""
        await self.stations.refresh()
        await self.oicp_door.refresh()
        self.tasks.start(self.following.run(), name="following")
        self.tasks.start(worker.write_losses(self.hub), name="losses")

    async def start_gateway(self) -> None:
        """Open the chargers' port. Raises: OSError, when it is taken."""
        await self.gateway.start(self.settings.host, self.settings.ocpp_port)
        if self.apart is not None:
            await self.apart.start()

    async def take_up_commands(self) -> None:
        """Finish what a stop of ours left between a partner's command and its result."""
        await results.recover(self.hub)

    async def start_work(self) -> None:
        """Lanes and clocks: everything that runs without being asked."""
        await self.clients.begin()
        await turning.turn(self.hub)
        await self.webhooks.refresh()
        self.lanes.start()
        worker.start(self.hub)
        await callbacks.recover(self.hub)
        await chargingprofiles.recover(self.hub)
        self.tasks.start(self.puller.run(), name="puller")
        self.tasks.start(self.still_alive.run(), name="still alive")
        self.tasks.start(self.telling.run(), name="telling hubs")
        self.tasks.start(self.clients.run(), name="client infos")
        self.tasks.start(self.campaigns.run(), name="campaigns")
        self.tasks.start(self.local_lists.run(), name="local lists")
        self.oicp.start()
        self.tasks.start(self.house.run(), name="watch over the house")

    async def close(self) -> None:
        """Stop the work, then let go of connections and database."""
        await self.gateway.stop()
        if self.apart is not None:
            await self.apart.stop()
        await self.lanes.stop()
        await self.tasks.stop()
        with suppress(BusbarError):
            await self.hub.losses.write()
        await self.outbound.close()
        await self.responders.close()
        await self.store.close()


def _outbound(settings: Settings, *, plain: bool = False) -> Outbound:
    return Outbound(
        allow_networks=settings.reachable_networks,
        total_timeout_s=settings.outbound_timeout_s,
        connect_timeout_s=settings.outbound_connect_timeout_s,
        object_cap=settings.outbound_object_cap,
        page_cap=settings.outbound_page_cap,
        plain=plain,
    )


def web(program: Program) -> FastAPI:
    """The application behind the dispatcher: management API, health, pages."""
    app = FastAPI(
        title="Busbar", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    api.attach(app, program)
    if program.settings.oicp_proxies:
        app.mount("/oicp", program.oicp_door.face)
    return app


def settle_memory() -> None:
    """After the start: what lives now lives for ever, and is not looked at again by the collector."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
