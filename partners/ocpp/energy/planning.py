"""A plan over the day, where it is known who leaves when and wants how much: as much energy as possible, in time.

From morning to evening, in each slot, those with the least laxity come first (the time that a charge could do without,
were it to charge as fast as it can), and all that is left is given away at once: energy given early never stands in the
way later. That is best while all want the same phases; what differing phases and tight sub-boards spoil is mended by
exchange. It is done twice, once with everybody's least current before anything else; the better one stands, and gets
second thoughts (`amends.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from partners.ocpp.energy.amends import Amends
from partners.ocpp.energy.day import Day, Slot, Wanting, slots_between, wanting_in
from partners.ocpp.energy.exchange import Exchange
from partners.ocpp.energy.facts import Facts
from partners.ocpp.energy.reasons import Why
from partners.ocpp.energy.reckoning import reserved_at, without
from partners.ocpp.energy.room import Grid, Room
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.site import Site
from partners.ocpp.energy.units import UJ_PER_WH

LONGEST_SLOT: Final = timedelta(minutes=15)


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

    def next_after(self, moment: datetime) -> datetime | None:
        """When it gives somebody another current next."""
        columns = list(zip(*self.ma.values(), strict=True))
        changes = (b.begin for (_, x), (b, y) in pairwise(zip(self.slots, columns, strict=False)) if x != y)
        return next((at for at in changes if at > moment), None)

    def into(self, facts: Facts, moment: datetime) -> Facts:
        """`facts` for an allocation at `moment` that follows this plan."""
        return facts.with_charges(*(replace(each, planned_ma=self.at(each.id, moment)) for each in facts.charges))


def plan(
    site: Site, facts: Facts, rules: Rules, begin: datetime, end: datetime, *, longest_slot: timedelta = LONGEST_SLOT
) -> Plan:
    """The plan from `begin` to `end`. Charges that are yet to arrive count from their arrival on.

    What cannot be steered at `begin` is reckoned with all day. Raises: InvalidRequest, as `allocate`.
    """
    days = [_served(site, facts, rules, begin, end, longest_slot, way) for way in (True, False)]
    best = max(days, key=lambda day: day.energy_uj)
    Amends(best).run()
    return Plan(
        best.slots,
        {each.charge.id: tuple(each.ma) for each in best.wanting},
        {each.charge.id: best.served_uj(each) // UJ_PER_WH for each in best.wanting},
    )


def day_of(site: Site, facts: Facts, rules: Rules, begin: datetime, end: datetime, longest_slot: timedelta) -> Day:
    """The day before anybody is given anything."""
    site.must_have(evses={each.evse for each in facts.charges}, nodes=facts.limits.keys() | facts.loads.keys())
    grid = Grid(site, facts)
    expected = {each.evse for each in facts.charges}
    known = reserved_at(site, facts.present(begin), rules, begin)
    reserved = tuple(each for each in known if each.why is not Why.IDLE or each.evse not in expected)
    unsteered = {each.charge for each in reserved}
    slots = slots_between(begin, end, facts, grid, longest_slot)
    rooms = [without(Room(grid.free(slot.begin)), grid, reserved) for slot in slots]
    in_order = sorted(facts.charges, key=lambda each: (each.arrival, each.id))
    steered = [each for each in in_order if each.id not in unsteered]
    return Day(slots, rooms, [wanting_in(slots, each, site, grid) for each in steered])


def _served(
    site: Site, facts: Facts, rules: Rules, begin: datetime, end: datetime, longest: timedelta, least_first: bool
) -> Day:
    day = day_of(site, facts, rules, begin, end, longest)
    serve_in_order(day, least_first=least_first)
    Exchange(day).run()
    return day


def serve_in_order(day: Day, *, least_first: bool) -> None:
    """Fill the day from its first slot on, least laxity first."""
    for slot in range(len(day.slots)):
        here = [each for each in day.wanting if slot in each.stay and each.worth(slot) > 0]
        here.sort(key=lambda each: (laxity_us(day, each, slot), each.charge.arrival, each.charge.id))
        if least_first:
            for each in here:
                day.give(each, slot, day.fits(each, slot, min(each.worth(slot), each.least_ma)))
        for each in here:
            day.give(each, slot, day.fits(each, slot, each.worth(slot)))


def laxity_us(day: Day, each: Wanting, slot: int) -> int:
    """The time until `each` leaves (or the day ends), less what it needs at its fastest, µs."""
    at, end = day.slots[slot], day.slots[-1].until
    stays_us = (min(each.charge.departure or end, end) - at.begin) // timedelta(microseconds=1)
    if each.left_uj is None:
        return stays_us
    return stays_us - each.left_uj * at.us // (each.uj_per_ma[slot] * each.most_ma[slot])
