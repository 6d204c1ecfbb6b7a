"""Looks at all stations every few seconds, and opens and closes their alerts.

Nothing is decided here: `sights.py` says what is seen, `rules.py` what holds, `alerts.py` what becomes of it, and
`turns.py` at whom to look. An alert counts when it is on disk. Stations are looked at a few hundred at once, so that
what is written of them shares a transaction. With several gateways each looks at the stations whose socket it has, and
at those that nobody has; what another opened or closed is read again when it was written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import uuid4

import structlog

from hub.core.errors import Conflict, NotReady
from hub.core.ports import Hub
from partners.ocpp.apart.held import all_held
from partners.ocpp.live import Live
from partners.ocpp.register import Station, folded
from partners.ocpp.stations import Stations
from partners.ocpp.transactions import Transactions
from partners.ocpp.watch import rows
from partners.ocpp.watch.alerts import Step, Watched, resumed, step
from partners.ocpp.watch.outages import Outages
from partners.ocpp.watch.rows import ALERTS
from partners.ocpp.watch.rules import About, holding, is_unknown
from partners.ocpp.watch.sights import Sights
from partners.ocpp.watch.thresholds import thresholds_of
from partners.ocpp.watch.turns import Moves, Turns, due_s

log = structlog.get_logger()

_AT_ONCE: Final = 250
"""Stations that are looked at before other work goes on; what is written of them is written together."""

Key = tuple[str, str]


class Watcher:
    """One a gateway."""

    def __init__(self, hub: Hub, stations: Stations, transactions: Transactions) -> None:
        self._hub, self._stations = hub, stations
        self._sights = Sights(hub.clock, transactions.open_at)
        self._turns = Turns(hub.clock, transactions.open_at)
        self._outages = Outages(hub)
        self._registered: list[Station] = []
        self._thresholds = thresholds_of(hub.settings)
        self._watched: dict[str, dict[Key, Watched]] = {}
        self._revision: int | None = None
        self._unseen: set[str] = set()
        """Stations at which the last look failed: each is told of once."""
        self._unwritten = 0
        """Stations of which something could not be written in this look."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="watch over chargers")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except Exception as error:  # a look that fails must not be the last
                log.exception("look at chargers failed", error=type(error).__name__)
            await self._hub.clock.sleep(self._hub.settings.alert_look_s)

    async def _look(self) -> None:
        await self._recall()
        await self._outages.recall()
        now = self._hub.clock.now()
        elsewhere = await all_held(self._hub.store, now) if self._hub.settings.serves_several_processes else {}
        everyone = list(self._stations)
        for start in range(0, len(everyone), _AT_ONCE):
            some = [live for live in everyone[start : start + _AT_ONCE] if not self._is_anothers(live, elsewhere)]
            turns = [(live, moves) for live in some if (moves := self._turns.of(live)) is not None]
            await asyncio.gather(*(self._take_turn(live, moves, now) for live, moves in turns))
            await asyncio.sleep(0)
        self._doubt_what_failed()
        await self._end_others(now)

    def _doubt_what_failed(self) -> None:
        """Nobody knows whether a write that failed is on disk all the same: the next look reads what is."""
        if self._unwritten:
            log.warning("what was seen of chargers is not on disk yet", stations=self._unwritten)
            self._revision, self._unwritten = None, 0
            self._outages.doubt()

    def _is_anothers(self, live: Live, elsewhere: Container[str]) -> bool:
        """Does another process look at it?"""
        if live.link is not None or folded(live.identity) not in elsewhere:
            return False
        self._watched.pop(live.identity, None)
        self._turns.forget(live.identity)
        return True

    async def _end_others(self, now: datetime) -> None:
        """What is open of stations and EVSEs that were taken away is over."""
        registered = [live.station for live in self._stations]
        if registered == self._registered and all(map(self._stations.find, self._watched)):
            return
        for gone in [identity for identity in self._watched if self._stations.find(identity) is None]:
            for watched in self._watched.pop(gone).values():
                if watched.alert is not None:
                    over = replace(watched.alert, closed=now, seen="it is no longer registered")
                    await rows.close_alert(self._hub.store, over)
        await self._outages.end_others(self._stations, now)
        self._turns.keep({station.identity for station in registered})
        self._registered = registered

    async def _take_turn(self, live: Live, moves: Moves, now: datetime) -> None:
        """Alerts and outages of a station. What goes wrong at one keeps nobody from looking at the others."""
        try:
            rules_s = await self._look_at(live, now)
            await self._outages.look_at(live, now)
        except (NotReady, Conflict):
            self._turns.forget(live.identity)
            self._unwritten += 1
        except Exception as error:  # whatever is odd about one charger
            if live.identity not in self._unseen:
                log.exception("look at a charger failed", station=live.identity, error=type(error).__name__)
            self._unseen.add(live.identity)
            self._turns.forget(live.identity)
        else:
            self._unseen.discard(live.identity)
            self._turns.take(live, moves, due_s=min(rules_s, self._outages.due_s(live)))

    async def _recall(self) -> None:
        """Take up the alerts that are open: after a restart, or when another process wrote some."""
        revision = self._hub.store.revision(ALERTS)
        is_others = self._hub.settings.serves_several_processes and revision != self._revision
        if self._revision is not None and not is_others:
            return
        found = await rows.all_open(self._hub.store)
        is_open = {(alert.rule, alert.subject): alert for alert in found if alert.about is About.CHARGER}
        for identity, watched in self._watched.items():
            for key in [key for key, one in watched.items() if one.alert is not None and key not in is_open]:
                del watched[key]
                self._turns.forget(identity)
        for key, alert in is_open.items():
            watched = self._watched.setdefault(rows.station_of(alert.subject), {})
            known = watched.get(key)
            watched[key] = resumed(alert, known)
            if watched[key] is not known:
                self._turns.forget(rows.station_of(alert.subject))
        self._revision = revision

    async def _look_at(self, live: Live, now: datetime) -> float:
        """Returns: in how many seconds its rules must be looked at again."""
        identity = live.identity
        watched = self._watched.get(identity, {})
        sight = self._sights.of(live, now, is_still=lambda uid: ("no_progress", f"{identity}/{uid}") in watched)
        held = holding(sight, self._thresholds, now)
        for key in {*held, *watched}:
            if key in held or not is_unknown(*key, sight):
                done = step(watched.get(key), key, held.get(key), self._thresholds, now, str(uuid4()))
                await self._keep(identity, key, done)
        return due_s(sight, self._watched.get(identity, {}).values(), self._thresholds, now)

    async def _keep(self, identity: str, key: Key, done: Step) -> None:
        """Write what opened or closed, then remember it. What another process opened is taken up with the next look."""
        if not await rows.write(self._hub.store, done):
            self._revision = None
        elif done.watched is not None:
            self._watched.setdefault(identity, {})[key] = done.watched
        elif identity in self._watched:
            self._watched[identity].pop(key, None)
            if not self._watched[identity]:
                del self._watched[identity]
