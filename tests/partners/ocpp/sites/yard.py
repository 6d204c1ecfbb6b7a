"""A yard of sandbox chargers behind one grid connection, steered over real websockets, and a watch on what may flow.

The watch looks at the chargers themselves: what the profiles that they accepted allow, and what flows.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.core.jsontypes import Tree
from partners.ocpp.reach import Reach
from partners.sandbox.charger import Charger
from partners.sandbox.charger2 import speaking
from partners.sandbox.point.clock import Clock
from partners.sandbox.point.faults import Faults
from partners.sandbox.point.state import Transaction
from tests.partners.ocpp.site import CARD, Site, a_site, station, until

RULES = {
    "stay_s": 2, "pause_s": 1, "patience_s": 8, "quiet_s": 0, "holds_s": 60, "renewed_s": 20, "fresh_s": 10,
    "follows_s": 1, "band_a": 0.5, "headroom_a": 2,
}  # fmt: skip
_VOLTS = 690
PATIENCE_S = 20.0


def grid(limit_a: float, *evses: str, safe_a: float = 6, load_a: float = 0, **more: Any) -> dict[str, Any]:
    """One grid connection with EVSEs of 32 A."""
    return {
        "nodes": {"grid": {"limit_a": limit_a, "load_a": load_a}},
        "evses": {uid: {"node": "grid", "most_a": 32, "safe_a": safe_a} for uid in evses},
        "rules": RULES,
        **more,
    }


@dataclass
class Yard:
    """Chargers CP1 (E1), CP2 (E2) and CP3 (E3), all of one version of OCPP, and the hub."""

    site: Site
    version: str = "1.6"
    chargers: dict[str, Charger] = field(default_factory=dict)
    seen_a: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    work: set[asyncio.Task[Any]] = field(default_factory=set)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def restart(self) -> None:
        """The hub stops and starts again, at another port, which the chargers dial from now on."""
        await self.site.restart()
        for name, charger in self.chargers.items():
            charger.link.url = f"{self.site.url}/{name}"

    async def put(self, tree: dict[str, Any]) -> None:
        await self.site.gateway.sites.put("yard", tree, actor="test")

    async def limit(self, amperes: float, until_: str) -> None:
        asked = {"node": "grid", "limit_a": amperes, "until": until_}
        await self.site.gateway.sites.limit("yard", asked, actor="test")

    async def load(self, amperes: float) -> None:
        await self.site.gateway.sites.measure("yard", {"node": "grid", "load_a": amperes})

    async def power(self) -> dict[str, Tree]:
        view = await self.site.gateway.sites.power("yard")
        return {item["evse_uid"]: item for item in view["items"]}

    async def warnings(self) -> list[str]:
        found: list[str] = (await self.site.gateway.sites.power("yard"))["warnings"]
        return found

    async def connect(
        self,
        name: str,
        *,
        faults: Faults | None = None,
        clock: Clock | None = None,
        answers: Mapping[str, Any] | None = None,
    ) -> Charger:
        """A charger that has booted. `answers`: how it answers some actions, as it always did; None: not at all."""
        charger = speaking(self.version, self.site.url, name, faults=faults, clock=clock, backoff_s=(0.05, 0.2))
        for action, answer in (answers or {}).items():
            if answer is None:
                del charger._answers._table[action]
            else:
                charger._answers._table[action] = answer
        await charger.__aenter__()
        charger.settings.change("MeterValueSampleInterval", "1")
        self.chargers[name] = charger
        assert await charger.boot() == "Accepted"
        return charger

    async def begin(self, name: str) -> Transaction:
        """A car plugs in and charges as fast as it may."""
        charger = self.chargers[name]
        await charger.plug_in()
        assert await charger.tap(CARD) == "Accepted"
        transaction = await charger.until_started()
        self.work.add(asyncio.create_task(charger.charge(kwh=60, minutes=60)))
        return transaction

    async def end(self, name: str) -> None:
        await self.chargers[name].unplug()

    def may_a(self, name: str) -> float:
        """What a charger allows on each phase just now, by the profiles that it holds; 0, when nobody charges."""
        charger = self.chargers[name]
        transaction = charger.connectors[1].transaction
        if transaction is None:
            return 0.0
        limit_w = charger.plan.limit_w(1, charger.clock.now(), transaction_from=transaction.started)
        return 32.0 if limit_w is None else round(limit_w / _VOLTS, 1)

    def draws_a(self, name: str) -> float:
        return self.chargers[name].connectors[1].meter.power_w / _VOLTS

    def all_a(self) -> dict[str, float]:
        return {name: self.may_a(name) for name in self.chargers}

    async def reaches(self, **wanted: float) -> None:
        """Wait until chargers allow so much. Raises: AssertionError."""
        try:
            await until(lambda: all(self.may_a(name) == a for name, a in wanted.items()), seconds=PATIENCE_S)
        except TimeoutError:
            raise AssertionError((wanted, self.all_a(), await self.power(), await self.warnings())) from None

    def most_since(
        self, moment: float, weigh: Callable[[Mapping[str, float]], float] = lambda a: sum(a.values())
    ) -> float:
        """The most that all might draw together since `moment`."""
        return max(weigh(each) for at, each in self.seen_a if at >= moment)

    async def watch(self) -> None:
        while True:
            self.seen_a.append((self.now, self.all_a()))
            await asyncio.sleep(0.003)


@asynccontextmanager
async def a_yard(directory: Path, *, version: str = "1.6", **settings: Any) -> AsyncIterator[Yard]:
    """Nobody is connected yet, and there is no site."""
    async with a_site(directory, ocpp_settle_s=0, **settings) as site:
        for number in (1, 2, 3):
            await site.gateway.stations.put(f"CP{number}", {"location": "LOC1", "evses": {}, "security_profile": 0})
        for number in (1, 2, 3):
            made = {**station(f"E{number}"), "security_profile": 0}
            del made["password"]
            await site.gateway.stations.put(f"CP{number}", made)
        site.hub.chargers = Reach(site.hub, site.gateway.stations)
        yard = Yard(site, version)
        watching = asyncio.create_task(yard.watch())
        try:
            yield yard
        finally:
            for task in (watching, *yard.work):
                task.cancel()
            await asyncio.gather(watching, *yard.work, return_exceptions=True)
            for charger in yard.chargers.values():
                with contextlib.suppress(Exception):
                    await charger.__aexit__(None, None, None)
