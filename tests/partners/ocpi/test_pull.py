"""Pulling partners' lists: pages by Link and by counting, bad objects, bad partners, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.core.clock import timestamp
from hub.core.errors import NotReady, PeerFault, PeerNonsense, PeerTimeout
from hub.core.inbound import encode
from hub.core.outbound import OutboundAnswer
from hub.core.own_ids import alias_of
from hub.core.ports import PeerAnswer
from hub.core.registry import Partner
from modules.locations.store import LOCATIONS
from modules.tariffs.store import TARIFFS
from modules.tokens.store import TOKENS
from partners.ocpi.peer import understood
from partners.ocpi.pull import Pulled, Puller
from partners.sandbox.emsp import Emsp
from tests.world import NOW, World, a_program, invited, their_location, their_tariff, token, until

BASE = "https://e1.example/ocpi"


class Pages:
    """A partner's token list, and how it shows it."""

    def __init__(
        self, version: str, tokens: list[Any], *, size: int = 2, link: bool = True, base: str | None = None
    ) -> None:
        self.base = base or f"{BASE}/{version}/tokens"
        self.tokens, self.size, self.link = tokens, size, link
        self.asked: list[dict[str, str]] = []
        self.faults: dict[int, Exception | PeerAnswer] = {}

    async def send(
        self, partner: Partner, method: str, module: str, side: Any, *, query: dict[str, str], known: Any
    ) -> PeerAnswer:
        return self._sent(self._page(query), known)

    async def get(self, partner: Partner, url: str, *, known: Any) -> PeerAnswer:
        assert url.startswith(self.base), url
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        return self._sent(self._page(query), known)

    def _sent(self, answer: PeerAnswer, known: Any) -> PeerAnswer:
        """As it comes over the network, each time at another time."""
        envelope = {"data": answer.data, "status_code": 1000, "timestamp": f"2026-05-04T10:00:{len(self.asked):02}Z"}
        return understood(OutboundAnswer(200, answer.headers, encode(envelope)), known)

    def _page(self, query: dict[str, str]) -> PeerAnswer:
        self.asked.append(query)
        fault = self.faults.get(len(self.asked))
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            return fault
        since = query.get("date_from", "")
        fitting = [t for t in self.tokens if not isinstance(t, dict) or t.get("last_updated", "") >= since]
        offset = int(query.get("offset", 0))
        headers = {"x-total-count": str(len(fitting)), "x-limit": str(self.size)}
        if self.link and offset + self.size < len(fitting):
            rest = f"&date_from={since}" if since else ""
            headers["link"] = f'<{self.base}?offset={offset + self.size}&limit={self.size}{rest}>; rel="next"'
        return PeerAnswer(200, 1000, fitting[offset : offset + self.size], headers)


def cards(version: str, count: int) -> list[Any]:
    return [token(version, uid=f"CARD{i}") for i in range(count)]


async def uids(world: World) -> set[str]:
    return {json.loads(document.body)["uid"] for document in await world.documents(TOKENS)}


