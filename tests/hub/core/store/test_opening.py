"""A store opens only where it can keep its promises."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from hub.core.errors import NotReady
from hub.core.store import DatabaseRefused, Store, open_store
from hub.core.units import Kind
from tests.hub.core.store.samples import KINDS, TOKEN, token, unit


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://localhost/x", "busbar.db", "postgresql:x"]
)
async def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(DatabaseRefused):
        await open_store(url, KINDS)


async def test_a_directory_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused, match="cannot be opened"):
        await open_store(f"sqlite:///{tmp_path}/none/busbar.db", KINDS)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "busbar.db").write_bytes(b"not a database at all " * 100)
    with pytest.raises(DatabaseRefused, match="cannot be opened"):
        await open_store(f"sqlite:///{tmp_path}/busbar.db", KINDS)


async def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/50%25 of #1 é.db", KINDS)
    await store.commit(unit(token("a")))
    await store.close()
    assert (tmp_path / "50% of #1 é.db").exists()


async def test_sqlite_writes_with_wal_and_full_sync(sqlite_url: str) -> None:
    store = await open_store(sqlite_url, KINDS)
    writer = store._writer._connection  # type: ignore[attr-defined]
    assert writer.execute("PRAGMA synchronous").fetchone() == (2,)
    assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    await store.close()


async def test_a_second_hub_on_a_sqlite_file_is_told_who_has_it(sqlite_url: str) -> None:
    first = await open_store(sqlite_url, KINDS)
    with pytest.raises(DatabaseRefused, match=r"in use by another hub \(process \d+\)"):
        await open_store(sqlite_url, KINDS)
    await first.close()
    second = await open_store(sqlite_url, KINDS)
    await second.close()


async def test_a_reader_beside_the_hub_sees_its_commits_and_writes_nothing(store: Store, database_url: str) -> None:
    reader = await open_store(database_url, KINDS, read_only=True)
    await store.commit(unit(token("a")))
    found = await reader.get(TOKEN, "a")
    assert found is not None
    with pytest.raises(NotReady):
        await reader.commit(unit(token("b")))
    await reader.close()


async def test_the_revision_of_a_sqlite_reader_changes_with_the_hubs_commits(sqlite_url: str) -> None:
    hub = await open_store(sqlite_url, KINDS)
    reader = await open_store(sqlite_url, KINDS, read_only=True)
    before = reader.revision(TOKEN)
    await hub.commit(unit(token("a")))
    assert reader.revision(TOKEN) != before
    await reader.close()
    await hub.close()


async def test_a_reader_does_not_create_a_database(sqlite_url: str) -> None:
    with pytest.raises(DatabaseRefused, match="does not exist"):
        await open_store(sqlite_url, KINDS, read_only=True)
    sqlite3.connect(sqlite_url.removeprefix("sqlite:///")).close()
    with pytest.raises(DatabaseRefused, match="older schema"):
        await open_store(sqlite_url, KINDS, read_only=True)


async def test_a_postgresql_that_may_lose_commits_is_refused_unless_allowed(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await connection.close()
    with pytest.raises(DatabaseRefused, match="synchronous_commit = off"):
        await open_store(postgres_url, KINDS)
    store = await open_store(postgres_url, KINDS, allow_unsafe=True)
    await store.close()


async def test_a_server_that_is_not_there_is_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReady):
        await open_store(f"postgresql://postgres@/busbar?host={tmp_path}", KINDS)


@pytest.mark.parametrize(
    "kinds",
    [
        [Kind("Token")],
        [Kind('x"; DROP TABLE changes; --')],
        [Kind("token", ("body",))],
        [Kind("token", ("uid",), ("other",))],
        [Kind("token", ("uid", "uid"))],
        [Kind("token"), Kind("token", ("uid",))],
    ],
)
async def test_kinds_that_cannot_be_tables_are_mistakes(sqlite_url: str, kinds: list[Kind]) -> None:
    with pytest.raises(ValueError, match=r"kind"):
        await open_store(sqlite_url, kinds)


async def test_the_files_of_a_new_database_are_for_our_eyes_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = await open_store(f"sqlite:///{tmp_path}/busbar.db", KINDS)
        await store.commit(unit(token("a")))
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}  # noqa: ASYNC240 - a test may wait
        await store.close()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("busbar.db", "busbar.db-wal", "busbar.db-shm", "busbar.db.lock"), 0o600)


async def test_a_database_that_is_there_keeps_the_mode_that_its_owner_gave_it(tmp_path: Path) -> None:
    for _ in range(2):
        store = await open_store(f"sqlite:///{tmp_path}/busbar.db", KINDS)
        await store.close()
        (tmp_path / "busbar.db").chmod(0o640)
    assert (tmp_path / "busbar.db").stat().st_mode & 0o777 == 0o640
