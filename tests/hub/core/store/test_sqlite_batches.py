"""What SQLite alone does: how the WAL comes into the database, and how many statements a batch takes."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from hub.core.store import open_store
from hub.core.store.schema import table_name
from tests.hub.core.store.samples import KINDS, TOKEN, token, unit


def _brought_in(path: Path) -> int:
    """Tokens that are in the database itself, whatever the WAL beside it holds."""
    database = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        (count,) = database.execute(f"SELECT count(*) FROM {table_name(TOKEN)}").fetchone()
    except sqlite3.DatabaseError:  # it is being brought in just now
        return 0
    finally:
        database.close()
    return int(count)


async def test_the_wal_is_brought_in_once_those_who_waited_have_been_told(sqlite_url: str, tmp_path: Path) -> None:
    store = await open_store(sqlite_url, KINDS)
    for number in range(140):
        await store.commit(unit(token(f"T{number}")))
    async with asyncio.timeout(30):
        while _brought_in(tmp_path / "busbar.db") < 128:  # noqa: ASYNC110 - SQLite tells nobody
            await asyncio.sleep(0.01)
    await store.close()


@pytest.mark.parametrize("size", [1, 7, 8, 9, 63, 64, 65, 130, 600])
async def test_a_batch_of_any_size_is_written_whole(sqlite_url: str, size: int) -> None:
    store = await open_store(sqlite_url, KINDS)
    keys = [f'T{number} "é' for number in range(size)]
    assert await asyncio.gather(*(store.commit(unit(token(key, b"1"))) for key in keys)) == [(1,)] * size
    assert await asyncio.gather(*(store.commit(unit(token(key, b"2", expect=1))) for key in keys)) == [(2,)] * size
    found = await store.get_many(TOKEN, keys)
    assert {key: document.body for key, document in found.items()} == dict.fromkeys(keys, b"2")
    assert await store.last_change() == 2 * size
    await store.close()


async def test_what_stays_and_what_moves_in_one_batch_is_found_where_it_is(sqlite_url: str) -> None:
    store = await open_store(sqlite_url, KINDS)
    await asyncio.gather(*(store.commit(unit(token(f"T{n}", owner="DE*AAA", uid=f"U{n}"))) for n in range(9)))
    moved = [unit(token(f"T{n}", b"2", owner="DE*AAA", uid="ELSEWHERE")) for n in range(3)]
    stayed = [unit(token(f"T{n}", b"2", owner="DE*AAA", uid=f"U{n}")) for n in range(3, 9)]
    await asyncio.gather(*map(store.commit, [*stayed, *moved]))
    assert [document.key for document in await store.select(TOKEN, equal={"uid": "ELSEWHERE"})] == ["T0", "T1", "T2"]
    assert [document.body for document in await store.select(TOKEN, equal={"uid": "U5"})] == [b"2"]
    assert await store.select(TOKEN, equal={"uid": "U0"}) == []
    await store.close()


async def test_indexes_are_left_alone_where_a_document_stays_in_its_place(sqlite_url: str, tmp_path: Path) -> None:
    store = await open_store(sqlite_url, KINDS)
    wal = tmp_path / "busbar.db-wal"

    async def written(owner: str) -> int:
        """Bytes that went into the WAL."""
        before = wal.stat().st_size
        await store.commit(unit(*(token(f"T{number:03d}", owner=owner, uid=f"{number:>200}") for number in range(600))))
        return wal.stat().st_size - before

    await written("DE*AAA")
    stayed, moved = await written("DE*AAA"), await written("DE*BBB")
    assert stayed < moved * 2 / 3
    await store.close()