@pytest.mark.parametrize("link", [True, False], ids=["by Link", "by counting"])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
async def test_every_page_is_taken(world: World, link: bool, count: int) -> None:
    pages = Pages(world.version, cards(world.version, count), link=link)
    assert await Puller(world.hub, pages).pull("e1") == Pulled(count, 0, 0)
    assert len(await uids(world)) == count
    in_doubt = count == 2  # a full page, and the total may be no more than its size
    assert len(pages.asked) == max(1, -(-count // 2)) + in_doubt


@pytest.mark.parametrize("link", [True, False], ids=["by Link", "by counting"])
async def test_the_next_pull_asks_for_what_changed_since_on_every_page(world: World, link: bool) -> None:
    pages = Pages(world.version, cards(world.version, 5), link=link)
    puller = Puller(world.hub, pages)
    await puller.pull("e1")
    mark = world.partner("e1").pulled["tokens"]
    assert mark == timestamp(NOW - timedelta(seconds=2))
    world.clock.move_to(86_400)
    pages.tokens += [token(world.version, uid=f"NEW{i}", last_updated=timestamp(world.clock.now())) for i in range(5)]
    pages.tokens = [
        t if t["uid"].startswith("NEW") else {**t, "last_updated": "2026-01-01T00:00:00Z"} for t in pages.tokens
    ]
    pages.asked.clear()
    assert await puller.pull("e1") == Pulled(5, 0, 0)
    assert [query["date_from"] for query in pages.asked] == [mark] * 3
    assert [query.get("offset", "0") for query in pages.asked] == ["0", "2", "4"]
    pages.asked.clear()
    await puller.pull("e1", full=True)
    assert "date_from" not in pages.asked[0]


async def test_what_is_known_already_is_not_written_again(world: World) -> None:
    puller = Puller(world.hub, Pages(world.version, cards(world.version, 3)))
    await puller.pull("e1")
    before = [(d.key, d.version) for d in await world.documents(TOKENS)]
    assert await puller.pull("e1", full=True) == Pulled(0, 3, 0)
    assert [(d.key, d.version) for d in await world.documents(TOKENS)] == before


async def test_what_is_invalid_is_passed_over_and_the_rest_is_taken(world: World) -> None:
    good = cards(world.version, 2)
    bad: list[Any] = [
        None,
        5,
        "x",
        [],
        {},
        {**good[0], "uid": None},
        {**good[0], "whitelist": "X"},
        {**good[0], "uid": "x" * 99},
    ]
    pages = Pages(world.version, [good[0], *bad, good[1]], size=3)
    assert await Puller(world.hub, pages).pull("e1") == Pulled(2, 0, len(bad))
    assert await uids(world) == {"CARD0", "CARD1"}


async def test_tokens_of_a_party_that_is_not_the_partners_are_refused(world: World) -> None:
    foreign = token(world.version, "NL*FFF", country_code="NL", party_id="FFF")
    result = await Puller(world.hub, Pages(world.version, [foreign])).pull("e1")
    if world.version == "2.1.1":  # names no owner: it is the partner's, whatever else it says
        assert result.taken == 1
        assert [d.owner for d in await world.documents(TOKENS)] == ["NL*EEE"]
    else:
        assert result == Pulled(0, 0, 1)
        assert await uids(world) == set()


@pytest.mark.parametrize(
    "fault",
    [
        PeerTimeout("late"),
        PeerAnswer(200, 1000, {"not": "a list"}),
        PeerAnswer(200, 1000, None),
        PeerAnswer(200, 1000, ["x"], {"link": '<https://evil.example/ocpi/tokens>; rel="next"'}),
    ],
    ids=["timeout", "object", "null", "link elsewhere"],
)
async def test_the_watermark_is_kept_only_when_all_went_through(world: World, fault: Any) -> None:
    pages = Pages(world.version, cards(world.version, 6))
    pages.faults[2] = fault
    puller = Puller(world.hub, pages)
    with pytest.raises(PeerFault):
        await puller.pull("e1")
    assert world.partner("e1").pulled == {}
    pages.faults.clear()
    assert (await puller.pull("e1")).taken == 4
    assert len(await uids(world)) == 6


async def test_pages_in_a_circle_end_in_a_fault(world: World) -> None:
    pages = Pages(world.version, cards(world.version, 2))
    link = {"link": f'<{pages.base}?offset=1>; rel="next"'}
    for number in range(1, 50):
        pages.faults[number] = PeerAnswer(200, 1000, cards(world.version, 1 + number % 2), link)
    with pytest.raises(PeerNonsense, match="circle"):
        await Puller(world.hub, pages).pull("e1")
    assert len(pages.asked) < 5


async def test_a_link_that_forgot_its_https_is_followed_over_https(world: World) -> None:
    pages = Pages(world.version, cards(world.version, 1))
    link = {"link": f'<http://e1.example/ocpi/{world.version}/tokens?offset=9>; rel="next"'}
    pages.faults[1] = PeerAnswer(200, 1000, cards(world.version, 1), link)
    await Puller(world.hub, pages).pull("e1")
    assert pages.asked[1] == {"offset": "9"}


async def test_a_database_that_fails_is_not_taken_for_a_bad_object(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: Any, **__: Any) -> bool:
        raise NotReady

    monkeypatch.setattr("partners.ocpi.sources.tokens.put", down)
    with pytest.raises(NotReady):
        await Puller(world.hub, Pages(world.version, cards(world.version, 1))).pull("e1")
    assert world.partner("e1").pulled == {}


@asynccontextmanager
async def sandbox(version: str, sqlite_url: str, **settings: Any) -> AsyncIterator[tuple[Any, Emsp]]:
    """A running hub and a registered eMSP with five cards."""
    async with a_program(sqlite_url, **settings) as program, Emsp(version, "NL*EEE", seed=1) as emsp:
        token_a = await invited(program, "eee", "NL*EEE")
        path = "cpo/versions" if version == "2.1.1" else "versions"
        for number in range(5):
            emsp.add_token({"uid": f"CARD{number}"})
        yield program, emsp
        await emsp.register(f"{program.settings.base_url}/ocpi/{path}", token_a)
        await until(lambda: program.hub.registry.get("eee").pulled)
        assert len(await program.store.select(TOKENS)) == 5
        assert [text for text in emsp.complaints.texts() if "VersionNumber" not in text] == []


async def test_a_new_partner_is_pulled_at_once(sqlite_url: str, version: str) -> None:
    async with sandbox(version, sqlite_url):
        pass


async def test_one_object_a_page_over_http(sqlite_url: str, version: str) -> None:
    async with sandbox(version, sqlite_url) as (_, emsp):
        emsp.temper.switch("pagination-stress")
    assert len(emsp.receipts.on("tokens", "GET")) == 5


@pytest.mark.parametrize("mode", ["partial", "random-500", "rate-limit"])
async def test_a_partner_in_trouble_is_pulled_again_until_it_works(sqlite_url: str, mode: str) -> None:
    async with a_program(sqlite_url, rate_per_partner=1000) as program, Emsp("2.2.1", "NL*EEE", seed=3) as emsp:
        token_a = await invited(program, "eee", "NL*EEE")
        for number in range(5):
            emsp.add_token({"uid": f"CARD{number}"})
        url = f"{program.settings.base_url}/ocpi/versions"
        await emsp.register(url, token_a)
        emsp.temper.switch(mode)
        await program.hub.registry.change("eee", lambda partner: partner.model_copy(update={"pulled": {}}))
        if mode == "partial":  # never gets through as long as it lasts
            await until(lambda: len(emsp.receipts.on("tokens", "GET")) >= 3)
            emsp.temper.switch("happy")
        await until(lambda: program.hub.registry.get("eee").pulled)
        assert len(await program.store.select(TOKENS)) == 5


async def test_a_partner_that_fails_is_asked_ever_more_rarely(world: World) -> None:
    pages = Pages(world.version, [])
    for number in range(1, 100):
        pages.faults[number] = PeerTimeout("late")
    puller = Puller(world.hub, pages)
    asked_at = []
    for second in range(600):
        world.clock.move_to(second)
        if due := puller.due(world.partner("e1")):
            await puller.pull_due("e1", due)
            asked_at.append(second)
    assert asked_at == [0, 5, 15, 35, 75, 155, 315]


class Lists:
    """A CPO's lists."""

    def __init__(self, world: World, tariffs: list[Any], locations: list[Any]) -> None:
        base = f"https://c1.example/ocpi/{world.version}"
        self.lists = {
            "tariffs": Pages(world.version, tariffs, base=f"{base}/tariffs"),
            "locations": Pages(world.version, locations, base=f"{base}/locations"),
        }
        self.order: list[str] = []

    async def send(
        self, partner: Partner, method: str, module: str, side: Any, *, query: dict[str, str], known: Any
    ) -> PeerAnswer:
        self.order.append(module)
        return await self.lists[module].send(partner, method, module, side, query=query, known=known)

    async def get(self, partner: Partner, url: str, *, known: Any) -> PeerAnswer:
        return await self.lists[url.split("?")[0].rsplit("/", 1)[1]].get(partner, url, known=known)


def a_cpo(world: World, count: int = 5) -> Lists:
    places = [their_location(world.version, location_id=f"X{n}") for n in range(count)]
    return Lists(world, [their_tariff(world.version)], places)


async def test_the_tariffs_and_locations_of_a_cpo_are_pulled_tariffs_first(world: World) -> None:
    lists = a_cpo(world)
    puller = Puller(world.hub, lists)
    assert [source.module for source in puller.due(world.partner("c1"))] == ["tariffs", "locations"]
    await puller.pull_due("c1", puller.due(world.partner("c1")))
    assert lists.order == ["tariffs", "locations"]
    assert {d.key for d in await world.documents(LOCATIONS) if d.owner == "BE*AAA"} == {
        f"BE*AAA/X{n}" for n in range(5)
    }
    assert {d.key for d in await world.documents(TARIFFS) if d.owner == "BE*AAA"} == {"BE*AAA/T9"}
    assert set(world.partner("c1").pulled) == {"tariffs", "locations"}
    assert puller.due(world.partner("c1")) == []


async def test_one_list_that_fails_does_not_keep_the_other(world: World) -> None:
    lists = a_cpo(world)
    lists.lists["tariffs"].faults[1] = PeerTimeout("late")
    puller = Puller(world.hub, lists)
    await puller.pull_due("c1", puller.due(world.partner("c1")))
    assert set(world.partner("c1").pulled) == {"locations"}
    world.clock.move_to(6)
    assert [source.module for source in puller.due(world.partner("c1"))] == ["tariffs"]


async def test_what_comes_again_as_it_came_is_not_looked_into(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    puller = Puller(world.hub, a_cpo(world))
    await puller.pull("c1")

    async def looked_into(*_: Any) -> bool:
        raise AssertionError("read again")

    with monkeypatch.context() as patched:
        patched.setattr("partners.ocpi.sources.locations.put", looked_into)
        before = [(d.key, d.version) for d in await world.documents(LOCATIONS)]
        assert await puller.pull("c1", full=True) == Pulled(0, 6, 0)
        assert [(d.key, d.version) for d in await world.documents(LOCATIONS)] == before
    assert (await Puller(world.hub, a_cpo(world)).pull("c1", full=True)) == Pulled(0, 6, 0)


async def test_what_was_pushed_or_withdrawn_since_is_looked_into_again(world: World) -> None:
    lists = a_cpo(world, 1)
    puller = Puller(world.hub, lists)
    await puller.pull("c1")
    await world.ask("DELETE", world.at("receiver/tariffs/BE/AAA/T9"), by="c1")
    part = {"status": "CHARGING", "last_updated": "2026-05-04T10:00:30Z"}
    await world.ask("PATCH", world.at("receiver/locations/BE/AAA/X0/E1"), by="c1", body=part)
    assert await puller.pull("c1", full=True) == Pulled(1, 1, 0)
    shown = await world.ask("GET", world.at("receiver/locations/BE/AAA/X0/E1"), by="c1")
    assert shown.data["status"] == "CHARGING"


async def test_quiet_pulls_in_between_hide_nothing_that_is_withdrawn_later(world: World) -> None:
    puller = Puller(world.hub, a_cpo(world, 1))
    await puller.pull("c1")
    for _ in range(3):
        assert await puller.pull("c1", full=True) == Pulled(0, 2, 0)
    await world.ask("DELETE", world.at("receiver/tariffs/BE/AAA/T9"), by="c1")
    assert await puller.pull("c1", full=True) == Pulled(1, 1, 0)
    assert await puller.pull("c1", full=True) == Pulled(0, 2, 0)


@pytest.mark.parametrize("count", [2, 5, 6])
async def test_a_total_that_is_the_size_of_the_page_loses_nothing(world: World, count: int) -> None:
    class Lying(Pages):
        def _page(self, query: dict[str, str]) -> PeerAnswer:
            page = super()._page(query)
            return PeerAnswer(200, 1000, page.data, {"x-total-count": str(len(page.data))})

    await Puller(world.hub, Lying(world.version, cards(world.version, count), link=False)).pull("e1")
    assert len(await uids(world)) == count


@pytest.mark.parametrize("link", [True, False], ids=["by Link", "by counting"])
async def test_a_list_that_repeats_its_page_for_ever_ends(world: World, link: bool) -> None:
    class Stuck(Pages):
        def _page(self, query: dict[str, str]) -> PeerAnswer:
            page = super()._page({**query, "offset": "0"})
            offset = int(query.get("offset", 0)) + 2
            headers = {"x-total-count": "1000", "link": f'<{self.base}?offset={offset}>; rel="next"'}
            return PeerAnswer(200, 1000, page.data, headers if link else {"x-total-count": "1000"})

    pages = Stuck(world.version, cards(world.version, 2))
    assert await Puller(world.hub, pages).pull("e1") == Pulled(2, 0, 0)
    assert len(pages.asked) == 2


async def test_without_any_count_the_list_ends_with_an_empty_page(world: World) -> None:
    class Silent(Pages):
        def _page(self, query: dict[str, str]) -> PeerAnswer:
            return PeerAnswer(200, 1000, super()._page(query).data, {})

    pages = Silent(world.version, cards(world.version, 5), link=False)
    assert await Puller(world.hub, pages).pull("e1") == Pulled(5, 0, 0)
    assert len(pages.asked) == 4


async def test_a_list_that_gets_shorter_meanwhile_is_read_again(world: World) -> None:
    class Shrinking(Pages):
        def _page(self, query: dict[str, str]) -> PeerAnswer:
            if len(self.asked) == 1:
                del self.tokens[0]  # all others move up, past the reader
            return super()._page(query)

    await Puller(world.hub, Shrinking(world.version, cards(world.version, 6))).pull("e1")
    assert await uids(world) == {f"CARD{n}" for n in range(6)}


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_what_its_owner_addressed_to_one_party_is_not_for_all_because_a_list_holds_it(world: World) -> None:
    path = world.at("receiver/locations/BE/AAA/X0")
    to = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "EEE")]
    said = await world.ask("PUT", path, by="c1", body=their_location(world.version, location_id="X0"), headers=to)
    assert said.code == 1000
    await Puller(world.hub, a_cpo(world, 2)).pull("c1")
    kept = {d.key for d in await world.documents(LOCATIONS) if d.owner == "BE*AAA"}
    assert kept == {"BE*AAA>NL*EEE/X0", "BE*AAA/X1"}


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_a_token_by_name_is_not_for_all_because_a_list_holds_it(world: World) -> None:
    to = [("OCPI-to-country-code", "BE"), ("OCPI-to-party-id", "AAA")]
    body = token(world.version, uid="CARD0")
    said = await world.ask("PUT", world.at("receiver/tokens/NL/EEE/CARD0"), by="e1", body=body, headers=to)
    assert said.code == 1000
    await Puller(world.hub, Pages(world.version, cards(world.version, 2))).pull("e1")
    kept = {d.key for d in await world.documents(TOKENS)}
    assert kept == {"NL*EEE>BE*AAA/CARD0/RFID", "NL*EEE/CARD1/RFID"}


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_what_211_alone_can_call_so_is_pulled_by_its_name_and_known_again(world: World) -> None:
    names = ["Parking-of-the-old-Market-in-Gent-00001", "Loc-a", "LOC-A"]
    places = [their_location("2.1.1", location_id=name, evses=(f"e{name[1:]}",)) for name in names]
    lists = Lists(world, [their_tariff("2.1.1", tariff_id=name) for name in ("Day", "DAY")], places)
    puller = Puller(world.hub, lists)
    assert await puller.pull("c1") == Pulled(5, 0, 0)
    kept = {document.columns["id"] for document in await world.documents(LOCATIONS) if document.owner == "BE*AAA"}
    assert kept == {alias_of(names[0]), "Loc-a", alias_of("LOC-A")}
    for _ in range(2):
        assert await puller.pull("c1", full=True) == Pulled(0, 5, 0)
    shown = await world.ask("GET", world.at(f"receiver/locations/BE/AAA/{names[0]}"), by="c1")
    assert shown.data == places[0]
    places[2]["name"], places[2]["last_updated"] = "Changed", timestamp(NOW + timedelta(hours=1))
    await puller.pull("c1", full=True)
    assert (await world.ask("GET", world.at("receiver/locations/BE/AAA/LOC-A"), by="c1")).data["name"] == "Changed"
    assert (await world.ask("GET", world.at("receiver/locations/BE/AAA/Loc-a"), by="c1")).data["name"] == "Rail"
