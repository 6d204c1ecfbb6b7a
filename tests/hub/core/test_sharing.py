"""Who gets whose objects: in lists, one by one, and by the lanes; and what is addressed to one party alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.delivery import Lanes
from hub.core.parties import PartyRole
from hub.core.registry import State, TokenUse
from modules import publications
from tests.world import NOW, Said, World, a_world, their_location, their_tariff, until

LATER = NOW + timedelta(minutes=1)
MOMENT = "2026-05-04T10:01:00Z"


def to(party: str) -> list[tuple[str, str]]:
    country, party_id = party.split("*")
    return [("OCPI-to-country-code", country), ("OCPI-to-party-id", party_id)]


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """Two CPOs with a location and a tariff each, beside our own."""
    async with a_world(database_url) as made:
        for by, owner, location_id, tariff_id in (("c1", "BE*AAA", "X1", "T9"), ("c2", "BE*BBB", "Y1", "T8")):
            await push(made, by, "locations", their_location("2.2.1", owner, location_id))
            await push(made, by, "tariffs", their_tariff("2.2.1", owner, tariff_id))
        yield made


async def push(world: World, by: str, module: str, body: Any, *, for_party: str = "") -> Said:
    path = f"receiver/{module}/{body['country_code']}/{body['party_id']}/{body['id']}"
    said = await world.ask("PUT", world.at(path), by=by, body=body, headers=to(for_party) if for_party else [])
    assert said.code == 1000, said.message
    return said


async def listed(world: World, by: str, module: str = "locations", *, of: str = "") -> list[str]:
    said = await world.ask("GET", world.at(f"sender/{module}"), by=by, headers=to(of) if of else [])
    assert said.headers["x-total-count"] == str(len(said.data))
    return [each["id"] for each in said.data]


async def single(world: World, location_id: str, *, by: str = "e1", of: str = "", below: str = "") -> Said:
    path = world.at(f"sender/locations/{location_id}{below}")
    return await world.ask("GET", path, by=by, headers=to(of) if of else [])


async def test_a_list_holds_the_objects_of_all_that_the_caller_may_see_in_order_of_arrival(world: World) -> None:
    for by in ("e1", "e2", "e1"):
        assert await listed(world, by) == ["LOC1", "X1", "Y1"]
        assert await listed(world, by, "tariffs") == ["T1", "T9", "T8"]
    assert await listed(world, "c1") == []


async def test_the_owner_of_each_object_is_in_it(world: World) -> None:
    said = await world.ask("GET", world.at("sender/locations"), by="e1")
    assert [f"{each['country_code']}*{each['party_id']}" for each in said.data] == ["DE*BSB", "BE*AAA", "BE*BBB"]
    assert said.headers["ocpi-from-party-id"] == "BSB"


async def test_a_list_may_be_asked_of_one_party(world: World) -> None:
    assert await listed(world, "e1", of="BE*AAA") == ["X1"]
    said = await world.ask("GET", world.at("sender/locations"), by="e1", headers=to("NL*FFF"))
    assert said.code == 4001


async def test_an_agreement_takes_effect_at_once_also_on_kept_pages(world: World) -> None:
    for _ in range(3):
        assert await listed(world, "e1") == ["LOC1", "X1", "Y1"]
        assert (await single(world, "X1")).http == 200
    rule = Agreement(viewer="e1", owner="BE*AAA", allow=False)
    await world.hub.agreements.put(rule, actor="ops")
    assert await listed(world, "e1") == ["LOC1", "Y1"]
    assert (await single(world, "X1")).http == 404
    assert await listed(world, "e2") == ["LOC1", "X1", "Y1"]
    assert await listed(world, "e1", "tariffs") == ["T1", "T8"]
    await world.hub.agreements.remove(rule, actor="ops")
    assert await listed(world, "e1") == ["LOC1", "X1", "Y1"]


async def test_nothing_is_served_of_an_owner_that_is_blocked_until_it_is_back(world: World) -> None:
    assert (await single(world, "X1")).http == 200
    connected = world.partner("c1")
    await world.registry.save(connected.model_copy(update={"state": State.BLOCKED}))
    assert await listed(world, "e1") == ["LOC1", "Y1"]
    assert (await single(world, "X1")).http == 404
    await world.registry.save(connected)
    assert await listed(world, "e1") == ["LOC1", "X1", "Y1"]


async def test_one_object_is_found_by_its_id_and_answered_in_its_owners_name(world: World) -> None:
    for _ in range(2):
        for below in ("", "/E1", "/E1/1"):
            said = await single(world, "x1", below=below)
            assert (said.http, said.headers["ocpi-from-party-id"]) == (200, "AAA")
    assert (await single(world, "LOC1")).headers["ocpi-from-party-id"] == "BSB"
    assert (await single(world, "X1", by="c2")).http == 404
    assert (await single(world, "NOPE")).code == 2003


async def test_of_two_owners_with_one_id_the_caller_says_which(world: World) -> None:
    await push(world, "c2", "locations", their_location("2.2.1", "BE*BBB", "X1", name="Other"))
    said = await single(world, "X1")
    assert (said.http, said.code) == (200, 2001)
    assert (await single(world, "X1", of="BE*BBB")).data["name"] == "Other"
    assert (await single(world, "X1", of="BE*AAA")).data["name"] == "Rail"
    await push(world, "c1", "locations", their_location("2.2.1", "BE*AAA", "LOC1", name="Theirs"))
    assert (await single(world, "LOC1")).data["party_id"] == "BSB"


async def test_a_change_is_in_the_next_answer(world: World) -> None:
    await single(world, "X1")
    part = {"status": "CHARGING", "last_updated": MOMENT}
    await world.ask("PATCH", world.at("receiver/locations/BE/AAA/X1/E1"), by="c1", body=part)
    assert (await single(world, "X1", below="/E1")).data["status"] == "CHARGING"
    assert (await single(world, "X1")).data["evses"][0]["status"] == "CHARGING"


async def test_what_is_addressed_to_one_party_is_in_nobody_elses_list(world: World) -> None:
    await push(world, "c1", "locations", their_location("2.2.1", "BE*AAA", "P1"), for_party="NL*EEE")
    await push(world, "c1", "tariffs", their_tariff("2.2.1", "BE*AAA", "P9"), for_party="NL*EEE")
    for _ in range(2):
        assert await listed(world, "e1") == ["LOC1", "X1", "Y1", "P1"]
        assert await listed(world, "e2") == ["LOC1", "X1", "Y1"]
        assert await listed(world, "e1", "tariffs") == ["T1", "T9", "T8", "P9"]
        assert await listed(world, "e2", "tariffs") == ["T1", "T9", "T8"]
        assert (await single(world, "P1")).http == 200
        assert (await single(world, "P1", by="e2")).http == 404


async def test_a_cpo_may_address_the_same_location_to_each_of_its_emsps(world: World) -> None:
    for party, name in (("NL*EEE", "For E"), ("NL*FFF", "For F")):
        await push(world, "c1", "locations", their_location("2.2.1", "BE*AAA", "P1", name=name), for_party=party)
    assert (await single(world, "P1")).data["name"] == "For E"
    assert (await single(world, "P1", by="e2")).data["name"] == "For F"
    assert (await world.ask("GET", world.at("receiver/locations/BE/AAA/P1"), by="c1")).http == 404


@pytest.mark.parametrize(("party", "code"), [("NL*PPP", 4003), ("XX*XXX", 4001), ("BE*BBB", 4001)])
async def test_nothing_is_kept_for_a_party_that_cannot_be_reached(world: World, party: str, code: int) -> None:
    body = their_location("2.2.1", "BE*AAA", "P1")
    async with world.unchanged():
        path = world.at("receiver/locations/BE/AAA/P1")
        assert (await world.ask("PUT", path, by="c1", body=body, headers=to(party))).code == code


async def test_what_is_not_to_be_published_is_not_told_to_a_version_without_a_word_for_it(database_url: str) -> None:
    async with a_world(database_url) as world:
        await world.join("old", "NL*OLD", PartyRole.EMSP, version="2.1.1")
        await push(world, "c1", "locations", their_location("2.2.1", "BE*AAA", "X1", publish=False))
        said = await world.ask("GET", "/ocpi/2.1.1/sender/locations", by="old")
        assert [each["id"] for each in said.data] == ["LOC1"]
        assert (await world.ask("GET", "/ocpi/2.1.1/sender/locations/X1", by="old")).http == 404
        assert await listed(world, "e1") == ["LOC1", "X1"]


async def test_a_partner_of_211_gets_the_first_of_one_id_and_all_owners_in_its_list(database_url: str) -> None:
    async with a_world(database_url, "2.1.1") as world:
        for by, party, name in (("c1", "BE/AAA", "First"), ("c2", "BE/BBB", "Second")):
            body = their_location("2.1.1", location_id="X1", name=name)
            path = world.at(f"receiver/locations/{party}/X1")
            assert (await world.ask("PUT", path, by=by, body=body)).http == 201
        assert await listed(world, "e1") == ["LOC1", "X1", "X1"]
        assert (await single(world, "X1")).data["name"] == "First"


async def test_a_connection_for_one_party_lists_that_partys_objects_alone(database_url: str) -> None:
    async with a_world(database_url, "2.1.1") as world:
        body = their_location("2.1.1")
        await world.ask("PUT", world.at("receiver/locations/BE/AAA/X1"), by="c1", body=body)
        await world.registry.save(world.partner("e1").model_copy(update={"represents": "BE*AAA"}))
        assert await listed(world, "e1") == ["X1"]
        assert (await single(world, "LOC1")).http == 404


class Pushed:
    """What lanes send."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lanes = Lanes(world.hub, publications())

    def start(self) -> None:
        self.world.peers.sent.clear()
        self.lanes.start()

    async def settled(self) -> None:
        lanes = [self.lanes.find(p.name) for p in self.world.registry.connected()]
        last = await self.world.store.last_change()
        await until(
            lambda: all(lane and lane.read_to >= last and not lane.waiting and not lane.unsaved for lane in lanes)
        )

    def got(self, name: str) -> list[tuple[str, str, str]]:
        return self.world.peers.to(name)


