"""Maintenance that is over leaves no trace in what partners see, though a charger says nothing after a restart."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.core.units import Unit
from modules.locations import service as locations
from modules.locations.store import key_of
from partners.ocpp import register
from tests.partners.ocpp.points2 import Point2
from tests.partners.ocpp.reservation import reserved
from tests.partners.ocpp.site import OURS, PASSWORD, Point, Site, a_site, recently, station, until
from tests.partners.ocpp.test_maintenance import begin, end, shows
from tests.partners.ocpp.test_reserved_evses import VERSIONS, canceled, connected, silent, slow

STATES = {
    "1.6": {"Available": "AVAILABLE", "Faulted": "OUTOFORDER", "Unavailable": "INOPERATIVE", "Charging": "CHARGING"},
    "2.x": {"Available": "AVAILABLE", "Faulted": "OUTOFORDER", "Unavailable": "INOPERATIVE", "Occupied": "CHARGING"},
}
CASES = [
    (version, said, shown)
    for version in VERSIONS
    for said, shown in STATES["1.6" if version == "1.6" else "2.x"].items()
]


async def says(cp: Point, status: str) -> None:
    """Of its first connector."""
    await (cp.connector(status) if isinstance(cp, Point2) else cp.status(1, status))


async def is_shown(site: Site) -> tuple[str, str]:
    return await site.evse_status("E1"), await site.evse_status("E2")


async def is_unknown_until_its_charger_speaks(site: Site) -> None:
    """What E1 is shown as when its maintenance ends."""
    async with await silent(site, "1.6") as cp:
        await end(site)
        await shows(site, "E1", "UNKNOWN")
        await cp.status(1, "Available")
        await shows(site, "E1", "AVAILABLE")


@pytest.mark.parametrize(("version", "said", "shown"), CASES)
async def test_when_it_ends_after_a_restart_the_chargers_last_word_before_it_counts(
    site: Site, version: str, said: str, shown: str
) -> None:
    async with await connected(site, version) as cp:
        await says(cp, said)
        await shows(site, "E1", shown)
        await begin(site)
        await shows(site, "E2", "INOPERATIVE")
    await site.restart()
    async with await silent(site, version):
        assert await is_shown(site) == ("INOPERATIVE", "INOPERATIVE")
        await end(site)
        await shows(site, "E2", "AVAILABLE")
        await shows(site, "E1", shown)


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_the_charger_says_in_maintenance_counts_though_it_had_no_time_to_stand(
    tmp_path: Path, version: str
) -> None:
    async with a_site(tmp_path) as site:
        async with await connected(site, version) as cp:
            await begin(site, "E1")
            await shows(site, "E1", "INOPERATIVE")
            slow(site, 3600)
            await says(cp, "Faulted")
        await site.restart()
        slow(site, 0)
        async with await silent(site, version):
            await end(site)
            await shows(site, "E1", "OUTOFORDER")


@pytest.mark.parametrize(("said", "shown"), [("Available", "AVAILABLE"), ("Faulted", "OUTOFORDER")])
async def test_an_end_that_was_not_told_before_a_stop_is_told_at_the_start(
    tmp_path: Path, said: str, shown: str
) -> None:
    async with a_site(tmp_path) as site:
        async with await connected(site) as cp:
            await begin(site)
            await shows(site, "E2", "INOPERATIVE")
            slow(site, 3600)
            await end(site)
            await until(lambda: not site.gateway.stations.opened_or_closed)
            await cp.status(1, said)
        assert await is_shown(site) == ("INOPERATIVE", "INOPERATIVE")
        await site.restart()
        assert await is_shown(site) == (shown, "AVAILABLE")
        await site.restart()
        assert await is_shown(site) == (shown, "AVAILABLE")


async def test_so_is_a_beginning(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        async with await connected(site):
            await shows(site, "E2", "AVAILABLE")
            slow(site, 3600)
            await begin(site, "E1")
        assert await is_shown(site) == ("AVAILABLE", "AVAILABLE")
        await site.restart()
        assert await is_shown(site) == ("INOPERATIVE", "AVAILABLE")
        slow(site, 0)
        await end(site)
        await shows(site, "E1", "AVAILABLE")


@pytest.mark.parametrize(("said", "shown"), STATES["1.6"].items())
async def test_where_the_charger_says_nothing_before_it_either_what_was_told_last_counts(
    site: Site, said: str, shown: str
) -> None:
    async with await connected(site) as cp:
        await cp.status(1, said)
        await shows(site, "E1", shown)
    await site.restart()
    async with await silent(site, "1.6"):
        await begin(site)
        await shows(site, "E2", "INOPERATIVE")
        await end(site)
        await shows(site, "E2", "AVAILABLE")
        await shows(site, "E1", shown)


async def test_what_the_charger_says_after_a_restart_goes_before_all_that_is_on_record(site: Site) -> None:
    async with await connected(site):
        await begin(site)
        await shows(site, "E2", "INOPERATIVE")
    await site.restart()
    async with await silent(site, "1.6") as cp:
        await cp.status(1, "Faulted")
        await end(site)
        await shows(site, "E1", "OUTOFORDER")
        await shows(site, "E2", "AVAILABLE")


async def test_a_reservation_counts_as_it_stands_when_the_maintenance_ends(site: Site) -> None:
    async with await connected(site) as cp:
        await reserved(site, cp)
        await shows(site, "E1", "RESERVED")
        await begin(site)
        await shows(site, "E1", "INOPERATIVE")
    await site.restart()
    async with await silent(site, "1.6") as cp:
        await end(site)
        await shows(site, "E1", "RESERVED")
        await begin(site)
        await shows(site, "E1", "INOPERATIVE")
        await canceled(site, cp)
        await end(site)
        await shows(site, "E1", "AVAILABLE")
    await site.tasks.stop()


async def test_a_charge_that_went_on_when_it_began_is_not_taken_for_what_the_connector_is(site: Site) -> None:
    async with await connected(site) as cp:
        number = (await cp.start(recently()))["transactionId"]
        await begin(site)
        assert await site.evse_status("E1") == "CHARGING"
        await cp.status(1, "Faulted")
    await site.restart()
    async with await silent(site, "1.6") as cp:
        assert await is_shown(site) == ("CHARGING", "INOPERATIVE")
        await cp.stop(recently(60), number, 6000)
        await shows(site, "E1", "INOPERATIVE")
        await end(site)
        await shows(site, "E1", "OUTOFORDER")


async def test_of_a_charger_that_was_gone_too_long_nothing_is_known(tmp_path: Path) -> None:
    async with a_site(tmp_path, offline_grace_s=0.05) as site:
        async with await connected(site):
            await begin(site)
            await shows(site, "E1", "INOPERATIVE")
        live = site.gateway.stations.get("CP1")
        await until(lambda: live.told_gone and live.learned.behind_maintenance == {"E1": "UNKNOWN", "E2": "UNKNOWN"})
        assert await is_shown(site) == ("INOPERATIVE", "INOPERATIVE")
        await is_unknown_until_its_charger_speaks(site)


async def test_of_maintenance_of_which_nothing_was_kept_nobody_knows_what_is_behind_it(site: Site) -> None:
    async with await connected(site):
        await begin(site)
        await shows(site, "E2", "INOPERATIVE")
    await site.gateway.stop()
    learned = await register.learned_of(site.hub.store, "CP1")
    await site.hub.store.commit(Unit().put(register.learned_put(replace(learned, behind_maintenance={}))))
    await site.restart()
    assert await is_shown(site) == ("INOPERATIVE", "INOPERATIVE")
    await is_unknown_until_its_charger_speaks(site)


async def test_a_station_whose_closed_evses_are_out_of_order_is_back_as_well(site: Site) -> None:
    switched = station("E1", "E2", switches={"unavailable_is_outoforder": True}, password=PASSWORD)
    await site.gateway.stations.put("CP1", switched)

    async def is_on_disk() -> bool:
        return "E2" in (await register.learned_of(site.hub.store, "CP1")).behind_maintenance

    async with await connected(site) as cp:
        await cp.status(2, "Unavailable")
        await begin(site)
        await shows(site, "E1", "OUTOFORDER")
        await until(is_on_disk)
    await site.restart()
    async with await silent(site, "1.6"):
        await end(site)
        await shows(site, "E1", "AVAILABLE")
        assert await site.evse_status("E2") == "OUTOFORDER"


async def test_what_the_operator_has_said_of_an_evse_meanwhile_stands(site: Site) -> None:
    async with await connected(site):
        await begin(site)
        await shows(site, "E1", "INOPERATIVE")
    await site.restart()
    key = key_of(OURS, "LOC1")
    now = site.hub.clock.now()
    await locations.set_status(site.hub.store, key, "E1", "PLANNED", now=now)
    await locations.remove_evse(site.hub.store, key, "E2", now=now + timedelta(seconds=1))
    await end(site)
    await until(lambda: not site.gateway.stations.get("CP1").learned.behind_maintenance)
    assert await is_shown(site) == ("PLANNED", "REMOVED")
