"""Whatever drivers, networks and partners do in whatever order: what chargers accepted never adds up to too much."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from hub.core.ports import Limits
from partners.ocpp.journal import Record
from tests.partners.ocpp.site import until
from tests.partners.ocpp.sites.test_steering import all_there
from tests.partners.ocpp.sites.yard import Yard, a_yard, grid

LIMIT_A = 30
LONG = 40
"""Things that happen in one run."""


@pytest.fixture
async def yard(tmp_path: Path, version: str) -> AsyncIterator[Yard]:
    async with a_yard(tmp_path, version=version) as made:
        yield made


async def something(yard: Yard, rng: random.Random) -> None:
    name = rng.choice(("CP1", "CP2", "CP3"))
    charger = yard.chargers[name]
    is_charging = charger.connectors[1].transaction is not None
    match rng.choice(("drive", "drive", "network", "wish", "withdraw")):
        case "network" if charger.online:
            await charger.go_offline()
        case "network":
            await charger.go_online()
        case "drive" if is_charging:
            await yard.end(name)
            await asyncio.sleep(0.5)  # no car comes before the one that leaves is out of the way
        case "drive" if charger.online:
            await yard.begin(name)
        case "wish" if is_charging and (record := open_at(yard, name)) is not None:
            limits = Limits("A", ((0, Decimal(rng.randint(0, 32))),), datetime.now(UTC))
            await yard.site.hub.chargers.limit(
                name, transaction=record.session, number=7, limits=limits, timeout_s=rng.choice((0.05, 1))
            )
        case "withdraw":
            await yard.site.hub.chargers.unlimit(name, number=7, timeout_s=0.5)
    await asyncio.sleep(rng.choice((0, 0.02, 0.1, 0.3)))


def open_at(yard: Yard, name: str) -> Record | None:
    return yard.site.gateway.transactions.open_at(name).get(1)


@pytest.mark.parametrize(("version", "seed"), [("1.6", 0), ("2.0.1", 1), ("2.1", 2)])
async def test_in_any_disorder_no_more_is_accepted_than_there_is(yard: Yard, seed: int) -> None:
    rng = random.Random(seed)
    rules = {**grid(LIMIT_A)["rules"], "holds_s": 4, "renewed_s": 2}
    await all_there(yard, grid(LIMIT_A, "E1", "E2", "E3", rules=rules))
    began = yard.now
    for _ in range(LONG):
        with suppress(TimeoutError):
            await something(yard, rng)
    assert yard.most_since(began) <= LIMIT_A
    for name, charger in yard.chargers.items():
        if not charger.online:
            await charger.go_online()
        if charger.connectors[1].transaction is None:
            await yard.begin(name)
        await yard.site.hub.chargers.unlimit(name, number=7, timeout_s=5)
    await until(lambda: set(yard.all_a().values()) == {10})
    assert yard.most_since(began) <= LIMIT_A
