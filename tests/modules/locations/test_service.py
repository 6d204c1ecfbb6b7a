"""Our own locations: times, statuses, EVSEs that come, go and move, and changes at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest, UnknownLocation
from modules.locations import service
from modules.locations.store import find, key_of, location_of_evse
from tests.world import NOW, OURS, World, a_world, location

pytestmark = pytest.mark.parametrize("version", ["2.2.1"])

LOC1 = key_of(OURS, "LOC1")
LATER_S = 60.0


async def tree_of(world: World, key: str = LOC1) -> Any:
    return await service.get_tree(world.store, key)


async def statuses(world: World, key: str = LOC1) -> dict[str, str]:
    return {evse["uid"]: evse["status"] for evse in (await tree_of(world, key))["evses"]}


async def put(world: World, tree: Mapping[str, Any], **how: Any) -> bool:
    return await service.put(world.store, OURS, tree["id"], dict(tree), now=world.clock.now(), **how)


async def reports(world: World, evse_uid: str, status: str, *, at: datetime | None = None) -> bool:
    return await service.set_status(world.store, LOC1, evse_uid, status, now=at or world.clock.now())


def moment(later_s: float = 0) -> str:
    """As a tree has it, in whole seconds."""
    return timestamp(NOW).replace("10:00:00.000Z", "10:01:00Z" if later_s else "10:00:00Z")


async def changes(world: World, after: int) -> list[tuple[str, str]]:
    return [(row.change.key, row.change.what) for row in await world.store.changes(after=after, limit=100)]


async def test_a_status_moves_the_times_above_it_and_nothing_else(world: World) -> None:
    world.clock.passed_s = LATER_S
    seen = await world.store.last_change()
    assert await reports(world, "e1", "CHARGING")
    tree = await tree_of(world)
    one, two = tree["evses"]
    later = timestamp(world.clock.now())
    assert (one["status"], one["last_updated"], tree["last_updated"]) == ("CHARGING", later, later)
    assert (two["last_updated"], one["connectors"][0]["last_updated"]) == (moment(), moment())
    document = await find(world.store, LOC1)
    assert document is not None
    assert document.last_updated == later
    assert await changes(world, seen) == [(LOC1, "status/e1")]


async def test_the_same_status_again_is_no_change(world: World) -> None:
    async with world.unchanged():
        assert not await reports(world, "E1", "AVAILABLE")


async def test_a_clock_that_went_back_moves_no_time_back(world: World) -> None:
    world.clock.passed_s = LATER_S
    await reports(world, "E1", "CHARGING")
    await reports(world, "E1", "AVAILABLE", at=NOW)
    tree = await tree_of(world)
    assert tree["last_updated"] == tree["evses"][0]["last_updated"] == timestamp(world.clock.now())


@pytest.mark.parametrize(("evse_uid", "key"), [("E9", LOC1), ("E1", key_of(OURS, "LOC9"))])
async def test_what_is_not_there_has_no_status(world: World, evse_uid: str, key: str) -> None:
    with pytest.raises(UnknownLocation):
        await service.set_status(world.store, key, evse_uid, "CHARGING", now=NOW)


async def test_a_removed_evse_is_removed_for_good_and_stays_readable(world: World) -> None:
    assert await service.remove_evse(world.store, LOC1, "E1", now=world.clock.now())
    async with world.unchanged():
        assert not await service.remove_evse(world.store, LOC1, "E1", now=world.clock.now())
        assert not await reports(world, "E1", "AVAILABLE")
    said = await world.ask("GET", world.at("sender/locations/LOC1/E1"), by="e1")
    assert (said.http, said.data["status"]) == (200, "REMOVED")
    assert (await world.ask("GET", world.at("sender/locations/LOC1/E1/1"), by="e1")).data["id"] == "1"


async def test_an_evse_that_is_left_out_is_removed(world: World) -> None:
    await put(world, location(evses=("E2", "E3")))
    assert await statuses(world) == {"E2": "AVAILABLE", "E3": "AVAILABLE", "E1": "REMOVED"}


async def test_an_evse_that_was_left_out_is_there_again_when_it_is_told_again(world: World) -> None:
    await put(world, location(evses=("E2", "E3")))
    tree = location()
    del tree["evses"][0]["status"]
    await put(world, tree)
    assert (await statuses(world))["E1"] == "UNKNOWN"
    said = await world.ask("GET", world.at("sender/locations/LOC1/E1"), by="e1")
    assert (said.http, said.data["status"]) == (200, "UNKNOWN")
    assert await location_of_evse(world.store, OURS, "E1") == LOC1
    assert await reports(world, "E1", "AVAILABLE")


async def test_an_evse_that_a_charger_serves_is_not_left_out_by_accident(world: World) -> None:
    async with world.unchanged():
        with pytest.raises(InvalidRequest, match="/evses: E1 is left out, but a charger serves it"):
            await put(world, location(evses=("E2",)), has_charger=lambda uid: uid == "E1")


@pytest.mark.parametrize("doubled", ["evses", "connectors"])
async def test_two_of_one_name_are_refused(world: World, doubled: str) -> None:
    tree = location()
    of = tree if doubled == "evses" else tree["evses"][0]
    of[doubled].append({**of[doubled][0], "status": "AVAILABLE"})
    async with world.unchanged():
        with pytest.raises(InvalidRequest, match=f"{doubled}: two of them have the same name"):
            await put(world, tree)


async def test_one_that_was_removed_long_ago_does_not_change_again(world: World) -> None:
    await put(world, location(evses=("E2",)))
    world.clock.passed_s = LATER_S
    await put(world, location(evses=("E2",), name="Renamed"))
    tree = await tree_of(world)
    assert [evse["last_updated"] for evse in tree["evses"]] == [moment(), timestamp(NOW)]
    assert tree["last_updated"] == moment(LATER_S)


async def test_a_put_that_says_nothing_new_is_no_change(world: World) -> None:
    world.clock.passed_s = LATER_S
    async with world.unchanged():
        assert not await put(world, location())
        assert not await put(world, {**location(), "last_updated": "2030-01-01T00:00:00Z"})


async def test_what_a_put_does_not_change_keeps_its_time(world: World) -> None:
    world.clock.passed_s = LATER_S
    tree = location()
    tree["evses"][1]["connectors"][0]["max_amperage"] = 16
    await put(world, tree)
    kept = await tree_of(world)
    one, two = kept["evses"]
    assert (one["last_updated"], one["connectors"][0]["last_updated"]) == (moment(), moment())
    times = (two["connectors"][0]["last_updated"], two["last_updated"], kept["last_updated"])
    assert times == (moment(LATER_S),) * 3


async def test_an_import_with_old_times_still_moves_on(world: World) -> None:
    world.clock.passed_s = LATER_S
    await put(world, {**location(name="Renamed"), "last_updated": "2020-01-01T00:00:00Z"})
    assert (await tree_of(world))["last_updated"] == timestamp(world.clock.now())


async def test_a_new_location_is_no_older_than_what_is_in_it(world: World) -> None:
    tree = {**location("LOC2", evses=("E9",)), "last_updated": "2020-01-01T00:00:00Z"}
    tree["evses"][0]["connectors"][0]["last_updated"] = "2021-01-01T00:00:00Z"
    tree["evses"][0]["last_updated"] = "2020-06-01T00:00:00Z"
    assert await put(world, tree)
    kept = await tree_of(world, key_of(OURS, "LOC2"))
    assert kept["last_updated"] == kept["evses"][0]["last_updated"] == "2021-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("had", "said", "charger", "then"),
    [
        ("CHARGING", None, False, "CHARGING"),
        ("CHARGING", "UNKNOWN", False, "CHARGING"),
        ("CHARGING", "AVAILABLE", False, "AVAILABLE"),
        ("CHARGING", "AVAILABLE", True, "CHARGING"),
        ("CHARGING", "REMOVED", True, "REMOVED"),
        ("CHARGING", "PLANNED", True, "PLANNED"),
        ("REMOVED", None, True, "REMOVED"),
        ("REMOVED", None, False, "UNKNOWN"),
        ("REMOVED", "UNKNOWN", False, "UNKNOWN"),
        ("REMOVED", "REMOVED", False, "REMOVED"),
        ("REMOVED", "AVAILABLE", True, "AVAILABLE"),
        ("PLANNED", "AVAILABLE", True, "AVAILABLE"),
    ],
)
async def test_the_status_is_the_chargers_where_there_is_one(
    world: World, had: str, said: str | None, charger: bool, then: str
) -> None:
    for status, has_charger in ((had, False), (said, charger)):
        tree = location()
        tree["evses"][0]["status"] = status
        if status is None:
            del tree["evses"][0]["status"]
        await put(world, tree, has_charger=lambda uid, has_charger=has_charger: has_charger and uid == "E1")
    assert (await statuses(world))["E1"] == then


@pytest.mark.parametrize(
    "wrong", [{"id": "LOC2"}, {"country_code": "NL"}, {"party_id": "XXX"}, {"coordinates": None}, {"country": None}]
)
async def test_a_location_that_is_none_is_refused(world: World, wrong: dict[str, Any]) -> None:
    async with world.unchanged():
        with pytest.raises(InvalidRequest):
            await service.put(world.store, OURS, "LOC1", {**location(), **wrong}, now=NOW)


# The index from EVSE to location


async def test_an_evse_that_moves_is_found_where_it_went(world: World) -> None:
    assert await location_of_evse(world.store, OURS, "e1") == LOC1
    await put(world, location("LOC2", evses=("E1",)))
    loc2 = key_of(OURS, "LOC2")
    assert await location_of_evse(world.store, OURS, "E1") == loc2
    await put(world, location(evses=("E2",)))
    await reports(world, "E2", "CHARGING")
    assert await location_of_evse(world.store, OURS, "E1") == loc2
    assert await location_of_evse(world.store, OURS, "E2") == LOC1
    assert (await statuses(world, loc2)) == {"E1": "AVAILABLE"}


async def test_an_evse_that_comes_back_is_found_again(world: World) -> None:
    await put(world, location(evses=("E2",)))
    await put(world, location("LOC2", evses=("E1",)))
    await put(world, location("LOC2", evses=()))
    await put(world, location())
    assert await location_of_evse(world.store, OURS, "E1") == LOC1


# At the same time


async def test_statuses_of_all_evses_of_a_location_at_once_all_survive(database_url: str, version: str) -> None:
    async with a_world(database_url, version) as world:
        uids = [f"E{number}" for number in range(1, 7)]
        await put(world, location(evses=tuple(uids)))
        assert all(await asyncio.gather(*(reports(world, uid, "CHARGING") for uid in uids)))
        assert await statuses(world) == dict.fromkeys(uids, "CHARGING")


async def test_a_status_survives_a_put_at_the_same_time(database_url: str, version: str) -> None:
    async with a_world(database_url, version) as world:
        tree = location(name="Renamed")
        for evse in tree["evses"]:
            del evse["status"]
        await asyncio.gather(reports(world, "E1", "CHARGING"), put(world, tree), reports(world, "E2", "BLOCKED"))
        kept = await tree_of(world)
        assert kept["name"] == "Renamed"
        assert await statuses(world) == {"E1": "CHARGING", "E2": "BLOCKED"}