@pytest.fixture
async def pushed(sqlite_url: str) -> AsyncIterator[Pushed]:
    """E1 speaks 2.2.1, `old` 2.1.1, `new` 2.3.0."""
    async with a_world(sqlite_url) as world:
        await world.join("old", "NL*OLD", PartyRole.EMSP, version="2.1.1", use=TokenUse.LIVE)
        await world.join("new", "NL*NEW", PartyRole.EMSP, version="2.3.0", use=TokenUse.LIVE)
        await push(world, "c1", "locations", their_location("2.2.1"))
        pushing = Pushed(world)
        pushing.start()
        await pushing.settled()
        world.peers.sent.clear()
        yield pushing
        await pushing.lanes.stop()


async def test_a_status_of_another_cpo_goes_to_each_emsp_in_its_version_and_not_back(pushed: Pushed) -> None:
    part = {"status": "CHARGING", "last_updated": MOMENT}
    await pushed.world.ask("PATCH", pushed.world.at("receiver/locations/BE/AAA/X1/E1"), by="c1", body=part)
    await pushed.settled()
    for name in ("e1", "e2", "old", "new"):
        assert pushed.got(name) == [("PATCH", "locations", "BE/AAA/X1/E1")]
    assert pushed.got("c1") == pushed.got("c2") == []
    for sent in pushed.world.peers.sent:
        assert (sent.sender, sent.to) == ("DE*BSB", "")
        assert (sent.body["status"], sent.body["last_updated"]) == ("CHARGING", MOMENT)


