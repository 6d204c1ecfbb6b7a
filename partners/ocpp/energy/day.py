"""A day cut into slots, and who wants what in them: what a plan is worked out from, and what it fills.

Slots begin where something changes (an arrival, a departure, a limit, a wish), and wherever a plan cuts them. In one
slot nothing changes, so that a current that fits at its begin fits until its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from operator import mul

from partners.ocpp.energy.facts import Charge, Facts
from partners.ocpp.energy.room import Grid, Load, Room
from partners.ocpp.energy.site import Site
from partners.ocpp.energy.units import UJ_PER_WH, floored, raised, together_mv


@dataclass(frozen=True, slots=True)
class Slot:
    """A span of time in which nothing changes."""

    begin: datetime
    until: datetime

    def pieces(self, longest: timedelta) -> Iterator[Slot]:
        """The same span in equal pieces, none above `longest`."""
        length, count = self.until - self.begin, -((self.begin - self.until) // longest)
        cuts = [self.begin + length * number // count for number in range(count + 1)]
        yield from map(Slot, cuts, cuts[1:])

    @property
    def us(self) -> int:
        """Its length in µs."""
        return (self.until - self.begin) // timedelta(microseconds=1)


@dataclass(slots=True, eq=False)
class Wanting:
    """A charge over the day. `most_ma` and `ma` are by slot; outside of its stay most is 0.

    uj_per_ma: the energy of one mA on its phases, by slot. left_uj: what it still wants; None, all it can get.
    """

    charge: Charge
    load: Load
    least_ma: int
    step_ma: int
    most_ma: list[int]
    uj_per_ma: list[int]
    left_uj: int | None
    ma: list[int]
    stay: range = field(init=False)
    """From the first slot to the last in which it can charge."""

    def __post_init__(self) -> None:
        can = [slot for slot, most in enumerate(self.most_ma) if most]
        self.stay = range(can[0], can[-1] + 1) if can else range(0)

    @property
    def served(self) -> bool:
        """Has it all that it wants?"""
        return self.left_uj is not None and self.left_uj <= 0

    def cut(self, pieces: Sequence[tuple[int, int, int]]) -> Wanting:
        """The same over `pieces` of slots: the number of the slot, the length of the piece and of the slot."""
        return replace(
            self,
            most_ma=[self.most_ma[number] for number, _, _ in pieces],
            uj_per_ma=[self.uj_per_ma[number] * us // of_us for number, us, of_us in pieces],
            ma=[0] * len(pieces),
        )

    def worth(self, slot: int) -> int:
        """How much more it could use in `slot`: up to its most, and not beyond what it still wants."""
        drawn = self.ma[slot]
        more = self.most_ma[slot] - drawn
        if self.left_uj is None or more <= 0:
            return more
        if self.left_uj <= 0:
            return 0
        enough = raised(-(-self.left_uj // self.uj_per_ma[slot]), self.step_ma)
        if enough < self.least_ma and not drawn:
            enough = self.least_ma
        return min(more, enough)


@dataclass(slots=True)
class Day:
    """The slots, what is left in each, and the charges that want anything in them."""

    slots: tuple[Slot, ...]
    rooms: list[Room]
    wanting: list[Wanting]

    def cut(self, pieces: Sequence[tuple[int, Slot]]) -> Day:
        """A day to which nobody was given anything, in `pieces` of its slots: the number of the slot, and the piece."""
        whole_us = [slot.us for slot in self.slots]
        lengths = [(number, piece.us, whole_us[number]) for number, piece in pieces]
        rooms = [self.rooms[number].copy() for number, _ in pieces]
        return Day(tuple(piece for _, piece in pieces), rooms, [each.cut(lengths) for each in self.wanting])

    def give_of(self, each: Wanting, slot: int, wanted_ma: int) -> None:
        """Let `each` draw what it can be given of `wanted_ma` more."""
        if more := self.fits(each, slot, wanted_ma):
            self.give(each, slot, more)

    def give(self, each: Wanting, slot: int, ma: int) -> None:
        """Let `each` draw `ma` more in `slot` (or less)."""
        each.ma[slot] += ma
        self.rooms[slot].take(each.load, ma)
        if each.left_uj is not None:
            each.left_uj -= ma * each.uj_per_ma[slot]

    def fits(self, each: Wanting, slot: int, wanted_ma: int) -> int:
        """How much of `wanted_ma` more it can be given: in its steps, and to its least at least, or 0."""
        more = floored(min(wanted_ma, self.rooms[slot].most(each.load)), each.step_ma)
        return more if more > 0 and each.ma[slot] + more >= each.least_ma else 0

    def served_uj(self, each: Wanting) -> int:
        """The energy that `each` gets."""
        given: int = sum(map(mul, each.ma, each.uj_per_ma))
        wanted = each.charge.wanted_wh
        return given if wanted is None else min(given, wanted * UJ_PER_WH)

    @property
    def energy_uj(self) -> int:
        """The energy that all get."""
        return sum(self.served_uj(each) for each in self.wanting)


def slots_between(begin: datetime, end: datetime, facts: Facts, grid: Grid) -> tuple[Slot, ...]:
    """The longest spans of a day in which nothing changes."""
    cuts = {begin, end}
    for charge in facts.charges:
        cuts.update(at for at in (charge.arrival, charge.departure) if at is not None)
        cuts.update(at for at, _ in charge.wish.changes)
    at = grid.next_change(begin)
    while at is not None:
        cuts.add(at)
        at = grid.next_change(at)
    ordered = sorted(at for at in cuts if begin <= at <= end)
    return tuple(Slot(former, later) for former, later in pairwise(ordered))


def wanting_in(slots: Sequence[Slot], charge: Charge, site: Site, grid: Grid) -> Wanting:
    """What `charge` wants in each slot."""
    evse = site.evse[charge.evse]
    phases = evse.on_grid(charge.uses)
    mv = together_mv(site.volts_mv, phases)
    least = raised(max(evse.least_ma, charge.least_ma), evse.step_ma)
    own = min(evse.most_ma, charge.most_ma if charge.most_ma is not None else evse.most_ma)
    by_slot = [floored(_most(charge, slot, own), evse.step_ma) for slot in slots]
    return Wanting(
        charge,
        grid.load(evse.node, phases),
        least,
        evse.step_ma,
        [most if most >= least else 0 for most in by_slot],
        [mv * slot.us // 10**6 for slot in slots],
        charge.wanted_wh * UJ_PER_WH if charge.wanted_wh is not None else None,
        [0] * len(slots),
    )


def _most(charge: Charge, slot: Slot, own: int) -> int:
    away = charge.arrival >= slot.until or (charge.departure is not None and charge.departure <= slot.begin)
    wish = charge.wish.at(slot.begin)
    return 0 if away else own if wish is None else min(own, wish)
