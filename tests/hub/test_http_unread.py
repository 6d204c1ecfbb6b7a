"""What is answered before its body was read: the connection is kept, or its end is announced. On real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from hub import http_guard
from hub.core import request
from hub.http_cork import CorkedHttp
from hub.http_direct import DirectHttp
from tests.hub.wire import PUT_PATH, Port, Reply, Wire, a_port
from tests.world import token

BODY = json.dumps(token("2.2.1")).encode()
LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:10], BODY[10:])) + b"0\r\n\r\n"


@pytest.fixture
async def port(sqlite_url: str) -> AsyncIterator[Port]:
    async with a_port(sqlite_url) as made:
        yield made


def changed(before: str, after: str) -> tuple[str, str]:
    return before, after


REFUSED = {
    "400 a repeated header": (400, changed("Host: hub", "Host: hub\r\nX-Request-ID: 1\r\nX-Request-ID: 2")),
    "401 of a stranger": (401, changed("Token ", "Token x")),
    "403 a role that lacks it": (403, changed(PUT_PATH, "/ocpi/2.2.1/receiver/sessions/NL/EEE/S1")),
    "404 no such resource": (404, changed(PUT_PATH, "/ocpi/2.2.1/receiver/nothing")),
    "405 another method": (405, changed("PUT", "DELETE")),
    "413 beyond the limit": (413, changed(LENGTH, "Content-Length: 70000")),
    "415 no JSON": (415, changed("application/json", "text/plain")),
    "405 of the API": (405, changed(PUT_PATH, "/api/v1/partners")),
}


async def answered_before_its_body(wire: Wire, head: bytes) -> Reply:
    await wire.send(head)
    return await wire.reply()


async def is_kept(port: Port, wire: Wire) -> bool:
    await wire.send(port.get())
    return (await wire.reply()).status == 200


@pytest.mark.parametrize("early", [0, 10], ids=["none of it was here", "some of it was here"])
@pytest.mark.parametrize("name", REFUSED)
async def test_a_refusal_before_the_body_keeps_the_connection(port: Port, name: str, early: int) -> None:
    status, (before, after) = REFUSED[name]
    head = port.put(b"", LENGTH).replace(before.encode(), after.encode(), 1)
    body = b" " * 70_000 if status == 413 else BODY
    wire = await port.connect()
    for _ in range(3):
        reply = await answered_before_its_body(wire, head + body[:early])
        assert (reply.status, reply.headers.get("connection")) == (status, None)
        await wire.send(body[early:])
        assert await is_kept(port, wire)
    await wire.send(port.put(b"", LENGTH))
    await wire.send(BODY)
    assert (await wire.reply()).status == 201


async def test_a_partner_that_is_too_fast_has_an_answer_to_each_request_on_one_connection(sqlite_url: str) -> None:
    async with a_port(sqlite_url, rate_per_partner=1, burst_per_partner=4) as port:
        wire, statuses = await port.connect(), []
        for _ in range(20):
            await wire.send(port.put(b"", LENGTH))
            await asyncio.sleep(0.01)
            await wire.send(BODY)
            statuses.append((await wire.reply()).status)
    assert statuses[:4] == [201, 200, 200, 200]
    assert 429 in statuses


async def test_what_follows_in_the_piece_that_ends_a_dropped_body_is_answered(port: Port) -> None:
    wire = await port.connect()
    refused = port.put(b"", LENGTH).replace(b"Token ", b"Token x")
    assert (await answered_before_its_body(wire, refused)).status == 401
    await wire.send(BODY + port.get().encode() + refused[:30])
    assert (await wire.reply()).status == 200
    await wire.send(refused[30:])
    assert (await wire.reply()).status == 401
    await wire.send(BODY)
    assert await is_kept(port, wire)


async def test_a_body_in_chunks_has_no_known_end_so_the_end_is_announced_and_the_answer_can_be_read(port: Port) -> None:
    wire = await port.connect()
    reply = await answered_before_its_body(wire, port.put(b"", CHUNKED).replace(b"Token ", b"Token x"))
    assert (reply.status, reply.headers["connection"]) == (401, "close")
    await wire.send(CHUNKS)
    assert await wire.closed()


async def test_a_body_in_chunks_that_is_here_already_keeps_the_connection(port: Port) -> None:
    wire = await port.connect()
    refused = port.put(b"", CHUNKED).replace(b"Token ", b"Token x")
    reply = await answered_before_its_body(wire, refused + CHUNKS)
    assert (reply.status, reply.headers.get("connection")) == (401, None)
    assert await is_kept(port, wire)


async def test_a_body_that_is_longer_than_any_is_not_waited_for_and_the_end_is_announced(port: Port) -> None:
    wire = await port.connect()
    reply = await answered_before_its_body(wire, port.put(b"", "Content-Length: 3000000"))
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    await wire.send(b" " * 3_000_000)
    assert await wire.closed()


async def test_who_was_not_told_to_continue_may_send_no_body_so_the_end_is_announced(port: Port) -> None:
    wire = await port.connect()
    head = port.put(b"", LENGTH, "Expect: 100-continue").replace(b"Token ", b"Token x")
    reply = await answered_before_its_body(wire, head)
    assert (reply.status, reply.headers["connection"]) == (401, "close")
    assert await wire.closed()


@pytest.mark.parametrize("body", [b"", BODY[:10]], ids=["none of it", "some of it"])
async def test_a_body_that_never_comes_after_its_answer_does_not_hold_the_connection(
    port: Port, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(http_guard, "REST_DEADLINE_S", 0.2)
    wire = await port.connect()
    assert (await answered_before_its_body(wire, port.put(b"", LENGTH).replace(b"Token ", b"Token x"))).status == 401
    await wire.send(body)
    assert await wire.closed()


async def test_a_body_that_was_waited_for_in_vain_ends_the_connection_as_it_is_announced(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "_BODY_DEADLINE_S", 0.2)
    wire = await port.connect()
    reply = await answered_before_its_body(wire, port.put(b"", LENGTH))
    assert (reply.status, reply.headers["connection"]) == (408, "close")
    assert await wire.closed()


@pytest.mark.parametrize("protocol", [DirectHttp, CorkedHttp])
async def test_a_connection_on_which_a_body_was_dropped_is_idle_as_any_other(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, protocol: type[CorkedHttp]
) -> None:
    monkeypatch.setattr("hub.server.DirectHttp", protocol)
    monkeypatch.setattr("hub.server.KEEP_ALIVE_S", 0.5)
    async with a_port(sqlite_url) as port:
        wire = await port.connect()
        refused = port.put(b"", LENGTH).replace(b"Token ", b"Token x")
        assert (await answered_before_its_body(wire, refused)).status == 401
        await wire.send(BODY)
        assert await is_kept(port, wire)
        await wire.send(refused + BODY[:10])
        assert (await wire.reply()).status == 401
        await wire.send(BODY[10:])
        assert await wire.closed()


async def test_a_get_with_a_body_that_nobody_reads_is_answered_and_so_is_what_follows(port: Port) -> None:
    wire = await port.connect()
    assert (await answered_before_its_body(wire, port.get("/ocpi/versions", LENGTH).encode())).status == 200
    await wire.send(BODY)
    assert await is_kept(port, wire)
