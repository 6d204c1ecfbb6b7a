"""A crawl by `Link` while objects come, go and change: of what stays, nothing is missed and nothing comes twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.core.agreements import Agreement
from hub.core.clock import timestamp
from hub.core.parties import PartyRole
from hub.core.positions import Positions
from modules.locations import service as locations
from modules.tariffs import service as tariffs
from tests.world import BASE, NOW, OURS, World, a_world, location, tariff, their_location

VERSIONS = pytest.mark.parametrize("version", ["2.1.1", "2.2.1", "2.3.0"])
EACH = 4
THEIRS = [f"Y{number}" for number in range(2 * EACH)]
OURS_TOO = [f"L{number}" for number in range(EACH)]
MADE = [*THEIRS[:EACH], *OURS_TOO, *THEIRS[EACH:]]
IN_ORDER = ["LOC1", *MADE]
"""LOC1 is ours, and there from the beginning."""

Amid = Callable[[], Awaitable[None]]


@pytest.fixture
async def world(database_url: str, version: str) -> AsyncIterator[World]:
    """Locations of c1's before and after ours, and a reader of `version`."""
    async with a_world(database_url, "2.2.1") as world:
        await world.join("reader", "NL*RDR", PartyRole.EMSP, version=version)
        for name in MADE:
            if name in OURS_TOO:
                tree = location(name, evses=(f"E{name}",))
                await locations.put(world.store, OURS, name, tree, now=NOW)
            else:
                path = world.at(f"receiver/locations/BE/AAA/{name}")
                said = await world.ask("PUT", path, by="c1", body=their_location("2.2.1", location_id=name))
                assert said.code == 1000
        yield world


def following(link: str) -> str | None:
    return link.partition(">")[0].removeprefix(f"<{BASE}") or None


async def crawl(world: World, path: str | None, amid: dict[int, Amid]) -> list[str]:
    """What a client of `Link` reads; after so many pages it is done what `amid` says."""
    seen: list[str] = []
    pages = 0
    while path:
        said = await world.ask("GET", path, by="reader")
        assert said.code == 1000
        seen += [each["id"] for each in said.data]
        pages += 1
        path = following(said.headers.get("link", ""))
        if pages in amid:
            await amid[pages]()
    return seen


def agreed(world: World, *, allow: bool) -> Amid:
    async def put() -> None:
        await world.hub.agreements.put(Agreement(viewer="reader", owner="BE*AAA", allow=allow), actor="ops")

    return put


@VERSIONS
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_what_is_taken_away_behind_a_crawl_moves_nothing_before_it(
    world: World, version: str, limit: int
) -> None:
    read = (EACH // limit + 1) * limit
    assert read < len(IN_ORDER) - EACH
    path = f"/ocpi/{version}/sender/locations?limit={limit}"
    seen = await crawl(world, path, {read // limit: agreed(world, allow=False)})
    assert seen == [*IN_ORDER[:read], *IN_ORDER[read:-EACH]]


@VERSIONS
async def test_what_is_taken_away_and_given_back_amid_a_crawl_brings_nothing_twice(world: World, version: str) -> None:
    path = f"/ocpi/{version}/sender/locations?limit=2"
    seen = await crawl(world, path, {3: agreed(world, allow=False), 4: agreed(world, allow=True)})
    assert seen == IN_ORDER


@VERSIONS
async def test_what_comes_amid_a_crawl_stands_at_its_end(world: World, version: str) -> None:
    async def another() -> None:
        await locations.put(world.store, OURS, "NEW", location("NEW", evses=("ENEW",)), now=NOW)

    path = f"/ocpi/{version}/sender/locations?limit=5"
    assert await crawl(world, path, {1: another, 2: another}) == [*IN_ORDER, "NEW"]


@VERSIONS
async def test_a_list_until_a_moment_misses_only_what_changes(world: World, version: str) -> None:
    later = NOW + timedelta(hours=1)

    async def changed() -> None:
        await locations.set_status(world.store, f"{OURS}/L0", "EL0", "CHARGING", now=later)

    until = timestamp(later).replace("+00:00", "Z")
    path = f"/ocpi/{version}/sender/locations?date_to={until}&limit=3"
    assert await crawl(world, path, {2: changed}) == IN_ORDER


@VERSIONS
async def test_what_is_deleted_behind_a_crawl_moves_nothing_before_it(world: World, version: str) -> None:
    names = [f"T{number}" for number in range(1, 8)]
    for name in names[1:]:
        await tariffs.put(world.store, OURS, name, tariff(name), now=NOW)

    async def deleted() -> None:
        for name in names[:2]:
            await tariffs.delete(world.store, OURS, name)

    path = f"/ocpi/{version}/sender/tariffs?limit=2"
    assert await crawl(world, path, {1: deleted, 2: agreed(world, allow=False)}) == names


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_position_counts_for_its_own_offset_alone(world: World, version: str) -> None:
    path = f"/ocpi/{version}/sender/locations"
    link = (await world.ask("GET", f"{path}?limit=2", by="reader")).headers["link"]
    (position,) = parse_qs(urlsplit(following(link) or "").query)["position"]
    for offset in (0, 1, 3, 7, 50):
        said = await world.ask("GET", f"{path}?limit=2&offset={offset}&position={position}", by="reader")
        assert [each["id"] for each in said.data] == IN_ORDER[offset : offset + 2]


@pytest.mark.parametrize("version", ["2.2.1"])
@pytest.mark.parametrize("text", ["", "1", "x" * 32, "0" * 31, "0" * 33, "%C3%A9" * 16, "-1" * 16])
async def test_what_is_no_position_is_refused(world: World, version: str, text: str) -> None:
    said = await world.ask("GET", f"/ocpi/{version}/sender/locations?position={text}", by="reader")
    assert (said.http, said.code) == (200, 2001)


def test_a_position_is_understood_by_whoever_has_the_key_and_tells_nothing() -> None:
    key = b"k" * 32
    told = Positions(key).told(100, 4711)
    assert Positions(key).read(told, 100) == 4711
    assert Positions(key).read(told, 101) is None
    assert Positions(b"o" * 32).read(told, 100) is None
    stated: set[Any] = {Positions(key).told(100, seq)[:8] for seq in range(50)}
    assert len(stated) == 50
