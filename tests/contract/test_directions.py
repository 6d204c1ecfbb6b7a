"""A rule has one direction, and in that it holds for what is pushed by name, for broadcasts and for lists alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.agreements import Agreement
from tests.hub.core.test_delivery import Delivering, running
from tests.world import VERSIONS, a_world, their_location, their_tariff, token

EMSP, CPO = ("e1", "NL*EEE"), ("c1", "BE*AAA")
ROADS = [
    pytest.param(EMSP, CPO, "tokens", id="tokens"),
    pytest.param(CPO, EMSP, "locations", id="locations"),
    pytest.param(CPO, EMSP, "tariffs", id="tariffs"),
]
"""Of whom, to whom, and what: (partner, party)."""


@pytest.fixture(params=VERSIONS[1:])
async def hub(sqlite_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Delivering]:
    """Its lanes run."""
    async with a_world(sqlite_url, request.param, sharing="open") as world, running(world) as made:
        world.peers.sent.clear()
        yield made


def an_object(version: str, module: str, name: str) -> dict[str, Any]:
    if module == "tokens":
        return token(version, uid=name)
    make = their_location if module == "locations" else their_tariff
    return make(version, "BE*AAA", name)


async def ways(hub: Delivering, of: tuple[str, str], to: tuple[str, str], module: str) -> dict[str, Any]:
    """What becomes of an object by name, of one for all, and of the latter in a list."""
    world, found = hub.world, dict[str, Any]()
    country_code, party_id = of[1].split("*")
    headers = list(zip(("OCPI-to-country-code", "OCPI-to-party-id"), to[1].split("*"), strict=True))
    for way, name in (("by name", "N1"), ("to all", "A1")):
        path = world.at(f"receiver/{module}/{country_code}/{party_id}/{name}")
        body = an_object(world.version, module, name)
        said = await world.ask("PUT", path, by=of[0], body=body, headers=headers if way == "by name" else [])
        await hub.quiet()
        gone = [sent for sent in world.peers.sent if (sent.partner, sent.path[-1]) == (to[0], name)]
        found[way] = (said.code, bool(gone))
    listed = await world.ask("GET", world.at(f"sender/{module}"), by=to[0])
    names = [each.get("uid") or each["id"] for each in listed.data]
    found["listed"] = ("N1" in names, "A1" in names)
    return found


GETS = {"by name": (1000, True), "to all": (1000, True), "listed": (True, True)}
GETS_NOT = {"by name": (4001, False), "to all": (1000, False), "listed": (False, False)}


@pytest.mark.parametrize(("of", "to", "module"), ROADS)
@pytest.mark.parametrize("scope", ["*", "its own"])
async def test_a_denial_between_viewer_and_owner_holds_by_name_in_broadcasts_and_in_lists(
    hub: Delivering, of: tuple[str, str], to: tuple[str, str], module: str, scope: str
) -> None:
    rule = Agreement(to[0], of[1], module if scope != "*" else "*", allow=False)
    await hub.world.hub.agreements.put(rule, actor="op")
    assert await ways(hub, of, to, module) == GETS_NOT


@pytest.mark.parametrize(("of", "to", "module"), ROADS)
async def test_a_denial_in_the_other_direction_keeps_nothing_back_on_any_way(
    hub: Delivering, of: tuple[str, str], to: tuple[str, str], module: str
) -> None:
    await hub.world.hub.agreements.put(Agreement(of[0], to[1], allow=False), actor="op")
    assert await ways(hub, of, to, module) == GETS


@pytest.mark.parametrize(("of", "to", "module"), ROADS)
async def test_where_nothing_is_shared_an_agreement_for_the_viewer_opens_every_way(
    sqlite_url: str, of: tuple[str, str], to: tuple[str, str], module: str
) -> None:
    async with a_world(sqlite_url, sharing="closed") as world, running(world) as hub:
        await world.hub.agreements.put(Agreement(of[0], to[1]), actor="op")
        assert await ways(hub, of, to, module) == GETS_NOT
        await world.hub.agreements.put(Agreement(to[0], of[1], module), actor="op")
        assert await ways(hub, of, to, module) == {**GETS, "to all": (1000, False)}


async def test_a_denial_in_the_other_direction_keeps_back_what_is_asked(hub: Delivering) -> None:
    world = hub.world
    await world.hub.agreements.put(Agreement("e1", "BE*AAA", allow=False), actor="op")
    body = {"response_url": "https://e1.example/results/7", "reservation_id": "R1"}
    headers = [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "AAA")]
    path = world.at("receiver/commands/CANCEL_RESERVATION")
    assert (await world.ask("POST", path, by="e1", body=body, headers=headers)).code == 4001
    await world.hub.agreements.remove(Agreement("e1", "BE*AAA"), actor="op")
    assert (await world.ask("POST", path, by="e1", body=body, headers=headers)).code != 4001
