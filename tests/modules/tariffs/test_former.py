"""What received tariffs said before they were changed or withdrawn: kept for a time, with what changed them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.core.inbound import parse
from modules.tariffs import former
from modules.tariffs.former import FORMER
from modules.tariffs.store import TARIFFS
from modules.tariffs.turning import turn
from tests.world import NOW, World, their_tariff

pytestmark = pytest.mark.parametrize("version", ["2.2.1"])

DAY = timedelta(days=1)


async def push(world: World, price: str, days_ago: int, *, told: float | None = None, **more: Any) -> None:
    """As changed some days ago, and told so many days ago, else at once."""
    world.clock.passed_s = -((days_ago if told is None else told) * DAY).total_seconds()
    tree = their_tariff(world.version, price=price, at=NOW - days_ago * DAY, **more)
    said = await world.ask("PUT", world.at("receiver/tariffs/BE/AAA/T9"), by="c1", body=tree)
    assert said.code == 1000


async def kept(world: World) -> list[tuple[Decimal, str, str]]:
    """Price, the day since which it was so, and that until which it was, or was the last that had been told."""
    return [
        (
            parse(d.body, limit=2**20)["elements"][0]["price_components"][0]["price"],
            d.columns["since"][:10],
            d.last_updated[:10],
        )
        for d in await world.documents(FORMER)
    ]


def day(ago: int) -> str:
    return (NOW - ago * DAY).date().isoformat()


async def test_each_change_keeps_what_was_there_and_no_change_keeps_nothing(world_on_both: World) -> None:
    world = world_on_both
    await push(world, "0.40", 9)
    await push(world, "0.40", 8)
    await push(world, "0.50", 7)
    await push(world, "0.50", 6)
    await push(world, "0.45", 7, told=6)
    await push(world, "0.60", 5)
    assert await kept(world) == [(Decimal("0.4"), day(9), day(7)), (Decimal("0.5"), day(7), day(5))]


async def test_what_was_corrected_at_the_very_same_time_was_told_until_then(world_on_both: World) -> None:
    world = world_on_both
    await push(world, "0.40", 9)
    await push(world, "0.50", 9, told=8)
    await push(world, "0.60", 7)
    assert await kept(world) == [(Decimal("0.4"), day(9), day(8)), (Decimal("0.5"), day(9), day(7))]


async def test_what_was_corrected_as_it_was_told_is_not_kept(world: World) -> None:
    await push(world, "0.40", 9)
    await push(world, "0.50", 9)
    assert await kept(world) == []


async def test_what_is_told_again_as_of_a_day_before_was_told_until_it_came(world_on_both: World) -> None:
    world = world_on_both
    await push(world, "0.40", 9)
    await push(world, "0.50", 8, told=6)
    assert await kept(world) == [(Decimal("0.4"), day(9), day(6))]
    then, late, now = await former.versions_at(world.store, "BE*AAA", ["T9"], NOW - 7 * DAY)
    assert [priced(then), priced(late), priced(now)] == [[Decimal("0.4")], [Decimal("0.5")], []]
    then, late, now = await former.versions_at(world.store, "BE*AAA", ["T9"], NOW - 5 * DAY)
    assert [priced(then), priced(late), priced(now)] == [[Decimal("0.5")], [], []]


async def test_many_versions_that_came_after_a_moment_hide_neither_of_the_two(world: World) -> None:
    """What had been told by then, and what its party says of then in the end."""
    await push(world, "0.40", 9)
    for at in range(130):
        await push(world, f"{at}", 8, told=6 - at / 1000)
    await push(world, "0.60", 5)
    assert len(await kept(world)) == 131
    then, late, now = await former.versions_at(world.store, "BE*AAA", ["T9"], NOW - 7 * DAY)
    assert [priced(then), priced(late), priced(now)] == [[Decimal("0.4")], [Decimal(129)], [Decimal("0.6")]]


async def test_what_is_announced_leaves_in_force_what_was_before_it(world_on_both: World) -> None:
    world = world_on_both
    await push(world, "0.40", 9)
    await push(world, "0.50", 7, start_date_time=(NOW - 4 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ"))
    for days_ago, price in ((8, "0.4"), (6, "0.4"), (3, "0.5")):
        then, late, _ = await former.versions_at(world.store, "BE*AAA", ["T9"], NOW - days_ago * DAY)
        assert (priced(then), late) == ([Decimal(price)], []), days_ago


async def test_many_announcements_hide_nothing(world: World) -> None:
    await push(world, "0.40", 9)
    begins = (NOW - DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    for hour in range(120):
        await push(
            world,
            "0.50",
            8,
            told=7 - hour / 24,
            start_date_time=begins,
            end_date_time=f"2030-01-01T00:{hour % 60:02}:00Z",
        )
    then, _, _ = await former.versions_at(world.store, "BE*AAA", ["T9"], NOW - 2 * DAY)
    assert priced(then) == [Decimal("0.4")]


def priced(trees: list[dict[str, Any]]) -> list[Decimal]:
    return [tree["elements"][0]["price_components"][0]["price"] for tree in trees]


async def test_what_is_withdrawn_held_until_then(world_on_both: World) -> None:
    world = world_on_both
    await push(world, "0.40", 9)
    world.clock.passed_s = 0
    await world.ask("DELETE", world.at("receiver/tariffs/BE/AAA/T9"), by="c1")
    assert await kept(world) == [(Decimal("0.4"), day(9), day(0))]
    await push(world, "0.40", 9)
    await push(world, "0.50", -1)
    assert await kept(world) == [(Decimal("0.4"), day(9), day(-1))]


async def test_nothing_is_kept_of_a_change_that_was_not_written(world: World) -> None:
    await push(world, "0.40", 9)
    said = await world.ask("PUT", world.at("receiver/tariffs/BE/AAA/T9"), by="c1", body={"id": "T9"})
    assert said.code == 2001
    assert await kept(world) == []


async def test_the_turn_of_a_tariff_is_no_change_of_it(world: World) -> None:
    """That it begins to hold moves its place in lists, and not the moment from which it says what it says."""
    await push(world, "0.40", 9, start_date_time=(NOW + DAY).strftime("%Y-%m-%dT%H:%M:%SZ"))
    world.clock.passed_s = 2 * DAY.total_seconds()
    await turn(world.hub)
    (document,) = [d for d in await world.documents(TARIFFS) if d.columns["id"] == "T9"]
    assert (document.columns["since"][:10], document.last_updated > day(0)) == (day(9), True)
    assert document.columns["heard"][:10] == day(9)
    assert await kept(world) == []


async def test_what_ended_long_ago_is_forgotten(world_on_both: World) -> None:
    world = world_on_both
    await push(world, "0.40", 9)
    await push(world, "0.50", 7)
    await push(world, "0.60", 5)
    world.clock.passed_s = (394 * DAY).total_seconds()
    await former.forget(world.hub)
    assert [price for price, _, _ in await kept(world)] == [Decimal("0.5")]
    world.clock.passed_s = (396 * DAY).total_seconds()
    await former.forget(world.hub)
    assert await kept(world) == []
