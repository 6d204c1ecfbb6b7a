"""Who a request is for: an address that nobody has is told on every module, whatever else is asked (REQ-102).

What is kept here first is answered by us, whoever it is for; a session or CDR is for nobody but its driver's eMSP.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.errors import PeerNonsense, PeerRefused, PeerTimeout
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim
from modules.cdrs.store import CDRS
from modules.sessions.store import SESSIONS
from tests.modules.cdrs.check.records import but, wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.modules.sessions.records import a_session
from tests.world import Said, Sent, World, a_world, their_location, token

PATHS = (
    "sender/locations",
    "sender/locations/LOC1",
    "sender/tariffs",
    "sender/sessions",
    "sender/cdrs",
    "receiver/tokens/NL/EEE/CARD1",
)


LATER = "2026-05-04T11:00:00Z"


def to(party: str) -> list[tuple[str, str]]:
    country_code, party_id = party.split("*")
    return [("OCPI-to-country-code", country_code), ("OCPI-to-party-id", party_id)]


def speaker(said: Said) -> str:
    """Who answers, as the answer says (OCPI-from)."""
    return f"{said.headers['ocpi-from-country-code']}*{said.headers['ocpi-from-party-id']}"


async def brings(world: World, method: str, module: str, party: str) -> Said:
    """C1 brings what a driver of NL*EEE charged, addressed to `party`."""
    card = {"country_code": "NL", "party_id": "EEE", "uid": "CARD1", "type": "RFID", "contract_id": "NL-EEE-C1"}
    bodies: dict[str, Any] = {
        "POST": wired(but(EVENING, cdr_token=card), world.version),
        "PUT": a_session(world.version),
        "PATCH": {"kwh": 2, "last_updated": LATER},
    }
    path = "receiver/cdrs" if module == "cdrs" else "receiver/sessions/BE/AAA/S1"
    return await world.ask(method, world.at(path), by="c1", body=bodies[method], headers=to(party) if party else [])


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_what_a_driver_charged_is_for_no_other_emsp_and_we_answer_for_ourselves(
    sqlite_url: str, version: str
) -> None:
    async with a_world(sqlite_url, version, hub_party="DE*HUB") as world:
        await brings(world, "PUT", "sessions", "")
        for method, module in (("PUT", "sessions"), ("PATCH", "sessions"), ("POST", "cdrs")):
            for other in ("NL*FFF", "DE*BSB"):
                async with world.unchanged():
                    said = await brings(world, method, module, other)
                    assert (said.http, said.code) == (200, 2001), (method, other)
                    assert "NL*EEE" in said.message
                    assert "CARD1" not in said.message
            for party in ("NL*EEE", "DE*HUB", ""):
                said = await brings(world, method, module, party)
                assert (said.code, speaker(said)) == (1000, "DE*HUB"), (method, party)
        for kind in (SESSIONS, CDRS):
            assert [document.audience for document in await world.documents(kind)] == ["NL*EEE"]
        said = await world.ask("GET", world.at("receiver/sessions/BE/AAA/S1"), by="c1", headers=to("NL*EEE"))
        assert (said.code, speaker(said)) == (1000, "DE*HUB")


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_a_party_of_the_same_platform_may_be_named(sqlite_url: str, version: str) -> None:
    async with a_world(sqlite_url, version) as world:
        platform = world.partner("e1")
        other = Claim(role=PartyRole.EMSP, party=Party.parse("NL*EE2"))
        await world.registry.save(platform.model_copy(update={"claims": (*platform.claims, other)}))
        assert (await brings(world, "PUT", "sessions", "NL*EE2")).code == 1000
        assert (await brings(world, "POST", "cdrs", "NL*EE2")).code == 1000
        assert [document.audience for document in await world.documents(CDRS)] == ["NL*EEE"]


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize("path", PATHS)
async def test_a_get_for_a_party_that_nobody_knows_is_4001(sqlite_url: str, version: str, path: str) -> None:
    async with a_world(sqlite_url, version) as world:
        for address in (("XX", "XXX"), ("DE", "XXX"), ("XX", "BSB")):
            headers = list(zip(("OCPI-to-country-code", "OCPI-to-party-id"), address, strict=True))
            said = await world.ask("GET", world.at(path), by="e1", headers=headers)
            assert (said.http, said.code, said.data) == (200, 4001, None)


@pytest.fixture(params=["2.2.1", "2.3.0"])
async def apart(sqlite_url: str, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A hub that is another party than its own CPO."""
    async with a_world(sqlite_url, request.param, hub_party="DE*HUB") as world:
        yield world


