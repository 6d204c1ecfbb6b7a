"""Judging a batch needs no database."""

from __future__ import annotations

import asyncio

from hub.core.errors import Conflict
from hub.core.store.batch import Decision, Versions, Waiter, decide, keys_of
from hub.core.units import ABSENT, Audit, Delete, Unit
from tests.hub.core.store.samples import TOKEN, session, token, unit


def judged(units: list[Unit], present: dict[str, int]) -> tuple[list[Waiter], Decision]:
    loop = asyncio.new_event_loop()
    waiters = [Waiter(unit, loop.create_future()) for unit in units]
    loop.close()
    versions: Versions = {kind: {} for kind in keys_of(waiters)}
    versions.setdefault("token", {}).update(present)
    return waiters, decide(waiters, versions)


def fates(waiters: list[Waiter]) -> list[tuple[int, ...] | type[Exception]]:
    return [type(waiter.error) if waiter.error else waiter.versions for waiter in waiters]


def test_of_two_units_that_expect_the_same_version_the_first_wins() -> None:
    waiters, decision = judged([unit(token("a", b"1", expect=3)), unit(token("a", b"2", expect=3))], {"a": 3})
    assert fates(waiters) == [(4,), Conflict]
    assert decision.kinds["token"].puts["a"][0].body == b"1"
    assert len(decision.changes) == 1


def test_a_unit_may_expect_what_the_unit_before_it_leaves() -> None:
    waiters, decision = judged([unit(token("a", b"1", expect=ABSENT)), unit(token("a", b"2", expect=1))], {})
    assert fates(waiters) == [(1,), (2,)]
    put, version = decision.kinds["token"].puts["a"]
    assert (put.body, version) == (b"2", 2)


def test_a_unit_that_fails_at_its_last_write_leaves_nothing_behind() -> None:
    broken = unit(token("a"), session("s"), token("b", expect=7)).audited(Audit("me", "put", "a"))
    waiters, decision = judged([broken, unit(token("a", expect=ABSENT))], {})
    assert fates(waiters) == [Conflict, (1,)]
    assert list(decision.kinds) == ["token"]
    assert list(decision.kinds["token"].puts) == ["a"]
    assert decision.audits == []


def test_a_unit_sees_its_own_earlier_writes() -> None:
    waiters, decision = judged([unit(token("a"), token("a", expect=6), Delete(TOKEN, "a", expect=7))], {"a": 5})
    assert fates(waiters) == [(6, 7, 0)]
    assert decision.kinds["token"].puts == {}
    assert decision.kinds["token"].deletes == {"a"}


def test_a_document_that_is_deleted_and_put_again_is_deleted_first() -> None:
    waiters, decision = judged([unit(Delete(TOKEN, "a")), unit(token("a", expect=ABSENT))], {"a": 5})
    assert fates(waiters) == [(0,), (1,)]
    assert decision.kinds["token"].deletes == {"a"}
    assert decision.kinds["token"].puts["a"][1] == 1


def test_a_batch_of_refused_units_is_empty() -> None:
    _, decision = judged([unit(token("a", expect=9))], {"a": 1})
    assert decision.is_empty
