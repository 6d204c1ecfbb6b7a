"""What objects lose between us and a partner is counted for that partner, and is still known after a restart."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from hub.core.dialect import Loss
from hub.core.losses import LOSSES, Losses, Lost, pointers
from modules.locations import service as locations
from tests.hub.core.test_delivery import Delivering, delivering
from tests.world import OURS, World, a_world, location


@pytest.fixture
async def hub(sqlite_url: str) -> AsyncIterator[Delivering]:
    """One partner, e1, of 2.1.1."""
    async with delivering(sqlite_url, rng=random.Random(1), version="2.1.1") as made:
        yield made


async def change(world: World, name: str) -> None:
    tree = location(name=name, help_phone="+4930123456")
    await locations.put(world.store, OURS, "LOC1", tree, now=world.clock.now())


def test_an_index_does_not_matter() -> None:
    losses = [Loss("/evses/0/connectors/12/x", "no x"), Loss("/a1/2", "no a"), Loss("/evses", "none")]
    assert pointers(losses) == ("/evses/*/connectors/*/x", "/a1/*", "/evses")


async def test_each_push_in_an_older_version_counts_what_it_lost(hub: Delivering) -> None:
    for name in ("One", "Two", "Two"):
        await change(hub.world, name)
        await hub.quiet()
    counted = await hub.world.hub.losses.of("e1")
    sent = [request for request in hub.world.peers.sent if request.method == "PUT"]
    assert counted[Lost("out", "locations", "/help_phone")] == len(sent) > 1
    assert await hub.world.hub.losses.of("e2") == {}


async def test_what_is_counted_costs_one_write_for_each_partner(sqlite_url: str) -> None:
    async with a_world(sqlite_url) as world:
        for _ in range(1000):
            world.hub.losses.note("e1", "out", "locations", ("/help_phone", "/publish"))
        assert await world.documents(LOSSES) == []
        await world.hub.losses.write()
        await world.hub.losses.write()
        (written,) = await world.documents(LOSSES)
        assert written.version == 1
        known = await Losses(world.store).of("e1")
        assert known == {Lost("out", "locations", "/help_phone"): 1000, Lost("out", "locations", "/publish"): 1000}


async def test_processes_that_count_at_once_lose_nothing(database_url: str) -> None:
    async with a_world(database_url, partners=False) as world:
        several = [Losses(world.store) for _ in range(4)]
        for losses in several:
            losses.note("e1", "in", "tokens", ("/x",))
        await asyncio.gather(*(losses.write() for losses in several))
        assert await several[0].of("e1") == {Lost("in", "tokens", "/x"): 4}
