"""Units committed a second: Busbar's store against SQLModel's async session, on both databases, in one run.

    python -m bench.store [--rounds 5] [--seconds 2] [--callers 64]

A unit is one document upserted and one change row. The reference writes the same row and the same change with `merge`,
`add` and `commit`, which is how SQLModel's documentation does it; its SQLite runs with FULL sync too. Rounds of all
four take turns, so that a busy machine hurts all alike; medians are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import uvloop
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.core.clock import timestamp
from hub.core.store import Store, open_store
from hub.core.store.addresses import postgres_dsn
from hub.core.units import Change, Kind, Put, Unit
from tests.databases import PostgresServer

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
        engine = create_async_engine(database_url.replace("sqlite:", "sqlite+aiosqlite:") + ".reference")
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


async def rate(write: Write, *, callers: int, seconds: float) -> float:
    """Units a second, with that many callers who each wait for their unit before the next."""
    done = 0
    start = time.perf_counter()

    async def caller(name: int) -> None:
        nonlocal done
        turn = 0
        while time.perf_counter() < start + seconds:
            turn += 1
            await write(f"{name}-{turn % KEYS_A_CALLER}", timestamp(datetime.now(UTC)))
            done += 1

    await asyncio.gather(*(caller(name) for name in range(callers)))
    return done / (time.perf_counter() - start)


async def compare(name: str, database_url: str, options: argparse.Namespace) -> None:
    """Print one line for the database `name`."""
    store = await open_store(database_url, [SESSION])
    base, engine = await reference(database_url)
    writes = {"ours": ours(store), "reference": base}
    rates: dict[str, list[float]] = {"ours": [], "reference": [], "alone": []}
    for _ in range(options.rounds):
        for label, write in writes.items():
            rates[label].append(await rate(write, callers=options.callers, seconds=options.seconds))
        rates["alone"].append(await rate(writes["ours"], callers=1, seconds=options.seconds / 4))
    await store.close()
    await engine.dispose()
    mid = {label: statistics.median(values) for label, values in rates.items()}
    print(
        f"{name:<11} {options.callers} callers: {mid['ours']:>8,.0f} units/s   SQLModel {mid['reference']:>6,.0f}/s"
        f"   ratio {mid['ours'] / mid['reference']:>5.1f}   1 caller: {1000 / mid['alone']:.2f} ms a unit"
    )


async def main() -> None:
    """SQLite in a temporary file, PostgreSQL on a server of our own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--callers", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        await compare("SQLite", f"sqlite:///{directory}/busbar.db", options)
    server = PostgresServer()
    try:
        await compare("PostgreSQL", server.create_database(), options)
    finally:
        server.remove()


if __name__ == "__main__":
    uvloop.run(main())
