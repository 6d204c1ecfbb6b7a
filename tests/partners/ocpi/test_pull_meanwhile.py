"""What a partner pushes while its list is being read is not undone by what the list said before."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.core.inbound import encode
from hub.core.outbound import OutboundAnswer
from hub.core.ports import PeerAnswer
from hub.core.registry import Partner
from hub.core.units import Kind
from modules.locations.store import LOCATIONS
from modules.tariffs.store import TARIFFS
from modules.tokens.store import TOKENS
from partners.ocpi.peer import understood
from partners.ocpi.pull import Pulled, Puller
from tests.world import NOW, World, their_location, their_tariff, token

MOMENT = "2026-05-04T10:00:00Z"
"""What all of it bears as its time."""


class SlowLists:
    """Lists of one page; `meanwhile` is done between the writing of the page of `module` and its arrival."""

    def __init__(self, module: str, objects: list[Any], meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.module, self.objects, self.meanwhile = module, objects, meanwhile

    async def send(
        self, partner: Partner, method: str, module: str, side: Any, *, query: dict[str, str], known: Any
    ) -> PeerAnswer:
        data = self.objects if module == self.module else []
        page = encode({"data": data, "status_code": 1000, "timestamp": MOMENT})
        if module == self.module:
            await self.meanwhile()
        return understood(OutboundAnswer(200, {"x-total-count": str(len(data)), "x-limit": "100"}, page), known)

    async def get(self, partner: Partner, url: str, *, known: Any) -> PeerAnswer:
        raise AssertionError("there is one page")


async def says(world: World, method: str, path: str, body: Any = None, *, by: str) -> None:
    said = await world.ask(method, world.at(f"receiver/{path}"), by=by, body=body)
    assert said.code == 1000, said.message


async def only_one(world: World, kind: Kind, owner: str) -> Any:
    (found,) = [json.loads(each.body) for each in await world.documents(kind) if each.owner == owner]
    return found


async def test_a_patch_of_an_evse_in_the_same_second_stays(world: World) -> None:
    location = their_location(world.version)
    await says(world, "PUT", "locations/BE/AAA/X1", location, by="c1")

    async def meanwhile() -> None:
        part = {"status": "CHARGING", "last_updated": MOMENT}
        await says(world, "PATCH", "locations/BE/AAA/X1/E1", part, by="c1")

    lists = SlowLists("locations", [location], meanwhile)
    assert await Puller(world.hub, lists).pull("c1") == Pulled(unchanged=1)
    assert (await only_one(world, LOCATIONS, "BE*AAA"))["evses"][0]["status"] == "CHARGING"


async def test_a_tariff_changed_in_the_same_second_stays(world: World) -> None:
    async def meanwhile() -> None:
        await says(world, "PUT", "tariffs/BE/AAA/T9", their_tariff(world.version, price="0.55"), by="c1")

    lists = SlowLists("tariffs", [their_tariff(world.version, price="0.40")], meanwhile)
    assert await Puller(world.hub, lists).pull("c1") == Pulled(unchanged=1)
    kept = await only_one(world, TARIFFS, "BE*AAA")
    assert kept["elements"][0]["price_components"][0]["price"] == 0.55


async def test_a_tariff_that_is_withdrawn_meanwhile_does_not_come_back(world: World) -> None:
    tariff = their_tariff(world.version)
    await says(world, "PUT", "tariffs/BE/AAA/T9", tariff, by="c1")

    async def meanwhile() -> None:
        await says(world, "DELETE", "tariffs/BE/AAA/T9", by="c1")

    await Puller(world.hub, SlowLists("tariffs", [tariff], meanwhile)).pull("c1")
    assert "BE*AAA" not in {each.owner for each in await world.documents(TARIFFS)}


async def test_a_token_blocked_in_the_same_second_stays_blocked(world: World) -> None:
    async def meanwhile() -> None:
        await says(world, "PUT", "tokens/NL/EEE/CARD1", token(world.version, valid=False), by="e1")

    lists = SlowLists("tokens", [token(world.version)], meanwhile)
    assert await Puller(world.hub, lists).pull("e1") == Pulled(unchanged=1)
    assert (await only_one(world, TOKENS, "NL*EEE"))["valid"] is False


async def test_what_is_newer_by_its_time_is_taken_from_the_list(world: World) -> None:
    newer = token(world.version, valid=False, last_updated="2026-05-04T10:00:01Z")

    async def meanwhile() -> None:
        await says(world, "PUT", "tokens/NL/EEE/CARD1", token(world.version), by="e1")

    await Puller(world.hub, SlowLists("tokens", [newer], meanwhile)).pull("e1")
    assert (await only_one(world, TOKENS, "NL*EEE"))["valid"] is False


@pytest.mark.parametrize("full", [True, False])
async def test_the_next_reading_of_the_list_takes_what_the_same_second_left_in_doubt(world: World, full: bool) -> None:
    listed = [token(world.version)]
    pushes = [token(world.version, valid=False)]

    async def meanwhile() -> None:
        for pushed in pushes:
            await says(world, "PUT", "tokens/NL/EEE/CARD1", pushed, by="e1")
        pushes.clear()

    puller = Puller(world.hub, SlowLists("tokens", listed, meanwhile))
    await puller.pull("e1")
    world.clock.move_to(timedelta(seconds=1).total_seconds())
    assert await puller.pull("e1", full=full) == Pulled(unchanged=1)
    assert (await only_one(world, TOKENS, "NL*EEE"))["valid"] is True
    assert world.clock.now() > NOW
