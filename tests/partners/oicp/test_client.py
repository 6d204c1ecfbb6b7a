"""Calls to OICP partners over real TLS: which certificate is shown, and what each kind of trouble is called."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from hub.core.errors import EndpointsMissing, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.outbound import Outbound
from hub.core.secrets import Keys, Seal
from partners.oicp.certificates import Subject
from partners.oicp.connections import Connection
from partners.oicp.door import Door
from partners.oicp.wire import NotSayable
from tests.partners.oicp.authority import Authority
from tests.world import World, a_world

OK = {"Result": True, "StatusCode": {"Code": "000"}}


def answer(tree: Any, status: int = 200, *headers: str) -> bytes:
    return raw(json.dumps(tree).encode(), status, *headers)


def raw(body: bytes, status: int = 200, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", "Process-ID: p-1", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@dataclass
class Partner:
    """A server that keeps what it was asked, and by which certificate."""

    authority: Authority
    number: int = 0
    says: bytes = field(default_factory=lambda: answer(OK))
    heads: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
                shown: Any = tls.getpeercert() or {}
                self.shown.append(dict(pair[0] for pair in shown.get("subject", ())).get("commonName", ""))
                self.heads.append(head)
                self.bodies.append(json.loads(await reader.readexactly(length)))
                writer.write(self.says)
                await writer.drain()
        writer.close()


_CARD: Final = {"RFIDMifareFamilyIdentification": {"UID": "01020304"}}
_SESSION: Final = "b2688855-7f00-0002-6d8e-48d883f6abb6"
MESSAGES: Final[dict[str, dict[str, Any]]] = {
    "AuthorizeStart": {"OperatorID": "DE*ABC", "Identification": _CARD},
    "AuthorizeStop": {"SessionID": _SESSION, "OperatorID": "DE*ABC", "Identification": _CARD},
    "PushEvseData": {
        "ActionType": "fullLoad",
        "OperatorEvseData": {"OperatorID": "DE*ABC", "OperatorName": "ABC", "EvseDataRecord": []},
    },
    "ChargeDetailRecord": {
        "SessionID": _SESSION,
        "EvseID": "DE*ABC*E1",
        "Identification": _CARD,
        "ChargingStart": "2026-05-04T12:00:00.000+02:00",
        "ChargingEnd": "2026-05-04T13:00:00.000+02:00",
        "SessionStart": "2026-05-04T12:00:00.000+02:00",
        "SessionEnd": "2026-05-04T13:00:00.000+02:00",
        "ConsumedEnergy": Decimal("10.500"),
    },
}


@dataclass
class Calling:
    """A hub that calls a partner."""

    world: World
    door: Door
    partner: Partner
    connection: Connection

    async def call(self, name: str = "AuthorizeStart", **given: Any) -> Any:
        connection = given.pop("connection", self.connection)
        message = MESSAGES.get(name, {})
        return await self.door.client.call(connection, name, message, **{"id": "DE*ABC", **given})


@asynccontextmanager
async def calling(
    database_url: str, directory: Path, tls: Callable[[Authority], ssl.SSLContext]
) -> AsyncIterator[Calling]:
    authority = Authority(directory)
    partner = Partner(authority)
    server = await asyncio.start_server(partner, "127.0.0.1", 0, ssl=tls(authority))
    partner.number = server.sockets[0].getsockname()[1]
    outbound = Outbound(allow_networks=["127.0.0.0/8"])
    async with a_world(database_url) as world:
        door = Door(world.hub, outbound, Seal(Keys.from_secret(b"x" * 32).seal))
        await door.refresh()
        asked = await door.certificates.ask("qa", Subject("hub.example"), key_type="ec", actor="test")
        assert asked.asked is not None
        await door.certificates.install("qa", authority.sign(asked.asked.csr) + authority.pem, actor="test")
        connection = Connection(
            partner="emp",
            kind="emp",
            provider_ids=("DE-DCB",),
            base_url=f"https://127.0.0.1:{partner.number}/api/oicp",
            client_certificate="qa",
            server_ca=authority.pem,
        )
        yield Calling(world, door, partner, connection)
        await outbound.close()
        server.close()
        await asyncio.sleep(0)


@pytest.fixture
async def caller(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Calling]:
    def serving(authority: Authority) -> ssl.SSLContext:
        return authority.serving(authority.identity("emp"))

    async with calling(sqlite_url, tmp_path, serving) as made:
        yield made


async def test_a_partner_is_called_at_its_path_with_our_certificate(caller: Calling) -> None:
    said = await caller.call(query={"page": "0"})
    assert (said.http, said.tree, said.process_id) == (200, OK, "p-1")
    head = caller.partner.heads[0]
    assert head.startswith("POST /api/oicp/charging/v21/operators/DE%2AABC/authorize/start?page=0 HTTP/1.1\r\n")
    assert "content-type: application/json\r\n" in head.lower()
    assert caller.partner.bodies == [MESSAGES["AuthorizeStart"]]
    assert caller.partner.shown == ["hub.example"]


async def test_a_german_number_is_encoded_whole(caller: Calling) -> None:
    await caller.call(id="+49*810")
    assert "/operators/%2B49%2A810/authorize/start" in caller.partner.heads[0]


async def test_an_amount_goes_out_with_the_digits_it_has(caller: Calling) -> None:
    await caller.call("ChargeDetailRecord", id="x")
    [body] = caller.partner.bodies
    assert body["ConsumedEnergy"] == 10.5


async def test_what_is_no_message_of_its_kind_never_leaves(caller: Calling) -> None:
    with pytest.raises(NotSayable):
        await caller.door.client.call(caller.connection, "AuthorizeStart", {"OperatorID": "DE*ABC"}, id="DE*ABC")
    assert caller.partner.bodies == []


async def test_connections_are_kept_and_a_renewed_certificate_is_shown_at_once(caller: Calling) -> None:
    await caller.call()
    asked = await caller.door.certificates.ask("qa", Subject("renewed.example"), key_type="ec", actor="test")
    assert asked.asked is not None
    await caller.call()
    issued = caller.partner.authority.sign(asked.asked.csr)
    await caller.door.certificates.install("qa", issued, actor="test")
    await caller.call()
    assert caller.partner.shown == ["hub.example", "hub.example", "renewed.example"]


async def test_a_server_of_another_authority_is_not_spoken_to(caller: Calling, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    for trusted in ("", other.pem):
        with pytest.raises(PeerUnreachable, match="TLS failed"):
            await caller.call(connection=caller.connection.model_copy(update={"server_ca": trusted}))
    assert caller.partner.bodies == []


async def test_without_our_certificate_the_partner_takes_nothing(caller: Calling) -> None:
    with pytest.raises((PeerUnreachable, PeerNonsense)):
        await caller.call(connection=caller.connection.model_copy(update={"client_certificate": ""}))
    assert caller.partner.bodies == []


async def test_a_no_in_a_good_answer_is_an_answer(caller: Calling) -> None:
    caller.partner.says = answer({"AuthorizationStatus": "NotAuthorized", "StatusCode": {"Code": "102"}})
    assert (await caller.call()).tree["StatusCode"] == {"Code": "102"}


REFUSALS: dict[str, tuple[bytes, int, int | None]] = {
    "not authorized": (answer({"StatusCode": {"Code": "017", "Description": "no"}}, 401), 401, 17),
    "a closed session": (answer({"Result": False, "StatusCode": {"Code": "400"}}, 404), 404, 400),
    "faults of fields": (answer({"message": "odd", "validationErrors": []}, 400), 400, None),
    "a firewall": (raw(b"<html>403</html>", 403), 403, None),
    "a redirect": (raw(b"", 302, "Location: https://elsewhere.example"), 302, None),
    "broken": (raw(b"\xff", 500), 500, None),
    "a code of words": (answer({"StatusCode": {"Code": "none"}}, 400), 400, None),
    "no object": (answer([], 400), 400, None),
    "a StatusCode of text": (answer({"StatusCode": "400"}, 400), 400, None),
}


@pytest.mark.parametrize(("says", "http", "code"), REFUSALS.values(), ids=REFUSALS)
async def test_an_error_of_http_is_a_refusal_with_both_codes(
    caller: Calling, says: bytes, http: int, code: int | None
) -> None:
    caller.partner.says = says
    with pytest.raises(PeerRefused) as refusal:
        await caller.call()
    assert (refusal.value.http, refusal.value.status_code) == (http, code)


async def test_how_long_to_wait_is_told(caller: Calling) -> None:
    caller.partner.says = raw(b"", 429, "Retry-After: 7")
    with pytest.raises(PeerRefused) as refusal:
        await caller.call()
    assert (refusal.value.http, refusal.value.retry_after_s) == (429, 7.0)


@pytest.mark.parametrize("says", [raw(b""), raw(b"<html>"), raw(b"[]"), raw(b'{"a":\xff}')])
async def test_an_answer_that_is_no_message_is_nonsense(caller: Calling, says: bytes) -> None:
    caller.partner.says = says
    with pytest.raises(PeerNonsense):
        await caller.call()


async def test_an_answer_in_latin_1_is_read_if_it_says_so(caller: Calling) -> None:
    caller.partner.says = raw(
        '{"Name":"Köln"}'.encode("latin-1"), 200, "Content-Type: application/json;charset=ISO-8859-1"
    )
    assert (await caller.call()).tree == {"Name": "Köln"}
    caller.partner.says = raw('{"Name":"Köln"}'.encode(), 200, "Content-Type: application/json;charset=ISO-8859-1")
    assert (await caller.call()).tree == {"Name": "Köln"}


async def test_a_silent_partner_is_left_at_the_deadline(caller: Calling) -> None:
    caller.partner.says = b"HTTP/1.1 200 OK\r\n"
    with pytest.raises(PeerTimeout):
        await caller.call(deadline_s=0.2)


async def test_what_a_partner_does_not_serve_is_not_asked(caller: Calling) -> None:
    for odd in (caller.connection.model_copy(update={"base_url": ""}),):
        with pytest.raises(EndpointsMissing):
            await caller.call(connection=odd)
    for name in ("PushEvseData", "AuthorizeRemoteStart", "PullEvseData"):
        with pytest.raises(EndpointsMissing):
            await caller.call(name)
    hub = caller.connection.model_copy(update={"kind": "hub"})
    await caller.call("PushEvseData", connection=hub)


async def test_who_has_been_asked_often_is_asked_no_more_or_later(caller: Calling) -> None:
    limited = caller.connection.model_copy(update={"limits": {"AuthorizeStart": 2}})
    await caller.call(connection=limited)
    with pytest.raises(PeerRefused) as refusal:
        await caller.call(connection=limited)
    assert refusal.value.http == 429
    assert refusal.value.retry_after_s == pytest.approx(60)
    assert (await caller.call("AuthorizeStop")).http == 200
    waiting = asyncio.create_task(caller.call(connection=limited, wait=True))
    await asyncio.sleep(0)
    caller.world.clock.move_to(timedelta(minutes=1).total_seconds() + 1)
    assert (await waiting).http == 200
    assert len(caller.partner.bodies) == 3


async def test_a_moment_is_waited_for_a_driver_rather_than_he_is_refused(caller: Calling) -> None:
    limited = caller.connection.model_copy(update={"limits": {"AuthorizeStart": 100}})
    for _ in range(10):
        await caller.call(connection=limited)
    eleventh = asyncio.create_task(caller.call(connection=limited, deadline_s=10))
    await asyncio.sleep(0)
    wakes_at = caller.world.clock.wakes_at
    assert wakes_at is not None
    caller.world.clock.move_to(wakes_at)
    assert (await eleventh).http == 200
    assert len(caller.partner.bodies) == 11


async def test_a_driver_waits_no_longer_than_half_of_his_time(caller: Calling) -> None:
    limited = caller.connection.model_copy(update={"limits": {"AuthorizeStart": 100}})
    for _ in range(10):
        await caller.call(connection=limited)
    with pytest.raises(PeerRefused) as refusal:
        await caller.call(connection=limited, deadline_s=1)
    assert refusal.value.http == 429


async def test_an_unreachable_partner_never_got_it(caller: Calling) -> None:
    with pytest.raises(PeerUnreachable):
        await caller.call(connection=caller.connection.model_copy(update={"base_url": "https://127.0.0.1:1"}))
