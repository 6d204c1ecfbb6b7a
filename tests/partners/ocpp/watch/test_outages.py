"""The history of outages, from chargers on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from partners.ocpp.watch.outages import OUTAGES, Outage, outage_in, watched_evses
from tests.partners.ocpp.site import Site, a_site, station, until


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(tmp_path, alert_look_s=0.05) as made:
        yield made


async def outages(site: Site, evse_uid: str) -> list[Outage]:
    return [outage_in(d) for d in await site.hub.store.select(OUTAGES, equal={"evse": evse_uid})]


async def lasts(site: Site, evse_uid: str) -> bool:
    return any(outage.ended is None for outage in await outages(site, evse_uid))


async def is_over(site: Site, evse_uid: str) -> bool:
    return bool(await outages(site, evse_uid)) and not await lasts(site, evse_uid)


async def test_a_fault_is_an_outage_of_its_evse_alone_and_outlives_a_restart(site: Site) -> None:
    async with await site.point() as point:
        await point.status(2, "Available")
        await point.status(1, "Faulted")
        await until(lambda: lasts(site, "E1"))
    await site.restart()
    async with await site.point() as point:
        await point.status(1, "Charging")
        await until(lambda: is_over(site, "E1"))
    (outage,) = await outages(site, "E1")
    assert (outage.station, outage.reason) == ("CP1", "Faulted")
    assert await outages(site, "E2") == []


async def test_a_station_that_is_unavailable_takes_all_its_evses_with_it(site: Site) -> None:
    async with await site.point() as point:
        await point.status(1, "Available")
        await point.status(0, "Unavailable")
        await until(lambda: lasts(site, "E1"))
        await until(lambda: lasts(site, "E2"))
        await point.status(0, "Available")
        await until(lambda: is_over(site, "E1"))
        assert await lasts(site, "E2"), "of its connector nothing was heard"


async def test_a_charger_that_stays_away_is_down_from_when_it_went(tmp_path: Path) -> None:
    async with a_site(tmp_path, alert_look_s=0.05, offline_grace_s=0.2) as site:
        await until(lambda: lasts(site, "E3"))
        (outage,) = await outages(site, "E3")
        (watched,) = [one for one in await watched_evses(site.hub.store) if one.evse_uid == "E3"]
        assert outage.reason == "offline"
        assert abs((outage.began - watched.since).total_seconds()) < 10


async def test_a_charger_that_is_taken_away_leaves_no_outage_that_goes_on(site: Site) -> None:
    async with await site.point() as point:
        await point.status(1, "Faulted")
        await until(lambda: lasts(site, "E1"))
    await site.gateway.stations.delete("CP1")
    await until(lambda: is_over(site, "E1"))


async def times_watched(site: Site, evse_uid: str) -> list[bool]:
    """Each time in which this EVSE was watched: is it over?"""
    return [one.until is not None for one in await watched_evses(site.hub.store) if one.evse_uid == evse_uid]


async def watched_are(site: Site, evse_uid: str, times: list[bool]) -> bool:
    return await times_watched(site, evse_uid) == times


async def test_a_charger_that_comes_again_is_watched_anew_and_the_time_between_is_nobodys(site: Site) -> None:
    await until(lambda: watched_are(site, "E3", [False]))
    await site.gateway.stations.delete("CP2")
    await until(lambda: watched_are(site, "E3", [True]))
    await site.gateway.stations.put("CP2", station("E3"))
    await until(lambda: watched_are(site, "E3", [True, False]))
    assert await times_watched(site, "E1") == [False]


async def kinds(site: Site, evse_uid: str) -> list[tuple[str, bool]]:
    """Of each outage why it does not count, and whether it goes on."""
    return [(outage.excluded, outage.ended is None) for outage in await outages(site, evse_uid)]


async def kinds_are(site: Site, evse_uid: str, wanted: list[tuple[str, bool]]) -> bool:
    return await kinds(site, evse_uid) == wanted


async def test_an_outage_counts_but_for_the_maintenance_of_its_evse(site: Site) -> None:
    stations = site.gateway.stations
    async with await site.point() as point:
        await point.status(1, "Faulted")
        await point.status(2, "Faulted")
        await until(lambda: lasts(site, "E1"))
        await stations.maintain("CP1", ["E1"], "new cable", actor="anna")
        await until(lambda: kinds_are(site, "E1", [("", False), ("maintenance", True)]))
        await stations.end_maintenance("CP1", actor="anna")
        await until(lambda: kinds_are(site, "E1", [("", False), ("maintenance", False), ("", True)]))
        before, meanwhile, after = await outages(site, "E1")
        assert (before.ended, meanwhile.ended) == (meanwhile.began, after.began)
        assert (meanwhile.excluded_by, meanwhile.reason, after.reason) == ("anna", "Faulted", "Faulted")
        assert await kinds(site, "E2") == [("", True)]


async def test_what_partners_do_not_see_yet_is_watched_when_they_do(site: Site) -> None:
    await site.gateway.stations.commission("CP1", ["E1"], actor="anna")
    async with await site.point() as point:
        await point.status(1, "Faulted")
        await point.status(2, "Faulted")
        await until(lambda: lasts(site, "E2"))
        assert await outages(site, "E1") == []
        assert not any(one.evse_uid == "E1" and one.until is None for one in await watched_evses(site.hub.store))
        await site.gateway.stations.commissioned("CP1", actor="anna")
        await until(lambda: lasts(site, "E1"))
        (watched,) = [one for one in await watched_evses(site.hub.store) if one.evse_uid == "E1" and one.until is None]
        (outage,) = await outages(site, "E1")
        assert outage.began >= watched.since


async def test_an_outage_that_begins_in_maintenance_does_not_count_even_after_a_restart(site: Site) -> None:
    await site.gateway.stations.maintain("CP1", [], "new board", actor="anna")
    async with await site.point() as point:
        await point.status(1, "Unavailable")
        await until(lambda: kinds_are(site, "E1", [("maintenance", True)]))
    await site.restart()
    async with await site.point() as point:
        await point.status(1, "Unavailable")
        await point.status(2, "Unavailable")
        await until(lambda: kinds_are(site, "E2", [("maintenance", True)]))
        assert await kinds(site, "E1") == [("maintenance", True)]


async def test_a_charger_that_was_gone_before_its_maintenance_is_down_for_that_time(tmp_path: Path) -> None:
    async with a_site(tmp_path, alert_look_s=0.05, offline_grace_s=1.0) as site:
        await until(lambda: watched_are(site, "E3", [False]))
        await asyncio.sleep(0.2)
        await site.gateway.stations.maintain("CP2", [], "", actor="anna")
        await until(lambda: kinds_are(site, "E3", [("", False), ("maintenance", True)]))
        gone, meanwhile = await outages(site, "E3")
        assert gone.began < meanwhile.began == gone.ended
