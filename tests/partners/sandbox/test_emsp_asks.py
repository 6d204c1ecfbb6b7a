"""What the sandbox eMSP does of its own accord, against a second one and against a hub of a few lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from partners.sandbox.emsp import Emsp
from partners.sandbox.hubline import HubRefusedError
from partners.sandbox.listener import Listener
from partners.sandbox.wire import COMMANDS, encode, envelope
from tests.partners.sandbox.samples import AT, VERSIONS, agreed, location


class Hub:
    """Keeps what it is sent, lists what it is given, answers commands with what `result` says."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.url = self.listener.url
        self.seen: list[tuple[str, str, Any]] = []
        self.listed: list[Any] = []
        self.result: dict[str, Any] | None = {"result": "ACCEPTED"}
        self.forgets_ids = False
        self._later: set[asyncio.Task[None]] = set()

    def app(self) -> Starlette:
        methods = ["GET", "PUT", "PATCH", "POST", "DELETE"]
        return Starlette(routes=[Route("/{module}{rest:path}", self.answer, methods=methods)])

    async def answer(self, request: Request) -> Response:
        body = await request.json() if await request.body() else None
        path = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        self.seen.append((request.method, path, body))
        headers = self._headers(request)
        if request.path_params["module"] == "commands":
            return self._command(request, body, headers)
        if request.method == "GET":
            return self._page(request, headers)
        return Response(encode(envelope()), 201, headers)

    def _headers(self, request: Request) -> dict[str, str]:
        if self.forgets_ids:
            return {}
        ids = {name: request.headers.get(name, "") for name in ("x-request-id", "x-correlation-id")}
        routing = {"ocpi-to-country-code": "NL", "ocpi-to-party-id": "EEE"}
        return {**ids, **routing, "ocpi-from-country-code": "BE", "ocpi-from-party-id": "BEC"}

    def _page(self, request: Request, headers: dict[str, str]) -> Response:
        offset = int(request.query_params.get("offset", 0))
        headers |= {"x-total-count": str(len(self.listed)), "x-limit": "1"}
        if offset + 1 < len(self.listed):
            headers["link"] = f'<{self.url}/locations?offset={offset + 1}&limit=1>; rel="next"'
        return Response(encode(envelope(self.listed[offset : offset + 1])), 200, headers)

    def _command(self, request: Request, body: Any, headers: dict[str, str]) -> Response:
        if self.result is not None:
            task = asyncio.create_task(self._report(body["response_url"], request.headers))
            self._later.add(task)
        return Response(encode(envelope({"result": "ACCEPTED", "timeout": 5})), 200, headers)

    async def _report(self, url: str, asked: Any) -> None:
        headers = {
            "Authorization": "Token aHViLXRva2Vu",
            "X-Request-ID": "1",
            "X-Correlation-ID": asked["x-correlation-id"],
            "OCPI-to-country-code": "NL",
            "OCPI-to-party-id": "EEE",
            "OCPI-from-country-code": "BE",
            "OCPI-from-party-id": "BEC",
            "Content-Type": "application/json",
        }
        async with httpx.AsyncClient() as client:
            await client.post(url, content=encode(self.result), headers=headers)


@asynccontextmanager
async def world(version: str = "2.2.1") -> AsyncIterator[tuple[Emsp, Hub]]:
    hub = Hub()
    await hub.listener.start(hub.app())
    try:
        async with Emsp(version) as emsp:
            agreed(emsp, hub.url)
            yield emsp, hub
    finally:
        await hub.listener.stop()


@pytest.mark.parametrize("version", VERSIONS)
async def test_two_of_them_register_rotate_and_part(version: str) -> None:
    async with Emsp(version, "NL*EEE") as one, Emsp(version, "DE*TWO") as two:
        invitation = two.invite()
        await one.register(*invitation)
        assert one.registration
        assert two.registration
        assert one.registration.their_token == two.registration.our_token
        assert str(one.registration.hub) == "DE*TWO"
        before = one.registration
        after = await one.rotate()
        assert {before.our_token, before.their_token}.isdisjoint({after.our_token, after.their_token})
        await one.rotate()
        await one.unregister()
        assert not one.state()["registered"]
        assert not two.state()["registered"]
        assert one.complaints.texts() == two.complaints.texts() == []
        with pytest.raises(HubRefusedError, match="HTTP 401"):
            await one.register(*invitation)