async def test_what_we_refuse_ourselves_is_from_us_and_from_the_party_of_ours_that_was_asked(apart: World) -> None:
    path = apart.at("sender/locations/NOPE")
    wrong = apart.at("receiver/tokens/NL/EEE/CARD1")
    for party, by in (("BE*AAA", "DE*HUB"), ("XX*XXX", "DE*HUB"), ("DE*BSB", "DE*BSB"), ("", "DE*HUB")):
        headers = to(party) if party else []
        said = await apart.ask("GET", path, by="e1", headers=headers)
        assert (said.code, speaker(said)) == (4001 if party == "XX*XXX" else 2003, by)
        said = await apart.ask("PUT", wrong, by="e1", body={"uid": "CARD1"}, headers=headers)
        assert (said.code, speaker(said)) == (4001 if party == "XX*XXX" else 2001, by)
        said = await apart.ask("PUT", wrong, by="e2", body=token(apart.version), headers=headers)
        assert (said.code, speaker(said)) == (4001 if party == "XX*XXX" else 2000, by)
    assert apart.peers.sent == []


async def test_what_is_passed_on_is_from_the_party_that_said_it_named_or_not(apart: World) -> None:
    body = token(apart.version, whitelist="NEVER")
    assert (await apart.ask("PUT", apart.at("receiver/tokens/NL/EEE/CARD1"), by="e1", body=body)).code == 1000
    faults = (
        (PeerRefused("no", http=200, status_code=2002), 2002, "NL*EEE"),
        (PeerRefused("who is that?", http=404, status_code=2004), 2004, "NL*EEE"),
        (PeerRefused("out of order", http=500), 4003, "DE*HUB"),
        (PeerTimeout("silent"), 4002, "DE*HUB"),
        (PeerNonsense("what?"), 4000, "DE*HUB"),
    )
    for fault, code, by in faults:

        def script(sent: Sent, fault: Exception = fault) -> Any:
            raise fault

        apart.peers.script = script
        for party in ("NL*EEE", "DE*HUB", ""):
            headers = to(party) if party else []
            said = await apart.ask("POST", apart.at("sender/tokens/CARD1/authorize"), by="c1", headers=headers)
            assert (said.code, speaker(said)) == (code, by), party


async def test_one_emsp_that_is_named_says_itself_that_it_does_not_know_the_card(apart: World) -> None:
    def script(sent: Sent) -> Any:
        raise PeerRefused("who is that?", http=404, status_code=2004)

    apart.peers.script = script
    path = apart.at("sender/tokens/STRANGER/authorize")
    said = await apart.ask("POST", path, by="c1", headers=to("NL*EEE"))
    assert (said.code, speaker(said)) == (2004, "NL*EEE")
    said = await apart.ask("POST", path, by="c1", headers=to("NL*EEE"))
    assert (said.code, speaker(said), len(apart.peers.sent)) == (2004, "DE*HUB", 1)


async def test_who_refused_once_is_not_taken_for_who_answers_then(apart: World) -> None:
    world, rule = apart, Agreement("e1", "BE*AAA", allow=False)
    body = their_location(world.version)
    await world.ask("PUT", world.at("receiver/locations/BE/AAA/X1"), by="c1", body=body)
    asks: tuple[tuple[str, list[tuple[str, str]]], ...] = (
        ("sender/locations", to("BE*AAA")),
        ("sender/locations/X1", to("BE*AAA")),
        ("sender/locations/X1", []),
    )
    for _ in range(2):
        for path, headers in asks:
            said = await world.ask("GET", world.at(path), by="e1", headers=headers)
            assert (said.code, speaker(said)) == (1000, "BE*AAA")
        await world.hub.agreements.put(rule, actor="op")
        for path, headers in asks:
            said = await world.ask("GET", world.at(path), by="e1", headers=headers)
            assert (said.code, speaker(said)) == ((4001 if headers else 2003), "DE*HUB")
        await world.hub.agreements.remove(rule, actor="op")
