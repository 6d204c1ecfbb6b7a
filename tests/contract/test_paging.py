"""Lists: filters, pages, Link, totals, order of creation, visibility, gzip; and a cache that is never behind."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from modules.locations import service as locations
from modules.tariffs import service as tariffs
from modules.tariffs.store import TARIFFS
from tests.world import BASE, NOW, OURS, Said, World, a_world, location, tariff

LISTS = ("locations", "tariffs", "sessions", "cdrs")
MONTH = "date_from=2026-05-01T00:00:00Z"


async def fill(world: World, module: str, count: int) -> list[str]:
    """`count` objects of e1's, a minute apart, beside those that are there. Returns: all ids that e1 sees, in order."""
    for number in range(count):
        world.clock.move_to(60.0 * (number + 1))
        now = world.clock.now()
        if module == "locations":
            await locations.put(world.store, OURS, f"L{number}", location(f"L{number}", evses=(f"X{number}",)), now=now)
        elif module == "tariffs":
            await tariffs.put(world.store, OURS, f"N{number}", tariff(f"N{number}"), now=now)
        else:
            await world.charge("NL*EEE")
    return [tree["id"] for tree in (await ask(world, module, "limit=500")).data]


async def ask(world: World, module: str, query: str, *, by: str = "e1") -> Said:
    return await world.ask("GET", world.at(f"sender/{module}?{MONTH}&{query}"), by=by)


def following(said: Said) -> str | None:
    """The path and query of `Link`."""
    link = said.headers.get("link")
    if link is None:
        return None
    url, _, rest = link.partition(">")
    assert rest == '; rel="next"'
    assert url.startswith(f"<{BASE}/ocpi/")
    return str(url.removeprefix(f"<{BASE}"))


