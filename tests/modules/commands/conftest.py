"""The world of the commands' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.modules.commands.world import World, a_world


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A hub on a SQLite file of its own."""
    async with a_world(f"sqlite:///{tmp_path}/busbar.db") as made:
        yield made
