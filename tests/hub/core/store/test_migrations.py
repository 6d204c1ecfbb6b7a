"""A migrated database is what the declaration says, on both databases, and only our own schema is served."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from hub.core.migrations import __main__ as writing
from hub.core.store import DatabaseRefused, migrate, open_store
from hub.core.store.drafts import draft, first_kinds, freeze, frozen
from hub.core.store.migrate import MIGRATIONS, alembic_config
from hub.core.units import Kind
from tests.hub.core.store.samples import KINDS, SESSION, TOKEN, token, unit

FROZEN = (("doc_token", TOKEN.columns, TOKEN.indexed), ("doc_session", SESSION.columns, SESSION.indexed))

POSTGRES_SCHEMA = (
    "SELECT relname, relkind::text, reloptions::text FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    """SELECT table_name, ordinal_position, column_name, data_type, is_nullable, collation_name, identity_generation
       FROM information_schema.columns WHERE table_schema = 'public'""",
    "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'",
)


async def schema(database_url: str) -> list[str]:
    """The whole schema as sorted lines."""
    lines: list[Sequence[object]] = []
    if database_url.startswith("sqlite:"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        lines += connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        connection.close()
    else:
        server = await asyncpg.connect(database_url)
        for query in POSTGRES_SCHEMA:
            lines += [tuple(row) for row in await server.fetch(query)]
        await server.close()
    return sorted(map(repr, lines))


async def run_sql(database_url: str, sql: str) -> None:
    if database_url.startswith("sqlite:"):
        connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        connection.execute(sql)
        connection.commit()
        connection.close()
    else:
        server = await asyncpg.connect(database_url)
        await server.execute(sql)
        await server.close()


async def test_the_migrations_make_what_is_declared(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once by the migrations alone, once from the declaration: not a character of the schema differs."""
    if database_url.startswith("sqlite:"):
        declared_url = f"sqlite:///{tmp_path}/declared.db"
    else:
        server = request.getfixturevalue("postgres_server")
        declared_url = server.create_database()
        request.addfinalizer(lambda: server.drop_database(declared_url))
    await migrate(declared_url, KINDS)
    monkeypatch.setattr("hub.core.migrations.first_kinds.FIRST_KINDS", FROZEN)
    await migrate(database_url, ())
    assert await schema(database_url) == await schema(declared_url)


async def test_a_migrated_database_is_left_as_it_is_and_keeps_its_facts(database_url: str) -> None:
    store = await open_store(database_url, [TOKEN])
    await store.commit(unit(token("a", b"kept")))
    await store.close()
    before = await schema(database_url)
    await migrate(database_url, [TOKEN])
    assert await schema(database_url) == before
    store = await open_store(database_url, KINDS)
    found = await store.get(TOKEN, "a")
    assert found is not None
    assert found.body == b"kept"
    assert await store.select(SESSION) == []
    await store.close()


async def test_a_file_that_is_current_is_opened_without_the_tools_that_migrate(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(sqlite_url, KINDS)
    asked = []
    monkeypatch.setattr(import_module("hub.core.store.migrate"), "create_engine", lambda *_, **__: asked.append(1))
    store = await open_store(sqlite_url, KINDS)
    assert await store.select(SESSION) == []
    await store.close()
    assert asked == []


async def test_a_file_that_another_writes_to_is_waited_for(sqlite_url: str) -> None:
    await migrate(sqlite_url, KINDS)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    opening = asyncio.create_task(open_store(sqlite_url, KINDS))
    await asyncio.sleep(0.05)
    assert not opening.done()
    other.execute("ROLLBACK")
    other.close()
    await (await opening).close()


async def test_a_newer_schema_is_refused_with_a_sentence(database_url: str) -> None:
    await migrate(database_url, KINDS)
    await run_sql(database_url, "UPDATE alembic_version SET version_num = '9000'")
    for read_only in (False, True):
        with pytest.raises(DatabaseRefused, match="schema 9000, which is newer than this program"):
            await open_store(database_url, KINDS, read_only=read_only)


async def test_a_column_without_a_migration_is_refused(database_url: str) -> None:
    await migrate(database_url, [Kind("token", ("uid",))])
    with pytest.raises(DatabaseRefused, match=r"doc_token lacks \['group'\]"):
        await open_store(database_url, KINDS)


def test_the_first_kinds_are_as_the_command_writes_them() -> None:
    assert (MIGRATIONS / "first_kinds.py").read_text() == frozen(first_kinds())


def test_freezing_writes_the_kinds_in_order_of_their_names(tmp_path: Path) -> None:
    written = freeze(KINDS, tmp_path).read_text()
    assert '    ("doc_session", ("status",), ()),\n    ("doc_token", ("uid", "group"), ("uid",)),\n' in written
    space: dict[str, object] = {}
    exec(written, space)
    assert space["FIRST_KINDS"] == tuple(reversed(FROZEN))


def test_a_drafted_migration_brings_an_older_database_up(tmp_path: Path) -> None:
    migrations = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    path = draft([TOKEN], "tokens", migrations)
    number = len(list((MIGRATIONS / "versions").glob("v*.py"))) + 1
    assert path.name == f"v{number:04d}_tokens.py"
    engine = create_engine(f"sqlite:///{tmp_path}/old.db", poolclass=NullPool)
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection, [TOKEN]), "head")
        command.upgrade(alembic_config(connection, [TOKEN], migrations), "head")
    with sqlite3.connect(tmp_path / "old.db") as check:
        assert check.execute("SELECT version_num FROM alembic_version").fetchone() == (f"{number:04d}",)
        assert check.execute("SELECT count(*) FROM doc_token").fetchone() == (0,)
    check.close()


def test_the_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert writing.main([]) == 2
    assert "freeze" in capsys.readouterr().err
