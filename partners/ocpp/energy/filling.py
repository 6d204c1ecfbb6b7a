"""Raising currents together: water rising in vessels of one tree of pipes.

All who share have one level, in mA. It rises until one of them has all that it takes, or a limit is used up; these stay
where they are, and the others go on rising. So no one gets more at the cost of somebody who has less (max-min). The
steps are events, not milliamperes: as many as there are charges and limits at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from partners.ocpp.energy.room import Load, Room


@dataclass(slots=True, eq=False)
class Vessel:
    """One who shares: from `ma` up to `most_ma`."""

    load: Load
    ma: int
    most_ma: int


@dataclass(slots=True)
class _Rising:
    """Those whose level rises now."""

    vessels: list[Vessel] = field(default_factory=list)
    weights: Counter[int] = field(default_factory=Counter)
    """By row: what a mA more for all of them takes."""

    def join(self, vessel: Vessel) -> None:
        self.vessels.append(vessel)
        self.weights.update(dict(vessel.load))

    def keep(self, going: Iterable[Vessel]) -> None:
        self.vessels = list(going)
        self.weights = Counter()
        for vessel in self.vessels:
            for row, each in vessel.load:
                self.weights[row] += each

    def most(self, left: list[int]) -> int | None:
        """By how much the level can rise before a limit is used up."""
        return min((max(left[row], 0) // each for row, each in self.weights.items()), default=None)


def raise_together(room: Room, vessels: Iterable[Vessel]) -> None:
    """Give all of `vessels` an equal level, as far as `room` and each one's most allow; takes it from `room`."""
    waiting = sorted((each for each in vessels if each.ma < each.most_ma), key=lambda each: each.ma, reverse=True)
    rising = _Rising()
    level = waiting[-1].ma if waiting else 0
    while waiting or rising.vessels:
        if not rising.vessels:
            level = max(level, waiting[-1].ma)
        while waiting and waiting[-1].ma <= level:
            rising.join(waiting.pop())
        reached = min(each.most_ma for each in rising.vessels)
        if waiting:
            reached = min(reached, waiting[-1].ma)
        possible = rising.most(room.left)
        delta = reached - level if possible is None else min(possible, reached - level)
        _rise(room, rising, delta)
        level += delta
        _settle(room, rising)


def _rise(room: Room, rising: _Rising, delta: int) -> None:
    for row, each in rising.weights.items():
        room.left[row] -= each * delta
    for vessel in rising.vessels:
        vessel.ma += delta


def _settle(room: Room, rising: _Rising) -> None:
    """Leave those behind that have all they take, or whose limit gives not one mA more to each."""
    full = {row for row, each in rising.weights.items() if room.left[row] < each}
    going = [v for v in rising.vessels if v.ma < v.most_ma and not (full and any(row in full for row, _ in v.load))]
    if len(going) < len(rising.vessels):
        rising.keep(going)
