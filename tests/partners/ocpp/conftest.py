"""The site of the gateway's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.partners.ocpp.site import Site, a_site


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A hub on a SQLite file of its own, with chargers' sockets on loopback."""
    async with a_site(tmp_path) as made:
        yield made
