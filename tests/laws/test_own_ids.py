"""Whatever a CPO of 2.1.1 calls its things: each has one name here, for good, and the name leads back to it alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from random import Random
from typing import Final

import pytest

from hub.app import kinds
from hub.core.dialect.ids import Id, Spots
from hub.core.own_ids import LONGEST_ID, LONGEST_NAME, SORTS, OwnIds, Said
from hub.core.store import Store, open_store
from hub.core.units import Unit
from modules import all_operations
from tests.world import ManualClock

SEEDS: Final = 30
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
    tables = [t["2.1.1"].spots for o in all_operations() for t in (o.body, o.answer) if t and "2.1.1" in t]
    sorts = {sort for spots in tables if spots for sort in _sorts(spots)}
    assert sorts == set(SORTS)


def _sorts(spots: Spots) -> set[str]:
    return {*spots.own.values(), *spots.refers.values(), *(s for below in spots.below.values() for s in _sorts(below))}