async def test_a_second_registration_is_refused_while_the_first_stands() -> None:
    async with Emsp("2.2.1") as one, Emsp("2.2.1", "DE*TWO") as two:
        await one.register(*two.invite())
        with pytest.raises(HubRefusedError, match="HTTP 405"):
            await one.register(*two.invite())


async def test_tokens_go_to_the_url_of_their_owner() -> None:
    async with world() as (emsp, hub):
        await emsp.push_token({"uid": "04/AB"})
        await emsp.patch_token("04/AB", {"valid": False})
        put, patch = hub.seen
        assert put[:2] == ("PUT", "/tokens/NL/EEE/04/AB?type=RFID")
        assert put[2]["contract_id"].startswith("NLEEEC")
        assert patch[0] == "PATCH"
        assert set(patch[2]) == {"valid", "last_updated"}
        assert emsp.complaints.texts() == []


async def test_a_pull_follows_the_links_to_the_last_page() -> None:
    async with world() as (emsp, hub):
        hub.listed = [{**location("2.2.1"), "id": f"LOC{number}"} for number in range(3)]
        found = await emsp.pull("locations", date_from=AT)
        assert [tree["id"] for tree in found] == ["LOC0", "LOC1", "LOC2"]
        assert len(emsp.mirror.listed("locations")) == 3
        assert emsp.complaints.texts() == []


async def test_a_pull_without_owners_replaces_what_was_pushed() -> None:
    async with world("2.1.1") as (emsp, hub):
        emsp.mirror.put("locations", ("BE", "CPO"), ("loc1",), location("2.1.1"), where="push")
        hub.listed = [{**location("2.1.1"), "name": "new"}]
        await emsp.pull("locations")
        assert [tree["name"] for tree in emsp.mirror.listed("locations")] == ["new"]


async def test_a_bad_object_and_forgotten_headers_in_an_answer_are_complaints() -> None:
    async with world() as (emsp, hub):
        hub.listed = [{**location("2.2.1"), "publish": "yes"}]
        hub.forgets_ids = True
        await emsp.pull("locations")
        text = "\n".join(emsp.complaints.texts())
        assert "/publish: is not a boolean" in text
        assert "X-Request-ID is not repeated" in text
        assert "the answer does not say who it is from" in text


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("START_SESSION", {"token": "U1", "location_id": "LOC1", "evse_uid": "3256"}),
        ("STOP_SESSION", {"session_id": "S1"}),
        ("RESERVE_NOW", {"token": "U1", "location_id": "LOC1", "reservation_id": "R1", "expiry_date": AT}),
        ("CANCEL_RESERVATION", {"reservation_id": "R1"}),
        ("UNLOCK_CONNECTOR", {"location_id": "LOC1", "evse_uid": "3256", "connector_id": "1"}),
    ],
)
async def test_a_command_comes_back_with_its_result(command: str, body: dict[str, Any]) -> None:
    async with world() as (emsp, hub):
        emsp.add_token({"uid": "U1"})
        outcome = await emsp.command(command, body)
        assert outcome.answer["result"] == "ACCEPTED"
        assert outcome.result == {"result": "ACCEPTED"}
        assert command in COMMANDS
        assert hub.seen[0][1] == f"/commands/{command}"
        assert emsp.complaints.texts() == []


async def test_a_result_in_an_envelope_is_a_complaint() -> None:
    async with world() as (emsp, hub):
        hub.result = {"status_code": 1000, "result": "ACCEPTED", "timestamp": AT}
        await emsp.command("STOP_SESSION", {"session_id": "S1"})
        assert ["wrapped in an envelope" in text for text in emsp.complaints.texts()] == [True]


async def test_a_command_that_the_specification_does_not_know_is_not_sent() -> None:
    async with world() as (emsp, hub):
        with pytest.raises(ValueError, match="/session_id: is required"):
            await emsp.command("STOP_SESSION", {})
        assert hub.seen == []
