"""A whole hub with its OICP port, and with a proxy that ends TLS before it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvloop
from pydantic import ValidationError

from hub.app import Program
from hub.core.settings import Settings
from partners.oicp.connections import Connection
from tests.hub.wire import Wire
from tests.partners.oicp.authority import Authority, Identity
from tests.world import a_program

PATH = "/authdata/v21/operators/DE*ABC/pull-request"
"""An operation that is answered without a partner behind it."""
LOOPBACK = "127.0.0.0/8"


def connection(shown: Identity, *, whole: bool = False) -> Connection:
    presented = (shown.pem,) if whole else ()
    return Connection(
        partner="cpo", kind="cpo", operator_ids=("DE*ABC",), fingerprints=(shown.fingerprint,), presented=presented
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@asynccontextmanager
async def a_port(database_url: str, authority: Authority, **settings: Any) -> AsyncIterator[Program]:
    own = authority.identity("port")
    files = {"oicp_certificate": str(own.chain_file), "oicp_key": str(own.key_file)}
    async with a_program(database_url, oicp_port=free_port(), **files, **settings) as program:
        yield program


async def asked(program: Program, context: ssl.SSLContext) -> tuple[int, str]:
    base = f"https://127.0.0.1:{program.settings.oicp_port}"
    async with httpx.AsyncClient(verify=context, base_url=base, trust_env=False) as client:
        answer = await client.post(PATH, json={})
    return answer.status_code, answer.json()["StatusCode"]["Code"]


async def knows_its_partner(database_url: str, directory: Path) -> None:
    """On whichever event loop."""
    authority = Authority(directory)
    (directory / "other").mkdir()
    other = Authority(directory / "other", "Other CA").identity("cpo")
    shown = authority.identity("cpo")
    async with a_port(database_url, authority, oicp_client_ca=str(authority.file)) as program:
        connections = program.oicp_door.connections
        await connections.connect(connection(shown), actor="test")
        assert await asked(program, authority.trusting(shown)) == (200, "320")
        assert await asked(program, authority.trusting()) == (401, "017")
        strange = authority.trusting()
        strange.load_cert_chain(other.chain_file, other.key_file)
        with pytest.raises(httpx.TransportError):
            await asked(program, strange)
        await connections.connect(connection(other, whole=True), actor="test")
        assert await asked(program, strange) == (200, "320")
        assert await asked(program, authority.trusting(shown)) == (401, "017")


async def test_a_hub_serves_oicp_on_a_port_of_its_own(sqlite_url: str, tmp_path: Path) -> None:
    await knows_its_partner(sqlite_url, tmp_path)


async def test_it_does_so_on_the_event_loop_of_production(sqlite_url: str, tmp_path: Path) -> None:
    await asyncio.to_thread(uvloop.run, knows_its_partner(sqlite_url, tmp_path))


async def lets_a_refusal_be_read(database_url: str, directory: Path) -> None:
    """On whichever event loop: by a client that sends all of a long body first."""
    authority = Authority(directory)
    async with a_port(database_url, authority, oicp_client_ca=str(authority.file)) as program:
        port = program.settings.oicp_port
        wire = Wire(*await asyncio.open_connection("127.0.0.1", port, ssl=authority.trusting()))
        await wire.send(f"POST {PATH} HTTP/1.1\r\nHost: hub\r\nContent-Length: 3000000\r\n\r\n")
        for _ in range(30):
            await wire.send(b" " * 100_000)
        reply = await wire.reply()
        assert (reply.status, reply.headers["connection"]) == (401, "close")
        assert await wire.closed()


async def test_a_refusal_can_be_read_after_a_long_body_was_sent(sqlite_url: str, tmp_path: Path) -> None:
    await lets_a_refusal_be_read(sqlite_url, tmp_path)


async def test_it_can_be_on_the_event_loop_of_production_too(sqlite_url: str, tmp_path: Path) -> None:
    await asyncio.to_thread(uvloop.run, lets_a_refusal_be_read(sqlite_url, tmp_path))


async def test_a_replaced_certificate_of_the_port_is_taken_up(sqlite_url: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with a_port(sqlite_url, authority) as program:
        before = await presented_by(program, authority)
        authority.identity("port")
        assert await presented_by(program, authority) == before
        program.oicp_door.expiry.look()
        assert await presented_by(program, authority) != before
        spoil(program.settings.oicp_certificate)
        program.oicp_door.expiry.look()
        assert await presented_by(program, authority) != before


def spoil(file: str) -> None:
    Path(file).write_text("odd")


async def presented_by(program: Program, authority: Authority) -> bytes:
    port = program.settings.oicp_port
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=authority.trusting())
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return shown


def der(shown: Identity) -> bytes:
    return ssl.PEM_cert_to_DER_cert(shown.pem)


SPELLINGS: dict[str, Callable[[Identity], str]] = {
    "nginx": lambda shown: quote(shown.pem, safe=""),
    "HAProxy": lambda shown: b64encode(der(shown)).decode(),
    "RFC 9440": lambda shown: f":{b64encode(der(shown)).decode()}:",
    "Traefik": lambda shown: quote(b64encode(der(shown)).decode()),
}


async def through(program: Program, *headers: tuple[str, str], path: str = f"/oicp{PATH}") -> tuple[int, Any]:
    """What a proxy on this machine gets for its client."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{program.settings.port}", trust_env=False) as client:
        answer = await client.post(path, json={}, headers=list(headers))
    return answer.status_code, answer.json()


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
async def test_a_proxy_tells_the_certificate_in_a_header(
    sqlite_url: str, tmp_path: Path, spelled: Callable[[Identity], str]
) -> None:
    shown = Authority(tmp_path).identity("cpo")
    told = ("X-Client-Cert", spelled(shown))
    async with a_program(sqlite_url, oicp_proxies=LOOPBACK) as program:
        await program.oicp_door.connections.connect(connection(shown), actor="test")
        http, tree = await through(program, told)
        assert (http, tree["StatusCode"]["Code"]) == (200, "320")
        http, tree = await through(program, told, ("X-Forwarded-For", "203.0.113.9"))
        assert (http, tree["StatusCode"]["Code"]) == (200, "320")
        for headers in ((), (told, told), (("X-Client-Cert", "odd"),), (("X-Client-Cert", "A" * 20_000),)):
            http, tree = await through(program, *headers)
            assert (http, tree["StatusCode"]["Code"]) == (401, "017")


