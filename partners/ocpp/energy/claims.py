"""A charge on its way through an allocation: what it can take at all, what it has been given, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from partners.ocpp.energy.facts import Charge, Turn
from partners.ocpp.energy.reasons import Held, Hold, Slice, Why
from partners.ocpp.energy.reckoning import drawn_on_grid, excess_ma, in_force_ma, phases_of
from partners.ocpp.energy.room import Grid, Load, Room
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.site import Evse
from partners.ocpp.energy.units import UJ_PER_WH, floored, raised, together_mv


@dataclass(slots=True, eq=False)
class Claim:
    """One charge that can be steered.

    own: what of itself keeps it from more than `most_ma`. in_force_ma: what its charger holds it to until it is told
    otherwise; reckoned_ma: that, or more, where it draws more and has not had the time to follow.
    """

    charge: Charge
    evse: Evse
    phases: tuple[int, ...]
    load: Load
    least_ma: int
    most_ma: int
    own: Held
    in_force_ma: int
    reckoned_ma: int
    laxity_us: int | None
    turn: Turn
    ma: int = 0
    slices: list[Slice] = field(default_factory=list)
    hold: Hold | None = None

    @property
    def wants(self) -> bool:
        """Can it draw anything at all?"""
        return self.most_ma >= self.least_ma

    def add(self, ma: int, why: Why, room: Room) -> None:
        """Give it `ma` more, out of `room`."""
        if ma > 0:
            room.take(self.load, ma)
            self.pile(ma, why)

    def pile(self, ma: int, why: Why) -> None:
        """Note that it was given `ma` more."""
        if ma > 0:
            self.ma += ma
            self.slices.append(Slice(ma, why))

    def trim(self, to_ma: int, room: Room) -> None:
        """Take back what it has above `to_ma`, and leave that in `room`."""
        room.take(self.load, to_ma - self.ma)
        self.unpile(to_ma)

    def unpile(self, to_ma: int) -> None:
        """Forget what it was given above `to_ma`: the slices that came last."""
        excess, self.ma = self.ma - to_ma, to_ma
        while excess > 0:
            last = self.slices.pop()
            if last.ma > excess:
                self.slices.append(Slice(last.ma - excess, last.why))
            excess -= last.ma


def claim_of(charge: Charge, evse: Evse, grid: Grid, rules: Rules, now: datetime) -> Claim:
    """What `charge` can take now."""
    phases = phases_of(charge, evse, rules, now)
    least = raised(max(evse.least_ma, charge.least_ma), evse.step_ma)
    most, own = _most(charge, evse, rules, now, least)
    in_force = in_force_ma(charge, evse, now)
    return Claim(
        charge,
        evse,
        phases,
        grid.load(evse.node, phases),
        least,
        floored(most, evse.step_ma),
        own,
        in_force,
        max(in_force, excess_ma(charge, evse, rules, now)),
        _laxity_us(charge, most * together_mv(grid.site.volts_mv, phases), now),
        charge.turn or Turn(on=False, since=charge.arrival),
    )


def _most(charge: Charge, evse: Evse, rules: Rules, now: datetime, least: int) -> tuple[int, Held]:
    caps = [(evse.most_ma, Held.EVSE)]
    if charge.most_ma is not None:
        caps.append((charge.most_ma, Held.VEHICLE))
    if (wish := charge.wish.at(now)) is not None:
        caps.append((wish, Held.WISH))
    if (taken := _takes_ma(charge, evse, rules, now)) is not None:
        caps.append((max(least, taken), Held.TAKES_LESS))
    if charge.wanted_wh is not None and charge.wanted_wh <= 0:
        caps.append((0, Held.ENERGY))
    return min(caps, key=lambda cap: cap[0])


def _takes_ma(charge: Charge, evse: Evse, rules: Rules, now: datetime) -> int | None:
    """What to leave to a charge that draws clearly less than it may; None, where it may take more."""
    told, drawn = charge.told, drawn_on_grid(charge, evse, rules, now)
    if told is None or told.until <= now or drawn is None or charge.drawn is None:
        return None
    if charge.drawn.at < told.since + rules.follows or max(drawn) >= told.ma - rules.band_ma:
        return None
    return raised(max(drawn) + rules.headroom_ma, evse.step_ma)


def _laxity_us(charge: Charge, fastest_uw: int, now: datetime) -> int | None:
    """The time that it could do without, µs; None, where it is not known when it leaves."""
    if charge.departure is None or charge.departure <= now:
        return None
    stays_us = (charge.departure - now) // timedelta(microseconds=1)
    if charge.wanted_wh is None or fastest_uw <= 0:
        return stays_us
    return stays_us - charge.wanted_wh * UJ_PER_WH * 10**6 // fastest_uw
