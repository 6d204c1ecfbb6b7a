"""How every party stands: worked out of the partners, kept over a restart, and told only when it is news."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.behind import Status
from hub.core.inbound import parse
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, Partner, State, TokenUse
from modules.hubclientinfo import service
from modules.hubclientinfo.model import ClientInfoTold
from modules.hubclientinfo.publication import ClientInfoPublication
from modules.hubclientinfo.roster import standings
from modules.hubclientinfo.store import CLIENTS, MODULE, body_of
from tests.world import NOW, World, a_world

USUAL = {
    "DE*BSB/CPO": "CONNECTED",
    "BE*AAA/CPO": "CONNECTED",
    "BE*BBB/CPO": "CONNECTED",
    "NL*EEE/EMSP": "CONNECTED",
    "NL*FFF/EMSP": "CONNECTED",
    "NL*AAA/EMSP": "PLANNED",
    "NL*PPP/EMSP": "SUSPENDED",
}


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with a_world(sqlite_url) as made:
        yield made


async def keep(world: World) -> int:
    return await service.keep(world.hub, standings(world.hub))


async def statuses(world: World) -> dict[str, str]:
    return {document.key: document.columns["status"] for document in await world.documents(CLIENTS)}


async def told(world: World) -> list[str]:
    """The keys of which partners are to hear, since the start."""
    return [row.change.key for row in await world.store.changes(after=0, limit=1000) if row.change.module == MODULE]


async def change(world: World, name: str, **fields: Any) -> Partner:
    return await world.registry.change(name, lambda partner: partner.model_copy(update=fields))


def fall_silent(world: World, name: str) -> None:
    for _ in range(2):
        world.hub.pulses.missed(name, "no connection")


async def join_hub(world: World, *behind: tuple[PartyRole, str]) -> Partner:
    """A hub that speaks for these."""
    hub = await world.join("h", "FR*HUB", PartyRole.HUB)
    claims = tuple(Claim(role=role, party=Party.parse(party)) for role, party in behind)
    return await change(world, "h", claims=hub.claims + claims, invited=hub.claims + claims)


def info(party: str, role: str, status: str, **fields: Any) -> ClientInfoTold:
    country_code, party_id = party.split("*")
    about = {"country_code": country_code, "party_id": party_id, "role": role, "status": status}
    return ClientInfoTold.model_validate({"last_updated": NOW, **about, **fields})


async def test_every_party_stands_as_its_partner_does_and_ours_is_connected(world: World) -> None:
    assert await keep(world) == len(USUAL)
    assert await statuses(world) == USUAL
    assert sorted(await told(world)) == sorted(USUAL)


async def test_nothing_is_written_or_told_twice(world: World) -> None:
    await keep(world)
    async with world.unchanged():
        assert await keep(world) == 0


async def test_a_silent_partner_is_offline_and_back_when_it_answers(world: World) -> None:
    await keep(world)
    before = len(await told(world))
    fall_silent(world, "e1")
    await keep(world)
    assert (await statuses(world))["NL*EEE/EMSP"] == "OFFLINE"
    world.hub.pulses.answered("e1")
    await keep(world)
    assert (await statuses(world))["NL*EEE/EMSP"] == "CONNECTED"
    assert (await told(world))[before:] == ["NL*EEE/EMSP"] * 2


@pytest.mark.parametrize(
    ("state", "status"),
    [(State.BLOCKED, "SUSPENDED"), (State.UNREGISTERED, "SUSPENDED"), (State.INVITED, "PLANNED")],
)
async def test_the_state_of_a_partner_decides(world: World, state: State, status: str) -> None:
    await keep(world)
    await change(world, "e1", state=state, claims=() if state is not State.BLOCKED else world.partner("e1").claims)
    await keep(world)
    assert (await statuses(world))["NL*EEE/EMSP"] == status


async def test_a_party_that_nobody_speaks_for_any_more_is_suspended_and_never_vanishes(world: World) -> None:
    await keep(world)
    await change(world, "a", invited=(Claim(role=PartyRole.EMSP, party=Party.parse("NL*NEW")),))
    await keep(world)
    assert await statuses(world) == {**USUAL, "NL*AAA/EMSP": "SUSPENDED", "NL*NEW/EMSP": "PLANNED"}


async def test_a_role_that_was_agreed_and_not_registered_is_planned(world: World) -> None:
    partner = world.partner("e1")
    more = Claim(role=PartyRole.CPO, party=Party.parse("NL*EEE"))
    await change(world, "e1", invited=(*partner.invited, more))
    await keep(world)
    found = await statuses(world)
    assert (found["NL*EEE/EMSP"], found["NL*EEE/CPO"]) == ("CONNECTED", "PLANNED")


async def test_a_party_with_several_connections_stands_as_the_best_of_them(world: World) -> None:
    await change(world, "e1", represents="BE*AAA")
    await world.join("e1-too", "NL*EEE", PartyRole.EMSP)
    fall_silent(world, "e1")
    await keep(world)
    assert (await statuses(world))["NL*EEE/EMSP"] == "CONNECTED"
    fall_silent(world, "e1-too")
    await keep(world)
    assert (await statuses(world))["NL*EEE/EMSP"] == "OFFLINE"


async def test_the_time_moves_only_with_the_state(world: World) -> None:
    await keep(world)
    (before,) = [d for d in await world.documents(CLIENTS) if d.key == "NL*AAA/EMSP"]
    world.clock.move_to(60)
    await change(world, "a", state=State.CONNECTED)  # registered without this role: as planned as before
    await keep(world)
    (after,) = [d for d in await world.documents(CLIENTS) if d.key == "NL*AAA/EMSP"]
    assert before.columns["why"] != after.columns["why"]
    assert (after.last_updated, after.body) == (before.last_updated, before.body)
    world.clock.move_to(120)
    await change(world, "a", claims=world.partner("a").invited)
    await keep(world)
    (moved,) = [d for d in await world.documents(CLIENTS) if d.key == "NL*AAA/EMSP"]
    assert parse(moved.body, limit=1000)["last_updated"] == moved.last_updated == "2026-05-04T10:02:00.000Z"


async def test_a_restart_loses_no_state_and_tells_nothing_again(database_url: str) -> None:
    async with a_world(database_url) as world:
        fall_silent(world, "e1")
        await keep(world)
        last = await world.store.last_change()
    async with a_world(database_url) as world:
        await service.recall(world.hub)
        assert world.hub.pulses.is_silent("e1")
        assert not world.hub.pulses.is_silent("e2")
        assert await keep(world) == 0
        assert await world.store.last_change() == last


async def test_a_hub_says_how_those_behind_it_stand(world: World) -> None:
    hub = await join_hub(world, (PartyRole.EMSP, "FR*BHD"), (PartyRole.CPO, "FR*CPO"))
    assert await service.take(world.hub, hub, info("FR*BHD", "EMSP", "OFFLINE"), "EMSP")
    await keep(world)
    found = await statuses(world)
    assert (found["FR*HUB/HUB"], found["FR*BHD/EMSP"], found["FR*CPO/CPO"]) == ("CONNECTED", "OFFLINE", "CONNECTED")
    fall_silent(world, "h")
    await keep(world)
    found = await statuses(world)
    assert [found[key] for key in ("FR*HUB/HUB", "FR*BHD/EMSP", "FR*CPO/CPO")] == ["OFFLINE"] * 3


async def test_a_hub_has_no_say_over_who_is_connected_here_or_over_us(world: World) -> None:
    hub = await join_hub(world)
    for party, role in (("NL*EEE", "EMSP"), ("DE*BSB", "CPO"), ("XX*XXX", "CPO")):
        await service.take(world.hub, hub, info(party, role, "SUSPENDED"), role)
    await keep(world)
    assert await statuses(world) == {**USUAL, "FR*HUB/HUB": "CONNECTED"}


async def test_what_is_not_on_a_hubs_list_any_more_is_suspended(world: World) -> None:
    hub = await join_hub(world, (PartyRole.EMSP, "FR*BHD"), (PartyRole.EMSP, "FR*BHE"))
    both = [info("FR*BHD", "EMSP", "CONNECTED"), info("FR*BHE", "EMSP", "CONNECTED")]
    assert await service.take_list(world.hub, hub, both) == 2
    assert await service.take_list(world.hub, hub, both[:1]) == 0
    await keep(world)
    found = await statuses(world)
    assert (found["FR*BHD/EMSP"], found["FR*BHE/EMSP"]) == ("CONNECTED", "SUSPENDED")
    shown = service.told_by(world.hub, hub, Party.parse("FR*BHE"))
    assert parse(shown.body, limit=1000)["status"] == "SUSPENDED"


async def deliver_all(world: World, name: str) -> list[tuple[str, str]]:
    """What the partner was sent of all client infos: where, and the status."""
    publication, before = ClientInfoPublication(), len(world.peers.sent)
    for document in await world.documents(CLIENTS):
        await publication.deliver(world.hub, world.partner(name), document.key, frozenset())
    return [("/".join(sent.path), sent.body["status"]) for sent in world.peers.sent[before:]]


async def test_each_partner_is_told_of_those_it_has_to_do_with(world: World) -> None:
    await keep(world)
    cpos = [("BE/AAA", "CONNECTED"), ("BE/BBB", "CONNECTED"), ("DE/BSB", "CONNECTED")]
    emsps = [("NL/AAA", "PLANNED"), ("NL/EEE", "CONNECTED"), ("NL/FFF", "CONNECTED"), ("NL/PPP", "SUSPENDED")]
    assert sorted(await deliver_all(world, "e1")) == cpos
    assert sorted(await deliver_all(world, "c1")) == emsps
    await world.hub.agreements.put(Agreement(viewer="c1", owner="NL*PPP", allow=False), actor="ops")
    await world.hub.agreements.put(Agreement(viewer="c1", owner="BE*BBB"), actor="ops")
    assert sorted(await deliver_all(world, "c1")) == [("BE/BBB", "CONNECTED"), *emsps[:3]]


async def test_who_has_no_endpoint_for_it_is_told_nothing(world: World) -> None:
    await keep(world)
    await world.join("old", "NL*OLD", PartyRole.EMSP, version="2.1.1")
    await change(world, "e2", endpoints=())
    assert await deliver_all(world, "old") == await deliver_all(world, "e2") == []


async def test_a_lane_notes_only_what_its_partner_is_to_hear(world: World) -> None:
    await keep(world)
    rows = [row.change for row in await world.store.changes(after=0, limit=1000) if row.change.module == MODULE]
    noted = [row.key for row in rows if ClientInfoPublication().concerns(world.hub, world.partner("e1"), row)]
    assert sorted(noted) == ["BE*AAA/CPO", "BE*BBB/CPO", "DE*BSB/CPO"]


async def test_a_hub_is_hub_in_221_and_other_in_230(world: World) -> None:
    await join_hub(world)
    await world.join("c23", "NL*CCC", PartyRole.CPO, version="2.3.0")
    for viewer in ("c1", "c23"):
        await world.hub.agreements.put(Agreement(viewer=viewer, owner="FR*HUB"), actor="ops")
    await keep(world)
    for viewer, role in (("c1", "HUB"), ("c23", "OTHER")):
        await ClientInfoPublication().deliver(world.hub, world.partner(viewer), "FR*HUB/HUB", frozenset())
        assert world.peers.sent[-1].body["role"] == role


async def test_an_invitation_that_is_used_makes_planned_connected(world: World) -> None:
    await world.join("n", "NL*NNN", PartyRole.EMSP, state=State.INVITED, use=TokenUse.REGISTRATION)
    await keep(world)
    assert (await statuses(world))["NL*NNN/EMSP"] == "PLANNED"
    await change(world, "n", state=State.CONNECTED, claims=world.partner("n").invited)
    await keep(world)
    assert (await statuses(world))["NL*NNN/EMSP"] == "CONNECTED"


def test_a_role_that_no_table_of_the_module_has_is_told_as_other() -> None:
    for role, told in ((PartyRole.PTP, "OTHER"), (PartyRole.HUB, "OTHER"), (PartyRole.EMSP, "EMSP")):
        body = body_of(Party.parse("NL*PPP"), role, Status.CONNECTED, "2026-05-04T10:00:00.000Z")
        assert parse(body, limit=1000)["role"] == told
