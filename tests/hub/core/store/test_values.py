"""What cannot be stored fails its own caller, and no one else's batch."""

from __future__ import annotations

import asyncio

import pytest

from hub.core.errors import InvalidRequest
from hub.core.store import Store
from hub.core.store.values import LARGEST_BODY, LONGEST_KEY
from hub.core.units import Audit, Change, Put, Unit
from tests.hub.core.store.samples import TOKEN, session, token, unit

UNSTORABLE = {
    "NUL in a key": unit(token("a\0b")),
    "lone surrogate in a key": unit(token("a\ud800")),
    "lone surrogate in a column": unit(token("a", uid="\udfff")),
    "NUL in an owner": unit(token("a", owner="DE*\0")),
    "NUL in a change": Unit().tells(Change("tokens", "a", what="\0")),
    "surrogate in an audit": Unit().audited(Audit("me", "put", "a", "\ud83d")),
    "a key without end": unit(token("é" * LONGEST_KEY)),
    "a body without end": unit(token("a", b" " * (LARGEST_BODY + 1))),
}


async def test_an_unstorable_value_fails_one_caller_of_a_batch(store: Store) -> None:
    good = [asyncio.create_task(store.commit(unit(token(f"good{n}")))) for n in range(5)]
    bad = [asyncio.create_task(store.commit(unstorable)) for unstorable in UNSTORABLE.values()]
    assert [await task for task in good] == [(1,)] * 5
    outcomes = await asyncio.gather(*bad, return_exceptions=True)
    assert {name: type(outcome) for name, outcome in zip(UNSTORABLE, outcomes, strict=True)} == dict.fromkeys(
        UNSTORABLE, InvalidRequest
    )


@pytest.mark.parametrize("text", ["€ é 漢 😀", "'; DROP TABLE doc_token; --", '"', "%_\\", "\r\n\t", "$1 ? :a"])
async def test_odd_texts_come_back_as_they_went(store: Store, text: str) -> None:
    await store.commit(unit(token(text, text.encode(), owner=text, uid=text)))
    (found,) = await store.select(TOKEN, equal={"uid": text, "owner": text})
    assert (found.key, found.body, found.columns["uid"]) == (text, text.encode(), text)


async def test_the_longest_key_and_any_bytes_can_be_stored(store: Store) -> None:
    key = "é" * (LONGEST_KEY // 2)
    await store.commit(unit(token(key, bytes(range(256)), uid=key)))
    found = await store.get(TOKEN, key)
    assert found is not None
    assert found.body == bytes(range(256))


async def test_looking_for_what_cannot_exist_finds_nothing(store: Store) -> None:
    await store.commit(unit(token("a")))
    assert await store.get(TOKEN, "a\0") is None
    assert await store.get_many(TOKEN, ["\ud800", "a"]) == {"a": await store.get(TOKEN, "a")}
    assert await store.select(TOKEN, equal={"uid": "\0"}) == []
    page = await store.page(TOKEN, date_from=None, date_to=None, offset=0, limit=9, owners=["\ud800"])
    assert page.total == 0


async def test_mistakes_in_the_program_are_told_as_such(store: Store) -> None:
    with pytest.raises(ValueError, match="columns"):
        await store.commit(unit(Put(TOKEN, "a", b"")))
    with pytest.raises(TypeError, match="bytes"):
        await store.commit(unit(session("s", "text")))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cannot be selected"):
        await store.select(TOKEN, equal={"body": "x"})
    with pytest.raises(ValueError, match="cannot be selected"):
        await store.page(TOKEN, date_from=None, date_to=None, offset=0, limit=1, among={"1=1 OR key": ["x"]})
