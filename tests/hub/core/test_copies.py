"""What its owner sends to all and to single parties as well: each party has one of it, the newest that it may have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.core.addressed import ADDRESSED
from hub.core.delivery import Lanes
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim
from modules import publications
from modules.locations.store import LOCATIONS
from modules.tariffs.store import TARIFFS
from modules.tokens.authorize import authorize
from modules.tokens.store import TOKENS
from partners.ocpp.care.list_entries import whitelisted
from tests.world import NOW, OURS, Said, World, a_world, their_location, their_tariff, token, until

LOCATION = "receiver/locations/BE/AAA/X1"
TARIFF = "receiver/tariffs/BE/AAA/T9"
CARD = "receiver/tokens/NL/EEE/CARD1"


def to(party: str) -> list[tuple[str, str]]:
    country, party_id = party.split("*")
    return [("OCPI-to-country-code", country), ("OCPI-to-party-id", party_id)]


def moment(minute: int) -> str:
    return (NOW + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Copies:
    """C1 (BE*AAA) sends X1, T9 to all or by name; E1 (NL*EEE) its CARD1. Times are minutes after NOW."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lanes = Lanes(world.hub, publications())

    async def location(self, name: str, minute: int, party: str = "", **fields: Any) -> Said:
        body = their_location("2.2.1", at=NOW + timedelta(minutes=minute), name=name, **fields)
        return await self._send("PUT", LOCATION, body, party)

    async def tariff(self, price: str, minute: int, party: str = "") -> Said:
        return await self._send(
            "PUT", TARIFF, their_tariff("2.2.1", price=price, at=NOW + timedelta(minutes=minute)), party
        )

    async def card(self, issuer: str, minute: int, party: str = "", **fields: Any) -> Said:
        body = token("2.2.1", issuer=issuer, last_updated=moment(minute), **fields)
        return await self._send("PUT", CARD, body, party, by="e1")

    async def patch(self, path: str, minute: int, party: str = "", *, by: str = "c1", **part: Any) -> Said:
        return await self._send("PATCH", path, {**part, "last_updated": moment(minute)}, party, by=by)

    async def withdraw(self, party: str = "") -> Said:
        return await self._send("DELETE", TARIFF, None, party)

    async def _send(self, method: str, path: str, body: Any, party: str, *, by: str = "c1") -> Said:
        headers = to(party) if party else []
        said = await self.world.ask(method, self.world.at(path), by=by, body=body, headers=headers)
        assert said.code == 1000, said.message
        return said

    async def listed(self, by: str, module: str = "locations", query: str = "") -> list[Any]:
        said = await self.world.ask("GET", self.world.at(f"sender/{module}{query}"), by=by)
        assert said.code == 1000, said.message
        return list(said.data)

    async def names(self, by: str, query: str = "") -> list[str]:
        """Of the locations of others, in lists; that of each alone is the same."""
        listed = [each for each in await self.listed(by, query=query) if each["party_id"] != "BSB"]
        for each in listed:
            alone = await self.world.ask("GET", self.world.at(f"sender/locations/{each['id']}"), by=by)
            assert alone.data == each
            evse = await self.world.ask("GET", self.world.at(f"sender/locations/{each['id']}/E1"), by=by)
            assert evse.data == each["evses"][0]
        return [each["name"] for each in listed]

    async def prices(self, by: str) -> list[float]:
        listed = [each for each in await self.listed(by, "tariffs") if each["party_id"] != "BSB"]
        return [each["elements"][0]["price_components"][0]["price"] for each in listed]

    async def settled(self) -> None:
        lanes = [self.lanes.find(partner.name) for partner in self.world.registry.connected()]
        last = await self.world.store.last_change()
        await until(
            lambda: all(lane and lane.read_to >= last and not lane.waiting and not lane.unsaved for lane in lanes)
        )

    async def by_lane(self) -> None:
        """Run the lanes from here on."""
        self.lanes.start()
        await self.settled()
        self.world.peers.sent.clear()

    async def brought(self, name: str) -> list[tuple[str, Any]]:
        """What a partner was sent since it was asked last: the method and the body."""
        await self.settled()
        sent = [(each.method, each.body) for each in self.world.peers.sent if each.partner == name]
        self.world.peers.sent.clear()
        return sent


