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


@pytest.fixture(autouse=True)
def no_kinds_of_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests have kinds of their own."""
    monkeypatch.setattr("hub.core.migrations.first_kinds.FIRST_KINDS", ())
