"""Work with each partner by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from partners.oicp.apart import Apart
from tests.partners.oicp.bridged import Bridged, bridged


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        yield made


async def test_work_that_is_asked_for_while_it_is_done_is_told_of_at_its_end(bridge: Bridged) -> None:
    may_end, is_missed, begun = asyncio.Event(), asyncio.Event(), list[str]()

    async def work() -> None:
        begun.append("hbs")
        await may_end.wait()

    apart = Apart(bridge.world.hub, "work", missed=is_missed.set)
    apart.begin("hbs", work)
    apart.begin("hbs", work)
    await asyncio.sleep(0)
    assert (begun, is_missed.is_set()) == (["hbs"], False)
    may_end.set()
    await asyncio.wait_for(is_missed.wait(), 30)
    apart.begin("hbs", work)
    await asyncio.sleep(0)
    assert begun == ["hbs", "hbs"]
