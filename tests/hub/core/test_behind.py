"""What other hubs say of the parties behind them: kept, in the order of their clocks, and known in every process."""

from __future__ import annotations

import pytest

from hub.core.behind import Behind, Status, Told
from hub.core.parties import PartyRole
from tests.world import NOW, World, a_world

EMSP, CPO = PartyRole.EMSP, PartyRole.CPO


@pytest.fixture
def version() -> str:
    """It is the same in each."""
    return "2.2.1"


def word(status: Status, *, second: int = 0, role: PartyRole = EMSP, hub: str = "h") -> Told:
    at = f"2026-05-04T10:00:{second:02}.000Z"
    return Told(hub, "FR*BHD", role, status, at, f'{{"status":"{status}"}}'.encode(), role.value)


async def test_the_later_word_counts_and_an_older_one_changes_nothing(world: World) -> None:
    behind = world.hub.behind
    assert await behind.put([word(Status.OFFLINE, second=5)], now=NOW) == 1
    async with world.unchanged():
        assert await behind.put([word(Status.CONNECTED, second=4), word(Status.OFFLINE, second=5)], now=NOW) == 0
    assert await behind.put([word(Status.CONNECTED, second=5)], now=NOW) == 0
    found = behind.find("h", "FR*BHD", EMSP)
    assert found is not None
    assert found.status is Status.CONNECTED


async def test_a_time_far_ahead_shuts_out_nothing_that_is_said_later(world: World) -> None:
    behind = world.hub.behind
    slip = word(Status.OFFLINE)._replace(at="2062-05-04T10:00:00.000Z")
    await behind.put([slip], now=NOW)
    await behind.put([word(Status.CONNECTED)], now=NOW)
    assert behind.find("h", "FR*BHD", EMSP) == word(Status.CONNECTED)


async def test_a_party_is_cut_off_where_its_hub_says_so_of_every_role_that_is_wanted(world: World) -> None:
    behind = world.hub.behind
    assert not behind.is_cut_off("h", "FR*BHD", PartyRole)
    await behind.put([word(Status.OFFLINE)], now=NOW)
    assert behind.is_cut_off("h", "FR*BHD", PartyRole)
    assert not behind.is_cut_off("h", "FR*BHD", {CPO})
    assert not behind.is_cut_off("other", "FR*BHD", {EMSP})
    await behind.put([word(Status.CONNECTED, role=CPO)], now=NOW)
    assert behind.is_cut_off("h", "FR*BHD", {EMSP})
    assert not behind.is_cut_off("h", "FR*BHD", PartyRole)


async def test_what_one_process_was_told_another_knows_after_a_look(database_url: str) -> None:
    async with a_world(database_url) as world:
        other = Behind(world.store)
        await other.load()
        said = [word(Status.OFFLINE), word(Status.PLANNED, role=CPO), word(Status.SUSPENDED, hub="i")]
        await world.hub.behind.put(said, now=NOW)
        await other.refresh()
        assert other.all() == world.hub.behind.all() == sorted(said, key=lambda told: told.key)


async def test_it_is_kept_over_a_restart(database_url: str) -> None:
    async with a_world(database_url) as world:
        await world.hub.behind.put([word(Status.OFFLINE)], now=NOW)
    async with a_world(database_url) as world:
        assert world.hub.behind.all() == [word(Status.OFFLINE)]
        assert world.hub.behind.of_party("h", "FR*BHD") == [word(Status.OFFLINE)]
