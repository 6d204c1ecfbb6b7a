"""Judging a batch needs no database."""

from __future__ import annotations

import asyncio

from hub.core.errors import Conflict
from hub.core.store.batch import Decision, Standings, Waiter, decide, keys_of
from hub.core.units import ABSENT, Audit, Delete, Standing, Unit, is_newer
from tests.hub.core.store.samples import TOKEN, session, token, unit


def judged(units: list[Unit], present: dict[str, int]) -> tuple[list[Waiter], Decision]:
    loop = asyncio.new_event_loop()
    waiters = [Waiter(unit, loop.create_future()) for unit in units]
    loop.close()
    before: Standings = {kind: {} for kind in keys_of(waiters)}
    before.setdefault("token", {}).update({key: _standing(version) for key, version in present.items()})
    return waiters, decide(waiters, before)


def _standing(version: int) -> Standing:
    return Standing(version, owner="", audience="", last_updated=f"t{version}", columns=("", ""))


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


def test_what_is_to_be_newer_is_judged_by_what_is_on_record() -> None:
    older, newer = (unit(token("a", last_updated=at, over=is_newer)) for at in ("t5", "t6"))
    assert fates(judged([older], {"a": 5})[0]) == [Conflict]
    assert fates(judged([newer], {"a": 5})[0]) == [(6,)]
    assert fates(judged([older], {})[0]) == [(1,)]


def test_what_is_to_be_newer_is_judged_by_what_the_units_before_it_leave() -> None:
    at_6, at_7, again = (unit(token("a", last_updated=at, over=is_newer)) for at in ("t6", "t7", "t6"))
    waiters, decision = judged([at_6, at_7, again, unit(Delete(TOKEN, "a")), again], {"a": 5})
    assert fates(waiters) == [(6,), (7,), Conflict, (0,), (1,)]
    assert len(decision.changes) == 4
