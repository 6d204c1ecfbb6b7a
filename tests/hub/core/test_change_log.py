"""The change log is kept for some days, and as long as a lane has still to hear of what is in it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from hub.core import change_log
from hub.core.delivery import LANES, LaneState, lane_from_now_on
from hub.core.registry import State
from hub.core.units import ABSENT, Change, Put, Unit
from hub.worker import cut_change_log
from partners.webhooks.model import Webhook, webhook_put
from tests.world import World

pytestmark = pytest.mark.parametrize("version", ["2.2.1"])

DAY_S = 86_400.0


async def numbers(world: World) -> list[int]:
    return [row.seq for row in await world.store.changes(after=0, limit=10_000)]


async def changed(world: World, times: int) -> int:
    """So many changes more. Returns: the last number."""
    await world.store.commit(Unit(changes=[Change("locations", f"{number}") for number in range(times)]))
    return await world.store.last_change()


async def has_passed(world: World, lane: str, cursor: int) -> None:
    await world.store.commit(Unit().put(Put(LANES, lane, msgspec.json.encode(LaneState(cursor=cursor)))))


async def all_have_passed(world: World) -> int:
    last = await world.store.last_change()
    for partner in world.registry.all():
        await has_passed(world, partner.name, last)
    return last


async def days_later(world: World, days: float) -> None:
    world.clock.move_to(world.clock.passed_s + days * DAY_S)


async def test_what_is_older_than_the_days_goes(world_on_both: World) -> None:
    world = world_on_both
    old = await changed(world, 5)
    await days_later(world, 20)
    lately = await changed(world, 5)
    await days_later(world, 10.5)
    last = await changed(world, 5)
    await all_have_passed(world)
    await cut_change_log(world.hub)
    assert await numbers(world) == list(range(old + 1, last + 1))
    await days_later(world, 20)
    await cut_change_log(world.hub)
    assert await numbers(world) == list(range(lately + 1, last + 1))


async def test_of_a_log_that_is_old_as_a_whole_the_last_change_stays(world_on_both: World) -> None:
    world = world_on_both
    last = await changed(world, 5)
    await all_have_passed(world)
    await days_later(world, 400)
    for _ in range(2):
        await cut_change_log(world.hub)
        assert await numbers(world) == [last]
    await world.store.commit(Unit().put(await lane_from_now_on(world.store, "new")))
    assert await changed(world, 1) == last + 1


@pytest.mark.parametrize(("state", "is_kept"), [(state, state in (State.CONNECTED, State.BLOCKED)) for state in State])
async def test_what_a_partner_has_still_to_hear_of_stays(world: World, state: State, is_kept: bool) -> None:
    partner = world.partner("e1")
    await world.registry.save(partner.model_copy(update={"state": state}))
    heard = await changed(world, 1)
    last = await changed(world, 7)
    await all_have_passed(world)
    await has_passed(world, partner.name, heard)
    await days_later(world, 400)
    await cut_change_log(world.hub)
    assert await numbers(world) == (list(range(heard + 1, last + 1)) if is_kept else [last])


async def test_before_its_lane_was_ever_on_disk_a_partner_has_all_to_hear_of(world: World) -> None:
    before = await numbers(world)
    await days_later(world, 400)
    await cut_change_log(world.hub)
    assert await numbers(world) == before


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_webhook_holds_the_log_unless_it_is_switched_off(world: World, enabled: bool) -> None:
    webhook = Webhook("w1", "https://a.example/", datetime(2026, 1, 1, tzinfo=UTC), "me", enabled=enabled)
    await world.store.commit(Unit().put(webhook_put(webhook, expect=ABSENT)))
    heard = await changed(world, 1)
    last = await changed(world, 7)
    await all_have_passed(world)
    await has_passed(world, webhook.lane, heard)
    await days_later(world, 400)
    await cut_change_log(world.hub)
    assert await numbers(world) == (list(range(heard + 1, last + 1)) if enabled else [last])


async def test_cursors_are_those_on_disk(world_on_both: World) -> None:
    """The registry of this process knows nothing of a partner that another one connected."""
    world = world_on_both
    partner = world.partner("e1").model_copy(update={"name": "elsewhere"})
    await world.store.commit(world.registry.unit(partner, new=True))
    heard = await changed(world, 1)
    last = await changed(world, 7)
    await all_have_passed(world)
    await has_passed(world, "elsewhere", heard)
    await days_later(world, 400)
    await cut_change_log(world.hub)
    assert await numbers(world) == list(range(heard + 1, last + 1))


async def test_many_changes_go_step_by_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_log, "A_STEP", 10)
    monkeypatch.setattr(change_log, "_PAUSE_S", 0.0)
    cuts: list[int] = []
    last = await changed(world, 95)
    begin = (await numbers(world))[0]
    await all_have_passed(world)
    await days_later(world, 400)
    commit = world.store.commit

    async def noted(unit: Unit) -> tuple[int, ...]:
        cuts.append(unit.cut)
        return await commit(unit)

    async def at_once(seconds: float) -> None:
        """Time stands."""

    monkeypatch.setattr(world.store, "commit", noted)
    monkeypatch.setattr(world.clock, "sleep", at_once)
    await cut_change_log(world.hub)
    assert cuts == [*range(begin + 9, last - 1, 10), last - 1]
    assert await numbers(world) == [last]
