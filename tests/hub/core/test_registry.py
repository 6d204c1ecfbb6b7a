"""The partners: who is calling, and changes that never overwrite each other."""

from __future__ import annotations

import asyncio

import pytest

from hub.core.errors import InvalidRequest, NotFound, Unauthorized
from hub.core.operations import EMSP_LIKE
from hub.core.parties import Party, PartyRole
from hub.core.registry import Partner, State
from tests.world import NOW, World, a_world


async def test_changes_at_the_same_time_are_all_kept(database_url: str) -> None:
    async with a_world(database_url) as world:

        def counted(partner: Partner) -> Partner:
            return partner.model_copy(update={"pulled": {**partner.pulled, f"n{len(partner.pulled)}": "x"}})

        await asyncio.gather(*(world.registry.change("e1", counted) for _ in range(20)))
        assert len(world.partner("e1").pulled) == 20
    async with a_world(database_url) as world:
        assert len(world.partner("e1").pulled) == 20


async def test_a_change_that_raises_writes_nothing(world: World) -> None:
    def refusing(partner: Partner) -> Partner:
        raise InvalidRequest("no")

    async with world.unchanged():
        with pytest.raises(InvalidRequest):
            await world.registry.change("e1", refusing)
        with pytest.raises(NotFound):
            await world.registry.change("nobody", lambda partner: partner)
        await world.registry.change("e1", lambda partner: partner)
    await world.registry.change("e1", lambda partner: partner.model_copy(update={"quirks": ("a",)}))
    assert world.partner("e1").quirks == ("a",)


async def test_what_another_process_wrote_is_seen_after_a_refresh(postgres_url: str) -> None:
    async with a_world(postgres_url) as first, a_world(postgres_url) as second:
        await first.registry.change("e1", lambda partner: partner.model_copy(update={"state": State.BLOCKED}))
        async with asyncio.timeout(30):
            while second.partner("e1").state is not State.BLOCKED:
                await second.registry.refresh()
                await asyncio.sleep(0.01)
        assert (await second.ask("GET", "/ocpi/versions", by="e1")).http == 401


async def test_the_caller_is_found_by_header_and_forgotten_with_the_registration(world: World) -> None:
    header = world.authorization(world.secrets["e1"]).encode()
    assert world.registry.caller(header, NOW).partner.name == "e1"
    assert world.registry.caller(header, NOW).partner.name == "e1"
    await world.registry.change("e1", lambda partner: partner.model_copy(update={"our_tokens": ()}))
    with pytest.raises(Unauthorized):
        world.registry.caller(header, NOW)


async def test_the_holder_of_a_party_is_who_claims_it_in_that_role(world: World) -> None:
    registry = world.registry
    holder = registry.holder_of(Party("NL", "EEE"), EMSP_LIKE)
    assert holder is not None
    assert holder.name == "e1"
    assert registry.holder_of(Party("NL", "EEE"), (PartyRole.CPO,)) is None
    assert registry.holder_of(Party("NL", "PPP"), EMSP_LIKE) is None, "it is blocked"
    assert registry.holder_of(Party("NL", "AAA"), EMSP_LIKE) is None, "it is invited only"


async def test_an_endpoint_is_found_by_role_where_the_version_has_roles(world: World) -> None:
    partner = world.partner("e1")
    assert partner.endpoint("locations", "RECEIVER") == f"https://e1.example/ocpi/{world.version}/locations"
    expected = partner.endpoint("locations", "RECEIVER") if world.version == "2.1.1" else None
    assert partner.endpoint("locations", "SENDER") == expected
    assert partner.endpoint("nothing", "SENDER") is None
