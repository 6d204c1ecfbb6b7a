"""A house for each test, on a database that is made once and copied."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.house import House, a_house, a_serving_house


@pytest.fixture
async def empty(furnished: Path, tmp_path: Path) -> Path:
    """A directory with a migrated database in it."""
    made = furnished / "house" / "busbar.db"
    if not made.exists():
        made.parent.mkdir()
        async with a_house(made.parent):
            pass
    shutil.copyfile(made, tmp_path / "busbar.db")
    return tmp_path


@pytest.fixture
async def house(empty: Path) -> AsyncIterator[House]:
    """The application alone."""
    async with a_house(empty) as house:
        yield house


@pytest.fixture
async def serving(empty: Path) -> AsyncIterator[House]:
    """With ports, lanes, and chargers that are asked nothing but what a test has them asked, however long it takes."""
    async with a_serving_house(empty, ocpp_settle_s=3600) as house:
        yield house
