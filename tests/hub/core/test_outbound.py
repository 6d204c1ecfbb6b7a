"""The HTTP client against servers that mean harm, on real sockets."""

import asyncio
import contextlib
import gzip
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.core.errors import PeerFault, PeerNonsense, PeerTimeout, PeerUnreachable
from hub.core.outbound import Outbound

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Peer:
    """A server on the loopback that reads one request head and then plays a script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.connections = 0
        self.heads: list[bytes] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                await self.script(reader, writer)
                await writer.drain()
                if writer.is_closing():
                    break
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        self.tasks.discard(task)


@contextlib.asynccontextmanager
async def listening(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Peer, str]]:
    peer = Peer(script)
    server = await asyncio.start_server(peer, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield peer, f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.close()
        tasks = list(peer.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def says(answer: bytes) -> Script:
    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return script


async def forever(pause_s: float, piece: bytes, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause_s)


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    client = Outbound(allow_networks=["127.0.0.0/8"], total_timeout_s=5, object_cap=64 * 1024)
    yield client
    await client.close()


async def test_an_exchange_brings_status_headers_and_body(outbound: Outbound) -> None:
    answer = b"HTTP/1.1 201 Created\r\nX-Limit: 50\r\nContent-Length: 4\r\n\r\nbody"
    async with listening(says(answer)) as (peer, url):
        found = await outbound.request("POST", f"{url}/a%2Fb?x=%2C", headers={"Authorization": "Token abc"}, body=b"{}")
    assert (found.status, found.headers["x-limit"], found.body) == (201, "50", b"body")
    head = peer.heads[0].lower()
    assert head.startswith(b"post /a%2fb?x=%2c http/1.1\r\n")
    assert b"accept-encoding: identity\r\n" in head
    assert b"authorization: token abc\r\n" in head


@pytest.mark.parametrize("body", [None, b"{}"])
async def test_a_content_type_is_sent_as_it_is_given_and_never_guessed(outbound: Outbound, body: bytes | None) -> None:
    async with listening(says(OK)) as (peer, url):
        await outbound.request("PUT", url, headers={}, body=body)
    async with listening(says(OK)) as (other, url):
        await outbound.request("PUT", url, headers={"Content-Type": "application/json"}, body=body)
    assert b"content-type" not in peer.heads[0].lower()
    assert other.heads[0].lower().count(b"content-type: application/json\r\n") == 1


async def test_long_headers_are_sent_if_each_of_them_can_be(outbound: Outbound) -> None:
    headers = {f"X-Long-{number}": "a" * 5000 for number in range(3)}
    async with listening(says(OK)) as (peer, url):
        await outbound.request("GET", url, headers=headers)
    assert peer.heads[0].count(b"a" * 5000) == 3


async def test_connections_are_kept(outbound: Outbound) -> None:
    async with listening(says(OK)) as (peer, url):
        for _ in range(5):
            await outbound.request("GET", url, headers={})
    assert peer.connections == 1


async def test_no_more_than_the_allowed_connections_go_to_one_server() -> None:
    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(OK)

    client = Outbound(allow_networks=["127.0.0.1"], per_host=2)
    async with listening(slow) as (peer, url):
        await asyncio.gather(*(client.request("GET", url, headers={}) for _ in range(6)))
    assert peer.connections == 2
    await client.close()


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
async def test_a_peer_that_drips_a_byte_now_and_then_is_left_at_the_deadline(outbound: Outbound, head: bytes) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await forever(0.05, b"x" if head else b"", writer)

    async with listening(drip) as (_, url):
        before = time.monotonic()
        with pytest.raises(PeerTimeout):
            await outbound.request("GET", url, headers={}, deadline_s=0.3)
        assert time.monotonic() - before < 5, "its own deadline counts, not that of all requests"


async def test_an_endless_body_is_cut_at_the_cap(outbound: Outbound) -> None:
    written = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
            written += 65536

    async with listening(endless) as (_, url):
        with pytest.raises(PeerNonsense, match="larger"):
            await outbound.request("GET", url, headers={}, cap=100_000)
    assert written < 20_000_000


async def test_an_announced_length_over_the_cap_is_not_read_at_all(outbound: Outbound) -> None:
    async with listening(says(b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n")) as (_, url):
        with pytest.raises(PeerNonsense, match="65536"):
            await outbound.request("GET", url, headers={})


async def test_a_body_of_exactly_the_cap_is_read(outbound: Outbound) -> None:
    async with listening(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde")) as (_, url):
        assert (await outbound.request("GET", url, headers={}, cap=5)).body == b"abcde"


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"x-unheard-of"])
async def test_a_compressed_answer_is_refused_and_never_inflated(outbound: Outbound, coding: bytes) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (coding, len(bomb))
    async with listening(says(head + bomb)) as (_, url):
        with pytest.raises(PeerNonsense, match="compressed"):
            await outbound.request("GET", url, headers={})


async def test_a_redirect_is_an_answer_and_is_not_followed(outbound: Outbound) -> None:
    async with listening(says(OK)) as (target, goal):
        moved = b"HTTP/1.1 307 Moved\r\nLocation: %s/x\r\nContent-Length: 0\r\n\r\n" % goal.encode()
        async with listening(says(moved)) as (_, url):
            assert (await outbound.request("GET", url, headers={})).status == 307
    assert target.connections == 0


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_spelling_of_the_loopback_gets_through(scheme: str, host: str) -> None:
    client = Outbound(allow_networks=[])
    async with listening(says(OK)) as (peer, url):
        with pytest.raises(PeerUnreachable):
            await client.request("GET", f"{scheme}://{host}:{url.rpartition(':')[2]}/", headers={})
    assert peer.connections == 0
    await client.close()


async def test_plain_http_is_for_listed_networks_only() -> None:
    client = Outbound(allow_networks=["10.0.0.0/8"])
    with pytest.raises(PeerUnreachable, match="https is missing"):
        await client.request("GET", "http://8.8.8.8/", headers={})
    await client.close()


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "nul\0", "€", "é", "\ud800", "x" * 9000])
async def test_a_header_that_cannot_be_sent_is_told_by_name_and_nothing_leaves(outbound: Outbound, value: str) -> None:
    async with listening(says(OK)) as (peer, url):
        with pytest.raises(PeerUnreachable, match="X-Thing") as caught:
            await outbound.request("GET", url, headers={"X-Thing": value})
    assert value not in str(caught.value)
    assert peer.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a.example/",
        "//a.example",
        "/ocpi",
        "http://",
        "http:///x",
        "http://a b/",
        "http://a\r\n/",
        "http://u:p@a/",
        "http://h:99999/",
        "http://h:x/",
        "http://[::1/",
        "https://①②⑦.0.0.1/",
        "http://" + "a" * 3000,
        "file:///etc/passwd",
        f"http://{'a' * 70}.example/",
        "http://a..example/",
        "http://.../",
        "http://127.0.0.1%2f@h/",
        "http://127.0.0.1:0/",
    ],
)
async def test_a_url_that_cannot_be_used_is_no_crash(outbound: Outbound, url: str) -> None:
    with pytest.raises(PeerUnreachable):
        await outbound.request("GET", url, headers={}, deadline_s=3)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 99999 \xff\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_nonsense(outbound: Outbound, answer: bytes) -> None:
    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with listening(script) as (_, url):
        with pytest.raises(PeerNonsense):
            await outbound.request("POST", url, headers={}, deadline_s=2)


async def test_after_close_nothing_leaves(outbound: Outbound) -> None:
    async with listening(says(OK)) as (peer, url):
        await outbound.close()
        with pytest.raises(PeerUnreachable, match="shutting down"):
            await outbound.request("GET", url, headers={})
    assert peer.connections == 0


async def test_a_closed_port_is_unreachable(outbound: Outbound) -> None:
    async with listening(says(OK)) as (_, url):
        pass
    with pytest.raises(PeerUnreachable, match="no connection"):
        await outbound.request("GET", url, headers={})


async def test_no_error_holds_a_path_or_a_token(outbound: Outbound) -> None:
    async with listening(says(b"nonsense\r\n\r\n")) as (_, url):
        with pytest.raises(PeerFault) as caught:
            await outbound.request("GET", f"{url}/tokens/CANARY", headers={"Authorization": "Token CANARY"})
    assert "CANARY" not in repr(caught.value)
    assert caught.value.__suppress_context__


async def test_a_certificate_is_checked(tmp_path: Path) -> None:
    server, trusting = _certificate(tmp_path)
    strict, client = (
        Outbound(allow_networks=["127.0.0.1"]),
        Outbound(allow_networks=["127.0.0.1"], tls=trusting),
    )
    async with listening(says(OK), tls=server) as (_, url):
        assert (await client.request("GET", url.replace("127.0.0.1", "localhost"), headers={})).status == 200
        with pytest.raises(PeerUnreachable, match="TLS"):
            await strict.request("GET", url.replace("127.0.0.1", "localhost"), headers={})
        with pytest.raises(PeerUnreachable, match="TLS"):
            await client.request("GET", url, headers={})
    await client.close()
    await strict.close()


def _certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server named localhost, and of a client that trusts it."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))
