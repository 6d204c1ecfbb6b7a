"""An EVSE for which we hold a reservation is RESERVED to partners, although its charger says no word of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from modules.commands import reservations
from partners.ocpp.reach import Reach
from tests.partners.ocpp.points2 import begin, end, point2
from tests.partners.ocpp.reservation import held, reserved
from tests.partners.ocpp.site import Point, Site, a_site, recently, until
from tests.partners.ocpp.test_forgetting import Later

VERSIONS = ("1.6", "2.0.1", "2.1")


async def shows(site: Site, evse_uid: str, status: str) -> None:
    async def is_so() -> bool:
        return await site.evse_status(evse_uid) == status

    await until(is_so)


async def connected(site: Site, version: str = "1.6") -> Point:
    """CP1, both of whose connectors are Available."""
    if version == "1.6":
        cp = await site.point()
        for connector in (1, 2):
            await cp.status(connector, "Available")
        return cp
    cp2 = await point2(site, version=version)
    for evse in (1, 2):
        await cp2.connector("Available", evse=evse)
    return cp2


@pytest.mark.parametrize("version", VERSIONS)
async def test_it_is_reserved_from_the_chargers_yes_until_a_charge_takes_it_up(site: Site, version: str) -> None:
    async with await connected(site, version) as cp:
        await shows(site, "E1", "AVAILABLE")
        await reserved(site, cp)
        await shows(site, "E1", "RESERVED")
        assert await site.evse_status("E2") == "AVAILABLE"
        began = site.hub.clock.now()
        if version == "1.6":
            number = (await cp.start(began))["transactionId"]
            assert await site.evse_status("E1") == "CHARGING"
            await cp.stop(began + timedelta(hours=1), number, 3000)
        else:
            await cp.call("TransactionEvent", begin(began))
            assert await site.evse_status("E1") == "CHARGING"
            await cp.call("TransactionEvent", end(began + timedelta(hours=1)))
        assert (await held(site)).state == "used"
        await cp.status(1, "Available") if version == "1.6" else None
        await shows(site, "E1", "AVAILABLE")
    await site.tasks.stop()


async def canceled(site: Site, cp: Point) -> None:
    cp.answers["CancelReservation"] = {"status": "Accepted"}
    await reservations.withdraw(site.hub, (await held(site)).key, actor="anna")


async def expired(site: Site, cp: Point) -> None:
    """What is done of a clock's own, a day later."""
    assert await reservations.expired(replace(site.hub, clock=Later(days=1))) == 1


@pytest.mark.parametrize("over", [canceled, expired])
async def test_it_is_available_again_once_that_is_canceled_or_has_expired(
    site: Site, over: Callable[[Site, Point], Awaitable[None]]
) -> None:
    async with await connected(site) as cp:
        await reserved(site, cp)
        await shows(site, "E1", "RESERVED")
        await over(site, cp)
        await shows(site, "E1", "AVAILABLE")
    await site.tasks.stop()


async def test_a_fault_and_maintenance_win_over_it(site: Site) -> None:
    reach = Reach(site.hub, site.gateway.stations)
    async with await connected(site) as cp:
        await reserved(site, cp)
        await shows(site, "E1", "RESERVED")
        await reach.maintain("CP1", ("E1",), "new cable", actor="anna")
        await shows(site, "E1", "INOPERATIVE")
        await reach.end_maintenance("CP1", actor="anna")
        await shows(site, "E1", "RESERVED")
        await cp.status(1, "Faulted")
        assert await site.evse_status("E1") == "OUTOFORDER"
        await cp.status(1, "Available")
        await shows(site, "E1", "AVAILABLE")
    await site.tasks.stop()


async def test_a_hub_that_was_restarted_knows_it_before_the_charger_speaks(site: Site) -> None:
    async with await connected(site) as cp:
        await reserved(site, cp)
        await shows(site, "E1", "RESERVED")
    await site.restart()
    async with await site.point() as cp:
        assert await site.evse_status("E1") == "RESERVED"
        await cp.status(1, "Available")
        assert await site.evse_status("E1") == "RESERVED"


async def test_a_reservation_that_ended_while_the_hub_was_down_is_shown_no_more(site: Site) -> None:
    async with await connected(site) as cp:
        await reserved(site, cp)
        await shows(site, "E1", "RESERVED")
    await site.gateway.stop()
    await expired(site, cp)
    await site.restart()
    async with await connected(site):
        await shows(site, "E1", "AVAILABLE")


async def test_what_was_not_told_before_a_stop_is_told_at_the_start_while_no_charger_speaks(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        async with await connected(site) as cp:
            await shows(site, "E1", "AVAILABLE")
            slow(site, 3600)
            await reserved(site, cp)
        assert await site.evse_status("E1") == "AVAILABLE"
        await site.restart()
        assert await site.evse_status("E1") == "RESERVED"
        assert await site.evse_status("E2") == "AVAILABLE"
        await expired(site, cp)
        await site.restart()
        assert await site.evse_status("E1") == "AVAILABLE"


def slow(site: Site, seconds: float) -> None:
    """What is to be told stands so long before."""
    site.hub.settings = site.hub.settings.model_copy(update={"ocpp_status_debounce_s": seconds})


@pytest.mark.parametrize("over", [canceled, expired])
@pytest.mark.parametrize("version", VERSIONS)
async def test_after_a_restart_it_goes_with_the_reservation_though_its_charger_says_nothing(
    site: Site, version: str, over: Callable[[Site, Point], Awaitable[None]]
) -> None:
    async with await connected(site, version) as cp:
        await reserved(site, cp)
        await shows(site, "E1", "RESERVED")
    await site.restart()
    async with await silent(site, version) as cp:
        await over(site, cp)
        await shows(site, "E1", "AVAILABLE")
        await reserved(site, cp)
        await shows(site, "E1", "RESERVED")
        assert await site.evse_status("E2") == "AVAILABLE"
    await site.tasks.stop()


async def silent(site: Site, version: str) -> Point:
    """CP1 has connected, and says nothing of its connectors."""
    return await site.point() if version == "1.6" else await point2(site, version=version)


async def test_what_is_not_free_is_not_reserved_by_a_restart(site: Site) -> None:
    async with await connected(site) as cp:
        await reserved(site, cp)
        await shows(site, "E1", "RESERVED")
        await cp.status(1, "Preparing")
        await shows(site, "E1", "CHARGING")
    await site.restart()
    assert await site.evse_status("E1") == "CHARGING"


async def test_it_stands_as_long_as_any_other_status_before_partners_hear_of_it(tmp_path: Path) -> None:
    async with a_site(tmp_path, ocpp_status_debounce_s=0.2) as site, await connected(site) as cp:
        await shows(site, "E1", "AVAILABLE")
        await reserved(site, cp)
        await cp.status(1, "Available", recently(0))
        await shows(site, "E1", "RESERVED")
