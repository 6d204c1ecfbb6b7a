"""May this token charge here? The table of mod_tokens_whitelisttype_enum, and what is remembered of an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from hub.core.errors import EndpointsMissing, PeerFault, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.parties import Party, PartyRole
from hub.core.ports import Place
from hub.core.registry import State
from hub.core.units import Unit
from modules.locations import service as locations
from modules.tokens import service
from modules.tokens.aliases import tag_of
from modules.tokens.authorize import By, Decision, authorize, for_start, recall, remember, used_up
from modules.tokens.model import Token
from modules.tokens.wire import TOKEN
from tests.world import OURS, Sent, World, a_world, location, stored_token, token, until

PLACE = Place("CP1", 1, f"{OURS}/LOC1", "E1", "1")
EEE = "NL*EEE"
FFF = "NL*FFF"
PAST_MEMORY_S = 15 * 60 + 1

CACHE, ASK = "cache", "ask"
WHITELISTS = {
    ("ALWAYS", True): (CACHE, "ALLOWED"),
    ("ALWAYS", False): (CACHE, "BLOCKED"),
    ("ALLOWED", True): (CACHE, "ALLOWED"),
    ("ALLOWED", False): (ASK, "NOT_ALLOWED"),
    ("ALLOWED_OFFLINE", True): (ASK, "ALLOWED"),
    ("ALLOWED_OFFLINE", False): (ASK, "NOT_ALLOWED"),
    ("NEVER", True): (ASK, "NOT_ALLOWED"),
    ("NEVER", False): (ASK, "NOT_ALLOWED"),
}
"""(whitelist, valid) -> is it from the cache, or asked; and what then holds, or holds when there is no answer."""

UNKNOWN = PeerRefused(http=404, status_code=2004)
NO_ANSWER = "no answer"
ALLOWED_VALUES = ("ALLOWED", "BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED")
ANSWERS: dict[str, tuple[Any, str]] = {
    **{value: (value, value) for value in ALLOWED_VALUES},
    "404 and 2004": (PeerRefused(http=404, status_code=2004), "NOT_ALLOWED"),
    "404 alone": (PeerRefused(http=404), "NOT_ALLOWED"),
    "200 and 2004": (PeerRefused(http=200, status_code=2004), "NOT_ALLOWED"),
    "200 and 2001": (PeerRefused(http=200, status_code=2001), "NOT_ALLOWED"),
    "200 and 2002": (PeerRefused(http=200, status_code=2002), NO_ANSWER),
    "silence": (PeerTimeout("late"), NO_ANSWER),
    "no connection": (PeerUnreachable("gone"), NO_ANSWER),
    "500": (PeerRefused(http=500), NO_ANSWER),
    "500 and 2000": (PeerRefused(http=500, status_code=2000), NO_ANSWER),
    "429 and 2000": (PeerRefused(http=429, status_code=2000), NO_ANSWER),
    "503 and 3000": (PeerRefused(http=503, status_code=3000), NO_ANSWER),
    "our token is void": (PeerRefused(http=401, status_code=2000), NO_ANSWER),
    "broke off": (PeerNonsense("it broke off"), NO_ANSWER),
    "not an envelope": (PeerNonsense("text", answered=True), "NOT_ALLOWED"),
    "a refusal in no envelope": (PeerNonsense("text", answered=True, said={"allowed": "EXPIRED"}), "EXPIRED"),
    "a yes in no envelope": (PeerNonsense("text", answered=True, said={"allowed": "ALLOWED"}), "ALLOWED"),
    "half a yes": (PeerNonsense("it broke off", said={"allowed": "ALLOWED"}), NO_ANSWER),
    "a status code that is none": (PeerRefused(http=200, status_code=200), "NOT_ALLOWED"),
    "a hub that has no answer": (PeerRefused(http=200, status_code=4002), NO_ANSWER),
    "no such endpoint": (EndpointsMissing("none"), NO_ANSWER),
    "a word that is none": ("PERHAPS", "NOT_ALLOWED"),
    "a yes in small letters": ("allowed", "NOT_ALLOWED"),
    "a yes with a space": (" ALLOWED", "NOT_ALLOWED"),
    "a yes that is true": ({"allowed": True}, "NOT_ALLOWED"),
    "a yes with a text for info": ({"allowed": "ALLOWED", "info": "ok", "token": stored_token(EEE)}, "ALLOWED"),
    "no data": (None, "NOT_ALLOWED"),
    "a list": ([], "NOT_ALLOWED"),
    "no word": ({"info": {"language": "en", "text": "no"}}, "NOT_ALLOWED"),
    "a refusal in small letters": ({"allowed": "blocked"}, "BLOCKED"),
    "a text for info": ({"allowed": "NO_CREDIT", "info": "no credit", "token": stored_token(EEE)}, "NO_CREDIT"),
    "null for the token's list": ({"allowed": "EXPIRED", "location": {"evse_uids": ["E1"]}}, "EXPIRED"),
}
"""What the eMSP answers -> what that means."""


def says(answer: Any, version: str, owner: str = EEE, **fields: Any) -> Callable[[Sent], Any]:
    """An eMSP that answers every authorization so."""

    def script(sent: Sent) -> Any:
        if isinstance(answer, PeerFault):
            raise answer
        if not isinstance(answer, str):
            return answer
        whole = {} if version == "2.1.1" else {"token": token(version, owner, sent.path[0])}
        return {"allowed": answer, **whole, **fields}

    return script


async def known(world: World, uid: str = "CARD1", owner: str = EEE, **fields: Any) -> None:
    """An eMSP has told us of a token."""
    kept: Token = TOKEN["2.3.0"].read({**stored_token(owner, uid), **fields})
    await service.put(world.store, Party.parse(owner), uid, kept, now=world.clock.now())


async def tapped(world: World, uid: str = "CARD1", *, at: str = "CP1") -> Decision:
    return await authorize(world.hub, uid, PLACE, at=at)


def strangers(world: World, setting: str) -> None:
    """Who is asked for a card on no list."""
    world.hub.settings = world.hub.settings.model_copy(update={"ask_unknown_tokens": setting})


async def starts(world: World, uid: str = "CARD1", *, at: str = "CP1") -> Decision:
    return await for_start(world.hub, uid, PLACE, at=at)


@pytest.mark.parametrize(("whitelist", "valid"), WHITELISTS)
async def test_the_whitelist_says_who_is_asked_and_what_silence_means(
    world: World, whitelist: str, valid: bool
) -> None:
    await known(world, whitelist=whitelist, valid=valid)
    source, fallback = WHITELISTS[whitelist, valid]
    for name, (answer, meaning) in ANSWERS.items():
        world.peers.script = says(answer, world.version)
        world.peers.sent.clear()
        decision = await tapped(world)
        if source == CACHE:
            expected = (fallback, By.WHITELIST, "WHITELIST", 0)
        elif meaning == NO_ANSWER:
            expected = (fallback, By.OFFLINE, "WHITELIST", 1)
        else:
            expected = (meaning, By.REAL_TIME, "AUTH_REQUEST", 1)
        found = (decision.allowed, decision.by, decision.auth_method, len(world.peers.sent))
        assert found == expected, name
        assert decision.owner == EEE
        assert decision.token is not None
        assert decision.token["contract_id"] == "NL-EEE-C1"


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize("allowed", ["BLOCKED", "ALLOWED"])
async def test_of_what_is_odd_about_the_token_a_refusal_stays_one_and_a_yes_for_another_is_none(
    world: World, allowed: str
) -> None:
    """A yes that speaks of nobody else stays one; else it is a no, although the list would take silence for a yes."""
    right = token(world.version)
    lacking = {name: value for name, value in right.items() if name != "issuer"}
    of_nobody_else: list[Any] = [{"token": None}, {}, {"token": lacking}, {"token": {"uid": "card1"}}]
    of_another: list[Any] = [{"token": {**lacking, "uid": "CARD8"}}, {"token": token(world.version, FFF)}, {"token": 7}]
    for told in of_nobody_else + of_another:
        await known(world, whitelist="ALLOWED_OFFLINE")
        world.peers.script = says({"allowed": allowed, **told}, world.version)
        decision = await tapped(world)
        meant = "NOT_ALLOWED" if allowed == "ALLOWED" and told in of_another else allowed
        assert (decision.allowed, decision.owner, decision.by) == (meant, EEE, By.REAL_TIME), told


async def test_the_emsp_is_asked_in_its_own_words(world: World) -> None:
    tree = location("Site-b")
    await locations.put(world.store, OURS, "Site-b", tree, now=world.clock.now())
    await known(world, "APP-7", type="APP_USER", whitelist="NEVER")
    world.peers.script = says("ALLOWED", world.version)
    place = Place("CP1", 1, f"{OURS}/SITE-B", "E1", "1")
    assert (await authorize(world.hub, "app7", place, at="CP1")).accepted
    (sent,) = world.peers.sent
    assert sent.brief == ("POST", "tokens", "APP-7/authorize")
    assert sent.body == {"location_id": "Site-b", "evse_uids": ["E1"]}


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_without_a_place_nothing_is_said_of_one(world: World) -> None:
    await known(world, whitelist="NEVER")
    world.peers.script = says("ALLOWED", world.version)
    assert (await authorize(world.hub, "CARD1", None, at="CP1")).accepted
    assert world.peers.sent[0].body is None


async def test_an_emsp_that_names_other_evses_does_not_allow_this_one(world: World) -> None:
    await known(world, whitelist="ALLOWED_OFFLINE")
    for evse_uids, allowed in ((["E2"], "NOT_ALLOWED"), (["e1", "E2"], "ALLOWED"), ([], "ALLOWED")):
        there = {"location_id": "LOC1", "evse_uids": evse_uids}
        world.peers.script = says("ALLOWED", world.version, location=there)
        assert ((await tapped(world)).allowed, evse_uids) == (allowed, evse_uids)


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_an_emsp_cannot_have_another_partys_driver_billed(world: World) -> None:
    world.peers.script = says("ALLOWED", world.version, owner=FFF)
    await known(world, whitelist="NEVER")
    decision = await tapped(world)
    assert (decision.allowed, decision.by, decision.owner) == ("NOT_ALLOWED", By.REAL_TIME, EEE)
    unknown = await tapped(world, "STRANGE")
    assert (unknown.allowed, unknown.by, unknown.owner) == ("ALLOWED", By.REAL_TIME, FFF)
    assert [sent.partner for sent in world.peers.sent[1:]] == ["e2"], (
        "e1 gave us a list, and is not asked for strangers"
    )


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_an_answer_about_another_card_is_none(world: World) -> None:
    await known(world, whitelist="NEVER")
    world.peers.script = lambda sent: {"allowed": "ALLOWED", "token": token(world.version, EEE, "CARD8")}
    decision = await tapped(world)
    assert (decision.allowed, decision.by) == ("NOT_ALLOWED", By.REAL_TIME)


@pytest.mark.parametrize("state", [State.BLOCKED, State.UNREGISTERED])
async def test_the_cards_of_a_partner_that_is_blocked_or_gone_are_refused(world: World, state: State) -> None:
    partner = world.partner("e1")
    await world.registry.save(partner.model_copy(update={"state": state}))
    for whitelist, valid in WHITELISTS:
        uid = f"{whitelist}{valid}"
        await known(world, uid, whitelist=whitelist, valid=valid)
        decision = await tapped(world, uid)
        assert (decision.allowed, decision.by) == ("NOT_ALLOWED", By.OFFLINE), uid
    assert world.peers.sent == []


@pytest.mark.parametrize("version", ["2.2.1"])
@pytest.mark.parametrize("shown", ["04a2b3c4", "04:A2:B3:C4", "04-a2-b3-c4", "04 A2 B3 C4"])
async def test_a_uid_is_known_however_a_reader_spells_it(world: World, shown: str) -> None:
    await known(world, "04A2B3C4", whitelist="NEVER")
    world.peers.script = says("ALLOWED", world.version, authorization_reference="R1")
    assert (await tapped(world, shown)).accepted
    assert world.peers.sent[0].path == ("04A2B3C4", "authorize"), "asked as the eMSP spells it"
    world.peers.sent.clear()
    assert (await starts(world, "04A2B3C4")).accepted
    assert world.peers.sent == []


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_of_two_owners_of_a_uid_the_valid_one_is_meant_and_a_card_before_an_app(world: World) -> None:
    await known(world, owner=EEE, valid=False, whitelist="ALWAYS")
    await known(world, owner=FFF, whitelist="ALWAYS")
    decision = await tapped(world)
    assert (decision.allowed, decision.owner) == ("ALLOWED", FFF)
    await known(world, "BOTH", owner=EEE, type="APP_USER", whitelist="ALWAYS")
    await known(world, "BOTH", owner=FFF, whitelist="ALWAYS", valid=False)
    decision = await tapped(world, "BOTH")
    assert (decision.allowed, decision.owner) == ("BLOCKED", FFF)


async def test_a_card_on_two_lists_is_asked_of_the_second_where_the_first_does_not_know_it(world: World) -> None:
    for owner in (EEE, FFF):
        await known(world, owner=owner, whitelist="NEVER")
    first, second = says(UNKNOWN, world.version), says("ALLOWED", world.version, FFF)
    world.peers.script = lambda sent: (first if sent.partner == "e1" else second)(sent)
    decision = await tapped(world)
    assert (decision.allowed, decision.owner) == ("ALLOWED", FFF)
    assert [sent.partner for sent in world.peers.sent] == ["e1", "e2"]
    assert (await starts(world)).owner == FFF
    assert len(world.peers.sent) == 2, "what was decided at the tap holds for the start"


async def test_a_card_on_two_lists_that_its_emsp_refuses_is_asked_of_no_other(world: World) -> None:
    for owner in (EEE, FFF):
        await known(world, owner=owner, whitelist="NEVER")
    world.peers.script = says("BLOCKED", world.version)
    assert (await tapped(world)).allowed == "BLOCKED"
    assert [sent.partner for sent in world.peers.sent] == ["e1"]


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_token_made_invalid_is_refused_at_once(world: World) -> None:
    await known(world, whitelist="ALLOWED")
    assert (await tapped(world)).accepted
    await known(world, whitelist="ALLOWED", valid=False)
    world.peers.script = says("BLOCKED", world.version)
    assert (await tapped(world)).allowed == "BLOCKED"
    assert (await starts(world)).allowed == "BLOCKED"


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_token_made_invalid_after_the_tap_starts_nothing(world: World) -> None:
    await known(world, whitelist="ALLOWED_OFFLINE")
    world.peers.script = says("ALLOWED", world.version)
    assert (await tapped(world)).accepted
    await known(world, whitelist="ALLOWED_OFFLINE", valid=False)
    world.peers.script = says(PeerTimeout("late"), world.version)
    assert (await starts(world)).allowed == "NOT_ALLOWED"


# What is remembered


async def test_the_start_that_follows_a_tap_asks_nobody_and_has_the_reference(world: World) -> None:
    await known(world, whitelist="NEVER")
    world.peers.script = says("ALLOWED", world.version, authorization_reference="REF-1")
    await tapped(world)
    world.clock.passed_s = 15 * 60
    decision = await starts(world)
    assert len(world.peers.sent) == 1
    assert (decision.allowed, decision.by) == ("ALLOWED", By.REAL_TIME)
    assert decision.reference == (None if world.version == "2.1.1" else "REF-1")


@pytest.mark.parametrize("version", ["2.2.1"])
@pytest.mark.parametrize(("at", "later_s"), [("CP1", PAST_MEMORY_S), ("CP2", 0)])
async def test_it_is_remembered_for_15_minutes_and_at_that_station_only(world: World, at: str, later_s: float) -> None:
    await known(world, whitelist="NEVER")
    world.peers.script = says("ALLOWED", world.version)
    await tapped(world)
    world.clock.passed_s = later_s
    world.peers.script = says("NO_CREDIT", world.version)
    assert (await starts(world, at=at)).allowed == "NO_CREDIT"


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_tap_always_asks_anew_and_a_later_no_takes_a_yes_back(world: World) -> None:
    await known(world, whitelist="NEVER")
    for answer in ("ALLOWED", "NO_CREDIT"):
        world.peers.script = says(answer, world.version)
        assert (await tapped(world)).allowed == answer
    assert not (await starts(world)).accepted


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_no_is_not_held_against_a_driver_who_has_paid_since(world: World) -> None:
    await known(world, whitelist="NEVER")
    world.peers.script = says("NO_CREDIT", world.version)
    await tapped(world)
    world.peers.script = says("ALLOWED", world.version)
    assert (await starts(world)).accepted


async def commanded(world: World, uid: str = "APP-1", *, at: str = "CP1", seen: int = 0) -> None:
    by_command = Decision("ALLOWED", By.COMMAND, stored_token(EEE, uid), EEE, "CMD-1", seen=seen)
    await world.store.commit(Unit().put(remember(by_command, uid, at=at, now=world.clock.now())))


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_what_a_command_brought_is_accepted_and_nobody_is_asked(world: World) -> None:
    await known(world, "APP-1", whitelist="NEVER", valid=False)
    await commanded(world, seen=1)
    for decide in (tapped, starts):
        decision = await decide(world, "app 1")
        assert (decision.allowed, decision.by, decision.auth_method) == ("ALLOWED", By.COMMAND, "COMMAND")
        assert (decision.reference, decision.owner) == ("CMD-1", EEE)
    assert world.peers.sent == []


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_command_allows_its_own_station_for_15_minutes(world: World) -> None:
    await known(world, "APP-1", whitelist="ALWAYS", valid=False)
    await commanded(world)
    assert (await tapped(world, "APP-1", at="CP2")).allowed == "BLOCKED"
    world.clock.passed_s = PAST_MEMORY_S
    assert (await tapped(world, "APP-1")).allowed == "BLOCKED"


@pytest.mark.parametrize("version", ["2.2.1"])
@pytest.mark.parametrize(("seen", "decide"), [*product((0, 1), (tapped, starts))])
async def test_a_token_made_invalid_after_the_command_is_refused(world: World, seen: int, decide: Any) -> None:
    if seen:
        await known(world, "APP-1", whitelist="ALWAYS")
    await commanded(world, seen=seen)
    await known(world, "APP-1", whitelist="ALWAYS", valid=False)
    decision = await decide(world, "APP-1")
    assert (decision.allowed, decision.by) == ("BLOCKED", By.WHITELIST)


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_token_that_changed_and_is_valid_takes_no_command_back(world: World) -> None:
    await known(world, "APP-1", whitelist="NEVER", valid=False)
    await commanded(world, seen=1)
    await known(world, "APP-1", whitelist="NEVER")
    assert (await starts(world, "APP-1")).by is By.COMMAND


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_what_is_used_up_is_decided_anew_and_elsewhere_stands(world: World) -> None:
    await known(world, "APP-1", whitelist="ALWAYS", valid=False)
    for at in ("CP1", "CP2"):
        await commanded(world, at=at, seen=1)
    await world.store.commit(await used_up(world.hub, ("app:1", "nobody"), at="CP1"))
    assert (await starts(world, "APP-1")).allowed == "BLOCKED"
    assert (await starts(world, "APP-1", at="CP2")).accepted


# Aliases

LONG = "APP-USER-0123456789-0123456789"


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_an_alias_stands_for_its_token_for_good(world: World) -> None:
    await known(world, LONG, whitelist="NEVER")
    alias = await tag_of(world.store, Party.parse(EEE), "RFID", LONG)
    world.clock.passed_s = PAST_MEMORY_S
    world.peers.script = says("ALLOWED", world.version)
    decision = await tapped(world, alias.lower())
    assert decision.accepted
    assert decision.token is not None
    assert decision.token["uid"] == LONG
    assert (await starts(world, alias)).accepted
    assert [sent.path for sent in world.peers.sent] == [(LONG, "authorize")]


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_an_alias_of_a_token_that_nobody_told_us_of_is_shown_to_nobody(world: World) -> None:
    alias = await tag_of(world.store, Party.parse(EEE), "APP_USER", LONG)
    assert not (await tapped(world, alias)).accepted
    assert world.peers.sent == []


# Cards on no list


@pytest.mark.parametrize("setting", ["none", "probable", "listless", "all"])
async def test_who_is_asked_for_a_card_on_no_list(sqlite_url: str, version: str, setting: str) -> None:
    async with a_world(sqlite_url, version, ask_unknown_tokens=setting) as world:
        await known(world, "OTHER", owner=EEE)
        world.peers.script = says("ALLOWED", version, owner=FFF)
        decision = await tapped(world, "STRANGE")
        asked = {"none": [], "probable": ["e2"], "listless": ["e2"], "all": ["e1", "e2"]}[setting]
        assert sorted(sent.partner for sent in world.peers.sent) == asked
        if setting == "none":
            assert (decision.allowed, decision.by, decision.token) == ("NOT_ALLOWED", By.UNKNOWN, None)
        elif setting != "all":
            assert (decision.allowed, decision.by, decision.owner) == ("ALLOWED", By.REAL_TIME, FFF)
            assert decision.token is not None
            assert decision.token["contract_id"] == ("STRANGE" if version == "2.1.1" else "NL-FFF-C1")
            assert await recall(world.hub, "strange", at="CP1") == decision


async def test_a_card_that_could_be_anybodys_is_shown_to_nobody(world: World) -> None:
    assert (await tapped(world, "STRANGE")).by is By.UNKNOWN
    assert world.peers.sent == []


async def test_a_card_that_begins_as_those_of_one_emsp_is_asked_of_that_one(world: World) -> None:
    for number in range(3):
        await known(world, f"EEEE{number}")
        await known(world, f"FFFF{number}", owner=FFF)
    world.peers.script = says("ALLOWED", world.version)
    assert (await tapped(world, "eeee9")).owner == EEE
    assert [sent.partner for sent in world.peers.sent] == ["e1"]


async def test_who_allowed_a_card_at_our_charger_is_asked_for_it_again_and_nobody_else(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.2.1", ask_unknown_tokens="all") as world:
        answers = {"e1": says(UNKNOWN, "2.2.1"), "e2": says("ALLOWED", "2.2.1", owner=FFF)}
        world.peers.script = lambda sent: answers[sent.partner](sent)
        assert (await tapped(world, "STRANGE")).accepted
        world.peers.sent.clear()
        assert (await tapped(world, "STRANGE", at="CP2")).accepted
        assert [sent.partner for sent in world.peers.sent] == ["e2"]


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_card_nobody_knows_is_asked_for_once_a_minute_at_all_our_chargers(world: World) -> None:
    await known(world, "OTHER", owner=EEE)
    world.peers.script = says(UNKNOWN, "2.2.1")
    for at in ("CP1", "CP1", "CP2"):
        assert (await tapped(world, "STRANGE", at=at)).by is By.UNKNOWN
    await asyncio.gather(*(tapped(world, "STRANGE2") for _ in range(3)))
    assert [sent.path[0] for sent in world.peers.sent] == ["STRANGE", "STRANGE2"]
    world.clock.passed_s = 61
    await tapped(world, "STRANGE")
    assert len(world.peers.sent) == 3


async def test_a_card_that_nobody_knows_is_refused(world: World) -> None:
    strangers(world, "listless")
    world.peers.script = says(PeerRefused(http=404, status_code=2004), world.version)
    decision = await tapped(world, "STRANGE")
    assert (decision.allowed, decision.by, decision.auth_method) == ("NOT_ALLOWED", By.UNKNOWN, "AUTH_REQUEST")
    assert sorted(sent.partner for sent in world.peers.sent) == ["e1", "e2"]
    assert await recall(world.hub, "STRANGE", at="CP1") is None


@pytest.mark.parametrize("version", ["2.2.1"])
@pytest.mark.parametrize(("one", "other"), [*product(("ALLOWED", "BLOCKED"), (PeerTimeout("late"), "NO_CREDIT"))])
async def test_of_several_that_are_asked_the_one_that_allows_it_counts(world: World, one: str, other: Any) -> None:
    strangers(world, "listless")
    answers = {"e1": says(other, "2.2.1", owner=EEE), "e2": says(one, "2.2.1", owner=FFF)}
    world.peers.script = lambda sent: answers[sent.partner](sent)
    decision = await tapped(world, "STRANGE")
    if one == "ALLOWED" or isinstance(other, PeerFault):
        assert (decision.allowed, decision.owner) == (one, FFF)
    else:
        assert decision.allowed in (one, other)


async def test_a_platform_of_two_roles_is_billed_as_the_emsp(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.1.1", ask_unknown_tokens="listless") as world:
        partner = await world.join("both", "NL*CCC", PartyRole.CPO)
        emsp = partner.claims[0].model_copy(update={"role": PartyRole.EMSP, "party": Party("NL", "MMM")})
        await world.registry.save(partner.model_copy(update={"claims": (*partner.claims, emsp)}))
        world.peers.script = lambda sent: {"allowed": "ALLOWED" if sent.partner == "both" else "BLOCKED"}
        decision = await tapped(world, "STRANGE")
        assert (decision.allowed, decision.owner) == ("ALLOWED", "NL*MMM")


# Time


async def test_emsps_that_hang_cost_one_deadline_together(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.2.1", authorize_timeout_s=60, ask_unknown_tokens="all") as world:
        world.peers.silent = {"e1", "e2"}
        asking = asyncio.create_task(tapped(world, "STRANGE"))
        await until(lambda: {sent.partner for sent in world.peers.sent} == {"e1", "e2"})
        asking.cancel()
    async with a_world(sqlite_url, "2.2.1", authorize_timeout_s=0.2, ask_unknown_tokens="all") as world:
        world.peers.silent = {"e1", "e2"}
        assert not (await tapped(world, "STRANGE")).accepted
        await known(world, whitelist="ALLOWED_OFFLINE")
        assert (await tapped(world)).by is By.OFFLINE


async def test_an_emsp_that_hangs_does_not_delay_the_yes_of_another(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.2.1", authorize_timeout_s=30, ask_unknown_tokens="all") as world:
        world.peers.silent = {"e1"}
        world.peers.script = says("ALLOWED", "2.2.1", owner=FFF)
        begun = time.monotonic()
        assert (await tapped(world, "STRANGE")).owner == FFF
        assert time.monotonic() - begun < timedelta(seconds=15).total_seconds()


async def test_a_restart_forgets_nothing(database_url: str) -> None:
    async with a_world(database_url) as world:
        await known(world, whitelist="NEVER")
        world.peers.script = says("ALLOWED", "2.2.1", authorization_reference="R1")
        before = await tapped(world)
    async with a_world(database_url) as world:
        assert await starts(world) == before
        assert world.peers.sent == []
