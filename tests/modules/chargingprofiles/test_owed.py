"""What may be in force though it was told REJECTED is taken back when its charger is there, also after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.core.ports import Limits, ProfileOutcome
from hub.core.units import Unit
from modules.chargingprofiles import service
from modules.chargingprofiles.store import PROFILES, active_in, profile_in
from modules.sessions import service as sessions
from modules.sessions.charge import load
from tests.modules.chargingprofiles.world import Charger, ask, furnish, profile, told
from tests.world import NOW, World, a_world, until

YES, NO = ProfileOutcome.ACCEPTED, ProfileOutcome.REJECTED


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with a_world(sqlite_url, "2.2.1", profile_interval_s=60) as made:
        yield made


async def result(world: World, method: str, session_id: str, *limits: int) -> str:
    """What a request comes to in the end; before it a minute passes."""
    world.clock.move_to(world.clock.passed_s + 61)
    before = len(told(world))
    body = profile(*limits, start_date_time="2026-05-04T10:00:00Z") if method == "PUT" else None
    assert (await ask(world, method, session_id, body=body)).data["result"] == "ACCEPTED"
    await until(lambda: len(told(world)) > before)
    return str(told(world)[-1][2]["result"])


def answers(charger: Charger, *outcomes: ProfileOutcome | None) -> None:
    """What it says next, and then always, as the last."""
    left = list(outcomes)
    charger.says = lambda: left.pop(0) if len(left) > 1 else left[0]


def since(charger: Charger, count: int) -> list[tuple[str, object]]:
    """What it was told since, limits as amperes."""
    return [(what, _amperes(given[1])) for what, given in charger.told[count:] if what == "restore"]


def _amperes(limits: Limits | None) -> list[int] | None:
    return None if limits is None else [int(limit) for _, limit in limits.periods]


async def owed(world: World, session_id: str) -> bool:
    document = await world.store.get(PROFILES, session_id)
    return document is not None and profile_in(document).owed is not None


@pytest.mark.parametrize("before", [(), (16, 8)], ids=["none before", "one before"])
async def test_what_could_not_be_taken_back_is_once_the_charger_is_there(world: World, before: tuple[int, ...]) -> None:
    charger, session_id = await furnish(world)
    if before:
        assert await result(world, "PUT", session_id, *before) == "ACCEPTED"
    answers(charger, None, NO)
    assert await result(world, "PUT", session_id, 7) == "REJECTED"
    answers(charger, YES)
    count = len(charger.told)
    await service.settle(world.hub, session_id)
    await service.settle(world.hub, session_id)
    assert since(charger, count) == [("restore", list(before) or None)]
    assert not await owed(world, session_id)


async def test_a_wish_that_a_stop_of_ours_cut_off_is_taken_back_after_the_start(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.2.1") as world:
        charger, session_id = await furnish(world)
        never: asyncio.Future[ProfileOutcome] = asyncio.Future()

        async def silent(*_: object, **__: object) -> ProfileOutcome:
            charger.told.append(("limit", None))
            return await never

        charger.limit = silent  # type: ignore[method-assign]
        await ask(world, "PUT", session_id)
        await until(lambda: charger.told)
        await world.hub.background.stop()  # type: ignore[attr-defined]
    async with a_world(sqlite_url, "2.2.1") as world:
        world.hub.chargers = charger = Charger()
        charger.is_there = False
        await service.recover(world.hub)
        await until(lambda: told(world))
        assert told(world)[0][2] == {"result": "REJECTED"}
        assert charger.told == []
        charger.is_there = True
        await service.settle(world.hub, session_id)
        assert since(charger, 0) == [("restore", None)]


async def test_a_charger_that_is_there_and_does_not_take_it_is_told_again(world: World) -> None:
    charger, session_id = await furnish(world)
    answers(charger, None, NO)
    assert await result(world, "PUT", session_id, 7) == "REJECTED"
    answers(charger, YES)
    count = len(charger.told)
    await until(lambda: world.clock.wakes_at is not None)
    world.clock.move_to(world.clock.passed_s + 10)
    await until(lambda: since(charger, count))
    assert since(charger, count) == [("restore", None)]


async def test_nothing_is_owed_to_a_charge_that_is_over(world: World) -> None:
    charger, session_id = await furnish(world)
    answers(charger, None, NO)
    assert await result(world, "PUT", session_id, 7) == "REJECTED"
    await over(world, session_id)
    count = len(charger.told)
    await service.settle(world.hub, session_id)
    assert charger.told[count:] == []


async def over(world: World, session_id: str) -> None:
    """The charge has ended."""
    charge = await load(world.store, session_id)
    assert charge is not None
    ended = sessions.end(world.hub, charge, at=charge.start + timedelta(hours=1), meter_kwh=charge.meter_start_kwh)
    await world.store.commit(ended)


async def test_a_profile_whose_charge_is_over_before_its_chargers_yes_is_rejected(world: World) -> None:
    charger, session_id = await furnish(world)
    at_once = charger.limit

    async def slow(*named: Any, **given: Any) -> ProfileOutcome | None:
        await over(world, session_id)
        return await at_once(*named, **given)

    charger.limit = slow  # type: ignore[method-assign]
    assert await result(world, "PUT", session_id, 9) == "REJECTED"
    assert not await owed(world, session_id)
    assert await active_a(world, session_id) is None


async def active_a(world: World, session_id: str) -> int | None:
    """The limit of now that its party was shown last."""
    document = await world.store.get(PROFILES, session_id)
    active = active_in(document) if document is not None else None
    return None if active is None else int(active["charging_profile"]["charging_profile_period"][0]["limit"])


async def test_a_charger_that_booted_amid_a_charge_is_told_its_profile_again(world: World) -> None:
    charger, session_id = await furnish(world)
    assert await result(world, "PUT", session_id, 16, 8) == "ACCEPTED"
    count = len(charger.told)
    await service.may_have_lost(world.hub, session_id)
    assert since(charger, count) == [("restore", [16, 8])]
    assert not await owed(world, session_id)


@pytest.mark.parametrize(
    "shows", [Limits("A", ((0, Decimal(32)),), NOW, 3600), NO], ids=["its schedule says more", "it shows no schedule"]
)
async def test_where_it_does_not_take_it_again_who_set_it_hears_and_it_is_told_once_more(
    world: World, shows: Limits | ProfileOutcome
) -> None:
    charger, session_id = await furnish(world)
    assert await result(world, "PUT", session_id, 16, 8) == "ACCEPTED"

    async def shown(amperes: int) -> bool:
        return await active_a(world, session_id) == amperes

    await until(lambda: shown(16))
    charger.shows, count, as_before = shows, len(charger.told), charger.shows
    answers(charger, NO)
    world.hub.background.start(service.may_have_lost(world.hub, session_id), name="boot")
    await until(lambda: shown(32))
    answers(charger, YES)
    charger.shows = as_before
    await until(lambda: world.clock.wakes_at is not None)
    world.clock.move_to(world.clock.passed_s + 10)
    await until(lambda: shown(16))
    assert since(charger, count) == [("restore", [16, 8])] * 2


async def test_a_boot_brings_back_no_profile_that_is_not_in_force(world: World) -> None:
    charger, session_id = await furnish(world)
    await service.may_have_lost(world.hub, session_id)
    assert charger.told == []
    short = profile(16, duration=120, start_date_time="2026-05-04T10:00:00Z")
    await ask(world, "PUT", session_id, body=short)
    await until(lambda: told(world))
    world.clock.move_to(200)
    await service.may_have_lost(world.hub, session_id)
    assert await result(world, "DELETE", session_id) == "ACCEPTED"
    await service.may_have_lost(world.hub, session_id)
    await over(world, session_id)
    await service.may_have_lost(world.hub, session_id)
    assert since(charger, 0) == []


@dataclass(frozen=True)
class Wish:
    """One that follows: what is asked, what the charger says, what comes of it, and whether it is owed then."""

    method: str
    limits: tuple[int, ...]
    says: Iterable[ProfileOutcome | None]
    result: str
    is_owed: bool


@pytest.mark.parametrize(
    "wish",
    [
        Wish("PUT", (16, 8), (YES,), "ACCEPTED", False),
        Wish("DELETE", (), (YES,), "ACCEPTED", False),
        Wish("DELETE", (), (ProfileOutcome.UNKNOWN,), "UNKNOWN", False),
        Wish("PUT", (9,), (NO,), "REJECTED", True),
        Wish("PUT", (9,), (NO, YES), "REJECTED", False),
        Wish("DELETE", (), (NO,), "REJECTED", True),
        Wish("DELETE", (), (NO, YES), "REJECTED", False),
    ],
    ids=lambda wish: f"{wish.method} {wish.result}, {'owed' if wish.is_owed else 'settled'}",
)
async def test_a_newer_wish_settles_what_was_owed_only_where_something_comes_of_it(world: World, wish: Wish) -> None:
    charger, session_id = await furnish(world)
    answers(charger, None, NO)
    await ask(world, "PUT", session_id, body=profile(7))
    await until(lambda: world.clock.wakes_at is not None)
    await world.hub.background.stop()  # type: ignore[attr-defined]  # nobody tells it by the clock
    answers(charger, *wish.says)
    count = len(charger.told)
    assert await result(world, wish.method, session_id, *wish.limits) == wish.result
    assert await owed(world, session_id) is wish.is_owed
    assert bool(since(charger, count)) is (wish.result == "REJECTED")


async def test_a_profile_that_was_to_be_cleared_is_set_again_where_the_clearing_is_rejected(world: World) -> None:
    charger, session_id = await furnish(world)
    assert await result(world, "PUT", session_id, 16, 8) == "ACCEPTED"
    answers(charger, NO, YES)
    assert await result(world, "DELETE", session_id) == "REJECTED"
    assert since(charger, 0) == [("restore", [16, 8])]


async def test_a_yes_after_its_time_is_taken_back_once(world: World) -> None:
    charger, session_id = await furnish(world)
    answers(charger, None, YES)
    assert await result(world, "PUT", session_id, 7) == "REJECTED"
    for _ in range(2):
        await service.heard_late(world.hub, session_id)
    assert since(charger, 0) == [("restore", None), ("restore", None)]
    assert not await owed(world, session_id)


async def test_a_yes_after_its_time_changes_nothing_once_another_profile_is_set(world: World) -> None:
    charger, session_id = await furnish(world)
    answers(charger, None, YES)
    assert await result(world, "PUT", session_id, 7) == "REJECTED"
    assert await result(world, "PUT", session_id, 16, 8) == "ACCEPTED"
    count = len(charger.told)
    await service.heard_late(world.hub, session_id)
    assert charger.told[count:] == []


async def test_an_acceptance_is_on_disk_with_its_result(world: World) -> None:
    _, session_id = await furnish(world)
    committed: list[set[str]] = []
    commit = world.store.commit

    async def seen(unit: Unit) -> object:
        committed.append({write.kind.name for write in unit.writes})
        return await commit(unit)

    world.store.commit = seen  # type: ignore[method-assign, assignment]
    assert await result(world, "PUT", session_id, 16, 8) == "ACCEPTED"
    assert committed[:2] == [{"charging_profiles", "callbacks"}] * 2
