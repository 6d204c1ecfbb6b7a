"""A party of 2.1.1 that has a connection for each party that it meets (`--as`): each carries what is of that one alone.

See hub/decisions/parties-over-2.1.1.md.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.parties import PartyRole
from hub.core.registry import State
from modules.tokens.authorize import authorize
from tests.contract.test_passed_on import Hub as Passing
from tests.contract.test_passed_on import bill
from tests.modules.sessions.records import a_session
from tests.world import Said, a_world, token

DRIVERS = "NL*TWO"
CPOS = {"c1": "BE*AAA", "c2": "BE*BBB"}
CONNECTIONS = {"c1": "for-aaa", "c2": "for-bbb"}
NAMED = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "TWO")]


class Hub(Passing):
    """CPOs c1 and c2, and the eMSP NL*TWO with a connection for each of them."""

    async def open(self) -> None:
        for cpo in ("c2", "c1"):
            await self.connect(cpo)
        self.lanes.start()
        await self.quiet()

    async def connect(self, cpo: str, *, state: State = State.CONNECTED) -> None:
        made = await self.world.join(CONNECTIONS[cpo], DRIVERS, PartyRole.EMSP, version="2.1.1", state=state)
        await self.world.registry.save(made.model_copy(update={"represents": CPOS[cpo]}))

    async def change(self, name: str, state: State) -> None:
        partner = self.world.partner(name)
        await self.world.registry.save(partner.model_copy(update={"state": state}))

    async def charges(self, cpo: str, *, headers: list[tuple[str, str]] | None = None) -> None:
        """A driver of NL*TWO has charged at `cpo`: a session and its CDR, each with an id that tells whose it is."""
        world, owner = self.world, CPOS[cpo]
        path = f"/ocpi/2.2.1/receiver/sessions/{owner.replace('*', '/')}/S-{cpo}"
        session = a_session("2.2.1", owner, DRIVERS, id=f"S-{cpo}")
        assert (await world.ask("PUT", path, by=cpo, body=session, headers=headers or ())).code == 1000
        country_code, party_id = owner.split("*")
        body = bill("2.2.1", DRIVERS, id=f"C-{cpo}", country_code=country_code, party_id=party_id)
        said = await world.ask("POST", "/ocpi/2.2.1/receiver/cdrs", by=cpo, body=body, headers=headers or ())
        assert said.code == 1000
        await self.quiet()

    def told(self, name: str) -> list[tuple[str, str]]:
        sent = [each for module in ("sessions", "cdrs") for each in self.got(name, module)]
        return [(each.method, each.body["id"]) for each in sent]

    async def listed(self, name: str, module: str) -> list[str]:
        query = "?date_from=2020-01-01T00:00:00Z"
        said = await self.world.ask("GET", f"/ocpi/2.1.1/sender/{module}{query}", by=name)
        assert said.headers["x-total-count"] == str(len(said.data))
        return [each["id"] for each in said.data]

    async def authorizes(self, cpo: str, uid: str, *, headers: list[tuple[str, str]] | None = None) -> Said:
        path = f"/ocpi/2.2.1/sender/tokens/{uid}/authorize"
        return await self.world.ask("POST", path, by=cpo, body={"location_id": "X"}, headers=headers or ())

    async def tells_card(self, cpo: str, uid: str) -> None:
        path = f"/ocpi/2.1.1/receiver/tokens/NL/TWO/{uid}"
        body = token("2.1.1", DRIVERS, uid, whitelist="NEVER")
        assert (await self.world.ask("PUT", path, by=CONNECTIONS[cpo], body=body)).code == 1000
        await self.quiet()


@pytest.fixture
async def hub(sqlite_url: str) -> AsyncIterator[Hub]:
    async with Hub.opened(sqlite_url, "2.2.1") as made:
        yield made


@pytest.mark.parametrize("headers", [[], NAMED])
async def test_sessions_and_cdrs_go_over_the_connection_for_their_owner(
    hub: Hub, headers: list[tuple[str, str]]
) -> None:
    for cpo in CPOS:
        await hub.charges(cpo, headers=headers)
    for cpo, name in CONNECTIONS.items():
        assert hub.told(name) == [("PUT", f"S-{cpo}"), ("POST", f"C-{cpo}")]


async def test_each_connection_lists_the_records_of_its_party_alone(hub: Hub) -> None:
    for cpo in CPOS:
        await hub.charges(cpo)
    ours = await hub.world.charge(DRIVERS)
    for cpo, name in CONNECTIONS.items():
        assert await hub.listed(name, "sessions") == [f"S-{cpo}"]
        assert await hub.listed(name, "cdrs") == [f"C-{cpo}"]
    await hub.world.registry.save(hub.world.partner("for-bbb").model_copy(update={"state": State.UNREGISTERED}))
    await hub.world.registry.save(hub.world.partner("for-aaa").model_copy(update={"represents": ""}))
    assert await hub.listed("for-aaa", "sessions") == ["S-c1", "S-c2", ours], "it stands for nobody alone any more"


async def test_what_comes_while_its_connection_is_blocked_waits_for_that_one(hub: Hub) -> None:
    await hub.change("for-bbb", State.BLOCKED)
    await hub.charges("c2")
    assert hub.told("for-aaa") == hub.told("for-bbb") == []
    await hub.change("for-bbb", State.CONNECTED)
    await hub.restart()
    assert hub.told("for-aaa") == []
    assert hub.told("for-bbb") == [("PUT", "S-c2"), ("POST", "C-c2")]


async def test_what_came_before_there_was_a_connection_for_its_owner_goes_out_over_it(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.2.1") as world:
        hub = Hub(world, random.Random(1))
        await hub.connect("c1")
        hub.lanes.start()
        await hub.charges("c2")
        assert hub.told("for-aaa") == []
        await hub.connect("c2")
        await hub.looks()
        assert hub.told("for-aaa") == []
        assert sorted(hub.told("for-bbb")) == [("POST", "C-c2"), ("PUT", "S-c2")]
        await hub.lanes.stop()


@pytest.mark.parametrize("headers", [[], NAMED])
@pytest.mark.parametrize("uid", ["CARD1", "NL-TWO-C12345678"])
async def test_a_card_is_asked_about_over_the_connection_for_who_asks(
    hub: Hub, headers: list[tuple[str, str]], uid: str
) -> None:
    """One that is on a list, and one that only names its eMSP."""
    hub.world.peers.script = lambda sent: {"allowed": "BLOCKED"} if sent.path[-1:] == ("authorize",) else None
    for cpo in CPOS:
        await hub.tells_card(cpo, "CARD1")
    for cpo, name in CONNECTIONS.items():
        hub.world.peers.sent.clear()
        said = await hub.authorizes(cpo, uid, headers=headers)
        (sent,) = hub.world.peers.sent
        assert (sent.partner, sent.sender, said.data["allowed"]) == (name, CPOS[cpo], "BLOCKED")


async def test_a_card_of_who_does_not_meet_our_own_party_does_not_charge_here(hub: Hub) -> None:
    await hub.tells_card("c1", "CARD1")
    hub.world.peers.sent.clear()
    decision = await authorize(hub.world.hub, "CARD1", None, at="CP1")
    assert (decision.allowed, hub.world.peers.sent) == ("NOT_ALLOWED", [])
    await hub.world.registry.save(hub.world.partner("for-bbb").model_copy(update={"represents": "DE*BSB"}))
    hub.world.peers.script = lambda sent: {"allowed": "ALLOWED"}
    decision = await authorize(hub.world.hub, "CARD1", None, at="CP2")
    assert decision.allowed == "ALLOWED"
    assert {sent.partner for sent in hub.world.peers.sent} == {"for-bbb"}


async def test_a_driver_of_another_connection_starts_and_stops_nothing_of_ours(hub: Hub) -> None:
    session_id = await hub.world.charge(DRIVERS, end=False)
    orders: dict[str, dict[str, Any]] = {
        "START_SESSION": {"token": token("2.1.1", DRIVERS), "location_id": "LOC1", "evse_uid": "E1"},
        "STOP_SESSION": {"session_id": session_id},
        "UNLOCK_CONNECTOR": {"location_id": "LOC1", "evse_uid": "E1", "connector_id": "1"},
    }
    results = {}
    async with hub.world.unchanged():
        for name, order in orders.items():
            body = {**order, "response_url": "https://for-aaa.example/x"}
            said = await hub.world.ask("POST", f"/ocpi/2.1.1/receiver/commands/{name}", by="for-aaa", body=body)
            results[name] = said.data["result"]
    unknown = await hub.world.ask(
        "POST",
        "/ocpi/2.1.1/receiver/commands/STOP_SESSION",
        by="for-aaa",
        body={"session_id": "none", "response_url": "https://for-aaa.example/x"},
    )
    assert results == {
        "START_SESSION": "REJECTED",
        "STOP_SESSION": unknown.data["result"],
        "UNLOCK_CONNECTOR": "REJECTED",
    }
