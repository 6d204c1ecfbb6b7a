"""Many hubs on one PostgreSQL: one order of changes, and everybody hears."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from hub.core.errors import Conflict
from hub.core.store import Store, open_store
from hub.core.units import ChangeRow
from tests.hub.core.store.processes import acknowledged, start_writer
from tests.hub.core.store.samples import KINDS, SESSION, TOKEN, session, token, unit
from tests.world import until

WRITERS, UNITS = 3, 400


async def follow(store: Store, until: int) -> list[int]:
    """Read the log with a cursor, as a lane does, until that many rows were seen."""
    seen: list[int] = []
    while len(seen) < until:
        rows = await store.changes(after=seen[-1] if seen else 0, limit=50)
        seen += [row.seq for row in rows]
        if not rows:
            await asyncio.sleep(0.005)
    return seen


async def test_no_change_appears_below_a_cursor_while_several_processes_write(postgres_url: str) -> None:
    store = await open_store(postgres_url, KINDS)
    heard: list[int] = []

    def listen(rows: Sequence[ChangeRow]) -> None:
        heard.extend(row.seq for row in rows)

    store.on_commit(listen)
    writers = [await start_writer(postgres_url, n * 1_000, UNITS) for n in range(WRITERS)]
    reading = asyncio.create_task(follow(store, WRITERS * UNITS))
    said = await asyncio.gather(*map(acknowledged, writers))
    assert [len(numbers) for numbers in said] == [UNITS] * WRITERS
    followed = await asyncio.wait_for(reading, 60)
    assert followed == [row.seq for row in await store.changes(after=0, limit=10_000)]
    await until(lambda: len(heard) >= len(followed))
    assert heard == followed
    assert (await store.verify_audit()).rows == WRITERS * UNITS
    await store.close()


@pytest.fixture
async def hubs(postgres_url: str) -> list[Store]:
    return [await open_store(postgres_url, KINDS) for _ in range(3)]


async def test_hubs_that_race_for_a_version_agree_on_the_winner(hubs: list[Store]) -> None:
    for version in range(10):
        outcomes = await asyncio.gather(
            *(hub.commit(unit(token("a", expect=version))) for hub in hubs), return_exceptions=True
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Conflict", "tuple"]
    assert all(isinstance(outcome, Conflict | tuple) for outcome in outcomes)
    for hub in hubs:
        await hub.close()


async def test_revisions_grow_with_the_commits_of_other_hubs(hubs: list[Store]) -> None:
    writer, *others = hubs
    before = [(other.revision(TOKEN), other.revision(SESSION)) for other in others]
    await writer.commit(unit(session("s")))
    await until(lambda: all(other.revision(SESSION) > old for other, (_, old) in zip(others, before, strict=True)))
    for other, (tokens, sessions) in zip(others, before, strict=True):
        assert other.revision(SESSION) > sessions
        assert other.revision(TOKEN) == tokens
        assert await other.get(SESSION, "s") is not None
    for hub in hubs:
        await hub.close()


async def test_the_arrangement_of_lists_follows_the_commits_of_other_hubs(hubs: list[Store]) -> None:
    writer, other, _ = hubs
    before = other.arrangement(TOKEN)
    await writer.commit(unit(token("a")))
    await until(lambda: other.arrangement(TOKEN) > before)
    before, revision = other.arrangement(TOKEN), other.revision(TOKEN)
    await writer.commit(unit(token("a", b'{"other":1}')))
    await until(lambda: other.revision(TOKEN) > revision)
    assert other.arrangement(TOKEN) == before
    for hub in hubs:
        await hub.close()


async def test_hubs_that_start_at_once_migrate_once(postgres_url: str) -> None:
    hubs = await asyncio.gather(*(open_store(postgres_url, KINDS) for _ in range(4)))
    assert await hubs[0].commit(unit(token("a"))) == (1,)
    for hub in hubs:
        await hub.close()
