"""Who is connected: our list as partners pull it, and what other hubs tell us. OCPI mod_hub_client_info."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.behind import BEHIND
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim
from modules.hubclientinfo import service
from modules.hubclientinfo.roster import standings
from tests.world import BASE, World

LIST = "sender/hubclientinfo"
AT = "receiver/hubclientinfo/FR/BHD"


@pytest.fixture(params=["2.2.1", "2.3.0"])
def version(request: pytest.FixtureRequest) -> str:
    """Those that have the module."""
    return str(request.param)


@pytest.fixture
async def world(world: World) -> World:
    """The usual partners, each written down, and the hub h, which speaks for FR*BHD too."""
    hub = await world.join("h", "FR*HUB", PartyRole.HUB)
    behind = Claim(role=PartyRole.EMSP, party=Party.parse("FR*BHD"))
    await world.registry.save(hub.model_copy(update={"claims": (*hub.claims, behind)}))
    await keep(world)
    return world


async def keep(world: World) -> None:
    await service.keep(world.hub, standings(world.hub))


def info(status: str = "CONNECTED", **fields: Any) -> dict[str, Any]:
    about = {"country_code": "FR", "party_id": "BHD", "role": "EMSP", "status": status}
    return {**about, "last_updated": "2026-05-04T10:00:00Z", **fields}


async def listed(world: World, by: str, query: str = "") -> list[tuple[str, str, str]]:
    said = await world.ask("GET", world.at(LIST) + query, by=by)
    assert (said.http, said.code) == (200, 1000)
    return sorted((f"{each['country_code']}*{each['party_id']}", each["role"], each["status"]) for each in said.data)


async def test_a_party_sees_those_it_can_communicate_with_and_not_itself(world: World) -> None:
    assert await listed(world, "e1") == [
        ("BE*AAA", "CPO", "CONNECTED"),
        ("BE*BBB", "CPO", "CONNECTED"),
        ("DE*BSB", "CPO", "CONNECTED"),
    ]
    hub = "HUB" if world.version == "2.2.1" else "OTHER"
    assert await listed(world, "c1") == [
        ("FR*BHD", "EMSP", "CONNECTED"),
        ("FR*HUB", hub, "CONNECTED"),
        ("NL*AAA", "EMSP", "PLANNED"),
        ("NL*EEE", "EMSP", "CONNECTED"),
        ("NL*FFF", "EMSP", "CONNECTED"),
        ("NL*PPP", "EMSP", "SUSPENDED"),
    ]


async def test_an_agreement_decides_who_is_seen_at_once(world: World) -> None:
    assert ("BE*AAA", "CPO", "CONNECTED") in await listed(world, "e1")
    await world.hub.agreements.put(Agreement(viewer="e1", owner="BE*AAA", allow=False), actor="ops")
    assert ("BE*AAA", "CPO", "CONNECTED") not in await listed(world, "e1")
    assert ("BE*AAA", "CPO", "CONNECTED") in await listed(world, "e2")


async def test_the_list_has_pages_and_can_be_asked_for_what_changed(world: World) -> None:
    said = await world.ask("GET", world.at(f"{LIST}?limit=2"), by="c1")
    assert (len(said.data), said.headers["x-total-count"]) == (2, "6")
    assert said.headers["link"].startswith(f"<{BASE}{world.at(LIST)}?offset=2&limit=2&position=")
    world.clock.move_to(60)
    for _ in range(2):
        world.hub.pulses.missed("e1", "no connection")
    await keep(world)
    changed = "?date_from=2026-05-04T10:01:00Z"
    assert await listed(world, "c1", changed) == [("NL*EEE", "EMSP", "OFFLINE")]
    assert ("NL*EEE", "EMSP", "OFFLINE") not in await listed(world, "c1", "?date_to=2026-05-04T10:01:00Z")


async def test_the_list_has_no_objects_below_it_and_nothing_is_written_there(world: World) -> None:
    async with world.unchanged():
        assert (await world.ask("GET", world.at(f"{LIST}/NL/EEE"), by="c1")).http == 404
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert (await world.ask(method, world.at(LIST), by="c1", body=info())).http == 405
        for method in ("POST", "PATCH", "DELETE"):
            assert (await world.ask(method, world.at(AT), by="h", body=info())).http == 405


async def test_routing_headers_mean_nothing_here(world: World) -> None:
    strange = [("OCPI-to-country-code", "XX"), ("OCPI-to-party-id", "XXX"), ("OCPI-from-country-code", "?")]
    said = await world.ask("GET", world.at(LIST), by="e1", headers=strange)
    assert (said.http, said.code) == (200, 1000)
    assert not any(name.startswith("ocpi-") for name in said.headers)


async def test_what_a_hub_tells_is_kept_and_shown_to_it_as_it_was_told(world: World) -> None:
    assert (await world.ask("GET", world.at(AT), by="h")).http == 404
    told = info("OFFLINE", x_vendor="kept")
    assert (await world.ask("PUT", world.at(AT), by="h", body=told)).http == 201
    said = await world.ask("GET", world.at(AT.replace("FR/BHD", "fr/bhd")), by="h")
    assert said.data == told
    later = info(last_updated="2026-05-04T10:00:01Z")
    assert (await world.ask("PUT", world.at(AT), by="h", body=later)).http == 200


async def test_what_a_hub_tells_is_passed_on_in_our_list(world: World) -> None:
    await world.ask("PUT", world.at(AT), by="h", body=info("OFFLINE"))
    await keep(world)
    assert ("FR*BHD", "EMSP", "OFFLINE") in await listed(world, "c1")


async def test_an_older_word_changes_nothing_and_is_no_error(world: World) -> None:
    await world.ask("PUT", world.at(AT), by="h", body=info("OFFLINE"))
    async with world.unchanged():
        older = await world.ask("PUT", world.at(AT), by="h", body=info(last_updated="2026-05-04T09:59:59Z"))
        assert (older.http, older.code) == (200, 1000)
        again = await world.ask("PUT", world.at(AT), by="h", body=info("OFFLINE"))
        assert (again.http, again.code) == (200, 1000)


async def test_a_word_without_a_time_is_of_when_it_came(world: World) -> None:
    """So stands the example of the PUT (mod_hub_client_info_client_put)."""
    without = {name: value for name, value in info("PLANNED").items() if name != "last_updated"}
    assert (await world.ask("PUT", world.at(AT), by="h", body=without)).http == 201
    assert (await world.ask("GET", world.at(AT), by="h")).data == {**without, "last_updated": "2026-05-04T10:00:00Z"}
    world.clock.move_to(60)
    async with world.unchanged():
        assert (await world.ask("PUT", world.at(AT), by="h", body={**without, "last_updated": None})).code == 1000
    assert (await world.ask("PUT", world.at(AT), by="h", body={**without, "status": "OFFLINE"})).code == 1000
    shown = (await world.ask("GET", world.at(AT), by="h")).data
    assert (shown["status"], shown["last_updated"]) == ("OFFLINE", "2026-05-04T10:01:00Z")


async def test_a_word_without_a_time_outranks_one_of_a_clock_ahead(world: World) -> None:
    await world.ask("PUT", world.at(AT), by="h", body=info(last_updated="2026-05-04T10:00:30Z"))
    without = {name: value for name, value in info("SUSPENDED").items() if name != "last_updated"}
    assert (await world.ask("PUT", world.at(AT), by="h", body=without)).code == 1000
    assert (await world.ask("GET", world.at(AT), by="h")).data["status"] == "SUSPENDED"


async def test_a_role_of_221_alone_comes_back_as_it_was_told(world: World) -> None:
    said = await world.ask("PUT", world.at(AT), by="h", body=info(role="HUB"))
    if world.version == "2.3.0":
        assert (said.http, said.code) == (200, 2001)
    else:
        assert (await world.ask("GET", world.at(AT), by="h")).data["role"] == "HUB"


@pytest.mark.parametrize(
    "fields",
    [
        {"party_id": "OTH"},
        {"party_id": "TOOLONG"},
        {"country_code": 7},
        {"role": "BAKER"},
        {"status": "ASLEEP"},
        {"status": None},
        {"last_updated": "yesterday"},
    ],
)
async def test_what_is_no_client_info_of_that_party_is_refused_without_effect(world: World, fields: Any) -> None:
    async with world.unchanged():
        said = await world.ask("PUT", world.at(AT), by="h", body=info(**fields))
        assert (said.http, said.code) == (200, 2001)


@pytest.mark.parametrize("place", ["FR/TOOLONG", "F1/BHD", "FR/B%20D", "%2A/BHD"])
async def test_a_url_that_names_no_party_is_refused_without_effect(world: World, place: str) -> None:
    async with world.unchanged():
        for method, body in (("PUT", info()), ("GET", None)):
            said = await world.ask(method, world.at(f"receiver/hubclientinfo/{place}"), by="h", body=body)
            assert (said.http, said.code) == (200, 2001)


async def test_only_hubs_tell_of_others_and_each_sees_its_own_words_alone(world: World) -> None:
    await world.ask("PUT", world.at(AT), by="h", body=info("OFFLINE"))
    await world.join("h2", "IT*HUB", PartyRole.HUB)
    assert (await world.ask("GET", world.at(AT), by="h2")).http == 404
    assert (await world.ask("PUT", world.at(AT), by="h2", body=info())).http == 201
    assert (await world.ask("GET", world.at(AT), by="h")).data["status"] == "OFFLINE"
    assert {document.columns["partner"] for document in await world.documents(BEHIND)} == {"h", "h2"}
    async with world.unchanged():
        for by in ("e1", "c1"):
            for method, body in (("PUT", info()), ("GET", None)):
                said = await world.ask(method, world.at(AT), by=by, body=body)
                assert (said.http, said.code) == (403, 2000)


async def test_who_is_cut_off_from_its_hub_is_told_as_unreachable(world: World) -> None:
    """Status codes, Hub errors: 4003, before the hub behind us would have to say it."""
    to = [("OCPI-to-country-code", "FR"), ("OCPI-to-party-id", "BHD")]
    path = world.at("sender/tokens/CARD9/authorize")
    for second, status in enumerate(("OFFLINE", "SUSPENDED", "PLANNED")):
        told = info(status, last_updated=f"2026-05-04T10:00:0{second}Z")
        assert (await world.ask("PUT", world.at(AT), by="h", body=told)).code == 1000
        assert (await world.ask("POST", path, by="c1", headers=to)).code == 4003
        assert world.peers.to("h") == []
    await world.ask("PUT", world.at(AT), by="h", body=info(last_updated="2026-05-04T10:00:09Z"))
    await world.ask("POST", path, by="c1", headers=to)
    assert world.peers.to("h") == [("POST", "tokens", "CARD9/authorize")]
