"""While the database cannot serve, callers hear NotReady; afterwards everything works again by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence

import asyncpg
import pytest

from hub.core.errors import NotReady
from hub.core.store import Store, open_store
from hub.core.units import ChangeRow
from tests.databases import PostgresServer
from tests.hub.core.store.samples import KINDS, SESSION, TOKEN, session, token, unit
from tests.world import until


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    server = PostgresServer()
    yield server
    server.remove()


async def becomes_ready(store: Store) -> None:
    """Commits succeed again."""

    async def is_ready() -> bool:
        try:
            await store.commit(unit(token("again")))
        except NotReady:
            return False
        return True

    await until(is_ready)


async def test_a_locked_sqlite_is_not_ready_and_then_works_again(sqlite_url: str) -> None:
    store = await open_store(sqlite_url, KINDS, busy_timeout_s=0.05)
    intruder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(*(store.commit(unit(token(f"k{n}"))) for n in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {NotReady}
    intruder.execute("ROLLBACK")
    intruder.close()
    assert await store.commit(unit(token("k0"))) == (1,)
    await store.close()


async def test_a_full_disk_is_not_ready_and_then_works_again(sqlite_url: str) -> None:
    store = await open_store(sqlite_url, KINDS)
    writer = store._writer._connection  # type: ignore[attr-defined]
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages + 2}")  # the next connection has no such limit
    with pytest.raises(NotReady):
        await store.commit(unit(token("a", b"x" * 100_000)))
    assert await store.get(TOKEN, "a") is None
    assert await store.commit(unit(token("a", b"x" * 100_000))) == (1,)
    await store.close()


async def test_a_stopped_postgresql_is_not_ready_and_then_works_again(own_server: PostgresServer) -> None:
    database_url = own_server.create_database()
    store = await open_store(database_url, KINDS)
    heard: list[str] = []

    def listen(rows: Sequence[ChangeRow]) -> None:
        heard.extend(row.change.key for row in rows)

    store.on_commit(listen)
    await store.commit(unit(token("before")))
    own_server.stop()
    with pytest.raises(NotReady):
        await store.commit(unit(token("lost")))
    with pytest.raises(NotReady):
        await store.get(TOKEN, "before")
    with pytest.raises(NotReady):
        await open_store(database_url, KINDS)
    own_server.start()
    revision = store.revision(SESSION)
    other = await open_store(database_url, KINDS)
    await other.commit(unit(session("from another process")))
    await becomes_ready(store)
    assert await store.get(TOKEN, "before") is not None
    assert await store.get(TOKEN, "lost") is None
    await until(lambda: "from another process" in heard)
    assert store.revision(SESSION) > revision
    await store.close()
    await other.close()


async def test_connections_that_an_administrator_ends_are_made_anew(postgres_url: str) -> None:
    store = await open_store(postgres_url, KINDS)
    await store.commit(unit(token("a")))
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await admin.close()
    assert await store.get(TOKEN, "a") is not None
    await becomes_ready(store)
    await store.close()


async def test_a_serialization_error_is_nobodys_fault_and_tried_again(postgres_url: str) -> None:
    store = await open_store(postgres_url, KINDS)
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(
        """
        CREATE SEQUENCE attempts;
        CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('attempts') <= 2 THEN RAISE EXCEPTION 'collision' USING ERRCODE = '40001'; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER collide BEFORE INSERT ON doc_token FOR EACH ROW EXECUTE FUNCTION collide();
        """
    )
    assert await store.commit(unit(token("a"))) == (1,)
    assert await admin.fetchval("SELECT last_value FROM attempts") == 3
    await admin.close()
    await store.close()


async def test_a_writing_lock_that_is_not_let_go_is_not_ready(postgres_url: str) -> None:
    store = await open_store(postgres_url, KINDS, busy_timeout_s=0.1)
    admin = await asyncpg.connect(postgres_url)
    await admin.execute("BEGIN; LOCK TABLE doc_token IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(NotReady):
        await store.commit(unit(token("a")))
    await admin.execute("ROLLBACK")
    await admin.close()
    assert await store.commit(unit(token("a"))) == (1,)
    await store.close()
