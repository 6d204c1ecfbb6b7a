"""What both databases do alike: every read as one statement, and the way into the queue of the writer."""

# ruff: noqa: S608 - the names in our SQL are checked (`schema.check_kinds`), values are always bound

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import ClassVar, Final

from hub.core.store.audit import AUDIT_COLUMNS, GENESIS, AuditCheck, AuditRow, audit_row, check
from hub.core.store.batch import Waiter
from hub.core.store.copies import has_copies, listed, listed_after
from hub.core.store.documents import (
    CHANGE_COLUMNS,
    NO_AMONG,
    NO_CONDITION,
    Leaf,
    Order,
    Page,
    Row,
    Statement,
    bounded,
    change_row,
    check_columns,
    columns,
    document,
    get_sql,
    leaves_sql,
    page_where,
    select_sql,
    shaped,
    storable,
    tally_sql,
)
from hub.core.store.news import News, OnCommit
from hub.core.store.schema import table_name
from hub.core.store.values import check_unit, is_storable
from hub.core.units import ChangeRow, Document, Kind, Unit

_KEYS_A_STATEMENT: Final = 500
_AUDIT_ROWS_A_STEP: Final = 500


class DocumentStore(ABC):
    """See `hub.core.store.Store`. All methods belong to the event loop that opened it."""

    numbered: ClassVar[bool]
    """Are placeholders `$1` instead of `?`"""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._news = News(kinds)

    @abstractmethod
    async def _fetch(self, sql: str, values: Sequence[object]) -> Sequence[Row]:
        """Run one reading statement. Raises: NotReady, when the database cannot be reached."""

    @abstractmethod
    def _submit(self, waiter: Waiter) -> None:
        """Put a unit into the writer's queue. Raises: NotReady, when there is no writer."""

    async def get(self, kind: Kind, key: str) -> Document | None:
        if not is_storable(key):
            return None
        rows = await self._fetch(get_sql(kind, numbered=self.numbered), (key,))
        return document(kind, rows[0]) if rows else None

    async def get_many(self, kind: Kind, keys: Sequence[str]) -> dict[str, Document]:
        found: dict[str, Document] = {}
        async for rows in self._by_key(kind, keys, columns(kind)):
            found.update({row[1]: document(kind, row) for row in rows})
        return found

    async def versions(self, kind: Kind, keys: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        async for rows in self._by_key(kind, keys, "key, version"):
            found.update({str(key): int(version) for key, version in rows})
        return found

    async def _by_key(self, kind: Kind, keys: Sequence[str], wanted: str) -> AsyncIterator[Sequence[Row]]:
        """What is `wanted` (SQL) of the documents with these keys, so many keys a statement."""
        for start in range(0, len(keys), _KEYS_A_STATEMENT):
            statement = Statement(numbered=self.numbered)
            where = statement.has_key_of(keys[start : start + _KEYS_A_STATEMENT])
            yield await self._fetch(f"SELECT {wanted} FROM {table_name(kind)} WHERE {where}", statement.values)

    async def select(
        self,
        kind: Kind,
        *,
        equal: Mapping[str, str] = NO_CONDITION,
        order: Order = "seq",
        descending: bool = False,
        limit: int = 1000,
        after_seq: int = 0,
    ) -> list[Document]:
        statement = Statement(numbered=self.numbered)
        sql = select_sql(
            statement, kind, equal=equal, order=order, descending=descending, limit=limit, after_seq=after_seq
        )
        if not all(map(is_storable, equal.values())):
            return []
        return [document(kind, row) for row in await self._fetch(sql, statement.values)]

    async def page(
        self,
        kind: Kind,
        *,
        date_from: str | None,
        date_to: str | None,
        offset: int,
        limit: int,
        after_seq: int = 0,
        audiences: Sequence[str] | None = None,
        owners: Sequence[str] | None = None,
        among: Mapping[str, Sequence[str]] = NO_AMONG,
    ) -> Page:
        check_columns(kind, among)
        statement = Statement(numbered=self.numbered)
        if has_copies(kind, among):
            source = f"FROM ({listed(statement, kind, date_from=date_from, date_to=date_to, among=among)}) AS listed"
            where = ""
        else:
            where = page_where(
                statement, date_from=date_from, date_to=date_to, audiences=audiences, owners=owners, among=among
            )
            source = f"FROM {table_name(kind)}{where}"
        ((total,),) = await self._fetch(f"SELECT count(*) {source}", tuple(statement.values))
        if after_seq:
            source += f" {'AND' if where else 'WHERE'} seq > {statement.bind(bounded(after_seq))}"
        part = f"ORDER BY seq LIMIT {statement.bind(bounded(limit))} OFFSET {statement.bind(bounded(offset))}"
        chosen = f"seq IN (SELECT seq {source} {part})"
        sql = f"SELECT {columns(kind)} FROM {table_name(kind)} WHERE {chosen} ORDER BY seq"
        rows = await self._fetch(sql, statement.values)
        return Page([document(kind, row) for row in rows], total)

    async def leaves(
        self, kind: Kind, *, among: Mapping[str, Sequence[str]], after_seq: int, limit: int, bodies: bool = True
    ) -> list[Leaf]:
        values = {name: storable(some) for name, some in among.items()}
        if has_copies(kind, values):
            return await self._first_copies(kind, values, after_seq=after_seq, limit=limit)
        shape, chosen = shaped(values, numbered=self.numbered)
        sql = leaves_sql(kind, shape, numbered=self.numbered, bodies=bodies)
        rows = await self._fetch(sql, [bounded(after_seq), *chosen, bounded(limit)])
        return list(map(Leaf._make, rows))

    async def tally(
        self, kind: Kind, *, among: Mapping[str, Sequence[str]], first_seq: int, last_seq: int
    ) -> tuple[int, int]:
        sql, chosen = tally_sql(kind, tuple([(name, *some) for name, some in among.items()]), numbered=self.numbered)
        ((count, versions),) = await self._fetch(sql, (bounded(first_seq), bounded(last_seq), *chosen))
        return count, versions

    async def _first_copies(
        self, kind: Kind, among: Mapping[str, Sequence[str]], *, after_seq: int, limit: int
    ) -> list[Leaf]:
        statement = Statement(numbered=self.numbered)
        wanted = ", ".join(Leaf._fields)
        sql = listed_after(statement, kind, wanted, among, after_seq=after_seq, limit=limit)
        return [Leaf(*row) for row in await self._fetch(sql, statement.values)]

    async def commit(self, unit: Unit) -> tuple[int, ...]:
        return await self.submit(unit)

    def submit(self, unit: Unit) -> asyncio.Future[tuple[int, ...]]:
        check_unit(unit, self._kinds)
        waiter = Waiter(unit, asyncio.get_running_loop().create_future())
        self._submit(waiter)
        return waiter.future

    async def changes(self, *, after: int, limit: int) -> list[ChangeRow]:
        return [change_row(row) for row in await self._log("changes", CHANGE_COLUMNS, after=after, limit=limit)]

    async def last_change(self) -> int:
        ((last,),) = await self._fetch("SELECT coalesce(max(seq), 0) FROM changes", ())
        return int(last)

    def revision(self, kind: Kind) -> int:
        return self._news.revision(kind.name)

    def arrangement(self, kind: Kind) -> int:
        return self._news.arrangement(kind.name)

    def on_commit(self, callback: OnCommit) -> None:
        self._news.listen(callback)

    async def audit_rows(self, *, after: int, limit: int) -> list[AuditRow]:
        return [audit_row(row) for row in await self._log("audit", AUDIT_COLUMNS, after=after, limit=limit)]

    async def verify_audit(self) -> AuditCheck:
        result = AuditCheck(0, GENESIS)
        after = -1
        while rows := await self.audit_rows(after=after, limit=_AUDIT_ROWS_A_STEP):
            after = rows[-1].seq
            result = check(result, rows)
            if result.broken_seq is not None:
                break
            await asyncio.sleep(0)
        return result

    async def _log(self, table: str, names: Sequence[str], *, after: int, limit: int) -> Sequence[Row]:
        statement = Statement(numbered=self.numbered)
        where = f"seq > {statement.bind(after)} ORDER BY seq LIMIT {statement.bind(bounded(limit))}"
        sql = f"SELECT {', '.join(names)} FROM {table} WHERE {where}"
        return await self._fetch(sql, statement.values)
