"""A connector of 2.1.1 names one tariff: the first that partners of 2.1.1 can have now, else one that is not here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.core.clock import timestamp
from hub.core.parties import Party
from modules.locations import service as locations
from modules.locations.publication import LocationPublication
from modules.locations.renaming import NAMES_ANEW, name_anew
from modules.locations.store import LOCATIONS, key_of
from modules.tariffs import service as tariffs
from modules.tariffs.store import SHIFTED
from modules.tariffs.turning import turn
from tests.world import NOW, OURS, World, location, tariff, their_location, their_tariff

ADHOC = {**tariff("ADHOC"), "type": "AD_HOC_PAYMENT"}
TR = tariff("TR")
X1 = "receiver/locations/BE/AAA/X1"


async def put(world: World, tree: dict[str, Any]) -> None:
    await tariffs.put(world.store, OURS, tree["id"], dict(tree), now=world.clock.now())
    await name_anew(world.hub)


async def remove(world: World, tariff_id: str) -> None:
    await tariffs.delete(world.store, OURS, tariff_id)
    await name_anew(world.hub)


def naming(*tariff_ids: str) -> dict[str, Any]:
    tree = location(evses=("E1",))
    tree["evses"][0]["connectors"][0]["tariff_ids"] = list(tariff_ids)
    return tree


def named(tree: dict[str, Any]) -> str | None:
    found: str | None = tree["evses"][0]["connectors"][0].get("tariff_id")
    return found


async def listed(world: World, since: str = "") -> list[str | None]:
    said = await world.ask("GET", world.at(f"sender/locations{since}"), by="e1")
    return [named(tree) for tree in said.data]


async def told(world: World, seq: int, to: str = "e1") -> list[str | None]:
    """What the lane of a partner brings of what was written since."""
    world.peers.sent.clear()
    for row in await world.store.changes(after=seq, limit=1000):
        if row.change.module == "locations":
            what = frozenset({row.change.what})
            await LocationPublication().deliver(world.hub, world.partner(to), row.change.key, what)
    return [named(sent.body) for sent in world.peers.sent]


@pytest.fixture
async def place(world: World) -> World:
    await locations.put(world.store, OURS, "LOC1", naming("ADHOC", "TR"), now=world.clock.now())
    for tree in (ADHOC, TR):
        await put(world, tree)
    return world


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_it_names_none_that_is_on_record_and_not_regular(place: World) -> None:
    assert await listed(place) == ["TR"]
    evse = await place.ask("GET", place.at("sender/locations/LOC1/E1"), by="e1")
    connector = await place.ask("GET", place.at("sender/locations/LOC1/E1/1"), by="e1")
    assert evse.data["connectors"][0]["tariff_id"] == connector.data["tariff_id"] == "TR"
    await put(place, {**TR, "type": "AD_HOC_PAYMENT"})
    assert await listed(place) == [None]


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_partners_are_told_when_a_tariff_comes_changes_its_type_or_goes(place: World) -> None:
    steps: list[tuple[str, str | None]] = []
    for tariff_id, step, expected in (
        ("ADHOC", "REGULAR", "ADHOC"),
        ("ADHOC", "AD_HOC_PAYMENT", "TR"),
        ("TR", "AD_HOC_PAYMENT", None),
        ("ADHOC", "gone", "ADHOC"),
        ("ADHOC", "AD_HOC_PAYMENT", None),
        ("TR", "gone", "TR"),
        ("ADHOC", "gone", "ADHOC"),
        ("TR", "REGULAR", "TR"),
    ):
        seq = await place.store.last_change()
        if step == "gone":
            await remove(place, tariff_id)
        else:
            await put(place, {**tariff(tariff_id), "type": step})
        steps.append((step, expected))
        assert await told(place, seq) == [expected], steps
        assert await listed(place) == [expected], steps
    assert await place.documents(SHIFTED) == []


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_partners_are_told_when_a_tariff_begins_to_hold_and_ends(place: World) -> None:
    bounds = {
        name: timestamp(NOW + timedelta(seconds=s)) for name, s in (("start_date_time", 10), ("end_date_time", 20))
    }
    await put(place, {**ADHOC, "type": "REGULAR", **bounds})
    assert await listed(place) == ["TR"]
    for passed_s, expected in ((10.0, "ADHOC"), (20.0, "TR")):
        seq = await place.store.last_change()
        place.clock.passed_s = passed_s
        await turn(place.hub)
        await name_anew(place.hub)
        assert await told(place, seq) == [expected]
        moment = timestamp(place.clock.now())
        assert await listed(place, f"?date_from={moment}") == [expected], "a pull since then has it"


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_the_times_of_the_location_stay_those_of_its_owner_and_other_tariffs_are_no_news(place: World) -> None:
    before = await locations.get_tree(place.store, key_of(OURS, "LOC1"))
    seq = await place.store.last_change()
    place.clock.passed_s = 60
    await put(place, tariff("ELSE"))
    await put(place, tariff("TR", "0.60"))
    assert await told(place, seq) == []
    await remove(place, "TR")
    assert await locations.get_tree(place.store, key_of(OURS, "LOC1")) == before


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_who_has_all_the_tariffs_of_a_connector_is_not_told_again(place: World) -> None:
    seq = await place.store.last_change()
    await remove(place, "TR")
    assert [row.change.what for row in await place.store.changes(after=seq, limit=9)][1:] == [NAMES_ANEW]
    assert await told(place, seq) == []


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_partners_get_the_word_of_another_cpo_for_a_tariff_that_is_not_here(world: World) -> None:
    await name_anew(world.hub)
    seq = await world.store.last_change()
    await world.ask("PUT", world.at(X1), by="c1", body=their_location("2.1.1", evses=("E1",)))
    assert await told(world, seq) == ["T1"]
    there = await world.ask("GET", world.at("sender/locations/X1"), by="e1")
    assert named(there.data) == "T1"
    seq = await world.store.last_change()
    await world.ask("PUT", world.at("receiver/tariffs/BE/AAA/T1"), by="c1", body=their_tariff("2.1.1", tariff_id="T1"))
    await name_anew(world.hub)
    assert await told(world, seq) == ["T1"]
    there = await world.ask("GET", world.at("sender/locations/X1"), by="e1")
    assert named(there.data) == "T1"


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_another_cpo_sees_its_own_words_and_partners_what_they_can_have(world: World) -> None:
    await world.ask("PUT", world.at(X1), by="c1", body=their_location("2.1.1", evses=("E1",)))
    cannot_be_said = {**tariff("T1"), "type": "AD_HOC_PAYMENT"}
    await tariffs.put(world.store, Party("BE", "AAA"), "T1", cannot_be_said, now=world.clock.now())
    await name_anew(world.hub)
    own = await world.ask("GET", world.at(X1), by="c1")
    there = await world.ask("GET", world.at("sender/locations/X1"), by="e1")
    assert (named(own.data), named(there.data)) == ("T1", None)


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_what_a_stop_left_untold_is_told_later(place: World) -> None:
    await tariffs.delete(place.store, OURS, "TR")
    (location_before,) = await place.store.select(LOCATIONS, equal={"id": "LOC1"})
    assert [shift.columns["id"] for shift in await place.documents(SHIFTED)] == ["TR"]
    await name_anew(place.hub)
    (location_after,) = await place.store.select(LOCATIONS, equal={"id": "LOC1"})
    assert location_after.version == location_before.version + 1
    assert await place.documents(SHIFTED) == []
