"""The one task of this process that writes to PostgreSQL: takes whatever units wait, and commits them together.

    BEGIN; lock         an advisory lock of the transaction: of all hubs on this database, one batch writes at a time
    versions            one statement for each kind; under the lock, so that nobody changes them before we commit
    decide              in memory (`batch`)
    write               unnest arrays: one statement for each kind, one for audits, one for changes and the NOTIFY
    COMMIT

The lock makes the order of the change log's numbers the order of commits: the numbers are drawn under it, and it is let
go only when the transaction can be read. Without it a transaction that drew a smaller number could commit later, below
the cursor of a lane that would then never see it. It costs little: a batch takes about a millisecond and holds
hundreds of units. It also makes locks on keys needless.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import stamina
import structlog

from hub.core.clock import Clock, timestamp
from hub.core.errors import InvalidRequest, NotReady
from hub.core.failpoints import failpoint
from hub.core.store.audit import GENESIS, chained
from hub.core.store.batch import Decision, Standings, Waiter, decide, keys_of, known, lose_answers
from hub.core.store.postgres_connection import Server, is_outage
from hub.core.store.postgres_statements import (
    ADD_AUDITS,
    ADD_CHANGES,
    CUT_CHANGES,
    LAST_AUDIT,
    LOCK,
    PostgresStatements,
)
from hub.core.units import ChangeRow, Kind

log = structlog.get_logger(__name__)

_BATCH: Final = 512
_UNSTORABLE: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)
_COLLISIONS: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a batch brought."""

    kinds: Sequence[str]
    moved: Sequence[str]
    """Those of which lists changed, and not only documents."""
    rows: Sequence[ChangeRow]


Done = Callable[[Sequence[Waiter], Committed | None], None]


class PostgresWriter:
    """Owner of the only writing connection of this process; it is opened anew after it was lost."""

    def __init__(self, server: Server, kinds: Mapping[str, Kind], *, origin: str, clock: Clock) -> None:
        self._server = server
        self._origin = origin
        self._clock = clock
        self._statements = {name: PostgresStatements(kind) for name, kind in kinds.items()}
        self._waiting: deque[Waiter] = deque()
        self._bell = asyncio.Event()
        self._closing = False
        self._connection: Any = None

    async def start(self, done: Done) -> None:
        """`done` is called once a batch; with None when nothing was committed. Raises: NotReady, DatabaseRefused."""
        self._done = done
        connection = await self._server.connect()
        try:
            await self._server.require_durability(connection)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        self._task = asyncio.create_task(self._run(), name="busbar-postgres-writer")

    def submit(self, waiter: Waiter) -> None:
        """Queue a unit."""
        self._waiting.append(waiter)
        self._bell.set()

    async def close(self) -> None:
        """Commit what waits, then end the task and the connection."""
        self._closing = True
        self._bell.set()
        await self._task
        if self._connection is not None:
            await self._connection.close()

    async def _run(self) -> None:
        while not self._closing or self._waiting:
            await self._bell.wait()
            self._bell.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
                await self._commit([waiter for waiter in batch if not waiter.future.cancelled()])

    async def _commit(self, batch: Sequence[Waiter]) -> None:
        committed = None
        try:
            committed = await self._attempts(batch)
        except Exception as error:  # the task must go on for other callers
            await self._roll_back()
            if len(batch) > 1 and not is_outage(error):
                for waiter in batch:
                    await self._commit([waiter])
                return
            self._fail(batch, error)
        else:
            lose_answers(batch)
        self._done(batch, committed)

    async def _attempts(self, batch: Sequence[Waiter]) -> Committed:
        """Collisions can come only from outside (an operator's own SQL); they are nobody's fault and tried again."""
        try:
            return await self._transaction(batch)
        except _COLLISIONS:
            await self._roll_back()
        async for attempt in stamina.retry_context(on=_COLLISIONS, attempts=5, wait_initial=0.01, wait_max=0.2):
            with attempt:
                try:
                    return await self._transaction(batch)
                finally:
                    await self._roll_back()
        raise AssertionError("stamina raises when the attempts are used up")

    async def _transaction(self, batch: Sequence[Waiter]) -> Committed:
        if self._connection is None:
            self._connection = await self._server.connect()
        connection = self._connection
        await connection.execute(LOCK)
        before: Standings = {}
        for kind, keys in keys_of(batch).items():
            before[kind] = known(await connection.fetch(self._statements[kind].present, keys))
        decision = decide(batch, before)
        moved = decision.moved(before)
        rows = await self._write(connection, decision, moved)
        failpoint("store.before_commit")
        await connection.execute("COMMIT")
        return Committed(tuple(decision.kinds), moved, rows)

    async def _write(self, connection: Any, decision: Decision, moved: Sequence[str]) -> list[ChangeRow]:
        for kind, writes in decision.kinds.items():
            await self._statements[kind].write(connection, writes)
        if decision.cut:
            await connection.execute(CUT_CHANGES, decision.cut)
        at = timestamp(self._clock.now())
        if decision.audits:
            last = await connection.fetchrow(LAST_AUDIT)
            audits = chained(tuple(last) if last else (0, GENESIS), at, decision.audits)
            await connection.execute(
                ADD_AUDITS,
                at,
                [row.seq for row in audits],
                *_columns(decision.audits, ("actor", "action", "subject", "detail")),
                [row.hash for row in audits],
            )
        return await self._write_changes(connection, at, decision, moved)

    async def _write_changes(
        self, connection: Any, at: str, decision: Decision, moved: Sequence[str]
    ) -> list[ChangeRow]:
        if decision.is_empty:
            return []
        numbers = await connection.fetchval(
            ADD_CHANGES,
            at,
            *_columns(decision.changes, ("module", "key", "owner", "audience", "what", "correlation_id")),
            f"{self._origin}|{','.join(decision.kinds)}|{','.join(moved)}|",
        )
        return [ChangeRow(seq, at, change) for seq, change in zip(numbers or (), decision.changes, strict=True)]

    def _fail(self, batch: Sequence[Waiter], error: Exception) -> None:
        answer = error
        if is_outage(error) or isinstance(error, _COLLISIONS):
            answer = NotReady("the database cannot take writes just now")
            log.warning("commit failed", units=len(batch), reason=type(error).__name__)
        elif isinstance(error, _UNSTORABLE):
            answer = InvalidRequest("the database cannot hold this object")
        for waiter in batch:
            waiter.error = answer

    async def _roll_back(self) -> None:
        """A connection that cannot even roll back is dropped: the next batch opens a new one."""
        connection = self._connection
        if connection is None:
            return
        try:
            if connection.is_in_transaction():
                await connection.execute("ROLLBACK")
        except Exception:  # whatever it is, this connection is of no more use
            connection.terminate()
        if connection.is_closed():
            self._connection = None


def _columns(items: Sequence[object], names: Sequence[str]) -> list[list[str]]:
    return [[getattr(item, name) for item in items] for name in names]
