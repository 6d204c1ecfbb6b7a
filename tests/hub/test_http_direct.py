"""The two ways of a request, through ASGI and past it: nobody can tell which one was taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial

import pytest

from hub import server
from hub.core import dispatch
from hub.core.dispatch import Dispatcher
from hub.core.limits import RateLimiter
from hub.core.registry import State
from hub.core.request import Asked, body_at_hand
from modules.locations import service as locations
from tests.hub.wire import PUT_PATH, Port, Reply, a_port
from tests.world import NOW, OURS, location, token

ASGI = "X-Forwarded-For: 127.0.0.1"
"""A forwarded client is uvicorn's business, so this takes the long way."""
LIST = "/ocpi/2.2.1/sender/locations"


@pytest.fixture
async def port(sqlite_url: str) -> AsyncIterator[Port]:
    async with a_port(sqlite_url) as made:
        yield made


def comparable(reply: Reply) -> tuple[object, ...]:
    """All but what differs with the time."""
    headers = {name: value for name, value in reply.headers.items() if name != "date"}
    tree = {name: value for name, value in reply.tree.items() if name != "timestamp"}
    return reply.status, headers, tree


async def _nobody(scope: object, receive: object, send: object) -> None:
    """Behind the dispatcher."""


async def add_location(port: Port, name: str = "LOC1") -> None:
    await locations.put(port.world.store, OURS, name, location(name), now=NOW)


async def ask(port: Port, *lines: str, path: str = LIST) -> Reply:
    wire = await port.connect()
    await wire.send(port.get(path, *lines))
    return await wire.reply()


@pytest.mark.parametrize(
    "path",
    ["/ocpi/versions", "/ocpi/2.2.1", LIST, f"{LIST}?limit=1", f"{LIST}/LOC1", f"{LIST}/NONE", "/ocpi/9", PUT_PATH],
)
async def test_both_ways_give_the_same_answer_the_first_time_and_later(port: Port, path: str) -> None:
    await add_location(port)
    lines = ("X-Request-ID: r1", "X-Correlation-ID: c1", "Accept-Encoding: br")
    replies = [await ask(port, *lines, path=path) for _ in range(3)]
    replies += [await ask(port, *lines, ASGI, path=path) for _ in range(2)]
    first, *others = map(comparable, replies)
    assert others == [first] * 4
    assert all("date" in reply.headers for reply in replies)


async def test_a_page_is_the_same_in_the_parts_in_which_it_lies_as_when_it_is_joined(port: Port) -> None:
    """More parts than one system call takes (1,024), and more bytes than a socket does."""
    await asyncio.gather(*(add_location(port, f"LOC{number}") for number in range(520)))
    direct = f"{LIST}?limit=500"
    replies = [await ask(port, path=direct) for _ in range(3)]
    replies += [await ask(port, ASGI, path=f"{LIST}?limit=500&x={number}") for number in range(2)]
    replies += [await ask(port, ASGI, path=f"{LIST}?limit=499&offset=1")]
    assert [len(reply.tree["data"]) for reply in replies] == [500] * 5 + [499]
    assert all(reply.tree["data"] == replies[0].tree["data"] for reply in replies[:5])
    assert replies[5].tree["data"] == replies[0].tree["data"][1:]


async def test_what_is_asked_for_once_is_not_joined(port: Port) -> None:
    await asyncio.gather(*(add_location(port, f"LOC{number}") for number in range(3)))
    headers = [(b"authorization", port.authorization.encode())]
    asked = Asked("GET", LIST.encode(), b"", headers, "127.0.0.1", body_at_hand(b""), b"")
    dispatcher = Dispatcher(port.world.hub, port.world.hub.operations, _nobody)
    once, again = await dispatcher.answer(asked), await dispatcher.answer(asked)
    assert len(once.rest) == 6
    assert len(again.rest) == 0
    assert once.body[-100:] == again.body[-100:]


async def test_both_ways_take_the_same_body(port: Port) -> None:
    body = json.dumps(token("2.2.1")).encode()
    statuses = []
    for lines in ((), (ASGI,)):
        wire = await port.connect()
        await wire.send(port.put(body, f"Content-Length: {len(body)}", *lines))
        statuses.append((await wire.reply()).status)
        await wire.send(port.put(b"{", "Content-Length: 1", *lines))
        statuses.append((await wire.reply()).status)
    assert statuses == [201, 400, 200, 400]


async def test_what_is_in_memory_is_never_older_than_the_last_change(port: Port) -> None:
    wire = await port.connect()
    for number in range(5):
        await add_location(port, f"LOC{number}")
        for _ in range(2):
            await wire.send(port.get(LIST))
            assert len((await wire.reply()).tree["data"]) == number + 1


async def test_what_is_in_memory_is_not_for_a_partner_that_was_blocked_meanwhile(port: Port) -> None:
    for _ in range(2):
        assert (await ask(port)).status == 200
    registry = port.world.hub.registry
    await registry.change("e1", lambda partner: partner.model_copy(update={"state": State.BLOCKED}))
    assert (await ask(port)).status == 401


async def test_what_is_in_memory_counts_for_the_rate_of_its_partner(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "RateLimiter", partial(RateLimiter, monotonic=lambda: 0.0))
    async with a_port(sqlite_url, rate_per_partner=1, burst_per_partner=4) as port:
        statuses = [(await ask(port)).status for _ in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]


@pytest.mark.parametrize("line", ["X-Usual: yes", ASGI])
async def test_an_idle_connection_is_closed_and_one_that_asks_is_not(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(server, "KEEP_ALIVE_S", 0.8)
    async with a_port(sqlite_url) as port:
        wire, clock = await port.connect(), asyncio.get_running_loop().time
        began = clock()
        while clock() < began + 1.5 * server.KEEP_ALIVE_S:
            await wire.send(port.get(LIST, line))
            assert (await wire.reply()).status == 200
            await asyncio.sleep(0.05)
        assert await wire.closed()


async def test_many_requests_in_one_piece_are_answered_in_order_by_either_way(port: Port) -> None:
    wire = await port.connect()
    lines = [(f"X-Request-ID: {n}", *((ASGI,) if n % 3 == 0 else ())) for n in range(60)]
    await wire.send("".join(port.get(LIST if n % 2 else PUT_PATH, *each) for n, each in enumerate(lines)))
    replies = [await wire.reply() for _ in lines]
    assert [reply.headers["x-request-id"] for reply in replies] == [str(n) for n in range(60)]
    assert [reply.status for reply in replies] == [404, 200] * 30
