"""A credit CDR that is wrong takes nothing back, and stands in the way of neither the right one nor a new bill."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.units import Unit
from modules.cdrs import received, vetting
from modules.cdrs.store import Passing, Standing, standing_put
from tests.modules.cdrs.check.records import but
from tests.modules.cdrs.check.test_mistakes import HOURS
from tests.modules.cdrs.test_billed_anew import brought, has
from tests.modules.cdrs.test_corrected import CREDIT, FREE, RIGHT, SHORT, WRONG, standing
from tests.modules.cdrs.test_doubles import stands
from tests.modules.cdrs.test_received import bring, found, kept, switch
from tests.world import World

pytestmark = pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])

EXACT = but(CREDIT, id="CDR1-D")
STRANGERS = but(CREDIT, cdr_token={**HOURS["cdr_token"], "party_id": "FFF"})
HELD = ("wrong", Passing.HELD)
BLOCKERS = {"less than was billed": SHORT, "for another party's driver": STRANGERS}


@pytest.mark.parametrize("policy", ["accept", "flag", "hold"])
@pytest.mark.parametrize("name", BLOCKERS)
async def test_after_a_wrong_credit_the_right_one_takes_back_and_the_new_bill_is_right(
    world: World, name: str, policy: str
) -> None:
    await brought(world, WRONG)
    await switch(world, cdr_policy=policy)
    await brought(world, BLOCKERS[name], EXACT, RIGHT)
    assert await standing(world, "CDR1-D", "CDR2") == [FREE, FREE]
    is_held = policy == "hold" or BLOCKERS[name] is STRANGERS
    assert await standing(world, "CDR1-C") == [HELD if is_held else ("wrong", Passing.FREE)]
    assert await has(world, "e1", "CDR1", *([] if is_held else ["CDR1-C"]), "CDR1-D", "CDR2")


async def test_of_a_held_credit_it_is_told_when_another_has_taken_back_the_same(world: World) -> None:
    await brought(world, WRONG)
    await switch(world, cdr_policy="hold")
    await brought(world, SHORT)
    assert "CDR1-D" not in await reasons(world, "CDR1-C")
    await brought(world, EXACT)
    await vetting.vet_waiting(world.hub)
    assert "the credit CDR CDR1-D took it back already" in await reasons(world, "CDR1-C")
    assert await standing(world, "CDR1-C", "CDR1-D") == [HELD, FREE]
    async with world.unchanged():
        await vetting.vet_waiting(world.hub)


async def test_once_a_wrong_credit_is_released_the_next_one_is_one_too_many(world: World) -> None:
    await brought(world, WRONG)
    await switch(world, cdr_policy="hold")
    await brought(world, SHORT)
    await received.release(world.hub, "BE*AAA/CDR1-C", actor="jo")
    await brought(world, EXACT, RIGHT)
    assert await standing(world, "CDR1-C", "CDR1-D", "CDR2") == [("wrong", Passing.RELEASED), HELD, FREE]
    assert "the credit CDR CDR1-C took it back already" in await reasons(world, "CDR1-D")


async def test_a_held_credit_is_looked_at_again_when_an_earlier_one_is_released(world: World) -> None:
    """Both are wrong; once one of them is passed on after all, the other one is also one too many."""
    await brought(world, WRONG)
    await switch(world, cdr_policy="hold")
    await brought(world, SHORT, but(SHORT, id="CDR1-D"))
    assert "took it back" not in await reasons(world, "CDR1-D")
    await received.release(world.hub, "BE*AAA/CDR1-C", actor="jo")
    await vetting.vet_waiting(world.hub)
    assert "the credit CDR CDR1-C took it back already" in await reasons(world, "CDR1-D")
    assert await standing(world, "CDR1-C", "CDR1-D") == [("wrong", Passing.RELEASED), HELD]


async def test_a_credit_waits_for_the_check_of_an_earlier_one_of_the_same(world: World) -> None:
    await brought(world, WRONG)
    await switch(world, cdr_policy="hold")
    early = await bring(world, SHORT)
    await world.store.commit(Unit().put(standing_put(early, Standing())))
    assert stands(await bring(world, EXACT)) == ("", Passing.WAITING)
    for _ in range(2):
        await vetting.vet_waiting(world.hub)
    assert await standing(world, "CDR1-C", "CDR1-D") == [HELD, FREE]


async def test_a_credit_that_was_thought_one_too_many_is_looked_at_again_when_the_earlier_one_proves_wrong(
    world: World,
) -> None:
    await brought(world, WRONG)
    await switch(world, cdr_policy="hold")
    early, late = await bring(world, SHORT), await bring(world, EXACT)
    for document in (early, late):
        await world.store.commit(Unit().put(standing_put(await kept(world, document.columns["id"]), Standing())))
    await vetting.vet(world.hub, await kept(world, "CDR1-D"))
    assert stands(await kept(world, "CDR1-D")) == HELD
    for _ in range(3):
        await vetting.vet_waiting(world.hub)
    assert await standing(world, "CDR1-C", "CDR1-D") == [HELD, FREE]


async def test_a_held_credit_that_cannot_be_checked_makes_no_room_for_another_bill(world: World) -> None:
    """Its driver is still billed."""
    bare = {name: tree for name, tree in WRONG.items() if not name.endswith("_cost") or name == "total_cost"}
    await brought(world, but({**bare, "tariffs": []}, total=("6.00",)))
    await switch(world, cdr_policy="hold")
    more = but({**bare, "tariffs": [], "id": "CDR1-C", "credit": True, "credit_reference_id": "CDR1"},
               total=("-6.00",), energy=("6.00",))  # fmt: skip
    await brought(world, more, RIGHT)
    assert await standing(world, "CDR1-C", "CDR2") == [("cannot_be_checked", Passing.HELD), HELD]
    await received.release(world.hub, "BE*AAA/CDR1-C", actor="jo")
    await vetting.vet_waiting(world.hub)
    assert await standing(world, "CDR2") == [FREE]


async def reasons(world: World, cdr_id: str) -> str:
    """Why each figure of a CDR deviates."""
    check: dict[str, Any] = await found(world, await kept(world, cdr_id))
    return "; ".join(each["why"] for each in check["deviations"])
