"""Who may see whose objects: the default by roles, and the agreements above it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub.core.agreements import Agreement, writers_of
from hub.core.errors import InvalidRequest, NotFound
from hub.core.parties import PartyRole
from hub.core.registry import State
from modules import all_operations
from tests.world import World, a_world

OURS = "DE*BSB"


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """The usual partners, and a NAP and an OTHER."""
    async with a_world(sqlite_url) as made:
        await made.join("nap", "NL*NAP", PartyRole.NAP)
        await made.join("other", "NL*OTH", PartyRole.OTHER)
        yield made


def seen(world: World, viewer: str, module: str) -> tuple[str, ...]:
    return world.hub.agreements.owners(world.partner(viewer), module)


def test_a_modules_objects_belong_to_the_roles_that_may_write_them() -> None:
    writers = writers_of(all_operations())
    assert writers["locations"] == {PartyRole.CPO}
    assert writers["cdrs"] == writers["sessions"] == {PartyRole.CPO, PartyRole.HUB}
    assert PartyRole.EMSP in writers["tokens"]
    assert "credentials" not in writers


async def test_by_default_opposite_roles_see_each_other_and_nobody_sees_its_own_kind(world: World) -> None:
    cpos = ("BE*AAA", "BE*BBB", OURS)
    for viewer in ("e1", "e2", "nap", "other"):
        assert seen(world, viewer, "locations") == cpos
    assert seen(world, "c1", "locations") == ()
    assert seen(world, "c1", "tokens") == (OURS, "NL*EEE", "NL*FFF", "NL*OTH")
    assert seen(world, "e1", "tokens") == ()
    assert seen(world, "nap", "tokens") == ()


async def test_viewers_of_one_class_share_one_tuple(world: World) -> None:
    assert seen(world, "e1", "locations") is seen(world, "e2", "locations")


async def test_closed_lets_nobody_see_anything_but_by_agreement(sqlite_url: str) -> None:
    async with a_world(sqlite_url, sharing="closed") as world:
        assert seen(world, "e1", "locations") == ()
        await world.hub.agreements.put(Agreement(viewer="e1", owner="BE*AAA"), actor="ops")
        assert seen(world, "e1", "locations") == ("BE*AAA",)
        assert seen(world, "e2", "locations") == ()


async def test_the_most_specific_rule_decides_and_of_equals_the_one_that_denies(world: World) -> None:
    agreements = world.hub.agreements
    e1 = world.partner("e1")
    for rule, allowed in (
        (Agreement(allow=False), False),
        (Agreement(module="locations", allow=True), True),
        (Agreement(owner="BE*AAA", allow=False), False),
        (Agreement(viewer="NL*EEE", allow=True), True),
        (Agreement(viewer="e1", allow=False), False),
        (Agreement(viewer="e1", module="locations", allow=True), True),
        (Agreement(viewer="e1", owner="BE*AAA", allow=False), False),
        (Agreement(viewer="e1", owner="BE*AAA", module="locations", allow=True), True),
    ):
        await agreements.put(rule, actor="ops")
        verdict = agreements.may(e1, "BE*AAA", "locations")
        assert (rule, verdict) == (rule, (allowed, f"agreement: {rule}"))
    assert [rule.rank for rule in agreements.all()] == sorted((r.rank for r in agreements.all()), reverse=True)


async def test_a_rule_may_let_a_cpo_see_another(world: World) -> None:
    await world.hub.agreements.put(Agreement(viewer="c1", owner="BE*BBB", module="tariffs"), actor="ops")
    assert seen(world, "c1", "tariffs") == ("BE*BBB",)
    assert seen(world, "c1", "locations") == ()


async def test_nothing_is_seen_of_an_owner_that_is_blocked_or_gone(world: World) -> None:
    await world.hub.agreements.put(Agreement(viewer="e1", owner="BE*AAA"), actor="ops")
    await world.registry.save(world.partner("c1").model_copy(update={"state": State.BLOCKED}))
    assert "BE*AAA" not in seen(world, "e1", "locations")
    verdict = world.hub.agreements.may(world.partner("e1"), "BE*AAA", "locations")
    assert verdict == (False, "BE*AAA is not connected in a role that has locations")


async def test_nothing_goes_back_to_its_owner_whatever_is_agreed(world: World) -> None:
    await world.hub.agreements.put(Agreement(), actor="ops")
    assert world.hub.agreements.may(world.partner("c1"), "BE*AAA", "locations").allowed is False


async def test_a_connection_that_stands_for_one_party_sees_that_one_alone(world: World) -> None:
    await world.registry.save(world.partner("e1").model_copy(update={"represents": "BE*AAA"}))
    assert seen(world, "e1", "locations") == ("BE*AAA",)
    assert world.hub.agreements.reach(world.partner("e1"), "BE*BBB", "commands").allowed is False


async def test_requests_reach_opposite_roles_unless_a_rule_says_otherwise(world: World) -> None:
    agreements = world.hub.agreements
    e1, c1 = world.partner("e1"), world.partner("c1")
    assert agreements.reach(e1, "BE*AAA", "commands") == (True, "default: opposite roles")
    assert agreements.reach(c1, "NL*EEE", "tokens").allowed
    assert agreements.reach(e1, OURS, "commands") == (True, "this hub")
    assert not agreements.reach(e1, "NL*FFF", "commands").allowed
    assert agreements.reach(e1, "XX*XXX", "commands") == (False, "XX*XXX is not connected")
    await agreements.put(Agreement(viewer="e1", owner="BE*AAA", module="commands", allow=False), actor="ops")
    assert not agreements.reach(e1, "BE*AAA", "commands").allowed
    assert agreements.reach(e1, "BE*BBB", "commands").allowed


async def test_an_agreement_is_kept_over_a_restart_and_can_be_ended(database_url: str) -> None:
    rule = Agreement(viewer="an-emsp", owner="be-aaa", allow=False)
    async with a_world(database_url) as world:
        assert await world.hub.agreements.put(rule, actor="ops") is True
        assert await world.hub.agreements.put(rule, actor="ops") is False
    async with a_world(database_url) as world:
        assert [str(rule) for rule in world.hub.agreements.all()] == ["deny viewer an-emsp, owner BE*AAA, module *"]
        await world.hub.agreements.remove(rule, actor="ops")
        with pytest.raises(NotFound):
            await world.hub.agreements.remove(rule, actor="ops")
        audit = await world.store.audit_rows(after=0, limit=10)
        assert [row.audit.action for row in audit] == ["agreement.put", "agreement.put", "agreement.removed"]


async def test_what_another_process_agreed_holds_after_a_look(postgres_url: str) -> None:
    async with a_world(postgres_url) as first, a_world(postgres_url) as second:
        await first.hub.agreements.put(Agreement(viewer="e1", allow=False), actor="ops")
        async with asyncio.timeout(30):
            while second.hub.agreements.may(second.partner("e1"), OURS, "locations").allowed:
                await second.hub.agreements.refresh()
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "rule",
    [
        Agreement(owner="nobody"),
        Agreement(viewer="a/b"),
        Agreement(viewer=""),
        Agreement(viewer="N*L"),
        Agreement(module="credentials"),
        Agreement(module="nonsense"),
    ],
)
async def test_a_rule_about_nothing_is_refused(world: World, rule: Agreement) -> None:
    async with world.unchanged():
        with pytest.raises(InvalidRequest):
            await world.hub.agreements.put(rule, actor="ops")
