"""A charge at E1 of LOC1, step by step, each step committed as the chargers' gateway would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.core.inbound import parse
from hub.core.ports import Place
from hub.core.units import Unit
from modules.cdrs.store import CDRS
from modules.sessions import service
from modules.sessions.charge import Charge, Reading, State, load
from modules.sessions.store import SESSIONS
from modules.sessions.wire import SESSION
from modules.tokens.authorize import By, Decision
from tests.world import NOW, OURS, World, stored_token

EEE = "NL*EEE"
E1 = Place("CP1", 1, f"{OURS}/LOC1", "E1", "1")
E2 = Place("CP1", 2, f"{OURS}/LOC1", "E2", "1")


def minute(minutes: float) -> datetime:
    """By the charger's clock."""
    return NOW + timedelta(minutes=minutes)


def allowed(owner: str = EEE, by: By = By.REAL_TIME, reference: str | None = "REF-1") -> Decision:
    return Decision("ALLOWED", by, stored_token(owner) if owner else None, owner, reference)


class Charging:
    """One charge, and what the world sees of it."""

    def __init__(self, world: World, *, tick_s: float = 1) -> None:
        self.world = world
        self.tick_s = tick_s
        """By how much our own clock moves with each step."""
        self.charge: Charge | None = None

    @property
    def facts(self) -> Charge:
        assert self.charge is not None
        return self.charge

    async def commit(self, unit: Unit) -> None:
        await self.world.store.commit(unit)
        self.world.clock.passed_s += self.tick_s

    async def reserve(self, *, place: Place = E1, owner: str = EEE) -> None:
        at = self.world.clock.now()
        self.charge, unit = await service.reserve(self.world.hub, place, allowed(owner, By.COMMAND), at=at)
        await self.commit(unit)

    async def begin(
        self, at: float = 0, *, place: Place = E1, decision: Decision | None = None, kwh: str | None = "100"
    ) -> None:
        meter = Decimal(kwh) if kwh is not None else None
        begun = service.Begun(place, decision or allowed(), minute(at), meter)
        self.charge, unit = await service.begin(self.world.hub, begun, reserved=self.charge)
        await self.commit(unit)

    async def meter(self, *readings: tuple[float, str], states: Sequence[tuple[float, str]] = ()) -> None:
        """`readings` are (minute, kWh), `states` (minute, state)."""
        samples = [Reading(minute(at), Decimal(kwh)) for at, kwh in readings]
        found = [State(minute(at), state) for at, state in states]
        at = max([sample.at for sample in samples] + [state.at for state in found])
        self.facts.readings = sorted([*self.facts.readings, *samples], key=lambda reading: reading.at)
        await self.commit(service.progress(self.world.hub, self.facts, found, at=at))

    async def end(self, at: float, kwh: str, *, remark: str = "", longest: timedelta | None = None) -> None:
        hub, ended = self.world.hub, minute(at)
        unit = service.end(hub, self.facts, at=ended, meter_kwh=Decimal(kwh), remark=remark, longest=longest)
        await self.commit(unit)

    async def end_reservation(self, *, expired: bool) -> None:
        now = self.world.clock.now()
        await self.commit(service.end_reservation(self.world.hub, self.facts, at=now, expired=expired))

    async def correct(self, at: float, kwh: str, *, longest: timedelta | None = None) -> None:
        hub, ended = self.world.hub, minute(at)
        unit = await service.correct(
            hub, self.facts, at=ended, meter_kwh=Decimal(kwh), remark="late stop", longest=longest
        )
        await self.commit(unit)

    async def restart(self) -> None:
        """What a new process knows of it; who reports the readings has them on record."""
        readings = self.facts.readings
        self.charge = await load(self.world.store, self.facts.session_id)
        self.facts.readings = readings

    async def session(self) -> Any:
        """The Session as it stands: a valid one."""
        (document,) = await self.world.documents(SESSIONS)
        tree = parse(document.body, limit=2**20)
        SESSION["2.3.0"].read(tree)
        assert document.audience == tree["cdr_token"]["country_code"] + "*" + tree["cdr_token"]["party_id"]
        return tree

    async def cdrs(self) -> list[Any]:
        """All CDRs, in order of issue."""
        return [parse(document.body, limit=2**20) for document in await self.world.documents(CDRS)]

    async def told(self) -> list[str]:
        """The modules whose partners were told, in order."""
        rows = await self.world.store.changes(after=0, limit=10_000)
        return [row.change.module for row in rows if row.change.module in ("sessions", "cdrs")]

    async def audited(self, prefix: str) -> list[str]:
        rows = await self.world.store.audit_rows(after=0, limit=10_000)
        return [row.audit.action for row in rows if row.audit.action.startswith(prefix)]
