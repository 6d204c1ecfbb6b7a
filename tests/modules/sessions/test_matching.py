"""A CDR of 2.1.1 names no session: it gets the id of the one that it bills, where that can be no other one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from hub.core.inbound import parse
from modules.cdrs.store import CDRS
from modules.sessions.matching import session_of
from tests.modules.cdrs.check.records import but
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.modules.commands.test_onward import furnish
from tests.modules.commands.test_references import CARD, SOON, cdr, session
from tests.world import World, a_world, token

OVER = {"status": "COMPLETED", "minute": 9}
LATER = timedelta(minutes=5)


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """e1 speaks 2.3.0 and has the card, c1 speaks 2.1.1."""
    async with a_world(sqlite_url, "2.3.0") as made:
        await furnish(made, "2.1.1")
        assert (await made.ask("PUT", made.at(CARD), by="e1", body=token("2.3.0"))).http == 201
        yield made


async def named(world: World, evse: str = "E1") -> Any:
    """Of a CDR that c1 brings."""
    await cdr(world, "C1", SOON, evse=evse)
    document = await world.store.get(CDRS, "BE*AAA/C1")
    assert document is not None
    return parse(document.body, limit=65_536).get("session_id")


async def ended(world: World, session_id: str, **fields: Any) -> None:
    await session(world, session_id, **{**OVER, **fields})


async def test_it_gets_the_one_completed_session_of_its_driver_evse_and_time(world: World) -> None:
    await ended(world, "S1")
    await ended(world, "S2", evse="E2")
    assert await named(world) == "S1"


async def test_it_gets_none_where_two_could_be_meant(world: World) -> None:
    await ended(world, "S1")
    await ended(world, "S2")
    assert await named(world) is None


async def test_a_session_that_goes_on_beside_it_is_a_doubt(world: World) -> None:
    await ended(world, "S1")
    await session(world, "S2")
    assert await named(world) is None


async def test_it_gets_none_that_goes_on(world: World) -> None:
    await session(world, "S1")
    assert await named(world) is None


async def test_it_gets_none_that_began_later(world: World) -> None:
    await ended(world, "S1", began=SOON + LATER)
    assert await named(world) is None


async def test_the_session_of_another_evse_is_not_it(world: World) -> None:
    await ended(world, "S1", evse="E2")
    assert await named(world) is None


async def test_a_charge_of_the_first_minute_of_the_calendar_has_no_session_that_is_older(world: World) -> None:
    bill = but(EVENING, start_date_time="0001-01-01T00:00:00Z")
    assert await session_of(world.store, "BE*AAA", bill) is None
