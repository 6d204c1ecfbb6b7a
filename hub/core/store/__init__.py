"""The store: documents, the change log and the audit log, in SQLite or PostgreSQL.

    store = await open_store("sqlite:///busbar.db", KINDS)
    (version,) = await store.commit(Unit().put(Put(TOKENS, key, body)).tells(Change("tokens", key)))

`commit` returns when the unit is on disk. Many waiting units share one transaction (group commit), each standing or
falling alone. In SQLite one thread of one process writes; in PostgreSQL any number of processes write, one batch at a
time, so that in both the numbers of the change log grow in the order of commits: a reader who has seen number n never
meets a smaller one later.

Files: `batch` judges a batch, `values` what may be stored, `base` and `documents` read, `schema` declares the tables,
`migrate` brings a database up to them and `drafts` writes migrations, `audit` chains, `news` tells this process, and
`sqlite*` and `postgres*` are the two databases.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from hub.core.clock import Clock, SystemClock
from hub.core.store.audit import AuditCheck, AuditRow
from hub.core.store.documents import NO_AMONG, NO_CONDITION, Leaf, Order, Page
from hub.core.store.migrate import migrate
from hub.core.store.refusal import DatabaseRefused
from hub.core.store.schema import check_kinds, metadata
from hub.core.units import ChangeRow, Document, Kind, Unit

__all__ = [
    "AuditCheck",
    "AuditRow",
    "DatabaseRefused",
    "Leaf",
    "Order",
    "Page",
    "Store",
    "metadata",
    "migrate",
    "open_store",
]


class Store(Protocol):
    """What services may ask of the database. Every method may raise NotReady when the database cannot be reached."""

    async def get(self, kind: Kind, key: str) -> Document | None:
        """The document with this key."""
        ...

    async def get_many(self, kind: Kind, keys: Sequence[str]) -> dict[str, Document]:
        """Those of the documents that exist, by key."""
        ...

    async def versions(self, kind: Kind, keys: Sequence[str]) -> dict[str, int]:
        """The version of each document that exists, by key."""
        ...

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
        """Documents whose columns have the values of `equal` (common columns or the kind's own), seq > `after_seq`.

        Raises: ValueError, for a column that the kind has not.
        """
        ...

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
        """A page in order of creation, `date_from` <= last_updated < `date_to` (transport_and_format_pagination).

        `among` names columns and the values each may have. Dates are texts of `clock.timestamp`. None means without
        that condition; an empty sequence finds nothing. All on the page has seq > `after_seq`; the total counts all.
        Raises: ValueError, for a column that the kind has not.
        """
        ...

    async def leaves(
        self, kind: Kind, *, among: Mapping[str, Sequence[str]], after_seq: int, limit: int, bodies: bool = True
    ) -> list[Leaf]:
        """The first documents with seq > `after_seq` whose columns have one of the values of `among`.

        Without `bodies` these are empty: who has them at hand is spared the reading.
        Raises: ValueError, for a column that the kind has not.
        """
        ...

    async def tally(
        self, kind: Kind, *, among: Mapping[str, Sequence[str]], first_seq: int, last_seq: int
    ) -> tuple[int, int]:
        """How many documents from `first_seq` to `last_seq` have columns among these, and the sum of their versions.

        A version only grows. So who knows as many documents of these, in versions that come to the same sum, knows each
        of them as it is now; it is told at a third of the price of `leaves`. Not for lists with copies.
        """
        ...

    async def commit(self, unit: Unit) -> tuple[int, ...]:
        """Write the unit whole or not at all, and return when it is on disk.

        Returns: the new version of each write in order; 0 for a Delete.
        Raises: Conflict, when an expectation does not hold; InvalidRequest, when a value cannot be stored; NotReady,
        when the database is down, locked or full. A connection that breaks during COMMIT is NotReady too: then the unit
        may be on disk all the same, and the service decides again.
        """
        ...

    def submit(self, unit: Unit) -> asyncio.Future[tuple[int, ...]]:
        """The same for who cannot wait: the future is done when the unit is on disk, or never will be.

        Raises: InvalidRequest, NotReady, as far as they are known at once; the rest is in the future.
        """
        ...

    async def changes(self, *, after: int, limit: int) -> list[ChangeRow]:
        """The change log from seq `after` + 1 on. No row ever appears below one that was already read.

        What is old is cut off at its beginning (`hub.core.change_log`), so its first row may have any number.
        """
        ...

    async def last_change(self) -> int:
        """The highest seq of the change log; 0 when nothing was ever written to it."""
        ...

    def revision(self, kind: Kind) -> int:
        """Grows with every commit that touched the kind, in any process; caches are valid while it stands."""
        ...

    def arrangement(self, kind: Kind) -> int:
        """Grows only when a document came or went, or one of its columns changed: until then lists stay as they are."""
        ...

    def on_commit(self, callback: Callable[[Sequence[ChangeRow]], None]) -> None:
        """Call back after each commit with changes, also of other processes (PostgreSQL), in the event loop's thread.

        It is a wake-up: after a lost connection some changes may be told twice. Cursors on `changes` are the truth.
        """
        ...

    async def audit_rows(self, *, after: int, limit: int) -> list[AuditRow]:
        """The audit log from seq `after` + 1 on."""
        ...

    async def verify_audit(self) -> AuditCheck:
        """Walk the whole chain and name the first broken row."""
        ...

    async def close(self) -> None:
        """Finish what waits, and let go of the database. Later commits are NotReady."""
        ...


async def open_store(
    database_url: str,
    kinds: Sequence[Kind],
    *,
    read_only: bool = False,
    allow_unsafe: bool = False,
    busy_timeout_s: float = 5.0,
    clock: Clock | None = None,
) -> Store:
    """Open `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://...`, migrated to our newest schema.

    `read_only` neither locks nor migrates. `allow_unsafe` accepts a PostgreSQL that may lose acknowledged commits
    (fsync or synchronous_commit off). `busy_timeout_s` is how long a batch waits for locks held by others.
    Raises: DatabaseRefused, with a sentence for the operator; NotReady, when a server does not answer.
    """
    by_name = check_kinds(kinds)
    clock = clock or SystemClock()
    if database_url.startswith("sqlite:"):
        from hub.core.store.sqlite import SqliteStore

        return await SqliteStore.open(
            database_url, by_name, read_only=read_only, busy_timeout_s=busy_timeout_s, clock=clock
        )
    if database_url.startswith(("postgresql:", "postgresql+asyncpg:", "postgres:")):
        from hub.core.store.postgres import PostgresStore

        return await PostgresStore.open(
            database_url,
            by_name,
            read_only=read_only,
            allow_unsafe=allow_unsafe,
            busy_timeout_s=busy_timeout_s,
            clock=clock,
        )
    raise DatabaseRefused("a database URL begins with sqlite:/// or postgresql://")
