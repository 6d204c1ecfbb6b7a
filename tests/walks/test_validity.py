"""A tariff begins and ends by itself, and a location is not published any more: what 2.1.1 has of it follows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

from hub.core.clock import timestamp
from tests.walks.cpos import tariff
from tests.walks.site import VERSIONS, Emsp, Site, until


def put(site: Site, tariff_id: str, **bounds_s: float) -> None:
    """A tariff of ours, with its start and end so many seconds from now."""
    now = datetime.now(UTC)
    dates = {f"{name}_date_time": timestamp(now + timedelta(seconds=s)) for name, s in bounds_s.items()}
    site.hub.web.ask("PUT", f"/api/v1/tariffs/DE/BSB/{tariff_id}", {**tariff("2.3.0", tariff_id), **dates})


def has(emsp: Emsp, tariff_id: str) -> bool:
    return bool(emsp.held("tariffs", id=tariff_id))


def has_or_not(emsp: Emsp, tariff_id: str, expected: bool) -> bool:
    return has(emsp, tariff_id) == expected


def lists(emsp: Emsp, tariff_id: str) -> bool:
    return tariff_id in [tree["id"] for tree in emsp.post("pull", {"module": "tariffs"})]


async def test_a_tariff_reaches_2_1_1_while_it_holds(site: Site) -> None:
    put(site, "V-NEXT", start=86_400)
    put(site, "V-LAST", end=-86_400)
    put(site, "V-SOON", start=3)
    put(site, "V-BRIEF", end=3)
    for version in VERSIONS:
        emsp, old = site.emsps[version], version == "2.1.1"
        await until(partial(has, emsp, "V-BRIEF"), why=f"what holds, at {version}")
        await until(partial(has, emsp, "V-SOON"), why=f"what begins, at {version}")
        await until(partial(has_or_not, emsp, "V-BRIEF", not old), why=f"what ended, at {version}")
        for tariff_id in ("V-NEXT", "V-LAST", "V-BRIEF"):
            assert (has(emsp, tariff_id), lists(emsp, tariff_id)) == (not old, not old), (version, tariff_id)
        assert lists(emsp, "V-SOON")
        assert emsp.new_complaints() == []


async def test_what_began_or_ended_while_the_hub_was_down_is_made_up_for(site: Site) -> None:
    emsp = site.emsps["2.1.1"]
    put(site, "R-END", end=3)
    put(site, "R-START", start=3)
    await until(partial(has, emsp, "R-END"), why="what holds")
    site.hub.process.kill()
    await asyncio.sleep(3)
    await asyncio.to_thread(site.hub.start)
    assert lists(emsp, "R-START")
    assert not lists(emsp, "R-END")
    await until(lambda: has(emsp, "R-START") and not has(emsp, "R-END"), why="what turned meanwhile")
    assert emsp.new_complaints() == []


async def test_a_location_that_is_not_published_any_more_is_removed_at_2_1_1(site: Site) -> None:
    place, emsp = site.place(), site.emsps["2.1.1"]
    path = f"/api/v1/locations/DE/BSB/{place.location}"

    def statuses() -> list[str]:
        return [evse["status"] for tree in emsp.held("locations", id=place.location) for evse in tree["evses"]]

    await until(statuses, why="the location")
    tree = site.hub.web.ask("GET", path)
    del tree["last_updated"]
    site.hub.web.ask("PUT", path, {**tree, "publish": False, "name": "Secret"})
    await until(lambda: set(statuses()) == {"REMOVED"}, why="its end")
    (kept,) = emsp.held("locations", id=place.location)
    assert kept["name"] != "Secret"
    assert place.location not in [each["id"] for each in emsp.post("pull", {"module": "locations"})]
    assert emsp.new_complaints() == []
