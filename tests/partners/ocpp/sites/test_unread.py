"""After a start of the hub a charger that did not do what it was told is reckoned with that until its meter is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.core.clock import timestamp
from partners.ocpp.energy.facts import Drawn
from partners.ocpp.energy.rules import Rules
from partners.ocpp.sites.form import SiteForm
from partners.ocpp.sites.metering import Metered
from partners.ocpp.sites.present import Seen, facts_of
from partners.ocpp.sites.register import Known
from partners.ocpp.sites.state import EvseRow, EvseState
from partners.sandbox.point.faults import Faults
from tests.partners.ocpp.energy.garage import garage
from tests.partners.ocpp.site import until
from tests.partners.ocpp.sites.test_steering import THREE, VERSIONS, _warns, all_there
from tests.partners.ocpp.sites.yard import Yard, a_yard, grid

LIMIT_A = 80
MOST_A = 60
"""Of E2. Its car draws about 50 A, whatever its charger is told; an equal share is less than 27 A."""
NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


@pytest.fixture
async def yard(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Yard]:
    async with a_yard(tmp_path, version=getattr(request, "param", "1.6")) as made:
        yield made


def the_others(all_a: Mapping[str, float]) -> float:
    """What those that do what they are told may draw."""
    return all_a["CP1"] + all_a["CP3"]


async def one_disobeys(yard: Yard, **rules: float) -> float:
    """CP2 draws more than it is told, is known for it, and is read no more. Returns: what it draws."""
    tree: dict[str, Any] = grid(LIMIT_A, *THREE, rules={**grid(LIMIT_A)["rules"], **rules})
    tree["evses"]["E2"]["most_a"] = MOST_A
    await all_there(yard, tree, CP2=Faults(ignores_limits=True))
    await yard.begin("CP2")
    (metering,) = yard.work
    for name in ("CP1", "CP3"):
        await yard.begin(name)
    await until(lambda: _warns(yard, "E2 draws"))
    await until(lambda: 24 < the_others(yard.all_a()) <= LIMIT_A - yard.draws_a("CP2"))
    metering.cancel()
    return yard.draws_a("CP2")


async def all_are_back(yard: Yard) -> None:
    """Everybody has taken its safe current again, and those that do what they are told were read."""
    began = timestamp(datetime.now(UTC))

    async def are_back() -> bool:
        power = await yard.power()
        are_read = all(power[name].get("measured_at", "") > began for name in ("E1", "E3"))
        return are_read and {power[name]["state"] for name in THREE} == {"charging"}

    await until(are_back)
    await asyncio.sleep(1.5)


@pytest.mark.parametrize("yard", VERSIONS, indirect=True)
async def test_after_a_restart_it_is_reckoned_with_what_its_meter_read_last(yard: Yard) -> None:
    drawn_a = await one_disobeys(yard, fresh_s=300)
    began = yard.now
    await yard.restart()
    await all_are_back(yard)
    assert yard.most_since(began, the_others) <= LIMIT_A - drawn_a
    shown = (await yard.power())["E2"]["draws_a"]
    assert [float(a) for a in shown] == pytest.approx([drawn_a] * 3, abs=1)


async def test_where_that_is_too_old_it_is_reckoned_with_the_most_that_it_gives_for_a_while(yard: Yard) -> None:
    drawn_a = await one_disobeys(yard, fresh_s=6)
    await yard.site.gateway.stop()
    await asyncio.sleep(6)
    began = yard.now
    await yard.restart()
    await until(lambda: the_others(yard.all_a()) <= LIMIT_A - MOST_A)
    assert yard.most_since(began, the_others) <= LIMIT_A - drawn_a
    await until(lambda: the_others(yard.all_a()) > LIMIT_A - MOST_A + 20)


async def test_it_is_reckoned_with_what_it_is_told_once_its_meter_reads_no_more_than_that(yard: Yard) -> None:
    drawn_a = await one_disobeys(yard, fresh_s=300)
    yard.chargers["CP2"]._faults = Faults()
    metering = asyncio.create_task(yard.chargers["CP2"].charge(kwh=20, minutes=60))
    yard.work.add(metering)
    await until(lambda: the_others(yard.all_a()) > LIMIT_A - drawn_a + 10)
    metering.cancel()
    await yard.restart()
    await all_are_back(yard)
    assert the_others(yard.all_a()) > LIMIT_A - drawn_a + 10


def charging(drew: Drawn, metered: Metered | None) -> Seen:
    row = EvseRow("yard", "E0", "CP1", 1, "a charge", "S1", NOW - timedelta(hours=1), drew=drew)
    return Seen(EvseState(row), True, True, metered)


@pytest.mark.parametrize(
    "metered",
    [
        None,
        Metered(NOW + timedelta(seconds=1), None, None, 5000),
        Metered(NOW - timedelta(seconds=1), (6000, 6000, 6000), None),
    ],
    ids=["no reading", "a register alone", "an older reading, out of the queue of its charger"],
)
def test_what_says_nothing_of_what_is_drawn_now_does_not_clear_it(metered: Metered | None) -> None:
    form = msgspec.convert(grid(16, "E0"), SiteForm, strict=False)
    known, drew = Known("yard", form, garage(16_000, 1), Rules(), {}, {}), Drawn((32_000, 0, 0), NOW)
    (charge,) = facts_of(known, {"E0": charging(drew, metered)}, NOW + timedelta(seconds=2)).charges
    assert charge.drawn == drew
