"""Units are whole, judged alone, and seen by who listens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from hub.core import failpoints
from hub.core.errors import Conflict, NotReady
from hub.core.store import Store
from hub.core.units import ABSENT, UNUSED, Change, ChangeRow, Delete, Kind, Put, Unit
from tests.hub.core.store.samples import SESSION, TOKEN, session, token, unit


@pytest.fixture
def failing() -> Iterator[None]:
    yield
    failpoints.arm("")


async def test_a_new_document_has_version_one_and_each_write_adds_one(store: Store) -> None:
    assert await store.commit(unit(token("a", b"1"), session("s"))) == (1, 1)
    assert await store.commit(unit(token("a", b"2", expect=1, owner="DE*TNM", uid="04AB"))) == (2,)
    found = await store.get(TOKEN, "a")
    assert found is not None
    assert (found.key, found.version, found.body, found.owner) == ("a", 2, b"2", "DE*TNM")
    assert found.columns == {"uid": "04AB", "group": ""}


async def test_a_failed_expectation_is_a_conflict_and_writes_nothing(store: Store) -> None:
    await store.commit(unit(token("a", b"1")))
    for wrong in (ABSENT, 2):
        with pytest.raises(Conflict):
            await store.commit(unit(session("s"), token("a", b"2", expect=wrong)))
    assert await store.get(SESSION, "s") is None
    assert [row.change.key for row in await store.changes(after=0, limit=9)] == ["a"]


async def test_of_many_racing_units_exactly_one_wins_each_version(store: Store) -> None:
    outcomes = await asyncio.gather(
        *(store.commit(unit(token("a", b"%d" % n, expect=n % 4))) for n in range(64)), return_exceptions=True
    )
    won = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert sorted(won) == [(n,) for n in range(1, len(won) + 1)]
    assert all(isinstance(outcome, Conflict | tuple) for outcome in outcomes)
    found = await store.get(TOKEN, "a")
    assert found is not None
    assert found.version == len(won) == await store.last_change()


async def test_thousands_of_units_at_once_are_all_there(store: Store) -> None:
    versions = await asyncio.gather(*(store.commit(unit(token(f"k{n % 900}"))) for n in range(1_800)))
    assert sorted(versions) == [(1,)] * 900 + [(2,)] * 900
    assert await store.last_change() == 1_800
    assert len(await store.get_many(TOKEN, [f"k{n}" for n in range(1_000)])) == 900


async def test_a_deleted_document_comes_back_as_a_new_one_at_the_end(store: Store) -> None:
    await store.commit(unit(token("a"), token("b")))
    assert await store.commit(unit(Delete(TOKEN, "a"), token("a", expect=ABSENT))) == (0, 1)
    assert [found.key for found in await store.select(TOKEN)] == ["b", "a"]
    assert await store.commit(unit(Delete(TOKEN, "a", expect=1), Delete(TOKEN, "never", expect=ABSENT))) == (0, 0)
    assert await store.get(TOKEN, "a") is None


async def test_a_number_is_never_given_twice(store: Store) -> None:
    await store.commit(unit(token("a")))
    (first,) = await store.select(TOKEN)
    await store.commit(unit(Delete(TOKEN, "a")))
    await store.commit(unit(token("b")))
    (second,) = await store.select(TOKEN)
    assert second.seq > first.seq


async def test_an_update_keeps_the_place_in_the_order_of_creation(store: Store) -> None:
    await store.commit(unit(token("a"), token("b"), token("c")))
    await store.commit(unit(token("a", b"new")))
    assert [found.key for found in await store.select(TOKEN)] == ["a", "b", "c"]


async def test_changes_are_numbered_in_order_and_told_to_listeners(store: Store) -> None:
    heard: list[ChangeRow] = []

    def listen(rows: Sequence[ChangeRow]) -> None:
        heard.extend(rows)

    def fail(rows: Sequence[ChangeRow]) -> None:
        raise RuntimeError("a listener's own trouble")

    store.on_commit(fail)
    store.on_commit(listen)
    change = Change("sessions", "s", "DE*TNM", "NL*BBB", "status", "corr-1")
    await store.commit(Unit().put(session("s")).tells(change).tells(Change("tokens", "t")))
    await store.commit(Unit().tells(Change("tokens", "u")))
    rows = await store.changes(after=0, limit=10)
    assert [row.seq for row in rows] == sorted({row.seq for row in rows})
    assert rows[0].change == change
    assert rows[0].at.endswith("Z")
    assert heard == rows
    assert await store.changes(after=rows[0].seq, limit=1) == [rows[1]]
    assert await store.last_change() == rows[-1].seq


async def test_a_revision_grows_only_for_the_kinds_that_were_written(store: Store) -> None:
    tokens, sessions = store.revision(TOKEN), store.revision(SESSION)
    await store.commit(unit(token("a")))
    assert store.revision(TOKEN) > tokens
    tokens = store.revision(TOKEN)
    with pytest.raises(Conflict):
        await store.commit(unit(session("s", expect=4)))
    assert (store.revision(TOKEN), store.revision(SESSION)) == (tokens, sessions)


async def test_the_arrangement_of_lists_changes_only_when_a_document_comes_goes_or_moves(store: Store) -> None:
    async def after(*writes: Put | Delete) -> bool:
        """Has the arrangement changed?"""
        before = store.arrangement(TOKEN)
        await store.commit(unit(*writes))
        return store.arrangement(TOKEN) > before

    assert await after(token("a"), token("b"))
    assert not await after(token("a", b'{"other":1}', last_updated="2026-05-04"))
    assert not await after(token("a"), token("b", expect=1), session("s"))
    assert await after(token("a", uid="another"))
    assert await after(token("a", uid="another", owner="NL*EEE"))
    assert await after(token("a", uid="another", owner="NL*EEE", audience="DE*BSB"))
    assert await after(Delete(TOKEN, "b"))
    assert await after(token("c", expect=UNUSED))
    revision, arrangement = store.revision(SESSION), store.arrangement(SESSION)
    assert not await after(session("s"))
    assert (store.revision(SESSION), store.arrangement(SESSION)) == (revision + 1, arrangement)


async def test_an_empty_unit_is_no_trouble(store: Store) -> None:
    assert await store.commit(Unit()) == ()


async def test_a_caller_who_gave_up_harms_nobody(store: Store) -> None:
    gone = asyncio.create_task(store.commit(unit(token("gone"))))
    stays = asyncio.create_task(store.commit(unit(token("stays"))))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == (1,)
    assert gone.cancelled() or await asyncio.wait([gone])


async def test_close_finishes_what_waits_and_refuses_what_comes_later(store: Store) -> None:
    waiting = [asyncio.create_task(store.commit(unit(token(f"k{n}")))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert [await task for task in waiting] == [(1,)] * 50
    with pytest.raises(NotReady):
        await store.commit(unit(token("late")))


async def test_a_kind_that_the_store_was_not_opened_for_is_a_mistake(store: Store) -> None:
    with pytest.raises(ValueError, match="not opened for the kind tariff"):
        await store.commit(Unit().delete(Delete(Kind("tariff"), "t")))


@pytest.mark.usefixtures("failing")
async def test_a_batch_that_fails_is_tried_unit_by_unit_and_fails_one_caller(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_TEST", "1")
    failpoints.arm("store.before_commit=2*raise")
    outcomes = await asyncio.gather(*(store.commit(unit(token(f"k{n}"))) for n in range(8)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [failpoints.FailpointRaised] + [tuple] * 7
    assert len(await store.select(TOKEN)) == 7


@pytest.mark.usefixtures("failing")
async def test_a_lost_answer_is_not_ready_and_the_unit_is_there_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSBAR_TEST", "1")
    failpoints.arm("store.after_commit=once")
    with pytest.raises(NotReady):
        await store.commit(unit(token("a")))
    assert await store.last_change() == 1
    assert await store.commit(unit(token("a", expect=1))) == (2,)
