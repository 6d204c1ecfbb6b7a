"""One clock for all sockets: pings, silence, questions after settling, statuses that have stood, forgotten charges.

Ten thousand sockets with timers of their own would cost more than what they guard. A socket is dead when two pings and
all else have stayed without an echo. Some chargers never answer pings: as long as a socket has never echoed one it is
judged by its frames alone, three heartbeats long (rule R22).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

import structlog
from websockets.exceptions import ConnectionClosed

from hub.core.ports import Hub
from partners.ocpp import quirks, settling
from partners.ocpp.costs_told import CostsTold
from partners.ocpp.live import Link
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.tariffs_told import TariffsTold
from partners.ocpp.transactions import Transactions

log = structlog.get_logger()

SILENT: Final = 1011
_SLOW_S: Final = 30.0
"""How often forgotten charges are looked for."""


class Ticker:
    """Looks every `tick_s` what is due."""

    def __init__(self, hub: Hub, stations: ChargerOrders, transactions: Transactions, *, tick_s: float) -> None:
        self._hub, self._stations, self._transactions = hub, stations, transactions
        self._costs = CostsTold(hub, stations, transactions)
        self._tariffs = TariffsTold(hub, stations, lambda link: partial(settling.ask, stations, link))
        self._tick_s = tick_s
        self._task: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._slow_at = 0.0
        stations.on_change = lambda live: self._configured(live.link) if live.link is not None else None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="chargers' ticker")

    async def stop(self) -> None:
        """Stop, and let go of what was begun."""
        tasks = [*self._work, *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._tick()
            except Exception as error:  # a tick that fails must not be the last
                log.exception("tick failed", error=type(error).__name__)
            await self._hub.clock.sleep(self._tick_s)

    async def _tick(self) -> None:
        now = self._hub.clock.monotonic()
        grace = self._hub.settings.offline_grace_s
        await self._stations.refresh()
        while self._stations.opened_or_closed:
            await self._stations.display.changed(self._stations.opened_or_closed.pop())
        for live in list(self._stations):
            if live.link is not None:
                self._look_at(live.link, now)
            elif not live.told_gone and now - live.offline_since > grace:
                live.told_gone = True
                await self._stations.display.changed(live)
        await self._stations.display.tick()
        if now >= self._slow_at:
            self._slow_at = now + _SLOW_S
            await self._transactions.pass_time(self._hub.clock.now())
            await self._costs.tick()
            await self._count_quirks()
            self._tariffs.tick()

    async def _count_quirks(self) -> None:
        """What was odd since the last time; a clock that is off, once for each connection."""
        counted = self._transactions.quirks
        for live in self._stations:
            drift = live.drift
            if live.link is None or live.link.clock_is_counted or drift is None:
                continue
            if abs(drift.total_seconds()) > quirks.CLOCK_S:
                live.link.clock_is_counted = True
                counted.count(live.identity, quirks.CLOCK)
        await counted.write(self._stations.make_of)

    def _look_at(self, link: Link, now: float) -> None:
        every = self._hub.settings.ocpp_ping_s
        silent_for = now - link.heard_at
        allowed = 2.5 * every if link.ponged else 3.0 * max(every, self._hub.settings.heartbeat_interval_s * 1.1)
        if silent_for > allowed:
            log.info("station is silent", station=link.live.identity, seconds=round(silent_for))
            self._begin(link.socket.close(SILENT, "silent"))
        elif now - link.pinged_at >= every:
            link.pinged_at = now
            self._begin(self._ping(link))
        if link.settle_at is not None and now >= link.settle_at:
            self._settle(link, now)

    def _settle(self, link: Link, now: float) -> None:
        if now - link.money_at < settling.REPLAY_S:
            link.settle_at = now + settling.REPLAY_S
            return
        link.settle_at = None
        if not link.waits:
            self._stations.owed.settle(link.live, booted=link.booted)
        self._begin(settling.settle(self._hub, self._stations, link))

    def _configured(self, link: Link) -> None:
        """The operator changed a connected station: one that was told to wait may boot now."""
        if link.waits and link.live.station.is_configured:
            link.waits = False
            self._begin(settling.boot_again(self._hub, self._stations, link))

    async def _ping(self, link: Link) -> None:
        try:
            async with asyncio.timeout(2 * self._hub.settings.ocpp_ping_s):
                await (await link.socket.ping())
            link.ponged = True
            link.heard_at = self._hub.clock.monotonic()
        except (TimeoutError, ConnectionClosed):
            return

    def _begin(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("charger work failed", error=repr(error)[:200])
