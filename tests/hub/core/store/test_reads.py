"""Selections and pages."""

from __future__ import annotations

import pytest

from hub.core.clock import SystemClock
from hub.core.errors import InvalidRequest
from hub.core.store import Store
from hub.core.store.sqlite import SqliteStore
from hub.core.units import Kind, Put
from tests.hub.core.store.samples import TOKEN, token, unit


def at(minute: int) -> str:
    return f"2026-01-01T00:{minute:02d}:00.000Z"


@pytest.fixture
async def tokens(store: Store) -> list[Put]:
    """Ten tokens of two parties, created in order, the newest updated first."""
    written = [
        token(
            f"k{n}",
            owner="DE*AAA" if n % 2 else "NL*BBB",
            audience="FR*CCC" if n in (3, 4) else "",
            last_updated=at(9 - n),
            uid=f"u{n % 3}",
        )
        for n in range(10)
    ]
    await store.commit(unit(*written))
    return written


@pytest.mark.usefixtures("tokens")
async def test_a_selection_is_by_columns_in_the_order_asked_for(store: Store) -> None:
    async def keys(**asked: object) -> list[str]:
        return [found.key for found in await store.select(TOKEN, **asked)]  # type: ignore[arg-type]

    assert await keys(equal={"uid": "u1"}) == ["k1", "k4", "k7"]
    assert await keys(equal={"uid": "u1", "owner": "DE*AAA"}) == ["k1", "k7"]
    assert await keys(order="last_updated", limit=2) == ["k9", "k8"]
    assert await keys(order="key", descending=True, limit=2) == ["k9", "k8"]
    assert await keys(limit=0) == []
    third = (await store.select(TOKEN, limit=3))[-1].seq
    assert await keys(after_seq=third, limit=2) == ["k3", "k4"]


@pytest.mark.usefixtures("tokens")
async def test_a_page_is_in_order_of_creation_with_the_total(store: Store) -> None:
    page = await store.page(TOKEN, date_from=None, date_to=None, offset=3, limit=2)
    assert [found.key for found in page.documents] == ["k3", "k4"]
    assert page.total == 10
    seq = page.documents[-1].seq
    behind = await store.page(TOKEN, date_from=at(2), date_to=None, offset=1, limit=2, after_seq=seq)
    assert ([found.key for found in behind.documents], behind.total) == (["k6", "k7"], 8)


@pytest.mark.usefixtures("tokens")
async def test_date_from_is_included_and_date_to_is_not(store: Store) -> None:
    page = await store.page(TOKEN, date_from=at(3), date_to=at(5), offset=0, limit=9)
    assert [found.key for found in page.documents] == ["k5", "k6"]
    assert page.total == 2


@pytest.mark.usefixtures("tokens")
async def test_a_page_holds_only_what_its_reader_may_have(store: Store) -> None:
    async def keys(*, audiences: list[str] | None = None, owners: list[str] | None = None) -> list[str]:
        page = await store.page(
            TOKEN, date_from=None, date_to=None, offset=0, limit=99, audiences=audiences, owners=owners
        )
        assert page.total == len(page.documents)
        return [found.key for found in page.documents]

    assert await keys(audiences=["FR*CCC"]) == ["k3", "k4"]
    assert await keys(audiences=["FR*CCC", ""], owners=["DE*AAA"]) == ["k1", "k3", "k5", "k7", "k9"]
    assert await keys(owners=[]) == []
    page = await store.page(
        TOKEN, date_from=None, date_to=None, offset=0, limit=9, among={"uid": ["u0", "u9"], "owner": ["NL*BBB"]}
    )
    assert [found.key for found in page.documents] == ["k0", "k6"]


@pytest.mark.usefixtures("tokens")
async def test_a_page_far_beyond_the_end_is_empty(store: Store) -> None:
    page = await store.page(TOKEN, date_from=None, date_to=None, offset=2**80, limit=2**80)
    assert (page.documents, page.total) == ([], 10)
    with pytest.raises(InvalidRequest):
        await store.page(TOKEN, date_from=None, date_to=None, offset=-1, limit=5)


@pytest.mark.usefixtures("tokens")
async def test_a_tally_counts_the_leaves_between_two_seqs_and_adds_up_their_versions(store: Store) -> None:
    await store.commit(unit(token("k3", audience="FR*CCC", owner="DE*AAA", uid="u0")))
    seqs = [found.seq for found in await store.select(TOKEN)]
    for owners in (["DE*AAA"], ["DE*AAA", "NL*BBB"], ["XX*XXX"], ["a\0b"], []):
        for first, last in ((seqs[0], seqs[-1]), (seqs[2], seqs[5]), (seqs[3], seqs[3]), (seqs[-1], seqs[0])):
            among = {"owner": owners, "audience": ["FR*CCC", ""]}
            leaves = await store.leaves(TOKEN, among=among, after_seq=first - 1, limit=99)
            versions = [leaf.version for leaf in leaves if leaf.seq <= last]
            told = await store.tally(TOKEN, among=among, first_seq=first, last_seq=last)
            assert told == (len(versions), sum(versions))
    assert await store.tally(TOKEN, among={"owner": ["DE*AAA"]}, first_seq=seqs[0], last_seq=seqs[-1]) == (5, 6)


@pytest.mark.parametrize("owners", [["DE*AAA"], ["DE*AAA", "NL*BBB"]])
async def test_how_long_a_list_of_one_owner_or_many_is_is_read_off_an_index_alone(
    sqlite_url: str, owners: list[str]
) -> None:
    places = Kind("places", columns=("lowest", "id"))
    store = await SqliteStore.open(
        sqlite_url, {"places": places}, read_only=False, busy_timeout_s=5, clock=SystemClock()
    )
    asked: list[str] = []
    store._reader.set_trace_callback(asked.append)
    among = {"owner": owners, "audience": [""], "lowest": ["2.1.1", "2.2.1"]}
    await store.page(places, date_from=None, date_to=None, offset=0, limit=9, among=among)
    (counting,) = [sql for sql in asked if "count(*)" in sql]
    plan = store._reader.execute(f"EXPLAIN QUERY PLAN {counting}").fetchall()
    assert [" USING COVERING INDEX doc_places_" in step[-1] for step in plan] == [True], plan
    await store.close()
