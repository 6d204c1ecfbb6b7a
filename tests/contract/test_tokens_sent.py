"""Tokens as CPO platforms pull them, and ask about one. OCPI mod_tokens_sender_interface."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.errors import (
    EndpointsMissing,
    PeerFault,
    PeerNonsense,
    PeerRefused,
    PeerTimeout,
    PeerUnreachable,
)
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, State
from modules.tokens import service
from modules.tokens.model import Token
from modules.tokens.publication import TokenPublication
from modules.tokens.store import TOKENS
from modules.tokens.wire import AUTHORIZATION_INFO
from tests.contract.test_answers import BAD_JSON
from tests.world import BASE, NOW, OURS, Said, Sent, World, stored_token, token

LIST = "sender/tokens"
ASK = "sender/tokens/CARD1/authorize"
PLACE = {"location_id": "PLACE1", "evse_uids": ["E1"]}
DENSE = "AAAAAAAAAA"
BY_A_MEMBER = [("OCPI-from-country-code", "FR"), ("OCPI-from-party-id", "CCC")]


async def push(world: World, *, by: str = "e1", owner: str = "NL*EEE", uid: str = "CARD1", **fields: Any) -> None:
    path = world.at(f"receiver/tokens/{owner.replace('*', '/')}/{uid}")
    said = await world.ask("PUT", path, by=by, body=token(world.version, owner, uid, **fields))
    assert said.code == 1000


async def own_card(world: World, uid: str = "CARD1", **fields: Any) -> None:
    card = Token.model_validate({**stored_token(str(OURS), uid), **fields})
    await service.put(world.store, OURS, uid, card, now=NOW)


async def ask(world: World, *, by: str = "c1", path: str = ASK, body: Any = None, **to: str) -> Said:
    headers = [(name.replace("_", "-"), value) for name, value in to.items()]
    return await world.ask("POST", world.at(path), by=by, body=body, headers=headers)


def info(version: str, owner: str = "NL*EEE", uid: str = "CARD1", allowed: str = "ALLOWED") -> Any:
    """What an eMSP of `version` answers."""
    tree = {"allowed": allowed, "token": stored_token(owner, uid), "authorization_reference": "REF1"}
    return AUTHORIZATION_INFO[version].write(tree)[0]


def script(world: World, answers: Mapping[str, Any]) -> None:
    """What each partner answers; a fault is raised."""

    def said(sent: Sent) -> Any:
        answer = answers[sent.partner]
        if isinstance(answer, PeerFault):
            raise answer
        return answer

    world.peers.script = said


def strangers(world: World, setting: str) -> None:
    """Who is asked for a card on no list."""
    world.hub.settings = world.hub.settings.model_copy(update={"ask_unknown_tokens": setting})


def to_authorize(uid: str) -> str:
    return f"sender/tokens/{uid}/authorize"


def unknown_to(version: str) -> tuple[int, int]:
    return (404, 2000 if version == "2.1.1" else 2004)


NO_SUCH_TOKEN = PeerRefused("no", http=404, status_code=2004)


async def test_a_cpo_sees_the_tokens_of_all_emsps_and_of_our_own_drivers(world: World) -> None:
    await push(world)
    await push(world, by="e2", owner="NL*FFF", uid="CARD2")
    await own_card(world, "CARD3")
    said = await world.ask("GET", world.at(LIST), by="c1")
    assert [found["uid"] for found in said.data] == ["CARD1", "CARD2", "CARD3"]
    assert said.headers["x-total-count"] == "3"
    contract = "auth_id" if world.version == "2.1.1" else "contract_id"
    assert said.data[0][contract] == "NL-EEE-C1"


async def kept(world: World, uid: str, token_type: str, **fields: Any) -> None:
    """A token of e1, in whichever version it came."""
    card = Token.model_validate({**stored_token("NL*EEE", uid), "type": token_type, **fields})
    await service.put(world.store, Party.parse("NL*EEE"), uid, card, now=NOW)


async def pushed(world: World) -> list[tuple[str, str]]:
    """Uid and type of what c1 is PUT of all that is kept."""
    world.peers.sent.clear()
    for document in await world.documents(TOKENS):
        await TokenPublication().deliver(world.hub, world.partner("c1"), document.key, frozenset({""}))
    return [(sent.body["uid"], sent.body["type"]) for sent in world.peers.sent]


async def pulled(world: World) -> list[tuple[str, str]]:
    """Uid and type of what c1 gets, a page of one object after the other."""
    found: list[tuple[str, str]] = []
    path: str | None = world.at(f"{LIST}?limit=1")
    while path is not None:
        said = await world.ask("GET", path, by="c1")
        found += [(each["uid"], each["type"]) for each in said.data]
        link = said.headers.get("link")
        path = link.split(">")[0].removeprefix(f"<{BASE}") if link else None
    return found


async def test_the_list_has_what_is_pushed_and_nothing_beside_it(world: World) -> None:
    """2.1.1 has one token of a uid; and neither it nor 2.2.1 has EMAID, which OTHER would hide."""
    await kept(world, "TT1", "APP_USER")
    assert await pulled(world) == await pushed(world)
    assert len(await pulled(world)) == 1
    await kept(world, "TT1", "RFID", valid=False)
    await kept(world, "EM1", "EMAID")
    await kept(world, "AP1", "APP_USER")
    app = "OTHER" if world.version == "2.1.1" else "APP_USER"
    expected = [("TT1", app), ("TT1", "RFID"), ("EM1", "EMAID"), ("AP1", app)]
    if world.version != "2.3.0":
        expected.remove(("EM1", "EMAID"))
    if world.version == "2.1.1":
        expected.remove(("TT1", app))
    assert await pulled(world) == await pushed(world) == expected
    assert [(each["uid"], each["type"]) for each in (await world.ask("GET", world.at(LIST), by="c1")).data] == expected


async def test_an_agreement_says_whose(world: World) -> None:
    await push(world)
    await push(world, by="e2", owner="NL*FFF", uid="CARD2")
    await world.hub.agreements.put(Agreement("c1", "NL*EEE", "tokens", allow=False), actor="op")
    for by, uids in (("c1", ["CARD2"]), ("c2", ["CARD1", "CARD2"])):
        said = await world.ask("GET", world.at(LIST), by=by)
        assert ([found["uid"] for found in said.data], said.headers["x-total-count"]) == (uids, str(len(uids)))
    async with world.unchanged():
        said = await ask(world)
        assert (said.http, said.code) == unknown_to(world.version)


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_the_list_of_one_party_is_asked_for_by_name(world: World) -> None:
    await push(world)
    await push(world, by="e2", owner="NL*FFF", uid="CARD2")
    to = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "FFF")]
    said = await world.ask("GET", world.at(LIST), by="c1", headers=to)
    assert [found["uid"] for found in said.data] == ["CARD2"]


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_a_token_for_one_cpo_is_seen_by_that_one_alone(world: World) -> None:
    to = [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "AAA")]
    path = world.at("receiver/tokens/NL/EEE/CARD1")
    assert (await world.ask("PUT", path, by="e1", body=token(world.version), headers=to)).code == 1000
    for by, count in (("c1", 1), ("c2", 0)):
        said = await world.ask("GET", world.at(LIST), by=by)
        assert (len(said.data), said.headers["x-total-count"]) == (count, str(count))
    world.peers.sent.clear()
    script(world, {"e1": NO_SUCH_TOKEN})
    assert (await ask(world, by="c2")).http == 404
    assert [sent.partner for sent in world.peers.sent] == ["e1"], "whose card it is says, and no other sees it"


async def test_who_may_is_what_the_matrix_says(world: World) -> None:
    await push(world)
    script(world, {"e1": info(world.version)})
    async with world.unchanged():
        for by, expected in ((None, (401, 2000)), ("a", (401, 2000)), ("x", (401, 2000)), ("p", (401, 2000)),
                             ("e1", (403, 2000)), ("e2", (403, 2000))):  # fmt: skip
            for method, path in (("GET", LIST), ("POST", ASK)):
                said = await world.ask(method, world.at(path), by=by, body=PLACE if method == "POST" else None)
                assert (by, path, said.http, said.code) == (by, path, *expected)
        for method, path, allow in (("PUT", ASK, "POST"), ("GET", ASK, "POST"), ("POST", LIST, "GET")):
            said = await world.ask(method, world.at(path), by="c1", body=None if method == "GET" else {})
            assert (said.http, said.headers["allow"]) == (405, allow)
    for by in ("c1", "c2"):
        assert (await ask(world, by=by)).code == 1000


@pytest.mark.parametrize("whitelist", ["NEVER", "ALLOWED", "ALLOWED_OFFLINE"])
async def test_the_emsp_of_a_token_answers(world: World, whitelist: str) -> None:
    await push(world, whitelist=whitelist)
    script(world, {"e1": info(world.version, allowed="NO_CREDIT")})
    said = await ask(world, body=PLACE)
    assert (said.http, said.code, said.data["allowed"]) == (200, 1000, "NO_CREDIT")
    (sent,) = world.peers.sent
    assert (sent.partner, sent.brief) == ("e1", ("POST", "tokens", "CARD1/authorize"))
    assert (sent.body, sent.to, sent.sender) == (PLACE, "NL*EEE", "BE*AAA")
    if world.version != "2.1.1":
        assert said.data["authorization_reference"] == "REF1"
        assert said.headers["ocpi-from-party-id"] == "EEE"


async def test_a_question_needs_no_place(world: World) -> None:
    await push(world)
    script(world, {"e1": info(world.version)})
    assert (await ask(world)).data["allowed"] == "ALLOWED"
    assert world.peers.sent[0].raw is None


@pytest.mark.parametrize(("valid", "allowed"), [(True, "ALLOWED"), (False, "BLOCKED")])
async def test_always_is_answered_from_the_list(world: World, valid: bool, allowed: str) -> None:
    await push(world, whitelist="ALWAYS", valid=valid)
    async with world.unchanged():
        said = await ask(world, body=PLACE)
    assert (said.code, said.data["allowed"]) == (1000, allowed)
    assert said.data["location"]["evse_uids"] == ["E1"]
    assert ("token" in said.data) is (world.version != "2.1.1")


@pytest.mark.parametrize(("valid", "allowed"), [(True, "ALLOWED"), (False, "BLOCKED")])
async def test_our_own_drivers_are_answered_by_us(world: World, valid: bool, allowed: str) -> None:
    await own_card(world, whitelist="NEVER", valid=valid)
    async with world.unchanged():
        said = await ask(world)
    assert (said.code, said.data["allowed"]) == (1000, allowed)


@pytest.mark.parametrize(
    ("whitelist", "valid", "offline"),
    [
        ("NEVER", True, False),
        ("ALLOWED_OFFLINE", True, True),
        ("ALLOWED_OFFLINE", False, False),
        ("ALLOWED", True, True),
        ("ALLOWED", False, False),
    ],
)
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (PeerTimeout(), 4002),
        (PeerUnreachable(), 4003),
        (PeerRefused("", http=500, status_code=3000), 3000),
        (PeerRefused("", http=429, status_code=2000), 4003),
    ],
)
async def test_silence_counts_as_the_whitelist_says(
    world: World, whitelist: str, valid: bool, offline: bool, fault: PeerFault, code: int
) -> None:
    await push(world, whitelist=whitelist, valid=valid)
    script(world, {"e1": fault})
    said = await ask(world)
    if offline:
        assert (said.code, said.data["allowed"]) == (1000, "ALLOWED")
    else:
        assert (said.http, said.code) == (200, 3000 if world.version == "2.1.1" else code)


def odd(version: str) -> dict[str, dict[str, Any]]:
    """Answers of an eMSP with something wrong, but for the word itself."""
    about = {} if version == "2.1.1" else {"token": token(version)}
    found: dict[str, dict[str, Any]] = {
        "a text for info": {**about, "info": "no"},
        "a place that is none": {**about, "location": "here"},
    }
    if version == "2.1.1":
        return found
    lacking = {name: value for name, value in token(version).items() if name != "issuer"}
    return found | {
        "no token": {},
        "null": {"token": None},
        "no issuer": {"token": lacking},
        "another card": {"token": token(version, uid="CARD8")},
        "another party's": {"token": token(version, "NL*FFF")},
    }


@pytest.mark.parametrize("whitelist", ["NEVER", "ALLOWED", "ALLOWED_OFFLINE"])
async def test_a_refusal_with_something_wrong_about_it_is_a_refusal(world: World, whitelist: str) -> None:
    await push(world, whitelist=whitelist)
    for allowed in ("BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED"):
        for what, rest in odd(world.version).items():
            script(world, {"e1": {"allowed": allowed, **rest}})
            said = await ask(world)
            assert (what, said.http, said.code, said.data["allowed"]) == (what, 200, 1000, allowed)
            if world.version != "2.1.1":
                assert (said.data["token"]["uid"], said.data["token"]["issuer"]) == ("CARD1", "Issuer")


@pytest.mark.parametrize("whitelist", ["ALLOWED", "ALLOWED_OFFLINE", "NEVER"])
async def test_an_answer_that_says_neither_is_not_taken_for_silence(world: World, whitelist: str) -> None:
    await push(world, whitelist=whitelist)
    nothing: list[Any] = [None, {}, [], {"allowed": "MAYBE"}, {"allowed": None}, PeerNonsense("text", answered=True)]
    nothing += [{**info(world.version), "allowed": word} for word in ("allowed", " ALLOWED", "Allowed")]
    for answer in (*nothing, PeerRefused("", http=200, status_code=7)):
        script(world, {"e1": answer})
        said = await ask(world)
        assert (said.http, said.code, said.data["allowed"]) == (200, 1000, "NOT_ALLOWED"), answer
    for silence in (PeerNonsense("broke off"), PeerRefused("", http=200, status_code=4002), EndpointsMissing()):
        script(world, {"e1": silence})
        said = await ask(world)
        if whitelist == "NEVER":
            assert said.code in (3000, 4000, 4002)
        else:
            assert said.data["allowed"] == "ALLOWED"


@pytest.mark.parametrize("whitelist", ["ALLOWED", "ALLOWED_OFFLINE", "NEVER"])
async def test_a_yes_with_something_wrong_about_it_is_one_if_it_may_speak_of_nothing_else(
    world: World, whitelist: str
) -> None:
    await push(world, whitelist=whitelist)
    of_another = {"a place that is none", "another card", "another party's"}
    for what, rest in odd(world.version).items():
        script(world, {"e1": {"allowed": "ALLOWED", **rest}})
        said = await ask(world)
        meant = "NOT_ALLOWED" if what in of_another else "ALLOWED"
        assert (what, said.http, said.code, said.data["allowed"]) == (what, 200, 1000, meant)
        if world.version != "2.1.1":
            assert (said.data["token"]["uid"], said.data["token"]["issuer"]) == ("CARD1", "Issuer")


async def test_the_reference_of_a_yes_with_something_wrong_about_it_is_passed_on(world: World) -> None:
    if world.version == "2.1.1":
        return  # has no such field
    await push(world, whitelist="NEVER")
    for reference, meant in (("REF-1", "ALLOWED"), ("r" * 37, "NOT_ALLOWED"), ({}, "NOT_ALLOWED")):
        script(world, {"e1": {"allowed": "ALLOWED", "authorization_reference": reference}})
        said = (await ask(world)).data
        assert (said["allowed"], said.get("authorization_reference", reference)) == (meant, reference)


async def test_a_refusal_reaches_an_asker_of_another_version(world: World) -> None:
    await push(world, whitelist="ALLOWED_OFFLINE")
    await world.registry.save(world.partner("e1").model_copy(update={"version": "2.3.0"}))
    script(world, {"e1": {"allowed": "BLOCKED"}})
    assert (await ask(world)).data["allowed"] == "BLOCKED"


async def test_what_its_emsp_does_not_know_is_unknown_and_its_other_errors_are_told(world: World) -> None:
    await push(world)
    for fault in (
        NO_SUCH_TOKEN,
        PeerRefused("", http=200, status_code=2004),
        PeerRefused("", http=404, status_code=2000),
    ):
        script(world, {"e1": fault})
        said = await ask(world)
        assert (said.http, said.code) == unknown_to(world.version)
    script(world, {"e1": PeerRefused("where?", http=200, status_code=2002)})
    assert (await ask(world)).code == 2002


async def test_a_card_on_two_lists_is_asked_of_the_second_where_the_first_does_not_know_it(world: World) -> None:
    await push(world)
    await push(world, by="e2", owner="NL*FFF")
    script(world, {"e1": NO_SUCH_TOKEN, "e2": info(world.version, owner="NL*FFF", allowed="NO_CREDIT")})
    assert (await ask(world)).data["allowed"] == "NO_CREDIT"
    assert [sent.partner for sent in world.peers.sent] == ["e1", "e2"]
    script(world, {"e1": info(world.version, allowed="BLOCKED")})
    assert (await ask(world)).data["allowed"] == "BLOCKED", "a refusal is an answer"
    script(world, {"e1": NO_SUCH_TOKEN, "e2": NO_SUCH_TOKEN})
    said = await ask(world)
    assert (said.http, said.code) == unknown_to(world.version)


async def test_a_card_of_an_emsp_and_of_us_is_answered_by_us_where_the_emsp_does_not_know_it(world: World) -> None:
    await push(world)
    await own_card(world)
    script(world, {"e1": NO_SUCH_TOKEN})
    for asked in (1, 2):
        assert (await ask(world)).data["allowed"] == "ALLOWED"
        assert len(world.peers.sent) == asked, "the eMSP goes first each time"


async def test_an_emsp_answers_for_its_own_drivers_only(world: World) -> None:
    await push(world, whitelist="NEVER")
    if world.version == "2.1.1":
        return  # names no token in its answer
    script(world, {"e1": info(world.version, owner="NL*FFF")})
    said = await ask(world)
    assert (said.code, said.data["allowed"], said.data["token"]["party_id"]) == (1000, "NOT_ALLOWED", "EEE")


async def test_of_a_card_on_no_list_an_answer_without_data_is_told_as_that(world: World) -> None:
    await push(world, uid="CARD2")
    script(world, {"e2": None})
    said = await ask(world)
    assert (said.http, said.code) == (200, 3000 if world.version == "2.1.1" else 4000)
    assert "no data" in said.message


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize("allowed", ["ALLOWED", "BLOCKED"])
async def test_an_answer_about_another_card_is_not_passed_on(world: World, allowed: str) -> None:
    await push(world, uid="CARD2")
    script(world, {"e2": info(world.version, owner="NL*FFF", uid="CARD8", allowed=allowed)})
    for to in ({}, {"OCPI_to_country_code": "NL", "OCPI_to_party_id": "FFF"}):
        said = await ask(world, **to)
        assert (said.http, said.code) == (200, 4000)
        assert "another token" in said.message
        assert "CARD" not in said.message


async def test_a_card_may_be_asked_for_by_its_contract_id(world: World) -> None:
    await push(world, uid="CARD2")
    script(world, {"e1": info(world.version, uid="CARD2")})
    assert (await ask(world, path=to_authorize("NL-EEE-C1"))).code == 1000


async def test_a_type_is_another_token(world: World) -> None:
    await push(world)
    script(world, {"e1": info(world.version)})
    for name in ("type", "token_type"):
        assert (await ask(world, path=f"{ASK}?{name}=RFID")).code == 1000
    script(world, {"e1": NO_SUCH_TOKEN})
    said = await ask(world, path=f"{ASK}?type=OTHER")
    assert (said.http, said.code) == unknown_to(world.version)
    assert {sent.partner for sent in world.peers.sent} == {"e1"}, "its uid is shown to no other"


async def test_a_card_that_could_be_anybodys_is_shown_to_nobody(world: World) -> None:
    async with world.unchanged():
        for _ in range(2):
            said = await ask(world)
            assert (said.http, said.code) == unknown_to(world.version)
    strangers(world, "listless")
    script(world, {"e1": NO_SUCH_TOKEN, "e2": NO_SUCH_TOKEN})
    await ask(world)
    assert {sent.partner for sent in world.peers.sent} == {"e1", "e2"}


async def test_a_card_that_begins_as_those_of_one_emsp_is_asked_of_that_one(world: World) -> None:
    for number in range(3):
        await push(world, uid=f"04A2B3C4D5E60{number}")
        await push(world, by="e2", owner="NL*FFF", uid=f"04F1F2F3D5E60{number}")
    script(world, {"e1": info(world.version, uid="04A2B3C4D5E699")})
    assert (await ask(world, path=to_authorize("04:a2:b3:c4:d5:e6:99"))).code == 1000
    assert [sent.partner for sent in world.peers.sent] == ["e1"]
    async with world.unchanged():
        said = await ask(world, path=to_authorize("04111213141516"))
        assert (said.http, said.code) == unknown_to(world.version), "neither has cards that begin so"


async def test_a_card_that_begins_as_our_own_is_asked_of_nobody(world: World) -> None:
    await push(world, uid="CARD2")
    for number in range(3):
        await own_card(world, f"OURS-{number}")
    async with world.unchanged():
        said = await ask(world, path=to_authorize("OURS-9"))
        assert (said.http, said.code) == unknown_to(world.version)


async def test_an_agreement_keeps_a_card_from_its_probable_owner_and_from_all_others(world: World) -> None:
    for number in range(3):
        await push(world, uid=f"EEEE-{number}")
    await world.hub.agreements.put(Agreement("c1", "NL*EEE", "tokens", allow=False), actor="op")
    async with world.unchanged():
        said = await ask(world, path=to_authorize("EEEE-9"))
        assert (said.http, said.code) == unknown_to(world.version)


@pytest.mark.parametrize("setting", ["probable", "listless", "all"])
async def test_a_listed_card_that_the_asker_may_not_have_is_shown_to_no_other_emsp(world: World, setting: str) -> None:
    strangers(world, setting)
    await push(world)
    await world.hub.agreements.put(Agreement("c1", "NL*EEE", "tokens", allow=False), actor="op")
    script(world, {"e2": info(world.version, owner="NL*FFF")})
    async with world.unchanged():
        said = await ask(world)
        assert (said.http, said.code) == unknown_to(world.version)


@pytest.mark.parametrize("state", [State.BLOCKED, State.UNREGISTERED])
async def test_a_listed_card_of_an_emsp_that_is_out_is_shown_to_no_other_emsp(world: World, state: State) -> None:
    await push(world)
    await world.registry.save(world.partner("e1").model_copy(update={"state": state}))
    script(world, {"e2": info(world.version, owner="NL*FFF")})
    async with world.unchanged():
        assert (await ask(world)).data is None


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_a_hub_that_asks_for_a_card_of_its_own_member_is_shown_no_other_emsps_answer(world: World) -> None:
    hub = await world.join("h", "FR*HUB", PartyRole.HUB)
    members = (
        Claim(role=PartyRole.CPO, party=Party("FR", "CCC")),
        Claim(role=PartyRole.EMSP, party=Party("FR", "EEE")),
    )
    await world.registry.save(hub.model_copy(update={"claims": (*hub.claims, *members)}))
    await push(world, uid="CARD2")
    await service.put(
        world.store, Party("FR", "EEE"), "CARD1", Token.model_validate(stored_token("FR*EEE", "CARD1")), now=NOW
    )
    script(world, {"e2": info(world.version, owner="NL*FFF")})
    for uid in ("CARD1", "FR-EEE-C12345678"):
        async with world.unchanged():
            said = await world.ask("POST", world.at(to_authorize(uid)), by="h", headers=BY_A_MEMBER)
            assert (said.http, said.code) == unknown_to(world.version)


async def test_a_card_on_two_lists_is_asked_of_those_that_the_asker_may_reach(world: World) -> None:
    await push(world)
    await push(world, by="e2", owner="NL*FFF", uid="CARD1")
    await world.hub.agreements.put(Agreement("c1", "NL*EEE", "tokens", allow=False), actor="op")
    script(world, {"e2": info(world.version, owner="NL*FFF")})
    assert (await ask(world)).code == 1000
    await world.hub.agreements.put(Agreement("c1", "NL*EEE", "tokens", allow=True), actor="op")
    script(world, {"e1": NO_SUCH_TOKEN, "e2": NO_SUCH_TOKEN})
    world.peers.sent.clear()
    assert (await ask(world, path=f"{ASK}?type=OTHER")).data is None
    assert sorted(sent.partner for sent in world.peers.sent) == ["e1", "e2"], "each has the uid already"


async def test_a_card_that_its_emsp_made_invalid_is_asked_of_who_allowed_it_since(world: World) -> None:
    strangers(world, "listless")
    script(world, {"e1": NO_SUCH_TOKEN, "e2": info(world.version, owner="NL*FFF")})
    assert (await ask(world)).code == 1000
    await world.hub.agreements.put(Agreement("c1", "NL*EEE", "tokens", allow=False), actor="op")
    for valid, code in ((False, 1000), (True, unknown_to(world.version)[1])):
        await push(world, valid=valid)
        assert (await ask(world)).code == code


async def test_a_contract_id_of_an_emsp_that_the_asker_may_not_reach_is_shown_to_no_other(world: World) -> None:
    await push(world, uid="CARD2")
    await world.hub.agreements.put(Agreement("c1", "NL*EEE", "tokens", allow=False), actor="op")
    script(world, {"e2": info(world.version, owner="NL*FFF")})
    for uid in ("NL-EEE-C12345678", f"{str(OURS).replace('*', '-')}-C12345678"):
        async with world.unchanged():
            said = await ask(world, path=to_authorize(uid))
            assert (said.http, said.code) == unknown_to(world.version)


async def test_a_card_allowed_before_teaches_who_has_cards_like_it(world: World) -> None:
    strangers(world, "listless")
    script(world, {"e1": NO_SUCH_TOKEN, "e2": info(world.version, owner="NL*FFF", uid="0123456789ABCDEF")})
    assert (await ask(world, path=to_authorize("0123456789ABCDEF"))).code == 1000
    strangers(world, "probable")
    world.peers.sent.clear()
    await ask(world, path=to_authorize("0123456789ABCD00"))
    assert [sent.partner for sent in world.peers.sent] == ["e2"]


async def test_the_contract_id_of_a_listed_card_names_whom_to_ask(world: World) -> None:
    await push(world, uid="CARD2")
    script(world, {"e1": info(world.version, uid="NL-EEE-C1")})
    assert (await ask(world, path=to_authorize("nl-eee-c1"))).code == 1000
    assert [sent.partner for sent in world.peers.sent] == ["e1"]


async def test_what_an_emsp_does_not_know_nobody_asks_it_again_within_a_minute(world: World) -> None:
    strangers(world, "listless")
    script(world, {"e1": NO_SUCH_TOKEN, "e2": PeerTimeout()})
    for by in ("c1", "c2", "c1"):
        assert (await ask(world, by=by)).http == 404
    assert sorted(sent.partner for sent in world.peers.sent) == ["e1", "e2", "e2", "e2"], "e2 said nothing yet"


async def test_the_same_question_at_the_same_time_is_asked_once(world: World) -> None:
    await push(world, uid="CARD2")
    for answer, code in ((NO_SUCH_TOKEN, unknown_to(world.version)[1]), (info(world.version, "NL*FFF", "NEW1"), 1000)):
        world.peers.sent.clear()
        script(world, {"e2": answer})
        uid = "NEW1" if code == 1000 else "UNKX1"
        said = await asyncio.gather(*(ask(world, path=to_authorize(uid), body=PLACE) for _ in range(3)))
        assert [answer.code for answer in said] == [code] * 3
        assert [sent.partner for sent in world.peers.sent] == ["e2"]


async def test_the_one_emsp_without_a_list_is_asked_for_an_unknown_token_once_a_minute(world: World) -> None:
    await push(world, uid="CARD2")
    script(world, {"e2": NO_SUCH_TOKEN})
    for _ in range(3):
        said = await ask(world)
        assert (said.http, said.code) == unknown_to(world.version)
        assert said.tree.get("data") is None
    assert [sent.partner for sent in world.peers.sent] == ["e2"]
    world.clock.move_to(61)
    await ask(world)
    assert len(world.peers.sent) == 2


async def test_who_allowed_a_token_is_asked_the_next_time_and_nobody_else(world: World) -> None:
    strangers(world, "listless")
    script(world, {"e1": NO_SUCH_TOKEN, "e2": info(world.version, owner="NL*FFF")})
    assert (await ask(world)).data["allowed"] == "ALLOWED"
    assert {sent.partner for sent in world.peers.sent} <= {"e1", "e2"}
    world.peers.sent.clear()
    for by in ("c1", "c2"):
        assert (await ask(world, by=by)).code == 1000
    assert [sent.partner for sent in world.peers.sent] == ["e2", "e2"]


async def test_a_contract_id_names_whom_to_ask(world: World) -> None:
    for uid in ("NLFFFC12345678", "NL-FFF-C12345678-X"):
        script(world, {"e2": info(world.version, owner="NL*FFF", uid=uid)})
        assert (await ask(world, path=to_authorize(uid))).code == 1000
    assert {sent.partner for sent in world.peers.sent} == {"e2"}


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_a_party_that_is_named_is_asked_and_nobody_else(world: World) -> None:
    await push(world, by="e2", owner="NL*FFF", uid="CARD2")
    script(world, {"e2": info(world.version, owner="NL*FFF")})
    said = await ask(world, OCPI_to_country_code="NL", OCPI_to_party_id="FFF")
    assert said.code == 1000
    assert [sent.partner for sent in world.peers.sent] == ["e2"]
    said = await ask(world, OCPI_to_country_code="DE", OCPI_to_party_id="ZZZ")
    assert said.code == 4001


async def test_nobody_is_asked_where_the_operator_wants_that(world: World) -> None:
    strangers(world, "none")
    async with world.unchanged():
        said = await ask(world)
        assert (said.http, said.code) == unknown_to(world.version)


async def test_an_answer_crosses_versions(world: World) -> None:
    for version in ("2.1.1", "2.2.1", "2.3.0"):
        uid, owner = f"CARD{version[2]}", f"FR*M{version[2]}1"
        partner = await world.join(f"m{version[2]}", owner, PartyRole.EMSP, version=version)
        card = Token.model_validate(stored_token(owner, uid))
        await service.put(world.store, partner.claims[0].party, uid, card, now=NOW)
        script(world, {partner.name: info(version, owner=owner, uid=uid)})
        said = await ask(world, path=to_authorize(uid), body=PLACE)
        assert (version, said.code, said.data["allowed"]) == (version, 1000, "ALLOWED")
        if world.version != "2.1.1":
            assert said.data["token"]["uid"] == uid


async def test_what_is_not_json_is_400_and_wrong_content_2001(world: World) -> None:
    await push(world)
    async with world.unchanged():
        for name, body in BAD_JSON.items():
            if body:
                said = await ask(world, body=body)
                assert (name, said.http, said.code) == (name, 400, 2001)
        wrong: list[Any] = [b"null", [PLACE], DENSE, {}, {"location_id": {}}, {**PLACE, "evse_uids": DENSE}]
        for body in wrong:
            said = await ask(world, body=body)
            assert (body, said.http, said.code) == (body, 200, 2001)
            assert DENSE not in said.message
        said = await world.ask("POST", world.at(ASK), by="c1", body=b"{}", headers=[("Content-Type", "text/plain")])
        assert (said.http, said.code) == (415, 2000)
        assert (await ask(world, body=b" " * (64 * 1024 + 1))).http == 413


async def test_many_at_once_are_each_answered(world_on_both: World) -> None:
    world = world_on_both
    strangers(world, "listless")
    script(world, {"e1": NO_SUCH_TOKEN, "e2": info(world.version, owner="NL*FFF")})
    said = await asyncio.gather(*(ask(world) for _ in range(10)))
    assert {answer.code for answer in said} == {1000}
