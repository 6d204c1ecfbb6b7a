"""A site whose limit binds, over real websockets: shares, lowerings and raises, by what chargers accepted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.core.clock import timestamp
from partners.ocpp.sites import rows
from partners.ocpp.sites.state import state_in
from partners.sandbox.point.clock import FastClock
from partners.sandbox.point.faults import Faults
from tests.partners.ocpp.site import until
from tests.partners.ocpp.sites.yard import Yard, a_yard, grid

THREE = ("E1", "E2", "E3")
VERSIONS = ("1.6", "2.0.1", "2.1")


@pytest.fixture
async def yard(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Yard]:
    async with a_yard(tmp_path, version=getattr(request, "param", "1.6")) as made:
        yield made


def soon(**ahead: float) -> str:
    return timestamp(datetime.now(UTC) + timedelta(**ahead))


async def are_idle(yard: Yard, *names: str) -> bool:
    power = await yard.power()
    return len(power) == 3 and all(power[name]["state"] == "idle" for name in names)


async def all_there(yard: Yard, tree: dict[str, Any], **faults: Faults) -> None:
    """Three chargers that hold their safe currents."""
    await yard.put(tree)
    for name in ("CP1", "CP2", "CP3"):
        await yard.connect(name, faults=faults.get(name))
    await until(lambda: are_idle(yard, *THREE))


async def three_charging(yard: Yard, **faults: Faults) -> float:
    """All three charge behind 48 A, a third each. Returns: since when they were there."""
    await all_there(yard, grid(48, *THREE), **faults)
    began = yard.now
    for name in ("CP1", "CP2", "CP3"):
        await yard.begin(name)
    await yard.reaches(CP1=16, CP2=16, CP3=16)
    return began


@pytest.mark.parametrize("yard", VERSIONS, indirect=True)
async def test_three_share_and_whoever_stops_leaves_its_share_to_the_others(yard: Yard) -> None:
    began = await three_charging(yard)
    await yard.end("CP2")
    await yard.reaches(CP1=21, CP3=21)
    assert yard.most_since(began) <= 48
    await until(lambda: _says(yard, "E2", "next charge may draw that"))
    assert all(charger.complaints.texts() == [] for charger in yard.chargers.values())


async def test_a_charger_is_given_its_safe_current_when_it_connects_and_the_most_of_its_evse(yard: Yard) -> None:
    await yard.put(grid(48, *THREE, safe_a=7))
    charger = await yard.connect("CP1")
    await until(lambda: are_idle(yard, "E1"))
    shown = {row[1]["chargingProfilePurpose"]: row[1] for row in charger.plan._installed.values()}
    limits = {purpose: row["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"] for purpose, row in shown.items()}
    assert limits == {"TxDefaultProfile": 7, "ChargePointMaxProfile": 32}
    assert "GetCompositeSchedule" in str(charger.link.frames)


async def test_a_charger_is_left_in_peace_for_a_while_after_it_connected_and_then_told_at_once(yard: Yard) -> None:
    yard.site.hub.settings = yard.site.hub.settings.model_copy(update={"ocpp_settle_s": 1.5})
    await yard.put(grid(48, *THREE))
    charger = await yard.connect("CP1")
    began = yard.now
    await until(lambda: _is(yard, "E1", "settling"))
    assert "SetChargingProfile" not in str(charger.link.frames)
    await until(lambda: "SetChargingProfile" in str(charger.link.frames))
    assert 1 < yard.now - began < 6
    await until(lambda: _is(yard, "E1", "idle"))
    await charger.go_offline()
    await until(lambda: _is(yard, "E1", "offline"))


async def test_a_new_charger_without_a_car_takes_nothing_from_the_others(yard: Yard) -> None:
    await yard.put(grid(48, "E1", "E2"))
    await yard.connect("CP1")
    await until(lambda: _is(yard, "E1", "idle"))
    await yard.begin("CP1")
    await yard.reaches(CP1=16)
    yard.site.hub.settings = yard.site.hub.settings.model_copy(update={"ocpp_settle_s": 60})
    charger = await yard.connect("CP2")
    await yard.reaches(CP1=32)
    assert "SetChargingProfile" not in str(charger.link.frames)
    await charger.plug_in()
    await yard.reaches(CP1=16)


async def test_a_charge_at_a_place_of_no_site_is_left_alone(yard: Yard) -> None:
    charger = await yard.connect("CP1")
    await yard.begin("CP1")
    await asyncio.sleep(0.3)
    assert (yard.may_a("CP1"), charger.plan._installed) == (32, {})


async def test_each_is_shown_what_it_may_draw_until_when_and_why(yard: Yard) -> None:
    await three_charging(yard)
    await until(lambda: _all(yard, accepted=True, may_a=16))
    for item in (await yard.power()).values():
        assert item["state"] == "charging"
        assert item["phases"] == ["L1", "L2", "L3"]
        assert item["begin"] < item["until"]
        assert "no more, as L1 of grid has no more" in item["why"]
        assert item["session"]
    view = await yard.site.gateway.sites.power("yard")
    assert (view["nodes"][0]["limit_a"], view["nodes"][0]["may_a"]) == ([48, 48, 48], [48, 48, 48])
    await until(lambda: _all(yard, draws=True))


async def _all(yard: Yard, *, draws: bool = False, **wanted: Any) -> bool:
    items = (await yard.power()).values()
    fits = all(item.get(name) == value for item in items for name, value in wanted.items())
    return fits and (not draws or all("draws_a" in item for item in items))


async def test_a_limit_from_the_grid_operator_lowers_all_at_once_and_ends_by_itself(yard: Yard) -> None:
    await three_charging(yard)
    await yard.limit(24, soon(minutes=5))
    await yard.reaches(CP1=8, CP2=8, CP3=8)
    held = yard.now
    await yard.limit(24, soon(seconds=1))
    await yard.reaches(CP1=16, CP2=16, CP3=16)
    assert yard.most_since(held) <= 48


async def test_where_the_limit_is_too_low_for_all_they_take_turns(yard: Yard) -> None:
    await three_charging(yard)
    await yard.limit(13, soon(minutes=5))
    await until(lambda: sorted(yard.all_a().values()) == [0, 6.5, 6.5])
    low, waited = yard.now, next(name for name, a in yard.all_a().items() if a == 0)
    await until(lambda: _says(yard, f"E{waited[-1]}", "waits for its turn"))
    await until(lambda: yard.may_a(waited) == 6.5)
    assert yard.most_since(low) <= 13


async def test_a_building_that_draws_more_takes_from_all_and_a_stale_reading_counts_as_the_worst(yard: Yard) -> None:
    await all_there(yard, grid(48, *THREE, load_a=18, load_fresh_s=3))
    for name in ("CP1", "CP2", "CP3"):
        await yard.begin(name)
    await yard.reaches(CP1=10, CP2=10, CP3=10)
    began = yard.now
    async with measured(yard, 3):
        await yard.reaches(CP1=15, CP2=15, CP3=15)
    assert yard.most_since(began) <= 45
    async with measured(yard, 9):
        await yard.reaches(CP1=13, CP2=13, CP3=13)
    await yard.reaches(CP1=10, CP2=10, CP3=10)


@asynccontextmanager
async def measured(yard: Yard, amperes: float) -> AsyncIterator[None]:
    """The building draws so much, says its meter again and again."""

    async def tells() -> None:
        while True:
            await yard.load(amperes)
            await asyncio.sleep(0.5)

    telling = asyncio.create_task(tells())
    yield
    telling.cancel()
    with suppress(asyncio.CancelledError):
        await telling


async def test_what_is_kept_for_a_charger_that_never_came_is_warned_of_and_not_called_exceeded(yard: Yard) -> None:
    await yard.put(grid(40, *THREE, load_a=4))
    await yard.connect("CP1")
    await until(lambda: _warns(yard, "L1 of grid has 34.0 A too little for the 70.0 A that are kept"))
    assert (await yard.site.gateway.sites.power("yard"))["exceeded"] == []


@pytest.mark.parametrize("yard", VERSIONS, indirect=True)
async def test_who_draws_more_than_told_is_seen_and_the_others_give_way(yard: Yard) -> None:
    await three_charging(yard, CP2=Faults(ignores_limits=True))
    await until(lambda: yard.draws_a("CP2") > 30)
    await yard.reaches(CP1=0, CP3=0)
    await until(lambda: _warns(yard, "E2 draws"))
    assert any("E2 draws" in words for words in (await yard.site.gateway.sites.power("yard"))["exceeded"])
    rows_ = [row.audit for row in await yard.site.hub.store.audit_rows(after=0, limit=1000)]
    assert len([row for row in rows_ if row.action == "site.warning" and "E2 draws" in row.detail]) == 1
    seen: list[bool] = []
    while len(seen) < 30:  # through several tellings, each of which it accepts and ignores
        await asyncio.sleep(0.1)
        seen.append(await _warns(yard, "E2 draws"))
    assert all(seen)


@pytest.mark.parametrize("yard", VERSIONS, indirect=True)
async def test_who_draws_more_than_its_safe_current_as_soon_as_it_begins_is_seen_however_long_others_take_to_follow(
    yard: Yard,
) -> None:
    rules = {**grid(40, *THREE)["rules"], "follows_s": 3600}
    await all_there(yard, grid(40, *THREE, rules=rules), CP2=Faults(ignores_limits=True))
    await yard.begin("CP1")
    await yard.reaches(CP1=28)
    await yard.begin("CP2")
    await yard.reaches(CP1=0)
    await until(lambda: _warns(yard, "E2 draws"))


async def test_a_car_at_a_charger_that_came_to_a_site_has_the_time_to_fall_to_its_safe_current(yard: Yard) -> None:
    await yard.connect("CP1")
    await yard.begin("CP1")
    await until(lambda: yard.draws_a("CP1") > 30)
    await yard.put(grid(20, "E1", rules={**grid(20)["rules"], "follows_s": 3600}))
    await yard.reaches(CP1=20)
    row = yard.site.gateway.stations.work.roll.state("yard", "E1").row
    assert [ma for ma, _ in row.told_lately] == [32_000]


async def _warns(yard: Yard, words: str) -> bool:
    return any(words in warning for warning in await yard.warnings())


async def _says(yard: Yard, evse: str, words: str) -> bool:
    return words in (await yard.power())[evse]["why"]


async def test_who_goes_offline_is_reckoned_with_what_it_was_told_and_then_with_its_safe_current(yard: Yard) -> None:
    rules = {**grid(48, *THREE)["rules"], "holds_s": 6, "renewed_s": 3}
    await all_there(yard, grid(48, *THREE, rules=rules))
    began = yard.now
    for name in ("CP1", "CP2", "CP3"):
        await yard.begin(name)
    await yard.reaches(CP1=16, CP2=16, CP3=16)
    await yard.chargers["CP2"].go_offline()
    await until(lambda: _is(yard, "E2", "offline"))
    await yard.reaches(CP1=21, CP2=6, CP3=21)
    assert yard.most_since(began) <= 48
    await yard.chargers["CP2"].go_online()
    await yard.reaches(CP1=16, CP2=16, CP3=16)
    assert yard.most_since(began) <= 48


async def _is(yard: Yard, evse: str, state: str) -> bool:
    item = (await yard.power()).get(evse)
    return item is not None and item["state"] == state


async def test_nobody_rises_while_another_refuses_to_fall(yard: Yard) -> None:
    await all_there(yard, grid(40, *THREE))
    await yard.begin("CP1")
    await yard.reaches(CP1=28)
    began = yard.now
    charger = yard.chargers["CP1"]
    charger._answers._table["SetChargingProfile"] = lambda _: ({"status": "Rejected"}, None)
    await yard.begin("CP2")
    await asyncio.sleep(1.5)
    assert (yard.may_a("CP1"), yard.may_a("CP2")) == (28, 6)
    assert yard.most_since(began) <= 40
    await until(lambda: _says(yard, "E2", "no more until others draw less"))


async def test_a_charger_without_smart_charging_is_reckoned_with_the_most_that_it_gives(yard: Yard) -> None:
    await yard.put(grid(48, *THREE))
    await yard.connect("CP1", answers={"SetChargingProfile": None})
    for name in ("CP2", "CP3"):
        await yard.connect(name)
    await until(lambda: _is(yard, "E1", "deaf"))
    await until(lambda: are_idle(yard, "E2", "E3"))
    await yard.begin("CP2")
    await yard.reaches(CP2=10)
    await until(lambda: _warns(yard, "E1 has not taken its safe current"))


async def test_a_charger_whose_schedule_denies_what_it_accepted_has_not_accepted(yard: Yard) -> None:
    await yard.put(grid(48, *THREE))
    await yard.connect("CP1", answers={"SetChargingProfile": lambda _: ({"status": "Accepted"}, None)})
    await until(lambda: _is(yard, "E1", "deaf"))


async def test_who_is_said_to_hold_less_than_his_schedule_says_is_reckoned_with_that(yard: Yard) -> None:
    await all_there(yard, grid(48, *THREE))
    await yard.begin("CP1")
    await yard.reaches(CP1=32)
    charger = yard.chargers["CP1"]
    charger._answers._table["SetChargingProfile"] = lambda _: ({"status": "Accepted"}, None)
    await yard.begin("CP2")
    await until(lambda: _says(yard, "E2", "no more until others draw less"))
    assert (yard.may_a("CP1"), yard.may_a("CP2")) == (32, 10)


async def test_after_a_restart_nobody_is_raised_before_it_is_known_what_chargers_do(yard: Yard) -> None:
    began = await three_charging(yard)
    await yard.chargers["CP3"].go_offline()
    await yard.restart()
    assert [state_in(row).row.told_ma for row in await yard.site.hub.store.select(rows.SITE_EVSES)] == [16_000] * 3
    await until(lambda: yard.chargers["CP1"].online and yard.chargers["CP2"].online)
    await yard.end("CP1")
    await yard.reaches(CP1=0, CP2=26, CP3=16)
    await yard.chargers["CP3"].go_online()
    await yard.reaches(CP2=21, CP3=21)
    assert yard.most_since(began) <= 48


async def test_who_drew_too_much_before_a_restart_is_reckoned_with_until_he_is_read_again(yard: Yard) -> None:
    await three_charging(yard, CP2=Faults(ignores_limits=True))
    await until(lambda: _warns(yard, "E2 draws"))
    await yard.reaches(CP1=0, CP3=0)
    for readings in yard.work:  # the next ones would come after long
        readings.cancel()
    began = yard.now
    await yard.restart()
    await until(lambda: all(charger.online for charger in yard.chargers.values()))
    await yard.end("CP1")
    await until(lambda: are_idle(yard, "E1"))
    await asyncio.sleep(1)  # as long as the others were raised in before
    assert yard.most_since(began, lambda a: a["CP1"] + a["CP3"]) == 0


async def test_a_share_holds_by_the_chargers_own_clock_however_wrong_that_is(yard: Yard) -> None:
    await yard.put(grid(48, *THREE))
    for name, hours in (("CP1", -3), ("CP2", 0), ("CP3", 5)):
        await yard.connect(name, clock=FastClock(start=datetime.now(UTC) + timedelta(hours=hours)))
    await until(lambda: are_idle(yard, *THREE))
    for name in ("CP1", "CP2", "CP3"):
        await yard.begin(name)
    await yard.reaches(CP1=16, CP2=16, CP3=16)


async def test_a_site_that_is_deleted_is_steered_no_more(yard: Yard) -> None:
    await three_charging(yard)
    await yard.site.gateway.sites.delete("yard", actor="test")
    await yard.end("CP1")
    await asyncio.sleep(0.3)
    assert (yard.may_a("CP2"), yard.may_a("CP3")) == (16, 16)
    await until(lambda: _nothing_is_left(yard))


async def test_an_evse_that_leaves_its_site_while_it_is_written_leaves_no_row(yard: Yard) -> None:
    roll = yard.site.gateway.stations.work.roll
    state = roll.state("yard", "E9")
    state.row.station = "CP9"
    writing = asyncio.create_task(roll.keep(state))
    await asyncio.sleep(0)
    await roll.forget_others()
    await writing
    state.row.station = "CP10"
    await roll.keep(state)
    kept = await yard.site.hub.store.select(rows.SITE_EVSES)
    assert [document.key for document in kept if document.key.endswith("E9")] == []


async def _nothing_is_left(yard: Yard) -> bool:
    return not any([await yard.site.hub.store.select(kind) for kind in (rows.SITE_EVSES, rows.SITES)])
