"""The OICP port: who may ask what as whom, and what everybody else is told; over real TLS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from hub.core import request
from hub.core.errors import Conflict, NotReady, PeerTimeout, Unauthorized
from hub.core.registry import State
from partners.oicp import answers, face
from partners.oicp.answers import Code, Refused
from partners.oicp.face import Call
from partners.oicp.operations import LARGE, OPERATIONS, SMALL, may_ask
from partners.oicp.wire import ANSWERS, write
from partners.oicp.wire.faults import Finding, Unfit
from tests.partners.oicp.authority import Authority
from tests.partners.oicp.gate import IDS, Gate, a_gate

START = {"OperatorID": "DE*ABC", "Identification": {"RFIDMifareFamilyIdentification": {"UID": "AABBCCDD"}}}
START_PATH = "/charging/v21/operators/DE*ABC/authorize/start"


@pytest.fixture
async def gate(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Gate]:
    async with a_gate(sqlite_url, tmp_path) as gate:
        yield gate


async def test_a_request_reaches_its_handler_with_all_that_is_known_of_it(gate: Gate) -> None:
    said = await gate.ask("AuthorizeStart", START, by="cpo", query="?page=1&size=2000")
    assert (said.http, said.code, said.tree["Result"]) == (200, "000", True)
    (call,) = gate.asked
    assert (call.connection.partner, call.partner.name, call.operation.name) == ("cpo", "cpo", "AuthorizeStart")
    assert (call.id, dict(call.query), call.message) == ("DE*ABC", {"page": "1", "size": "2000"}, START)


@pytest.mark.parametrize(
    "path",
    [
        START_PATH,
        "/charging/v21/operators/DE%2AABC/authorize/start",
        "/charging/v21/operators/DEABC/authorize/start/",
        f"/api/oicp{START_PATH}",
        f"/oicp{START_PATH}",
    ],
)
async def test_an_id_in_the_path_is_read_raw_and_encoded(gate: Gate, path: str) -> None:
    said = await gate.post(path, json.dumps(START).encode(), by="cpo")
    assert (said.http, said.code) == (200, "000")


@pytest.mark.parametrize("written", ["+49*810", "%2B49%2A810", "49*810"])
async def test_the_plus_of_a_german_number_survives(gate: Gate, written: str) -> None:
    said = await gate.ask("AuthorizeStart", {**START, "OperatorID": "+49*810"}, by="cpo", as_id=written)
    assert (said.http, said.code) == (200, "000")


async def test_a_reservation_is_taken_at_both_paths_that_are_in_use(gate: Gate) -> None:
    body = json.dumps({"ProviderID": "DE-DCB"}).encode()
    for path in OPERATIONS["AuthorizeRemoteReservationStart"].paths:
        said = await gate.post(path.replace("{id}", "DE-DCB"), body, by="emp")
        assert (said.http, said.code) == (200, "000")
    assert {call.operation.name for call in gate.asked} == {"AuthorizeRemoteReservationStart"}


# Who is it?


async def test_without_a_certificate_nobody_is_let_in(gate: Gate) -> None:
    said = await gate.ask("AuthorizeStart", START, by="nobody", as_id="DE*ABC")
    assert (said.http, said.code, said.tree["Result"]) == (401, "017", False)
    assert said.tree["AuthorizationStatus"] == "NotAuthorized"
    assert gate.asked == []


async def test_a_good_certificate_that_nobody_registered_is_not_let_in(gate: Gate) -> None:
    said = await gate.ask("AuthorizeStart", START, by="stranger", as_id="DE*ABC")
    assert (said.http, said.code) == (401, "017")


async def test_a_certificate_of_another_authority_does_not_get_through_the_handshake(
    gate: Gate, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "Other CA").identity("cpo")
    context = gate.authority.trusting()
    context.load_cert_chain(other.chain_file, other.key_file)
    async with httpx.AsyncClient(verify=context, base_url=gate.url, trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            await client.post(START_PATH, json=START)
    assert gate.asked == []


async def test_a_certificate_that_was_given_whole_is_trusted_whoever_issued_it(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "Other CA").identity("cpo")
    known = gate.door.connections.get("cpo")
    given = {"fingerprints": (other.fingerprint,), "presented": (other.pem,)}
    await gate.door.connections.connect(known.model_copy(update=given), actor="test")
    gate.people["cpo"] = other
    assert (await gate.ask("AuthorizeStart", START, by="cpo")).http == 200
    await gate.door.connections.connect(known, actor="test")
    await gate.clients.pop("cpo").aclose()
    with pytest.raises(httpx.TransportError):
        await gate.ask("AuthorizeStart", START, by="cpo")


async def test_an_ended_certificate_is_refused_also_on_a_connection_that_is_still_open(gate: Gate) -> None:
    assert (await gate.ask("AuthorizeStart", START, by="cpo")).http == 200
    gate.world.clock.move_to(timedelta(days=3000).total_seconds())
    said = await gate.ask("AuthorizeStart", START, by="cpo")
    assert (said.http, said.code, said.info) == (401, "017", "this client certificate has ended")


async def test_a_locked_partner_is_told_so(gate: Gate) -> None:
    await gate.world.registry.change("cpo", lambda known: known.model_copy(update={"state": State.BLOCKED}))
    said = await gate.ask("AuthorizeStart", START, by="cpo")
    assert (said.http, said.code, said.info) == (401, "017", "this partner is locked")


async def test_who_is_disconnected_is_out_at_once(gate: Gate) -> None:
    assert (await gate.ask("AuthorizeStart", START, by="cpo")).http == 200
    await gate.door.connections.disconnect("cpo", actor="test")
    said = await gate.ask("AuthorizeStart", START, by="cpo")
    assert (said.http, said.code) == (401, "017")


async def test_a_header_means_nothing_on_the_port_that_does_tls_itself(gate: Gate) -> None:
    told = {"X-Client-Cert": gate.people["cpo"].pem.replace("\n", "%0A")}
    said = await gate.post(START_PATH, json.dumps(START).encode(), by="nobody", headers=told)
    assert (said.http, said.code) == (401, "017")


# As whom?


@pytest.mark.parametrize("written", ["DE*XYZ", "DE-ABCD", "..", "%2e%2e", "%FF", "x" * 150, "DE*ABC%00"])
async def test_a_foreign_id_in_the_path_is_refused_before_the_body_is_read(gate: Gate, written: str) -> None:
    said = await gate.post(f"/charging/v21/operators/{written}/authorize/start", b"no JSON", by="cpo")
    assert (said.http, said.code) in ((401, "017"), (404, "320"))
    assert gate.asked == []


@pytest.mark.parametrize("named", ["DE*XYZ", "nonsense", "DE*ABC" * 50])
@pytest.mark.parametrize("spelled", ["OperatorID", "OperatorId", "operator_id"])
async def test_a_foreign_id_in_the_body_is_refused_however_it_is_spelled(gate: Gate, named: str, spelled: str) -> None:
    said = await gate.ask("AuthorizeStart", {**START, "operatorid": "DE*ABC", spelled: named}, by="cpo")
    assert (said.http, said.code) == (401, "017")
    assert gate.asked == []


@pytest.mark.parametrize("wrapped", [[{"OperatorID": "DE*XYZ"}], [[{"OperatorId": "DE*XYZ"}]]])
async def test_a_foreign_id_does_not_hide_in_lists(gate: Gate, wrapped: Any) -> None:
    said = await gate.ask("PushEvseData", {"OperatorEvseData": wrapped}, by="cpo")
    assert (said.http, said.code) == (401, "017")


@pytest.mark.parametrize("named", ["", "  ", None])
async def test_a_body_that_does_not_say_who_asks_is_for_its_handler(gate: Gate, named: str | None) -> None:
    assert (await gate.ask("AuthorizeStart", {"OperatorID": named}, by="cpo")).code == "000"


async def test_each_message_is_looked_into_where_it_names_its_sender(gate: Gate) -> None:
    for operation in OPERATIONS.values():
        if not operation.named or operation.name == "PullAuthenticationData":
            continue
        message: Any = "DE*XYZ"
        for name in reversed(operation.named):
            message = {name: message}
        said = await gate.ask(operation.name, message, by=operation.by)
        assert (operation.name, said.http, said.code) == (operation.name, 401, "017")
    assert gate.asked == []


async def test_who_is_named_in_the_body_alone_is_known_by_it(gate: Gate) -> None:
    said = await gate.ask("ChargingNotification", {"OperatorID": "DEABC", "Type": "Start"}, by="cpo")
    assert (said.http, gate.asked[0].id) == (200, "DEABC")
    foreign = await gate.ask("ChargingNotification", {"OperatorID": "DE*XYZ"}, by="cpo")
    assert (foreign.http, foreign.code) == (401, "017")


async def test_a_sender_that_is_no_text_is_a_fault_of_the_message(gate: Gate) -> None:
    said = await gate.ask("AuthorizeStart", {"OperatorID": ["DE*ABC"]}, by="cpo")
    assert (said.http, said.code) == (400, "022")
    assert said.tree["validationErrors"] == [{"fieldReference": "OperatorID", "errorMessage": "must be text"}]


async def test_everybody_may_ask_what_is_theirs_and_nothing_else(gate: Gate) -> None:
    for operation in OPERATIONS.values():
        if operation.name == "PullAuthenticationData":
            continue
        for kind in ("cpo", "emp", "hub"):
            id_in_path = "DE*ABC" if operation.by == "cpo" else "DE-DCB"
            said = await gate.ask(operation.name, {}, by=kind, as_id=id_in_path)
            refused = (200 if kind == "hub" else 401, "017")
            allowed = (200, "000") if may_ask(kind, operation) else refused
            assert (operation.name, kind, said.http, said.code) == (operation.name, kind, *allowed)


async def test_a_hub_asks_us_only_as_what_we_are_there(gate: Gate) -> None:
    known = gate.door.connections.get("hub")
    await gate.door.connections.connect(known.model_copy(update={"provider_ids": ()}), actor="test")
    start = await gate.ask("AuthorizeStart", START, by="hub")
    assert (start.http, start.code) == (200, "017")
    remote = await gate.ask("AuthorizeRemoteStart", {"ProviderID": "DE-DCB"}, by="hub", as_id="DE-DCB")
    assert (remote.http, remote.code) == (200, "000")


async def test_a_hub_passes_on_for_anybody_if_path_and_body_agree(gate: Gate) -> None:
    said = await gate.ask("AuthorizeStart", {**START, "OperatorID": "FR*ZZZ"}, by="hub", as_id="FRZZZ")
    assert (said.http, said.code, gate.asked[0].id) == (200, "000", "FRZZZ")
    differs = await gate.ask("AuthorizeStart", START, by="hub", as_id="FRZZZ")
    assert (differs.http, differs.code) == (200, "017")
    nonsense = await gate.ask("AuthorizeStart", {}, by="hub", as_id="nobody")
    assert (nonsense.http, nonsense.code) == (200, "017")


# What?


@pytest.mark.parametrize(
    "path",
    ["/", "//", "/charging", "/charging/v21", "/charging/v21/operators/DE*ABC/authorize/begin", "/x/" * 100, "/%00"],
)
async def test_an_unknown_operation_is_not_offered(gate: Gate, path: str) -> None:
    said = await gate.post(path, b"{}", by="cpo")
    assert (said.http, said.code, said.tree["Result"]) == (404, "320", False)


async def test_another_version_of_a_service_is_told_which_is_served(gate: Gate) -> None:
    said = await gate.post("/evsepush/v22/operators/DE*ABC/data-records", b"{}", by="cpo")
    assert (said.http, said.code, said.info) == (404, "320", "evsepush is served in version v23")


async def test_what_has_no_handler_is_not_offered(gate: Gate) -> None:
    said = await gate.ask("PullAuthenticationData", {}, by="cpo")
    assert (said.http, said.code) == (200, "320")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
async def test_all_is_post(gate: Gate, method: str) -> None:
    answer = await gate.client("cpo").request(method, START_PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


BODIES = {
    "nothing": b"",
    "half": b'{"OperatorID": "DE*A',
    "a list": b"[]",
    "a number": b"7",
    "Latin-1": '{"OperatorID": "Ä"}'.encode("latin-1"),
    "a key twice": b'{"OperatorID": "DE*ABC", "OperatorID": "DE*XYZ"}',
    "NaN": b'{"OperatorID": NaN}',
    "too deep": b'{"a":' * 50 + b"1" + b"}" * 50,
    "NUL": b'{"OperatorID": "DE\\u0000"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_malformed_body_is_a_data_error(gate: Gate, body: bytes) -> None:
    said = await gate.post(START_PATH, body, by="cpo")
    assert (said.http, said.code, said.tree["Result"]) == (400, "022", False)
    assert gate.asked == []


async def test_only_json_is_taken(gate: Gate) -> None:
    said = await gate.post(START_PATH, b"<xml/>", by="cpo", headers={"Content-Type": "text/xml"})
    assert (said.http, said.code) == (415, "022")
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    said = await gate.post(START_PATH, json.dumps(START).encode(), by="cpo", headers=packed)
    assert (said.http, said.code) == (415, "022")
    plain = {"Content-Type": "application/json", "Content-Encoding": "identity"}
    assert (await gate.post(START_PATH, json.dumps(START).encode(), by="cpo", headers=plain)).http == 200
    latin = {"Content-Type": "application/json;charset=ISO-8859-1"}
    assert (await gate.post(START_PATH, json.dumps(START).encode(), by="cpo", headers=latin)).http == 200


async def test_a_body_that_is_too_large_is_not_read(gate: Gate) -> None:
    said = await gate.post(START_PATH, b" " * (SMALL + 1), by="cpo")
    assert (said.http, said.code) == (413, "022")
    wire = await gate.wire("cpo")
    path = "/evsepush/v23/operators/DE*ABC/data-records"
    await wire.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGE + 1}\r\n\r\n", b"{")
    assert (await wire.reply()).status == 413


async def test_a_large_push_of_data_is_taken(gate: Gate) -> None:
    push = {"OperatorEvseData": {"OperatorID": "DE*ABC"}, "padding": "x" * 3_000_000}
    assert (await gate.ask("PushEvseData", push, by="cpo")).code == "000"


async def test_pushes_of_one_partner_to_one_service_come_one_after_the_other(gate: Gate) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(call: Call) -> Mapping[str, Any]:
        begun.set()
        await go_on.wait()
        return answers.acknowledged()

    gate.answers["PushEvseData"] = slow
    first = asyncio.create_task(gate.ask("PushEvseData", {}, by="cpo"))
    await begun.wait()
    second = await gate.ask("PushEvseData", {}, by="cpo")
    assert (second.http, second.code) == (200, "009")
    assert (await gate.ask("PushEvseStatus", {}, by="cpo")).code == "000"
    go_on.set()
    assert (await first).code == "000"
    assert (await gate.ask("PushEvseData", {}, by="cpo")).code == "000"


async def test_a_push_that_failed_does_not_keep_out_the_next(gate: Gate) -> None:
    assert (await gate.post("/evsepush/v23/operators/DE*ABC/data-records", b"{", by="cpo")).http == 400
    assert (await gate.ask("PushEvseData", {}, by="cpo")).code == "000"


@pytest.mark.parametrize(
    ("path", "bound"),
    [(START_PATH, (request, "_BODY_DEADLINE_S")), ("/evsepush/v23/operators/DE*ABC/data-records", (face, "LARGE_S"))],
)
async def test_a_body_that_drips_is_left(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, path: str, bound: tuple[Any, str]
) -> None:
    monkeypatch.setattr(*bound, 0.2)
    monkeypatch.setattr(face, "_LEFT_S", 0.2)
    wire = await gate.wire("cpo")
    await wire.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n", b'{"Oper')
    reply = await wire.reply()
    assert (reply.status, reply.tree["StatusCode"]["Code"]) == (408, "021")
    assert await wire.closed()


@pytest.mark.parametrize(
    "junk", [b"\x00\x01\x02\xff" * 20 + b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST /\xff\r\n\r\n"]
)
async def test_what_is_not_http_is_told_so_in_the_words_of_oicp(gate: Gate, junk: bytes) -> None:
    wire = await gate.wire("cpo")
    await wire.send(junk)
    reply = await wire.reply()
    assert (reply.status, reply.tree["Result"], reply.tree["StatusCode"]["Code"]) == (400, False, "022")
    assert await wire.closed()


# How often?


async def test_an_operation_may_be_asked_as_often_as_the_table_says(gate: Gate) -> None:
    status = OPERATIONS["PullEvseStatus"]
    said = [await gate.ask(status.name, {"ProviderID": "DE-DCB"}, by="emp") for _ in range(status.limit_per_min + 1)]
    assert [each.http for each in said] == [200] * 6 + [429]
    assert (said[-1].code, int(said[-1].headers["retry-after"]) >= 1) == ("021", True)
    other = await gate.ask("PullEvseStatusByID", {"ProviderID": "DE-DCB"}, by="emp")
    assert other.http == 200


async def test_a_connection_may_have_limits_of_its_own(gate: Gate) -> None:
    known = gate.door.connections.get("emp")
    limits = {"PullEvseStatus": 2}
    await gate.door.connections.connect(known.model_copy(update={"limits": limits}), actor="test")
    said = [await gate.ask("PullEvseStatus", {"ProviderID": "DE-DCB"}, by="emp") for _ in range(3)]
    assert [each.http for each in said] == [200, 200, 429]


async def test_who_guesses_too_often_is_told_to_wait_and_nobody_else(sqlite_url: str, tmp_path: Path) -> None:
    async with a_gate(sqlite_url, tmp_path, failed_logins_per_min=3) as gate:
        said = [await gate.ask("AuthorizeStart", START, by="stranger", as_id="DE*ABC") for _ in range(4)]
        assert [each.http for each in said] == [401, 401, 401, 429]
        assert (await gate.ask("AuthorizeStart", START, by="cpo")).http == 200
        assert gate.world.hub.logins.counts()["oicp"] == 4


# What went wrong?


FAULTS: dict[str, tuple[Exception, int, str]] = {
    "a handler's no": (Refused(Code.UNKNOWN_EVSE, info="there is none"), 200, "603"),
    "with an HTTP status": (Refused(Code.SESSION_INVALID, http=404), 404, "400"),
    "a silent partner": (PeerTimeout(), 200, "310"),
    "a conflict": (Conflict(), 200, "009"),
    "no database": (NotReady(), 200, "002"),
    "our own fault": (ZeroDivisionError("secret words"), 200, "001"),
}


@pytest.mark.parametrize(("fault", "http", "code"), FAULTS.values(), ids=FAULTS)
async def test_whatever_happens_is_told_in_the_message_of_the_operation(
    gate: Gate, fault: Exception, http: int, code: str
) -> None:
    async def fails(call: Call) -> Mapping[str, Any]:
        raise fault

    for operation, by in (("AuthorizeStart", "cpo"), ("AuthorizeRemoteStart", "emp"), ("PullEvseData", "emp")):
        gate.answers[operation] = fails
        with capture_logs():
            said = await gate.ask(operation, {}, by=by, as_id=IDS[by])
        assert (said.http, said.code) == (http, code)
        key = "AuthorizationStatus" if operation == "AuthorizeStart" else "Result"
        assert said.tree[key] in ("NotAuthorized", False)
        assert "content" not in said.tree
        assert "secret" not in json.dumps(said.tree)


async def test_faults_of_fields_are_listed_as_hubs_do(gate: Gate) -> None:
    async def fails(call: Call) -> Mapping[str, Any]:
        raise Unfit((Finding("/EvseDataRecord/0/Address/City", "is missing"), Finding("/EvseID", "is no EVSE")))

    gate.answers["AuthorizeStart"] = fails
    said = await gate.ask("AuthorizeStart", START, by="cpo")
    assert (said.http, said.code, len(said.tree["validationErrors"])) == (400, "022", 2)
    assert said.tree["validationErrors"][0] == {
        "fieldReference": "EvseDataRecord[0].Address.City",
        "errorMessage": "is missing",
    }


HUB_ASKS = [operation.name for operation in OPERATIONS.values() if may_ask("hub", operation)]


@pytest.mark.parametrize("operation", HUB_ASKS)
async def test_a_hub_asks_a_cpo_or_an_emp_and_those_answer_with_http_200_whatever_is_wrong(
    gate: Gate, operation: str
) -> None:
    faults: list[tuple[Exception, str]] = [
        (Unfit((Finding("/EvseID", "is no EVSE"), Finding("/SessionID", "missing"))), "022"),
        (Refused(Code.SESSION_INVALID, http=404), "400"),
        (Unauthorized("another operator"), "017"),
    ]
    as_id = "DE*ABC" if OPERATIONS[operation].by == "cpo" else "DE-DCB"
    for fault, code in faults:
        gate.answers[operation] = _failing(fault)
        said = await gate.ask(operation, {}, by="hub", as_id=as_id)
        assert (said.http, said.code) == (200, code)
        assert write(ANSWERS[operation], said.tree) == said.tree
        assert code != "022" or said.info == "/EvseID: is no EVSE; /SessionID: missing"
    half = await gate.post(OPERATIONS[operation].path.replace("{id}", as_id), b'{"EvseID": ', by="hub")
    assert (half.http, half.code) == (200, "022")


@pytest.mark.parametrize("operation", HUB_ASKS)
async def test_a_cpo_or_an_emp_asks_a_hub_and_that_answers_a_wrong_message_with_http_400(
    gate: Gate, operation: str
) -> None:
    gate.answers[operation] = _failing(Unfit((Finding("/EvseID", "is no EVSE"),)))
    said = await gate.ask(operation, {}, by=OPERATIONS[operation].by)
    assert (said.http, said.code, said.tree["Result"]) == (400, "022", False)
    assert said.tree["validationErrors"] == [{"fieldReference": "EvseID", "errorMessage": "is no EVSE"}]


async def test_what_a_hub_asks_too_often_or_in_no_way_of_oicp_is_no_answer_to_a_message(gate: Gate) -> None:
    known = gate.door.connections.get("hub").model_copy(update={"limits": {"AuthorizeStart": 1}})
    await gate.door.connections.connect(known, actor="test")
    said = [await gate.ask("AuthorizeStart", START, by="hub") for _ in range(2)]
    assert [each.http for each in said] == [200, 429]
    assert (await gate.post("/charging/v21/operators/DE*ABC/authorize/begin", b"{}", by="hub")).http == 404
    assert (await gate.client("hub").get(START_PATH)).status_code == 405
    text = {"Content-Type": "text/xml"}
    path = "/charging/v21/providers/DE-DCB/authorize-remote/stop"
    assert (await gate.post(path, b"<xml/>", by="hub", headers=text)).http == 415


def _failing(fault: Exception) -> Callable[[Call], Awaitable[Mapping[str, Any]]]:
    async def fails(call: Call) -> Mapping[str, Any]:
        raise fault

    return fails


async def test_an_answer_that_is_no_json_is_our_own_fault(gate: Gate) -> None:
    async def odd(call: Call) -> Mapping[str, Any]:
        return {"odd": object()}

    gate.answers["AuthorizeStart"] = odd
    with capture_logs() as logs:
        said = await gate.ask("AuthorizeStart", START, by="cpo")
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["oicp request failed"]
    assert (said.http, said.code) == (200, "001")


async def test_who_asks_too_often_keeps_the_connection(gate: Gate) -> None:
    often = {"PullEvseStatus": 1}
    connection = gate.door.connections.get("emp").model_copy(update={"limits": often})
    await gate.door.connections.connect(connection, actor="test")
    path = OPERATIONS["PullEvseStatus"].path.replace("{id}", "DE-DCB")
    wire = await gate.wire("emp")
    statuses = []
    for _ in range(4):
        body = b'{"ProviderID":"DE-DCB"}'
        names = f"Host: hub\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        head = f"POST {path} HTTP/1.1\r\n{names}\r\n\r\n"
        wire.writer.write(head.encode())
        await wire.writer.drain()
        await asyncio.sleep(0.05)
        wire.writer.write(body)
        answered = await asyncio.wait_for(wire.reader.readuntil(b"\r\n\r\n"), 30)
        statuses.append(int(answered.split()[1]))
        length = int(answered.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await wire.reader.readexactly(length)
    assert statuses == [200, 429, 429, 429]
