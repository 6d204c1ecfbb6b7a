"""The store in PostgreSQL: any number of processes, each with one writer, one listener and a pool for reads."""

# ruff: noqa: S608 - the names in our SQL are checked (`schema.check_kinds`), values are always bound

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Self

from hub.core.clock import Clock
from hub.core.errors import NotReady
from hub.core.store.base import DocumentStore
from hub.core.store.batch import Waiter
from hub.core.store.documents import CHANGE_COLUMNS, Row, change_row
from hub.core.store.migrate import migrate_postgres
from hub.core.store.postgres_connection import OUTAGES, Server
from hub.core.store.postgres_listener import PostgresListener
from hub.core.store.postgres_writer import Committed, PostgresWriter
from hub.core.units import ChangeRow, Kind

_READERS: Final = 8


class PostgresStore(DocumentStore):
    """See `hub.core.store.Store`."""

    numbered: ClassVar = True

    def __init__(self, pool: Any, kinds: Mapping[str, Kind], writer: PostgresWriter | None) -> None:
        super().__init__(kinds)
        self._pool = pool
        self._writer = writer
        self._listener: PostgresListener | None = None

    @classmethod
    async def open(
        cls,
        database_url: str,
        kinds: Mapping[str, Kind],
        *,
        read_only: bool,
        allow_unsafe: bool,
        busy_timeout_s: float,
        clock: Clock,
    ) -> Self:
        """See `open_store`."""
        server = Server(database_url, allow_unsafe=allow_unsafe, lock_timeout_s=busy_timeout_s)
        await migrate_postgres(database_url, tuple(kinds.values()), read_only=read_only)
        origin = secrets.token_hex(8)
        store = cls(await server.pool(size=_READERS), kinds, None)
        try:
            if not read_only:
                writer = PostgresWriter(server, kinds, origin=origin, clock=clock)
                await writer.start(store._committed)
                store._writer = writer
            store._listener = PostgresListener(server, store._news, store._between, origin=origin, clock=clock)
            await store._listener.start()
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.close()
        await self._pool.close()

    async def _fetch(self, sql: str, values: Sequence[object]) -> Sequence[Row]:
        try:
            return await self._fetch_once(sql, values)
        except NotReady:  # perhaps only a pooled connection that died while it was idle
            return await self._fetch_once(sql, values)

    async def _fetch_once(self, sql: str, values: Sequence[object]) -> Sequence[Row]:
        try:
            return await self._pool.fetch(sql, *values)  # type: ignore[no-any-return]
        except OUTAGES as error:
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

    async def _between(self, first: int, last: int) -> list[ChangeRow]:
        sql = f"SELECT {', '.join(CHANGE_COLUMNS)} FROM changes WHERE seq BETWEEN $1 AND $2 ORDER BY seq LIMIT 1000"
        return [change_row(row) for row in await self._fetch(sql, (first, last))]
