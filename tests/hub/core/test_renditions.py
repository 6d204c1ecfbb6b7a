"""What is kept of translated documents, and what must not be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from hub.core.dialect import NO_CONTEXT, Wire
from hub.core.jsontypes import Tree
from hub.core.renditions import Rendition, lowest_version, up_to
from modules.locations import service as locations
from modules.locations.model import Location
from modules.locations.store import LOCATIONS, key_of
from modules.locations.wire import DIALECTS, LOCATION
from modules.tariffs import service as tariffs
from modules.tariffs.store import TARIFFS
from modules.tariffs.wire import TARIFF
from tests.world import NOW, OURS, World, a_world, location, tariff


async def said(world: World, rendition: Rendition, version: str) -> str:
    (document,) = [d for d in await world.documents(TARIFFS) if d.columns["id"] == "X"]
    body = await rendition.of(world.store, document, version)
    assert body is not None
    return str(json.loads(body)["elements"][0]["price_components"][0]["price"])


async def test_each_writing_is_derived_anew_also_after_a_deletion(sqlite_url: str) -> None:
    rendition = Rendition(TARIFF)
    async with a_world(sqlite_url) as world:
        for price in ("0.1", "0.2"):
            await tariffs.put(world.store, OURS, "X", tariff("X", price), now=NOW)
            for version in ("2.1.1", "2.2.1", "2.3.0"):
                assert await said(world, rendition, version) == price
        await tariffs.delete(world.store, OURS, "X")
        await tariffs.put(world.store, OURS, "X", tariff("X", "0.3"), now=NOW)
        assert await said(world, rendition, "2.1.1") == "0.3"


async def test_what_is_kept_belongs_to_one_store(sqlite_url: str) -> None:
    rendition = Rendition(TARIFF)
    for number, price in enumerate(("0.1", "0.2")):
        async with a_world(sqlite_url.replace(".db", f"{number}.db")) as world:
            await tariffs.put(world.store, OURS, "X", tariff("X", price), now=NOW)
            assert await said(world, rendition, "2.1.1") == price


async def test_no_more_than_its_capacity_is_kept(sqlite_url: str) -> None:
    rendition = Rendition(TARIFF, capacity=3)
    async with a_world(sqlite_url) as world:
        for number in range(10):
            await tariffs.put(world.store, OURS, f"T{number}", tariff(f"T{number}"), now=NOW)
        for document in await world.documents(TARIFFS):
            await rendition.of(world.store, document, "2.1.1")
        assert len(rendition._kept["2.1.1"]) == 3


class Counted(Wire[Location]):
    """Locations in a version, and how often one was put into its words."""

    writes = 0

    def write(self, tree: Mapping[str, Any], *, context: Mapping[str, Any] = NO_CONTEXT) -> tuple[Tree, Any]:
        self.writes += 1
        return super().write(tree, context=context)


async def in_221(world: World, rendition: Rendition) -> list[bytes]:
    """Our locations as a page of 2.2.1 has them."""
    among = {"owner": [str(OURS)], "audience": [""]}
    leaves = await world.store.leaves(LOCATIONS, among=among, after_seq=0, limit=99)
    return (await rendition.of_all(world.store, LOCATIONS, leaves, "2.2.1"))[0]


async def test_what_is_said_as_it_is_stored_is_not_said_anew_after_its_bytes_were_forgotten(sqlite_url: str) -> None:
    wire = Counted(Location, "2.2.1", DIALECTS)
    rendition = Rendition({"2.2.1": wire}, capacity=1)
    async with a_world(sqlite_url) as world:
        for number in range(4):
            tree = location(f"X{number}", evses=(f"X{number}",), **({"help_phone": "+49 30 1"} if number == 3 else {}))
            await locations.put(world.store, OURS, f"X{number}", tree, now=NOW)
        said = await in_221(world, rendition)
        before = wire.writes
        assert await in_221(world, rendition) == said
        assert wire.writes == before  # the last one, which lost its help_phone, is kept
        await locations.set_status(world.store, key_of(OURS, "X1"), "X1", "CHARGING", now=NOW + timedelta(minutes=1))
        changed = await in_221(world, rendition)
        assert [was for was, now in zip(said, changed, strict=True) if was != now] == [said[-3]]
        assert b'"CHARGING"' in changed[-3]


async def test_no_more_is_noted_than_there_is_room_for(sqlite_url: str) -> None:
    rendition = Rendition(LOCATION, capacity=1, noted=2)
    async with a_world(sqlite_url) as world:
        for number in range(5):
            tree = location(f"X{number}", evses=(f"X{number}",))
            await locations.put(world.store, OURS, f"X{number}", tree, now=NOW)
        said = await in_221(world, rendition)
        assert len(rendition._as_stored["2.2.1"]) <= 2
        assert await in_221(world, rendition) == said


async def test_what_a_version_cannot_say_is_none_and_losses_are_counted(sqlite_url: str) -> None:
    rendition = Rendition(LOCATION)
    async with a_world(sqlite_url) as world:
        hidden = location("HIDDEN", evses=("H1",), publish=False)
        await locations.put(world.store, OURS, "HIDDEN", hidden, now=NOW)
        document = await world.store.get(LOCATIONS, key_of(OURS, "HIDDEN"))
        assert document is not None
        assert await rendition.of(world.store, document, "2.1.1") is None
        assert await rendition.of(world.store, document, "2.2.1") is not None
        loc1 = await world.store.get(LOCATIONS, key_of(OURS, "LOC1"))
        assert loc1 is not None
        await rendition.of(world.store, loc1, "2.1.1")
        assert {version for version, _ in rendition.losses} <= {"2.1.1", "2.2.1"}


@pytest.mark.parametrize(("publish", "lowest"), [(True, "2.1.1"), (False, "2.2.1")])
def test_the_lowest_version_is_the_oldest_that_can_say_it(publish: bool, lowest: str) -> None:
    tree = {
        **location(publish=publish),
        "country_code": "DE",
        "party_id": "BSB",
        "last_updated": "2026-01-01T00:00:00Z",
    }
    for evse in tree["evses"]:
        evse["last_updated"] = tree["last_updated"]
        for connector in evse["connectors"]:
            connector["last_updated"] = tree["last_updated"]
    assert lowest_version(LOCATION, tree) == lowest


def test_a_partner_sees_what_its_version_and_older_ones_can_say() -> None:
    assert up_to("2.1.1") == ("2.1.1",)
    assert up_to("2.3.0") == ("2.1.1", "2.2.1", "2.3.0")
