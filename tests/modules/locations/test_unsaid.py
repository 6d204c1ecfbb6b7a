"""What a version cannot say of a location is taken back from partners that had it, and is not told of in part."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.dialect import NotExpressible
from hub.core.errors import PeerRefused, PeerTimeout
from hub.core.parties import PartyRole
from modules.locations import service
from modules.locations.publication import LocationPublication
from modules.locations.store import key_of
from tests.world import OURS, Sent, World, location, their_location

LOC1 = key_of(OURS, "LOC1")
PUT_LOC1 = "PUT DE/BSB/LOC1"


class Wire:
    """What the lane of e1 sends of the changes that are made."""

    def __init__(self, world: World, read_to: int) -> None:
        self.world = world
        self.read_to = read_to

    async def put(self, **fields: Any) -> list[str]:
        return await self.put_tree(location(**fields))

    async def put_tree(self, tree: dict[str, Any]) -> list[str]:
        self.world.clock.passed_s += 60
        await service.put(self.world.store, OURS, "LOC1", tree, now=self.world.clock.now())
        return await self.sends()

    async def reports(self, evse_uid: str, status: str) -> list[str]:
        self.world.clock.passed_s += 60
        await service.set_status(self.world.store, LOC1, evse_uid, status, now=self.world.clock.now())
        return await self.sends()

    async def sends(self) -> list[str]:
        """Returns: each method and path. What is held is not sent."""
        words: dict[str, set[str]] = {}
        for row in await self.world.store.changes(after=self.read_to, limit=1000):
            self.read_to = row.seq
            words.setdefault(row.change.key, set()).add(row.change.what)
        self.world.peers.sent.clear()
        for key, what in words.items():
            try:
                await LocationPublication().deliver(self.world.hub, self.world.partner("e1"), key, frozenset(what))
            except NotExpressible:
                assert self.world.version == "2.1.1"
        return [f"{method} {path}" for method, _, path in self.world.peers.to("e1")]


@pytest.fixture
async def wire(world: World) -> Wire:
    return Wire(world, await world.store.last_change())


async def test_a_location_that_is_not_published_any_more_leaves_2_1_1_evse_by_evse(wire: Wire) -> None:
    world = wire.world
    sent = await wire.put(publish=False, name="Secret", evses=("E1", "E2", "E3"))
    if world.version != "2.1.1":
        assert sent == [PUT_LOC1]
        return
    assert sent == ["PATCH DE/BSB/LOC1/E1", "PATCH DE/BSB/LOC1/E2"], "E3 was never there"
    removed = {"status": "REMOVED", "last_updated": "2026-05-04T10:01:00.000Z"}
    assert [each.body for each in world.peers.sent] == [removed] * 2
    listed = await world.ask("GET", world.at("sender/locations"), by="e1")
    one = await world.ask("GET", world.at("sender/locations/LOC1"), by="e1")
    assert (listed.data, one.http) == ([], 404)


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_what_changes_while_it_is_hidden_stays_here(wire: Wire) -> None:
    await wire.put(publish=False)
    assert await wire.reports("E1", "CHARGING") == []
    assert await wire.put(publish=False, name="Other") == []


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_published_again_it_comes_back_as_it_is(wire: Wire) -> None:
    await wire.put(publish=False)
    assert await wire.put() == [PUT_LOC1]
    assert [evse["status"] for evse in wire.world.peers.sent[0].body["evses"]] == ["AVAILABLE", "AVAILABLE"]


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_what_was_removed_before_is_not_removed_again(wire: Wire) -> None:
    await service.remove_evse(wire.world.store, LOC1, "E1", now=wire.world.clock.now())
    await wire.sends()
    assert await wire.put(publish=False) == ["PATCH DE/BSB/LOC1/E2"]


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_partner_that_never_had_it_is_content_and_hears_no_more(wire: Wire) -> None:
    def script(sent: Sent) -> Any:
        raise PeerRefused(http=404)

    wire.world.peers.script = script
    assert await wire.put(publish=False) == ["PATCH DE/BSB/LOC1/E1", "PATCH DE/BSB/LOC1/E2"]


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_trouble_on_the_way_is_the_lanes(wire: Wire) -> None:
    def script(sent: Sent) -> Any:
        raise PeerTimeout("late")

    wire.world.peers.script = script
    with pytest.raises(PeerTimeout):
        await wire.put(publish=False)


@pytest.mark.parametrize("version", ["2.1.1"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_the_locations_of_other_cpos_leave_in_the_same_way(wire: Wire, method: str) -> None:
    world = wire.world
    await world.join("c3", "BE*CCC", PartyRole.CPO, version="2.2.1")
    shown = their_location("2.2.1", "BE*CCC")
    hidden: dict[str, Any] = {"publish": False, "last_updated": "2026-05-04T10:01:00Z"}
    world.version = "2.2.1"
    where = world.at("receiver/locations/BE/CCC/X1")
    await world.ask("PUT", where, by="c3", body=shown)
    assert await wire.sends() == ["PUT BE/CCC/X1"]
    world.clock.passed_s = 60
    said = await world.ask(method, where, by="c3", body=hidden if method == "PATCH" else {**shown, **hidden})
    assert said.code == 1000
    world.version = "2.1.1"
    assert await wire.sends() == ["PATCH BE/CCC/X1/E1", "PATCH BE/CCC/X1/E2"]


async def test_no_status_is_told_of_an_evse_that_the_version_does_not_have(wire: Wire) -> None:
    newest = wire.world.version == "2.3.0"
    tree = location()
    tree["evses"][0]["connectors"][0]["standard"] = "MCS"
    assert await wire.put_tree(tree) == [PUT_LOC1]
    told = [evse["uid"] for evse in wire.world.peers.sent[0].body["evses"]]
    assert told == (["E1", "E2"] if newest else ["E2"])
    assert await wire.reports("E1", "CHARGING") == (["PATCH DE/BSB/LOC1/E1"] if newest else [])
    assert await wire.reports("E2", "CHARGING") == ["PATCH DE/BSB/LOC1/E2"]


async def test_an_evse_keeps_its_status_where_some_of_its_plugs_are_known(wire: Wire) -> None:
    tree = location()
    first = tree["evses"][0]
    first["connectors"].append({**first["connectors"][0], "id": "2", "standard": "MCS"})
    await wire.put_tree(tree)
    assert await wire.reports("E1", "CHARGING") == ["PATCH DE/BSB/LOC1/E1"]
