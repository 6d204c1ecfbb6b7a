"""Bills that are held because the energy cannot be, and what an operator decides of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest, NotFound
from modules.sessions import service
from modules.sessions.charge import CHARGES, held_since, load_held
from modules.tariffs import service as tariffs
from tests.modules.sessions.charging import Charging, minute
from tests.world import OURS, World, a_world, tariff

ABSURD = "2147583"


@pytest.fixture
def charging(world: World) -> Charging:
    return Charging(world)


@pytest.fixture
async def charging_on_both(database_url: str, version: str) -> AsyncIterator[Charging]:
    async with a_world(database_url, version) as world:
        yield Charging(world)


async def held(charging: Charging) -> str:
    """A charge of 5 kWh by its last reading, whose stop says what cannot be. Returns: its session id."""
    await charging.begin()
    await charging.meter((10, "105"))
    await charging.end(30, ABSURD)
    return charging.facts.session_id


async def test_its_session_stays_active_as_it_was_last_known(charging_on_both: Charging) -> None:
    charging = charging_on_both
    world = charging.world
    await held(charging)
    session = await charging.session()
    assert (session["status"], session["kwh"], "end_date_time" in session) == ("ACTIVE", 5, False)
    (kept,) = await world.documents(CHARGES)
    assert kept.columns["state"] == "held"
    async with world.unchanged():
        assert await service.bill_all_held(world.hub) == 0
    assert await charging.cdrs() == []
    assert await charging.audited("cdr.") == ["cdr.held"]


@pytest.mark.parametrize(
    ("longest", "kwh", "is_held"),
    [
        (timedelta(hours=1), "130.4", False),
        (timedelta(hours=1), "130.5", True),
        (timedelta(0), "102.8", False),
        (timedelta(0), "102.9", True),
        (timedelta(days=9), "629.9", False),
        (timedelta(days=9), "630", True),
        (None, "629.9", False),
        (None, "630", True),
    ],
)
@pytest.mark.parametrize("how", ["ended", "corrected"])
async def test_one_that_was_seen_to_begin_takes_no_more_than_its_connector_gives_in_that_time(
    charging: Charging, longest: timedelta | None, kwh: str, is_held: bool, how: str
) -> None:
    await charging.begin()
    if how == "corrected":
        await charging.end(20, "101")
        await charging.correct(60, kwh, longest=longest)
    else:
        await charging.end(60, kwh, longest=longest)
    assert charging.facts.why_held == ("more energy than the connector can give" if is_held else "")
    billed = [cdr["total_energy"] for cdr in await charging.cdrs()]
    assert (Decimal(kwh) - 100 in billed) is not is_held


async def test_a_figure_of_the_operators_is_bound_by_the_day_and_not_by_what_was_seen(charging: Charging) -> None:
    await charging.begin()
    await charging.end(10, "140", longest=timedelta(minutes=10))
    await service.release(charging.world.hub, charging.facts.session_id, actor="jo", kwh=Decimal(40))
    (cdr,) = await charging.cdrs()
    assert cdr["total_energy"] == 40


async def test_it_is_held_since_its_end_was_told_by_our_clock(charging_on_both: Charging) -> None:
    charging = charging_on_both
    charging.world.clock.passed_s, charging.tick_s = 7200, 0
    session_id = await held(charging)
    told_at, charging.world.clock.passed_s = charging.world.hub.clock.now(), 9000
    assert await held_since(charging.world.store, limit=10) == [told_at]
    await service.drop(charging.world.hub, session_id, actor="jo")
    assert await held_since(charging.world.store, limit=10) == []


async def test_corrected_it_is_billed_for_the_operators_figure_and_says_so(charging_on_both: Charging) -> None:
    charging = charging_on_both
    session_id = await held(charging)
    await service.release(charging.world.hub, session_id, actor="jo", kwh=Decimal("7.5"))
    (cdr,), session = await charging.cdrs(), await charging.session()
    assert (cdr["total_energy"], cdr["remark"]) == (Decimal("7.5"), "the energy was set by the operator")
    assert (session["status"], session["kwh"], session["total_cost"]) == (
        "COMPLETED",
        Decimal("7.5"),
        cdr["total_cost"],
    )
    assert session["end_date_time"] == cdr["end_date_time"] == timestamp(minute(30))
    assert await charging.audited("cdr.") == ["cdr.held", "cdr.released", "cdr.issued"]
    assert (await charging.told())[-2:] == ["sessions", "cdrs"]


async def test_its_end_can_be_corrected_too(charging: Charging) -> None:
    session_id = await held(charging)
    charging.world.clock.passed_s = 3600
    await service.release(charging.world.hub, session_id, actor="jo", kwh=Decimal(4), end=minute(20))
    (cdr,) = await charging.cdrs()
    assert (cdr["total_energy"], cdr["end_date_time"]) == (4, timestamp(minute(20)))
    assert cdr["remark"] == "energy and end were set by the operator"


async def test_released_it_is_what_the_charger_said(charging: Charging) -> None:
    session_id = await held(charging)
    await service.release(charging.world.hub, session_id, actor="jo", kwh=service.AS_METERED)
    assert [cdr["total_energy"] for cdr in await charging.cdrs()] == [Decimal(ABSURD) - 100]
    assert (await charging.session())["status"] == "COMPLETED"


async def test_dropped_it_is_invalid_costs_nothing_and_is_never_billed(charging_on_both: Charging) -> None:
    charging = charging_on_both
    session_id = await held(charging)
    await service.drop(charging.world.hub, session_id, actor="jo")
    session = await charging.session()
    assert (session["status"], session["kwh"], "total_cost" in session) == ("INVALID", 5, False)
    assert (await charging.cdrs(), await charging.audited("cdr.dropped")) == ([], ["cdr.dropped"])
    await charging.restart()
    await charging.correct(40, "106")
    assert (await charging.cdrs(), await charging.session()) == ([], session)
    with pytest.raises(InvalidRequest):
        await service.drop(charging.world.hub, session_id, actor="jo")


async def test_what_the_charger_says_after_a_correction_changes_nothing(charging: Charging) -> None:
    session_id = await held(charging)
    await service.release(charging.world.hub, session_id, actor="jo", kwh=Decimal(6))
    await charging.restart()
    await charging.correct(40, "112")
    assert [cdr["total_energy"] for cdr in await charging.cdrs()] == [6]
    assert await charging.audited("cdr.kept") == ["cdr.kept"]


async def test_a_stop_that_can_be_ends_the_doubt(charging: Charging) -> None:
    await held(charging)
    await charging.correct(30, "106")
    session = await charging.session()
    assert (session["status"], session["kwh"]) == ("COMPLETED", 6)
    assert [cdr["total_energy"] for cdr in await charging.cdrs()] == [6]


async def test_a_dropped_correction_takes_back_what_was_billed_before(charging: Charging) -> None:
    await charging.begin()
    await charging.end(20, "104")
    await charging.correct(30, ABSURD)
    assert len(await charging.cdrs()) == 1, "what was billed stands until it is decided"
    await service.drop(charging.world.hub, charging.facts.session_id, actor="jo")
    assert sum(cdr["total_cost"]["before_taxes"] for cdr in await charging.cdrs()) == 0
    assert (await charging.session())["status"] == "COMPLETED", "as it was told"


@pytest.mark.parametrize(("kwh", "end"), [("9999", 30), ("5", -1), ("5", 10**6)])
async def test_a_figure_that_cannot_be_is_refused(charging: Charging, kwh: str, end: float) -> None:
    session_id = await held(charging)
    async with charging.world.unchanged():
        with pytest.raises(InvalidRequest):
            await service.release(charging.world.hub, session_id, actor="jo", kwh=Decimal(kwh), end=minute(end))


async def test_a_charge_that_has_no_price_yet_can_only_be_dropped(charging: Charging) -> None:
    await tariffs.delete(charging.world.store, OURS, "T1")
    await charging.begin()
    await charging.end(30, "105")
    session_id, before = charging.facts.session_id, await charging.session()
    async with charging.world.unchanged():
        with pytest.raises(InvalidRequest, match="its tariff is not here: T1"):
            await service.release(charging.world.hub, session_id, actor="jo", kwh=service.AS_METERED)
    await service.drop(charging.world.hub, session_id, actor="jo")
    session = await charging.session()
    assert (session["status"], session["kwh"], "total_cost" in session) == ("INVALID", 5, False)
    assert session["last_updated"] > before["last_updated"]
    await tariffs.put(charging.world.store, OURS, "T1", tariff(), now=charging.world.clock.now())
    assert await service.bill_all_held(charging.world.hub) == 0
    with pytest.raises(NotFound):
        await service.drop(charging.world.hub, "none", actor="jo")


async def test_a_charge_without_its_tariff_can_be_corrected_once_that_is_there_and_session_and_cdr_say_the_same(
    charging_on_both: Charging,
) -> None:
    charging = charging_on_both
    await tariffs.delete(charging.world.store, OURS, "T1")
    await charging.begin()
    await charging.end(30, "105")
    await charging.correct(30, "106")
    assert ((await charging.session())["status"], (await charging.session())["kwh"]) == ("ACTIVE", 6)
    await tariffs.put(charging.world.store, OURS, "T1", tariff(), now=charging.world.clock.now())
    await service.release(charging.world.hub, charging.facts.session_id, actor="jo", kwh=Decimal(4))
    (cdr,), session = await charging.cdrs(), await charging.session()
    assert (session["status"], session["kwh"], session["total_cost"]) == ("COMPLETED", 4, cdr["total_cost"])


async def test_why_a_charge_is_held_is_said_anew_as_that_changes(charging: Charging) -> None:
    store, now = charging.world.store, charging.world.clock.now()
    await tariffs.delete(store, OURS, "T1")
    await charging.begin()
    await charging.end(30, "105")
    session_id = charging.facts.session_id
    (kept, _) = await load_held(store, session_id) or pytest.fail("it is not held")
    assert kept.why_held == "its tariff is not here: T1"
    later = {**tariff(), "start_date_time": "2099-01-01T00:00:00Z"}
    await tariffs.put(store, OURS, "T1", later, now=now)
    assert not await service.bill_held(charging.world.hub, session_id)
    (kept, _) = await load_held(store, session_id) or pytest.fail("it is not held")
    assert "in force" in kept.why_held
    assert kept.tariff_trees() == [], "what was frozen at its start stays"
