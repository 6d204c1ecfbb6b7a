"""Locations, their EVSEs and connectors, as partners pull them. OCPI mod_locations_sender_interface."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from modules.locations import service as locations
from modules.locations.store import key_of
from tests.world import NOW, OURS, World

LOC1 = key_of(OURS, "LOC1")


async def test_a_location_an_evse_and_a_connector_are_parts_of_one_tree(world: World) -> None:
    listed = (await world.ask("GET", world.at("sender/locations"), by="e1")).data
    whole = (await world.ask("GET", world.at("sender/locations/LOC1"), by="e1")).data
    evse = (await world.ask("GET", world.at("sender/locations/LOC1/E1"), by="e1")).data
    connector = (await world.ask("GET", world.at("sender/locations/LOC1/E1/1"), by="e1")).data
    assert listed == [whole]
    assert whole["evses"][0] == evse
    assert evse["connectors"] == [connector]
    assert ("country_code" in whole) is (world.version != "2.1.1")
    assert ("tariff_id" in connector) is (world.version == "2.1.1")


async def test_a_change_below_moves_the_time_of_everything_above(world: World) -> None:
    moment = NOW + timedelta(minutes=5)
    await locations.set_status(world.store, LOC1, "E1", "CHARGING", now=moment)
    whole = (await world.ask("GET", world.at("sender/locations/LOC1"), by="e1")).data
    by_uid = {evse["uid"]: evse for evse in whole["evses"]}
    assert by_uid["E1"]["status"] == "CHARGING"
    assert by_uid["E1"]["last_updated"] == whole["last_updated"]
    assert whole["last_updated"].startswith("2026-05-04T10:05:00")
    assert by_uid["E2"]["last_updated"].startswith("2026-05-04T10:00:00")


async def test_a_removed_evse_stays_readable(world: World) -> None:
    await locations.remove_evse(world.store, LOC1, "E2", now=NOW)
    said = await world.ask("GET", world.at("sender/locations/LOC1/E2"), by="e1")
    assert said.data["status"] == "REMOVED"


async def test_a_status_at_the_same_time_as_another_is_not_lost(world_on_both: World) -> None:
    world = world_on_both
    await asyncio.gather(
        locations.set_status(world.store, LOC1, "E1", "CHARGING", now=NOW),
        locations.set_status(world.store, LOC1, "E2", "BLOCKED", now=NOW),
    )
    whole = (await world.ask("GET", world.at("sender/locations/LOC1"), by="e1")).data
    assert {evse["uid"]: evse["status"] for evse in whole["evses"]} == {"E1": "CHARGING", "E2": "BLOCKED"}
