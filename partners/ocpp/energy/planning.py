"""A plan over the day, where it is known who leaves when and wants how much: as much energy as possible, in time.

Two are made, and the better one stands. One serves by *laxity*: from morning to evening those come first who could do
without for the shortest time, were they to charge as fast as they can. That is all but best where many want the same
phases. The other one divides each span of the day among ways to serve those who are there (`mixing.py`); it is better
where phases differ, sub-boards are tight, and the least current keeps others out.
In both, all that is left is given away at once: energy given early never stands in the way later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from partners.ocpp.energy.day import Day, Slot, Wanting, slots_between, wanting_in
from partners.ocpp.energy.facts import Charge, Facts
from partners.ocpp.energy.mixing import Mix
from partners.ocpp.energy.reasons import Why
from partners.ocpp.energy.reckoning import reserved_at, without
from partners.ocpp.energy.room import Grid, Room
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.site import Site
from partners.ocpp.energy.units import UJ_PER_WH

LONGEST: Final = timedelta(minutes=15)
"""Slots are no longer than that, so that who has enough leaves his room to others soon."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What each charge is to draw in each slot, in mA on each of its phases, and the energy that comes of it."""

    slots: tuple[Slot, ...]
    ma: Mapping[str, tuple[int, ...]]
    energy_wh: Mapping[str, int]

    def at(self, charge: str, moment: datetime) -> int | None:
        """What `charge` is to draw at `moment`; None, where the plan does not say."""
        for slot, ma in zip(self.slots, self.ma.get(charge, ()), strict=False):
            if slot.begin <= moment < slot.until:
                return ma
        return None

    def gives_after(self, charge: str, moment: datetime) -> bool:
        """Does `charge` draw anything in a slot that begins after `moment`?"""
        given = zip(reversed(self.slots), reversed(self.ma.get(charge, ())), strict=False)
        return next((slot.begin > moment for slot, ma in given if ma), False)

    def next_after(self, moment: datetime) -> datetime | None:
        """When it gives somebody another current next."""
        columns = list(zip(*self.ma.values(), strict=True))
        changes = (b.begin for (_, x), (b, y) in pairwise(zip(self.slots, columns, strict=False)) if x != y)
        return next((at for at in changes if at > moment), None)

    def into(self, facts: Facts, moment: datetime) -> Facts:
        """`facts` for an allocation at `moment` that follows this plan."""
        return facts.with_charges(*(self._into(each, moment) for each in facts.charges))

    def _into(self, charge: Charge, moment: datetime) -> Charge:
        later = self.gives_after(charge.id, moment)
        return replace(charge, planned_ma=self.at(charge.id, moment), planned_later=later)


def plan(site: Site, facts: Facts, rules: Rules, begin: datetime, end: datetime) -> Plan:
    """The plan from `begin` to `end`. Charges that are yet to arrive count from their arrival on.

    What cannot be steered at `begin` is reckoned with all day. Raises: InvalidRequest, as `allocate`.
    """
    empty = day_of(site, facts, rules, begin, end)
    best = empty.cut([(number, piece) for number, slot in enumerate(empty.slots) for piece in slot.pieces(LONGEST)])
    serve(best, [{}] * len(best.slots))
    if not all(each.served for each in best.wanting):
        best = max(best, divided(empty), key=lambda day: day.energy_uj)
    return Plan(
        best.slots,
        {each.charge.id: tuple(each.ma) for each in best.wanting},
        {each.charge.id: best.served_uj(each) // UJ_PER_WH for each in best.wanting},
    )


def day_of(site: Site, facts: Facts, rules: Rules, begin: datetime, end: datetime) -> Day:
    """The day before anybody is given anything."""
    site.must_have(evses={each.evse for each in facts.charges}, nodes=facts.limits.keys() | facts.loads.keys())
    grid = Grid(site, facts)
    expected = {each.evse for each in facts.charges}
    known = reserved_at(site, facts.present(begin), rules, begin)
    reserved = tuple(each for each in known if each.why is not Why.IDLE or each.evse not in expected)
    unsteered = {each.charge for each in reserved}
    slots = slots_between(begin, end, facts, grid)
    rooms = [without(Room(grid.free(slot.begin)), grid, reserved) for slot in slots]
    in_order = sorted(facts.charges, key=lambda each: (each.arrival, each.id))
    steered = [each for each in in_order if each.id not in unsteered]
    return Day(slots, rooms, [wanting_in(slots, each, site, grid) for each in steered])


def divided(empty: Day) -> Day:
    """The day with its spans divided among ways to serve."""
    mix = Mix(empty)
    mix.run()
    found = [(number, piece, ma) for number, part, ma in mix.divided() for piece in part.pieces(LONGEST)]
    day = empty.cut([(number, piece) for number, piece, _ in found])
    serve(day, [ma for _, _, ma in found])
    return day


def serve(day: Day, first: Sequence[Mapping[int, int]]) -> None:
    """Fill the day from its first slot on: what is `first` there, by charge; then the others, least laxity first."""
    leaves_us, waiting = {each: leaving_us(day, each) for each in day.wanting}, day.wanting
    for slot, ma in enumerate(first):
        for number, each_ma in ma.items():
            if each_ma:
                each = day.wanting[number]
                day.give_of(each, slot, min(each_ma, each.worth(slot)))
        waiting = [each for each in waiting if not each.served]
        here = [each for each in waiting if each.most_ma[slot] > each.ma[slot]]
        if len(here) > 1:
            us = day.slots[slot].us
            here.sort(key=lambda each: leaves_us[each] - needs_us(each, slot, us))
        for each in here:
            day.give_of(each, slot, each.worth(slot))


def leaving_us(day: Day, each: Wanting) -> int:
    """When `each` leaves (or the day ends), µs from the day's begin."""
    begin, end = day.slots[0].begin, day.slots[-1].until
    return (min(each.charge.departure or end, end) - begin) // timedelta(microseconds=1)


def needs_us(each: Wanting, slot: int, us: int) -> int:
    """How long it would charge on, were it to go on as fast as it can in `slot`, which lasts `us` µs."""
    return 0 if each.left_uj is None else each.left_uj * us // (each.uj_per_ma[slot] * each.most_ma[slot])
