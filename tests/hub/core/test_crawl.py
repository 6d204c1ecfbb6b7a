"""A crawl of a list: pages read from where the one before ended are those that counting would give."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.core.clock import SystemClock
from hub.core.parties import PartyRole
from modules.locations import routes
from modules.locations import service as locations
from tests.world import World, a_world, location

HOW_MANY = 23


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """Locations of which each third is not published, which OCPI 2.1.1 cannot say."""
    async with a_world(database_url, "2.2.1", partners=False) as world:
        own = world.hub.settings.own_party
        for number in range(HOW_MANY):
            tree = location(f"LOC{number:02d}", evses=(f"E{number:02d}",), publish=number % 3 != 1)
            await locations.put(world.store, own, tree["id"], tree, now=SystemClock().now())
        yield world


@pytest.mark.parametrize("room", [10_000, 3], ids=lambda room: f"{room} kept")
@pytest.mark.parametrize("version", ["2.1.1", "2.2.1", "2.3.0"])
async def test_every_page_of_every_crawl_is_the_right_slice_as_it_is_now(
    world: World, version: str, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes.rendition, "_capacity", room)
    await world.join("reader", "NL*RDR", PartyRole.EMSP, version=version)
    meant = [f"LOC{n:02d}" for n in range(HOW_MANY) if version != "2.1.1" or n % 3 != 1]
    own = world.hub.settings.party
    now = "AVAILABLE"
    for status in ("CHARGING", "AVAILABLE"):
        for limit in (4, 7, 50):
            for offset in (*range(0, HOW_MANY + 5, limit), 3, 1, HOW_MANY - 1):
                path = f"/ocpi/{version}/sender/locations?offset={offset}&limit={limit}"
                said = await world.ask("GET", path, by="reader")
                assert [each["id"] for each in said.data] == meant[offset : offset + limit], (limit, offset)
                assert int(said.headers["x-total-count"]) == len(meant)
                assert ("link" in said.headers) == (0 <= offset < len(meant) - limit)
                assert all(each["evses"][0]["status"] == now for each in said.data if each["id"] == "LOC03")
        await locations.set_status(world.store, f"{own}/LOC03", "E03", status, now=SystemClock().now())
        now = status
