"""The beginning of the change log goes; its end, its numbers and all documents stay."""

from __future__ import annotations

import pytest

from hub.core.errors import Conflict
from hub.core.store import Store
from hub.core.units import ABSENT, Audit, Change, ChangeRow, Unit
from tests.hub.core.store.samples import TOKEN, token, unit


async def five_changes(store: Store) -> None:
    for number in range(1, 6):
        await store.commit(unit(token(f"t{number}")))


async def numbers(store: Store) -> list[int]:
    return [row.seq for row in await store.changes(after=0, limit=99)]


async def test_changes_up_to_the_cut_are_gone_and_nothing_else(store: Store) -> None:
    await five_changes(store)
    await store.commit(Unit(cut=3).audited(Audit("me", "cut", "log")))
    assert await numbers(store) == [4, 5]
    assert [row.seq for row in await store.changes(after=1, limit=1)] == [4]
    assert [row.seq for row in await store.changes(after=4, limit=9)] == [5]
    assert len(await store.select(TOKEN)) == 5
    assert (await store.verify_audit()).broken_seq is None


async def test_the_last_change_stays_and_no_number_is_given_twice(store: Store) -> None:
    await five_changes(store)
    await store.commit(Unit(cut=99))
    assert await numbers(store) == [5]
    assert await store.last_change() == 5
    await store.commit(unit(token("t6")))
    assert await numbers(store) == [5, 6]


async def test_a_cut_is_part_of_its_unit(store: Store) -> None:
    await five_changes(store)
    with pytest.raises(Conflict):
        await store.commit(Unit([token("t1", expect=ABSENT)], cut=3))
    assert await numbers(store) == [1, 2, 3, 4, 5]
    await store.commit(Unit([token("t1", expect=1)], [Change("token", "t1")], cut=3))
    assert await numbers(store) == [4, 5, 6]


async def test_of_an_empty_log_nothing_is_cut(store: Store) -> None:
    await store.commit(Unit(cut=3))
    await store.commit(unit(token("t1")))
    assert await numbers(store) == [1]


async def test_nobody_is_told_of_a_cut(store: Store) -> None:
    await five_changes(store)
    heard: list[ChangeRow] = []
    store.on_commit(heard.extend)
    revision = store.revision(TOKEN)
    await store.commit(Unit(cut=3))
    assert (heard, store.revision(TOKEN)) == ([], revision)
