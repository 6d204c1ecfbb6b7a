"""The one thread that writes to SQLite: takes whatever units wait, and commits them together.

    event loop    commit() puts a unit into the queue; the bell is rung once a turn of the loop brought no more
    this thread   takes up to 512 units, reads their keys' versions, decides (`batch`), writes, COMMITs with FULL sync
    event loop    one call for the whole batch: revisions grow, callers wake, listeners hear
    this thread   now and then brings the WAL into the database, when those who were waiting have been told

While the disk works, and while each turn of a busy loop brings more, the next batch gathers, for `_GATHERED_S` at most:
a unit of a large batch costs half of what one of a small batch does. A lone caller waits for no one.
BEGIN IMMEDIATE, because a deferred transaction that reads first fails at once when another connection has written.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import structlog

from hub.core.clock import Clock, timestamp
from hub.core.errors import InvalidRequest, NotReady
from hub.core.failpoints import failpoint
from hub.core.store.addresses import sqlite_uri
from hub.core.store.audit import GENESIS, chained
from hub.core.store.batch import Decision, Standings, Waiter, decide, keys_of, known, lose_answers
from hub.core.store.refusal import DatabaseRefused
from hub.core.store.sqlite_statements import CUT_CHANGES, insert_rows, statements_of
from hub.core.units import ChangeRow, Kind

log = structlog.get_logger(__name__)

_BATCH: Final = 512
_GATHERED: Final = 64
_GATHERED_S: Final = 0.005
_CHECKPOINT_EVERY: Final = 128
"""Batches; in a moment in which nobody waits. One takes about as long after 128 batches (13 ms) as after 16 (7 ms), as
the disk is waited for as often; and of a hundred answers less than one meets it."""
_PAGES: Final = 8_000
"""SQLite's own checkpoints come inside of a COMMIT: they are the last resort, after so many pages (32 MB)."""
_PRAGMAS: Final = (
    *(("journal_mode", "WAL", "wal"), ("synchronous", "FULL", 2)),
    ("wal_autocheckpoint", str(_PAGES), _PAGES),
)
_OUTAGES: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_UNSTORABLE: Final = (sqlite3.DataError, sqlite3.IntegrityError, OverflowError, UnicodeError)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a batch brought."""

    kinds: Sequence[str]
    moved: Sequence[str]
    """Those of which lists changed, and not only documents."""
    rows: Sequence[ChangeRow]


Done = Callable[[Sequence[Waiter], Committed | None], None]


class SqliteWriter:
    """Owner of the only writing connection. `submit` and `close` are for the event loop's thread."""

    def __init__(self, path: Path, kinds: Mapping[str, Kind], *, busy_timeout_s: float, clock: Clock) -> None:
        """Raises: DatabaseRefused, when SQLite does not promise what we need; sqlite3.Error, when it does not open."""
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._clock = clock
        self._statements = {name: statements_of(kind) for name, kind in kinds.items()}
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Waiter] = deque()
        self._bell: SimpleQueue[bool] = SimpleQueue()
        self._rung = False
        self._seen = 0
        self._since = 0.0
        self._batches = 0
        self._thread = threading.Thread(target=self._run, name="busbar-sqlite-writer", daemon=True)
        self._connection: sqlite3.Connection | None = self._open()

    def start(self, done: Done) -> None:
        """`done` is called in the event loop, once a batch; with None when nothing was committed."""
        self._done = done
        self._thread.start()

    def submit(self, waiter: Waiter) -> None:
        """Queue a unit. The bell is rung at the end of this turn of the loop, or of one soon after."""
        self._waiting.append(waiter)
        if not self._rung:
            self._rung, self._seen, self._since = True, 0, self._loop.time()
            self._loop.call_soon(self._ring)

    async def finish(self) -> None:
        """Commit what waits, then end the thread."""
        self._bell.put(True)
        self._bell.put(False)
        await asyncio.to_thread(self._thread.join)

    def close(self) -> None:
        """Let go of the file, once the thread has finished. The last one to close it empties the WAL."""
        self._drop()

    def _ring(self) -> None:
        waiting = len(self._waiting)
        if self._seen < waiting < _GATHERED and self._loop.time() - self._since < _GATHERED_S:
            self._seen = waiting
            self._loop.call_soon(self._ring)
            return
        self._rung = False
        self._bell.put(True)

    def _run(self) -> None:
        while self._bell.get():
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
                self._commit([waiter for waiter in batch if not waiter.future.cancelled()])
                if len(batch) < _BATCH:
                    break  # what has come meanwhile is still gathering
            self._checkpoint()

    def _checkpoint(self) -> None:
        """As SQLite's own it may fail: the next one does more."""
        if self._batches >= _CHECKPOINT_EVERY and not self._waiting and self._connection is not None:
            self._batches = 0
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _commit(self, batch: Sequence[Waiter]) -> None:
        committed = None
        try:
            committed = self._transaction(batch)
        except Exception as error:  # the thread must go on for other callers
            self._roll_back()
            if len(batch) > 1 and not _is_outage(error):
                for waiter in batch:
                    self._commit([waiter])
                return
            self._fail(batch, error)
        else:
            lose_answers(batch)
        self._loop.call_soon_threadsafe(self._done, batch, committed)

    def _transaction(self, batch: Sequence[Waiter]) -> Committed:
        connection = self._connection = self._connection or self._open()
        connection.execute("BEGIN IMMEDIATE")
        before = {
            kind: known(self._statements[kind].present(connection, keys)) for kind, keys in keys_of(batch).items()
        }
        decision = decide(batch, before)
        rows = self._write(connection, decision, before)
        failpoint("store.before_commit")
        connection.execute("COMMIT")
        self._batches += 1
        return Committed(tuple(decision.kinds), decision.moved(before), rows)

    def _write(self, connection: sqlite3.Connection, decision: Decision, before: Standings) -> list[ChangeRow]:
        for kind, writes in decision.kinds.items():
            self._statements[kind].write(connection, writes, before.get(kind, {}))
        if decision.cut:
            connection.execute(CUT_CHANGES, (decision.cut,))
        at = timestamp(self._clock.now())
        if decision.audits:
            last = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
            audits = chained(last or (0, GENESIS), at, decision.audits)
            insert_rows(
                connection,
                "audit (seq, at, actor, action, subject, detail, hash)",
                [(r.seq, r.at, r.audit.actor, r.audit.action, r.audit.subject, r.audit.detail, r.hash) for r in audits],
            )
        return list(self._write_changes(connection, at, decision))

    def _write_changes(self, connection: sqlite3.Connection, at: str, decision: Decision) -> Iterator[ChangeRow]:
        changes = decision.changes
        last = insert_rows(
            connection,
            "changes (at, module, key, owner, audience, what, correlation_id)",
            [(at, c.module, c.key, c.owner, c.audience, c.what, c.correlation_id) for c in changes],
        )
        for seq, change in enumerate(changes, last - len(changes) + 1):
            yield ChangeRow(seq, at, change)

    def _fail(self, batch: Sequence[Waiter], error: Exception) -> None:
        answer = error
        if _is_outage(error):
            answer = NotReady("the database cannot take writes just now")
            log.warning("commit failed", units=len(batch), reason=str(error))
            self._drop()
        elif isinstance(error, _UNSTORABLE):
            answer = InvalidRequest("the database cannot hold this object")
        for waiter in batch:
            waiter.error = answer

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self._drop()

    def _drop(self) -> None:
        """A connection that failed once is not asked again: the next batch opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            sqlite_uri(self._path, mode="rw"),
            uri=True,
            isolation_level=None,
            timeout=self._busy_timeout_s,
            cached_statements=512,
            check_same_thread=False,
        )
        for name, value, wanted in _PRAGMAS:
            connection.execute(f"PRAGMA {name} = {value}")
            (found,) = connection.execute(f"PRAGMA {name}").fetchone()
            if found != wanted:
                connection.close()
                raise DatabaseRefused(f"SQLite keeps {name} at {found!r} for this file, {wanted!r} is needed")
        return connection


def _is_outage(error: Exception) -> bool:
    """Is it the disk, a lock or the file that fails, and not what we asked?"""
    return isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _OUTAGES
