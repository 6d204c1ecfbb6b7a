"""What is known of partners that speak OICP: written with the registry's row or not at all, and known everywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, Partner, State
from partners.oicp.connections import OICP_CONNECTIONS, Connection, Connections
from tests.world import World, a_world

EMP = Connection(partner="emp", kind="emp", provider_ids=("DE-DCB",), fingerprints=("ab" * 32,))
HUB = Connection(partner="hbs", kind="hub", party="DE*HBJ", operator_ids=("DE*BSB",), learns=True)
BEHIND = Party.parse("FR*XYZ")


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with a_world(sqlite_url) as made:
        yield made


@pytest.fixture
async def connections(world: World) -> Connections:
    return Connections(world.hub)


async def test_a_connection_and_its_partner_are_known_together(world: World, connections: Connections) -> None:
    assert await connections.connect(EMP, actor="test") is True
    assert connections.of("emp") == connections.by_fingerprint("ab" * 32) == EMP
    partner = world.registry.get("emp")
    assert (partner.state, partner.interpreter, partner.version) == (State.CONNECTED, "oicp", "2.3.0")
    assert partner.speaks_for(Party.parse("DE*DCB"), [PartyRole.EMSP])
    assert partner.endpoint("tokens", "SENDER") == "oicp:tokens"
    assert partner.endpoint("commands", "RECEIVER") is None
    assert await connections.connect(EMP, actor="test") is False


async def test_another_process_and_the_next_start_know_it_too(world: World, connections: Connections) -> None:
    elsewhere = Connections(world.hub)
    await elsewhere.refresh()
    await connections.connect(EMP, actor="test")
    assert elsewhere.all() == []
    await elsewhere.refresh()
    assert elsewhere.all() == [EMP]


async def test_what_is_refused_leaves_nothing_behind(world: World, connections: Connections) -> None:
    await connections.connect(EMP, actor="test")
    wrong = [
        (EMP.model_copy(update={"partner": "other"}), Conflict),
        (EMP.model_copy(update={"partner": "e1"}), Conflict),
        (Connection(partner="other", kind="cpo", operator_ids=("nobody",)), InvalidRequest),
        (Connection(partner="other", kind="cpo", operator_ids=("+1*123",)), InvalidRequest),
        (Connection(partner="other", kind="hub", operator_ids=("DE*ABC",)), InvalidRequest),
    ]
    async with world.unchanged():
        for connection, error in wrong:
            with pytest.raises(error):
                await connections.connect(connection, actor="test")
    assert connections.all() == [EMP]


async def test_the_end_of_a_connection_is_the_end_of_the_partner(world: World, connections: Connections) -> None:
    await connections.connect(EMP, actor="test")
    await connections.disconnect("emp", actor="test")
    assert (connections.of("emp"), connections.by_fingerprint("ab" * 32)) == (None, None)
    partner = world.registry.get("emp")
    assert (partner.state, partner.claims, partner.endpoints) == (State.UNREGISTERED, (), ())
    assert await world.documents(OICP_CONNECTIONS) == []
    with pytest.raises(NotFound):
        await connections.disconnect("emp", actor="test")


async def test_a_party_that_comes_to_light_behind_a_hub_becomes_its_claim(
    world: World, connections: Connections
) -> None:
    await connections.connect(HUB, actor="test")
    assert world.registry.holder_of(BEHIND, [PartyRole.CPO]) is None
    for _ in range(2):
        await connections.learn(HUB, PartyRole.CPO, BEHIND)
    held = world.registry.holder_of(BEHIND, [PartyRole.CPO])
    assert held is not None
    assert (held.name, len(held.claims)) == ("hbs", 2)
    await connections.connect(HUB.model_copy(update={"base_url": "https://hbs.example"}), actor="test")
    assert world.registry.holder_of(BEHIND, [PartyRole.CPO]) is not None
    assert world.registry.holder_of(BEHIND, [PartyRole.EMSP]) is None


@pytest.mark.parametrize(
    ("role", "party"), [(PartyRole.CPO, "DE*BSB"), (PartyRole.EMSP, "NL*EEE"), (PartyRole.CPO, "BE*BBB")]
)
async def test_a_party_that_is_ours_or_connected_itself_is_not_learned(
    world: World, connections: Connections, role: PartyRole, party: str
) -> None:
    await connections.connect(HUB, actor="test")
    await connections.learn(HUB, role, Party.parse(party))
    assert [str(claim.party) for claim in world.registry.get("hbs").claims] == ["DE*HBJ"]


async def test_a_connection_that_does_not_learn_learns_nothing(world: World, connections: Connections) -> None:
    known = HUB.model_copy(update={"learns": False})
    await connections.connect(known, actor="test")
    await connections.learn(known, PartyRole.CPO, BEHIND)
    assert len(world.registry.get("hbs").claims) == 1


async def test_another_kind_forgets_what_was_learned(world: World, connections: Connections) -> None:
    await connections.connect(HUB, actor="test")
    await connections.learn(HUB, PartyRole.CPO, BEHIND)
    await connections.connect(EMP.model_copy(update={"partner": "hbs"}), actor="test")
    assert [str(claim.party) for claim in world.registry.get("hbs").claims] == ["DE*DCB"]


CPO = Connection(partner="xyz", kind="cpo", operator_ids=("FR*XYZ",))


async def test_a_party_that_is_connected_by_itself_is_behind_the_hub_no_more(
    world: World, connections: Connections
) -> None:
    await connections.connect(HUB, actor="test")
    await connections.learn(HUB, PartyRole.CPO, BEHIND)
    await connections.connect(CPO, actor="test")
    held = world.registry.holder_of(BEHIND, [PartyRole.CPO])
    assert held is not None
    assert held.name == "xyz"
    await connections.learn(HUB, PartyRole.CPO, BEHIND)
    assert world.registry.get("hbs").parties == {"DE*HBJ"}


async def test_a_party_that_is_invited_does_not_come_to_light_behind_a_hub(
    world: World, connections: Connections
) -> None:
    await connections.connect(HUB, actor="test")
    invited = Partner(name="xyz", invited=(Claim(role=PartyRole.CPO, party=BEHIND),))
    await world.registry.commit(invited, world.registry.unit(invited, new=True))
    await connections.learn(HUB, PartyRole.CPO, BEHIND)
    assert world.registry.get("hbs").parties == {"DE*HBJ"}


async def test_a_hub_that_comes_back_brings_who_was_behind_it_but_for_those_connected_meanwhile(
    world: World, connections: Connections
) -> None:
    await connections.connect(HUB, actor="test")
    await connections.learn(HUB, PartyRole.CPO, BEHIND)
    await connections.learn(HUB, PartyRole.EMSP, Party.parse("FR*EMP"))
    await connections.disconnect("hbs", actor="test")
    assert world.registry.holder_of(BEHIND, [PartyRole.CPO]) is None
    await connections.connect(CPO, actor="test")
    await connections.connect(HUB, actor="test")
    assert world.registry.get("hbs").parties == {"DE*HBJ", "FR*EMP"}
    held = world.registry.holder_of(BEHIND, [PartyRole.CPO])
    assert held is not None
    assert held.name == "xyz"