async def test_nobody_but_a_proxy_is_believed_the_header(sqlite_url: str, tmp_path: Path) -> None:
    shown = Authority(tmp_path).identity("cpo")
    told = ("X-Client-Cert", SPELLINGS["nginx"](shown))
    async with a_program(sqlite_url, oicp_proxies="10.1.2.0/24") as program:
        await program.oicp_door.connections.connect(connection(shown), actor="test")
        for headers in ((told,), (told, ("X-Forwarded-For", "10.1.2.3"))):
            http, tree = await through(program, *headers)
            assert (http, tree["StatusCode"]["Code"]) == (401, "017")


async def test_the_header_may_have_another_name(sqlite_url: str, tmp_path: Path) -> None:
    shown = Authority(tmp_path).identity("cpo")
    written = SPELLINGS["nginx"](shown)
    async with a_program(sqlite_url, oicp_proxies=LOOPBACK, oicp_certificate_header="X-SSL-Cert") as program:
        await program.oicp_door.connections.connect(connection(shown), actor="test")
        assert (await through(program, ("X-Client-Cert", written)))[0] == 401
        assert (await through(program, ("X-SSL-Cert", written)))[0] == 200


async def test_without_proxies_the_main_port_serves_no_oicp(sqlite_url: str) -> None:
    async with a_program(sqlite_url) as program:
        http, tree = await through(program)
        assert (http, tree["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("wrong", [{"oicp_port": 9444}, {"oicp_proxies": "here"}, {"oicp_certificate_header": "a b"}])
def test_settings_that_make_no_sense_stop_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, **wrong)
