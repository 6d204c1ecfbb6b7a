"""Requests that go through the hub: what reaches the far side, what comes back, and each way of getting no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from hub.core.answers import Answer
from hub.core.dispatch import Call
from hub.core.errors import EndpointsMissing, PeerFault, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.inbound import encode
from hub.core.losses import Lost
from hub.core.operations import ANYBODY, RECEIVER, Operations
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim
from hub.core.relay import Errand, relay
from hub.core.routing import Receiver, destination
from modules.tokens.model import Token
from modules.tokens.wire import TOKEN
from tests.world import Said, Sent, World, a_world, token, until

parcels = Operations("parcels", callers=ANYBODY)


@parcels("POST", RECEIVER, "{parcel_id}", body=TOKEN, answer=TOKEN)
async def post_parcel(call: Call, parcel_id: str, body: Token) -> Answer:
    """Ask the party of the OCPI-to headers; a token stands for anything that has a form in each version."""
    goes = destination(call, owner="BE*AAA")
    assert isinstance(goes, Receiver)
    errand = Errand(
        method="POST",
        module="parcels",
        side=RECEIVER,
        path=(parcel_id,),
        body=body.tree(),
        raw=call.raw,
        wires=TOKEN,
        answers=TOKEN,
        given={"country_code": "NL", "party_id": "EEE"},
    )
    return (await relay(call, goes, errand)).answer(call, goes, TOKEN)


@pytest.fixture
async def world(sqlite_url: str, version: str) -> AsyncIterator[World]:
    """E1 of each version asks c1, which speaks 2.2.1, and c0, which speaks its own version."""
    async with a_world(sqlite_url, version, operations=parcels.table) as made:
        made.peers.script = echo
        await made.registry.save(made.partner("c1").model_copy(update={"version": "2.2.1"}))
        yield made


def echo(sent: Sent) -> Any:
    return sent.body


async def ask(world: World, body: Any = None, *, by: str = "e1", **headers: str) -> Said:
    content = body if body is not None else token(world.version)
    sent = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return await world.ask("POST", world.at("receiver/parcels/P%201"), by=by, body=content, headers=sent)


async def test_between_ends_of_one_version_the_bytes_pass_as_they_came(world: World) -> None:
    await world.registry.save(world.partner("c1").model_copy(update={"version": world.version}))
    raw = b' {"x_unknown": 1.50, ' + encode(token(world.version))[1:-1] + b' , "x_last":[ 1e2 ]} '
    said = await ask(world, raw)
    assert (said.http, said.code) == (200, 1000)
    assert world.peers.sent[0].raw == raw
    assert b'"x_unknown":1.50' in said.body


async def test_between_versions_each_end_reads_its_own(world: World) -> None:
    said = await ask(world)
    assert (said.http, said.code) == (200, 1000)
    sent = world.peers.sent[0]
    assert sent.body["contract_id"] == "NL-EEE-C1"
    assert ("auth_id" in said.data) is (world.version == "2.1.1")
    assert sent.path == ("P 1",)


async def test_the_far_side_gets_the_parties_and_the_journeys_id(world: World) -> None:
    said = await ask(world, X_Request_ID="r-1", X_Correlation_ID="c-1")
    sent = world.peers.sent[0]
    assert (sent.to, sent.sender, sent.correlation_id) == ("BE*AAA", "NL*EEE", "c-1")
    assert said.headers["x-request-id"] == "r-1"
    assert said.headers["x-correlation-id"] == "c-1"
    if world.version != "2.1.1":
        assert said.headers["ocpi-from-party-id"] == "AAA"
        assert said.headers["ocpi-to-party-id"] == "EEE"


@pytest.mark.parametrize(
    ("fault", "http", "code", "code_211"),
    [
        (PeerTimeout("inner.example did not answer in time"), 200, 4002, 3000),
        (PeerUnreachable("inner.example: no such host"), 200, 4003, 3000),
        (PeerNonsense("inner.example broke off"), 200, 4000, 3000),
        (EndpointsMissing(), 200, 4000, 3000),
        (PeerRefused("no", http=200, status_code=2001), 200, 2001, 2001),
        (PeerRefused("no", http=200, status_code=2004), 200, 2004, 2000),
        (PeerRefused("no", http=404, status_code=2003), 404, 2003, 2003),
        (PeerRefused("no", http=400, status_code=2001), 200, 2001, 2001),
        (PeerRefused("no", http=200, status_code=3000), 200, 3000, 3000),
        (PeerRefused("no", http=500, status_code=3000), 200, 3000, 3000),
        (PeerRefused("no", http=401, status_code=2000), 200, 4003, 3000),
        (PeerRefused("no", http=502), 200, 4003, 3000),
        (PeerRefused("no", http=429), 200, 4003, 3000),
        (PeerRefused("no", http=429, status_code=2000), 200, 4003, 3000),
        (PeerRefused("no", http=408, status_code=2001), 200, 4003, 3000),
        (PeerRefused("no", http=429, status_code=3000), 200, 4003, 3000),
        (PeerRefused("no", http=503, status_code=3000), 200, 4003, 3000),
        (PeerRefused("no", http=503, status_code=2000), 200, 4003, 3000),
        (PeerRefused("no", http=500, status_code=2001), 200, 4003, 3000),
        (PeerRefused("no", http=302, status_code=2000), 200, 4003, 3000),
        (PeerRefused("no", http=501, status_code=2000), 200, 4000, 3000),
        (PeerRefused("no", http=404), 200, 4000, 3000),
        (PeerRefused("no", http=405), 200, 4000, 3000),
        (PeerRefused("no", http=200, status_code=4002), 200, 4000, 3000),
        (PeerRefused("no", http=200, status_code=7), 200, 4000, 3000),
    ],
)
async def test_an_error_of_the_far_side_is_told_as_it_is_and_its_silence_by_kind(
    world: World, fault: PeerFault, http: int, code: int, code_211: int
) -> None:
    def script(sent: Sent) -> Any:
        raise fault

    world.peers.script = script
    said = await ask(world)
    assert (said.http, said.code) == (http, code_211 if world.version == "2.1.1" else code)
    assert b"inner.example" not in said.body
    assert len(world.peers.sent) == 1


@pytest.mark.parametrize(("code", "code_211"), [(4001, 2000), (4002, 3000), (4003, 3000)])
async def test_what_another_hub_says_of_a_party_behind_it_is_told_with_its_code(
    world: World, code: int, code_211: int
) -> None:
    claim = Claim(role=PartyRole.HUB, party=Party.parse("SE*HUB"))
    known = world.partner("c1")
    await world.registry.save(known.model_copy(update={"claims": (*known.claims, claim)}))

    def script(sent: Sent) -> Any:
        raise PeerRefused("no such party here", http=200, status_code=code)

    world.peers.script = script
    said = await ask(world)
    assert (said.http, said.code) == (200, code_211 if world.version == "2.1.1" else code)
    assert said.message == "no such party here"
    if world.version != "2.1.1":
        assert said.headers["ocpi-from-party-id"] == "BSB"


def _too_busy(after_s: float, sent: Sent) -> Any:
    raise PeerRefused("slow down", http=429, status_code=2000, retry_after_s=after_s)


@pytest.mark.parametrize(("after_s", "waits_s"), [(30.0, 30), (86_400.0, 300)])
async def test_who_asks_for_time_is_left_alone_for_it_but_not_for_ever(
    world: World, after_s: float, waits_s: int
) -> None:
    world.peers.script = partial(_too_busy, after_s)
    for passed_s in (0, waits_s - 1):
        world.clock.passed_s += passed_s
        said = await ask(world)
        assert said.code == (3000 if world.version == "2.1.1" else 4003)
        assert len(world.peers.sent) == 1
    world.peers.script, world.clock.passed_s = echo, world.clock.passed_s + 1
    assert (await ask(world)).code == 1000


async def test_an_answer_that_is_not_valid_is_nobodys_success(world: World) -> None:
    answers: list[Any] = [{"uid": 7}, [], "x"]
    for answer in answers:
        world.peers.script = partial(lambda said, sent: said, answer)
        said = await ask(world)
        assert (said.http, said.code) == (200, 3000 if world.version == "2.1.1" else 4000)


async def test_an_answer_without_data_is_success(world: World) -> None:
    world.peers.script = lambda sent: None
    said = await ask(world)
    assert (said.http, said.code, said.tree.get("data")) == (200, 1000, None)


async def test_a_request_that_comes_round_again_is_not_sent_once_more(world: World) -> None:
    world.peers.silent.add("c1")
    first = asyncio.create_task(ask(world, X_Correlation_ID="c-1"))
    await until(lambda: world.peers.sent)
    said = await ask(world, X_Correlation_ID="c-1")
    assert said.code == (3000 if world.version == "2.1.1" else 4000)
    assert len(world.peers.sent) == 1
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    world.peers.silent.clear()
    assert (await ask(world, X_Correlation_ID="c-1")).code == 1000


async def test_what_the_far_side_cannot_be_told_is_not_half_told(sqlite_url: str) -> None:
    narrow = Operations("parcels", callers=ANYBODY)

    @narrow("POST", RECEIVER, "{parcel_id}", body=TOKEN)
    async def post(call: Call, parcel_id: str, body: Token) -> Answer:
        """With a body that only the newest version has."""
        goes = destination(call, owner="BE*AAA")
        assert isinstance(goes, Receiver)
        wires = {"2.3.0": TOKEN["2.3.0"]}
        errand = Errand(method="POST", module="parcels", side=RECEIVER, body=body.tree(), wires=wires)
        return (await relay(call, goes, errand)).answer(call, goes, None)

    async with a_world(sqlite_url, operations=narrow.table) as world:
        await world.join("new", "NL*NEW", PartyRole.EMSP)
        said = await ask(world, by="new")
        assert (said.http, said.code) == (200, 2001)
        assert not world.peers.sent


async def test_what_the_far_side_cannot_be_told_counts_for_it(world: World) -> None:
    await world.registry.save(world.partner("c1").model_copy(update={"version": "2.1.1"}))
    await ask(world, token(world.version, group_id="G1"))
    lost = await world.hub.losses.of("c1")
    assert lost == ({} if world.version == "2.1.1" else {Lost("out", "parcels", "/group_id"): 1})


async def test_what_the_caller_cannot_be_told_counts_for_the_caller(world: World) -> None:
    world.peers.script = lambda sent: token("2.2.1", group_id="G1")
    await ask(world)
    lost = await world.hub.losses.of("e1")
    assert lost == ({Lost("out", "parcels", "/group_id"): 1} if world.version == "2.1.1" else {})


async def test_what_nobody_took_has_lost_nothing(world: World) -> None:
    await world.registry.save(world.partner("c1").model_copy(update={"version": "2.1.1"}))

    def refuse(sent: Sent) -> Any:
        raise PeerTimeout("silent")

    world.peers.script = refuse
    await ask(world, token(world.version, group_id="G1"))
    assert await world.hub.losses.of("c1") == {}


async def test_what_passes_as_it_came_has_lost_nothing(world: World) -> None:
    await world.registry.save(world.partner("c1").model_copy(update={"version": world.version}))
    await ask(world, token(world.version, group_id="G1"))
    assert "group_id" in world.peers.sent[0].body
    assert (await world.hub.losses.of("e1"), await world.hub.losses.of("c1")) == ({}, {})
