"""Registration over real HTTP, in both directions, against the sandbox eMSP and against partners that misbehave."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hub.app import Program
from hub.core.errors import (
    BusbarError,
    ClientApiUnusable,
    Conflict,
    EndpointsMissing,
    InvalidRequest,
    VersionNotOffered,
)
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, State, TokenUse
from partners.ocpi.handshake import connect
from partners.sandbox.emsp import Emsp
from partners.sandbox.hubline import HubRefusedError
from partners.sandbox.listener import Listener
from tests.world import VERSIONS, a_program, invited, until

CLAIM = Claim(role=PartyRole.EMSP, party=Party("NL", "EEE"))


def versions_url(program: Program, version: str) -> str:
    return f"{program.settings.base_url}/ocpi/{'cpo/' if version == '2.1.1' else ''}versions"


async def test_the_sandbox_registers_rotates_and_parts(database_url: str) -> None:
    """All versions at once, as one hub serves them all."""
    async with a_program(database_url) as program:
        for version, party in zip(VERSIONS, ("NL*EEE", "NL*FFF", "NL*GGG"), strict=True):
            async with Emsp(version, party) as emsp:
                token_a = await invited(program, party, party)
                await emsp.register(versions_url(program, version), token_a)
                assert program.hub.registry.get(party).version == version
                with pytest.raises(HubRefusedError, match="401"):
                    await emsp.register(versions_url(program, version), token_a)
                before = emsp.registration
                assert before is not None
                await emsp.rotate()
                assert emsp.registration is not None
                assert emsp.registration.their_token != before.their_token
                await emsp.pull("locations")
                assert [t.use for t in program.hub.registry.get(party).our_tokens] == [TokenUse.LIVE]
                await emsp.unregister()
                assert program.hub.registry.get(party).state is State.UNREGISTERED
                with pytest.raises(HubRefusedError, match="401"):
                    await emsp.register(versions_url(program, version), before.their_token)
                newer = "is not a VersionNumber"  # a list may name versions that were not known when 2.2.1 was written
                assert [text for text in emsp.complaints.texts() if newer not in text] == []


async def test_a_failed_call_back_over_http_leaves_token_a_good(sqlite_url: str, version: str) -> None:
    async with a_program(sqlite_url) as program, Emsp(version, "NL*EEE") as emsp:
        token_a = await invited(program, "eee", "NL*EEE")
        for mode in ("auth-fail", "partial"):
            emsp.temper.switch(mode)
            with pytest.raises(HubRefusedError, match="3001"):
                await emsp.register(versions_url(program, version), token_a)
        emsp.temper.switch("happy")
        await emsp.register(versions_url(program, version), token_a)
        assert emsp.registration is not None


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/versions", "http://no-such-host.invalid/", "ftp://x/", "http://[::", "https://127.0.0.1:1/"],
)
async def test_a_versions_url_that_leads_nowhere_is_3001(sqlite_url: str, url: str) -> None:
    async with a_program(sqlite_url) as program, Emsp("2.2.1", "NL*EEE") as emsp:
        token_a = await invited(program, "eee", "NL*EEE")
        body = {**emsp._handshake.credentials("their-token"), "url": url}
        answer = await emsp._line.ask(
            "POST", f"{program.settings.base_url}/ocpi/2.2.1/credentials", token_a, body=body, functional=False
        )
        assert (answer.http, answer.status_code) == (200, 3001)
        assert program.hub.registry.get("eee").state is State.INVITED


async def test_we_register_with_the_sandbox_in_each_version(sqlite_url: str, version: str) -> None:
    async with a_program(sqlite_url) as program, Emsp(version, "NL*EEE") as emsp:
        emsp.add_token({"uid": "CARD1"})
        url, token = emsp.invite()
        partner = await connect(
            program.hub, program.handshake, program.seal, "eee", (CLAIM,), versions_url=url, token=token
        )
        assert (partner.state, partner.version) == (State.CONNECTED, version)
        assert [(claim.role, str(claim.party)) for claim in partner.claims] == [(PartyRole.EMSP, "NL*EEE")]
        assert partner.token_form == ("raw" if version == "2.1.1" else "base64")
        assert [token.use for token in partner.our_tokens] == [TokenUse.LIVE]
        await until(lambda: program.hub.registry.get("eee").pulled)
        assert await emsp.pull("locations") == []
        with pytest.raises(Conflict):
            await connect(program.hub, program.handshake, program.seal, "eee", (CLAIM,), versions_url=url, token=token)


class Scripted:
    """A partner whose answers are written down: by path, a status and a body; `{base}` is its address."""

    def __init__(self, **answers: tuple[int, Any]) -> None:
        self._listener = Listener()
        self.answers = answers
        self.asked: list[str] = []
        self.tokens: list[str] = []

    @property
    def url(self) -> str:
        return f"{self._listener.url}/versions"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name = scope["path"].strip("/")
        self.asked.append(f"{scope['method']} {name}")
        self.tokens.append(dict(scope["headers"])[b"authorization"].decode())
        status, body = self.answers.get(name, (404, ""))
        content = (body if isinstance(body, str) else json.dumps(body)).replace("{base}", self._listener.url)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": content.encode()})

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Scripted]:
        await self._listener.start(self)
        yield self
        await self._listener.stop()


def envelope(data: Any, code: int = 1000) -> Any:
    return {"status_code": code, "timestamp": "2026-05-04T10:00:00Z", "data": data}


LIST = envelope([{"version": "2.2.1", "url": "{base}/details"}])
ENDPOINTS = [
    {"identifier": "credentials", "role": "SENDER", "url": "{base}/credentials"},
    {"identifier": "tokens", "role": "SENDER", "url": "{base}/tokens"},
]
DETAILS = envelope({"version": "2.2.1", "endpoints": ENDPOINTS})
ABOUT = {"country_code": "NL", "party_id": "EEE", "business_details": {"name": "E"}}
THEIRS = {"token": "theirs", "url": "{base}/versions", "roles": [{"role": "EMSP", **ABOUT}]}

FAULTS: dict[str, tuple[dict[str, tuple[int, Any]], type[BusbarError]]] = {
    "versions 404": ({"versions": (404, "")}, ClientApiUnusable),
    "versions 500": ({"versions": (500, "oops")}, ClientApiUnusable),
    "versions redirect": ({"versions": (302, "")}, ClientApiUnusable),
    "versions html": ({"versions": (200, "<html>")}, ClientApiUnusable),
    "versions no envelope": ({"versions": (200, [])}, ClientApiUnusable),
    "versions refused": ({"versions": (200, envelope([], 2000))}, ClientApiUnusable),
    "versions a number": ({"versions": (200, envelope(5))}, ClientApiUnusable),
    "versions a text": ({"versions": (200, envelope("2.2.1"))}, ClientApiUnusable),
    "versions null": ({"versions": (200, envelope(None))}, ClientApiUnusable),
    "versions of numbers": ({"versions": (200, envelope([1, None, "x", []]))}, VersionNotOffered),
    "versions empty": ({"versions": (200, envelope([]))}, VersionNotOffered),
    "only others": ({"versions": (200, envelope([{"version": "2.2", "url": "{base}/d"}]))}, VersionNotOffered),
    "details 500": ({"details": (500, "")}, ClientApiUnusable),
    "details a list": ({"details": (200, envelope([]))}, ClientApiUnusable),
    "details empty": ({"details": (200, envelope({}))}, ClientApiUnusable),
    "endpoints a text": ({"details": (200, envelope({"endpoints": "x"}))}, ClientApiUnusable),
    "no tokens": ({"details": (200, envelope({"endpoints": ENDPOINTS[:1]}))}, EndpointsMissing),
    "no credentials": ({"details": (200, envelope({"endpoints": ENDPOINTS[1:]}))}, ClientApiUnusable),
    "post 500": ({"credentials": (500, "")}, BusbarError),
    "post refused": ({"credentials": (200, envelope(None, 3001))}, BusbarError),
    "post no envelope": ({"credentials": (200, "{}")}, BusbarError),
    "post null": ({"credentials": (200, envelope(None))}, InvalidRequest),
    "post no token": ({"credentials": (200, envelope({**THEIRS, "token": ""}))}, InvalidRequest),
    "another party": (
        {"credentials": (200, envelope({**THEIRS, "roles": [{"role": "EMSP", **ABOUT, "party_id": "ZZZ"}]}))},
        InvalidRequest,
    ),
    "another role": ({"credentials": (200, envelope({**THEIRS, "roles": [{"role": "CPO", **ABOUT}]}))}, InvalidRequest),
}


async def test_whatever_the_other_side_does_wrong_nothing_is_left_behind(sqlite_url: str) -> None:
    good = {"versions": (200, LIST), "details": (200, DETAILS), "credentials": (200, envelope(THEIRS))}
    async with a_program(sqlite_url) as program, Scripted(**good).up() as partner:
        how = {"versions_url": partner.url, "token": "their-a"}
        registry = program.hub.registry
        await invited(program, "eee", "NL*EEE")
        before = registry.get("eee")
        for name, (answers, fault) in FAULTS.items():
            partner.answers = {**good, **answers}
            with pytest.raises(fault):
                await connect(program.hub, program.handshake, program.seal, "eee", (CLAIM,), **how)
            assert registry.get("eee") == before, name
            with pytest.raises(fault):
                await connect(program.hub, program.handshake, program.seal, f"new {name}", (CLAIM,), **how)
            left = registry.find(f"new {name}")
            assert left is None or (left.state, left.our_tokens) == (State.INVITED, ()), name
        partner.answers = good
        partner.tokens.clear()
        made = await connect(program.hub, program.handshake, program.seal, "eee", (CLAIM,), **how)
        assert made.state is State.CONNECTED
        assert b64decode(partner.tokens[0].removeprefix("Token ")) == b"their-a"


async def test_the_newest_common_version_is_taken(sqlite_url: str) -> None:
    offered = [{"version": v, "url": f"{{base}}/{v}"} for v in ("2.1.1", "9.9", "2.3.0", "2.2.1")]
    details = envelope({"version": "2.3.0", "endpoints": ENDPOINTS})
    answers = {"versions": (200, envelope(offered)), "2.3.0": (200, details), "credentials": (200, envelope(THEIRS))}
    async with a_program(sqlite_url) as program, Scripted(**answers).up() as partner:
        made = await connect(
            program.hub, program.handshake, program.seal, "eee", (CLAIM,), versions_url=partner.url, token="t"
        )
        assert made.version == "2.3.0"
        assert partner.asked[:3] == ["GET versions", "GET 2.3.0", "POST credentials"]


async def test_a_silent_partner_ends_in_3001_within_the_deadline(sqlite_url: str) -> None:
    async with a_program(sqlite_url, outbound_timeout_s=0.3) as program, Emsp("2.2.1", mode="silent") as emsp:
        url, token = emsp.invite()
        with pytest.raises(ClientApiUnusable):
            await connect(program.hub, program.handshake, program.seal, "eee", (CLAIM,), versions_url=url, token=token)
        assert program.hub.registry.find("eee") is None


HUBS: dict[str, dict[str, Any]] = {
    "2.2.1": {"roles": [{**ABOUT, "role": "HUB"}]},
    "2.3.0": {"roles": [{**ABOUT, "role": "EMSP", "party_id": "XYZ"}], "hub_party_id": "NLEEE"},
}


@pytest.mark.parametrize("version", HUBS)
@pytest.mark.parametrize("claims", [(), (CLAIM.model_copy(update={"role": PartyRole.HUB}),)], ids=["told", "agreed"])
async def test_we_register_with_a_hub(sqlite_url: str, version: str, claims: tuple[Claim, ...]) -> None:
    offered = [{"version": version, "url": "{base}/details"}]
    answers = {
        "versions": (200, envelope(offered)),
        "details": (200, envelope({"version": version, "endpoints": ENDPOINTS})),
        "credentials": (200, envelope({**THEIRS, **HUBS[version]})),
    }
    async with a_program(sqlite_url) as program, Scripted(**answers).up() as partner:
        how = {"versions_url": partner.url, "token": "t"}
        made = await connect(program.hub, program.handshake, program.seal, "hub", claims, **how)
        told = [(PartyRole.EMSP, "NL*XYZ")] if version == "2.3.0" and not claims else []
        assert [(c.role, str(c.party)) for c in made.claims] == [(PartyRole.HUB, "NL*EEE"), *told]
