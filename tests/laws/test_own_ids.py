"""Whatever a CPO of 2.1.1 calls its things: each has one name here, for good, and the name leads back to it alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.app import kinds
from hub.core.dialect.ids import Id
from hub.core.own_ids import LONGEST_ID, LONGEST_NAME, NOWHERE, SORTS, OwnIds, Said
from hub.core.store import Store, open_store
from hub.core.units import Unit
from modules.locations.wire import LOCATION
from modules.sessions.wire import SESSION
from tests.laws.kinds import ALL_DIALECTS, KINDS, Kind
from tests.laws.objects import objects
from tests.laws.test_round_trips import ANYTHING, BOUNDED
from tests.world import ManualClock

SEEDS: Final = 30
CARDS: Final = {("Token", "uid"), *((name, "auth_id") for name in ("Token", "Session", "CDR"))}
"""Of cards and contracts, which are compared without case all the same (hub/decisions)."""
OLD: Final = [kind for kind in KINDS if "2.1.1" in kind.wires and kind.wires["2.1.1"].spots]
PARTY: Final = "BE*AAA"
_LETTERS: Final = "aAbBzZ09-_.* ~/%äßİ"


def dealt(random: Random) -> list[Id]:
    """Ids that resemble each other: of few letters, in any case, of any length, and names of others."""
    words = ["".join(random.choices(_LETTERS, k=random.choice([1, 2, 3, 36, 37, LONGEST_ID]))) for _ in range(12)]
    variants = [change(word) for word in words for change in (str, str.upper, str.lower, str.swapcase)]
    return [Id(random.choice(SORTS), text[:LONGEST_ID]) for text in variants]


def declared(*ids: Id) -> Said:
    return Said(PARTY, ids)


async def write(own_ids: OwnIds, store: Store, *ids: Id) -> dict[Id, str]:
    """They are written, in one unit. Returns: their names."""
    names = await own_ids.names(declared(*ids))
    with own_ids.spoken(names):
        await store.commit(own_ids.kept(Unit()))
    return {each: names.others.get(each, each.text) for each in ids}


async def back(own_ids: OwnIds, names: Mapping[Id, str]) -> dict[Id, str]:
    """What the CPO is told for each name, whatever its case."""
    found = {}
    for each, name in names.items():
        for spelled in (name, name.upper(), name.lower()):
            asked = Id(each.sort, spelled)
            found[each] = (await own_ids.ids(PARTY, [asked])).get(asked, spelled)
            assert found[each] == each.text
    return found


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[list[Store]]:
    """The stores of this test; all are closed at its end."""
    stores: list[Store] = []
    yield stores
    for store in stores:
        await store.close()


async def test_names_lead_there_and_back_and_stay_after_a_restart(database_url: str, opened: list[Store]) -> None:
    names: dict[Id, str] = {}
    store = await open_store(database_url, kinds(), clock=ManualClock())
    for seed in range(SEEDS):
        random, own_ids = Random(seed), OwnIds(store)
        for _ in range(4):
            some = random.sample(dealt(random), 10)
            said = await write(own_ids, store, *some)
            assert all(names.get(each, name) == name for each, name in said.items())
            names |= said
        await back(own_ids, {each: names[each] for each in random.sample(sorted(names), 10)})
    await store.close()
    opened.append(await open_store(database_url, kinds(), clock=ManualClock()))
    again = OwnIds(opened[0])
    assert await write(again, opened[0], *names) == names
    await back(again, names)
    assert len({(each.sort, name.upper()) for each, name in names.items()}) == len(names)
    assert all(len(name) <= LONGEST_NAME and name.isascii() for name in names.values())


async def test_an_id_that_fits_and_has_no_twin_is_its_own_name(sqlite_url: str, opened: list[Store]) -> None:
    opened.append(await open_store(sqlite_url, kinds(), clock=ManualClock()))
    for text in ("LOC1", "3256", "0d2a3f1c-6f0e-4f5e-9a53-2d7c1c9be001", "x" * LONGEST_NAME):
        each = Id("location_id", text)
        assert await write(OwnIds(opened[0]), opened[0], each) == {each: text}


def test_every_sort_that_the_tables_name_is_known_in_paths() -> None:
    tables = [told["2.1.1"] for told in ALL_DIALECTS.values() if "2.1.1" in told]
    assert {sort for table in tables for sort in (*table.ids.values(), *table.refers.values())} == set(SORTS)


def test_no_id_that_2_1_1_compares_by_case_is_forgotten() -> None:
    census = json.loads((Path(__file__).parents[1] / "data/census/ocpi-2.1.1-d2.json").read_text("utf-8"))
    fields = {
        (name, field)
        for objects in census["objects"].values()
        for name, rows in objects.items()
        for field, row in rows.items()
        if row["type"] in ("string(36)", "string(39)")
    }
    told = {
        (model.__name__, field)
        for model, dialects in ALL_DIALECTS.items()
        if "2.1.1" in dialects
        for field in (*dialects["2.1.1"].ids, *dialects["2.1.1"].refers)
    }
    assert fields - told == CARDS
    assert told <= fields


@pytest.mark.parametrize("kind", OLD, ids=str)
@BOUNDED
@given(data=st.data())
def test_ids_of_an_object_are_exchanged_and_back_and_nothing_else_of_it(kind: Kind, data: st.DataObject) -> None:
    wire = kind.wires["2.1.1"]
    tree, spots = data.draw(objects(wire.form)), wire.spots or NOWHERE
    ids = sorted(set(chain(*spots.ids(tree))))
    names = {each: f"name-{number}" for number, each in enumerate(ids)}
    named = spots.renamed(tree, names)
    assert {each.text for each in chain(*spots.ids(named))} == set(names.values())
    assert spots.renamed(named, {Id(each.sort, name): each.text for each, name in names.items()}) == tree


@given(tree=ANYTHING)
@BOUNDED
def test_what_is_no_object_has_no_ids_and_stays_as_it_is(tree: Any) -> None:
    for spots in (LOCATION["2.1.1"].spots, SESSION["2.1.1"].spots):
        assert spots is not None
        for body in (tree, {"id": tree, "evses": tree, "location": tree}, [tree]):
            names = {each: each.text for each in chain(*spots.ids(body))}
            assert spots.renamed(body, names) == body
