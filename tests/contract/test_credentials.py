"""Registration as its receiver: the whole error matrix, rotation, the end, and races. OCPI credentials."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.errors import ClientApiUnusable, VersionNotOffered
from hub.core.parties import Party, PartyRole
from hub.core.ports import Found
from hub.core.registry import PARTNERS, Claim, State, TokenUse
from hub.core.units import Put
from modules.credentials import service
from tests.world import BASE, NOW, OURS, World, a_world, credentials, endpoints, until

POST, PUT, GET, DELETE = "POST", "PUT", "GET", "DELETE"


async def credentials_call(world: World, method: str, by: str | None, body: Any = None, **how: Any) -> Any:
    return await world.ask(method, world.at("credentials"), by=by, body=body, **how)


async def registered(world: World) -> str:
    """Let `a` register. Returns: the token that it got."""
    said = await credentials_call(world, POST, "a", credentials(world.version))
    assert (said.http, said.code) == (200, 1000)
    token: str = said.data["token"]
    return token


async def test_post_registers_and_answers_with_our_credentials(world_on_both: World) -> None:
    world = world_on_both
    said = await credentials_call(world, POST, "a", credentials(world.version, token="their-secret"))
    assert (said.http, said.code) == (200, 1000)
    path = "/ocpi/cpo/versions" if world.version == "2.1.1" else "/ocpi/versions"
    assert said.data["url"] == BASE + path
    flat = said.data if world.version == "2.1.1" else said.data["roles"][0]
    assert (flat["country_code"], flat["party_id"]) == OURS
    assert flat["business_details"] == {"name": "Busbar"}
    assert ("roles" in said.data) is (world.version != "2.1.1")
    assert world.discovery.asked == [("https://partner.example/versions", "their-secret")]
    partner = world.partner("a")
    assert (partner.state, partner.version) == (State.CONNECTED, world.version)
    assert [str(claim.party) for claim in partner.claims] == ["NL*AAA"]
    assert [(claim.role) for claim in partner.claims] == [PartyRole.EMSP]
    new = said.data["token"]
    assert 1 <= len(new) <= 64
    assert (await world.ask(GET, world.at("sender/locations"), by=new)).http == 200
    assert (await world.ask(GET, "/ocpi/versions", by="a")).http == 401
    assert (await credentials_call(world, POST, "a", credentials(world.version))).http == 401


async def test_no_token_is_kept_or_told_in_clear(world: World) -> None:
    new = await registered(world)
    kept = str(await world.dump())
    for secret in (new, "their-token", world.secrets["a"]):
        assert secret not in kept
    audit = str(await world.store.audit_rows(after=0, limit=100))
    assert new not in audit
    assert "their-token" not in audit


async def test_get_shows_ours_with_the_token_that_the_caller_uses(world: World) -> None:
    for by in ("a", "e1"):
        said = await credentials_call(world, GET, by)
        assert (said.http, said.code) == (200, 1000)
        assert said.data["token"] == world.secrets[by]


def wrong_objects(version: str) -> dict[str, Any]:
    good = credentials(version)
    wrong: dict[str, Any] = {
        "a list": [good],
        "empty": {},
        "token empty": {**good, "token": ""},
        "token of 65": {**good, "token": "x" * 65},
        "token with a space": {**good, "token": "a b"},
        "token with a newline": {**good, "token": "a\n"},
        "token with a tab": {**good, "token": "a\tb"},
        "token not ASCII": {**good, "token": "tökén"},
        "token null": {**good, "token": None},
        "no token": {k: v for k, v in good.items() if k != "token"},
        "no url": {k: v for k, v in good.items() if k != "url"},
        "url of 600": {**good, "url": "https://x.example/" + "x" * 582},
    }
    if version == "2.1.1":
        for name in ("party_id", "country_code", "business_details"):
            wrong[f"no {name}"] = {k: v for k, v in good.items() if k != name}
        wrong["not invited"] = credentials(version, "NL*ZZZ")
        wrong["bound elsewhere"] = credentials(version, "NL*EEE")
        return wrong
    role = good["roles"][0]
    wrong |= {
        "no roles": {k: v for k, v in good.items() if k != "roles"},
        "roles empty": {**good, "roles": []},
        "roles null": {**good, "roles": None},
        "role twice": {**good, "roles": [role, dict(role)]},
        "role twice in another case": {**good, "roles": [role, {**role, "country_code": "nl", "party_id": "aaa"}]},
        "role unknown": {**good, "roles": [{**role, "role": "BANK"}]},
        "role not invited": credentials(version, role="CPO"),
        "party not invited": credentials(version, "NL*ZZZ"),
        "one more role": {**good, "roles": [role, {**role, "party_id": "ZZZ"}]},
        "bound elsewhere": credentials(version, "NL*EEE"),
        "party of two": {**good, "roles": [{**role, "party_id": "AA"}]},
        "party of digits only is not a country": {**good, "roles": [{**role, "country_code": "12"}]},
    }
    return wrong


@pytest.mark.parametrize(("method", "by"), [(POST, "a"), (PUT, "e1")])
async def test_wrong_credentials_are_2001_without_effect(world: World, method: str, by: str) -> None:
    async with world.unchanged():
        for name, body in wrong_objects(world.version).items():
            if by == "e1" and name == "bound elsewhere":
                body = credentials(world.version, "NL*FFF")
            said = await credentials_call(world, method, by, body)
            assert (name, said.http, said.code) == (name, 200, 2001)
            assert "tökén" not in said.message
        assert not world.discovery.asked
    assert (await credentials_call(world, GET, by)).http == 200


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (ClientApiUnusable("versions: no such host"), 3001),
        (VersionNotOffered(), 3002),
        ("tokens", 3003),
    ],
    ids=["3001", "3002", "3003"],
)
@pytest.mark.parametrize(("method", "by", "party"), [(POST, "a", "NL*AAA"), (PUT, "e1", "NL*EEE")])
async def test_failed_call_backs_change_nothing_and_the_token_stays_good(
    world: World, fault: Exception | str, code: int, method: str, by: str, party: str
) -> None:
    missing = endpoints(world.version, leave_out="tokens")
    world.discovery.found = Found(world.version, missing, "base64") if isinstance(fault, str) else fault
    body = credentials(world.version, party)
    async with world.unchanged():
        said = await credentials_call(world, method, by, body)
        assert (said.http, said.code) == (200, code)
        assert said.data is None
    world.discovery.found = None
    assert (await credentials_call(world, method, by, body)).code == 1000


async def test_the_state_of_a_registration_is_held(world: World) -> None:
    async with world.unchanged():
        for method, by, http in (
            (POST, "e1", 405),
            (PUT, "a", 405),
            (DELETE, "a", 405),
            (POST, "x", 401),
            (PUT, "x", 401),
            (DELETE, "x", 401),
            (POST, "p", 401),
            (PUT, "p", 401),
            (DELETE, "p", 401),
            (POST, None, 401),
        ):
            said = await credentials_call(world, method, by, credentials(world.version) if method != DELETE else None)
            assert (method, by, said.http, said.code) == (method, by, http, 2000)


async def test_put_rotates_and_the_old_token_answers_until_the_new_one_is_used(world_on_both: World) -> None:
    world = world_on_both
    said = await credentials_call(world, PUT, "e1", credentials(world.version, "NL*EEE", token="new-theirs"))
    assert (said.http, said.code) == (200, 1000)
    new = said.data["token"]
    assert new != world.secrets["e1"]
    assert world.discovery.asked == [("https://partner.example/versions", "new-theirs")]
    path = world.at("sender/locations")
    assert (await world.ask(GET, path, by="e1")).http == 200
    assert (await world.ask(GET, path, by="e1")).http == 200
    assert (await world.ask(GET, path, by=new)).http == 200
    assert (await world.ask(GET, path, by="e1")).http == 401
    assert (await world.ask(GET, path, by=new)).http == 200


async def test_the_overlap_ends_by_itself(world: World) -> None:
    said = await credentials_call(world, PUT, "e1", credentials(world.version, "NL*EEE"))
    path = world.at("sender/locations")
    world.clock.move_to(15 * 60 - 1)
    assert (await world.ask(GET, path, by="e1")).http == 200
    world.clock.move_to(15 * 60)
    assert (await world.ask(GET, path, by="e1")).http == 401
    assert (await world.ask(GET, path, by=said.data["token"])).http == 200


async def test_after_a_lost_answer_the_partner_may_put_again(world: World) -> None:
    body = credentials(world.version, "NL*EEE")
    lost = (await credentials_call(world, PUT, "e1", body)).data["token"]
    said = await credentials_call(world, PUT, "e1", body)
    assert said.code == 1000
    path = world.at("sender/locations")
    assert (await world.ask(GET, path, by=lost)).http == 401
    assert (await world.ask(GET, path, by=said.data["token"])).http == 200
    assert (await world.ask(GET, path, by="e1")).http == 401


async def test_the_first_uses_of_a_new_token_may_come_all_at_once(world_on_both: World) -> None:
    world = world_on_both
    new = (await credentials_call(world, PUT, "e1", credentials(world.version, "NL*EEE"))).data["token"]
    said = await asyncio.gather(*(world.ask(GET, world.at("sender/locations"), by=new) for _ in range(10)))
    assert {(one.http, one.code) for one in said} == {(200, 1000)}
    assert [token.use for token in world.partner("e1").our_tokens] == [TokenUse.LIVE]


async def test_put_moves_the_partner_to_the_version_of_its_url(world: World) -> None:
    other = "2.3.0" if world.version != "2.3.0" else "2.2.1"
    said = await world.ask(PUT, f"/ocpi/{other}/credentials", by="e1", body=credentials(other, "NL*EEE"))
    assert said.code == 1000
    assert world.partner("e1").version == other
    assert all(other in endpoint.url for endpoint in world.partner("e1").endpoints)


async def test_a_rotation_keeps_what_is_known_of_the_partner(world: World) -> None:
    await world.registry.change("e1", lambda partner: partner.model_copy(update={"pulled": {"tokens": "2026"}}))
    said = await credentials_call(world, PUT, "e1", credentials(world.version, "NL*EEE"))
    assert said.code == 1000
    assert world.partner("e1").pulled == {"tokens": "2026"}


async def test_delete_ends_it_for_both_tokens_and_the_way_back_is_an_invitation(world_on_both: World) -> None:
    world = world_on_both
    new = (await credentials_call(world, PUT, "e1", credentials(world.version, "NL*EEE"))).data["token"]
    said = await credentials_call(world, DELETE, "e1")
    assert (said.http, said.code) == (200, 1000)
    partner = world.partner("e1")
    assert (partner.state, partner.their_token, partner.endpoints) == (State.UNREGISTERED, "", ())
    async with world.unchanged():
        for token in ("e1", new):
            for method, path in (
                (GET, "/ocpi/versions"),
                (GET, world.at("sender/locations")),
                (DELETE, world.at("credentials")),
            ):
                assert (await world.ask(method, path, by=token)).http == 401


async def test_two_posts_with_one_token_a_make_one_registration(world_on_both: World) -> None:
    world = world_on_both
    world.discovery.gate = asyncio.Event()
    body = credentials(world.version)
    posts = [asyncio.create_task(credentials_call(world, POST, "a", body)) for _ in range(4)]
    await until(lambda: len(world.discovery.asked) >= 4)
    world.discovery.gate.set()
    said = await asyncio.gather(*posts)
    assert sorted(one.http for one in said) == [200, 401, 401, 401]
    winner = next(one for one in said if one.http == 200)
    assert (await world.ask(GET, world.at("sender/locations"), by=winner.data["token"])).http == 200
    assert len(world.partner("a").our_tokens) == 1


async def test_a_slower_post_finds_token_a_consumed(world: World) -> None:
    """The second one looked, waited for the partner, and comes back after the first has registered."""
    world.discovery.gate = asyncio.Event()
    slow = asyncio.create_task(credentials_call(world, POST, "a", credentials(world.version, token="slow")))
    await until(lambda: world.discovery.asked)
    gate, world.discovery.gate = world.discovery.gate, None
    quick = await registered(world)
    gate.set()
    assert (await slow).http == 401
    assert (await world.ask(GET, world.at("sender/locations"), by=quick)).http == 200


async def test_one_party_cannot_be_registered_twice_at_the_same_time(world: World) -> None:
    invited = world.partner("a")
    await world.join("b", "NL*AAA", PartyRole.EMSP, state=State.INVITED, use=TokenUse.REGISTRATION)
    assert world.partner("b").invited == invited.invited
    world.discovery.gate = asyncio.Event()
    body = credentials(world.version)
    posts = [asyncio.create_task(credentials_call(world, POST, by, body)) for by in ("a", "b")]
    await until(lambda: len(world.discovery.asked) >= 2)
    world.discovery.gate.set()
    said = await asyncio.gather(*posts)
    assert sorted(one.code for one in said) == [1000, 2001]
    assert len([p for p in world.registry.connected() if "NL*AAA" in p.parties]) == 1


async def test_a_partner_blocked_during_its_call_backs_stays_blocked(world: World) -> None:
    world.discovery.gate = asyncio.Event()
    put = asyncio.create_task(credentials_call(world, PUT, "e1", credentials(world.version, "NL*EEE")))
    await until(lambda: world.discovery.asked)
    await world.registry.change("e1", lambda partner: partner.model_copy(update={"state": State.BLOCKED}))
    world.discovery.gate.set()
    assert (await put).http == 401
    assert world.partner("e1").state is State.BLOCKED


async def test_a_write_from_elsewhere_is_not_lost_in_a_rotation(world: World) -> None:
    """Another process wrote the partner: what we hold of it is old, and the rotation is decided again."""
    moved = world.partner("e1").model_copy(update={"pulled": {"tokens": "elsewhere"}})
    known = next(d for d in await world.documents(PARTNERS) if d.key == "e1")
    unit = world.registry.unit(moved)
    put = unit.writes[0]
    assert isinstance(put, Put)
    await world.store.commit(unit)
    assert known.version == put.expect
    said = await credentials_call(world, PUT, "e1", credentials(world.version, "NL*EEE"))
    assert said.code == 1000
    assert world.partner("e1").pulled == {"tokens": "elsewhere"}


async def test_registrations_outlive_a_restart(database_url: str) -> None:
    async with a_world(database_url) as world:
        new = await registered(world)
        rotated = (await credentials_call(world, PUT, "e1", credentials("2.2.1", "NL*EEE"))).data["token"]
    async with a_world(database_url) as world:
        for token, http in ((new, 200), ("e1", 200), (rotated, 200), ("e1", 401), ("a", 401), ("p", 401)):
            assert (await world.ask(GET, world.at("sender/locations"), by=token)).http == http, token


async def test_a_token_a_that_has_an_end_is_refused_after_it(world: World) -> None:
    def ending(partner: Any) -> Any:
        (token,) = partner.our_tokens
        return partner.model_copy(update={"our_tokens": (token.model_copy(update={"until": NOW.replace(hour=11)}),)})

    await world.registry.change("a", ending)
    assert (await world.ask(GET, "/ocpi/versions", by="a")).http == 200
    world.clock.move_to(3600)
    assert (await world.ask(GET, "/ocpi/versions", by="a")).http == 401


def triples(tree: Any) -> list[str]:
    return [f"{role['role']} {role['country_code']}*{role['party_id']}" for role in tree["roles"]]


async def test_we_are_a_cpo_and_a_hub_in_the_words_of_each_version(version: str, sqlite_url: str) -> None:
    async with a_world(sqlite_url, version, hub_party="DE*HUB") as world:
        shown = {by: (await credentials_call(world, GET, by)).data for by in ("e1", "c1")}
        if version == "2.1.1":
            assert {f"{tree['country_code']}*{tree['party_id']}" for tree in shown.values()} == {"DE*BSB"}
            assert shown["c1"]["url"].endswith("/ocpi/emsp/versions")
        elif version == "2.2.1":
            assert triples(shown["e1"]) == triples(shown["c1"]) == ["CPO DE*BSB", "HUB DE*HUB"]
        else:
            assert shown["e1"]["hub_party_id"] == "DEHUB"
            assert triples(shown["e1"]) == ["CPO DE*BSB", "CPO BE*AAA", "CPO BE*BBB"]
            assert triples(shown["c1"]) == ["CPO DE*BSB", "EMSP NL*EEE", "EMSP NL*FFF"]


@pytest.mark.parametrize(("role", "position"), [("CPO", "emsp"), ("EMSP", "cpo")])
async def test_a_partner_of_211_is_given_the_position_of_the_other_side(
    sqlite_url: str, role: str, position: str
) -> None:
    """When it registers, when it rotates and when it asks; and so are those whom we register with or rotate at."""
    async with a_world(sqlite_url, "2.1.1") as world:
        await world.join("new", "NL*NEW", PartyRole(role), state=State.INVITED, use=TokenUse.REGISTRATION)
        mine = credentials("2.1.1", "NL*NEW")
        world.discovery.found = Found("2.1.1", endpoints("2.1.1", cpo=role == "CPO"), "raw")
        expected, by = f"/ocpi/{position}/versions", "new"
        for method, body in ((POST, mine), (PUT, mine), (GET, None)):
            said = await credentials_call(world, method, by, body)
            assert (said.code, said.data["url"].endswith(expected)) == (1000, True), method
            by = said.data["token"]
        given = service.ours(world.hub, world.partner("new"), "token", "2.1.1")
        assert str(given["url"]).endswith(expected)


async def test_2_3_0_lists_only_whom_the_partner_has_to_do_with(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.3.0") as world:
        await world.hub.agreements.put(Agreement(viewer="e1", owner="BE*AAA", allow=False), actor="ops")
        assert triples((await credentials_call(world, GET, "e1")).data) == ["CPO DE*BSB", "CPO BE*BBB"]


async def test_a_payment_provider_is_ptp_only_to_who_has_the_payments_edition(sqlite_url: str) -> None:
    """types_role_enum is closed and has no PTP; that edition alone knows the word."""
    async with a_world(sqlite_url, "2.3.0") as world:
        core = tuple(endpoint for endpoint in world.partner("c1").endpoints if endpoint.identifier != "payments")
        await world.registry.save(world.partner("c1").model_copy(update={"endpoints": core}))
        await world.join("t", "NL*PTP", PartyRole.PTP)
        usual = ["CPO DE*BSB", "EMSP NL*EEE", "EMSP NL*FFF"]
        assert triples((await credentials_call(world, GET, "c2")).data) == [*usual, "PTP NL*PTP"]
        assert triples((await credentials_call(world, GET, "c1")).data) == [*usual, "OTHER NL*PTP"]
        assert triples((await credentials_call(world, GET, "t")).data) == ["CPO DE*BSB", "CPO BE*AAA", "CPO BE*BBB"]


async def test_a_connection_of_221_that_stands_for_a_payment_provider_reads_other(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.2.1") as world:
        await world.join("t", "NL*PTP", PartyRole.PTP, version="2.3.0")
        await world.registry.save(world.partner("c1").model_copy(update={"represents": "NL*PTP"}))
        assert triples((await credentials_call(world, GET, "c1")).data) == ["OTHER NL*PTP"]


async def test_a_platform_may_speak_for_several_parties_in_several_roles(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.2.1") as world:
        claims = [("CPO", "NL*AAA"), ("EMSP", "NL*AAA"), ("EMSP", "BE*ZZZ")]
        invited = tuple(Claim(role=PartyRole(role), party=Party.parse(party)) for role, party in claims)
        await world.registry.save(world.partner("a").model_copy(update={"invited": invited}))
        body = credentials("2.2.1")
        body["roles"] = [credentials("2.2.1", party, role=role)["roles"][0] for role, party in claims]
        assert (await credentials_call(world, POST, "a", body)).code == 1000
        agreements, partner = world.hub.agreements, world.partner("a")
        assert agreements.owners(world.partner("e1"), "locations") == ("BE*AAA", "BE*BBB", "DE*BSB", "NL*AAA")
        assert agreements.owners(partner, "locations") == ("BE*AAA", "BE*BBB", "DE*BSB")
        assert agreements.owners(partner, "tokens") == ("DE*BSB", "NL*EEE", "NL*FFF")


async def test_each_connection_that_stands_for_a_party_shows_that_party(sqlite_url: str) -> None:
    """A 2.1.1 eMSP that cannot have several parties on one connection has one for each."""
    async with a_world(sqlite_url, "2.1.1") as world:
        for name, party in (("e-aaa", "BE*AAA"), ("e-bsb", "DE*BSB")):
            joined = await world.join(name, "NL*NEW", PartyRole.EMSP, state=State.INVITED, use=TokenUse.REGISTRATION)
            await world.registry.save(joined.model_copy(update={"represents": party}))
            said = await credentials_call(world, POST, name, credentials("2.1.1", "NL*NEW"))
            assert (said.code, f"{said.data['country_code']}*{said.data['party_id']}") == (1000, party)
        third = await world.join("e-two", "NL*NEW", PartyRole.EMSP, state=State.INVITED, use=TokenUse.REGISTRATION)
        async with world.unchanged():
            assert (await credentials_call(world, POST, third.name, credentials("2.1.1", "NL*NEW"))).code == 2001
        holders = {
            behind: world.registry.holder_of(Party("NL", "NEW"), (PartyRole.EMSP,), behind=behind)
            for behind in ("BE*AAA", "DE*BSB", "BE*BBB", "")
        }
        assert {b: held and held.name for b, held in holders.items()} == {
            "BE*AAA": "e-aaa", "DE*BSB": "e-bsb", "BE*BBB": None, "": "e-aaa"}  # fmt: skip
