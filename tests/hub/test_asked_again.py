"""Whether a card may charge, asked again over the wire: the same while nothing changes, and never older than that."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.parties import Party, PartyRole
from hub.core.registry import State
from modules.tokens import service
from modules.tokens.wire import TOKEN
from tests.hub.wire import Port, Reply, Wire, a_port
from tests.world import token

CARD = "CARD1"
PLACE = {"location_id": "L1", "evse_uids": ["E1"]}


@pytest.fixture
async def port(sqlite_url: str) -> AsyncIterator[Port]:
    async with a_port(sqlite_url) as made:
        await made.world.join("c1", "BE*AAA", PartyRole.CPO)
        await made.world.join("c2", "FR*BBB", PartyRole.CPO)
        await keep(made)
        yield made


async def keep(port: Port, minute: int = 0, **changed: Any) -> None:
    """The eMSP's token, as it is from that minute on."""
    told = {"whitelist": "ALWAYS", "last_updated": f"2026-05-04T10:{minute:02}:00Z", **changed}
    read = TOKEN["2.2.1"].read(token("2.2.1", uid=CARD, **told))
    await service.put(port.world.store, Party.parse("NL*EEE"), CARD, read, now=port.world.clock.now())


class Asker:
    """A CPO on one connection."""

    def __init__(self, port: Port, wire: Wire, name: str) -> None:
        self._authorization, self._wire = port.world.authorization(port.world.secrets[name]), wire

    async def ask(self, body: Any = PLACE, *lines: str, query: str = "", kind: str = "application/json") -> Reply:
        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = [
            f"POST /ocpi/2.2.1/sender/tokens/{CARD}/authorize{query} HTTP/1.1",
            f"Host: hub\r\nAuthorization: {self._authorization}\r\nContent-Length: {len(sent)}",
            *lines,
            *([f"Content-Type: {kind}"] if sent else []),
        ]
        await self._wire.send("\r\n".join(head) + "\r\n\r\n", sent)
        return await self._wire.reply()

    async def allowed(self, *given: Any, **named: Any) -> str:
        reply = await self.ask(*given, **named)
        assert reply.status == 200, reply.body
        said: str = reply.tree["data"]["allowed"]
        return said


async def asker(port: Port, name: str = "c1") -> Asker:
    return Asker(port, await port.connect(), name)


async def test_the_same_question_gets_the_same_answer(port: Port) -> None:
    cpo = await asker(port)
    replies = [await cpo.ask(PLACE, f"X-Request-ID: r{number}") for number in range(4)]
    assert [reply.headers["x-request-id"] for reply in replies] == ["r0", "r1", "r2", "r3"]
    first, *others = [(reply.status, reply.tree["data"]) for reply in replies]
    assert others == [first] * 3
    assert first[1]["location"] == PLACE
    assert {reply.headers["ocpi-from-party-id"] for reply in replies} == {"EEE"}


async def test_another_place_is_another_question(port: Port) -> None:
    cpo = await asker(port)
    for _ in range(2):
        for place in (PLACE, {"location_id": "L2"}):
            assert (await cpo.ask(place)).tree["data"]["location"] == place
        assert "location" not in (await cpo.ask(None)).tree["data"]


async def test_a_changed_token_is_known_at_once(port: Port) -> None:
    cpo = await asker(port)
    for minute, (valid, allowed) in enumerate([(True, "ALLOWED"), (False, "BLOCKED"), (True, "ALLOWED")] * 2, 1):
        await keep(port, minute, valid=valid)
        assert [await cpo.allowed() for _ in range(3)] == [allowed] * 3


async def test_a_list_that_wants_to_be_asked_from_now_on_is_asked(port: Port) -> None:
    cpo = await asker(port)
    assert [await cpo.allowed() for _ in range(2)] == ["ALLOWED"] * 2
    await keep(port, 1, whitelist="NEVER")
    reply = await cpo.ask()
    assert (reply.tree["status_code"], "data" in reply.tree) in [(4002, False), (4003, False), (3001, False)]


async def test_a_body_that_is_no_place_is_refused_each_time(port: Port) -> None:
    cpo = await asker(port)
    assert await cpo.allowed() == "ALLOWED"
    for _ in range(2):
        assert (await cpo.ask(b"{")).status == 400
        assert (await cpo.ask(PLACE, kind="text/plain")).status == 415
        assert (await cpo.ask({"evse_uids": 5})).tree["status_code"] == 2001


async def test_a_partner_that_is_blocked_is_not_answered_from_memory(port: Port) -> None:
    cpo, other = await asker(port), await asker(port, "c2")
    assert [await cpo.allowed() for _ in range(2)] == ["ALLOWED"] * 2
    assert [await other.allowed() for _ in range(2)] == ["ALLOWED"] * 2
    await port.world.registry.change("c1", lambda partner: partner.model_copy(update={"state": State.BLOCKED}))
    assert (await cpo.ask()).status == 401
    assert await other.allowed() == "ALLOWED"


async def test_an_agreement_that_ends_ends_the_answers(port: Port) -> None:
    cpo = await asker(port)
    assert [await cpo.allowed() for _ in range(2)] == ["ALLOWED"] * 2
    await port.world.hub.agreements.put(Agreement("c1", "NL*EEE", "tokens", False), actor="test")
    assert (await cpo.ask()).tree["status_code"] == 2004
