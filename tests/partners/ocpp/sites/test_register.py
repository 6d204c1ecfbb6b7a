"""What operators say of sites, on both databases, and how other processes come to know of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.core.clock import timestamp
from hub.core.errors import NotFound
from partners.ocpp.sites import rows
from partners.ocpp.sites.register import Sites
from tests.partners.ocpp.site import until
from tests.world import a_world

GRID: dict[str, Any] = {
    "nodes": {"grid": {"limit_a": 63, "load_a": 20}},
    "evses": {"e1": {"node": "grid", "most_a": 32, "safe_a": 6}, "E2": {"node": "grid", "most_a": 32}},
}


async def test_a_site_is_kept_and_read_again_with_all_that_was_said_of_it(database_url: str) -> None:
    async with a_world(database_url) as world:
        sites = Sites(world.hub)
        await sites.put("yard", GRID, actor="test")
        end = timestamp(world.hub.clock.now() + timedelta(hours=1))
        await sites.limit("yard", {"node": "grid", "limit_a": [1, 2, 3], "until": end}, actor="test")
        await sites.measure("yard", {"node": "grid", "load_a": 7})
        again = Sites(world.hub)
        await again.load()
        assert again.view("yard") == sites.view("yard")
        assert again.get("yard").site.evse.keys() == {"E1", "E2"}
        assert again.of_evse("e1") is again.get("yard")
        await again.delete("yard", actor="test")
        for kind in rows.KINDS:
            assert await world.store.select(kind) == []
        await sites.refresh()
        with pytest.raises(NotFound):
            sites.get("yard")


async def test_another_process_hears_of_a_site(postgres_url: str) -> None:
    async with a_world(postgres_url) as one, a_world(postgres_url) as other:
        here, there = Sites(one.hub), Sites(other.hub)
        await there.load()
        heard: list[datetime] = []
        there.on_change = lambda: heard.append(datetime.now(UTC))
        await here.put("yard", GRID, actor="test")

        async def known() -> bool:
            await there.refresh()
            return there.find("yard") is not None

        await until(known)
        assert heard


async def test_a_change_of_a_limit_leaves_the_tree_the_same_object(database_url: str) -> None:
    async with a_world(database_url) as world:
        sites = Sites(world.hub)
        await sites.put("yard", GRID, actor="test")
        before = sites.get("yard").site
        await sites.measure("yard", {"node": "grid", "load_a": 7})
        assert sites.get("yard").site is before
