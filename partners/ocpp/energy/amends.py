"""Mending a plan by second thoughts: what if this one had been served before that one?

Exchange moves one charge at a time, and stops where only a chain of moves gains. Here a charge that still wants energy
is given all that it can use as if another one were not there; then the other one, and after it all who still want. What
gives more energy stands, everything else is put back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from partners.ocpp.energy.day import Day, Wanting

TRIES: Final = 30
EFFORT: Final = 30_000
"""Looks at a slot: about half a second."""

Kept = tuple[list[tuple[list[int], int | None]], list[list[int]]]
"""What each charge was given and still wants; what was left in each slot."""


@dataclass(slots=True)
class Amends:
    """The second thoughts about a day."""

    day: Day
    tries: int = TRIES
    effort: int = EFFORT

    def run(self) -> None:
        """Raise the energy that the day gives, as far as tries find it."""
        while any(self._gains(each, other) for each, other in self._pairs()):
            pass

    def _pairs(self) -> Iterator[tuple[Wanting, Wanting]]:
        """Who still wants, the neediest first, and who is there at the same time."""
        wanting = [each for each in self.day.wanting if each.stay and each.left_uj is not None and not each.served]
        for each in sorted(wanting, key=lambda each: -(each.left_uj or 0)):
            for other in self.day.wanting:
                meet = max(each.stay.start, other.stay.start) < min(each.stay.stop, other.stay.stop)
                if other is not each and meet:
                    yield each, other

    def _gains(self, each: Wanting, other: Wanting) -> bool:
        if self.tries <= 0 or self.effort <= 0:
            return False
        self.tries -= 1
        before, kept = self.day.energy_uj, self._kept()
        for slot in other.stay:
            self.day.give(other, slot, -other.ma[slot])
        for wanting in (each, other, *self.day.wanting):
            self._fill(wanting)
        if self.day.energy_uj > before:
            return True
        self._put_back(kept)
        return False

    def _fill(self, each: Wanting) -> None:
        if not each.served:
            self.effort -= len(each.stay)
            for slot in each.stay:
                if (worth := each.worth(slot)) > 0:
                    self.day.give(each, slot, self.day.fits(each, slot, worth))

    def _kept(self) -> Kept:
        return [(each.ma[:], each.left_uj) for each in self.day.wanting], [room.left[:] for room in self.day.rooms]

    def _put_back(self, kept: Kept) -> None:
        for each, (ma, left_uj) in zip(self.day.wanting, kept[0], strict=True):
            each.ma, each.left_uj = ma, left_uj
        for room, left in zip(self.day.rooms, kept[1], strict=True):
            room.left = left
