"""Units committed a second: Busbar's store against SQLModel's async session, on both databases, in one run.

A unit is one document upserted and one change row. The reference writes the same row and the same change with `merge`,
`add` and `commit`, which is how SQLModel's documentation does it; its SQLite runs with FULL sync too. Unlike elsewhere
all is in this one process, and the clock counts: most of a commit is waiting.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.harness import Effort, Figure, Findings, Sample, Samples, on_all_cores, rate_ratios, take_turns
from hub.core.clock import timestamp
from hub.core.store import Store, open_store
from hub.core.store.addresses import postgres_dsn
from hub.core.units import Change, Kind, Put, Unit
from tests.databases import PostgresServer

PART = "store"
CALLERS = 64
SESSION = Kind("session", ("status",), ("status",))
BODY = b'{"id":"' + b"x" * 1_190 + b'"}'
KEYS_A_CALLER = 100

Write = Callable[[str, str], Awaitable[object]]
"""Of a key and the present time."""


class SessionRow(SQLModel, table=True):
    """The same columns and indexes as a document of ours."""

    key: str = Field(primary_key=True)
    version: int
    owner: str = Field(index=True)
    audience: str = Field(index=True)
    last_updated: str = Field(index=True)
    status: str = Field(index=True)
    body: bytes


class ChangeLine(SQLModel, table=True):
    """The same columns as a change row of ours."""

    seq: int | None = Field(default=None, primary_key=True)
    at: str
    module: str
    key: str
    owner: str
    audience: str = ""
    what: str = ""
    correlation_id: str = ""


async def reference(database_url: str) -> tuple[Write, AsyncEngine]:
    """SQLModel's async session, a transaction for each unit."""
    if database_url.startswith("sqlite:"):
        engine = create_async_engine(
            database_url.replace("sqlite:", "sqlite+aiosqlite:") + ".reference", connect_args={"timeout": 60.0}
        )
        event.listen(engine.sync_engine, "connect", _full_sync)
    else:
        import asyncpg

        dsn = postgres_dsn(database_url)
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn), pool_size=16, max_overflow=0
        )
    async with engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)

    async def write(key: str, now: str) -> None:
        async with AsyncSession(engine) as session:
            await session.merge(
                SessionRow(
                    key=key, version=1, owner="DE*TNM", audience="", last_updated=now, status="ACTIVE", body=BODY
                )
            )
            session.add(ChangeLine(at=now, module="sessions", key=key, owner="DE*TNM"))
            await session.commit()

    return write, engine


def _full_sync(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def ours(store: Store) -> Write:
    """The same through `commit`."""

    async def write(key: str, now: str) -> None:
        put = Put(SESSION, key, BODY, owner="DE*TNM", last_updated=now, columns=("ACTIVE",))
        await store.commit(Unit().put(put).tells(Change("sessions", key, owner="DE*TNM")))

    return write


async def rate(write: Write, *, callers: int, seconds: float) -> Sample:
    """Units a second, with that many callers who each wait for their unit before the next. CPU is this process's."""
    done = 0
    start, cpu = time.perf_counter(), time.process_time()

    async def caller(name: int) -> None:
        nonlocal done
        turn = 0
        while time.perf_counter() < start + seconds:
            turn += 1
            await write(f"{name}-{turn % KEYS_A_CALLER}", timestamp(datetime.now(UTC)))
            done += 1

    await asyncio.gather(*(caller(name) for name in range(callers)))
    return Sample(done, time.perf_counter() - start, 1e6 * (time.process_time() - cpu) / max(done, 1))


async def compare(name: str, database_url: str, effort: Effort) -> Samples:
    """Both stores on one database; ours twice, for the noise, and once with a single caller."""
    store = await open_store(database_url, [SESSION])
    usual, engine = await reference(database_url)
    own = ours(store)
    taken = await take_turns(
        {
            f"{name}, store": lambda: rate(own, callers=CALLERS, seconds=effort.seconds),
            f"{name}, store, once more": lambda: rate(own, callers=CALLERS, seconds=effort.seconds),
            f"{name}, SQLModel": lambda: rate(usual, callers=CALLERS, seconds=effort.seconds),
            f"{name}, store, 1 caller": lambda: rate(own, callers=1, seconds=effort.seconds / 4),
        },
        effort.rounds,
    )
    await store.close()
    await engine.dispose()
    return taken


async def measure(effort: Effort) -> Findings:
    """SQLite in a temporary file, PostgreSQL on a server of our own; both cores are used."""
    figures: list[Figure] = []
    taken: Samples = {}
    with tempfile.TemporaryDirectory() as directory, on_all_cores():
        taken |= await compare("SQLite", f"sqlite:///{directory}/busbar.db", effort)
        server = PostgresServer()
        try:
            taken |= await compare("PostgreSQL", server.create_database(), effort)
        finally:
            server.remove()
    for name, bound in (("SQLite", 50.0), ("PostgreSQL", 25.0)):
        again = rate_ratios(taken, f"{name}, store, once more", f"{name}, store")
        ratios = rate_ratios(taken, f"{name}, store", f"{name}, SQLModel")
        noise = statistics.median(abs(ratio - 1) for ratio in again)
        figures.append(Figure(PART, f"units a second on {name}, against SQLModel", ratios, bound=bound, noise=noise))
    return Findings(PART, figures, taken)
