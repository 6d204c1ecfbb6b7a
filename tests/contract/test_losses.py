"""Which losses are counted for whom, whatever way an object goes: lists, single objects, PATCHes, bookings of 1.0."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.losses import LOSSES, Lost
from modules.bookings.editions import QUIRK
from modules.bookings.publication import BookingPublication
from modules.bookings.store import BOOKING_LOCATIONS, PLACES
from modules.locations import service as locations
from tests.modules.bookings.booked import open_place
from tests.world import OURS, World, location, their_location

PHONE = Lost("out", "locations", "/help_phone")
ROOMS = Lost("out", "bookings", "/booking_terms/min_booking_duration")


async def furnish(world: World, **fields: Any) -> None:
    """LOC1 says what neither 2.1.1 nor 2.2.1 can say."""
    tree = location(help_phone="+4930123456", **fields)
    tree["evses"][0]["connectors"][0]["capabilities"] = ["ISO_15118_2_PLUG_AND_CHARGE"]
    await locations.put(world.store, OURS, "LOC1", tree, now=world.clock.now())


async def counted(world: World, name: str, lost: Lost = PHONE) -> int:
    return (await world.hub.losses.of(name)).get(lost, 0)


async def get(world: World, path: str, *, by: str = "e1") -> None:
    assert (await world.ask("GET", world.at(path), by=by)).code == 1000


async def test_a_page_counts_for_each_partner_that_gets_it_and_not_for_who_asks_again(world: World) -> None:
    await furnish(world)
    each = 0 if world.version == "2.3.0" else 1
    for _ in range(3):
        await get(world, "sender/locations")
    assert (await counted(world, "e1"), await counted(world, "e2")) == (each, 0)
    await get(world, "sender/locations", by="e2")
    assert (await counted(world, "e1"), await counted(world, "e2")) == (each, each)
    await furnish(world, name="Another")
    await get(world, "sender/locations")
    assert await counted(world, "e1") == 2 * each


async def test_a_page_counts_each_of_its_objects(world: World) -> None:
    for number in range(1, 6):
        tree = location(f"LOC{number}", help_phone="+4930123456")
        await locations.put(world.store, OURS, f"LOC{number}", tree, now=world.clock.now())
    await get(world, "sender/locations?limit=3")
    assert await counted(world, "e1") == (0 if world.version == "2.3.0" else 3)
    await get(world, "sender/locations?limit=3&offset=3")
    assert await counted(world, "e1") == (0 if world.version == "2.3.0" else 5)


async def test_a_single_object_counts_each_time(world: World) -> None:
    await furnish(world)
    for path in ("LOC1", "LOC1", "LOC1/E1", "LOC1/E1/1"):
        await get(world, f"sender/locations/{path}")
    times = 0 if world.version == "2.3.0" else 1
    assert await counted(world, "e1") == 2 * times
    for prefix in ("/evses/*/connectors/*", "/connectors/*", ""):
        lost = Lost("out", "locations", f"{prefix}/capabilities")
        assert await counted(world, "e1", lost) == (2 * times if "evses" in prefix else times)


async def test_reading_writes_nothing(world: World) -> None:
    await furnish(world)
    async with world.unchanged():
        await get(world, "sender/locations")
        await get(world, "sender/locations/LOC1")
    await world.hub.losses.write()
    assert len(await world.documents(LOSSES)) == (0 if world.version == "2.3.0" else 1)


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_patch_counts_what_our_form_cannot_hold(world: World) -> None:
    path = world.at("receiver/locations/BE/AAA/X1")
    assert (await world.ask("PUT", path, by="c1", body=their_location(world.version))).code == 1000
    lost = Lost("in", "locations", "/capabilities")
    assert await counted(world, "c1", lost) == 0
    part = {"capabilities": ["CHARGING_PROFILE_CAPABLE", "RESERVABLE"], "last_updated": "2026-05-04T11:00:00Z"}
    assert (await world.ask("PATCH", f"{path}/E1", by="c1", body=part)).code == 1000
    assert await counted(world, "c1", lost) == 1


@pytest.mark.parametrize("version", ["2.3.0"])
async def test_bookings_of_1_0_count_as_an_older_version_does(world: World) -> None:
    await open_place(world)
    await world.registry.save(world.partner("e1").model_copy(update={"quirks": (QUIRK,)}))
    places = "sender/bookings/booking_locations"
    for at, path in enumerate((places, f"{places}?timeslot_from=2026-05-05T00:00:00Z", f"{places}/BL1"), 1):
        await get(world, path)
        assert await counted(world, "e1", ROOMS) == at
    (document,) = await world.documents(BOOKING_LOCATIONS)
    await BookingPublication().deliver(world.hub, world.partner("e1"), f"{PLACES}/{document.key}", frozenset())
    assert [sent.method for sent in world.peers.sent] == ["PUT"]
    assert await counted(world, "e1", ROOMS) == 4
    await get(world, places, by="e2")
    assert await world.hub.losses.of("e2") == {}
