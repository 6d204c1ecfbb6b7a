"""Mending a plan by exchange: who still wants energy takes the place of somebody who can charge at another time.

Two moves, each of which leaves every limit kept. *Moving*: a charge in the way draws the same energy in another slot of
its stay. *Yielding*: a charge in the way goes without, where more is gained than lost (a charge on three phases that is
held by one charge on L1). Rounds go on until one gains nothing, or the effort is spent: what is there then is a plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from partners.ocpp.energy.day import Day, Wanting
from partners.ocpp.energy.room import ENDLESS
from partners.ocpp.energy.units import floored, raised

ROUNDS: Final = 4
EFFORT: Final = 50_000
"""Looks at a charge in the way: under a second, and twice what a site of ten ever needs."""


@dataclass(slots=True)
class Exchange:
    """The exchanges of a day."""

    day: Day
    effort: int = EFFORT

    def run(self) -> None:
        """Raise the energy that the day gives, as far as moves find it."""
        for _ in range(ROUNDS):
            unserved = [each for each in self.day.wanting if not each.served]
            if not sum(self._serves_better(each) for each in unserved):
                return

    def _serves_better(self, each: Wanting) -> bool:
        gained = False
        for slot in each.stay:
            if self.effort > 0 and each.worth(slot) > 0:
                self._move_others(each, slot)
                if more := self.day.fits(each, slot, each.worth(slot)):
                    self.day.give(each, slot, more)
                    gained = True
                gained = self._others_yield(each, slot) or gained
        return gained

    def _lacking(self, each: Wanting, slot: int) -> Iterator[tuple[int, int]]:
        """Rows that have no room for all that `each` could use, and how much they lack."""
        need, left = each.worth(slot), self.day.rooms[slot].left
        yield from ((row, taken * need - left[row]) for row, taken in each.load if taken * need > left[row])

    def _in_the_way(self, each: Wanting, slot: int, row: int) -> Iterator[tuple[Wanting, int]]:
        for other, taken in self.day.by_row[row]:
            self.effort -= 1
            if other.ma[slot] and other is not each:
                yield other, taken

    def _move_others(self, each: Wanting, slot: int) -> None:
        for row, lacking in list(self._lacking(each, slot)):
            for other, taken in self._in_the_way(each, slot, row):
                if lacking <= 0:
                    break
                lacking -= taken * self._move(other, slot, -(-lacking // taken))

    def _move(self, other: Wanting, slot: int, wanted: int) -> int:
        """Let up to `wanted` mA of `other` flow in other slots; how much less it draws in this one."""
        moved = 0
        for elsewhere in other.stay:
            if elsewhere == slot or other.most_ma[elsewhere] <= other.ma[elsewhere]:
                continue
            self.effort -= 1
            if not (part := freed(other, slot, wanted - moved)):
                break
            moved += self._shift(other, slot, elsewhere, part)
        return moved

    def _shift(self, other: Wanting, slot: int, elsewhere: int, part: int) -> int:
        """Let the energy of `part` flow elsewhere; how much less is drawn here: `part`, or what fits there."""
        here_uj, there_uj = other.uj_per_ma[slot], other.uj_per_ma[elsewhere]
        same = raised(-(-part * here_uj // there_uj), other.step_ma)
        same = max(same, 0 if other.ma[elsewhere] else other.least_ma)
        there = self.day.fits(other, elsewhere, min(same, other.most_ma[elsewhere] - other.ma[elsewhere]))
        less = min(part, raised(there * there_uj // here_uj, other.step_ma))
        if other.ma[slot] - less < other.least_ma:
            less = part if less == part else max(min(less, other.ma[slot] - other.least_ma), 0)
        if not there or not less:
            return 0
        self.day.give(other, slot, -less)
        self.day.give(other, elsewhere, there)
        return less

    def _others_yield(self, each: Wanting, slot: int) -> bool:
        """Let others go without where that gains energy."""
        yielded: list[tuple[Wanting, int]] = []
        for row, _ in list(self._lacking(each, slot)):
            for other, taken in self._in_the_way(each, slot, row):
                lacking = dict(self._lacking(each, slot)).get(row, 0)
                if lacking <= 0:
                    break
                if less := freed(other, slot, -(-lacking // taken)):
                    self.day.give(other, slot, -less)
                    yielded.append((other, less))
        more = self.day.fits(each, slot, each.worth(slot))
        lost_uj = sum(less * other.uj_per_ma[slot] for other, less in yielded)
        if min(more * each.uj_per_ma[slot], each.left_uj if each.left_uj is not None else ENDLESS) > lost_uj:
            self.day.give(each, slot, more)
            return True
        for other, less in yielded:
            self.day.give(other, slot, less)
        return False


def freed(other: Wanting, slot: int, wanted: int) -> int:
    """How much less `other` can draw in `slot` to free `wanted`: it stays at its least, or goes to nothing."""
    drawn, wanted = other.ma[slot], raised(wanted, other.step_ma)
    if wanted <= 0 or drawn - wanted >= other.least_ma:
        return max(wanted, 0)
    return floored(drawn - other.least_ma, other.step_ma) if wanted < drawn and drawn > other.least_ma else drawn
