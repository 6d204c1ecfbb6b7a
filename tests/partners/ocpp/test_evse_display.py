"""What the world sees of an EVSE whose connector changes its mind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from partners.ocpp.evse_display import EvseDisplay
from partners.ocpp.reserved_evses import ReservedEvses
from partners.ocpp.status import Heard
from tests.partners.ocpp.site import Site, a_site
from tests.world import ManualClock


@dataclass
class Watched:
    """A display whose clock a test moves, with partners who hear of what has stood for two seconds."""

    site: Site
    clock: ManualClock
    display: EvseDisplay

    async def reports(self, *, at: float, status: str | None = None) -> str:
        """The first connector says what it is, or nothing. Returns: what is told of E1 then."""
        self.clock.move_to(at)
        live = self.site.gateway.stations.find("CP1")
        assert live is not None
        if status is not None:
            live.connectors[1] = Heard(status, self.clock.now())
            await self.display.changed(live, 1)
        await self.display.tick()
        return await self.site.evse_status("E1")


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    async with a_site(tmp_path, ocpp_status_debounce_s=2) as site:
        clock = ManualClock()
        hub = replace(site.hub, clock=clock)
        yield Watched(
            site, clock, EvseDisplay(hub, site.gateway.stations.find, lambda _: frozenset(), ReservedEvses(hub.store))
        )


async def test_a_status_that_does_not_stand_is_not_told_however_long_ago_the_first_change_was(watched: Watched) -> None:
    await watched.reports(at=0, status="Available")
    assert await watched.reports(at=2) == "AVAILABLE"
    await watched.reports(at=10, status="Preparing")
    await watched.reports(at=10.1, status="Available")
    await watched.reports(at=11.9, status="Preparing")
    assert await watched.reports(at=12) == "AVAILABLE", "it is Preparing for a tenth of a second"
    assert await watched.reports(at=13.8) == "AVAILABLE"
    assert await watched.reports(at=13.9) == "CHARGING"


async def test_words_of_ocpp_that_mean_the_same_status_do_not_put_it_off(watched: Watched) -> None:
    for at, status in ((0, "Preparing"), (1, "Charging"), (1.9, "SuspendedEV")):
        await watched.reports(at=at, status=status)
    assert await watched.reports(at=2) == "CHARGING"
