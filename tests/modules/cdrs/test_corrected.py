"""A CPO corrects a wrong CDR as OCPI prescribes: the CDR, its credit, and the right one under another id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.core.units import Unit
from modules.cdrs import received, vetting
from modules.cdrs.store import Passing, Standing, standing_put
from tests.modules.cdrs.check.records import but
from tests.modules.cdrs.check.test_mistakes import HOURS
from tests.modules.cdrs.test_billed_anew import BY_CARD, brought, has, on, without_session
from tests.modules.cdrs.test_doubles import stands
from tests.modules.cdrs.test_received import bring, found, kept, switch
from tests.world import World

pytestmark = pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])

Made = Callable[[dict[str, Any]], dict[str, Any]]

WRONG = but(HOURS, total=("6.00", "7.20"))
"""Of parts that come to 5.50."""
CREDIT = but(WRONG, id="CDR1-C", credit=True, credit_reference_id="CDR1", total=("-6.00", "-7.20"))
SHORT = but(CREDIT, total=("-5.50", "-6.60"))
"""Takes back what should have been billed."""
RIGHT = but(HOURS, id="CDR2")
FREE = ("right", Passing.FREE)


async def standing(world: World, *ids: str) -> list[tuple[str, str]]:
    return [stands(await kept(world, each)) for each in ids]


@pytest.mark.parametrize("policy", ["accept", "flag", "hold"])
async def test_what_was_billed_wrong_is_taken_back_and_billed_right(world: World, policy: str) -> None:
    await brought(world, WRONG)
    await switch(world, cdr_policy=policy)
    await brought(world, CREDIT, RIGHT)
    assert await standing(world, "CDR1", "CDR1-C", "CDR2") == [("wrong", Passing.FREE), FREE, FREE]
    assert await has(world, "e1", "CDR1", "CDR1-C", "CDR2")


async def test_who_got_no_bill_gets_no_credit_and_is_billed_right(world: World) -> None:
    await switch(world, cdr_policy="hold")
    await brought(world, WRONG, CREDIT, RIGHT)
    held = ("right", Passing.HELD)
    assert await standing(world, "CDR1", "CDR1-C", "CDR2") == [("wrong", Passing.HELD), held, FREE]
    assert (await found(world, await kept(world, "CDR1-C")))["held_because"] == "it takes back a CDR that is held"
    assert await has(world, "e1", "CDR2")
    async with world.unchanged():
        await vetting.wake_credits(world.hub)


async def test_a_bill_that_is_released_takes_its_credit_along(world: World) -> None:
    await switch(world, cdr_policy="hold")
    await brought(world, WRONG, CREDIT, RIGHT)
    await received.release(world.hub, "BE*AAA/CDR1", actor="jo")
    await vetting.vet_waiting(world.hub)
    assert await standing(world, "CDR1", "CDR1-C") == [("wrong", Passing.RELEASED), FREE]
    assert await has(world, "e1", "CDR2", "CDR1", "CDR1-C")


async def test_a_credit_that_was_held_at_the_moment_of_the_release_is_woken(world: World) -> None:
    await switch(world, cdr_policy="hold")
    await brought(world, WRONG, CREDIT)
    released = Standing(state=Passing.RELEASED, verdict="wrong")
    await world.store.commit(Unit().put(standing_put(await kept(world, "CDR1"), released)))
    await vetting.wake_credits(world.hub)
    await vetting.vet_waiting(world.hub)
    assert await standing(world, "CDR1-C") == [FREE]


async def test_a_credit_that_comes_at_once_waits_for_the_check_of_what_it_takes_back(world: World) -> None:
    await switch(world, cdr_policy="hold")
    await bring(world, WRONG)
    assert stands(await bring(world, CREDIT)) == ("", Passing.WAITING)
    await bring(world, RIGHT)
    for _ in range(2):
        await vetting.vet_waiting(world.hub)
    held = ("right", Passing.HELD)
    assert await standing(world, "CDR1", "CDR1-C", "CDR2") == [("wrong", Passing.HELD), held, FREE]


@pytest.mark.parametrize("policy", ["accept", "hold"])
async def test_a_credit_that_comes_before_its_original_goes_where_that_goes(world: World, policy: str) -> None:
    await switch(world, cdr_policy=policy)
    await bring(world, CREDIT)
    await bring(world, WRONG)
    await bring(world, RIGHT)
    for _ in range(3):
        await vetting.vet_waiting(world.hub)
    state = Passing.HELD if policy == "hold" else Passing.FREE
    assert await standing(world, "CDR1", "CDR1-C", "CDR2") == [("wrong", state), ("right", state), FREE]
    told = ("CDR2",) if policy == "hold" else ("CDR1", "CDR1-C", "CDR2")
    assert sorted(await delivered_ids(world)) == sorted(told)


async def delivered_ids(world: World) -> list[str]:
    said = await world.ask("GET", world.at("sender/cdrs", version=world.version), by="e1")
    return [tree["id"] for tree in said.data]


async def test_a_wrong_credit_takes_nothing_back_until_an_operator_releases_it(world: World) -> None:
    await brought(world, WRONG)
    await switch(world, cdr_policy="hold")
    await brought(world, SHORT, RIGHT)
    held = ("wrong", Passing.HELD)
    assert await standing(world, "CDR1-C", "CDR2") == [held, held]
    await received.release(world.hub, "BE*AAA/CDR1-C", actor="jo")
    await vetting.vet_waiting(world.hub)
    assert await standing(world, "CDR1-C", "CDR2") == [("wrong", Passing.RELEASED), FREE]
    assert await has(world, "e1", "CDR1", "CDR1-C", "CDR2")


async def test_a_new_bill_after_the_release_of_a_credit_is_right(world: World) -> None:
    await brought(world, WRONG)
    await switch(world, cdr_policy="hold")
    await brought(world, SHORT)
    await received.release(world.hub, "BE*AAA/CDR1-C", actor="jo")
    await brought(world, RIGHT)
    assert await standing(world, "CDR2") == [FREE]


async def test_a_credit_for_another_partys_driver_takes_nothing_back_even_if_released(world: World) -> None:
    await brought(world, WRONG)
    await switch(world, cdr_policy="hold")
    await brought(world, but(CREDIT, cdr_token={**HOURS["cdr_token"], "party_id": "FFF"}), RIGHT)
    await received.release(world.hub, "BE*AAA/CDR1-C", actor="jo")
    await vetting.vet_waiting(world.hub)
    held = ("wrong", Passing.HELD)
    assert await standing(world, "CDR1-C", "CDR2") == [("wrong", Passing.RELEASED), held]


async def test_of_two_credits_of_a_wrong_cdr_the_second_is_wrong(world: World) -> None:
    await brought(world, WRONG, CREDIT, but(CREDIT, id="CDR1-D"))
    assert await standing(world, "CDR1-C", "CDR1-D") == [FREE, ("wrong", Passing.FREE)]


@pytest.mark.parametrize("made", [lambda tree: tree, without_session], ids=["by session", "by card"])
@pytest.mark.parametrize("anew", [RIGHT, but(BY_CARD, total_energy=2)], ids=["alike", "other"])
async def test_a_2_1_1_emsp_keeps_its_wrong_bill_alone(world: World, made: Made, anew: dict[str, Any]) -> None:
    await brought(world, *(on("old", made(tree)) for tree in (WRONG, CREDIT, anew)))
    assert await has(world, "old", "CDR1")


@pytest.mark.parametrize("made", [lambda tree: tree, without_session], ids=["by session", "by card"])
@pytest.mark.parametrize("anew", [RIGHT, but(BY_CARD, total_energy=2)], ids=["alike", "other"])
async def test_a_2_1_1_emsp_that_has_the_right_bill_is_never_sent_the_wrong_one(
    world: World, made: Made, anew: dict[str, Any]
) -> None:
    await switch(world, cdr_policy="hold")
    await brought(world, *(on("old", made(tree)) for tree in (WRONG, CREDIT)))
    await switch(world, cdr_policy="accept")
    await brought(world, on("old", made(anew)))
    await received.release(world.hub, "BE*AAA/CDR1", actor="jo")
    await vetting.vet_waiting(world.hub)
    assert await has(world, "old", "CDR2")