@pytest.mark.parametrize("module", LISTS)
async def test_a_crawl_by_link_sees_everything_once_in_order_of_creation(world: World, module: str) -> None:
    ids = await fill(world, module, 7)
    for limit in (1, 2, 3, 4, 8, 50):
        path: str | None = world.at(f"sender/{module}?{MONTH}&limit={limit}")
        seen: list[str] = []
        pages = 0
        while path is not None:
            said = await world.ask("GET", path, by="e1")
            assert (said.http, said.code) == (200, 1000)
            assert said.headers["x-total-count"] == str(len(ids))
            assert said.headers["x-limit"] == "500"
            seen += [tree["id"] for tree in said.data]
            pages += 1
            path = following(said)
        assert seen == ids
        assert pages == -(-len(ids) // limit)


async def test_link_carries_every_filter_and_nothing_else(world: World) -> None:
    await fill(world, "tariffs", 5)
    query = (
        "date_from=2026-05-01T00%3A00%3A00%2B02%3A00&date_to=2027-01-01T00:00:00Z&limit=2&offset=1&x=1&y=" + "z" * 500
    )
    said = await world.ask("GET", world.at(f"sender/tariffs?{query}"), by="e1")
    target = urlsplit(following(said) or "")
    assert target.path == world.at("sender/tariffs")
    stated = parse_qs(target.query)
    (position,) = stated.pop("position")
    assert world.hub.positions.read(position, 3) is not None
    assert stated == {
        "date_from": ["2026-05-01T00:00:00+02:00"],
        "date_to": ["2027-01-01T00:00:00Z"],
        "limit": ["2"],
        "offset": ["3"],
    }


async def test_the_window_takes_its_beginning_and_leaves_its_end(world: World) -> None:
    await fill(world, "tariffs", 3)
    minutes = [NOW + timedelta(minutes=n) for n in range(4)]

    def text(moment: datetime) -> str:
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    for first, last, expected in (
        (minutes[1], minutes[2], ["N0"]),
        (minutes[1], minutes[3], ["N0", "N1"]),
        (minutes[1] + timedelta(seconds=1), minutes[3] + timedelta(seconds=1), ["N1", "N2"]),
        (minutes[2], minutes[2], []),
        (minutes[3], minutes[1], []),
    ):
        said = await world.ask("GET", world.at(f"sender/tariffs?date_from={text(first)}&date_to={text(last)}"), by="e1")
        assert [tree["id"] for tree in said.data] == expected
        assert said.headers["x-total-count"] == str(len(expected))


async def test_a_change_does_not_move_an_object_in_the_order(world: World) -> None:
    ids = await fill(world, "tariffs", 4)
    world.clock.move_to(9999)
    await tariffs.put(world.store, OURS, "N0", tariff("N0", "0.99"), now=world.clock.now())
    assert [tree["id"] for tree in (await ask(world, "tariffs", "")).data] == ids
    later = "date_from=2026-05-04T12:00:00Z"
    said = await world.ask("GET", world.at(f"sender/tariffs?{later}"), by="e1")
    assert [tree["id"] for tree in said.data] == ["N0"]


async def test_the_default_and_the_largest_page_are_ours_and_no_error(sqlite_url: str) -> None:
    async with a_world(sqlite_url, page_default=2, page_max=4) as world:
        ids = await fill(world, "tariffs", 6)
        assert ids == [tree["id"] for tree in (await ask(world, "tariffs", "limit=4")).data]
        for query, count in (("", 2), ("limit=3", 3), ("limit=4", 4), ("limit=5", 4), ("limit=100000000", 4)):
            said = await ask(world, "tariffs", query)
            assert (query, len(said.data), said.headers["x-limit"]) == (query, count, "4")
        said = await ask(world, "tariffs", "limit=100000000")
        assert "limit=4" in (following(said) or "")


@pytest.mark.parametrize("module", LISTS)
async def test_a_limit_or_offset_that_is_no_number_is_an_error_that_names_it(world: World, module: str) -> None:
    for name in ("limit", "offset"):
        for text in ("abc", "1e20", "1.5", "-1", "", "%00", "%D9%A3", "1" * 50):
            said = await ask(world, module, f"{name}={text}")
            assert (said.http, said.code) == (200, 2001), (name, text)
            assert said.message.startswith(f"{name} must be a whole number")
    said = await ask(world, module, f"offset={10**20}")
    assert (said.http, said.code) == (200, 2001)
    assert said.message.startswith("offset is larger than any list")
    said = await ask(world, module, f"limit={10**20}")
    assert (said.http, said.code) == (200, 1000), "a limit above ours is no error"


@pytest.mark.parametrize("offset", [7, 8, 1000, 10**15 - 1])
async def test_beyond_the_end_is_an_empty_page_without_link(world: World, offset: int) -> None:
    await fill(world, "tariffs", 6)
    said = await ask(world, "tariffs", f"offset={offset}")
    assert (said.data, said.headers["x-total-count"]) == ([], "7")
    assert "link" not in said.headers


@pytest.mark.parametrize("module", ["sessions", "cdrs"])
async def test_pages_and_totals_hold_only_the_own_records(world: World, module: str) -> None:
    for owner in ("NL*EEE", "NL*FFF", "NL*EEE", "NL*FFF", "NL*FFF"):
        await world.charge(owner)
    for by, count in (("e1", 2), ("e2", 3), ("e1", 2)):
        said = await ask(world, module, "limit=1", by=by)
        assert said.headers["x-total-count"] == str(count)
        said = await ask(world, module, "", by=by)
        assert len(said.data) == count


async def test_what_a_version_cannot_say_is_neither_shown_nor_counted(sqlite_url: str) -> None:
    async with a_world(sqlite_url, "2.2.1") as world:
        await world.join("old", "NL*OLD", next(iter(world.partner("e1").roles)), version="2.1.1")
        hidden = location("HIDDEN", evses=("H1",), publish=False)
        await locations.put(world.store, OURS, "HIDDEN", hidden, now=NOW)
        said = await world.ask("GET", "/ocpi/2.1.1/sender/locations", by="old")
        assert ([tree["id"] for tree in said.data], said.headers["x-total-count"]) == (["LOC1"], "1")
        said = await world.ask("GET", "/ocpi/2.2.1/sender/locations", by="e1")
        assert said.headers["x-total-count"] == "2"
        assert (await world.ask("GET", "/ocpi/2.1.1/sender/locations/HIDDEN", by="old")).http == 404
        assert (await world.ask("GET", "/ocpi/2.1.1/sender/locations/HIDDEN/H1", by="old")).http == 404


async def test_a_large_page_is_gzipped_for_who_takes_it_and_is_the_same_page(world: World) -> None:
    await fill(world, "locations", 5)
    path = world.at("sender/locations")
    headers = {"Authorization": world.authorization(world.secrets["e1"])}
    plain = await world.http.get(path, headers={**headers, "Accept-Encoding": "identity"})
    async with world.http.stream("GET", path, headers={**headers, "Accept-Encoding": "gzip"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(answer.headers["content-length"]) == len(raw) < len(plain.content)
    assert json.loads(gzip.decompress(raw)) == plain.json()
    assert answer.headers["vary"].lower() == "accept-encoding"
    refused = await world.http.get(path, headers={**headers, "Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


async def test_an_object_made_anew_is_shown_as_it_is_in_every_version(world: World) -> None:
    """Its version counts from one again: what was derived from the old one must not come back."""
    for price in ("0.10", "0.20"):
        await tariffs.put(world.store, OURS, "AGAIN", tariff("AGAIN", price), now=NOW)
        said = await ask(world, "tariffs", "offset=1")
        assert said.data[0]["elements"][0]["price_components"][0]["price"] == float(price)
        await tariffs.delete(world.store, OURS, "AGAIN")


class CacheIsNeverBehind(RuleBasedStateMachine):
    """After any write, what is listed equals what is read afresh, for each reader, page and version."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack: Any = a_world(type(self).url, "2.2.1")
        self.world: World = self.runner.run(self._open())
        self.price = 0

    async def _open(self) -> World:
        world: World = await self.stack.__aenter__()
        for tree in (await ask(world, "tariffs", "limit=500")).data:
            await tariffs.delete(world.store, OURS, tree["id"])
        return world

    def teardown(self) -> None:
        self.runner.run(self.stack.__aexit__(None, None, None))
        self.runner.close()

    @rule(name=st.sampled_from("ABCDE"))
    def put(self, name: str) -> None:
        self.price += 1
        self.world.clock.move_to(self.world.clock.passed_s + 1)
        tree = tariff(name, f"0.{self.price:04d}")
        self.runner.run(tariffs.put(self.world.store, OURS, name, tree, now=self.world.clock.now()))

    @rule(name=st.sampled_from("ABCDE"))
    def delete(self, name: str) -> None:
        async def gone() -> None:
            if any(d.columns["id"] == name for d in await self.world.documents(TARIFFS)):
                await tariffs.delete(self.world.store, OURS, name)

        self.runner.run(gone())

    @invariant()
    def lists_equal_the_disk(self) -> None:
        self.runner.run(self._compare())

    async def _compare(self) -> None:
        kept = [json.loads(d.body) for d in await self.world.documents(TARIFFS)]
        expected = [(t["id"], t["elements"][0]["price_components"][0]["price"]) for t in kept]
        for version in ("2.1.1", "2.2.1", "2.3.0"):
            for offset, limit in ((0, 500), (1, 2)):
                path = f"/ocpi/{version}/sender/tariffs?offset={offset}&limit={limit}"
                said = await self.world.ask("GET", path, by="e1")
                shown = [(t["id"], t["elements"][0]["price_components"][0]["price"]) for t in said.data]
                assert shown == expected[offset : offset + limit]
                assert said.headers["x-total-count"] == str(len(expected))


def test_the_page_cache_is_never_behind(sqlite_url: str) -> None:
    CacheIsNeverBehind.url = sqlite_url
    checks = settings(
        max_examples=12, stateful_step_count=15, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(CacheIsNeverBehind, settings=checks)
