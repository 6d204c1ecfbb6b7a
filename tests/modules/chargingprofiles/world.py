"""A hub with one scripted charger under each session of ours, and CPOs behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from hub.core.parties import Party
from hub.core.ports import LimitRules, Limits, NoChargers, ProfileOutcome
from hub.core.units import Unit
from modules.sessions import store as sessions
from tests.world import NOW, Said, Sent, World

C1 = Party("BE", "AAA")
URL = "https://e1.example/profiles/7"
LATER = "2026-05-04T12:00:00Z"


def _yes() -> ProfileOutcome | None:
    return ProfileOutcome.ACCEPTED


@dataclass
class Charger(NoChargers):
    """The port, scripted."""

    is_there: bool = True
    can: bool = True
    rules: LimitRules = field(default_factory=lambda: LimitRules(("A", "W")))
    says: Callable[[], ProfileOutcome | None] = _yes
    shows: Limits | ProfileOutcome = field(
        default_factory=lambda: Limits("A", ((0, Decimal(16)), (60, Decimal(8))), NOW, 3600)
    )
    told: list[tuple[str, Any]] = field(default_factory=list)

    async def reachable(self, station: str) -> bool:
        return self.is_there

    async def supports(self, station: str, feature: str) -> bool:
        return self.can and feature == "SmartCharging"

    async def limit_rules(self, station: str) -> LimitRules:
        return self.rules

    async def limit(
        self, station: str, *, transaction: str, number: int, limits: Limits, timeout_s: float
    ) -> ProfileOutcome | None:
        self.told.append(("limit", (number, limits)))
        return self.says()

    async def unlimit(self, station: str, *, number: int, timeout_s: float) -> ProfileOutcome:
        self.told.append(("unlimit", number))
        return self.says() or ProfileOutcome.REJECTED

    async def restore(
        self, station: str, *, transaction: str, number: int, limits: Limits | None, timeout_s: float
    ) -> ProfileOutcome | None:
        self.told.append(("restore", (number, limits)))
        return self.says()

    async def limits(
        self, station: str, *, transaction: str, duration_s: int, unit: str, timeout_s: float
    ) -> Limits | ProfileOutcome:
        self.told.append(("limits", (duration_s, unit)))
        return self.shows


async def furnish(world: World, far: str = "2.2.1") -> tuple[Charger, str]:
    """Returns: the charger, and the session of E1's driver there. c1, of version `far`, has S9 of E1's driver too."""
    charger = Charger()
    world.hub.chargers = charger
    for name in ("c1", "c2"):
        await world.registry.save(world.partner(name).model_copy(update={"version": far}))
    await session(world, "S9", "NL*EEE")
    world.peers.script = lambda sent: None if sent.module.startswith("https") else {"result": "ACCEPTED", "timeout": 20}
    return charger, await world.charge("NL*EEE", end=False)


async def session(world: World, session_id: str, audience: str, owner: Party = C1) -> None:
    tree = {"id": session_id, "country_code": owner.country_code, "party_id": owner.party_id, "status": "ACTIVE"}
    put = sessions.put_of({**tree, "evse_uid": "E7", "last_updated": LATER}, audience)
    await world.store.commit(Unit().put(put))


def profile(*limits: int, unit: str = "A", start: datetime | None = None, **fields: Any) -> dict[str, Any]:
    """A SetChargingProfile with one period for each limit, a minute each."""
    periods = [{"start_period": 60 * n, "limit": limit} for n, limit in enumerate(limits or (10,))]
    shape = {"charging_rate_unit": unit, "charging_profile_period": periods, **fields}
    return {"charging_profile": shape, "response_url": URL}


async def ask(
    world: World,
    method: str,
    session_id: str,
    *,
    by: str = "e1",
    body: Any = None,
    url: str = URL,
    duration: str = "600",
    to: str = "",
) -> Said:
    """One request to the receiver interface."""
    path = world.at(f"receiver/chargingprofiles/{session_id}")
    headers = [("OCPI-to-country-code", to[:2]), ("OCPI-to-party-id", to[3:])] if to else []
    if method == "PUT":
        return await world.ask("PUT", path, by=by, body=body or profile() | {"response_url": url}, headers=headers)
    query = f"response_url={url}" + (f"&duration={duration}" if method == "GET" else "")
    return await world.ask(method, f"{path}?{query}", by=by, headers=headers)


def told(world: World) -> list[tuple[str, str, Any]]:
    """The results that were POSTed to eMSPs."""
    return [(sent.partner, sent.module, sent.body) for sent in world.peers.sent if sent.module.startswith("https")]


def passed_on(world: World) -> list[Sent]:
    return [sent for sent in world.peers.sent if sent.module == "chargingprofiles"]


def path_of(url: str) -> str:
    return urlsplit(url).path
