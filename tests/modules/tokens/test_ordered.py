"""Whose charge it is that was ordered at a CPO of 2.1.1 for a driver whose card is on no list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from modules.sessions.store import SESSIONS
from modules.tokens import ordered
from modules.tokens.ordered import ORDERED
from modules.tokens.whose import addressed
from tests.modules.commands.test_onward import furnish, send
from tests.modules.sessions.records import a_session
from tests.world import NOW, World, a_world, token

SENT = NOW + timedelta(minutes=1)


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with a_world(sqlite_url, "2.3.0") as made:
        await furnish(made, "2.1.1")
        yield made


async def _begun(world: World, session_id: str, began: Any = SENT, **changes: Any) -> str:
    """The party that a session of c1 with the contract of e1's driver is told to."""
    when = {"start_date_time": began.isoformat(), "last_updated": began.isoformat()}
    body = a_session("2.1.1", id=session_id, **when, **changes)
    path = f"/ocpi/2.1.1/receiver/sessions/BE/AAA/{session_id}"
    said = await world.ask("PUT", path, by="c1", body=body)
    assert said.code == 1000, said.body
    document = await world.store.get(SESSIONS, f"BE*AAA/{session_id}")
    assert document is not None
    return document.audience


async def test_a_charge_that_was_ordered_is_its_drivers_though_the_card_is_on_no_list(world: World) -> None:
    assert await _begun(world, "BEFORE") == ""
    await send(world, "START_SESSION")
    assert await _begun(world, "AFTER") == "NL*EEE"


@pytest.mark.parametrize(("evse_uid", "party"), [("e1", "NL*EEE"), ("E2", "")])
async def test_its_cdr_is_the_same_drivers(world: World, evse_uid: str, party: str) -> None:
    await send(world, "START_SESSION")
    contract = {"country_code": "NL", "party_id": "EEE", "uid": "#NA", "type": "OTHER", "contract_id": "nl-eee-c1"}
    place = {"id": "LOC9", "evse_uid": evse_uid}
    cdr = {"cdr_token": contract, "cdr_location": place, "start_date_time": SENT.isoformat()}
    told, goes = await addressed(world.hub, "BE*AAA", "cdrs", cdr)
    assert (goes.party, told["cdr_token"]["uid"]) == (party, "CARD1" if party else "#NA")


@pytest.mark.parametrize(
    ("minutes", "evse_uid"), [(16, "E1"), (-6, "E1"), (1, "E2")], ids=["too late", "too early", "elsewhere"]
)
async def test_a_charge_at_another_time_or_evse_is_not_the_ordered_one(
    world: World, minutes: int, evse_uid: str
) -> None:
    await send(world, "START_SESSION", evse_uid=evse_uid)
    assert await _begun(world, "OTHER", NOW + timedelta(minutes=minutes)) == ""


async def test_the_first_of_two_orders_is_still_known(world: World) -> None:
    await send(world, "START_SESSION")
    world.clock.move_to(3600)
    await send(world, "START_SESSION")
    assert await _begun(world, "FIRST") == "NL*EEE"
    assert await _begun(world, "SECOND", SENT + timedelta(hours=1)) == "NL*EEE"


async def test_a_charge_that_two_parties_ordered_is_nobodys(world: World) -> None:
    await send(world, "START_SESSION")
    theirs = token("2.3.0", "NL*FFF", "OTHER", contract_id="NL-EEE-C1")
    assert (await send(world, "START_SESSION", by="e2", token=theirs, response_url="https://e2.example/1")).data[
        "result"
    ] == "ACCEPTED"
    assert await _begun(world, "WHOSE") == ""


async def test_an_order_is_forgotten_when_no_session_can_ask_for_it(world: World) -> None:
    await send(world, "START_SESSION")
    for days, known in ((6, 1), (8, 0)):
        world.clock.move_to(days * 86_400)
        await ordered.forget(world.hub)
        assert len(await world.documents(ORDERED)) == known
