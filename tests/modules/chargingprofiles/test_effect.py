"""A charger's yes to a profile counts as long as its own schedule does not deny it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from hub.core.ports import Limits, ProfileOutcome
from hub.core.units import Unit
from modules.chargingprofiles.store import PROFILES, Profile, active_in, put_of
from tests.modules.chargingprofiles.world import URL, Charger, ask, furnish, profile, told
from tests.world import NOW, World, a_world, until

YES, NO = {"result": "ACCEPTED"}, {"result": "REJECTED"}


@pytest.fixture(params=("2.2.1", "2.3.0"))
async def world(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[World]:
    async with a_world(sqlite_url, request.param, profile_interval_s=60) as made:
        yield made


def flat(limit: str, unit: str = "A") -> Limits:
    return Limits(unit, ((0, Decimal(limit)),), NOW, 3600)


def asked(charger: Charger) -> list[str]:
    return [what for what, _ in charger.told]


async def put(
    world: World, session_id: str, *limits: int, start: str = "2026-05-04T10:00:00Z", duration: int | None = None
) -> object:
    """Ask for a profile; returns the result, for which time passes where the hub waits for it."""
    body = profile(*limits, start_date_time=start, duration=duration)
    before, now_s = len(told(world)), world.clock.passed_s
    assert (await ask(world, "PUT", session_id, body=body)).data["result"] == "ACCEPTED"
    await until(lambda: len(told(world)) > before or world.clock.wakes_at == now_s + 2)
    world.clock.move_to(now_s + 2)
    await until(lambda: len(told(world)) > before)
    return told(world)[-1][2]


@pytest.mark.parametrize("shown", [flat("32"), flat("16"), Limits("A", (), NOW, 3600), flat("22080", "W")])
async def test_a_profile_that_holds_back_nothing_is_rejected_and_told_to_nobody(world: World, shown: Limits) -> None:
    charger, session_id = await furnish(world)
    charger.shows = shown
    assert await put(world, session_id, 7) == NO
    assert told(world) == [("e1", URL, NO)]
    assert asked(charger) == ["limit", "limits", "limits", "restore"]
    changes = [row.change for row in await world.store.changes(after=0, limit=1000)]
    assert [change for change in changes if change.module == "chargingprofiles"] == []


@pytest.mark.parametrize(
    ("limits", "shown"),
    [
        ((7,), flat("7")),
        ((7,), flat("7.3")),
        ((16,), flat("10")),
        ((3,), flat("6")),
        ((32,), flat("32")),
        ((40,), Limits("A", (), NOW, 3600)),
        ((7,), flat("4830", "W")),
        ((32, 7), Limits("A", ((0, Decimal(32)), (60, Decimal(7))), NOW, 3600)),
    ],
    ids=[
        "to the letter",
        "rounded",
        "under a limit of the site",
        "at the least current",
        "nothing less",
        "more",
        "other unit",
        "later",
    ],
)
async def test_a_profile_that_is_gone_by_is_accepted_at_the_first_look(
    world: World, limits: tuple[int, ...], shown: Limits
) -> None:
    charger, session_id = await furnish(world)
    charger.shows = shown
    assert await put(world, session_id, *limits) == YES
    assert asked(charger) == ["limit", "limits"]


async def test_a_charger_that_is_asked_for_nothing_and_gives_its_least_current_has_not_paused(world: World) -> None:
    charger, session_id = await furnish(world)
    charger.shows = flat("6")
    assert await put(world, session_id, 0) == NO


async def test_a_charger_that_takes_a_moment_is_accepted_at_the_second_look(world: World) -> None:
    charger, session_id = await furnish(world)
    charger.shows = flat("32")
    await ask(world, "PUT", session_id, body=profile(7))
    await until(lambda: world.clock.wakes_at == 2)
    assert told(world) == []
    charger.shows = flat("7")
    world.clock.move_to(2)
    await until(lambda: told(world))
    assert told(world) == [("e1", URL, YES)]


async def test_a_charger_that_will_not_show_its_schedule_is_taken_at_its_word(world: World) -> None:
    charger, session_id = await furnish(world)
    charger.shows = ProfileOutcome.REJECTED
    assert await put(world, session_id, 7) == YES


async def test_a_profile_that_begins_after_what_is_shown_cannot_be_denied(world: World) -> None:
    charger, session_id = await furnish(world)
    charger.shows = Limits("A", ((0, Decimal(32)),), NOW - timedelta(hours=2), 3600)
    assert await put(world, session_id, 7) == YES


async def test_the_profile_before_is_in_force_again_after_one_without_effect(world: World) -> None:
    charger, session_id = await furnish(world)
    charger.shows = flat("12")
    assert await put(world, session_id, 12) == YES
    (document,) = await world.documents(PROFILES)
    for restored in (Limits("A", ((0, Decimal(12)),), NOW), None):
        world.clock.move_to(world.clock.passed_s + 60)
        charger.told.clear()
        charger.shows = flat("32")
        assert await put(world, session_id, 7) == NO
        assert ("restore", (document.seq, restored)) in charger.told
        results = len(told(world))
        await ask(world, "DELETE", session_id)
        await until(lambda n=results: len(told(world)) > n)  # type: ignore[misc]


async def test_a_profile_that_is_over_is_not_set_again(world: World) -> None:
    charger, session_id = await furnish(world)
    charger.shows = flat("12")
    assert await put(world, session_id, 12, duration=30) == YES
    world.clock.move_to(60)
    charger.shows = flat("32")
    assert await put(world, session_id, 7) == NO
    assert charger.told[-2][1][1] is None


async def test_what_was_asked_meanwhile_is_not_undone(world: World) -> None:
    charger, session_id = await furnish(world)
    charger.shows = flat("32")
    await ask(world, "PUT", session_id, body=profile(7))
    await until(lambda: world.clock.wakes_at == 2)
    await ask(world, "DELETE", session_id)
    await until(lambda: told(world))
    world.clock.move_to(2)
    await until(lambda: len(told(world)) == 2)
    assert told(world)[-1][2] == NO
    assert "restore" not in asked(charger)


async def test_a_profile_that_a_fault_of_ours_keeps_us_from_looking_at_is_taken_back(world: World) -> None:
    class Broken(Charger):
        async def limits(self, *_: object, **__: object) -> Limits | ProfileOutcome:
            raise RuntimeError("no wire")

    _, session_id = await furnish(world)
    world.hub.chargers = charger = Broken()
    assert await put(world, session_id, 7) == NO
    assert asked(charger) == ["limit", "restore"]


@pytest.mark.parametrize("before", [(), (12,)])
async def test_a_profile_that_was_not_answered_in_time_is_rejected_and_what_was_before_is_set_again(
    world: World, before: tuple[int, ...]
) -> None:
    """The charger may have taken it, or may still take it; it does what it is told in the order in which it is told."""
    charger, session_id = await furnish(world)
    charger.shows = flat("12")
    for amperes in before:
        assert await put(world, session_id, amperes) == YES
    world.clock.move_to(60)
    answers = iter((None, ProfileOutcome.ACCEPTED))
    charger.says = lambda: next(answers)
    assert await put(world, session_id, 7) == NO
    (restored,) = [given[1] for what, given in charger.told if what == "restore"]
    assert [amperes for _, amperes in restored.periods] == list(before) if before else restored is None


async def test_a_profile_that_cannot_be_taken_back_is_rejected_all_the_same(world: World) -> None:
    charger, session_id = await furnish(world)
    charger.shows = flat("32")
    answers = iter((ProfileOutcome.ACCEPTED, ProfileOutcome.REJECTED))
    charger.says = lambda: next(answers)
    with capture_logs() as logs:
        assert await put(world, session_id, 7) == NO
    assert [entry["event"] for entry in logs if entry["event"] == "rejected profile not taken back"]


SOON = (NOW + timedelta(seconds=20)).strftime("%Y-%m-%dT%H:%M:%SZ")
LATER = (NOW + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")


def stepped(after_s: int, limit: str, duration_s: int = 3600, *, is_for_now: bool = False) -> Limits:
    return Limits("A", ((0, Decimal(32)), (after_s, Decimal(limit))), NOW, duration_s, is_for_now=is_for_now)


@pytest.mark.parametrize(
    ("start", "shown", "result"),
    [
        (SOON, stepped(20, "7"), YES),
        (SOON, flat("32"), NO),
        (SOON, Limits("A", ((0, Decimal(32)),), NOW, 10), YES),
        (SOON, Limits("A", ((0, Decimal(32)),), NOW, 3600, is_for_now=True), YES),
        (LATER, stepped(7200, "7", 7260), YES),
        (LATER, stepped(960, "6", 7260), YES),
        (LATER, Limits("A", ((0, Decimal(32)),), NOW, 7260), NO),
    ],
    ids=["held", "denied", "not shown so far", "told by us then", "late, held", "less, late", "late, denied"],
)
async def test_a_profile_that_begins_later_is_judged_by_what_the_charger_shows_for_then(
    world: World, start: str, shown: Limits, result: object
) -> None:
    charger, session_id = await furnish(world)
    charger.shows = shown
    assert await put(world, session_id, 7, start=start) == result
    spans = [what[0] for name, what in charger.told if name == "limits"]
    assert spans[0] == (7260 if start == LATER else 3600)


async def test_where_the_hub_tells_the_charger_as_time_goes_by_what_is_asked_for_now_can_be_denied(
    world: World,
) -> None:
    charger, session_id = await furnish(world)
    for shown, result in (("32", NO), ("7", YES)):
        charger.shows = Limits("A", ((0, Decimal(shown)), (960, Decimal(6))), NOW + timedelta(hours=1), 3600)
        charger.shows = replace(charger.shows, is_for_now=True)
        assert await put(world, session_id, 7) == result
        world.clock.move_to(world.clock.passed_s + 60)


async def test_who_had_set_a_profile_hears_what_holds_after_one_without_effect(world: World) -> None:
    charger, session_id = await furnish(world)
    before = put_of(session_id, Profile("NL*EEE", is_followed=True), now=NOW)
    await world.store.commit(Unit().put(before))
    charger.shows = flat("32")
    assert await put(world, session_id, 7) == NO

    async def is_shown() -> bool:
        document = await world.store.get(PROFILES, session_id)
        active = active_in(document) if document is not None else None
        return active is not None and active["charging_profile"]["charging_profile_period"][0]["limit"] == 32

    await until(is_shown)
