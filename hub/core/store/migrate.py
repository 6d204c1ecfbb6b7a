"""Bring a database up to the schema of this program, before anything else touches it.

Alembic runs `hub/core/migrations/versions`. A kind that no migration knows yet (one under development, or of a test)
gets its table as declared. A database that a newer program has already changed is refused, as is one whose tables lack
a declared column. In PostgreSQL several hubs may start at once: an advisory lock lets one migrate and the others wait.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from hub.core.errors import NotReady
from hub.core.store.addresses import postgres_dsn, sqlite_path, sqlite_uri
from hub.core.store.lockfile import LockFile
from hub.core.store.refusal import DatabaseRefused
from hub.core.store.schema import metadata
from hub.core.units import Kind

MIGRATIONS: Final = Path(__file__).parent.parent / "migrations"

_MIGRATION_LOCK: Final = 0x6275736261720001  # "busbar" and 1

_COLUMNS: Final = {
    "sqlite": (
        "SELECT held.name, has.name FROM sqlite_master AS held, pragma_table_info(held.name) AS has"
        " WHERE held.type = 'table'"
    ),
    "postgresql": (
        "SELECT held.relname, has.attname FROM pg_class AS held JOIN pg_attribute AS has ON has.attrelid = held.oid"
        " WHERE held.relnamespace = current_schema()::regnamespace AND held.relkind IN ('r', 'p')"
        " AND has.attnum > 0 AND NOT has.attisdropped"
    ),
}
"""All columns of all tables, by the name of the database."""


async def migrate(database_url: str, kinds: Sequence[Kind]) -> None:
    """What the command `busbar migrate` does, and `open_store` first of all.

    Raises: DatabaseRefused, when the schema is newer than ours, or another hub has the SQLite file.
    """
    if database_url.startswith("sqlite:"):
        path = sqlite_path(database_url)
        lock = LockFile(path)
        try:
            await asyncio.to_thread(migrate_sqlite, path, kinds)
        finally:
            lock.release()
    else:
        await migrate_postgres(database_url, kinds)


def migrate_sqlite(path: Path, kinds: Sequence[Kind]) -> None:
    """Migrate under a lock that the caller holds. All or nothing: SQLite's DDL is transactional too."""
    _make_private(path)
    if _needs_nothing(path, kinds):
        return
    engine = _sqlite_engine(path, mode="rwc")
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with _sentences(path), engine.begin() as connection:
        upgrade(connection, kinds)


def _make_private(path: Path) -> None:
    """Make a new database for our eyes only; SQLite gives its -wal and -shm the same mode.

    Only a file that is not there is opened: closing one that is would drop the locks which SQLite holds on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(os.path.realpath(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _needs_nothing(path: Path, kinds: Sequence[Kind]) -> bool:
    """Is the file as `migrate_sqlite` would leave it, and may it be written? Most starts find it so.

    To ask without SQLAlchemy and Alembic costs half as much. Whatever else is the case is for them to say.
    """
    try:
        with closing(sqlite3.connect(sqlite_uri(path, mode="rw"), uri=True, isolation_level=None, timeout=0)) as asked:
            asked.execute("BEGIN IMMEDIATE")
            heads = tuple(head for (head,) in asked.execute("SELECT version_num FROM alembic_version"))
            present = _by_table(asked.execute(_COLUMNS["sqlite"]))
    except sqlite3.Error:
        return False
    declared = _declared_columns(tuple(kinds))
    return heads == _our_heads() and all(columns <= present.get(name, set()) for name, columns in declared.items())


@lru_cache(maxsize=8)
def _declared_columns(kinds: tuple[Kind, ...]) -> dict[str, frozenset[str]]:
    return {name: frozenset(table.columns.keys()) for name, table in metadata(kinds).tables.items()}


def require_current_sqlite(path: Path, kinds: Sequence[Kind]) -> None:
    """For a reader, who may not migrate. Raises: DatabaseRefused, when the schema is not exactly ours."""
    with _sentences(path), _sqlite_engine(path, mode="ro").connect() as connection:
        require_current(connection, kinds)


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise DatabaseRefused(f"{path} cannot be opened: {error.orig}") from error


def _sqlite_engine(path: Path, *, mode: str) -> Engine:
    uri = sqlite_uri(path, mode=mode)
    return create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True, isolation_level=None), poolclass=NullPool
    )


async def migrate_postgres(database_url: str, kinds: Sequence[Kind], *, read_only: bool = False) -> None:
    """Migrate in one transaction, while other hubs that start wait for it; or only look, for a reader.

    Raises: DatabaseRefused; NotReady, when the server cannot be reached.
    """
    import asyncpg
    from sqlalchemy.ext.asyncio import create_async_engine

    dsn = postgres_dsn(database_url)
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn, timeout=10), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            if read_only:
                await connection.run_sync(require_current, kinds)
            else:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
                await connection.run_sync(upgrade, kinds)
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
        raise NotReady("the database server cannot be reached") from error


def upgrade(connection: Connection, kinds: Sequence[Kind]) -> None:
    """All migrations, then the tables of kinds that none of them made. Raises: DatabaseRefused."""
    config = alembic_config(connection, kinds)
    heads = MigrationContext.configure(connection).get_current_heads()
    if heads != _our_heads():
        _refuse_unknown(heads, ScriptDirectory.from_config(config))
        command.upgrade(config, "head")
    declared, present = metadata(kinds), _columns_of(connection)
    missing = [table for name, table in declared.tables.items() if name not in present]
    if missing:
        declared.create_all(connection, tables=missing, checkfirst=False)
    _refuse_missing_columns(declared, present)


def require_current(connection: Connection, kinds: Sequence[Kind]) -> None:
    """For a reader, who may not migrate. Raises: DatabaseRefused, when the schema is not exactly ours."""
    heads = MigrationContext.configure(connection).get_current_heads()
    if heads != _our_heads():
        _refuse_unknown(heads, ScriptDirectory.from_config(alembic_config(connection, kinds)))
        raise DatabaseRefused("the database has an older schema: start the hub on it once, or run `busbar migrate`")


def alembic_config(connection: Connection, kinds: Sequence[Kind], directory: Path = MIGRATIONS) -> Config:
    """Alembic's configuration without a file: `env.py` takes the connection and the tables from here."""
    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata(kinds)
    return config


@cache
def _our_heads() -> tuple[str, ...]:
    """The last of our migrations: its files are read once a process."""
    return tuple(ScriptDirectory(str(MIGRATIONS)).get_heads())


def _refuse_unknown(heads: Sequence[str], script: ScriptDirectory) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    for head in heads:
        if head not in known:
            raise DatabaseRefused(
                f"the database has schema {head}, which is newer than this program: start the newer version again"
            )


def _columns_of(connection: Connection) -> dict[str, set[str]]:
    """By table, what there is. SQLAlchemy's inspector would ask table by table, and of all types and defaults."""
    return _by_table((table, column) for table, column in connection.exec_driver_sql(_COLUMNS[connection.dialect.name]))


def _by_table(columns: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in columns:
        found.setdefault(table, set()).add(column)
    return found


def _refuse_missing_columns(declared: MetaData, present: Mapping[str, set[str]]) -> None:
    for name, table in declared.tables.items():
        missing = {*table.columns.keys()} - present.get(name, {*table.columns.keys()})
        if missing:
            raise DatabaseRefused(f"table {name} lacks {sorted(missing)}: a migration is missing")