@pytest.fixture
async def copies(database_url: str) -> AsyncIterator[Copies]:
    async with a_world(database_url) as world:
        made = Copies(world)
        yield made
        await made.lanes.stop()


async def test_each_party_has_the_newest_copy_once_in_lists_and_alone(copies: Copies) -> None:
    await copies.location("for all", 0)
    await copies.location("for E", 1, "NL*EEE")
    for _ in range(2):
        assert await copies.names("e1") == ["for E"]
        assert await copies.names("e2") == ["for all"]
    await copies.location("for all again", 2)
    for _ in range(2):
        assert await copies.names("e1") == await copies.names("e2") == ["for all again"]


async def test_of_two_copies_of_one_time_the_one_by_name_counts_whichever_came_first(copies: Copies) -> None:
    await copies.location("for all", 1)
    await copies.location("for E", 1, "NL*EEE")
    assert await copies.names("e1") == ["for E"]
    await copies.location("for F", 1, "NL*FFF")
    assert await copies.names("e2") == ["for F"]


async def test_a_platform_of_two_parties_has_the_newest_of_the_copies_for_either(copies: Copies) -> None:
    world = copies.world
    both = tuple(Claim(role=PartyRole.EMSP, party=Party.parse(party)) for party in ("NL*EEE", "NL*GGG"))
    await world.registry.save(world.partner("e1").model_copy(update={"claims": both}))
    for minute, (name, party) in enumerate((("all", ""), ("E", "NL*EEE"), ("G", "NL*GGG"), ("E2", "NL*EEE"))):
        await copies.location(name, minute, party)
        assert await copies.names("e1") == [name]
    assert len(await world.documents(LOCATIONS)) == 4


async def test_pages_counts_and_links_count_each_object_once(copies: Copies) -> None:
    world = copies.world
    for number in range(1, 6):
        for party in ("", "NL*EEE", "NL*FFF")[: 1 + number % 3]:
            path = f"receiver/locations/BE/AAA/Y{number}"
            body = their_location("2.2.1", location_id=f"Y{number}", at=NOW + timedelta(minutes=bool(party)))
            await world.ask("PUT", world.at(path), by="c1", body=body, headers=to(party) if party else [])
    for by in ("e1", "e2", "e1"):
        path, seen = world.at("sender/locations?limit=2"), []
        while path:
            said = await world.ask("GET", path, by=by)
            assert said.headers["x-total-count"] == "6"
            seen += [each["id"] for each in said.data]
            link = said.headers.get("link", "")
            path = link.partition(">")[0].removeprefix("<https://busbar.example")
        assert seen == ["LOC1", "Y1", "Y2", "Y3", "Y4", "Y5"]


async def test_an_object_keeps_its_place_whichever_copy_counts_so_that_a_crawl_misses_none(copies: Copies) -> None:
    world = copies.world
    await copies.location("for all", 0)
    for number in range(4):
        body = their_location("2.2.1", location_id=f"Y{number}", name=f"Y{number}")
        await world.ask("PUT", world.at(f"receiver/locations/BE/AAA/Y{number}"), by="c1", body=body)
    await copies.location("for E", 1, "NL*EEE")
    assert await copies.names("e1") == ["for E", "Y0", "Y1", "Y2", "Y3"]
    first = await copies.listed("e1", query="?limit=3")
    await copies.location("for all again", 2)
    rest = await copies.listed("e1", query="?limit=3&offset=3")
    assert [each["id"] for each in (*first, *rest)] == ["LOC1", "X1", "Y0", "Y1", "Y2", "Y3"]
    assert await copies.names("e1") == ["for all again", "Y0", "Y1", "Y2", "Y3"]