async def test_a_put_goes_in_the_words_of_each_version_with_the_owners_own_time(pushed: Pushed) -> None:
    await push(pushed.world, "c1", "locations", their_location("2.2.1", name="New", at=LATER))
    await pushed.settled()
    bodies = {sent.partner: sent.body for sent in pushed.world.peers.sent}
    assert set(bodies) == {"e1", "e2", "old", "new"}
    assert ("party_id" in bodies["old"], "party_id" in bodies["e1"]) == (False, True)
    assert {body["last_updated"] for body in bodies.values()} == {MOMENT}


async def test_a_tariff_that_is_withdrawn_is_withdrawn_from_all(pushed: Pushed) -> None:
    world = pushed.world
    await push(world, "c1", "tariffs", their_tariff("2.2.1"))
    await pushed.settled()
    await world.ask("DELETE", world.at("receiver/tariffs/BE/AAA/T9"), by="c1")
    await pushed.settled()
    for name in ("e1", "e2", "old", "new"):
        assert pushed.got(name) == [("PUT", "tariffs", "BE/AAA/T9"), ("DELETE", "tariffs", "BE/AAA/T9")]


async def test_who_may_not_see_it_is_not_told(pushed: Pushed) -> None:
    world = pushed.world
    await world.hub.agreements.put(Agreement(viewer="NL*EEE", owner="BE*AAA", allow=False), actor="ops")
    await push(world, "c1", "locations", their_location("2.2.1", name="New", at=LATER))
    await push(world, "c1", "tariffs", their_tariff("2.2.1"))
    await pushed.settled()
    assert pushed.got("e1") == []
    assert len(pushed.got("e2")) == 2


async def test_what_is_addressed_to_one_party_goes_to_it_alone_in_its_owners_name(pushed: Pushed) -> None:
    world = pushed.world
    await push(world, "c1", "locations", their_location("2.2.1", "BE*AAA", "P1"), for_party="NL*NEW")
    await push(world, "c1", "tariffs", their_tariff("2.2.1", "BE*AAA", "P9"), for_party="NL*NEW")
    part = {"status": "BLOCKED", "last_updated": MOMENT}
    path = world.at("receiver/locations/BE/AAA/P1/E1")
    assert (await world.ask("PATCH", path, by="c1", body=part, headers=to("NL*NEW"))).code == 1000
    await world.ask("DELETE", world.at("receiver/tariffs/BE/AAA/P9"), by="c1", headers=to("NL*NEW"))
    await pushed.settled()
    assert {sent.partner for sent in world.peers.sent} == {"new"}
    assert {sent.method for sent in world.peers.sent} >= {"PUT", "DELETE"}
    assert {(sent.sender, sent.to) for sent in world.peers.sent} == {("BE*AAA", "NL*NEW")}
