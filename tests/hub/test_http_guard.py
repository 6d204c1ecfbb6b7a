"""What reaches the HTTP port and is not a decent request: on real sockets, byte by byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from hub import http_guard
from hub.core import request
from tests.hub.wire import PUT_PATH, Port, Reply, a_port
from tests.world import token


@pytest.fixture
async def port(sqlite_url: str) -> AsyncIterator[Port]:
    async with a_port(sqlite_url) as made:
        yield made


def is_envelope(reply: Reply, status: int) -> None:
    """In our form, whoever made it, and without an echo of what was sent."""
    assert reply.status == status
    assert reply.headers["content-type"] == "application/json"
    assert reply.tree["status_code"] in (2000, 2001)
    assert reply.tree["timestamp"].endswith("Z")
    assert len(reply.body) < 300


JUNK = {
    "noise": b"\x00\x01\x02\xff\xfe" * 20 + b"\r\n\r\n",
    "TLS": bytes.fromhex("1603010200010001fc0303") + b"x" * 64 + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9": b"GET / HTTP/9.9\r\n\r\n",
    "a space in the path": b"GET /ocpi/ver sions HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header without a colon": b"GET /ocpi/versions HTTP/1.1\r\nHost x\r\n\r\n",
    "a space before the colon": b"GET /ocpi/versions HTTP/1.1\r\nHost : x\r\n\r\n",
    "NUL in a header": b"GET /ocpi/versions HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
    "folded header": b"GET /ocpi/versions HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
    "two lengths": b"PUT /ocpi/versions HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "length and chunked": b"PUT / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": b"PUT /ocpi/versions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "length of words": b"PUT /ocpi/versions HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    "length beyond 64 bits": b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "not ASCII in the path": b"GET /ocpi/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "an unknown method": b"FROBNICATE /ocpi/versions HTTP/1.1\r\nHost: x\r\n\r\n",
    "a lower-case method": b"get /ocpi/versions HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_what_is_not_http_is_400_in_an_envelope_and_the_end(port: Port, junk: bytes) -> None:
    wire = await port.connect()
    await wire.send(junk)
    is_envelope(await wire.reply(), 400)
    assert await wire.closed()


async def test_headers_that_do_not_come_are_408(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_guard, "HEADERS_DEADLINE_S", 0.2)
    for sent in ("", "GET /oc", "GET /ocpi/versions HTTP/1.1\r\nHost: x\r\nX-Slow: "):
        wire = await port.connect()
        await wire.send(sent)
        is_envelope(await wire.reply(), 408)
        assert await wire.closed()


async def test_a_header_byte_now_and_then_does_not_hold_a_connection(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_guard, "HEADERS_DEADLINE_S", 0.3)
    wire = await port.connect()
    await wire.send("GET /ocpi/versions HTTP/1.1\r\nHost: x\r\n")

    async def drip() -> None:
        for _ in range(500):
            await wire.send("a")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    is_envelope(await wire.reply(), 408)
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)


async def test_the_next_request_on_a_connection_has_the_deadline_too(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_guard, "HEADERS_DEADLINE_S", 0.3)
    wire = await port.connect()
    await wire.send(port.get())
    assert (await wire.reply()).status == 200
    await asyncio.sleep(0.4)  # idle is not slow
    await wire.send(port.get())
    assert (await wire.reply()).status == 200
    await wire.send("GET /ocpi/versions HTTP/1.1\r\nHo")
    is_envelope(await wire.reply(), 408)


@pytest.mark.parametrize("body", [b"", b'{"uid":'], ids=["none of it", "half of it"])
async def test_a_body_that_does_not_come_is_408(port: Port, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setattr(request, "_BODY_DEADLINE_S", 0.2)
    wire = await port.connect()
    await wire.send(port.put(body, "Content-Length: 500"))
    is_envelope(await wire.reply(), 408)


HUGE = {
    "one header": "X-Big: " + "x" * 40_000,
    "one header of 1 MB": "X-Big: " + "x" * 1_000_000,
    "many bytes": "\r\n".join(f"X-{n}: {'x' * 1000}" for n in range(50)),
    "many headers": "\r\n".join(f"X-{n}: x" for n in range(150)),
    "10,000 headers": "\r\n".join(f"X-{n}: x" for n in range(10_000)),
    "a huge name": "X" * 40_000 + ": x",
    "a huge Authorization": f"Authorization: Token {'x' * 40_000}",
}


@pytest.mark.parametrize("headers", HUGE.values(), ids=HUGE)
async def test_headers_beyond_the_limits_are_431_and_the_reply_arrives(port: Port, headers: str) -> None:
    wire = await port.connect()
    await wire.send("GET /ocpi/versions HTTP/1.1\r\nHost: x\r\n")
    try:
        await wire.send(headers, "\r\n\r\n")
    except ConnectionError:
        pytest.fail("the connection was reset before its reply was read")
    is_envelope(await wire.reply(), 431)
    assert await wire.closed()


async def test_a_url_beyond_8_kib_is_431(port: Port) -> None:
    for path in ("/ocpi/" + "x" * 9000, "/ocpi/versions?" + "x" * 9000, "/" + "x" * 1_000_000):
        wire = await port.connect()
        await wire.send(port.get(path))
        is_envelope(await wire.reply(), 431)
        assert await wire.closed()


async def test_99_headers_and_31_kib_are_served(port: Port) -> None:
    wire = await port.connect()
    await wire.send(port.get("/ocpi/versions", *(f"X-{n}: x" for n in range(90))))
    assert (await wire.reply()).status == 200
    await wire.send(port.get("/ocpi/versions", f"X-Big: {'x' * 30_000}"))
    assert (await wire.reply()).status == 200


async def test_requests_may_be_pipelined_and_are_answered_in_order(port: Port) -> None:
    wire = await port.connect()
    paths = ["/ocpi/versions", "/ocpi/2.2.1", "/ocpi/nope", "/ocpi/2.2.1/sender/locations", "/ocpi/versions"]
    await wire.send("".join(port.get(path, f"X-Request-ID: {n}") for n, path in enumerate(paths)))
    replies = [await wire.reply() for _ in paths]
    assert [reply.status for reply in replies] == [200, 200, 404, 200, 200]
    assert [reply.headers["x-request-id"] for reply in replies] == ["0", "1", "2", "3", "4"]


async def test_noise_after_a_good_request_does_not_cost_its_answer(port: Port) -> None:
    wire = await port.connect()
    await wire.send(port.get(), b"\x00\xff rubbish\r\n\r\n")
    first = await wire.reply()
    assert (first.status, first.tree["status_code"]) == (200, 1000)
    is_envelope(await wire.reply(), 400)
    assert await wire.closed()


async def test_a_connection_is_kept_and_closed_as_asked(port: Port) -> None:
    wire = await port.connect()
    for _ in range(3):
        await wire.send(port.get())
        assert (await wire.reply()).status == 200
    await wire.send(port.get("/ocpi/versions", "Connection: close"))
    assert (await wire.reply()).status == 200
    assert await wire.closed()


async def test_http_1_0_is_answered_and_closed(port: Port) -> None:
    wire = await port.connect()
    await wire.send(port.get(version="1.0"))
    reply = await wire.reply()
    assert (reply.status, reply.tree["status_code"]) == (200, 1000)
    assert await wire.closed()


async def test_http_0_9_is_answered_in_our_form(port: Port) -> None:
    wire = await port.connect()
    await wire.send(b"GET /ocpi/versions\r\n\r\n")
    is_envelope(await wire.reply(), 401)
    assert await wire.closed()


async def test_head_and_options_have_no_surprise(port: Port) -> None:
    wire = await port.connect()
    await wire.send(port.get().replace("GET", "HEAD", 1))
    assert (await wire.reply(bodiless=True)).status == 405
    await wire.send(port.get().replace("GET", "OPTIONS", 1))
    reply = await wire.reply()
    assert (reply.status, reply.headers["allow"]) == (405, "GET")


async def test_expect_100_continue_is_invited_only_for_a_body_that_is_wanted(port: Port) -> None:
    body = json.dumps(token("2.2.1")).encode()
    wire = await port.connect()
    await wire.send(port.put(b"", f"Content-Length: {len(body)}", "Expect: 100-continue"))
    assert (await wire.reply()).status == 100
    await wire.send(body)
    assert (await wire.reply()).status == 201
    wire = await port.connect()
    await wire.send(port.put(b"", "Content-Length: 100000000", "Expect: 100-continue"))
    is_envelope(await wire.reply(), 413)


async def test_a_chunked_body_is_read_and_bounded(port: Port) -> None:
    body = json.dumps(token("2.2.1")).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:10], body[10:]))
    wire = await port.connect()
    await wire.send(port.put(chunks + b"0\r\n\r\n", "Transfer-Encoding: chunked"))
    assert (await wire.reply()).status == 201
    wire = await port.connect()
    await wire.send(port.put(b"", "Transfer-Encoding: chunked"))
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    await wire.send(chunk * 6)
    is_envelope(await wire.reply(), 413)
    wire = await port.connect()
    await wire.send(port.put(b"zz\r\nxx\r\n", "Transfer-Encoding: chunked"))
    is_envelope(await wire.reply(), 400)


async def test_a_body_over_the_limit_is_refused_by_its_declared_length(port: Port) -> None:
    wire = await port.connect()
    await wire.send(port.put(b"", "Content-Length: 70000"))
    is_envelope(await wire.reply(), 413)


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_ten_megabytes_are_413_for_a_client_that_sends_them_all_first(
    port: Port, chunked: bool, connection: str
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield b" " * 65536

    url, headers = f"http://127.0.0.1:{port.number}{PUT_PATH}", {"Authorization": port.authorization}
    headers["Connection"] = connection
    content = parts() if chunked else b" " * 160 * 65536
    async with httpx.AsyncClient(trust_env=False) as web:
        answer = await web.put(url, content=content, headers={**headers, "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["status_code"]) == (413, 2000)


async def test_a_body_of_a_stranger_is_not_read_to_its_end(port: Port) -> None:
    wire = await port.connect()
    stranger = port.put(b"", "Transfer-Encoding: chunked").replace(b"Token ", b"Token x")
    await wire.send(stranger)
    is_envelope(await wire.reply(), 401)
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"

    async def go_on() -> None:
        for _ in range(1000):
            await wire.send(chunk)
            await asyncio.sleep(0.01)

    with pytest.raises(ConnectionError):
        await go_on()


async def test_a_websocket_is_not_opened_here(port: Port) -> None:
    wire = await port.connect()
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA==")
    await wire.send(port.get("/ocpi/versions", *upgrade))
    assert (await wire.reply()).status == 200


async def test_an_absolute_target_is_its_path(port: Port) -> None:
    wire = await port.connect()
    await wire.send(port.get("http://elsewhere.example/ocpi/versions"))
    reply = await wire.reply()
    assert reply.status == 200
    assert b"elsewhere" not in reply.body


@pytest.mark.parametrize(
    "target", ["*", "elsewhere.example:443", "/ocpi/%zz", "/ocpi/../versions", "//ocpi/versions", "/%00"]
)
async def test_odd_targets_get_an_answer(port: Port, target: str) -> None:
    wire = await port.connect()
    await wire.send(port.get(target))
    reply = await wire.reply()
    assert 400 <= reply.status < 500


async def test_who_hangs_up_at_any_point_leaves_nothing_behind(port: Port) -> None:
    request = port.put(json.dumps(token("2.2.1")).encode(), "Content-Length: 500")
    for cut in range(0, len(request), 23):
        wire = await port.connect()
        await wire.send(request[:cut])
        wire.writer.transport.abort()
    wire = await port.connect()
    await wire.send(port.get())
    assert (await wire.reply()).status == 200
    await wire.send(port.get(PUT_PATH))
    assert (await wire.reply()).status == 404


async def test_a_request_cut_into_single_bytes_is_the_same_request(port: Port) -> None:
    wire = await port.connect()
    for byte in port.get().encode():
        wire.writer.write(bytes([byte]))
        await asyncio.sleep(0)
    assert (await wire.reply()).status == 200
