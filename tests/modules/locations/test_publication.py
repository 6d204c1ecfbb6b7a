"""Our locations on their way to partners: PATCH of a status, PUT of all else, and what may not be published."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.dialect import NotExpressible
from hub.core.errors import PeerRefused, PeerTimeout
from modules.locations import service
from modules.locations.publication import LocationPublication
from modules.locations.store import key_of
from tests.world import OURS, Sent, World, endpoints, location

LOC1 = key_of(OURS, "LOC1")
PUT_LOC1 = ("PUT", "locations", "DE/BSB/LOC1")
PATCH_E1 = ("PATCH", "locations", "DE/BSB/LOC1/E1")
PATCH_E2 = ("PATCH", "locations", "DE/BSB/LOC1/E2")


async def deliver(world: World, *what: str, to: str = "e1", key: str = LOC1) -> list[tuple[str, str, str]]:
    """Returns: what the partner was sent."""
    world.peers.sent.clear()
    await LocationPublication().deliver(world.hub, world.partner(to), key, frozenset(what))
    return world.peers.to(to)


async def reports(world: World, evse_uid: str, status: str) -> None:
    await service.set_status(world.store, LOC1, evse_uid, status, now=world.clock.now())


async def hide(world: World) -> None:
    await service.put(world.store, OURS, "LOC1", location(publish=False), now=world.clock.now())


async def test_a_status_goes_as_patch_of_the_evse_as_it_is_now(world: World) -> None:
    world.clock.passed_s = 60
    await reports(world, "E1", "CHARGING")
    assert await deliver(world, "status/E1") == [PATCH_E1]
    assert world.peers.sent[0].body == {"status": "CHARGING", "last_updated": "2026-05-04T10:01:00.000Z"}


async def test_joined_statuses_are_a_patch_for_each_evse(world: World) -> None:
    assert await deliver(world, "status/E2", "status/E1") == [PATCH_E1, PATCH_E2]


@pytest.mark.parametrize("what", [("",), ("", "status/E1")])
async def test_everything_else_goes_as_put_of_the_whole(world: World, what: tuple[str, ...]) -> None:
    assert await deliver(world, *what) == [PUT_LOC1]
    body = world.peers.sent[0].body
    assert [evse["uid"] for evse in body["evses"]] == ["E1", "E2"]
    assert ("country_code" in body) == (world.version != "2.1.1")


async def test_a_removed_evse_is_told_as_such(world: World) -> None:
    await service.remove_evse(world.store, LOC1, "E1", now=world.clock.now())
    await deliver(world, "status/E1")
    assert world.peers.sent[0].body["status"] == "REMOVED"


@pytest.mark.parametrize("refusal", [PeerRefused(http=404), PeerRefused(http=200, status_code=2003)])
async def test_a_partner_that_does_not_know_the_evse_gets_the_location(world: World, refusal: PeerRefused) -> None:
    def script(sent: Sent) -> Any:
        if sent.method == "PATCH":
            raise refusal

    world.peers.script = script
    assert await deliver(world, "status/E1", "status/E2") == [PATCH_E1, PUT_LOC1]


@pytest.mark.parametrize("fault", [PeerTimeout("late"), PeerRefused(http=500), PeerRefused(http=200, status_code=2001)])
async def test_any_other_trouble_is_the_lanes(world: World, fault: Exception) -> None:
    def script(sent: Sent) -> Any:
        raise fault

    world.peers.script = script
    with pytest.raises(type(fault)):
        await deliver(world, "status/E1")
    assert world.peers.to("e1") == [PATCH_E1]


async def test_what_is_not_to_be_published_never_reaches_2_1_1(world: World) -> None:
    await hide(world)
    listed = await world.ask("GET", world.at("sender/locations"), by="e1")
    one = await world.ask("GET", world.at("sender/locations/LOC1"), by="e1")
    evse = await world.ask("GET", world.at("sender/locations/LOC1/E1"), by="e1")
    if world.version == "2.1.1":
        for what in ("", "status/E1"):
            with pytest.raises(NotExpressible):
                await deliver(world, what)
        assert world.peers.sent == []
        assert (listed.data, listed.headers["x-total-count"]) == ([], "0")
        assert (one.http, evse.http) == (404, 404)
    else:
        assert await deliver(world, "") == [PUT_LOC1]
        bodies = (world.peers.sent[0].body, listed.data[0], one.data)
        assert [body["publish"] for body in bodies] == [False] * 3


async def test_partners_that_do_not_take_locations_are_passed_over(world: World) -> None:
    partner = world.partner("e1")
    without = endpoints(world.version, leave_out="locations")
    await world.registry.save(partner.model_copy(update={"endpoints": without}))
    assert await deliver(world, "") == []
    assert await deliver(world, "", to="e2", key=key_of(OURS, "GONE")) == []
