"""How far a charger's clock is from ours, by what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners.ocpp.reach import Reach
from tests.partners.ocpp.site import Point, Site


async def offset_s(site: Site) -> float | None:
    view = await Reach(site.hub, site.gateway.stations).view("CP1")
    found: float | None = view["clock_offset_s"]
    return found


async def speak(cp: Point, *behind_s: float) -> None:
    """Statuses, each by a clock that is so many seconds behind ours (ahead, below nothing)."""
    for seconds in behind_s:
        await cp.status(1, "Available", datetime.now(UTC) - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("behind_s", "offset"),
    [
        ([0], 0),
        ([-600], -600),
        ([600], None),
        ([600, 600, 600], 600),
        ([7200, 3600, 600], None),
        ([600, 600, 600, 0], 0),
        ([-600, -600, 0], 0),
        ([9000, 8000, 7000, 600, 600, 600, 600, 600], 600),
    ],
    ids=str,
)
async def test_a_clock_is_told_from_messages_that_have_waited(
    site: Site, behind_s: list[float], offset: float | None
) -> None:
    async with await site.point() as cp:
        await speak(cp, *behind_s)
        found = await offset_s(site)
    assert found == (None if offset is None else pytest.approx(offset, abs=2))
