"""A CPO credits a CDR and bills anew: who cannot be told of the credit keeps the first bill, and hears no more."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from hub.core.dialect import NotExpressible
from hub.core.parties import PartyRole
from modules.cdrs import received, vetting, waiting
from modules.cdrs.publication import CdrPublication
from modules.cdrs.store import CDRS
from tests.modules.cdrs.check.records import PLACE, but, moment, period
from tests.modules.cdrs.check.test_mistakes import HOURS
from tests.modules.cdrs.test_received import bring, credit, later, switch
from tests.world import World

pytestmark = pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
"""Of the CPO."""

OLD, NEW = "NL*OLD", "NL*EEE"
EMSPS = {"old": OLD, "e1": NEW}


def on(emsp: str, tree: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The CDR, of a card of that eMSP."""
    country_code, party_id = EMSPS[emsp].split("*")
    token = {**HOURS["cdr_token"], "country_code": country_code, "party_id": party_id}
    return but(tree, cdr_token=token, **changes)


def without_session(tree: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if name != "session_id"}


async def brought(world: World, *trees: dict[str, Any]) -> None:
    if "old" not in world.secrets:
        await world.join("old", OLD, PartyRole.EMSP, version="2.1.1")
    for tree in trees:
        await bring(world, tree)
        await vetting.vet_waiting(world.hub)


async def delivered(world: World, emsp: str) -> list[str]:
    """The ids that this eMSP is POSTed."""
    for document in await world.documents(CDRS):
        with suppress(NotExpressible):  # it is held
            await CdrPublication().deliver(world.hub, world.partner(emsp), document.key, frozenset({""}))
    return [sent.body["id"] for sent in world.peers.sent if sent.partner == emsp and sent.method == "POST"]


async def listed(world: World, emsp: str) -> list[str]:
    """The ids that this eMSP pulls, in its own version."""
    version = world.partner(emsp).version
    secret = world.secrets[emsp]
    header = f"Token {secret}" if version == "2.1.1" else world.authorization(secret)
    path = world.at("sender/cdrs", version=version)
    said = await world.ask("GET", path, headers=[("Authorization", header)])
    return [tree["id"] for tree in said.data]


async def has(world: World, emsp: str, *ids: str) -> bool:
    return await delivered(world, emsp) == await listed(world, emsp) == list(ids)


ANEW = but(HOURS, id="CDR2")
CORRECTED = but(
    HOURS,
    id="CDR2",
    start_date_time=moment("09:20"),
    charging_periods=[
        period("09:20", "HOURS", energy="2", time="0.5"),
        period("10:00", "HOURS", energy="0", parking_time="0.5"),
    ],
)


BY_CARD = but(without_session(CORRECTED), start_date_time=moment("09:00"))
"""Of the same card at the same EVSE, and so much alike in nothing else."""


@pytest.mark.parametrize("anew", [ANEW, CORRECTED, BY_CARD], ids=["alike", "other", "by card"])
async def test_a_2_1_1_emsp_keeps_the_first_bill_alone(world: World, anew: dict[str, Any]) -> None:
    await brought(world, on("old", HOURS), on("old", credit()), on("old", anew))
    assert await has(world, "old", "CDR1")


@pytest.mark.parametrize("between", [[], [credit()]], ids=["no credit at all", "after a credit"])
async def test_what_is_held_says_why_and_of_no_credit_where_there_is_none(
    world: World, between: list[dict[str, Any]]
) -> None:
    await brought(world, *(on("old", tree) for tree in (HOURS, *between, ANEW)))
    held = {}
    for document in await world.documents(CDRS):
        try:
            await CdrPublication().deliver(world.hub, world.partner("old"), document.key, frozenset({""}))
        except NotExpressible as why:
            held[document.columns["id"]] = str(why)
    second = "this partner was billed for this charge already: a credit of that bill cannot be said in this version"
    taken_back = {tree["id"]: "a credit CDR cannot be said in this version" for tree in between}
    assert held == {**taken_back, "CDR2": second}


async def test_an_emsp_that_has_credits_is_told_all_three(world: World) -> None:
    await brought(world, on("e1", HOURS), on("e1", credit()), on("e1", CORRECTED))
    assert await has(world, "e1", "CDR1", "CDR1-C", "CDR2")


async def test_a_new_bill_that_overtakes_its_credit_is_held_too(world: World) -> None:
    await brought(world, on("old", HOURS), on("old", ANEW), on("old", credit()))
    assert await has(world, "old", "CDR1")


async def test_of_a_bill_that_was_held_here_the_new_one_goes_out_and_then_the_first_does_not(world: World) -> None:
    await switch(world, cdr_policy="hold")
    await brought(world, on("old", but(HOURS, tariffs=[])))
    await switch(world, cdr_policy="accept")
    await brought(world, on("old", credit()), on("old", ANEW))
    await received.release(world.hub, "BE*AAA/CDR1", actor="jo")
    assert await has(world, "old", "CDR2")


async def test_a_charge_that_is_billed_to_another_emsp_instead_is_billed_to_it(world: World) -> None:
    await brought(world, on("e1", HOURS), on("e1", credit()), on("old", ANEW))
    assert await has(world, "old", "CDR2")


async def test_the_next_charge_of_the_same_card_is_billed(world: World) -> None:
    next_one = later(but(HOURS, id="CDR2"))
    await brought(world, on("old", HOURS), on("old", credit()), on("old", next_one))
    assert await has(world, "old", "CDR1", "CDR2")


async def test_a_charge_at_another_evse_at_that_time_is_billed(world: World) -> None:
    elsewhere = but(without_session(HOURS), id="CDR2", cdr_location={**PLACE, "evse_uid": "9999"})
    other = but(elsewhere, session_id="S2", total_energy=9)
    await brought(world, on("old", HOURS), on("old", credit()), on("old", other))
    assert await has(world, "old", "CDR1", "CDR2")


async def test_what_nobody_could_have_at_first_is_told_in_the_same_way(world: World) -> None:
    for tree in (HOURS, credit(), ANEW):
        await bring(world, on("old", tree))
    await brought(world)
    await waiting.look_again(world.hub)
    assert await has(world, "old", "CDR1")
