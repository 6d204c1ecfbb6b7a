"""A hub's list of its clients, read from end to end: what is on it counts, and what is not counts as gone."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.behind import BEHIND
from hub.core.errors import PeerFault, PeerNonsense, PeerTimeout
from hub.core.parties import Party, PartyRole
from hub.core.ports import PeerAnswer
from hub.core.registry import Claim, Endpoint, Partner
from partners.ocpi.pull import Pulled, Puller
from tests.world import World

AT = "https://h.example/ocpi/hubclientinfo"


class Clients:
    """What the hub has, two on a page."""

    def __init__(self) -> None:
        self.infos = [info(f"B{n:02}") for n in range(5)]
        self.asked: list[str] = []
        self.faults: dict[int, Exception] = {}
        self.shrinking = 0
        """So many readings of its list find one client less at their end than at their beginning."""

    async def send(self, partner: Partner, method: str, module: str, side: Any, **rest: Any) -> PeerAnswer:
        assert (method, module) == ("GET", "hubclientinfo")
        assert "date_from" not in rest["query"]
        return self._page(0)

    async def get(self, partner: Partner, url: str, **rest: Any) -> PeerAnswer:
        return self._page(int(url.partition("offset=")[2]))

    def _page(self, offset: int) -> PeerAnswer:
        self.asked.append(str(offset))
        fault = self.faults.pop(len(self.asked), None)
        if fault is not None:
            raise fault
        if offset and self.shrinking:
            self.shrinking -= 1
            self.infos.pop(0)
        page = self.infos[offset : offset + 2]
        headers = {"x-total-count": str(len(self.infos)), "x-limit": "2"}
        if offset + 2 < len(self.infos):
            headers["link"] = f'<{AT}?offset={offset + 2}>; rel="next"'
        return PeerAnswer(200, 1000, page, headers)


def info(party_id: str, status: str = "CONNECTED", **fields: Any) -> dict[str, Any]:
    about = {"country_code": "FR", "party_id": party_id, "role": "CPO", "status": status}
    return {**about, "last_updated": "2026-05-04T10:00:00Z", **fields}


@pytest.fixture(params=["2.2.1", "2.3.0"])
def version(request: pytest.FixtureRequest) -> str:
    """Those that have the module."""
    return str(request.param)


@pytest.fixture
async def world(world: World) -> World:
    """With the hub h, which serves its list."""
    hub = await world.join("h", "FR*HUB", PartyRole.HUB)
    endpoint = Endpoint(identifier="hubclientinfo", role="SENDER", url=AT)
    await world.registry.save(hub.model_copy(update={"endpoints": (endpoint,)}))
    return world


async def kept(world: World) -> dict[str, str]:
    return {document.owner: document.columns["status"] for document in await world.documents(BEHIND)}


async def test_every_page_of_the_list_is_kept_as_that_hubs_word(world: World) -> None:
    assert await Puller(world.hub, Clients()).pull("h") == Pulled(5, 0, 0)
    assert await kept(world) == {f"FR*B{n:02}": "CONNECTED" for n in range(5)}
    assert {document.columns["partner"] for document in await world.documents(BEHIND)} == {"h"}


async def test_the_list_is_always_read_whole_and_what_is_not_on_it_is_suspended(world: World) -> None:
    clients = Clients()
    puller = Puller(world.hub, clients)
    await puller.pull("h")
    clients.infos = [info("B00", "OFFLINE", last_updated="2026-05-04T10:00:01Z"), *clients.infos[2:]]
    assert await puller.pull("h") == Pulled(0, 4, 0)
    assert await kept(world) == {
        "FR*B00": "OFFLINE",
        "FR*B01": "SUSPENDED",
        **{f"FR*B{n:02}": "CONNECTED" for n in (2, 3, 4)},
    }


async def test_what_is_no_client_info_is_passed_over(world: World) -> None:
    clients = Clients()
    clients.infos[1:1] = [info("B99", "ASLEEP"), {"party_id": "X"}, 5]  # type: ignore[list-item]
    assert await Puller(world.hub, clients).pull("h") == Pulled(5, 0, 3)
    assert len(await kept(world)) == 5


async def test_a_list_that_breaks_off_suspends_nobody(world: World) -> None:
    clients = Clients()
    puller = Puller(world.hub, clients)
    await puller.pull("h")
    clients.faults[len(clients.asked) + 2] = PeerTimeout("late")
    async with world.unchanged():
        with pytest.raises(PeerFault):
            await puller.pull("h")


async def test_a_list_that_gets_shorter_meanwhile_is_read_again(world: World) -> None:
    clients = Clients()
    clients.shrinking = 1
    assert (await Puller(world.hub, clients).pull("h")).taken == 4
    clients.infos, clients.shrinking = [info(f"B{n:02}") for n in range(20)], 30
    with pytest.raises(PeerNonsense):
        await Puller(world.hub, clients).pull("h")


async def test_it_is_due_after_registering_after_a_start_and_once_a_day(world: World) -> None:
    clients = Clients()
    puller = Puller(world.hub, clients)

    def is_due(which: Puller) -> bool:
        return [source.module for source in which.due(world.partner("h"))] == ["hubclientinfo"]

    assert is_due(puller)
    await puller.pull("h")
    assert not is_due(puller)
    assert is_due(Puller(world.hub, clients)), "we have been away, and do not know what happened"
    world.clock.move_to(86_400)
    assert is_due(puller)


async def test_only_a_hubs_list_is_read(world: World) -> None:
    claim = Claim(role=PartyRole.EMSP, party=Party.parse("FR*HUB"))
    hub = world.partner("h").model_copy(update={"claims": (claim,)})
    assert Puller(world.hub, Clients()).due(hub) == []
