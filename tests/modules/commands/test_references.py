"""The reference that an eMSP gave comes back with one charge at a CPO of 2.1.1, which cannot say it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.core.inbound import parse
from modules.cdrs.store import CDRS
from modules.commands import references
from modules.commands.references import REFERENCES
from modules.sessions.store import SESSIONS
from tests.contract.test_passed_on import bill
from tests.contract.test_tokens_sent import info
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.modules.commands.test_onward import accepted, furnish, send
from tests.modules.sessions.records import a_session
from tests.world import NOW, Sent, World, a_world, token

CARD = "receiver/tokens/NL/EEE/CARD1"
ASK = "/ocpi/2.1.1/sender/tokens/CARD1/authorize"
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    """e1 speaks 2.3.0 and allows its card CARD1 with what `allows` says; c1 speaks 2.1.1."""
    async with a_world(sqlite_url, "2.3.0") as made:
        await furnish(made, "2.1.1")
        assert (await made.ask("PUT", made.at(CARD), by="e1", body=token("2.3.0"))).http == 201
        yield made


async def allows(world: World, reference: str, *evse_uids: str, allowed: str = "ALLOWED") -> None:
    """c1 asks for CARD1, and e1 answers so."""
    answer = {**info("2.3.0", allowed=allowed), "authorization_reference": reference}

    def script(sent: Sent) -> Any:
        return answer if sent.module == "tokens" else accepted(sent)

    world.peers.script = script
    place = {"location_id": "PLACE1", "evse_uids": list(evse_uids)} if evse_uids else None
    said = await world.ask("POST", ASK, by="c1", body=place)
    assert (said.code, said.data["allowed"]) == (1000, allowed)


async def session(
    world: World, session_id: str, began: datetime = SOON, *, evse: str = "E1", status: str = "ACTIVE", minute: int = 0
) -> Any:
    """c1 tells a session, in its `minute`. Returns: the reference that it has here."""
    times = {"start_date_time": began.isoformat(), "last_updated": (began + timedelta(minutes=minute)).isoformat()}
    body = a_session("2.1.1", id=session_id, status=status, **times)
    body["location"]["evses"][0]["uid"] = evse
    path = f"/ocpi/2.1.1/receiver/sessions/BE/AAA/{session_id}"
    said = await world.ask("PUT", path, by="c1", body=body)
    assert said.code == 1000, said.body
    return await kept(world, session_id)


async def kept(world: World, session_id: str) -> Any:
    document = await world.store.get(SESSIONS, f"BE*AAA/{session_id}")
    assert document is not None
    return parse(document.body, limit=65_536).get("authorization_reference")


async def cdr(world: World, cdr_id: str, began: datetime, *, evse: str = "E1") -> Any:
    """c1 brings a CDR. Returns: the reference that it has here."""
    place = {**EVENING["cdr_location"], "evse_uid": evse}
    body = bill("2.1.1", "NL*EEE", id=cdr_id, start_date_time=began.isoformat(), cdr_location=place)
    said = await world.ask("POST", "/ocpi/2.1.1/receiver/cdrs", by="c1", body=body)
    assert said.code == 1000, said.body
    document = await world.store.get(CDRS, f"BE*AAA/{cdr_id}")
    assert document is not None
    return parse(document.body, limit=65_536).get("authorization_reference")


async def test_the_reference_of_an_authorization_is_in_session_and_cdr(world: World) -> None:
    await allows(world, "AREF", "E1")
    assert await session(world, "S1") == "AREF"
    assert await session(world, "S1", status="COMPLETED", minute=5) == "AREF"
    assert await cdr(world, "C1", SOON) == "AREF"


async def test_a_refusal_gives_no_reference(world: World) -> None:
    await allows(world, "AREF", "E1", allowed="BLOCKED")
    assert await session(world, "S1") is None


async def test_a_cdr_that_comes_first_takes_it_and_its_session_has_it_too(world: World) -> None:
    await allows(world, "AREF")
    assert await cdr(world, "C1", SOON) == "AREF"
    assert await session(world, "S1", SOON + timedelta(seconds=20), status="COMPLETED") == "AREF"
    assert await session(world, "S2", SOON + timedelta(minutes=3)) is None


async def test_a_reference_is_for_one_charge(world: World) -> None:
    await send(world, "START_SESSION", authorization_reference="REF1")
    assert await session(world, "S1") == "REF1"
    assert await session(world, "S2", SOON + timedelta(minutes=2)) is None
    assert await session(world, "S3") is None, "another session that began in the same moment"
    assert await session(world, "S1", minute=9) == "REF1"
    assert await cdr(world, "C2", SOON + timedelta(minutes=2)) is None
    assert await cdr(world, "C1", SOON) == "REF1"


async def test_the_last_one_given_counts_and_spends_those_before_it(world: World) -> None:
    await send(world, "START_SESSION", authorization_reference="REF1")
    world.clock.move_to(30)
    await allows(world, "AREF", "E1")
    assert await session(world, "S1") == "AREF"
    assert await session(world, "S2", SOON + timedelta(minutes=2)) is None


async def test_an_evse_that_was_named_is_the_one(world: World) -> None:
    await send(world, "START_SESSION", evse_uid="e7", authorization_reference="REF7")
    assert await session(world, "S1", evse="E1") is None
    assert await session(world, "S7", evse="E7") == "REF7"


async def test_a_session_that_began_without_one_does_not_get_one_later(world: World) -> None:
    assert await session(world, "S1") is None
    await send(world, "START_SESSION", authorization_reference="REF1")
    assert await session(world, "S1", minute=5) is None
    assert await session(world, "S2", SOON + timedelta(minutes=3)) == "REF1"


@pytest.mark.parametrize(("minutes", "reference"), [(-6, None), (-4, "REF1"), (14, "REF1"), (16, None)])
async def test_a_charge_begins_by_it_within_a_quarter_of_an_hour(world: World, minutes: int, reference: Any) -> None:
    await send(world, "START_SESSION", authorization_reference="REF1")
    assert await session(world, "S1", NOW + timedelta(minutes=minutes)) == reference


async def test_a_reference_is_forgotten_when_no_session_can_ask_for_it(world: World) -> None:
    await send(world, "START_SESSION", authorization_reference="REF1")
    for days, known in ((6, 1), (8, 0)):
        world.clock.move_to(days * 86_400)
        await references.forget(world.hub)
        assert len(await world.documents(REFERENCES)) == known
