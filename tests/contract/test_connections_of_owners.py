"""A CPO whose connection stands for one party (`--as`): what it brings, and what it has, is for that party alone.

See hub/decisions/parties-over-2.1.1.md.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import cast

import pytest

from hub.core.parties import Party, PartyRole
from hub.core.ports import Found, PeerAnswer
from hub.core.registry import Claim, Endpoint, State, TokenUse
from hub.core.secrets import Keys, Seal
from hub.worker import tell_who_was_let_in
from modules.cdrs import waiting
from partners.ocpi.handshake import Handshake, connect
from tests.contract.test_passed_on import Hub
from tests.modules.cdrs.check.records import but, wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.modules.sessions.records import a_session
from tests.world import BASE, Said, a_world, credentials, endpoints, stored_token, their_location, token

CARDS = {"e1": "NL*EEE", "e2": "NL*FFF"}
"""A card CARD-e1 of eMSP e1, and so on."""


class Owner(Hub):
    """The CPO IT*VVV of `version` with a connection for NL*EEE, `for-e1`, and perhaps one for NL*FFF, `for-e2`."""

    version = "2.1.1"

    async def open(self) -> None:
        for emsp, owner in CARDS.items():
            path = f"/ocpi/2.2.1/receiver/tokens/{owner.replace('*', '/')}/CARD-{emsp}"
            body = token("2.2.1", owner, f"CARD-{emsp}", contract_id=f"{owner.replace('*', '-')}-{emsp}")
            assert (await self.world.ask("PUT", path, by=emsp, body=body)).code == 1000
        self.lanes.start()
        await self.connect("e1")

    async def connect(self, emsp: str) -> None:
        made = await self.world.join(f"for-{emsp}", "IT*VVV", PartyRole.CPO, version=self.version)
        await self.world.registry.save(made.model_copy(update={"represents": CARDS[emsp]}))

    async def brings(self, module: str, over: str, emsp: str, *, contract: str = "") -> Said:
        """A record of a charge with the card of that eMSP, on the connection for `over`."""
        owner = CARDS[emsp]
        card = {name: stored_token(owner, f"CARD-{emsp}")[name] for name in ("country_code", "party_id", "uid", "type")}
        card["contract_id"] = contract or f"{owner.replace('*', '-')}-{emsp}"
        world, by = self.world, f"for-{over}"
        if module == "sessions":
            path = f"/ocpi/{self.version}/receiver/sessions/IT/VVV/S1"
            session = a_session(self.version, "IT*VVV", owner, cdr_token=card)
            said = await world.ask("PUT", path, by=by, body=session)
        else:
            cdr = wired(but(EVENING, id="C1", country_code="IT", party_id="VVV", cdr_token=card), self.version)
            said = await world.ask("POST", f"/ocpi/{self.version}/receiver/cdrs", by=by, body=cdr)
        await self.quiet()
        return said


@pytest.fixture(params=["2.1.1", "2.2.1"])
async def owner(sqlite_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Owner]:
    async with a_world(sqlite_url, "2.2.1") as world:
        made = Owner(world, random.Random(1))
        made.version = request.param
        await made.open()
        yield made
        await made.lanes.stop()


@pytest.mark.parametrize("module", ["sessions", "cdrs"])
async def test_what_comes_on_a_connection_goes_to_the_party_that_it_stands_for_alone(owner: Owner, module: str) -> None:
    await owner.connect("e2")
    async with owner.world.unchanged():
        for over, emsp in (("e1", "e2"), ("e2", "e1")):
            assert (await owner.brings(module, over, emsp)).code == 2001
    for emsp in ("e1", "e2"):
        assert not owner.got(emsp, module)
    assert (await owner.brings(module, "e2", "e2")).code == 1000
    assert (len(owner.got("e1", module)), len(owner.got("e2", module))) == (0, 1)


@pytest.mark.parametrize("module", ["sessions", "cdrs"])
async def test_of_two_parties_with_one_contract_the_connection_says_whose_driver_it_is(
    owner: Owner, module: str
) -> None:
    for emsp, party in CARDS.items():
        path = f"/ocpi/2.2.1/receiver/tokens/{party.replace('*', '/')}/CARD-{emsp}"
        body = token("2.2.1", party, f"CARD-{emsp}", contract_id="SAME")
        assert (await owner.world.ask("PUT", path, by=emsp, body=body)).code == 1000
    assert (await owner.brings(module, "e1", "e1", contract="SAME")).code == 1000
    (sent,) = owner.got("e1", module)
    assert sent.body["cdr_token"]["uid"] == "CARD-e1"
    assert not owner.got("e2", module)


@pytest.mark.parametrize("owner", ["2.1.1"], indirect=True)
@pytest.mark.parametrize("module", ["sessions", "cdrs"])
async def test_a_contract_that_nobody_has_yet_does_not_become_that_of_a_party_without_a_connection(
    owner: Owner, module: str
) -> None:
    assert (await owner.brings(module, "e1", "e1", contract="LATER")).code == 1000
    path = "/ocpi/2.2.1/receiver/tokens/NL/FFF/CARD9"
    body = token("2.2.1", "NL*FFF", "CARD9", contract_id="LATER")
    assert (await owner.world.ask("PUT", path, by="e2", body=body)).code == 1000
    await waiting.look_again(owner.world.hub)
    await owner.quiet()
    assert not owner.got("e1", module)
    assert not owner.got("e2", module)


async def test_what_a_party_owns_is_seen_by_those_alone_that_it_has_a_connection_for(owner: Owner) -> None:
    world, version = owner.world, owner.version
    world.peers.sent.clear()
    path, body = "locations/IT/VVV/P1", their_location(version, "IT*VVV", "P1")
    assert (await world.ask("PUT", f"/ocpi/{version}/receiver/{path}", by="for-e1", body=body)).code == 1000
    await owner.quiet()
    assert {sent.partner for sent in world.peers.sent} == {"e1"}
    for emsp, there in (("e1", True), ("e2", False)):
        found = await world.ask("GET", "/ocpi/2.2.1/sender/locations", by=emsp)
        assert ("P1" in [each["id"] for each in found.data]) is there
        assert world.hub.agreements.meets(world.partner(emsp), "IT*VVV", PartyRole.CPO) is there
        order = {"location_id": "P1", "token": token("2.2.1", CARDS[emsp]), "response_url": f"https://{emsp}.example/x"}
        world.peers.script = lambda sent: {"result": "ACCEPTED", "timeout": 9}
        to = [("OCPI-to-country-code", "IT"), ("OCPI-to-party-id", "VVV")]
        for headers in ([], to):
            world.peers.sent.clear()
            said = await world.ask(
                "POST", "/ocpi/2.2.1/receiver/commands/START_SESSION", by=emsp, body=order, headers=headers
            )
            asked = [sent.partner for sent in world.peers.sent]
            assert (said.code == 1000, asked) == (there, ["for-e1"] if there else [])
    await owner.connect("e2")
    found = await world.ask("GET", "/ocpi/2.2.1/sender/locations", by="e2")
    assert "P1" in [each["id"] for each in found.data]


class Answering:
    """A CPO of 2.1.1 that we register with."""

    async def discover(self, versions_url: str, token: str, *, version: str | None) -> Found:
        found = (*endpoints("2.1.1", cpo=True), Endpoint(identifier="credentials", url=f"{BASE}/credentials"))
        return Found("2.1.1", found, "raw")

    async def exchange(self, method: str, url: str, token: str, form: str, body: bytes) -> PeerAnswer:
        return PeerAnswer(200, 1000, credentials("2.1.1", "IT*VVV"))


@pytest.mark.parametrize("owner", ["2.1.1"], indirect=True)
@pytest.mark.parametrize("by_us", [False, True])
async def test_whom_a_party_connects_for_is_brought_what_is_there(owner: Owner, by_us: bool) -> None:
    world = owner.world
    body = their_location("2.1.1", "IT*VVV", "P1")
    assert (await world.ask("PUT", "/ocpi/2.1.1/receiver/locations/IT/VVV/P1", by="for-e1", body=body)).code == 1000
    await owner.quiet()
    world.peers.sent.clear()
    if by_us:
        claims, how = (Claim(role=PartyRole.CPO, party=Party("IT", "VVV")),), {"versions_url": BASE, "token": "a"}
        seal = Seal(Keys.from_secret(b"x" * 32).seal)
        await connect(world.hub, cast("Handshake", Answering()), seal, "for-e2", claims, **how, represents="NL*FFF")
    else:
        made = await world.join("for-e2", "IT*VVV", PartyRole.CPO, state=State.INVITED, use=TokenUse.REGISTRATION)
        await world.registry.save(made.model_copy(update={"represents": "NL*FFF"}))
        said = await world.ask("POST", "/ocpi/2.1.1/credentials", by="for-e2", body=credentials("2.1.1", "IT*VVV"))
        assert said.code == 1000
    world.peers.script = lambda sent: None
    await tell_who_was_let_in(world.hub)
    await owner.quiet()
    brought = [(sent.partner, sent.brief) for sent in world.peers.sent if sent.module == "locations"]
    assert brought == [("e2", ("PUT", "locations", "IT/VVV/P1"))]
