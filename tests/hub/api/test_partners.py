"""Partners from invitation to farewell, against sandbox partners over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, TokenUse
from modules.hubclientinfo import service as hubclientinfo
from modules.hubclientinfo.model import ClientInfoTold
from modules.hubclientinfo.roster import standings
from partners.sandbox.emsp import Emsp
from tests.hub.house import House
from tests.world import World, location

PARTNERS = "/api/v1/partners"


@pytest.fixture
async def emsp() -> AsyncIterator[Emsp]:
    async with Emsp("2.2.1", "NL*EEE") as emsp:
        yield emsp


async def until(house: House, fits: Callable[[Any], bool], name: str = "acme") -> Any:
    """The partner as it is shown, once it is as it should be."""
    for _ in range(1500):
        tree = (await house.ask("GET", f"{PARTNERS}/{name}")).tree
        if fits(tree):
            return tree
        await asyncio.sleep(0.02)
    raise AssertionError(f"{name} stays as it is: {tree['lane']}")


def delivered(number: int) -> Callable[[Any], bool]:
    return lambda tree: tree["lane"]["delivered"] == number and not tree["waiting"]


def puts(emsp: Emsp) -> list[str]:
    return [receipt.path.rsplit("/", 1)[-1] for receipt in emsp.receipts.all() if receipt.method == "PUT"]


async def test_an_invitation_holds_where_to_begin_and_token_a_once(house: House) -> None:
    invited = await house.invite("acme")
    base = house.program.settings.base_url
    assert invited["versions_url"] == f"{base}/ocpi/versions"
    assert invited["versions_url_2_1_1"] == f"{base}/ocpi/cpo/versions"
    told = await house.ask("GET", f"{PARTNERS}/acme")
    assert told.tree["state"] == "invited"
    assert invited["token_a"] not in str(told.tree)


async def test_a_cpo_is_sent_to_the_other_side(house: House) -> None:
    invited = await house.invite("operator", "NL*CPO", "CPO")
    assert invited["versions_url_2_1_1"].endswith("/ocpi/emsp/versions")


async def test_a_second_invitation_replaces_the_first_token(house: House) -> None:
    first = (await house.invite("acme"))["token_a"]
    second = (await house.ask("POST", PARTNERS, {"name": "acme"})).tree["token_a"]
    statuses = [
        (await house.http.get("/ocpi/versions", headers={"Authorization": f"Token {token}"})).status_code
        for token in (first, second)
    ]
    assert statuses == [401, 200]


@pytest.mark.parametrize(
    ("roles", "status"),
    [
        ([{"role": "EMSP", "country_code": "DE", "party_id": "BSB"}], 409),
        ([{"role": "EMSP", "country_code": "N1", "party_id": "EEE"}], 422),
        ([{"role": "BAKER", "country_code": "NL", "party_id": "EEE"}], 422),
        ([{"role": "EMSP", "country_code": "NL", "party_id": "EEE"}] * 2, 422),
    ],
)
async def test_roles_that_cannot_be_are_not_invited(house: House, roles: list[Any], status: int) -> None:
    assert (await house.ask("POST", PARTNERS, {"name": "acme", "roles": roles})).status == status


async def test_a_partner_that_registered_is_shown_with_all_that_matters(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    tree = (await serving.ask("GET", f"{PARTNERS}/acme")).tree
    assert tree["lane"]["running"] is True
    assert (tree["state"], tree["version"]) == ("connected", "2.2.1")
    assert {endpoint["identifier"] for endpoint in tree["endpoints"]} >= {"credentials", "tokens", "locations"}
    assert [token["use"] for token in tree["tokens"]] == ["live"]
    listed = (await serving.ask("GET", PARTNERS)).tree
    assert listed["total"] == 1
    assert listed["items"][0]["roles"][0] == {
        "role": "EMSP",
        "country_code": "NL",
        "party_id": "EEE",
        "business_name": "Sandbox eMSP NL*EEE",
    }


async def test_a_connected_partner_is_not_invited_again(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    told = await serving.ask("POST", PARTNERS, {"name": "acme"})
    assert (told.status, told.code) == (409, "conflict")
    other = {"name": "other", "roles": [{"role": "EMSP", "country_code": "NL", "party_id": "EEE"}]}
    assert (await serving.ask("POST", PARTNERS, other)).status == 409


async def test_we_register_with_a_partner_that_invited_us(serving: House, emsp: Emsp) -> None:
    versions_url, token = emsp.invite()
    roles = [{"role": "EMSP", "country_code": "NL", "party_id": "EEE"}]
    told = await serving.ask(
        "POST", f"{PARTNERS}/acme/connect", {"versions_url": versions_url, "token": token, "roles": roles}
    )
    assert (told.status, told.tree["state"]) == (200, "connected")
    assert emsp.registration is not None
    assert token not in str(told.tree)


async def test_a_partner_that_is_not_there_cannot_be_connected(serving: House) -> None:
    ask = {"versions_url": "http://127.0.0.1:1/versions", "token": "abc"}
    told = await serving.ask("POST", f"{PARTNERS}/acme/connect", ask)
    assert (told.status, told.code) == (502, "partner_unusable")


async def test_a_wrong_token_a_is_told(serving: House, emsp: Emsp) -> None:
    versions_url, _ = emsp.invite()
    told = await serving.ask("POST", f"{PARTNERS}/acme/connect", {"versions_url": versions_url, "token": "wrong"})
    assert (told.status, told.code) == (502, "partner_unusable")


async def test_a_partner_may_not_be_connected_as_a_party_of_another(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    async with Emsp("2.2.1", "NL*EEE") as twin:
        versions_url, token = twin.invite()
        told = await serving.ask("POST", f"{PARTNERS}/twin/connect", {"versions_url": versions_url, "token": token})
    assert told.status == 422
    assert (await serving.ask("GET", f"{PARTNERS}/twin")).tree["state"] == "invited"


async def test_a_push_sends_everything_again_tariffs_first(serving: House, emsp: Emsp) -> None:
    await serving.furnish()
    await serving.admit(emsp)
    assert puts(emsp) == []
    assert (await serving.ask("POST", f"{PARTNERS}/acme/push")).tree == {"waiting": 2}
    tree = await until(serving, delivered(2))
    assert puts(emsp) == ["T1", "LOC1"]
    assert tree["lane"]["last_delivery"]


async def test_a_push_needs_a_lane(house: House) -> None:
    await house.invite("acme")
    assert (await house.ask("POST", f"{PARTNERS}/acme/push")).status == 404


async def test_a_pull_brings_the_partners_tokens(serving: House, emsp: Emsp) -> None:
    emsp.add_token({"uid": "0123456789"})
    await serving.admit(emsp)
    told = await serving.ask("POST", f"{PARTNERS}/acme/pull", {"full": True})
    assert told.status == 200
    assert told.tree["taken"] + told.tree["unchanged"] == 1
    assert (await serving.ask("GET", "/api/v1/tokens?partner=acme")).tree["total"] == 1


async def test_a_pull_from_a_stranger_is_a_conflict(house: House) -> None:
    await house.invite("acme")
    assert (await house.ask("POST", f"{PARTNERS}/acme/pull")).status == 409


async def test_a_blocked_partner_is_not_let_in_and_hears_of_it_all_afterwards(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    assert (await serving.ask("POST", f"{PARTNERS}/acme/block")).tree["state"] == "blocked"
    with pytest.raises(Exception, match="401"):
        await emsp.push_token({"uid": "1"})
    await serving.furnish()
    assert puts(emsp) == []
    assert (await serving.ask("POST", f"{PARTNERS}/acme/unblock")).tree["state"] == "connected"
    await until(serving, delivered(2))
    assert set(puts(emsp)) == {"T1", "LOC1"}
    assert (await serving.ask("POST", f"{PARTNERS}/acme/unblock")).status == 409


async def test_a_farewell_tells_the_partner_and_allows_a_new_beginning(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    told = await serving.ask("DELETE", f"{PARTNERS}/acme")
    assert told.tree == {"name": "acme", "state": "unregistered", "told": True}
    assert emsp.registration is None
    assert (await serving.ask("DELETE", f"{PARTNERS}/acme")).status == 409
    again = (await serving.ask("POST", PARTNERS, {"name": "acme"})).tree
    await emsp.register(again["versions_url"], again["token_a"])
    assert (await serving.ask("GET", f"{PARTNERS}/acme")).tree["state"] == "connected"


async def test_a_farewell_needs_no_partner(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    await emsp.__aexit__(None, None, None)
    told = await serving.ask("DELETE", f"{PARTNERS}/acme")
    assert (told.tree["state"], told.tree["told"]) == ("unregistered", False)
    assert told.tree["why_not"]


async def test_what_a_partner_refuses_is_listed_and_can_be_sent_again(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    emsp.temper.switch("reject")
    await serving.furnish()
    await until(serving, lambda tree: tree["refused"] == 2)
    listed = (await serving.ask("GET", f"{PARTNERS}/acme/refused")).tree
    by_module = {item["module"]: item for item in listed["items"]}
    assert by_module["locations"]["object"] == "DE*BSB/LOC1"
    assert listed["total"] == 2
    emsp.temper.switch("happy")
    number = by_module["locations"]["id"]
    told = await serving.ask("POST", f"{PARTNERS}/acme/refused/{number}/resend")
    assert told.tree == {"module": "locations", "object": "DE*BSB/LOC1"}
    await until(serving, delivered(1))
    assert (await serving.ask("GET", f"{PARTNERS}/acme/refused")).tree["total"] == 1
    assert (await serving.ask("POST", f"{PARTNERS}/acme/refused/{number}/resend")).status == 404


async def test_what_a_version_cannot_say_is_listed(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    far = location(help_phone="+49301234567")
    assert (await serving.ask("PUT", "/api/v1/locations/DE/BSB/LOC1", far)).status == 201
    tree = await until(serving, delivered(1))
    assert ("locations", "/help_phone") in {(loss["module"], loss["field"]) for loss in tree["losses"]}


async def test_a_lane_that_fails_says_why_and_when_it_tries_again(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    await emsp.__aexit__(None, None, None)
    await serving.furnish()
    lane = (await until(serving, lambda tree: tree["lane"]["next_try"] and tree["waiting"] == 2))["lane"]
    assert lane["failures"] >= 1
    assert lane["last_error"]


async def test_a_rotation_gives_both_sides_new_tokens(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    before = emsp.registration
    told = await serving.ask("POST", f"{PARTNERS}/acme/rotate")
    assert told.status == 200
    assert [token["use"] for token in told.tree["tokens"]] == [TokenUse.LIVE, TokenUse.OVERLAP]
    assert emsp.registration is not None
    assert before is not None
    assert emsp.registration.their_token != before.their_token
    assert emsp.registration.our_token != before.our_token
    await emsp.push_token({"uid": "1"})
    tokens = (await serving.ask("GET", f"{PARTNERS}/acme")).tree["tokens"]
    assert [token["use"] for token in tokens] == [TokenUse.LIVE]


async def test_what_was_done_to_a_partner_is_audited(serving: House, emsp: Emsp) -> None:
    await serving.admit(emsp)
    for verb in ("push", "rotate", "block", "unblock"):
        assert (await serving.ask("POST", f"{PARTNERS}/acme/{verb}", token=serving.token_of("admin"))).status == 200
    rows = (await serving.ask("GET", "/api/v1/audit")).tree["items"]
    done = {row["action"] for row in rows if row["actor"] == "jo" and row["subject"] == "acme"}
    assert done == {"partner.pushed", "credentials.rotated", "partner.blocked", "partner.unblocked"}
    assert (await serving.ask("GET", "/api/v1/audit/verify")).tree["intact"] is True


async def test_what_a_partner_is_not_told_is_listed_the_most_frequent_first(house: House) -> None:
    await house.invite("acme", "NL*EEE")
    losses = house.program.hub.losses
    losses.note("acme", "out", "locations", ("/help_phone", "/publish"))
    await losses.write()
    losses.note("acme", "out", "locations", ("/publish",))
    told = await house.ask("GET", "/api/v1/partners/acme/losses")
    assert (told.status, told.tree["total"]) == (200, 2)
    assert told.tree["items"][0] == {"way": "out", "module": "locations", "field": "/publish", "times": 2}
    assert (await house.ask("GET", "/api/v1/partners/nobody/losses")).status == 404


async def test_every_party_is_listed_with_its_state_since_when_and_why(house: House) -> None:
    world = World.around(house.program.hub)
    await house.invite("acme")
    hub = await world.join("far", "FR*HUB", PartyRole.HUB)
    behind = Claim(role=PartyRole.EMSP, party=Party.parse("FR*BHD"))
    hub = await world.registry.save(hub.model_copy(update={"claims": (*hub.claims, behind)}))
    for party_id in ("BHD", "NEW"):
        about = {"country_code": "FR", "party_id": party_id, "role": "EMSP", "status": "OFFLINE"}
        info = ClientInfoTold.model_validate({**about, "last_updated": "2026-05-04T10:00:00Z"})
        await hubclientinfo.take(house.program.hub, hub, info, "EMSP")
    await hubclientinfo.keep(house.program.hub, standings(house.program.hub))
    shown = (await house.ask("GET", "/api/v1/clients")).tree
    assert shown["total"] == len(shown["items"]) == 4
    listed = {each["party"]: (each["role"], each["status"], each["partner"], each["why"]) for each in shown["items"]}
    assert listed == {
        "DE*BSB": ("CPO", "CONNECTED", "", "our own party"),
        "FR*BHD": ("EMSP", "OFFLINE", "far", "so says the hub far"),
        "FR*HUB": ("HUB", "CONNECTED", "far", "registered, and answers"),
        "NL*EEE": ("EMSP", "PLANNED", "acme", "invited, not registered yet"),
    }
    assert all(each["since"] for each in shown["items"])
    assert [(each["hub"], each["party"], each["status"], each["agreed"]) for each in shown["told"]] == [
        ("far", "FR*BHD", "OFFLINE", True),
        ("far", "FR*NEW", "OFFLINE", False),
    ]