async def test_between_two_dates_the_time_of_the_copy_that_counts_decides(copies: Copies) -> None:
    await copies.location("for all", 10)
    await copies.location("for E", 30, "NL*EEE")
    window = f"?date_from={moment(5)}&date_to={moment(20)}"
    assert await copies.names("e1", window) == []
    assert await copies.names("e2", window) == ["for all"]
    assert await copies.names("e1", f"?date_from={moment(25)}") == ["for E"]
    await copies.location("for all again", 40)
    assert await copies.names("e1", f"?date_from={moment(25)}&date_to={moment(35)}") == []
    assert await copies.names("e1", f"?date_from={moment(25)}") == ["for all again"]


async def test_what_the_newest_copy_hides_from_a_version_an_older_one_does_not_show_it(database_url: str) -> None:
    async with a_world(database_url) as world:
        await world.join("old", "NL*OLD", PartyRole.EMSP, version="2.1.1")
        copies = Copies(world)
        await copies.location("for O", 0, "NL*OLD")
        await copies.location("for all", 1, publish=False)
        said = await world.ask("GET", "/ocpi/2.1.1/sender/locations", by="old")
        assert ([each["id"] for each in said.data], said.headers["x-total-count"]) == (["LOC1"], "1")
        assert (await world.ask("GET", "/ocpi/2.1.1/sender/locations/X1", by="old")).http == 404
        await copies.location("for all", 2)
        said = await world.ask("GET", "/ocpi/2.1.1/sender/locations", by="old")
        assert ([each["id"] for each in said.data], said.headers["x-total-count"]) == (["LOC1", "X1"], "2")


async def test_a_change_of_the_copy_that_counts_is_in_the_next_answer(copies: Copies) -> None:
    await copies.location("for all", 0)
    await copies.location("for E", 1, "NL*EEE")
    assert await copies.names("e1") == ["for E"]
    await copies.patch(LOCATION, 2, "NL*EEE", name="for E again")
    assert (await copies.names("e1"), await copies.names("e2")) == (["for E again"], ["for all"])
    await copies.patch(LOCATION, 3, name="for all again")
    assert await copies.names("e1") == await copies.names("e2") == ["for all again"]


async def test_a_part_by_name_is_of_what_the_party_has_though_that_went_to_all(copies: Copies) -> None:
    await copies.location("for E", 0, "NL*EEE", address="Old street 1")
    await copies.location("for all", 1, address="New street 1")
    await copies.patch(f"{LOCATION}/E1", 2, "NL*EEE", status="CHARGING")
    (theirs,) = [each for each in await copies.listed("e1") if each["id"] == "X1"]
    assert (theirs["name"], theirs["address"], theirs["evses"][0]["status"]) == ("for all", "New street 1", "CHARGING")
    (others,) = [each for each in await copies.listed("e2") if each["id"] == "X1"]
    assert others["evses"][0]["status"] != "CHARGING"


async def test_a_lane_brings_the_whole_where_the_party_had_another_copy_and_nothing_older(copies: Copies) -> None:
    await copies.location("for all", 0)
    await copies.location("for E", 2, "NL*EEE")
    await copies.by_lane()
    await copies.patch(f"{LOCATION}/E1", 1, status="BLOCKED")
    assert await copies.brought("e1") == []
    await copies.patch(f"{LOCATION}/E1", 3, status="CHARGING")
    ((method, body),) = await copies.brought("e1")
    assert (method, body["name"], body["evses"][0]["status"]) == ("PUT", "for all", "CHARGING")
    assert await copies.names("e1") == ["for all"]
    await copies.patch(f"{LOCATION}/E1", 4, status="AVAILABLE")
    assert [method for method, _ in await copies.brought("e2")] == ["PATCH"]


async def test_who_never_had_another_copy_still_gets_parts(copies: Copies) -> None:
    await copies.location("for all", 0)
    await copies.location("for E", 0, "NL*EEE")
    await copies.by_lane()
    await copies.patch(f"{LOCATION}/E1", 1, status="CHARGING")
    assert [method for method, _ in await copies.brought("e2")] == ["PATCH"]


