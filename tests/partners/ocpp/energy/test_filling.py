"""Raising currents together, for whatever limits and whatever charges."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from partners.ocpp.energy.filling import Vessel, raise_together
from partners.ocpp.energy.room import Room

rows = st.lists(st.integers(0, 100_000), min_size=3, max_size=3)
loads = st.sets(st.integers(0, 2), min_size=1).map(lambda chosen: tuple((row, 1 + row) for row in sorted(chosen)))
vessels = st.lists(st.builds(Vessel, loads, st.integers(0, 6000), st.integers(0, 32_000)), max_size=8)


@given(rows, vessels)
def test_nothing_is_taken_that_is_not_there(left: list[int], shares: list[Vessel]) -> None:
    before = [each.ma for each in shares]
    room = Room(list(left))
    raise_together(room, shares)
    for row in range(3):
        taken = sum(dict(s.load).get(row, 0) * (s.ma - old) for s, old in zip(shares, before, strict=True))
        assert left[row] - taken == room.left[row] >= 0


@given(rows, vessels)
def test_each_rises_until_it_has_all_or_a_limit_is_used_up(left: list[int], shares: list[Vessel]) -> None:
    before = [each.ma for each in shares]
    room = Room(list(left))
    raise_together(room, shares)
    for share, old in zip(shares, before, strict=True):
        assert old <= share.ma <= max(old, share.most_ma)
        mates = sum(any(row in dict(share.load) for row, _ in each.load) for each in shares)
        assert share.ma >= share.most_ma or room.most(share.load) <= 3 * mates


@given(rows, vessels)
def test_nobody_has_more_where_a_companion_in_the_same_limits_could_rise(left: list[int], shares: list[Vessel]) -> None:
    before = [each.ma for each in shares]
    raise_together(Room(list(left)), shares)
    for share, old in zip(shares, before, strict=True):
        for other in shares:
            if other.load == share.load and other.ma < other.most_ma and share.ma > old + len(shares):
                assert share.ma <= other.ma + len(shares)


@given(rows, vessels)
def test_the_order_of_the_charges_does_not_matter(left: list[int], shares: list[Vessel]) -> None:
    twins = [Vessel(each.load, each.ma, each.most_ma) for each in reversed(shares)]
    raise_together(Room(list(left)), shares)
    raise_together(Room(list(left)), twins)
    assert [each.ma for each in shares] == [each.ma for each in reversed(twins)]
