"""Ways to serve those who are there at once: currents that fit together, each of them 0 or its least at least.

They are found by serving one after the other, each as much as it takes: in the order of what an ampere is worth, in the
order of the weights alone, and, where few are there, with one or two of them left out. The last is for what the least
current does to a limit: two at 6 A may keep out a third that would use all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from operator import mul
from typing import Final, NamedTuple

from partners.ocpp.energy.day import Day, Wanting
from partners.ocpp.energy.room import Room

FEW: Final = 8
"""Among no more than these, orders without one or two of them are looked at as well."""

Order = tuple[int, ...]
"""Some of those who are there, by number, the first first."""


class Pattern(NamedTuple):
    """Currents in mA of all who are there, and the energy of each in µJ, were the whole span served so."""

    ma: tuple[int, ...]
    uj: tuple[int, ...]


@dataclass(slots=True)
class Span:
    """A slot of a day, who can charge in it, and the patterns that were found so far.

    thinned: orders that were looked at without one or two as well. values: what each pattern is worth by the last
    weights. looks: what finding them took.
    """

    slot: int
    room: Room
    here: list[int]
    wanting: list[Wanting]
    uj_per_ma: list[int] = field(init=False)
    patterns: list[Pattern] = field(default_factory=list)
    known: set[tuple[int, ...]] = field(default_factory=set)
    tried: set[Order] = field(default_factory=set)
    thinned: set[Order] = field(default_factory=set)
    weights: tuple[float, ...] = ()
    values: list[float] = field(default_factory=list)
    looks: int = 0

    def __post_init__(self) -> None:
        self.uj_per_ma = [each.uj_per_ma[self.slot] for each in self.wanting]

    def keep(self, ma: tuple[int, ...]) -> None:
        """Know this pattern."""
        if ma not in self.known:
            self.known.add(ma)
            self.patterns.append(Pattern(ma, tuple(map(mul, ma, self.uj_per_ma))))

    def look(self, weights: tuple[float, ...]) -> list[float]:
        """Find more patterns: those that are good when an energy more is worth these `weights`.

        Returns: What all that were found are worth then.
        """
        if weights != self.weights:
            self._find(weights)
            self.weights, self.values = weights, [sum(map(mul, weights, pattern.uj)) for pattern in self.patterns]
        return self.values

    def _find(self, weights: Sequence[float]) -> None:
        for order in self._orders(weights):
            if order not in self.tried:
                self.tried.add(order)
                self.keep(self._each_least_first(order))
                self.keep(self._each_all_at_once(order, [0] * len(self.here), self.room.copy()))

    def _orders(self, weights: Sequence[float]) -> Iterator[Order]:
        """Orders of those with any weight; those without one or two of them only the first time."""
        some, uj_per_ma = [nth for nth, weight in enumerate(weights) if weight], self.uj_per_ma
        worth = tuple(sorted(some, key=lambda nth: (-weights[nth] * uj_per_ma[nth], nth)))
        yield worth
        yield tuple(sorted(some, key=lambda nth: (-weights[nth], uj_per_ma[nth], nth)))
        if len(worth) <= FEW and worth not in self.thinned:
            self.thinned.add(worth)
            for count in (1, 2):
                for left_out in combinations(worth, count):
                    yield tuple([nth for nth in worth if nth not in left_out])

    def _each_least_first(self, order: Order) -> tuple[int, ...]:
        room, ma = self.room.copy(), [0] * len(self.here)
        for nth in order:
            each = self.wanting[nth]
            if room.fits(each.load, each.least_ma):
                room.take(each.load, each.least_ma)
                ma[nth] = each.least_ma
        return self._each_all_at_once(order, ma, room)

    def _each_all_at_once(self, order: Order, ma: list[int], room: Room) -> tuple[int, ...]:
        self.looks += len(order)
        for nth in order:
            each = self.wanting[nth]
            more = min(each.most_ma[self.slot] - ma[nth], room.most(each.load))
            more -= more % each.step_ma
            if more > 0 and ma[nth] + more >= each.least_ma:
                room.take(each.load, more)
                ma[nth] += more
        return tuple(ma)


def spans_of(day: Day) -> list[Span]:
    """The slots of a day to which nobody was given anything, but for those in which nobody can charge."""
    return [span for slot in range(len(day.slots)) if (span := _span(day, slot)).here]


def _span(day: Day, slot: int) -> Span:
    room = day.rooms[slot]
    numbered = [
        (number, each)
        for number, each in enumerate(day.wanting)
        if slot in each.stay and each.most_ma[slot] and not each.served and room.fits(each.load, each.least_ma)
    ]
    return Span(slot, room, [number for number, _ in numbered], [each for _, each in numbered])
