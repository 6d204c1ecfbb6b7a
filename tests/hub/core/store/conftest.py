"""Stores to test: each test that takes `store` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.core.store import Store, open_store
from tests.databases import PostgresServer, database_url, postgres_server
from tests.hub.core.store.samples import KINDS

__all__ = ["database_url", "postgres_server", "postgres_url", "sqlite_url", "store"]


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty PostgreSQL database, gone after the test."""
    database_url = postgres_server.create_database()
    yield database_url
    postgres_server.drop_database(database_url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path}/busbar.db"


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = await open_store(database_url, KINDS)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def no_kinds_of_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests have kinds of their own."""
    monkeypatch.setattr("hub.core.migrations.first_kinds.FIRST_KINDS", ())
