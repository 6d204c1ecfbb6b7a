"""Looks once a minute at what is no charger: held money, lanes, sites, certificates; opens and closes alerts of them.

It runs where the lanes run, in one process. What is seen is put together here; `house_rules.py` says what holds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import uuid4

import structlog

from hub.core.delivery import Lanes
from hub.core.lane import Lane
from hub.core.ports import Hub
from hub.core.types import parse_datetime
from modules.cdrs.store import not_passed_on
from modules.sessions.charge import held_since
from partners.ocpp import unplaced
from partners.ocpp.sites.register import Known, Sites
from partners.ocpp.watch import rows
from partners.ocpp.watch.alerts import Step, Watched, resumed, step
from partners.ocpp.watch.house_rules import (
    CDRS,
    CHARGES,
    OICP_RECORDS,
    CertificateSeen,
    HeldMoney,
    HouseSight,
    LaneSeen,
    SiteSeen,
    house_holding,
)
from partners.ocpp.watch.rules import About
from partners.ocpp.watch.thresholds import thresholds_of
from partners.webhooks.model import LANE

log = structlog.get_logger()

_LOOKS: Final = 12
"""Looks at chargers to one at the house."""
_MOST: Final = 500

Key = tuple[str, str]
Ends = Callable[[], Awaitable[Mapping[str, datetime]]]
"""Whose certificates there are, and when the last of each ends."""
Stuck = Callable[[], Awaitable[Sequence[datetime]]]
"""Since when charge detail records of OICP are held or refused."""


class HouseWatcher:
    """One an installation."""

    def __init__(self, hub: Hub, lanes: Lanes, sites: Sites, certificates: Ends, stuck: Stuck) -> None:
        self._hub, self._lanes, self._sites, self._certificates, self._stuck = hub, lanes, sites, certificates, stuck
        self._thresholds = thresholds_of(hub.settings)
        self._watched: dict[Key, Watched] = {}
        self._revision: int | None = None

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._hub.clock.sleep(self._hub.settings.alert_look_s * _LOOKS)
            try:
                await self.look()
            except Exception as error:  # a look that fails must not be the last
                log.exception("look at the house failed", error=type(error).__name__)

    async def look(self) -> None:
        """Once."""
        await self._recall()
        sight = await self._sight()
        now = self._hub.clock.now()
        held = house_holding(sight, self._thresholds, now)
        for key in {*held, *self._watched}:
            done = step(self._watched.get(key), key, held.get(key), self._thresholds, now, str(uuid4()))
            await self._keep(key, done)

    async def _recall(self) -> None:
        """Take up the alerts that are open: after a restart, or when somebody else wrote some."""
        revision = self._hub.store.revision(rows.ALERTS)
        if revision == self._revision:
            return
        found = [alert for alert in await rows.all_open(self._hub.store) if alert.about is not About.CHARGER]
        is_open = {(alert.rule, alert.subject): alert for alert in found}
        kept = {key: one for key, one in self._watched.items() if one.alert is None or key in is_open}
        for key, alert in is_open.items():
            kept[key] = resumed(alert, kept.get(key))
        self._watched, self._revision = kept, revision

    async def _keep(self, key: Key, done: Step) -> None:
        """Write what opened or closed, then remember it."""
        if not await rows.write(self._hub.store, done):
            self._revision = None
        elif done.watched is not None:
            self._watched[key] = done.watched
        else:
            self._watched.pop(key, None)

    async def _sight(self) -> HouseSight:
        hub = self._hub
        since = await held_since(hub.store, limit=_MOST) + await unplaced.since(hub.store)
        charges = HeldMoney(CHARGES, since)
        cdrs = HeldMoney(CDRS, await not_passed_on(hub.store, ours=hub.settings.party))
        records = HeldMoney(OICP_RECORDS, await self._stuck())
        await self._sites.refresh()
        sites = [seen for known in self._sites.all() for seen in await self._site(known)]
        lanes = [await self._lane(lane) for lane in self._lanes.all()]
        certificates = [CertificateSeen(whose, expires) for whose, expires in (await self._certificates()).items()]
        return HouseSight((charges, cdrs, records), lanes, sites, certificates)

    async def _lane(self, lane: Lane) -> LaneSeen:
        is_webhook = lane.name.startswith(LANE)
        about = About.WEBHOOK if is_webhook else About.PARTNER
        seen = LaneSeen(about, lane.name.removeprefix(LANE), lane.waiting, stopped=lane.state.stopped)
        oldest = lane.queue.oldest()
        changes = await self._hub.store.changes(after=oldest - 1, limit=1) if oldest is not None else []
        return replace(seen, oldest=parse_datetime(changes[0].at)) if changes else seen

    async def _site(self, known: Known) -> list[SiteSeen]:
        power = await self._sites.power(known.name)
        meters = [
            SiteSeen(f"{known.name}/{node}", heard=row.at, fresh_s=known.form.load_fresh_s)
            for node, row in known.loads.items()
        ]
        return [SiteSeen(known.name, tuple(power["exceeded"])), *meters]
