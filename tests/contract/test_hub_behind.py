"""Another hub over real HTTP, which answers 4003 for one of the two parties behind it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from hub.app import Program
from hub.control import gauges, partner_view
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, Endpoint, State
from partners.sandbox.listener import Listener
from tests.world import World, a_program, until

HERE, GONE = "SE*EXA", "SE*EXB"


class HubBehind:
    """That hub: notes what it is brought, and for whom."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.absent = True
        self.got: list[tuple[str, str, str]] = []
        """Method, module and the party it is for."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        party = f"{headers.get('ocpi-to-country-code')}*{headers.get('ocpi-to-party-id')}"
        self.got.append((scope["method"], scope["path"].split("/")[1], party))
        code = 4003 if self.absent and party == GONE else 1000
        body = {"status_code": code, "status_message": "no", "timestamp": "2026-05-04T10:00:00Z"}
        head = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    def brought(self, party: str) -> list[tuple[str, str]]:
        return [(method, module) for method, module, to in self.got if to == party]

    async def joins(self, program: Program) -> World:
        """It is a partner of `program`, in whose world is a location."""
        world = World.around(program.hub)
        await world.furnish()
        made = await world.join("h", "SE*HUB", PartyRole.HUB, state=State.BLOCKED)
        update = {
            "state": State.CONNECTED,
            "claims": made.claims + tuple(Claim(role=PartyRole.EMSP, party=Party.parse(each)) for each in (HERE, GONE)),
            "versions_url": f"{self.listener.url}/versions",
            "endpoints": tuple(
                Endpoint(identifier=module, role="RECEIVER", url=f"{self.listener.url}/{module}")
                for module in ("credentials", "sessions", "cdrs")
            ),
        }
        await program.hub.registry.save(made.model_copy(update=update))
        return world


@pytest.fixture
async def other_hub() -> AsyncIterator[HubBehind]:
    made = HubBehind()
    await made.listener.start(made)
    yield made
    await made.listener.stop()


async def says(program: Program, world: World, status: str, second: int) -> None:
    """The hub PUTs what it knows of the party."""
    url = f"{program.settings.base_url}/ocpi/2.2.1/receiver/hubclientinfo/SE/EXB"
    about = {"country_code": "SE", "party_id": "EXB", "role": "EMSP", "status": status}
    body = {**about, "last_updated": f"2026-05-04T10:00:{second:02}Z"}
    token = b64encode(world.secrets["h"].encode()).decode()
    async with httpx.AsyncClient() as client:
        said = await client.put(url, json=body, headers={"Authorization": f"Token {token}"})
    assert said.json()["status_code"] == 1000


async def test_what_is_for_the_absent_party_waits_alone_is_shown_and_comes_when_it_is_back(
    database_url: str, other_hub: HubBehind
) -> None:
    async with a_program(database_url, lane_first_s=3_600, lane_cap_s=3_600) as program:
        world = await other_hub.joins(program)
        for _ in range(3):
            await world.charge(GONE)
        await world.charge(HERE)
        await until(lambda: ("POST", "cdrs") in other_hub.brought(HERE))
        assert len(other_hub.brought(GONE)) == 1
        shown = await partner_view.show(program, "h")
        (owed,) = shown["lane"]["owed"]
        assert (owed["party"], owed["objects"], owed["reason"]) == (GONE, 6, "OCPI 4003: no")
        assert (shown["waiting"], shown["failures"]) == (6, 0)
        assert any(f"{GONE} behind it is away since" in warning for warning in shown["warnings"])
        assert b'busbar_lane_owed{partner="h"} 6.0' in await gauges.exposition(program, {})
        other_hub.absent = False
        other_hub.got.clear()
        await says(program, world, "CONNECTED", 1)
        await until(lambda: len(other_hub.brought(GONE)) == 6)
        assert sorted(other_hub.brought(GONE)) == [("POST", "cdrs")] * 3 + [("PUT", "sessions")] * 3
        await until(lambda: nothing_waits(program))


async def test_to_a_party_that_is_offline_nothing_is_sent_and_nothing_is_lost_over_a_restart(
    database_url: str, other_hub: HubBehind
) -> None:
    other_hub.absent = False
    async with a_program(database_url) as program:
        world = await other_hub.joins(program)
        await says(program, world, "OFFLINE", 1)
        await world.charge(GONE)
        await world.charge(HERE)
        await until(lambda: ("POST", "cdrs") in other_hub.brought(HERE))
        secrets = world.secrets
    assert other_hub.brought(GONE) == []
    async with a_program(database_url) as program:
        world = World.around(program.hub)
        world.secrets = secrets
        await says(program, world, "CONNECTED", 2)
        await until(lambda: len(other_hub.brought(GONE)) == 2)
        await until(lambda: nothing_waits(program))


async def nothing_waits(program: Program) -> bool:
    lane = await partner_view.lane_of(program, "h")
    return (lane["waiting"], lane["owed"]) == (0, [])
