"""Pages that are known by their bytes: what may differ, and what may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.inbound import encode, parse
from hub.core.units import Delete, Unit
from modules.tokens.store import TOKENS
from partners.ocpi.marks import is_same, mark_of
from partners.ocpi.pull import Pulled, Puller
from tests.partners.ocpi.test_pull import Pages, cards
from tests.world import World

LIST = b'[{"id":"A","n":1.50},{"id":"B"}]'
PAGE = b'{"data":%b,"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}' % LIST


def test_a_page_is_known_again_whenever_it_was_sent() -> None:
    mark = mark_of(PAGE, 2)
    assert mark is not None
    assert is_same(PAGE, mark)
    assert is_same(PAGE.replace(b"2026-01-01T00", b"2031-12-31T23"), mark)


def test_the_list_may_stand_anywhere_in_the_envelope() -> None:
    page = b'{"timestamp":"2026-01-01T00:00:00Z", "status_code":1000, "data": %b }' % LIST
    mark = mark_of(page, 2)
    assert mark is not None
    assert is_same(page.replace(b"2026", b"2027"), mark)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"B"', b'"C"'),
        (b"1.50", b"1.51"),
        (b'{"id":"B"}', b'{"id":"B" }'),
        (b"1000", b"2000"),
        (b'"status_code"', b'"status_cods"'),
        (b'"data"', b'"date"'),
        (b"1000,", b"10000"),
        (b'00Z"}', b'00Z" '),
        (b'{"data"', b'["data"'),
    ],
)
def test_a_page_that_differs_in_what_matters_is_another(old: bytes, new: bytes) -> None:
    mark = mark_of(PAGE, 2)
    assert mark is not None
    assert PAGE.count(old) >= 1
    assert not is_same(PAGE.replace(old, new), mark)


def test_a_second_list_in_the_envelope_is_no_way_around() -> None:
    """The last of two equal keys would count for some readers: such a page is read, and refused."""
    mark = mark_of(PAGE, 2)
    assert mark is not None
    twice = b'{"data":%b,"data":[],"timestamp":"2026-01-01T00:0"}' % LIST
    assert not is_same(twice, mark)


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"status_message":"[1]","data":[1],"status_code":1000}',
        b'{"data":[1],"status_code":1000,"status_message":"%b"}' % (b"x" * 5000),
        b'{"data":[1],"status_code":3000}',
    ],
)
def test_what_cannot_be_known_again_has_no_mark(page: bytes) -> None:
    assert mark_of(page, 1) is None


WORDS = st.text('ab[]{}"\\,: \u00e9', max_size=6)


@given(st.lists(st.dictionaries(WORDS, WORDS, max_size=2), max_size=3), WORDS)
def test_what_is_the_same_reads_the_same(objects: list[dict[str, str]], message: str) -> None:
    one, other = (
        encode({"status_message": text, "data": objects, "status_code": 1000}) for text in (message, message[::-1])
    )
    mark = mark_of(one, len(objects))
    if mark is not None and is_same(other, mark):
        assert parse(other, limit=10_000)["data"] == objects


async def test_a_page_that_comes_again_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Pages(world.version, cards(world.version, 5))
    puller = Puller(world.hub, pages)
    await puller.pull("e1", full=True)
    with monkeypatch.context() as patched:
        patched.setattr("partners.ocpi.peer.parse", _nothing_is_read)
        assert await puller.pull("e1", full=True) == Pulled(0, 5, 0)


async def test_a_page_on_which_one_object_differs_is_read(world: World) -> None:
    pages = Pages(world.version, cards(world.version, 5))
    puller = Puller(world.hub, pages)
    await puller.pull("e1", full=True)
    changed = {"valid": False, "last_updated": "2026-05-04T11:00:00Z"}
    pages.tokens[3] = {**pages.tokens[3], **changed}
    assert await puller.pull("e1", full=True) == Pulled(0, 5, 0)
    assert sorted(document.version for document in await world.documents(TOKENS)) == [1, 1, 1, 1, 2]


async def test_a_page_of_which_we_lost_an_object_is_read(world: World) -> None:
    pages = Pages(world.version, cards(world.version, 4))
    puller = Puller(world.hub, pages)
    await puller.pull("e1", full=True)
    first, *_ = await world.documents(TOKENS)
    await world.store.commit(Unit().delete(Delete(TOKENS, first.key)))
    assert await puller.pull("e1", full=True) == Pulled(1, 3, 0)
    assert await puller.pull("e1", full=True) == Pulled(0, 4, 0)


async def test_a_page_with_something_unusable_on_it_is_read_each_time(world: World) -> None:
    pages = Pages(world.version, [*cards(world.version, 1), {"uid": None}])
    puller = Puller(world.hub, pages)
    assert await puller.pull("e1", full=True) == Pulled(1, 0, 1)
    assert await puller.pull("e1", full=True) == Pulled(0, 1, 1)


def _nothing_is_read(*_: object, **__: object) -> object:
    raise AssertionError("read again")
