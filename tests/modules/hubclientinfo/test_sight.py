"""Who comes into a partner's sight, or goes out of it, by an agreement or by its own roles: told by PUT, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.inbound import parse
from hub.core.lane_partner import ONLY
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, Partner, State
from modules.hubclientinfo import service
from modules.hubclientinfo.publication import ClientInfoPublication
from modules.hubclientinfo.roster import standings
from modules.hubclientinfo.store import CLIENTS, MODULE, SIGHTS
from tests.world import World, a_program, a_world, until

DENIED = Agreement(viewer="c1", owner="NL*EEE", allow=False)
CPOS = Agreement(viewer="c1", owner="BE*BBB")


@pytest.fixture(params=["2.2.1", "2.3.0"])
async def world(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[World]:
    async with a_world(sqlite_url, request.param) as made:
        await keep(made)
        yield made


async def keep(world: World) -> None:
    await service.keep(world.hub, standings(world.hub))


async def change(world: World, name: str, **fields: Any) -> Partner:
    return await world.registry.change(name, lambda partner: partner.model_copy(update=fields))


async def told(world: World, name: str, *, after: int) -> list[tuple[str, str, str]]:
    """What the lane of that partner notes and sends: party, status, last_updated."""
    publication, partner, before = ClientInfoPublication(), world.partner(name), len(world.peers.sent)
    for row in await world.store.changes(after=after, limit=1000):
        change = row.change
        meant = not change.what.startswith(ONLY) or change.what == f"{ONLY}{name}"
        if change.module == MODULE and meant and publication.concerns(world.hub, partner, change):
            await publication.deliver(world.hub, partner, change.key, frozenset())
    bodies = [sent.body for sent in world.peers.sent[before:]]
    return [(f"{b['country_code']}*{b['party_id']}", b["status"], b["last_updated"]) for b in bodies]


async def agree(world: World, rule: Agreement, *, minute: int) -> int:
    """Returns: the last change before."""
    last = await world.store.last_change()
    world.clock.move_to(60 * minute)
    await world.hub.agreements.put(rule, actor="ops")
    await keep(world)
    return last


async def test_whom_an_agreement_hides_is_suspended_to_that_partner_alone(world: World) -> None:
    last = await agree(world, DENIED, minute=1)
    assert await told(world, "c1", after=last) == [("NL*EEE", "SUSPENDED", "2026-05-04T10:01:00.000Z")]
    assert await told(world, "c2", after=last) == await told(world, "e2", after=last) == []


async def test_whom_an_agreement_shows_again_is_told_as_it_stands_and_as_the_newer_word(world: World) -> None:
    await agree(world, DENIED, minute=1)
    last = await world.store.last_change()
    world.clock.move_to(120)
    await world.hub.agreements.remove(DENIED, actor="ops")
    await keep(world)
    assert await told(world, "c1", after=last) == [("NL*EEE", "CONNECTED", "2026-05-04T10:02:00.000Z")]
    listed = await world.ask("GET", world.at("sender/hubclientinfo?date_from=2026-05-04T10:02:00Z"), by="c1")
    assert [each["party_id"] for each in listed.data] == ["EEE"]


async def test_who_comes_into_sight_is_told_and_its_state_is_as_old_as_before(world: World) -> None:
    last = await agree(world, CPOS, minute=1)
    assert await told(world, "c1", after=last) == [("BE*BBB", "CONNECTED", "2026-05-04T10:01:00.000Z")]
    (document,) = [d for d in await world.documents(CLIENTS) if d.key == "BE*BBB/CPO"]
    assert document.columns["since"] == "2026-05-04T10:00:00.000Z"
    assert parse(document.body, limit=1000)["last_updated"] == document.last_updated


async def test_what_changes_while_it_is_hidden_is_not_told(world: World) -> None:
    await agree(world, DENIED, minute=1)
    last = await world.store.last_change()
    await change(world, "e1", state=State.BLOCKED)
    await keep(world)
    assert await told(world, "c1", after=last) == []
    assert [party for party, *_ in await told(world, "c2", after=last)] == ["NL*EEE"]


async def test_an_agreement_that_changes_nothing_of_who_is_seen_tells_nobody_anything(world: World) -> None:
    await world.hub.agreements.put(Agreement(viewer="c1", owner="NL*EEE", module="tokens", allow=False), actor="ops")
    async with world.unchanged():
        await keep(world)


async def test_a_partner_that_gets_another_role_is_told_whom_it_sees_now(world: World) -> None:
    last = await world.store.last_change()
    more = (*world.partner("e1").claims, Claim(role=PartyRole.CPO, party=Party.parse("NL*EEE")))
    await change(world, "e1", claims=more, invited=more)
    await keep(world)
    assert {(party, status) for party, status, _ in await told(world, "e1", after=last)} == {
        ("NL*AAA", "PLANNED"),
        ("NL*FFF", "CONNECTED"),
        ("NL*PPP", "SUSPENDED"),
    }
    assert [party for party, *_ in await told(world, "e2", after=last)] == ["NL*EEE"]
    last = await world.store.last_change()
    await change(world, "e1", claims=more[:1], invited=more[:1])
    await keep(world)
    assert {status for _, status, _ in await told(world, "e1", after=last)} == {"SUSPENDED"}
    assert [(party, status) for party, status, _ in await told(world, "e2", after=last)] == [("NL*EEE", "SUSPENDED")]


async def test_a_partner_that_is_blocked_hears_of_it_when_it_is_let_in_again(world: World) -> None:
    await change(world, "c1", state=State.BLOCKED)
    last = await agree(world, DENIED, minute=1)
    assert await told(world, "c1", after=last) == []
    await change(world, "c1", state=State.CONNECTED)
    await keep(world)
    assert [(party, status) for party, status, _ in await told(world, "c1", after=last)] == [("NL*EEE", "SUSPENDED")]


async def test_a_partner_that_registers_pulls_and_one_that_left_begins_anew(world: World) -> None:
    await world.join("n", "NL*NNN", PartyRole.EMSP)
    last = await world.store.last_change()
    await keep(world)
    assert await told(world, "n", after=last) == []
    await change(world, "n", state=State.UNREGISTERED)
    await keep(world)
    assert "n" not in {document.key for document in await world.documents(SIGHTS)}


async def test_a_restart_forgets_nobody_and_tells_nothing_again(database_url: str) -> None:
    async with a_world(database_url) as world:
        await keep(world)
        await agree(world, DENIED, minute=1)
        last = await world.store.last_change()
    async with a_world(database_url) as world:
        async with world.unchanged():
            await keep(world)
        await world.hub.agreements.remove(DENIED, actor="ops")
        await keep(world)
        assert [party for party, *_ in await told(world, "c1", after=last)] == ["NL*EEE"]


async def test_partners_of_211_have_no_such_module(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.1.1") as world:
        await keep(world)
        await agree(world, DENIED, minute=1)
        assert await world.documents(SIGHTS) == []


async def test_a_running_hub_looks_as_soon_as_an_agreement_is_made(sqlite_url: str) -> None:
    async with a_program(sqlite_url, sharing="closed") as program:
        world = World.around(program.hub)
        await world.join("c1", "BE*AAA", PartyRole.CPO)
        await world.join("e1", "NL*EEE", PartyRole.EMSP)

        async def sees(*parties: str) -> bool:
            document = await program.store.get(SIGHTS, "c1")
            return document is not None and parse(document.body, limit=1000)["seen"] == [*parties]

        await until(sees)
        await program.hub.agreements.put(Agreement(viewer="c1", owner="NL*EEE"), actor="ops")
        await until(lambda: sees("NL*EEE/EMSP"))
        await program.hub.agreements.remove(Agreement(viewer="c1", owner="NL*EEE"), actor="ops")
        await until(sees)
