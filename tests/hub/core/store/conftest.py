"""Stores to test: each test that takes `store` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.core.store import Store, open_store
from tests.databases import database_url, postgres_server, postgres_url, sqlite_url
from tests.hub.core.store.samples import KINDS

__all__ = ["database_url", "postgres_server", "postgres_url", "sqlite_url", "store"]


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = await open_store(database_url, KINDS)
    yield opened
    await opened.close()
