"""The store in a SQLite file: one process, one writer thread, reads in the event loop's own thread.

A read costs 4 us a key and 50 us a page, less than handing it to a thread and back. Writes wait for the disk, so they
go to the writer (`sqlite_writer`). WAL lets both work at once: a reader never waits for the writer.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final, Self

from hub.core.clock import Clock
from hub.core.errors import NotReady
from hub.core.store.addresses import sqlite_path, sqlite_uri
from hub.core.store.base import DocumentStore
from hub.core.store.batch import Waiter
from hub.core.store.documents import Row
from hub.core.store.lockfile import LockFile
from hub.core.store.migrate import migrate_sqlite, require_current_sqlite
from hub.core.store.refusal import DatabaseRefused
from hub.core.store.sqlite_writer import Committed, SqliteWriter
from hub.core.units import Kind

_CACHE_KIB: Final = 32 * 1024
"""Pages that a reader may keep. SQLite's own 2 MiB hold 500 locations; the next crawl had to ask the system again."""


class SqliteStore(DocumentStore):
    """See `hub.core.store.Store`."""

    numbered: ClassVar = False

    def __init__(
        self, reader: sqlite3.Connection, kinds: Mapping[str, Kind], writer: SqliteWriter | None, lock: LockFile | None
    ) -> None:
        super().__init__(kinds)
        self._reader = reader
        self._writer = writer
        self._lock = lock
        if writer is not None:
            writer.start(self._committed)

    @classmethod
    async def open(
        cls, database_url: str, kinds: Mapping[str, Kind], *, read_only: bool, busy_timeout_s: float, clock: Clock
    ) -> Self:
        """See `open_store`."""
        path = sqlite_path(database_url)
        if read_only and not path.exists():
            raise DatabaseRefused(f"{path} does not exist")
        lock = None if read_only else LockFile(path)
        try:
            prepare = require_current_sqlite if read_only else migrate_sqlite
            await asyncio.to_thread(prepare, path, tuple(kinds.values()))
            writer = None
            if not read_only:
                writer = SqliteWriter(path, kinds, busy_timeout_s=busy_timeout_s, clock=clock)
            return cls(_open_reader(path, busy_timeout_s=busy_timeout_s), kinds, writer, lock)
        except BaseException as error:
            if lock is not None:
                lock.release()
            if isinstance(error, sqlite3.Error):
                raise DatabaseRefused(f"{path} cannot be opened: {error}") from error
            raise

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.finish()
        self._reader.close()
        if writer is not None:
            writer.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def revision(self, kind: Kind) -> int:
        """A reader beside the hub hears of no commit; SQLite itself counts them for it, all kinds together."""
        if self._lock is None:
            (version,) = self._reader.execute("PRAGMA data_version").fetchone()
            return int(version)
        return super().revision(kind)

    async def _fetch(self, sql: str, values: Sequence[object]) -> Sequence[Row]:
        try:
            return self._reader.execute(sql, values).fetchall()
        except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:
            raise NotReady("the database cannot be read just now") from error

    def _submit(self, waiter: Waiter) -> None:
        if self._writer is None:
            raise NotReady("the database was opened for reading only, or is closed")
        self._writer.submit(waiter)

    def _committed(self, batch: Sequence[Waiter], committed: Committed | None) -> None:
        if committed is not None:
            self._news.touched(committed.kinds, committed.moved)
        for waiter in batch:
            waiter.complete()
        if committed is not None:
            self._news.tell(committed.rows)


def _open_reader(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
    reader = sqlite3.connect(
        sqlite_uri(path, mode="ro"), uri=True, isolation_level=None, timeout=busy_timeout_s, cached_statements=512
    )
    reader.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return reader