async def test_of_a_tariff_that_is_withdrawn_by_name_the_party_gets_and_lists_that_for_all(copies: Copies) -> None:
    await copies.tariff("0.40", 0)
    await copies.tariff("0.30", 1, "NL*EEE")
    assert (await copies.prices("e1"), await copies.prices("e2")) == ([0.3], [0.4])
    await copies.by_lane()
    await copies.withdraw("NL*EEE")
    assert [method for method, _ in await copies.brought("e1")] == ["DELETE", "PUT"]
    assert await copies.prices("e1") == await copies.prices("e2") == [0.4]
    await copies.withdraw()
    assert await copies.brought("e1") == [("DELETE", None)]
    assert await copies.prices("e1") == await copies.prices("e2") == []


async def test_of_a_tariff_that_is_withdrawn_from_all_the_party_keeps_its_own(copies: Copies) -> None:
    await copies.tariff("0.30", 0, "NL*EEE")
    await copies.tariff("0.40", 1)
    assert await copies.prices("e1") == [0.4]
    await copies.by_lane()
    await copies.withdraw()
    ((method, body),) = await copies.brought("e1")
    assert (method, body["elements"][0]["price_components"][0]["price"]) == ("PUT", Decimal("0.30"))
    assert (await copies.prices("e1"), await copies.prices("e2")) == ([0.3], [])
    await copies.withdraw("NL*EEE")
    assert await copies.brought("e1") == [("DELETE", None)]
    assert await copies.prices("e1") == []
    assert await copies.world.documents(TARIFFS) != []


async def test_tokens_are_had_once_too_in_lists_by_lanes_and_when_they_are_asked_about(copies: Copies) -> None:
    world = copies.world
    await copies.card("for all", 0, whitelist="ALWAYS")
    await copies.card("for A", 1, "BE*AAA", whitelist="ALWAYS")
    for by, issuer in (("c1", "for A"), ("c2", "for all")):
        listed = [each["issuer"] for each in await copies.listed(by, "tokens") if each["uid"] == "CARD1"]
        said = await world.ask("POST", world.at("sender/tokens/CARD1/authorize"), by=by)
        assert (listed, said.data["token"]["issuer"]) == ([issuer], issuer)
    await copies.by_lane()
    await copies.patch(CARD, 2, by="e1", issuer="for all again")
    assert [body["issuer"] for _, body in await copies.brought("c1")] == ["for all again"]
    for by in ("c1", "c2"):
        listed = [each["issuer"] for each in await copies.listed(by, "tokens") if each["uid"] == "CARD1"]
        said = await world.ask("POST", world.at("sender/tokens/CARD1/authorize"), by=by)
        assert (listed, said.data["token"]["issuer"]) == (["for all again"], "for all again")
    await copies.patch(CARD, 3, "BE*AAA", by="e1", valid=False)
    said = await world.ask("POST", world.at("sender/tokens/CARD1/authorize"), by="c1")
    assert (said.data["allowed"], said.data["token"]["issuer"]) == ("BLOCKED", "for all again")


async def test_who_has_nothing_by_name_shares_the_pages_of_all_others(copies: Copies) -> None:
    world = copies.world
    await copies.location("for F", 0, "NL*FFF")
    await copies.card("for B", 0, "BE*BBB")
    assert {each.key for each in await world.documents(ADDRESSED)} == {"locations/NL*FFF"}
    addressed, e1, c1 = world.hub.addressed, world.partner("e1"), world.partner("c1")
    assert await addressed.audiences(e1, "locations") == ("",)
    assert await addressed.audiences_in(TOKENS, c1) == ("",)
    assert await addressed.audiences_in(TOKENS, world.partner("c2")) == ("", "BE*BBB")


async def test_a_card_for_our_own_chargers_is_what_its_newest_copy_says(sqlite_url: str) -> None:
    async with a_world(sqlite_url, hub_party="DE*HUB") as world:
        copies = Copies(world)
        await copies.card("for us", 0, str(OURS))
        await copies.card("for all", 1, valid=False)
        assert await whitelisted(world.hub) == []
        decision = await authorize(world.hub, "CARD1", None, at="CP1")
        assert (decision.accepted, decision.token and decision.token["issuer"]) == (False, "for all")
        await copies.card("for us again", 2, str(OURS))
        assert [each.uid for each in await whitelisted(world.hub)] == ["CARD1"]
        assert (await authorize(world.hub, "CARD1", None, at="CP1")).accepted
