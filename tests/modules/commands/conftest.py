"""The world of the commands' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.modules.commands.world import World, a_world


@pytest_asyncio.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """A hub on a SQLite file of its own."""
    async with a_world(sqlite_url) as made:
        yield made
